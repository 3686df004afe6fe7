"""`ProjectAccess`: all individual grants of one project, as one resource that alone says who has one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any, ClassVar, Required, Unpack

import pulumi

from mixpanel_access.directory.grants import ProjectGrants
from mixpanel_access.model import roles
from mixpanel_access.model.address import few, problem_with, same_key
from mixpanel_access.model.brakes import brought_forward, has_ended, is_near
from mixpanel_access.model.errors import Refused, told_together
from mixpanel_access.model.grants import GrantChanges, by_key, grant_changes, own_reasons, single_grants, taken, twice
from mixpanel_access.model.resources import ProjectAccessId
from mixpanel_access.model.similarity import counted
from mixpanel_access.provider import elsewhere
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.checks import (
    check_environment,
    check_id,
    check_invitation,
    check_project,
    check_reasons,
    kept_role,
    refuse_reach,
)
from mixpanel_access.provider.handler import (
    Created,
    Found,
    Handler,
    Problems,
    Properties,
    known,
    select,
)
from mixpanel_access.provider.identities import AllGrantsIdentity, GrantIdentity, SingleGrantsIdentity
from mixpanel_access.provider.policy_outputs import OPEN_TO_ALL, shown_to_all
from mixpanel_access.provider.resource import AccessResource, InProject, ProjectRole
from mixpanel_access.provider.taking import Taken, is_unread


class ProjectAccessHandler(Handler[ProjectAccessId]):
    """What Pulumi's verbs do with a `ProjectAccess`; see there."""

    INPUTS: ClassVar[tuple[str, ...]] = ("project_id", "grants", "environment", "reasons")
    ACCESS_INPUTS: ClassVar[tuple[str, ...]] = ("project_id", "grants", "environment")
    REPLACES: ClassVar[tuple[str, ...]] = ("project_id",)
    OUTPUTS: ClassVar[tuple[str, ...]] = ("undeclared", "lost", "beside", OPEN_TO_ALL)
    SHOWN: ClassVar[tuple[str, ...]] = (OPEN_TO_ALL,)
    REPEATS: ClassVar[Mapping[str, str]] = {"undeclared": "grants", "lost": "grants", "beside": "grants"}

    def label(self, props: Properties) -> str:
        return f"the grants in project {props.get('project_id')}"

    def identity(self, props: Properties) -> Hashable:
        return AllGrantsIdentity(props.get("project_id"))

    def identities(self, props: Properties) -> Iterable[Hashable]:
        """That, and each grant: a `ProjectGrant` that goes because this has come takes nothing away."""
        project = props.get("project_id")
        return self.identity(props), *(GrantIdentity(project, key) for key in by_key(props.get("grants", {})))

    def check(self, inputs: Properties, problems: Problems) -> None:
        check_id("project_id", "project", inputs, problems)
        check_environment(self.session.settings.environment, "everybody", inputs, problems)
        grants = inputs.get("grants")
        if not known(grants):
            return
        if not isinstance(grants, Mapping):
            problems.add("grants", f"{grants!r} is not a mapping of an address to a project role")
            return
        inputs["grants"] = {
            email: roles.normalized(role) if isinstance(role, str) and known(role) else role
            for email, role in grants.items()
        }
        for email, role in inputs["grants"].items():
            if reason := problem_with(email):
                problems.add("grants", f"{email!r} is not an e-mail address ({reason})")
            if not (isinstance(role, str) and (not known(role) or roles.is_project_role(role))):
                words = ", ".join(roles.PROJECT_ROLES)
                problems.add(
                    "grants", f"{email}: {role!r} is not a project role; there are {words}, or a custom role's id"
                )
        for email, first in twice(grants):
            problems.add("grants", f"{email} stands there twice, first as {first}")
        check_reasons(inputs.get("reasons"), by_key(grants), problems)

    def people(self, props: Properties) -> Iterable[str]:
        return list(props.get("grants") or ())

    def check_together(self, inputs: Properties, problems: Problems) -> None:
        """Refuse a project that has a `ProjectGrant` in the program too, or two different `ProjectAccess`."""
        project, grants = inputs["project_id"], by_key(inputs["grants"])
        if SingleGrantsIdentity(project) in self.session.declared:
            problems.add(
                "project_id",
                f"the program declares the grants in project {project} as a whole, with a ProjectAccess, and some of "
                f"them with a ProjectGrant; take one of the two for a project",
            )
        first = self.session.project_access.setdefault(project, grants)
        if first != grants and all(map(known, (*first.values(), *grants.values()))):
            problems.add("project_id", f"the program has two ProjectAccess of project {project}; make them one")

    def check_ends(self, olds: Properties, inputs: Properties, problems: Problems) -> None:
        """Judge the ends of the grants where an edit moves them to an earlier day."""
        if problems or not olds or olds.get("project_id") != inputs.get("project_id"):
            return
        before, now, today = _ends(olds), _ends(inputs), self.session.now().date()
        moved = {key for key in before.keys() & now.keys() if brought_forward(before[key], now[key])}
        near = frozenset(key for key in moved if is_near(now[key], today))
        if not near:
            return
        try:
            there = self._read(inputs["project_id"], olds.get("grants", {}))
            gone = before.keys() - now.keys()
            changes = GrantChanges(remove=near | gone)
            self.session.brakes.hold_grants(there.project, there.have, changes, self._planned(olds))
        except Refused as held:
            problems.add("reasons", f"these ends are moved to an earlier day, at most 30 days away: {held}")

    def check_live(self, inputs: Properties, problems: Problems, olds: Properties) -> None:
        """Judge project and roles against the organization, and what would be taken away by the brakes."""
        directory, project, grants = self.session.directory, inputs["project_id"], inputs["grants"]
        if not check_project(self.session, project, problems):
            return
        inputs |= shown_to_all(self.session, inputs)
        own = directory.own_role()
        if own in roles.MANAGING_ROLES:
            above = {email for email, role in grants.items() if not roles.may_assign_in_project(own, role)}
            for role in sorted({grants[email] for email in above}):
                people = few(email for email in above if grants[email] == role)
                refuse_reach(people, role, own, problems, "grants")
        before = olds if olds.get("project_id") == project else {}
        strangers = [email for email in grants if directory.person(email) is None]
        new = [email for email in strangers if not directory.provisioning.handles(email)]
        for email in new:
            if same_key(email) not in self.session.declared:  # else the `Member` tells it
                check_invitation(self.session, email, problems, "grants")
        if new:
            self.session.say(f"project {project}: not in the organization yet, and invited with the grant: {few(new)}")
        try:
            self._find_leavers(before, grants)
            there = self._read(project, before.get("grants", {}), grants)
            changes = self._hold(there, grants, before)
            if before is not olds and olds.get("project_id"):  # another project is another resource: this one goes
                self._hold_all(olds["project_id"], olds)
        except Refused as held:
            problems.add("grants", str(held))
            return
        if changes.remove:
            number, people = len(changes.remove), few(there.spelled(changes.remove))
            what = f"{number} grant{'s' * (number > 1)} to be taken away, with one request each"
            self.session.say(f"project {project}: {what}: {people}")

    def diff(self, olds: Properties, news: Properties) -> bool:
        """To declare somebody whose grant was added by hand, or no longer one who lost theirs, is a change too."""
        return super().diff(self.compared(olds, news), news) or bool(_declared_otherwise(olds, news))

    def compared(self, olds: Properties, news: Properties) -> Properties:
        same = own_reasons(olds.get("reasons")) == own_reasons(news.get("reasons"))
        return {**olds, "reasons": news.get("reasons")} if same else olds

    def create(self, inputs: Properties) -> Created:
        """Give what is missing, adopt what is there, and take away what is not declared."""
        id_ = ProjectAccessId(self.session.organization, inputs["project_id"])
        return Created(id_, self._ensure(inputs, {}))

    def read(self, ref: ProjectAccessId, props: Properties) -> Found | None:
        """Read all individual grants; a project that the organization no longer has takes them along."""
        if self.session.directory.project_is_gone(ref.project):
            return None
        there = self._read(ref.project, props.get("grants", {}))
        declared = _declared(props) if "grants" in props else there.have.keys()
        return self.found(self._outputs({**props, "project_id": ref.project}, there, declared))

    def update(self, ref: ProjectAccessId, olds: Properties, news: Properties) -> Properties:
        """Change what differs; who was added by hand goes."""
        same = by_key(olds["grants"]) == by_key(news["grants"])
        if same and not olds.get("lost") and not is_unread(olds):  # then nobody is there undeclared
            return {**select(olds, ("beside", OPEN_TO_ALL)), **select(news, self.all_inputs), "undeclared": []}
        return self._ensure(news, olds)

    def delete(self, ref: ProjectAccessId, props: Properties) -> None:
        """Take the declared grants away, but for those that the program declares one by one now; people stay."""
        if self.session.directory.project_is_gone(ref.project):
            return
        there, changes = self._hold_all(ref.project, props)
        with self.taking(deletes=True) as taken:
            self._write(there, changes, {}, taken)

    def _hold(self, there: ProjectGrants, grants: Mapping[str, str], before: Properties) -> GrantChanges:
        """The changes to make, if no brake holds them."""
        want = by_key(grants)
        changes = grant_changes(there.have, want, frozenset({self._own}))
        if self.session.takes_only:
            roles_before = {**want, **by_key(before.get("grants", {}))}
            declared = _declared(before)
            given = self._given_elsewhere(there.project, declared - want.keys(), before)
            changes = taken(changes, {key: roles_before.get(key, "") for key in declared - given}, want)
        self.session.brakes.hold_grants(there.project, there.have, changes, self._planned(before))
        return changes

    def _planned(self, before: Properties) -> frozenset[str]:
        """Whose end was in the state before today."""
        today = self.session.today()
        return frozenset(
            same_key(str(one["email"])) for one in single_grants(before) if has_ended(one.get("ends"), today)
        )

    def _hold_all(self, project: int, props: Properties) -> tuple[ProjectGrants, GrantChanges]:
        """What goes with the resource, if no brake holds it."""
        there = self._read(project, props.get("grants", {}))
        now = self.session.directory.key_of
        one_by_one = {
            key
            for key in there.have
            if any(self.session.declares(GrantIdentity(project, one), "ProjectGrant") for one in {key, now(key)})
        }
        gone = frozenset((there.have.keys() & _declared(props)) - one_by_one - {self._own})
        gone -= self._given_elsewhere(project, gone, props)
        changes = GrantChanges(remove=gone)
        self.session.brakes.hold_grants(project, there.have, changes, self._planned(props))
        return there, changes

    def _given_elsewhere(self, project: int, keys: AbstractSet[str], props: Properties) -> set[str]:
        """Whose grants other stacks of the project give, as after a move between two rosters; says so."""
        found = elsewhere.grants(self.session, project, sorted(keys), props)
        for key, stacks in found.items():
            words = f"{key} in project {project}: nothing is taken away, as {elsewhere.given_by(stacks)}"
            self.session.say_once(("elsewhere", project, key), words)
        return set(found)

    def _ensure(self, inputs: Properties, before: Properties) -> Properties:
        """Bring the grants to the declared ones and return the outputs."""
        self._find_leavers(before, inputs["grants"])
        project, grants = inputs["project_id"], inputs["grants"]
        there = self._read(project, before.get("grants", {}), grants)
        changes = self._hold(there, grants, before)
        with self.taking(ProjectAccessId(self.session.organization, project)) as taken:
            after = self._write(there, changes, grants, taken, partial(self._unfinished, inputs, before))
            return self._outputs(inputs, after, by_key(grants).keys())

    def _unfinished(self, inputs: Properties, before: Properties, held: Mapping[str, str]) -> Properties:
        """The outputs of a change that was not finished: those of before, with the grants as they are.

        Whose grant could not be taken away is declared still, as before.
        """
        declared = by_key(inputs["grants"]).keys()
        ours = declared | _declared(before)
        grants = {one: role for one, role in held.items() if same_key(one) in ours or same_key(one) != self._own}
        outputs = select({**inputs, **before}, ("beside", OPEN_TO_ALL)) | select(before or inputs, self.all_inputs)
        undeclared = [email for email in grants if same_key(email) not in ours]
        lost = sorted(declared - by_key(grants).keys())
        return {**outputs, "grants": grants, "undeclared": undeclared, "lost": lost}

    def _write(
        self,
        there: ProjectGrants,
        changes: GrantChanges,
        grants: Mapping[str, str],
        taken: Taken,
        unfinished: Callable[[Mapping[str, str]], Properties] | None = None,
    ) -> ProjectGrants:
        """Write the changes, and read back once; the grants as they are then.

        A failure for some stops nobody else: access ends as declared, though an invitation waits. `unfinished` gives
        the outputs that are kept then, for the grants as they are.
        """
        if not changes:
            return there
        directory, project = self.session.directory, there.project
        give = {email: role for email, role in grants.items() if same_key(email) in changes.give}
        for email in give:
            self.let_in(email)
        new = {email: role for email, role in give.items() if directory.person(email) is None}
        take = list(there.spelled(changes.remove))
        failures = directory.grant_many(project, {one: role for one, role in give.items() if one not in new})
        refused, kept = self.session.invitations.grant(project, new)
        failures |= refused
        for email, role in kept.items():
            self.session.say(kept_role(email, f"{role} in project {project}", give.pop(email)))
        failures |= directory.remove_grants(project, take)
        if done := len(give) + len(take) - len(failures):
            gone = {same_key(email) for email in take if email not in failures}
            held = {**there.spelled(there.have.keys() - gone), **{e: r for e, r in give.items() if e not in failures}}
            request = f"change who has project {project}, for {counted(done, 'person', 'people')},"
            taken.add(request, unfinished and unfinished(held))
        after = self._read(project, {**there.spelled(there.have.keys() - changes.remove), **give}, grants)
        after.have |= {same_key(email): new[email] for email in kept}
        if undone := after.undone(give, take, failures):
            if taken and unfinished:
                taken.outputs = unfinished(after.spelled(after.have.keys(), grants))
            done = len(give) + len(take) - len(undone)
            raise told_together(f"cannot change who has project {project}", undone, done)
        if remains := after.remains(take):
            self.session.say(remains)
        return after

    def _outputs(self, inputs: Properties, there: ProjectGrants, declared: AbstractSet[str]) -> Properties:
        """The state: the grants as Mixpanel has them, how they differ from the declared ones, and other sources."""
        shown = {key for key in there.have if key in declared or key != self._own}
        grants = there.spelled(shown, inputs.get("grants", {}))
        outputs = select({**inputs, "grants": grants}, self.all_inputs)
        outputs["undeclared"] = [email for email in grants if same_key(email) not in declared]
        if lost := sorted(declared - there.have.keys()):
            outputs["lost"] = lost
        outputs["beside"] = {email: sources for email in grants if (sources := there.other_sources(email))}
        return {**outputs, **shown_to_all(self.session, inputs)}

    def _find_leavers(self, before: Properties, grants: Mapping[str, str]) -> None:
        """Find people who are no longer declared, though somebody else may have their address by now."""
        for email in before.get("grants", {}):
            if same_key(email) not in by_key(grants):
                self.session.identify(email, surely=True)

    def _read(self, project: int, before: Mapping[str, str], declared: Iterable[str] = ()) -> ProjectGrants:
        return ProjectGrants(self.session.directory, project, before, declared)

    @property
    def _own(self) -> str:
        """The key of the identity that we run as, whose grant is not ours to take."""
        return same_key(self.session.brakes.own_address())


