"""`RosterAccess`: everything that one roster declares."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import config

from mixpanel_access import provider
from mixpanel_access.component.children import (
    another_organization,
    child_options,
    configured_day,
    declared_components,
    name_prefix,
)
from mixpanel_access.component.own_server import must_name_our_server
from mixpanel_access.files.roster import OtherRosters, read_other_rosters, read_roster
from mixpanel_access.files.whole import reason
from mixpanel_access.model import resources as kinds
from mixpanel_access.model.declaration import (
    COMPONENT,
    DRAFTS_VARIABLE,
    Declaration,
    DeclaredResource,
    declaration,
    read_kept,
)
from mixpanel_access.model.declared_inputs import exception_inputs
from mixpanel_access.model.errors import AccessError, InputError
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.neighbours import CLAIMED_TWICE, CONTACTS_BESIDE, NEIGHBOURS
from mixpanel_access.model.resource_ids import BRAKE_NAME
from mixpanel_access.model.resources import (
    ALL_KINDS,
    COLLABORATOR_TYPE,
    COMPONENT_TYPE,
    CUSTOM_ROLE,
    MEMBER,
    MEMBERS,
    PROJECT_ACCESS,
    PROJECT_GRANT,
    SERVICE_ACCOUNT,
    SERVICE_ACCOUNT_GRANT,
    TEAM,
    TEAM_GRANT,
    TEAM_MEMBER,
    TEAM_MEMBERS,
    ResourceKind,
)
from mixpanel_access.model.roles import declared_role
from mixpanel_access.model.roster.reading import lines_of_entries
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.model.settings import KEPT_VARIABLE, NAMESPACE, SECRETS
from mixpanel_access.provider import (
    CustomRole,
    Member,
    Members,
    OrganizationSecurity,
    ProjectAccess,
    ProjectGrant,
    RemovalBrake,
    ServiceAccount,
    ServiceAccountGrant,
    Team,
    TeamGrant,
    TeamMember,
    TeamMembers,
)
from mixpanel_access.provider.program import default_organization
from mixpanel_access.provider.resource import check_component_options, inputs_of
from mixpanel_access.rules.entry import ExceptionEntry


class RosterAccess(pulumi.ComponentResource):
    """A member and their grants for each person of a roster, its teams, and its service accounts.

    Children are named by e-mail address and project id, so that neither the order of the entries nor the name of the
    file matters. A grant depends on its member, and so does a place in a team: on destroy, they go before the person.
    Of a roster with `grouped: true`, the members are one resource, and so are the grants of each project and the places
    in each team.

    Args:
        resource_name: the component's name in the stack.
        file: the roster's file; a relative path begins in the program's folder.
        opts: Pulumi's options.
        today: the day (UTC) for which entries count; by default the stack's `mixpanel:now`, else the clock's.

    Raises:
        pulumi.RunError: the roster cannot be used; the engine shows its text alone.
    """

    members: dict[str, Member]
    """The members, by the key of their address; empty where `grouped_members` has them."""
    grouped_members: Members | None
    """All members of a grouped roster; None of another one, and where nobody is declared."""
    grants: dict[tuple[int, str], ProjectGrant]
    """The single grants, by project id and the key of the address: those in no project of `project_access`."""
    project_access: dict[int, ProjectAccess]
    """The projects whose grants are one resource, by id: the authoritative ones, and those of a grouped roster."""
    accounts: dict[str, ServiceAccount]
    """The service accounts, by the name wanted."""
    account_grants: dict[tuple[int, str], ServiceAccountGrant]
    """Their grants, by project id and name."""
    teams: dict[str, Team]
    """The teams, by their key."""
    team_grants: dict[tuple[int, str], TeamGrant]
    """Their grants, by project id and key."""
    team_members: dict[tuple[str, str], TeamMember]
    """Who is in them, by the team's key and the key of the address; empty where `grouped_teams` has them."""
    grouped_teams: dict[str, TeamMembers]
    """Who is in the teams of a grouped roster, by the team's key."""
    custom_roles: dict[str, CustomRole]
    """The custom roles, by key."""
    security: OrganizationSecurity | None
    """The security settings; None where the roster has none."""
    counts: dict[str, int]
    """The numbers of `people` and of their `grants` in projects."""

    def __init__(
        self, resource_name: str, file: Path, opts: pulumi.ResourceOptions | None = None, today: date | None = None
    ) -> None:
        check_component_options(type(self).__name__, resource_name, opts)
        super().__init__(COMPONENT_TYPE, resource_name, None, opts)
        rosters = declared_components(self, opts).rosters
        if rosters:
            raise pulumi.RunError(_two_rosters(resource_name, rosters[0], file))
        rosters.append(resource_name)
        other = another_organization(self)
        self._prefix = name_prefix(self)
        declared = _declared(file, today, other is not None)
        if declared.grouped_members is not None:
            must_name_our_server(Path.cwd(), f"{file.name} with `grouped: true`")
        for words in declared.overlaps:
            pulumi.log.info(words, self)
        found = _read_others(file, other)
        for words in found.warnings:
            pulumi.log.warn(words, self)
        self._made = dict[str, Any]()
        self._roles = dict[str, CustomRole]()
        names = grouped((one.kind, one.name) for one in declared.resources() if one.kind.renamed_in_place)
        found_by_kind: dict[ResourceKind, dict[Any, Any]] = {kind: {} for kind in ALL_KINDS}
        for one in declared.resources():
            self._made[one.name] = found_by_kind[one.kind][one.key] = self._create(one, declared, names)
        self.members = found_by_kind[MEMBER]
        self.grouped_members = self._made.get(MEMBERS.prefix)
        self.grants = found_by_kind[PROJECT_GRANT]
        self.project_access = found_by_kind[PROJECT_ACCESS]
        self.accounts = found_by_kind[SERVICE_ACCOUNT]
        self.account_grants = found_by_kind[SERVICE_ACCOUNT_GRANT]
        self.teams = found_by_kind[TEAM]
        self.team_grants = found_by_kind[TEAM_GRANT]
        self.team_members = found_by_kind[TEAM_MEMBER]
        self.grouped_teams = found_by_kind[TEAM_MEMBERS]
        self.custom_roles = found_by_kind[CUSTOM_ROLE]
        self.security = self._made.get(kinds.ORGANIZATION_SECURITY.prefix)
        brake = self._brake(declared)
        facts = {**declared.facts, **facts_of_others(found, declared, today or configured_day())}
        if other:
            facts[kinds.OF_ORGANIZATION] = other[1]
        if facts.get("organization_roles"):
            facts["owners"] = brake.owners
        self.counts = declared.counts
        self.register_outputs({**self.counts, **facts})

    def _brake(self, declared: Declaration) -> RemovalBrake:
        """Create the brake; it depends on what it judges, so the engine deletes it before them."""
        judged = (self.members, self.grants, self.project_access, self.team_members, self.grouped_teams)
        after: list[pulumi.Resource] = [resource for resources in judged for resource in resources.values()]
        after += [self.grouped_members] if self.grouped_members else []
        options = pulumi.ResourceOptions(parent=self, depends_on=after)
        return RemovalBrake(self._prefix + BRAKE_NAME, people=declared.people, opts=options)

    def tokens(self) -> pulumi.Output[Any]:
        """The tokens of the service accounts, by name; a secret."""
        return pulumi.Output.secret({name: account.token for name, account in self.accounts.items()})

    def _create(
        self, declared: DeclaredResource, all_: Declaration, names: Mapping[ResourceKind, Sequence[str]]
    ) -> Any:
        """Create one resource, with the outputs of others that its inputs come from."""
        kind, inputs = declared.kind, dict(declared.inputs)
        for name, other in declared.refers_to.items():
            inputs[name] = getattr(self._made[other], kind.references[name].output)
        if kind.in_a_project:
            inputs["project_name"] = all_.names.get(inputs["project_id"])
        if kind.renamed_in_place:
            inputs["beside"] = [self._prefix + name for name in names[kind] if name != declared.name] or None
        if "role" in inputs:
            inputs["role"] = self._role(inputs["role"])
        if "grants" in inputs:
            inputs["grants"] = {email: self._role(role) for email, role in inputs["grants"].items()}
        needs = [self._made[name] for name in declared.depends_on]
        options = child_options(self, declared.below_collaborator, COLLABORATOR_TYPE, needs, declared.former)
        resource = getattr(provider, kind.name)
        known = inputs_of(resource)  # `revoke` declares what the state has, where some outputs are among the inputs
        inputs = {name: value for name, value in inputs.items() if name in known}
        made = resource(self._prefix + declared.name, opts=options, **inputs)
        if kind is CUSTOM_ROLE:
            self._roles[declared_role(declared.key)] = made
        return made

    def _role(self, word: str) -> pulumi.Input[str]:
        """A role as Mixpanel takes it: of one that the roster makes, the id, which is known once it is made."""
        made = self._roles.get(word)
        return word if made is None else made.role_id


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
        pulumi.export("serviceAccountTokens", access.tokens())


