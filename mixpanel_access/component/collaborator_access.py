"""`CollaboratorAccess`: one person, one engagement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import pulumi
from pydantic import ValidationError

from mixpanel_access.component.children import (
    DeclaredComponents,
    child_options,
    configured_day,
    declared_components,
    name_prefix,
)
from mixpanel_access.model.address import spellings
from mixpanel_access.model.brakes import DeclaredPerson
from mixpanel_access.model.declaration import Declaration, declaration, grant_name
from mixpanel_access.model.errors import AccessError, ConfigurationError, InputError
from mixpanel_access.model.resources import COLLABORATOR_TYPE, COMPONENT_TYPE
from mixpanel_access.model.roster.problems import problems_with
from mixpanel_access.model.roster.schema import Engagement, Roster
from mixpanel_access.model.settings import NAMESPACE
from mixpanel_access.provider import Member, ProjectGrant
from mixpanel_access.provider.resource import check_component_options

_ONE_EACH: Final = ("email", "role", "removal", "ownership")
"""Inputs of a member in which all components of one person must agree."""


@dataclass(frozen=True)
class ProjectArgs:
    """One project that the person is to have.

    Attributes:
        id: Mixpanel's id of the project.
        role: the project role; left out, the standard one of the engagement's type.
    """

    id: pulumi.Input[int]
    role: str | None = None


@dataclass(frozen=True, kw_only=True)
class CollaboratorAccessArgs:
    """One person and one engagement.

    Attributes:
        email: the address.
        engagement_name: the engagement's name.
        engagement: its type, reason, approver, first and last day.
        projects: short key -> project; the key names the grant.
        environment: the environment of all the projects; left out, the stack's (`mixpanel:environment`).
        organization_role: the organization role; left out, it is left alone.
        removal: `when_unused` (the default), `always` or `never`.
        ownership: `ours` or `found`; left out, what the stack saw when it first declared the person.
        kind: `employee`, `contractor`, `agency` or `auditor`; left out, what the address says.
        standard_roles: engagement type -> what differs from the built-in standard roles.
    """

    email: str
    engagement_name: str
    engagement: Engagement
    projects: Mapping[str, ProjectArgs] = field(default_factory=dict)
    environment: str | None = None
    organization_role: str | None = None
    removal: str | None = None
    ownership: str | None = None
    kind: str | None = None
    standard_roles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class CollaboratorAccess(pulumi.ComponentResource):
    """A member and their grants, for the days of one engagement.

    Before its first day and after its last nothing is declared, as with a roster. Children are named by e-mail address
    and project key; a person who moves here from a roster, or back, keeps their resources.

    Several engagements of one person are several components: they share the member, whose metadata is that of the
    first. Each project key is in one of them, and all say the same about organization role and removal.

    A program with several of these does well to declare a `RemovalBrake` over all of them, from their `declared`.

    Args:
        resource_name: the component's name in the stack.
        args: the person, their projects, and why.
        opts: Pulumi's options.
        today: the day (UTC) for which the engagement counts; by default the stack's `mixpanel:now`, else the clock's.

    Raises:
        pulumi.RunError: something of it cannot be used; the engine shows all the reasons alone.
    """

    active: bool
    """Whether the engagement counts today."""
    member: Member | None
    """The member; None while the engagement does not count."""
    grants: dict[str, ProjectGrant]
    """The grants, by project key."""
    roles: dict[str, str]
    """The project roles that are declared, by project key."""
    declared: list[DeclaredPerson]
    """What a `RemovalBrake` has to know; nobody while the engagement does not count."""
    status: pulumi.Output[str | None]
    """`pending`, `expired` or `accepted`; None while the engagement does not count."""

    def __init__(
        self,
        resource_name: str,
        args: CollaboratorAccessArgs,
        opts: pulumi.ResourceOptions | None = None,
        today: date | None = None,
    ) -> None:
        check_component_options(type(self).__name__, resource_name, opts)
        super().__init__(COLLABORATOR_TYPE, resource_name, None, opts)
        stand_ins = dict(enumerate(args.projects, 1))  # an id may be another stack's output; the rules need none
        try:
            declared = _declaration(args, today or configured_day())
        except AccessError as error:
            raise pulumi.RunError(str(error)) from None
        self.member, self.grants, self.roles = None, {}, {}
        self._prefix, so_far = name_prefix(self), declared_components(self, opts)
        for name, inputs in declared.members.items():
            self.member = self._member(resource_name, name, inputs, so_far)
        for (stand_in, member), inputs in declared.grants.items():
            key = stand_ins[stand_in]
            other = so_far.grants.setdefault(grant_name(key, member), resource_name)
            if other != resource_name:
                raise pulumi.RunError(
                    f"CollaboratorAccess {resource_name}: {inputs['email']} has a role in the project {key!r} by the "
                    f"CollaboratorAccess {other} already. Leave it out of one of them."
                )
            self.roles[key] = inputs["role"]
            self.grants[key] = self._grant(key, member, {**inputs, "project_id": args.projects[key].id})
        self.active = self.member is not None
        self.status = self.member.status if self.member else pulumi.Output.from_input(None)
        ids = [args.projects[key].id for key in self.grants]
        self.declared = [DeclaredPerson(**{**person, "projects": ids}) for person in declared.people]
        self.register_outputs({"active": self.active, "roles": self.roles, "status": self.status})

    def _grant(self, key: str, member: str, inputs: Mapping[str, Any]) -> ProjectGrant:
        """The grant in a project, by its key; a roster names it by the project's id."""
        id_, needs = inputs["project_id"], [self.member] if self.member else []
        before = grant_name(id_ if isinstance(id_, int) else key, member)
        former = [grant_name(key, spelling) for spelling in spellings(inputs["email"])]
        options = child_options(self, before, COMPONENT_TYPE, needs, former)
        return ProjectGrant(self._prefix + grant_name(key, member), opts=options, **inputs)

    def _member(self, resource_name: str, name: str, inputs: Mapping[str, Any], so_far: DeclaredComponents) -> Member:
        """The member: that of another component of the program, if it has the person too."""
        if name not in so_far.members:
            options = child_options(self, name, COMPONENT_TYPE, former=spellings(inputs["email"]))
            so_far.members[name] = resource_name, Member(self._prefix + name, opts=options, **inputs), inputs
        other, member, others = so_far.members[name]
        if differing := sorted(key for key in _ONE_EACH if inputs.get(key) != others.get(key)):
            said = ", ".join(f"{key} {others.get(key)!r} and {inputs.get(key)!r}" for key in differing)
            raise pulumi.RunError(
                f"CollaboratorAccess {resource_name}: {inputs['email']} has the CollaboratorAccess {other} too, and "
                f"the two say {said}. Say the same in both."
            )
        return member


