"""`ProjectGrant`: one person's individual role in one project."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import ClassVar, Required, Unpack

import pulumi

from mixpanel_access.directory.snapshot import IN_PROJECT
from mixpanel_access.model import roles
from mixpanel_access.model.access import AccessInProject, source_in_words
from mixpanel_access.model.address import same_key
from mixpanel_access.model.resource_ids import GrantId
from mixpanel_access.provider import elsewhere, vanished
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.checks import (
    check_email,
    check_environment,
    check_id,
    check_invitation,
    check_project,
    check_project_reach,
    check_project_role,
    declared_in_both,
    kept_role,
)
from mixpanel_access.provider.handler import (
    Created,
    Found,
    Handler,
    Problems,
    Properties,
    select,
)
from mixpanel_access.provider.identities import (
    AllGrantsIdentity,
    GrantIdentity,
    SingleGrantsIdentity,
)
from mixpanel_access.provider.policy_outputs import OPEN_TO_ALL, shown_to_all
from mixpanel_access.provider.resource import AccessResource, InProject, ProjectRole
from mixpanel_access.provider.taking import Taken, is_unread


class ProjectGrantHandler(Handler[GrantId]):
    """What Pulumi's verbs do with a `ProjectGrant`; see there."""

    INPUTS: ClassVar[tuple[str, ...]] = ("project_id", "email", "role", "environment")
    REPLACES: ClassVar[tuple[str, ...]] = ("email", "project_id")
    OUTPUTS: ClassVar[tuple[str, ...]] = ("effective_role", "grant_types", OPEN_TO_ALL)
    SHOWN: ClassVar[tuple[str, ...]] = (OPEN_TO_ALL,)
    REPEATS: ClassVar[Mapping[str, str]] = {"effective_role": "role"}

    def label(self, props: Properties) -> str:
        return f"{props.get('email')} in project {props.get('project_id')}"

    def identity(self, props: Properties) -> Hashable:
        return GrantIdentity(props.get("project_id"), same_key(str(props.get("email", ""))))

    def identities(self, props: Properties) -> Iterable[Hashable]:
        """The grant, and that the project's grants are declared one by one."""
        return self.identity(props), SingleGrantsIdentity(props.get("project_id"))

    def stacks_that_give(self, ref: GrantId, props: Properties) -> Sequence[str]:
        return elsewhere.grants(self.session, ref.project, [ref.email], props).get(ref.email, [])

    def check_together(self, inputs: Properties, problems: Problems) -> None:
        """Refuse a grant that a `ProjectAccess` in the program has too, or whose project is a `ProjectAccess` alone."""
        project = inputs["project_id"]
        if self.session.owner_of(self.identity(inputs), self.kind.name) != self.kind.name:
            problems.add("email", declared_in_both(project, inputs["email"]))
        if AllGrantsIdentity(project) in self.session.declared:
            problems.add(
                "project_id",
                f"the program declares the grants in project {project} as a whole, with a ProjectAccess, and the grant "
                f"to {inputs['email']} with a ProjectGrant; take one of the two for a project, or exclusive=False",
            )

    def check(self, inputs: Properties, problems: Problems) -> None:
        check_email(inputs, problems)
        check_id("project_id", "project", inputs, problems)
        check_project_role(inputs, problems)
        check_environment(self.session.settings.environment, inputs.get("email"), inputs, problems)

    def check_live(self, inputs: Properties, problems: Problems, olds: Properties) -> None:
        directory, project, role = self.session.directory, inputs["project_id"], inputs["role"]
        if check_project(self.session, project, problems, f" for the grant to {inputs['email']}"):
            inputs |= shown_to_all(self.session, inputs)
        check_project_reach(self.session, inputs["email"], role, problems)
        alone = same_key(inputs["email"]) not in self.session.declared  # else the `Member` has reported it
        if alone and directory.person(inputs["email"]) is None:
            check_invitation(self.session, inputs["email"], problems)  # a grant to a stranger invites them

    def create(self, inputs: Properties) -> Created:
        id_ = GrantId(self.session.organization, inputs["project_id"], inputs["email"])
        return Created(id_, self._ensure(inputs))

    def read(self, ref: GrantId, props: Properties) -> Found | None:
        """Read the individual grant; a project that the organization no longer has takes its grants along."""
        directory = self.session.directory
        if directory.project_is_gone(ref.project):
            return None
        access = directory.access(ref.project, ref.email)
        if access.individual is None and not directory.hides_grant(ref.project, ref.email):
            return None
        inputs = {**props, "project_id": ref.project, "email": props.get("email", ref.email)}
        inputs["role"] = access.individual or props.get("role", roles.CONSUMER)
        return self.found(self._outputs(inputs, access))

    def update(self, ref: GrantId, olds: Properties, news: Properties) -> Properties:
        if olds.get("role") == news["role"] and not is_unread(olds):
            return self.unchanged(olds, news)
        return self._ensure(news)

    def delete(self, ref: GrantId, props: Properties) -> None:
        """Take the individual grant away; the person stays, with all that they hold otherwise."""
        directory = self.session.directory
        if directory.project_is_gone(ref.project):
            return
        if directory.person(ref.email) is None:  # the list of people may lack somebody: the project tells
            if not directory.access(ref.project, ref.email).individual:
                vanished.hold(self.session, ref.email, props)
                return
            vanished.note_listed(self.session, ref.email)
        # Asked before the removal: afterwards, no invited person may be left to show that the project lists them.
        hidden = directory.hides_grant(ref.project, ref.email)
        with self.taking(deletes=True) as taken:
            if directory.access(ref.project, ref.email).individual or hidden:
                directory.remove_grant(ref.project, ref.email)
                taken.add(f"take the grant in project {ref.project} from {ref.email}")
            access = directory.access(ref.project, ref.email)
            if access.individual is not None:
                what = f"take the grant in project {ref.project} away"
                raise self.not_applied(what, ref.email, f"still shows the role {access.individual}", IN_PROJECT)
        if access.effective is not None:
            sources = ", ".join(source_in_words(left) for left in access.grants) or "the organization role"
            self.session.say(f"{ref.email} remains {access.effective} in project {ref.project}, through {sources}")

    def _ensure(self, inputs: Properties) -> Properties:
        """Bring the individual grant to the declared role and return the outputs."""
        with self.taking(GrantId(self.session.organization, inputs["project_id"], inputs["email"])) as taken:
            return self._give(inputs, taken)

    def _give(self, inputs: Properties, taken: Taken) -> Properties:
        directory, project = self.session.directory, inputs["project_id"]
        email, role = inputs["email"], inputs["role"]
        if self.let_in(email):
            taken.add(f"let {email} in by SCIM")
        kept = None
        if directory.person(email) is None:
            kept = self._invite(project, email, role)
        elif self._individual(project, email) != role:
            directory.grant(project, email, role)
        else:
            return self._outputs(inputs, directory.access(project, email))
        taken.add(f"grant {role} in project {project} to {email}", select(inputs, self.all_inputs))
        access = directory.access(project, email)
        if access.individual not in (role, kept or role) and not (
            access.individual is None and directory.hides_grant(project, email)
        ):
            shows = f"shows {access.individual or 'no individual grant'}"
            raise self.not_applied(f"grant {role} in project {project}", email, shows, IN_PROJECT)
        return self._outputs(inputs, access)

    def _individual(self, project: int, email: str) -> str | None:
        """The individual role, once no group of the program that no longer has it may still take it away."""
        with self.session.changing_grants(project):
            return self.session.directory.access(project, email).individual

    def _invite(self, project: int, email: str, role: str) -> str | None:
        """Give the role to somebody who is not in the organization; the higher one that is kept, or None."""
        failures, kept = self.session.invitations.grant(project, {email: role})
        for error in failures.values():
            raise error
        for higher in kept.values():
            self.session.say(kept_role(email, f"{higher} in project {project}", role))
        return kept.get(email)

    def _outputs(self, inputs: Properties, access: AccessInProject) -> Properties:
        outputs = select(inputs, self.all_inputs)
        outputs["grant_types"] = [source.value for source in access.grant_types]
        if access.effective is not None:
            outputs["effective_role"] = access.effective
        return {**outputs, **shown_to_all(self.session, inputs)}


