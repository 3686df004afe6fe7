"""`RosterAccess`: everything that one roster declares."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pulumi

from mixpanel_access.component.children import child_options, configured_day
from mixpanel_access.component.policy_facts import policy_facts
from mixpanel_access.component.twins import declared_beside
from mixpanel_access.files.other_rosters import OtherRosters, read_other_rosters
from mixpanel_access.files.roster import read_roster
from mixpanel_access.files.whole import reason
from mixpanel_access.model.address import spellings
from mixpanel_access.model.declaration import (
    BRAKE,
    COMPONENT,
    DRAFTS_VARIABLE,
    SECURITY,
    Declaration,
    account_name,
    custom_role_name,
    declaration,
    grant_name,
    team_member_name,
    team_name,
    whole_name,
)
from mixpanel_access.model.errors import AccessError, InputError
from mixpanel_access.model.kept import read_kept
from mixpanel_access.model.neighbours import CLAIMED_TWICE, CONTACTS_BESIDE, NEIGHBOURS
from mixpanel_access.model.resources import COLLABORATOR_TYPE, COMPONENT_TYPE, number_in
from mixpanel_access.model.roles import declared_role
from mixpanel_access.model.settings import KEPT_VARIABLE, NAMESPACE
from mixpanel_access.provider import (
    CustomRole,
    Member,
    OrganizationSecurity,
    ProjectAccess,
    ProjectGrant,
    RemovalBrake,
    ServiceAccount,
    ServiceAccountGrant,
    Team,
    TeamGrant,
    TeamMember,
)
from mixpanel_access.provider.options import check_component_options


class RosterAccess(pulumi.ComponentResource):
    """A member and their grants for each person of a roster, its teams, and its service accounts.

    Children are named by e-mail address and project id, so that neither the order of the entries nor the name of the
    file matters. A grant depends on its member, and so does a place in a team: on destroy, they go before the person.

    Args:
        resource_name: the component's name in the stack.
        file: the roster's file.
        opts: Pulumi's options.
        today: the day (UTC) for which entries count; by default the stack's `mixpanel:now`, else the clock's.

    Raises:
        pulumi.RunError: the roster cannot be used; the engine shows its text alone.
    """

    members: dict[str, Member]
    """The members, by the key of their address."""
    grants: dict[tuple[int, str], ProjectGrant]
    """The single grants, by project id and the key of the address."""
    wholes: dict[int, ProjectAccess]
    """The projects whose grants the roster alone says, by id."""
    accounts: dict[str, ServiceAccount]
    """The service accounts, by the name wanted."""
    account_grants: dict[tuple[int, str], ServiceAccountGrant]
    """Their grants, by project id and name."""
    teams: dict[str, Team]
    """The teams, by their key."""
    team_grants: dict[tuple[int, str], TeamGrant]
    """Their grants, by project id and key."""
    team_members: dict[tuple[str, str], TeamMember]
    """Who is in them, by the team's key and the key of the address."""
    custom_roles: dict[str, CustomRole]
    """The custom roles, by key."""
    security: OrganizationSecurity | None
    """The security settings; None where the roster has none."""

    def __init__(
        self, resource_name: str, file: Path, opts: pulumi.ResourceOptions | None = None, today: date | None = None
    ) -> None:
        check_component_options(type(self).__name__, resource_name, opts)
        rosters = declared_beside(opts).rosters
        if rosters:
            raise pulumi.RunError(
                f"RosterAccess {resource_name}: the program has the RosterAccess {rosters[0]} already, and a stack has "
                f"one roster. Move the entries of {file} there, or give it a stack of its own."
            )
        rosters.append(resource_name)
        super().__init__(COMPONENT_TYPE, resource_name, None, opts)
        declared = _declared(file, today)
        for words in declared.overlaps:
            pulumi.log.info(words, self)
        found = _beside(file)
        for words in found.warnings:
            pulumi.log.warn(words, self)
        self.members = {
            name: Member(
                name, opts=child_options(self, name, COLLABORATOR_TYPE, former=spellings(inputs["email"])), **inputs
            )
            for name, inputs in declared.members.items()
        }
        self.custom_roles = {
            key: CustomRole(
                custom_role_name(key),
                project_name=declared.names.get(inputs["project_id"]),
                beside=[custom_role_name(other) for other in declared.custom_roles if other != key] or None,
                opts=pulumi.ResourceOptions(parent=self),
                **inputs,
            )
            for key, inputs in declared.custom_roles.items()
        }
        self.security = None
        if declared.security is not None:
            self.security = OrganizationSecurity(
                SECURITY, opts=pulumi.ResourceOptions(parent=self), **declared.security
            )
        self.grants = {
            (project, member): ProjectGrant(
                grant_name(project, member),
                project_name=declared.names.get(project),
                opts=child_options(
                    self,
                    grant_name(declared.keys[project], member),
                    COLLABORATOR_TYPE,
                    [self.members[member]],
                    [grant_name(project, former) for former in spellings(inputs["email"])],
                ),
                **{**inputs, "role": self._role(inputs["role"])},
            )
            for (project, member), inputs in declared.single_grants.items()
        }
        self.wholes = {
            project: ProjectAccess(
                whole_name(project),
                project_name=declared.names.get(project),
                opts=pulumi.ResourceOptions(
                    parent=self, depends_on=[self.members[member] for member in declared.members_in(project)]
                ),
                **{**inputs, "grants": {email: self._role(role) for email, role in inputs["grants"].items()}},
            )
            for project, inputs in declared.wholes.items()
        }
        self.accounts = {
            name: ServiceAccount(account_name(name), opts=pulumi.ResourceOptions(parent=self), **inputs)
            for name, inputs in declared.accounts.items()
        }
        self.account_grants = {
            (project, name): ServiceAccountGrant(
                grant_name(project, account_name(name)),
                service_account_id=self.accounts[name].account_id,
                project_name=declared.names.get(project),
                opts=pulumi.ResourceOptions(parent=self),
                **{**inputs, "role": self._role(inputs["role"])},
            )
            for (project, name), inputs in declared.account_grants.items()
        }
        self._declare_teams(declared)
        brake = RemovalBrake(
            BRAKE,
            people=declared.people,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[
                    *self.members.values(),
                    *self.grants.values(),
                    *self.wholes.values(),
                    *self.team_members.values(),
                ],
            ),
        )
        facts = {**declared.facts, **_facts_beside(found, declared, today or configured_day())}
        if facts.get("organization_roles"):
            facts["owners"] = brake.owners
        self.register_outputs({"people": len(self.members), "grants": len(declared.grants), **facts})

    def _declare_teams(self, declared: Declaration) -> None:
        """Teams, what they have, and who is in them: a person joins once they are in the organization."""
        self.teams = {
            key: Team(
                team_name(key),
                beside=[team_name(other) for other in declared.teams if other != key] or None,
                opts=pulumi.ResourceOptions(parent=self),
                **inputs,
            )
            for key, inputs in declared.teams.items()
        }
        self.team_grants = {
            (project, key): TeamGrant(
                grant_name(project, team_name(key)),
                team_id=self.teams[key].team_id,
                project_name=declared.names.get(project),
                opts=pulumi.ResourceOptions(parent=self),
                **{**inputs, "role": self._role(inputs["role"])},
            )
            for (project, key), inputs in declared.team_grants.items()
        }
        self.team_members = {
            (key, member): TeamMember(
                team_member_name(key, member),
                team_id=self.teams[key].team_id,
                opts=pulumi.ResourceOptions(
                    parent=self,
                    depends_on=[self.members[member]],
                    aliases=[pulumi.Alias(name=team_member_name(key, former)) for former in spellings(inputs["email"])],
                ),
                **inputs,
            )
            for (key, member), inputs in declared.team_members.items()
        }

    def _role(self, word: str) -> pulumi.Input[str]:
        """A role as Mixpanel takes it: of one that the roster makes, the id, which is known once it is made."""
        made = (role for key, role in self.custom_roles.items() if word == declared_role(key))
        return next((role.role_id for role in made), word)


