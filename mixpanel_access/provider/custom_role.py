"""`CustomRole`: one role of a project's own, on the plan Enterprise."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import ClassVar, Final, Required, Unpack

import pulumi

from mixpanel_access.directory.role_holders import ACCOUNTS, PEOPLE, TEAMS, Holders, holders_of
from mixpanel_access.directory.security import UNTOLD
from mixpanel_access.model.address import few, same_key
from mixpanel_access.model.errors import NotApplied, NotFound, Refused
from mixpanel_access.model.resource_ids import CustomRoleId
from mixpanel_access.model.roles import (
    MOST_CUSTOM_ROLES,
    as_set,
    base_of,
    problem_with_permissions,
    problem_with_role_name,
)
from mixpanel_access.model.roles import CustomRoleInfo as Role
from mixpanel_access.model.similarity import counted, unknown
from mixpanel_access.provider import elsewhere
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.checks import check_environment, check_id, check_project
from mixpanel_access.provider.handler import Created, Found, Problems, Properties, changed, known, select
from mixpanel_access.provider.identities import (
    AccountGrantIdentity,
    CustomRoleIdentity,
    GrantIdentity,
    NewCustomRole,
    TeamGrantIdentity,
)
from mixpanel_access.provider.named import NamedHandler
from mixpanel_access.provider.renames import Named, temporary
from mixpanel_access.provider.resource import AccessResource, InProject
from mixpanel_access.provider.taking import Taken, is_unread

_BASE: Final = "base_permissions"
_IN_ROLES: Final = "Project Settings > Roles"
_OWN: Final = ("name", "description", "permissions")
"""What of the role is in Mixpanel; a change sends all three."""


class CustomRoleHandler(NamedHandler[CustomRoleId]):
    """What Pulumi's verbs do with a `CustomRole`; see there."""

    KIND: ClassVar[str] = "custom role"
    INPUTS: ClassVar[tuple[str, ...]] = ("project_id", *_OWN, "environment")
    REPLACES: ClassVar[tuple[str, ...]] = ("project_id",)
    OUTPUTS: ClassVar[tuple[str, ...]] = ("role_id", _BASE)
    REPEATS: ClassVar[Mapping[str, str]] = {_BASE: "permissions"}

    def objects(self, props: Properties) -> Named:
        roles, project = self.session.directory.custom_roles.in_project, props["project_id"]
        return Named(("custom roles", project), lambda: {id_: role.name for id_, role in roles(project).items()})

    def label(self, props: Properties) -> str:
        return f"custom role {props.get('name')} in project {props.get('project_id')}"

    def identity(self, props: Properties) -> Hashable:
        return CustomRoleIdentity(props.get("project_id"), same_key(str(props.get("name", ""))))

    def stacks_that_give(self, ref: CustomRoleId, props: Properties) -> Sequence[str]:
        return elsewhere.custom_role(self.session, ref, props)

    def check(self, inputs: Properties, problems: Problems) -> None:
        check_id("project_id", "project", inputs, problems)
        name = inputs.get("name")
        if known(name):
            if reason := problem_with_role_name(name):
                problems.add("name", reason)
            else:
                inputs["name"] = str(name).strip()
        description = inputs.setdefault("description", "")
        if known(description):
            if isinstance(description, str):
                inputs["description"] = description.strip()
            else:
                problems.add("description", f"{description!r} is not text")
        permissions = inputs.setdefault("permissions", [])
        if known(permissions):
            if reason := problem_with_permissions(permissions):
                problems.add("permissions", reason)
            else:
                inputs["permissions"] = as_set(permissions)
        label = f"custom role {name}"
        check_environment(self.session.settings.environment, label, inputs, problems, what="the")

    def check_live(self, inputs: Properties, problems: Problems, olds: Properties) -> None:
        directory, project, name = self.session.directory, inputs["project_id"], inputs["name"]
        if not check_project(self.session, project, problems, f" for the custom role {name}"):
            return
        try:
            there = {same_key(role.name): role for role in directory.custom_roles.in_project(project).values()}
        except UNTOLD as error:
            problems.add(
                "project_id",
                f"project {project} can have no custom role {name} ({error.why or error.what}); custom roles are part "
                f"of the plan Enterprise, and are managed by owners and admins of the project",
            )
            return
        self._check_new_name(inputs, problems, olds, there)
        catalogue = directory.custom_roles.permissions(project)
        if catalogue is None:
            return
        codes = sorted(catalogue.union(*(role.permissions or () for role in there.values())))
        for code in inputs["permissions"]:
            if known(code) and code not in codes:
                problems.add("permissions", unknown(code, f"permission of project {project}", codes))

    def _check_new_name(self, inputs: Properties, problems: Problems, olds: Properties, there: dict[str, Role]) -> None:
        """Check that the name is free, and that there is room for one more."""
        project, key = inputs["project_id"], same_key(inputs["name"])
        known_there = olds.get("project_id") == project and olds.get("name")
        self.check_name(inputs, olds if known_there else {}, problems)
        if known_there:
            return
        declared = self.session.declared
        declared.add(NewCustomRole(project, key))
        wanted = {role.name for role in declared.copy() if isinstance(role, NewCustomRole) and role.project == project}
        if key not in there and len(wanted | there.keys()) > MOST_CUSTOM_ROLES:
            names = ", ".join(sorted(role.name for role in there.values())) or "none yet"
            problems.add(
                "name",
                f"a project has at most {MOST_CUSTOM_ROLES} custom roles, and project {project} would have "
                f"{len(wanted | there.keys())}: delete one that is there ({names}), or declare one less",
            )

    def create(self, inputs: Properties) -> Created:
        """Make the role, or adopt the one of that name, and say so."""
        roles, project, name = self.session.directory.custom_roles, inputs["project_id"], inputs["name"]
        renames, space = self.session.renames, self.objects(inputs).space
        with renames.one_at_a_time(), self.taking() as taken:
            there = roles.by_name(project, name)
            waits = there is not None and self.is_anothers(inputs, there.id)
            first = {**inputs, "name": temporary(name)} if waits else inputs
            held = roles.by_name(project, first["name"])
            adopted, added = held is not None and not waits, None
            if held is None:
                roles.create(project, first["name"], inputs["description"], inputs["permissions"])
                taken.add(f"make the {self.label(inputs)}")
                if (held := roles.by_name(project, first["name"])) is not None:
                    taken.ref = CustomRoleId(self.session.organization, project, held.id)
                    taken.outputs = {**select(first, self.all_inputs), "role_id": held.id, _BASE: []}
                outputs = self._told(held, first, None)
                added = outputs[_BASE]
            if held is not None:
                renames.made(self.identity(inputs), self.label(inputs), space, held.id, name, adopted=adopted)
                if adopted:
                    self.session.say(f"{self.label(inputs)}: it is there already ({held.id}), and is adopted")
                if adopted or waits:
                    outputs = self._ensure(held, inputs, added, taken)
        role_id = str(outputs["role_id"])
        return Created(CustomRoleId(self.session.organization, project, role_id), outputs)

    def read(self, ref: CustomRoleId, props: Properties) -> Found | None:
        """Read the role; what the server added when it was written is not drift; everything else is."""
        directory = self.session.directory
        if directory.project_is_gone(ref.project):
            return None
        held = directory.custom_roles.in_project(ref.project).get(ref.role)
        if held is None:
            return None
        inputs = {**props, "project_id": ref.project, "name": held.name, "description": held.description}
        base = frozenset(props.get(_BASE, ()))
        if held.permissions is not None:
            base = self._base(held, props.get("permissions", ()), props.get(_BASE))
            inputs["permissions"] = as_set(held.permissions - base)
        return self.found({**select(inputs, self.all_inputs), "role_id": held.id, _BASE: as_set(base)})

    def update(self, ref: CustomRoleId, olds: Properties, news: Properties) -> Properties:
        if not changed(_OWN, olds, news) and not is_unread(olds):
            return {**select(olds, self.OUTPUTS), **news}
        held = self.session.directory.custom_roles.in_project(ref.project).get(ref.role)
        if held is None:
            raise NotFound(
                "cannot change the role",
                subject=self.label(olds),
                why="it is no longer there",
                next_step="Run `pulumi refresh`, then run again to create it.",
            )
        with self.taking(ref) as taken:
            return self._ensure(held, news, olds.get(_BASE), taken)

    def delete(self, ref: CustomRoleId, props: Properties) -> None:
        """Delete the role, unless somebody that the stack declares holds it or may; says who becomes a consumer."""
        directory = self.session.directory
        if directory.project_is_gone(ref.project):
            return
        held = directory.custom_roles.in_project(ref.project).get(ref.role)
        if held is None:
            return
        label = f"custom role {held.name} in project {ref.project}"
        holders = holders_of(directory, ref.project, ref.role)
        if stays := self._why_it_stays(holders, ref.project):
            raise Refused("cannot delete the role", subject=label, why=stays[0], next_step=stays[1])
        not_seen = dict(holders.unseen)
        if holders.hidden:
            not_seen["what invited people hold"] = few(holders.hidden)
        if holders.names or not_seen:
            unseen = f"; not seen: {_with_why(not_seen)}" if not_seen else ""
            self.session.say(f"{label}: is deleted, which moves {holders} to consumer{unseen}")
        with self.taking(deletes=True) as taken:
            moved = directory.custom_roles.delete(ref.project, ref.role)
            taken.add(f"delete the {label}")
            if ref.role in directory.custom_roles.in_project(ref.project):
                raise self.not_applied("delete the role", label, "still shows it", _IN_ROLES)
        self.session.renames.free(self.objects(props), held.name)
        if moved is not None:
            self.session.say(f"{label}: deleted; Mixpanel moved {counted(moved, 'grant')} to consumer")

    def _why_it_stays(self, holders: Holders, project: int) -> tuple[str, str] | None:
        """Why a role stays, since somebody that this stack declares holds it or may hold it, and what to do."""
        if declared := self._declared(holders, project):
            return (
                f"this stack still declares access for {', '.join(declared)}, who would become consumer",
                "Declare another role for them first, or keep this one.",
            )
        kinds = self._kinds_declared(project)
        if hidden := {kind: why for kind, why in holders.unseen.items() if kind in kinds}:
            return (
                f"not seen: {_with_why(hidden)}; some of those that this stack declares there may hold it",
                "Run again with an account that sees them, or delete it in Project Settings > Roles.",
            )
        declares = self.session.declares
        if invited := [email for email in holders.hidden if declares(GrantIdentity(project, same_key(email)))]:
            who = few(invited)
            return (
                f"what invited people hold is not listed; of those that this stack declares there, {who} may hold it",
                "Run again once the invitation is accepted, or delete it in Project Settings > Roles.",
            )
        return None

    def _declared(self, holders: Holders, project: int) -> list[str]:
        """Who of them has access by what this program declares, in words."""
        identities: dict[Hashable, str] = {GrantIdentity(project, same_key(email)): email for email in holders.people}
        identities |= {AccountGrantIdentity(id_, project): words for id_, words in holders.accounts.items()}
        identities |= {TeamGrantIdentity(id_, project): words for id_, words in holders.teams.items()}
        return sorted(words for identity, words in identities.items() if self.session.declares(identity))

    def _kinds_declared(self, project: int) -> set[str]:
        """Which kinds of those who can hold a role this program gives one in the project."""
        if self.session.scope.partial and not self.session.scope.destroys:
            return {PEOPLE, TEAMS, ACCOUNTS}  # the engine asks about a part of the program only
        kinds = set()
        for identity in self.session.declared.copy():
            match identity:
                case GrantIdentity(project=there) if there == project:
                    kinds.add(PEOPLE)
                case TeamGrantIdentity(project=there) if there == project:
                    kinds.add(TEAMS)
                case AccountGrantIdentity(project=there) if there == project:
                    kinds.add(ACCOUNTS)
        return kinds

    def _ensure(self, held: Role | None, inputs: Properties, added: Sequence[str] | None, taken: Taken) -> Properties:
        """Change a role that is there to what is declared, as far as its name is free; the outputs."""
        roles = self.session.directory.custom_roles
        if held is not None and same_key(held.name) != same_key(inputs["name"]):
            role, declared = held, inputs

            def send(free: str) -> None:
                roles.change(role.project, role.id, free, declared["description"], declared["permissions"])
                taken.add(f"change the {self.label(declared)}")

            waits = self.give_name(role.id, inputs, send)
            held = roles.in_project(role.project).get(role.id)
            if held is not None and waits:
                inputs = {**inputs, "name": held.name}
        if held is None:
            return self._told(None, inputs, added)
        project, name, description = inputs["project_id"], inputs["name"], inputs["description"]
        wanted, now = set(inputs["permissions"]), held.permissions
        as_wanted = now is not None and wanted <= now and now - wanted == self._base(held, wanted, added)
        if (held.name, held.description) == (name, description) and as_wanted:
            return self._told(held, inputs, added)
        roles.change(project, held.id, name, description, inputs["permissions"])
        taken.add(f"change the {self.label(inputs)}")
        after = roles.in_project(project).get(held.id)
        catalogue = roles.permissions(project) or frozenset()
        kept = ((after and after.permissions) or frozenset()) & (now or frozenset()) & catalogue
        if stubborn := as_set(kept - wanted - frozenset(added or ())):
            raise self._not_applied(inputs, f"the role with {', '.join(stubborn)} still")
        return self._told(after, inputs, added)

    def _told(self, held: Role | None, inputs: Properties, added: Sequence[str] | None) -> Properties:
        """The outputs once the role is as it is declared.

        Raises:
            NotApplied: it is not.
        """
        wanted = set(inputs["permissions"])
        lacking = [] if held is None or held.permissions is None else as_set(wanted - held.permissions)
        if held is None:
            raise self._not_applied(inputs, "no role of this id")
        if lacking:
            raise self._not_applied(inputs, f"the role without {', '.join(lacking)}")
        if (held.name, held.description) != (inputs["name"], inputs["description"]):
            raise self._not_applied(inputs, f"{held.name}, {held.description!r}")
        base = as_set((held.permissions or frozenset()) - wanted)
        if new := [code for code in base if code not in (added or ())]:
            self.session.say(f"{self.label(inputs)}: Mixpanel adds {', '.join(new)}")
        return {**select(inputs, self.all_inputs), "role_id": held.id, _BASE: base}

    def _not_applied(self, inputs: Properties, shown: str) -> NotApplied:
        return self.not_applied("apply the role", self.label(inputs), f"shows {shown}", _IN_ROLES)

    def _base(self, held: Role, wanted: Sequence[str] | set[str], added: Sequence[str] | None) -> frozenset[str]:
        """What of the role's permissions is the server's own; the catalogue is asked only where nothing is known."""
        catalogue = None
        if added is None:
            catalogue = self.session.directory.custom_roles.permissions(held.project)
        return base_of(held.permissions or (), wanted, added, catalogue)


