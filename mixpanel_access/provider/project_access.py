"""`ProjectAccess`: all individual grants of one project, as one resource that alone says who has one."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Required, Unpack

import pulumi

from mixpanel_access.directory.grants import ProjectGrants
from mixpanel_access.model import roles
from mixpanel_access.model.address import few, same_key
from mixpanel_access.model.brakes import brought_forward, has_ended, is_near
from mixpanel_access.model.errors import Refused
from mixpanel_access.model.grants import GrantChanges, by_key, grant_changes, is_exclusive, taken
from mixpanel_access.model.resource_ids import ProjectAccessId
from mixpanel_access.model.similarity import counted
from mixpanel_access.provider import elsewhere
from mixpanel_access.provider import project_access_state as in_state
from mixpanel_access.provider.access_writing import GrantWrites
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.checks import (
    check_environment,
    check_grants,
    check_id,
    check_invitation,
    check_project,
    declared_in_both,
    refuse_other_server,
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
    with_same_reasons,
)
from mixpanel_access.provider.identities import (
    AllGrantsIdentity,
    GrantIdentity,
    SingleGrantsIdentity,
)
from mixpanel_access.provider.policy_outputs import OPEN_TO_ALL, shown_to_all
from mixpanel_access.provider.resource import AccessResource, InProject, ProjectRole
from mixpanel_access.provider.taking import is_unread


class ProjectAccessHandler(Handler[ProjectAccessId]):
    """What Pulumi's verbs do with a `ProjectAccess`; see there."""

    INPUTS: ClassVar[tuple[str, ...]] = ("project_id", "grants", "environment", "exclusive", "reasons")
    ACCESS_INPUTS: ClassVar[tuple[str, ...]] = ("project_id", "grants", "environment", "exclusive")
    REPLACES: ClassVar[tuple[str, ...]] = ("project_id",)
    OUTPUTS: ClassVar[tuple[str, ...]] = ("undeclared", "lost", "beside", in_state.IMPORTED, OPEN_TO_ALL)
    SHOWN: ClassVar[tuple[str, ...]] = (OPEN_TO_ALL,)
    REPEATS: ClassVar[Mapping[str, str]] = {"undeclared": "grants", "lost": "grants", "beside": "grants"}

    def label(self, props: Properties) -> str:
        return f"the grants in project {props.get('project_id')}"

    def identity(self, props: Properties) -> Hashable:
        """All grants of the project; if others may be there, each stands for itself, and nothing for all of them."""
        return AllGrantsIdentity(props.get("project_id")) if is_exclusive(props) else None

    def identities(self, props: Properties) -> Iterable[Hashable]:
        """That, and each grant: a `ProjectGrant` that goes because this has come takes nothing away."""
        project = props.get("project_id")
        grants = [GrantIdentity(project, key) for key in by_key(props.get("grants", {}))]
        return (self.identity(props), *grants) if is_exclusive(props) else grants

    def check(self, inputs: Properties, problems: Problems) -> None:
        check_id("project_id", "project", inputs, problems)
        check_environment(self.session.settings.environment, "everybody", inputs, problems)
        check_grants(inputs, problems)
        exclusive = inputs.get("exclusive")
        if exclusive is True:
            del inputs["exclusive"]  # the default, which no state has
        elif exclusive is False:
            if not self.keeps:
                refuse_other_server("exclusive", "a ProjectAccess with exclusive=False", problems)
        elif exclusive is not None and known(exclusive):
            problems.add("exclusive", f"{exclusive!r} is not true or false")

    def people(self, props: Properties) -> Iterable[str]:
        return list(props.get("grants") or ())

    def check_together(self, inputs: Properties, problems: Problems) -> None:
        """Refuse what the program declares with a `ProjectGrant` too, or two different `ProjectAccess`."""
        project, grants, declared = inputs["project_id"], by_key(inputs["grants"]), self.session.declared
        if is_exclusive(inputs) and SingleGrantsIdentity(project) in declared:
            problems.add(
                "project_id",
                f"the program declares the grants in project {project} as a whole, with a ProjectAccess, and some of "
                f"them with a ProjectGrant; take one of the two for a project, or exclusive=False",
            )
        if not is_exclusive(inputs):
            owner_of, kind = self.session.owner_of, self.kind.name
            if twice := [key for key in grants if owner_of(GrantIdentity(project, key), kind) != kind]:
                problems.add("grants", declared_in_both(project, few(twice)))
        first = self.session.project_access.setdefault(project, grants)
        if first != grants and all(map(known, (*first.values(), *grants.values()))):
            problems.add("project_id", f"the program has two ProjectAccess of project {project}; make them one")

    def check_ends(self, olds: Properties, inputs: Properties, problems: Problems) -> None:
        """Judge the ends of the grants where an edit moves them to an earlier day."""
        if problems or not olds or olds.get("project_id") != inputs.get("project_id"):
            return
        before, now = ({key: one.get("ends") for key, one in in_state.singles(of).items()} for of in (olds, inputs))
        today = self.session.now().date()
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
        if alone := [email for email in new if same_key(email) not in self.session.declared]:
            words = f"not in the organization yet, and invited with the grant: {few(alone)}"
            self.session.say(f"project {project}: {words}")
        self._check_persons(project, grants, problems)
        try:
            self._find_leavers(before, grants)
            there = self._read(project, before.get("grants", {}), grants)
            changes = self._hold(there, inputs, before)
            if before is not olds and olds.get("project_id"):  # another project is another resource: this one goes
                self._hold_all(olds["project_id"], olds)
        except Refused as held:
            problems.add("grants", str(held))
            return
        if changes.remove:
            number, people = len(changes.remove), few(there.spelled(changes.remove))
            what = f"{number} grant{'s' * (number > 1)} to be taken away, with one request each"
            self.session.say(f"project {project}: {what}: {people}")
            if is_exclusive(inputs):
                elsewhere.warn_of_grants(self.session, project, changes.remove, before)

    def _check_persons(self, project: int, grants: Mapping[str, str], problems: Problems) -> None:
        """Refuse two addresses of one person, whose address has changed in the product: each would undo the other."""
        for email in grants:
            now = self.session.directory.renamed(email) or email
            first = self.session.persons.setdefault(GrantIdentity(project, same_key(now)), email)
            if same_key(first) != same_key(email):
                problems.add("grants", f"{email} and {first} are one person in Mixpanel by now; make them one")

    def diff(self, olds: Properties, news: Properties) -> bool:
        """To declare somebody whose grant was added by hand, or no longer one who lost theirs, is a change too."""
        return super().diff(self.compared(olds, news), news) or bool(in_state.declared_otherwise(olds, news))

    def compared(self, olds: Properties, news: Properties) -> Properties:
        return with_same_reasons(olds, news)

    def create(self, inputs: Properties) -> Created:
        """Give what is missing, adopt what is there, and take away what is not declared."""
        id_ = ProjectAccessId(self.session.organization, inputs["project_id"])
        return Created(id_, self._ensure(inputs, {}))

    def read(self, ref: ProjectAccessId, props: Properties) -> Found | None:
        """Read all individual grants; a project that the organization no longer has takes them along."""
        if self.session.directory.project_is_gone(ref.project):
            return None
        there = self._read(ref.project, props.get("grants", {}))
        inputs, is_import = {**props, "project_id": ref.project}, "grants" not in props
        outputs = self._outputs(inputs, there, there.have.keys() if is_import else in_state.declared(props))
        if is_import or props.get(in_state.IMPORTED):
            outputs[in_state.IMPORTED] = True
        self._say_undeclared(inputs, outputs)
        return self.found(outputs)

    def update(self, ref: ProjectAccessId, olds: Properties, news: Properties) -> Properties:
        """Change what differs; if the resource is exclusive, who was added by hand loses the grant."""
        same = by_key(olds["grants"]) == by_key(news["grants"]) and olds.get("exclusive") == news.get("exclusive")
        if same and not olds.get("lost") and not is_unread(olds):  # then nobody of an exclusive one is undeclared
            left = {} if is_exclusive(news) else select(olds, ("undeclared",))
            outputs = {**select(olds, ("beside", OPEN_TO_ALL)), **select(news, self.all_inputs)}
            return {**outputs, "undeclared": [], **left}
        return self._ensure(news, olds)

    def delete(self, ref: ProjectAccessId, props: Properties) -> None:
        """Take the declared grants away, but for those that the program declares otherwise now; people stay."""
        if self.session.directory.project_is_gone(ref.project):
            return
        there, changes = self._hold_all(ref.project, props)
        with self.taking(deletes=True) as taken:
            GrantWrites(self, there, changes, {}, self._leavers({}, props)).carry_out(taken)

    def _hold(self, there: ProjectGrants, inputs: Properties, before: Properties) -> GrantChanges:
        """The changes to make, if no brake holds them."""
        want, exclusive = by_key(inputs["grants"]), is_exclusive(inputs)
        changes = grant_changes(there.have, want, frozenset({self._own}))
        if self.session.takes_only or not exclusive:
            gone = in_state.given(before, exclusive=exclusive) - want.keys()
            gone -= self._given_otherwise(there.project, gone & there.have.keys(), before)
            roles_before = {**want, **by_key(before.get("grants", {}))}
            if self.session.takes_only:
                ours = (in_state.declared(before) & want.keys()) | gone
                changes = taken(changes, {key: roles_before.get(key, "") for key in ours}, want)
            else:
                changes = changes.without(in_state.unchanged(before, inputs).keys())
                changes = replace(changes, remove=changes.remove & gone)
        self.session.brakes.hold_grants(there.project, there.have, changes, self._planned(before))
        return changes

    def _planned(self, before: Properties) -> frozenset[str]:
        """Whose end was in the state before today."""
        today = self.session.today()
        return frozenset(key for key, one in in_state.singles(before).items() if has_ended(one.get("ends"), today))

    def _hold_all(self, project: int, props: Properties) -> tuple[ProjectGrants, GrantChanges]:
        """What goes with the resource, if no brake holds it."""
        there = self._read(project, props.get("grants", {}))
        gone = frozenset((there.have.keys() & in_state.declared(props)) - {self._own})
        gone -= self._given_otherwise(project, gone, props)
        changes = GrantChanges(remove=gone)
        self.session.brakes.hold_grants(project, there.have, changes, self._planned(props))
        return there, changes

    def _given_otherwise(self, project: int, keys: AbstractSet[str], props: Properties) -> set[str]:
        """Whose grants the program declares with another resource, or other stacks give; the latter it says."""
        now = self.session.directory.key_of
        grants = {key: {GrantIdentity(project, one) for one in (key, now(key))} for key in keys}
        asked = {grant for both in grants.values() for grant in both}
        declared = {one for kind in ("ProjectGrant", self.kind.name) for one in self.session.declared_of(asked, kind)}
        found = {key for key, both in grants.items() if both & declared}
        return found | self._given_elsewhere(project, keys - found, props)

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
        with self.session.changing_grants(project):
            there = self._read(project, before.get("grants", {}), grants)
            changes = self._hold(there, inputs, before)
            with self.taking(ProjectAccessId(self.session.organization, project)) as taken:
                leavers, unchanged = self._leavers(inputs, before), in_state.unchanged(before, inputs)
                writes = GrantWrites(self, there, changes, grants, leavers, unchanged)
                after = writes.carry_out(taken, partial(self._unfinished, inputs, before))
                outputs = self._outputs(inputs, after, by_key(grants).keys())
                outputs = in_state.without_waiting(outputs, writes.waiting)
        self._say_undeclared(inputs, outputs)
        return outputs

    def _leavers(self, inputs: Properties, before: Properties) -> dict[str, Properties]:
        """Those whom the stack gave a grant and declares no longer, each with the properties of a `ProjectGrant`."""
        gone = in_state.given(before, exclusive=is_exclusive(inputs)) - by_key(inputs.get("grants", {})).keys()
        return {key: one for key, one in in_state.singles(before).items() if key in gone}

    def _unfinished(
        self, inputs: Properties, before: Properties, held: Mapping[str, str], missed: Iterable[str]
    ) -> Properties:
        """The outputs of a change that was not finished: those of before, with the grants as they are.

        Whose grant could not be taken away is declared still, as before.
        """
        declared, exclusive = by_key(inputs["grants"]).keys(), is_exclusive(inputs)
        ours = declared | in_state.given(before, exclusive=exclusive)
        grants = {
            one: role
            for one, role in held.items()
            if (key := same_key(one)) in ours or (exclusive and key != self._own)
        }
        outputs = select({**inputs, **before}, ("beside", OPEN_TO_ALL)) | select(before or inputs, self.all_inputs)
        if not exclusive:
            outputs["exclusive"] = False
        undeclared = [email for email in grants if same_key(email) not in ours]
        lost = sorted((declared - by_key(grants).keys()).union(missed))
        return {**outputs, "grants": grants, "undeclared": undeclared, "lost": lost}

    def _outputs(self, inputs: Properties, there: ProjectGrants, declared: AbstractSet[str]) -> Properties:
        """The state: the grants as Mixpanel has them, how they differ from the declared ones, and other sources."""
        others = there.have.keys() - declared - {self._own}
        shown: AbstractSet[str] = declared | others
        if not is_exclusive(inputs):
            shown, others = declared, elsewhere.nobodys(self.session, inputs["project_id"], others)
        grants = there.spelled(shown, inputs.get("grants", {}))
        outputs = select({**inputs, "grants": grants}, self.all_inputs)
        outputs["undeclared"] = list(there.spelled(others))
        if lost := sorted(declared - there.have.keys()):
            outputs["lost"] = lost
        outputs["beside"] = {email: sources for email in grants if (sources := there.other_sources(email))}
        return {**outputs, **shown_to_all(self.session, inputs)}

    def _say_undeclared(self, inputs: Properties, outputs: Properties) -> None:
        """Say whose grants are left alone, as nobody has declared them."""
        people, project = outputs["undeclared"], outputs["project_id"]
        if people and not is_exclusive(inputs):
            number = f"{counted(len(people), 'grant')} that no stack declares"
            words = f"project {project}: {number} {'is' if len(people) == 1 else 'are'} left alone: {few(people)}"
            self.session.say_once(("undeclared", project), words)

    def _find_leavers(self, before: Properties, grants: Mapping[str, str]) -> None:
        """Find people who are no longer declared, though somebody else may have their address by now."""
        now = by_key(grants)
        for email in before.get("grants", {}):
            if same_key(email) not in now:
                self.session.identify(email, surely=True)

    def _read(self, project: int, before: Mapping[str, str], declared: Iterable[str] = ()) -> ProjectGrants:
        return ProjectGrants(self.session.directory, project, before, declared)

    @property
    def _own(self) -> str:
        """The key of the identity that we run as, whose grant is not ours to take."""
        return same_key(self.session.brakes.own_address())