def _declared(props: Properties) -> set[str]:
    """Whose grants the program declared when the state was written, there or lost, by the key of the address."""
    lost = {same_key(email) for email in props.get("lost") or ()}
    return (by_key(props.get("grants", {})).keys() - _undeclared(props)) | lost


def _ends(props: Properties) -> dict[str, str | None]:
    """The last day of each declared grant, or None, by the key of the address."""
    return {same_key(str(one["email"])): one.get("ends") for one in single_grants(props)}


def _undeclared(props: Properties) -> set[str]:
    return {same_key(email) for email in props.get("undeclared") or ()}


def _declared_otherwise(olds: Properties, news: Properties) -> AbstractSet[str]:
    """Who is declared now and stands in the state as added by hand, or lost the grant and is declared no longer."""
    if not isinstance(grants := news["grants"], Mapping):
        return set()
    now, lost = by_key(grants).keys(), {same_key(email) for email in olds.get("lost") or ()}
    return (_undeclared(olds) & now) | (lost - now)


class ProjectAccessProvider(AccessProvider):
    """The SDK's provider of `ProjectAccess`, which states name."""

    HANDLER = ProjectAccessHandler


class ProjectAccessInputs(InProject, total=False):
    """The inputs of a `ProjectAccess`."""

    grants: Required[pulumi.Input[Mapping[str, pulumi.Input[ProjectRole]]]]
    """Address -> `owner`, `admin`, `analyst`, `consumer`, or a custom role's id; one address in two spellings is an
    error."""
    reasons: pulumi.Input[Sequence[Mapping[str, Any]] | None]
    """The metadata of some of the people, if it differs from that of the resource: a list of entries with `people`
    (addresses) and any of the metadata."""