class ProjectGrantProvider(AccessProvider):
    """The SDK's provider of `ProjectGrant`, which states name."""

    HANDLER = ProjectGrantHandler


class ProjectGrantInputs(InProject, total=False):
    """The inputs of a `ProjectGrant`."""

    email: Required[pulumi.Input[str]]
    """The address; if it is not in the organization, it is invited as a member."""
    role: Required[pulumi.Input[ProjectRole]]
    """`owner`, `admin`, `analyst`, `consumer`, or a custom role's id."""


class ProjectGrant(AccessResource, module="mixpanel", name="ProjectGrant"):
    """One person's individual role in one project.

    A grant that is there already is adopted. Deleting the resource takes this role away and nothing else: the person
    stays in the organization. A role that the person has through a team, the organization role or a grant to all users
    is not touched; `effective_role` and `grant_types` show it.
    """

    project_id: pulumi.Output[int]
    email: pulumi.Output[str]
    role: pulumi.Output[str]
    environment: pulumi.Output[str | None]
    effective_role: pulumi.Output[str | None]
    """The person's highest role in the project, from any source."""
    grant_types: pulumi.Output[list[str]]
    """The sources: `organization_role`, `team`, `individual`, `all_users`."""
    open_to_all_users: pulumi.Output[bool | None]
    """For a production project: whether a grant to all users gives it to everybody in the organization."""

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **inputs: Unpack[ProjectGrantInputs]
    ) -> None:
        super().__init__(ProjectGrantProvider(), resource_name, opts, inputs)