class ProjectAccessProvider(AccessProvider):
    """The SDK's provider of `ProjectAccess`, which states name."""

    HANDLER = ProjectAccessHandler


class ProjectAccessInputs(InProject, total=False):
    """The inputs of a `ProjectAccess`."""

    grants: Required[pulumi.Input[Mapping[str, pulumi.Input[ProjectRole]]]]
    """Address -> `owner`, `admin`, `analyst`, `consumer`, or a custom role's id; one address in two spellings is an
    error."""
    exclusive: pulumi.Input[bool]
    """Whether everybody who is not named here loses their individual grant; default true."""
    reasons: pulumi.Input[Sequence[Mapping[str, Any]] | None]
    """The metadata of some of the people, if it differs from that of the resource: a list of entries with `people`
    (addresses) and any of the metadata."""


class ProjectAccess(AccessResource, module="mixpanel", name="ProjectAccess"):
    """The individual grants of one project: who is not named here has none, or is left alone with `exclusive=False`.

    Grants that are there already are adopted; those of people who are not named are taken away, at the next `pulumi up`
    after they show. With `exclusive=False`, only people whom the resource has named lose theirs, and several stacks can
    share a project. Nobody leaves the organization, and a role through a team, the organization role or a grant to all
    users is not touched. An address that is not in the organization is invited as a member, within Mixpanel's hourly
    limit: the state does not have those who must wait for it, and the next `pulumi up` invites them. The grant of the
    identity that this runs as is never taken away.

    By default, a project's grants are declared with this or with `ProjectGrant`, in one stack, and not with both.
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
    exclusive: pulumi.Output[bool | None]
    imported: pulumi.Output[bool | None]
    """Whether it was imported by its id, and no `up` has said since whom the program declares; absent if not."""
    beside: pulumi.Output[dict[str, Any]]
    """Address -> the person's other sources of access to the project (`ways`), and their highest role from any source
    (`role`)."""
    open_to_all_users: pulumi.Output[bool | None]
    """For a production project: whether a grant to all users gives it to everybody in the organization."""

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **inputs: Unpack[ProjectAccessInputs]
    ) -> None:
        super().__init__(ProjectAccessProvider(), resource_name, opts, inputs)