def roster_program(file: Path, *, export_tokens: bool = False) -> None:
    """The whole Pulumi program of a stack that is one roster.

    The tokens of its service accounts stay in the state, where `mixpanel-access token NAME` reads them.

    Args:
        file: the roster's file.
        export_tokens: whether they are the stack's output `serviceAccountTokens` as well, by name. It is a secret, and
            `pulumi up --json` and `pulumi up --debug` print it in plain text all the same.

    Raises:
        pulumi.RunError: the roster cannot be used; the engine shows its text alone.
    """
    access = RosterAccess(COMPONENT, file)
    if export_tokens and access.accounts:
        tokens = {name: account.token for name, account in access.accounts.items()}
        pulumi.export("serviceAccountTokens", pulumi.Output.secret(tokens))


def _declared(file: Path, today: date | None) -> Declaration:
    try:
        if kept := os.environ.get(KEPT_VARIABLE):
            return _kept(Path(kept), file)
        draft = _draft(file)
        if draft:
            pulumi.log.info(f"previewing {draft} in place of {file.name}")
        roster = read_roster(file, draft)
        declared = declaration(roster, today or configured_day())
        facts = policy_facts(roster, file.name, (draft or file).read_text(encoding="utf-8"))
        return replace(declared, facts={**declared.facts, **facts})
    except AccessError as error:
        raise pulumi.RunError(str(error)) from None


def _beside(file: Path) -> OtherRosters:
    """What is known of the rosters of the other stacks.

    Raises:
        pulumi.RunError: one of them has a project of this one.
    """
    if os.environ.get(KEPT_VARIABLE):
        return OtherRosters()  # no other roster keeps access alive that has ended by this one
    organization = pulumi.Config(NAMESPACE).get("organizationId") or ""
    found = read_other_rosters(file, number_in(organization.strip()), _drafts())
    if found.error:
        raise pulumi.RunError(str(found.error))
    return found


def _facts_beside(found: OtherRosters, declared: Declaration, today: date) -> dict[str, Any]:
    """What policies have to know of the other rosters: their claims, the contacts that they have, what they give."""
    contacts = sorted({inputs["sponsor"] for inputs in declared.accounts.values() if inputs.get("sponsor")})
    facts = {
        CLAIMED_TWICE: found.claims,
        CONTACTS_BESIDE: [contact for contact in contacts if found.has(contact, today)],
        NEIGHBOURS: found.facts(declared, today),
    }
    return {name: value for name, value in facts.items() if value}


def _kept(kept: Path, file: Path) -> Declaration:
    """What a run of `mixpanel-access revoke` has the stack keep, in place of what the roster says."""
    try:
        text = kept.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            "cannot read what the stack keeps",
            whom=str(kept),
            why=reason(error),
            next_step=f"Unset {KEPT_VARIABLE}: only `mixpanel-access revoke` sets it.",
        ) from None
    return read_kept(text, pulumi.get_stack(), file.name)


def _drafts() -> Path | None:
    """The folder whose files a preview takes in place of rosters of the same name, or None."""
    folder = os.environ.get(DRAFTS_VARIABLE)
    return Path(folder) if folder and pulumi.runtime.is_dry_run() else None


def _draft(file: Path) -> Path | None:
    """The draft that a preview takes in place of a roster, or None."""
    folder = _drafts()
    draft = folder / file.name if folder else None
    return draft if draft and draft.is_file() else None