class ProjectAccess(AccessResource, module="mixpanel", name="ProjectAccess"):
    """All individual grants of one project: who is not named here has none.

    Grants that are there already are adopted; those of people who are not named are taken away, at the next `pulumi up`
    after they show. Nobody leaves the organization, and a role through a team, the organization role or a grant to all
    users is not touched. An address that is not in the organization is invited as a member, within Mixpanel's hourly
    limit. The grant of the identity that this runs as is never taken away.

    A project's grants are declared with this or with `ProjectGrant`, in one stack; both in one program are refused.
    Deleting the resource takes the declared grants away, and nothing else; the brake on shares holds that too.
    """

    project_id: pulumi.Output[int]
    grants: pulumi.Output[dict[str, str]]
    """The individual grants as Mixpanel has them, by address."""
    environment: pulumi.Output[str | None]
    reasons: pulumi.Output[list[dict[str, Any]] | None]
    undeclared: pulumi.Output[list[str]]
    """The people with a grant that nobody declares, as of the last read."""
    lost: pulumi.Output[list[str] | None]
    """The people whose declared grant was missing at the last read; absent if none was."""
    beside: pulumi.Output[dict[str, Any]]
    """Address -> the person's other sources of access to the project (`ways`), and their highest role from any source
    (`role`)."""
    open_to_all_users: pulumi.Output[bool | None]
    """For a production project: whether a grant to all users gives it to everybody in the organization."""

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **inputs: Unpack[ProjectAccessInputs]
    ) -> None:
        super().__init__(ProjectAccessProvider(), resource_name, opts, inputs)