def _with_why(unseen: Mapping[str, str]) -> str:
    return ", ".join(f"{kind} ({why})" for kind, why in unseen.items())


class CustomRoleProvider(AccessProvider):
    """The SDK's provider of `CustomRole`, which states name."""

    HANDLER = CustomRoleHandler


class CustomRoleInputs(InProject, total=False):
    """The inputs of a `CustomRole`."""

    name: Required[pulumi.Input[str]]
    """Its name; no other role of the project may have it, in any case."""
    permissions: Required[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Mixpanel's codes for what the role allows, in any order."""
    description: pulumi.Input[str]
    """What it is for."""
    beside: Sequence[str] | None
    """The names of the program's other `CustomRole` resources, for a new role that takes the name of a renamed one; it
    is not kept in the state."""


class CustomRole(AccessResource, module="mixpanel", name="CustomRole"):
    """One role of a project's own: a name and the permissions that it gives, on the plan Enterprise.

    It adopts a role of that name that is there already, and says so. Permissions are a set, and their codes are
    Mixpanel's: their order means nothing, `base_permissions` has what Mixpanel adds, and any other difference is
    drift. The four roles that every project has are never touched. Deleting the resource deletes the role, and
    Mixpanel then makes everybody who holds it a consumer: the step says who that is. It fails while somebody that this
    stack declares in the project holds the role, or may hold it since Mixpanel does not show such holders.
    """

    project_id: pulumi.Output[int]
    name: pulumi.Output[str]
    description: pulumi.Output[str]
    permissions: pulumi.Output[list[str]]
    environment: pulumi.Output[str | None]
    role_id: pulumi.Output[str]
    """Mixpanel's id, a UUID, which a grant takes as its `role`."""
    base_permissions: pulumi.Output[list[str]]
    """What Mixpanel has added to the permissions."""

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **inputs: Unpack[CustomRoleInputs]
    ) -> None:
        super().__init__(CustomRoleProvider(), resource_name, opts, inputs)
