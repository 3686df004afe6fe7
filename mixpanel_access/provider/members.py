"""`Members`: many people in the organization as one resource, each with one organization role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Required, TypedDict, Unpack

import pulumi

from mixpanel_access.model import roles
from mixpanel_access.model.address import few, same_key
from mixpanel_access.model.errors import AccessError, InvitationLimit, Refused
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.resource_ids import MemberId, MembersId, ResourceId
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.group_handler import GroupHandler, Parts
from mixpanel_access.provider.group_leaving import given_to, hold, lifecycle
from mixpanel_access.provider.group_lifecycle import GroupLifecycle
from mixpanel_access.provider.handler import Created, Problems, Properties
from mixpanel_access.provider.lifecycle import Lifecycle
from mixpanel_access.provider.member_handler import MemberHandler
from mixpanel_access.provider.member_steps import FRESH_SECONDS, NOW_SECONDS
from mixpanel_access.provider.resource import AccessResource, Metadata, OrganizationRole
from mixpanel_access.provider.states import ExportedResource


class MembersHandler(GroupHandler[MembersId]):
    """What Pulumi's verbs do with a `Members`; see there."""

    SINGLE: ClassVar[type[MemberHandler]] = MemberHandler
    INPUTS: ClassVar[tuple[str, ...]] = ("people", "reasons")
    ACCESS_INPUTS: ClassVar[tuple[str, ...]] = ("people",)
    OUTPUTS: ClassVar[tuple[str, ...]] = ("members",)
    REPEATS: ClassVar[Mapping[str, str]] = {"members": "people"}
    OF_EACH: ClassVar[tuple[str, ...]] = ("role", "removal", "ownership", "since")
    PEOPLE_TYPE: ClassVar[type] = dict
    PEOPLE_WORDS: ClassVar[str] = f"a mapping of an address to {', '.join(OF_EACH)}"

    def label(self, props: Properties) -> str:
        return "the members"

    def listed(self, people: Any) -> list[tuple[Any, Any]]:
        return [(email, {} if own is None else own) for email, own in people.items()]

    def create(self, inputs: Properties) -> Created:
        ref = MembersId(self.session.organization)
        return Created(ref, self.change(ref, {}, inputs))

    def not_read(self, ref: MembersId) -> Properties:
        """Everybody in the organization, each as an import of one member takes them."""
        people: dict[str, Properties] = {}
        members: dict[str, Properties] = {}
        for person in self.session.directory.people().values():
            found = self.single.not_read(MemberId(ref.organization, person.email))
            people[person.email] = {name: value for name, value in found.items() if name in self.OF_EACH}
            members[person.email] = {name: value for name, value in found.items() if name not in self.OF_EACH}
        return {"people": people, "members": members}

    def report(self, ref: ResourceId, failures: Mapping[str, AccessError], people: int, outputs: Properties) -> None:
        """Raise what failed; invitations that wait for the hourly limit alone are no failure: the grants go on."""
        waiting = {email: error for email, error in failures.items() if isinstance(error, InvitationLimit)}
        self.session.waiting |= set(map(same_key, waiting))
        for (domain, opens), emails in grouped(((e.domain, e.opens), email) for email, e in waiting.items()).items():
            self.session.say(
                f"warning: {self.session.invitations.sent} invitations sent, and {len(emails)} to {domain} wait for "
                f"Mixpanel's hourly limit ({few(emails)}). Run `pulumi up` again from {opens}; it goes on where this "
                f"run stopped. To wait instead, set mixpanel:invitationWaitSeconds."
            )
        if rest := {email: error for email, error in failures.items() if email not in waiting}:
            super().report(ref, rest, people - len(waiting), outputs)

    def takes(self, old: Properties, new: Properties) -> bool:
        """Whether somebody's organization role becomes less, or is given back."""
        before, after = old.get("role"), new.get("role")
        if before is None or before == after:
            return False
        return after is None or roles.organization_rank(after) < roles.organization_rank(before)

    # Those who leave

    def check_leaving(self, leaving: Sequence[Properties], problems: Problems) -> None:
        try:
            self._given(leaving)
        except Refused as held:
            problems.add("", f"people: {held}")

    def leave(self, ref: ResourceId, parts: Sequence[Properties], *, early: bool = False) -> dict[str, AccessError]:
        """Remove people by the rules of `removal`.

        An update comes before those of the resources that depend on it. So it first takes away what the stack gives
        them and the program no longer declares: else everybody would stay, because of that.
        """
        if not (early and parts):
            return super().leave(ref, parts, early=early)
        directory = self.session.directory
        directory.forget_people(older_than=NOW_SECONDS)
        directory.forget_grants(older_than=FRESH_SECONDS)
        try:
            given = self._given(parts)
        except Refused as held:
            return {str(part["email"]): held for part in parts}
        failures = self.take(given)
        going = [part for part in parts if str(part["email"]) not in failures]
        return failures | super().leave(ref, going, early=early)

    def _given(self, parts: Sequence[Properties]) -> dict[str, list[ExportedResource]]:
        """What the stack gives to people who leave; address -> its single resources.

        Raises:
            Refused: a brake holds it, or it is not known what the program declares.
        """
        emails = {same_key(str(part["email"])): str(part["email"]) for part in parts}
        given = given_to(self.session, emails)
        hold(self.session, parts, given)
        return {emails[key]: some for key, some in given.items() if some}

    def take(self, given: Mapping[str, Sequence[ExportedResource]]) -> dict[str, AccessError]:
        """Take away what the stack gives; address -> the first of what could not be, if the rest was tried."""
        single = [(email, one) for email, some in given.items() for one in some]
        outcomes = self.work(
            single, lambda pair: lifecycle(pair[1].type, self.session).delete(pair[1].id, dict(pair[1].outputs))
        )
        failures: dict[str, AccessError] = {}
        for (email, _), outcome in outcomes:
            if isinstance(outcome, AccessError):
                failures.setdefault(email, outcome)
        return failures

    def phases(self, before: Parts, after: Parts) -> Iterable[Sequence[str]]:
        """New owners come first: an owner who becomes less is then not the last one."""
        rising = {key for key, part in after.items() if part.get("role") == roles.OWNER}
        return [[key for key in after if key in rising], [key for key in after if key not in rising]]