def _declaration(args: CollaboratorAccessArgs, today: date) -> Declaration:
    """What a roster with this one entry declares: the same rules hold for both."""
    environment = args.environment or pulumi.Config(NAMESPACE).get("environment")
    if not environment:
        raise ConfigurationError(
            "cannot tell production from staging",
            subject=args.email,
            why="neither `environment` nor the stack's mixpanel:environment is set",
            next_step="Set it: pulumi config set mixpanel:environment production",
        )
    person = {
        "email": args.email,
        "kind": args.kind,
        "engagement": args.engagement_name,
        "projects": {key: project.role for key, project in args.projects.items()},
        "organizationRole": args.organization_role,
        "removal": args.removal,
        "ownership": args.ownership,
    }
    try:
        roster = Roster.model_validate(
            {
                "environment": environment,
                "organizationRoles": args.organization_role is not None,
                "standardRoles": args.standard_roles,
                "engagements": {args.engagement_name: args.engagement},
                "projects": {key: {"id": n, "environment": environment} for n, key in enumerate(args.projects, 1)},
                "people": [person],
            }
        )
    except ValidationError as error:
        problems = [f"{item['loc'][-1]}: {item['msg']}" for item in error.errors(include_url=False)]
    else:
        problems = [words.removeprefix(f"{args.email}: ") for _, words in problems_with(roster)]
        if not problems:
            return declaration(roster, today)
    raise InputError("cannot declare access", subject=args.email, why="; ".join(problems), next_step="Fix the program.")