def _two_rosters(name: str, first: str, file: Path) -> str:
    return (
        f"RosterAccess {name}: the program has the RosterAccess {first} already, and a stack has one roster for an "
        f"organization. Move the entries of {file} there, or give it a stack of its own."
    )


def _declared(file: Path, today: date | None, elsewhere: bool) -> Declaration:
    """What the roster declares; one of another organization than the stack's takes no draft, and is not revoked."""
    try:
        if (kept := os.environ.get(KEPT_VARIABLE)) and not elsewhere:
            return _kept(Path(kept), file)
        if kept:
            raise InputError(
                "cannot revoke with this program",
                why=f"the run is for the stack's own organization, and the program reads {file} for another one",
                next_step="End access by the rosters, and run `pulumi up`.",
            )
        draft = None if elsewhere else _draft(file)
        if draft:
            pulumi.log.info(f"previewing {draft} in place of {file.name}")
        roster = read_roster(file, draft)
        declared = declaration(roster, today or configured_day())
        facts = policy_facts(roster, file.name, (draft or file).read_text(encoding="utf-8"))
        return replace(declared, facts={**declared.facts, **facts})
    except AccessError as error:
        raise pulumi.RunError(str(error)) from None


def _read_others(file: Path, other: tuple[str, pulumi.Input[int]] | None) -> OtherRosters:
    """What is known of the rosters of the other stacks: of this organization, or another provider's.

    Raises:
        pulumi.RunError: one of them has a project of this one.
    """
    if os.environ.get(KEPT_VARIABLE):
        return OtherRosters()  # no other roster keeps access alive that has ended by this one
    organization = other[1] if other else default_organization()
    if organization is not None and not isinstance(organization, int):
        return OtherRosters()  # it is not known yet
    found = read_other_rosters(file, organization, None if other else _drafts())
    if found.error:
        raise pulumi.RunError(str(found.error))
    return found


def facts_of_others(found: OtherRosters, declared: Declaration, today: date) -> dict[str, Any]:
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
            subject=str(kept),
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


def policy_facts(roster: Roster, name: str, text: str) -> dict[str, Any]:
    """What policies cannot see in the resources: where exceptions stand, and which secrets are in plain text."""
    entries = [ExceptionEntry.of(exception_inputs(roster, one)) for one in roster.exceptions]
    lines = lines_of_entries(text, "exceptions", len(entries))
    places = {entry.label: f"{name}:{line}" for entry, line in zip(entries, lines, strict=True)}
    keys = {key: f"{NAMESPACE}:{key}" for key in SECRETS}
    plain = [key for key, full in keys.items() if config.get_config(full) and not config.is_config_secret(full)]
    return {name: value for name, value in (("exception_places", places), ("plain_secrets", plain)) if value}