class MembersProvider(AccessProvider):
    """The SDK's provider of `Members`, which states name."""

    HANDLER = MembersHandler
    LIFECYCLE: ClassVar[type[Lifecycle]] = GroupLifecycle


class MemberOf(TypedDict, total=False):
    """What a `Members` declares of one person: the inputs of a `Member` that are about access."""

    role: pulumi.Input[OrganizationRole | None]
    """See `Member`."""
    removal: pulumi.Input[str]
    """See `Member`."""
    ownership: pulumi.Input[str | None]
    """See `Member`."""
    since: pulumi.Input[str | None]
    """Do not set it; see `Member`."""


class MembersInputs(Metadata, total=False):
    """The inputs of a `Members`."""

    people: Required[pulumi.Input[Mapping[str, pulumi.Input[MemberOf]]]]
    """Address -> `role`, `removal` and `ownership`, as in a `Member`; one address in two spellings is an error. It
    cannot be a secret, since other stacks find people by it."""
    reasons: pulumi.Input[Sequence[Mapping[str, Any]] | None]
    """The metadata of some of the people, if it differs from that of the resource: a list of entries with `people`
    (addresses) and any of the metadata."""


class Members(AccessResource, module="mixpanel", name="Members"):
    """Many people in the organization as one resource, each with one organization role.

    What a `Member` does, it does for each of them: it adopts people, invites strangers within Mixpanel's hourly limit,
    sends expired invitations again, and removes those who are no longer in it as `removal` says, first of all. What
    fails for one stops nobody else. People whose invitation must wait for the limit are not in the state: the next
    `pulumi up` invites more of them.

    A person has a `Member` or is in one `Members` of a program; both are refused. It needs the server of
    mixpanel-access.
    """

    people: pulumi.Output[dict[str, Any]]
    """The people that are in the organization, by address, with what is declared of each; the role is the one that
    Mixpanel shows."""
    reasons: pulumi.Output[list[dict[str, Any]] | None]
    members: pulumi.Output[dict[str, Any]]
    """Address -> the outputs that a `Member` has: `organization_role`, `status`, `invited_at`, `first_invited_at`,
    `expires_at`, `last_login`, `user_id`, `current_email`, `adopted`, `origin`, `previous_role`."""

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **inputs: Unpack[MembersInputs]
    ) -> None:
        super().__init__(MembersProvider(), resource_name, opts, inputs)
