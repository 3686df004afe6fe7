"""What Pulumi's verbs do with a `Member`: invite, adopt, change the organization role, remove."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import ClassVar, Final

from mixpanel_access.directory.snapshot import IN_USERS
from mixpanel_access.model import roles
from mixpanel_access.model.access import Invitation, Person, remaining_access
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import Brake, has_ended
from mixpanel_access.model.dates import written
from mixpanel_access.model.errors import Refused
from mixpanel_access.model.ownership import OWNERSHIPS, REMOVALS, WHEN_UNUSED, Origin, is_ours
from mixpanel_access.model.resource_ids import MemberId
from mixpanel_access.model.rights import Permission
from mixpanel_access.model.roles import RoleChange
from mixpanel_access.provider import ownership, vanished
from mixpanel_access.provider.checks import check_email, check_invitation, check_right, kept_role, refuse_reach
from mixpanel_access.provider.handler import Created, Found, Handler, Problems, Properties, known, select
from mixpanel_access.provider.member_steps import (
    FRESH_SECONDS,
    NOW_SECONDS,
    WAITING,
    as_sent_later,
    change_role,
    deactivate,
    expires_at,
    history_of,
    invite,
    is_undated,
    note_sent,
    sends_again,
    status_of,
    strip,
    why_staying,
)
from mixpanel_access.provider.policy_outputs import first_day
from mixpanel_access.provider.taking import Taken, is_unread

DEACTIVATED: Final = "deactivated"
"""The status of a declared person that the identity provider keeps out."""

_OF_AN_INVITATION: Final = ("invited_at", "first_invited_at", "expires_at")
"""Outputs that end with its acceptance."""


class MemberHandler(Handler[MemberId]):
    """What Pulumi's verbs do with a `Member`; see there."""

    INPUTS: ClassVar[tuple[str, ...]] = ("email", "role", "removal", "ownership", "since")
    ACCESS_INPUTS: ClassVar[tuple[str, ...]] = ("email", "role")
    REPLACES: ClassVar[tuple[str, ...]] = ("email",)
    OUTPUTS: ClassVar[tuple[str, ...]] = (
        *("organization_role", "status", "invited_at", "first_invited_at", "expires_at", "last_login", "user_id"),
        *("adopted", "origin", "previous_role", "current_email"),
    )
    REPEATS: ClassVar[Mapping[str, str]] = {"organization_role": "role", "current_email": "email"}

    def identity(self, props: Properties) -> Hashable:
        return same_key(str(props.get("email", "")))

    def check(self, inputs: Properties, problems: Problems) -> None:
        check_email(inputs, problems)
        inputs.setdefault("removal", WHEN_UNUSED)
        role, removal = inputs.get("role"), inputs["removal"]
        if role is not None and known(role):
            if isinstance(role, str) and role.strip():
                inputs["role"] = roles.organization_role(role)
            else:
                problems.add("role", f"{role!r} is not an organization role; there are {_ROLES}")
        if known(removal) and removal not in REMOVALS:
            problems.add("removal", f"{removal!r} is not a choice; there are {', '.join(REMOVALS)}")
        whose = inputs.get("ownership")
        if whose is not None and known(whose) and whose not in OWNERSHIPS:
            problems.add("ownership", f"{whose!r} is not a choice; there are {', '.join(OWNERSHIPS)}")

    def prepare(self, olds: Properties, inputs: Properties) -> None:
        """Note for the stack's brake when the access ends, and since when the stack has the person."""
        email = inputs.get("email")
        if isinstance(email, str) and known(email) and all(known(props.get("ends")) for props in (olds, inputs)):
            self.session.ends[same_key(email)] = olds.get("ends"), inputs.get("ends")
        inputs.pop("since", None)
        if first := first_day(olds, inputs, self.session.now().date()):
            inputs["since"] = first

    def check_live(self, inputs: Properties, problems: Problems, olds: Properties) -> None:
        """Judge the role against our own; an unknown word passes only for a person who has it already.

        Nobody who has an unknown word is raised, since that may be to lower them; anybody may be made `member`.
        """
        directory, role = self.session.directory, inputs.get("role", roles.MEMBER)
        person = directory.person(inputs["email"])
        if person is None:
            check_invitation(self.session, inputs["email"], problems)
        elif person.deactivated and not olds:
            self._say_what_comes_back(person)
        elif person.invited and not olds:
            ownership.note_begun(self.session, person.key)
        if address := directory.renamed(inputs["email"]):
            self.session.say_renamed(inputs["email"], address)
        if role not in roles.ORGANIZATION_ROLES:
            if person is None or person.role != role:
                problems.add("role", f"{role!r} is not an organization role; there are {_ROLES}")
            return
        if person is not None and person.role == roles.OWNER and role != roles.OWNER and inputs.get("role"):
            try:
                self.session.brakes.hold_demotion(person.email, role)
            except Refused as held:
                problems.add("role", str(held))
                return
        own = directory.own_role()
        released = Brake.ABOVE_OWN_ROLE in self.session.brakes.limits.released
        if person is not None and person.role == role:
            return  # nothing is given, whatever our own role
        if role == roles.OWNER and all(one.role != roles.OWNER for one in directory.people().values()):
            problems.add("role", f"{inputs['email']} cannot be made an owner. {_NO_OWNERS}")
            return
        if person is not None and person.role is not None and inputs.get("role"):
            change = roles.role_change(role, person.role, olds.get("role"))
            if change is RoleChange.KEEP:
                self._say_unknown_role(person, role)
                return
            if change is RoleChange.REFUSE:
                problems.add("role", f"{person.email} is {person.role!r} in the organization. {_UNKNOWN_ROLE}")
                return
            if roles.organization_rank(role) > roles.organization_rank(person.role):
                check_right(self.session, Permission.EDIT_USERROLES, f"make {person.email} {role}", problems, "role")
        if own is not None and not roles.may_assign(own, role) and not released:
            refuse_reach(inputs["email"], role, own, problems)

    def diff(self, olds: Properties, news: Properties) -> bool:
        """An expired invitation is a change, and a pending one is not; nor is one that the person has accepted."""
        invites = self._invites(olds, news)
        if olds.get("status") == DEACTIVATED:
            self.session.say(
                f"{olds['email']} is deactivated by the identity provider and stays so: activate them there, or delete "
                f"the entry"
            )
        if address := olds.get("current_email"):
            self.session.say_renamed(str(olds["email"]), str(address))
        if _loses_role(olds, news) and (role := ownership.given_back(self.session, olds)):
            self.session.say(f"{olds['email']}: no organization role is declared any more; becomes {role} again")
        matters = (news.get("removal") or WHEN_UNUSED) == WHEN_UNUSED
        if matters and is_ours({**olds, "ownership": news.get("ownership")}) is None and olds.get("adopted"):
            ownership.say_undetermined(self.session, olds)
        return super().diff(olds, news) or invites

    def _invites(self, olds: Properties, news: Properties) -> bool:
        """Whether somebody's invitation needs an update: it has expired, has no end yet, or SCIM takes its place.

        The state may say so of somebody who has accepted since: the list of people decides, which one request reads
        for everybody, and only if a state says so.
        """
        expired, joins = sends_again(self.session, olds, news), self._joins_by_scim(olds)
        if not (expired or joins or is_undated(olds)):
            return False
        person = self.session.directory.person(str(olds["email"]))
        if person is not None and not person.invited:
            return False
        if expired and not joins and not ownership.sent_later(self.session, olds):
            self.session.invitations.plan(str(olds["email"]))
        return True

    def create(self, inputs: Properties) -> Created:
        there = self.session.directory.person(inputs["email"])
        olds = ownership.handed_over(self.session, same_key(inputs["email"]), there) if there else {}
        outputs = self._ensure(inputs, self._without_lost_role(olds, inputs))
        return Created(MemberId(self.session.organization, inputs["email"]), outputs)

    def read(self, ref: MemberId, props: Properties) -> Found | None:
        person = self.session.directory.person(ref.email)
        if person is None:
            return None
        if address := self.session.directory.renamed(ref.email):
            self.session.say_renamed(ref.email, address)
        return self.found(self._outputs({"email": ref.email, "removal": WHEN_UNUSED, **props}, person, props))

    def not_read(self, ref: MemberId) -> Properties:
        """The organization role, which was there before: nobody is lowered whose role the program does not declare."""
        person = self.session.directory.person(ref.email)
        role = {"role": person.role, "previous_role": person.role} if person and person.role else {}
        return {**role, "origin": Origin.IMPORTED.value}

    def update(self, ref: MemberId, olds: Properties, news: Properties) -> Properties:
        """Change the role, or send an expired invitation again."""
        olds = self._without_lost_role(olds, news)
        same = news.get("role") in (None, olds.get("role") and olds.get("organization_role", olds["role"]))
        if (
            same
            and not is_unread(olds)
            and not sends_again(self.session, olds, news)
            and not self._joins_by_scim(olds)
            and not is_undated(olds)
        ):
            ended = () if olds.get("status") in WAITING else _OF_AN_INVITATION
            return {**select(olds, [name for name in self.OUTPUTS if name not in ended]), **news}
        return self._ensure(news, olds)

    def delete(self, ref: MemberId, props: Properties) -> None:
        """Remove the person, unless `removal` or what they hold elsewhere says that they stay."""
        directory = self.session.directory
        removal = props.get("removal", WHEN_UNUSED)
        directory.forget_people(older_than=NOW_SECONDS)  # irreversible: decide on what is so now
        directory.forget_grants(older_than=FRESH_SECONDS)
        person = directory.person(ref.email)
        if person is None:
            vanished.hold(self.session, ref.email, props)
            vanished.hold_listed(self.session, ref.email)
            return
        if person.deactivated:
            strip(self.session, person, removal, props)
            return
        if reason := why_staying(self.session, person, removal, props):
            role = self._give_back(props)
            back = f"; becomes {role} again, as the organization role was this stack's" if role else ""
            self.session.say(f"{person.email} stays in the organization (removal: {removal}): {reason}{back}")
            return
        user = directory.provisioning.of_member(person)
        planned = has_ended(props.get("ends"), self.session.today())
        with self.session.brakes.removing(person.email, planned=planned):
            if user is not None:
                deactivate(self.session, user, person, removal, props)
                self.session.say(f"{person.email} is deactivated by SCIM, and comes back when they are declared again")
                return
            directory.remove(person.email)
        with self.taking(deletes=True) as taken:
            taken.add(f"remove {person.email} from the organization")
            if directory.person(person.email) is not None:
                what = "remove from the organization"
                raise self.not_applied(what, person.email, "still lists the person", IN_USERS)

    def _ensure(self, inputs: Properties, olds: Properties) -> Properties:
        """Bring the person to what is declared, from whatever is there, and return the outputs."""
        with self.taking(MemberId(self.session.organization, inputs["email"])) as taken:
            return self._bring(inputs, as_sent_later(self.session, olds), taken)

    def _bring(self, inputs: Properties, olds: Properties, taken: Taken) -> Properties:
        directory, email, role = self.session.directory, inputs["email"], inputs.get("role")
        there = directory.person(email)
        again = there is not None and there.deactivated and not olds and not ownership.why_kept_out(self.session, there)
        if self.let_in(email, again=again):
            taken.add(
                f"let {email} in by SCIM", self._unread(inputs, history_of(self.session, there, there, role, olds))
            )
        before = directory.person(email)
        raced = sent = False
        if before is None or (before.invited and sends_again(self.session, olds, inputs)):
            later: Properties = {}
            sent = invite(self.session, email, role, before, olds, later)
            olds = {**olds, **later}
            raced = before is None and not sent
            before = before if sent else directory.person(email)
            there = before if raced else there
        history = history_of(self.session, there, before, role, olds)
        kept = raced and before is not None and role is not None and _is_higher(before.role, role)
        if sent:  # and the role with it
            note_sent(self.session, history)
            taken.add(f"invite {email}", self._unread(inputs, history))
        elif before is not None and kept:
            self.session.say(kept_role(before.email, str(before.role), str(role)))
        elif before is not None and role is not None and _differs(role, before.role, olds):
            if not olds and there is not None:
                self.session.say(f"{before.email} is in the organization as {before.role} already; becomes {role}")
            change_role(self.session, before.email, role)
            shown = self._outputs(inputs, before, history)
            taken.add(f"make {email} {role}", {**shown, "role": role, "organization_role": role})
        after = directory.person(email)
        if after is None or (roles.contradicts(role, after.role) and not kept):
            what = f"make a member with the organization role {role or roles.MEMBER}"
            shows = f"shows {after.role if after else 'nobody with this address'}"
            raise self.not_applied(what, email, shows, IN_USERS)
        unknown = after.role is not None and not roles.is_organization_role(after.role)
        if role not in (None, after.role):
            self._say_unknown_role(after, str(role))
        outputs = self._outputs(inputs, after, history)
        if kept and unknown:
            outputs.pop("organization_role", None)  # another's word, and no answer to ours: the next refresh shows it
        return {**outputs, "role": role} if role is not None and (kept or unknown) else outputs

    def _unread(self, inputs: Properties, history: Properties) -> Properties:
        """The outputs as far as they are known without reading the person."""
        return {**select(inputs, self.all_inputs), **select(history, self.OUTPUTS)}

    def _without_lost_role(self, olds: Properties, news: Properties) -> Properties:
        """The outputs so far, once an organization role that is no longer declared has been given back."""
        if not _loses_role(olds, news):
            return olds
        role = self._give_back(olds)
        kept = {key: value for key, value in olds.items() if key not in ("role", "previous_role")}
        return kept | ({"organization_role": role} if role else {})

    def _give_back(self, props: Properties) -> str | None:
        """Lower a person whose organization role is no longer declared; returns the role that they have then.

        Raises:
            Refused: a brake holds it.
        """
        self.session.directory.forget_people(older_than=NOW_SECONDS)
        role = ownership.given_back(self.session, props)
        if role is not None:
            change_role(self.session, self.session.directory.spelled(str(props["email"])), role)
        return role

    def _joins_by_scim(self, olds: Properties) -> bool:
        """Whether somebody who waits for an invitation comes by SCIM by now."""
        if olds.get("status") != Invitation.PENDING.value or self.session.takes_only:
            return False
        provisioning, email = self.session.directory.provisioning, str(olds["email"])
        return provisioning.handles(email) and provisioning.user(email) is None

    def _say_unknown_role(self, person: Person, role: str) -> None:
        """Say that a role word is kept that we do not know; for another, nothing."""
        if person.role is not None and not roles.is_organization_role(person.role):
            self.session.say_once(
                f"unknown role {person.key}",
                f"warning: {person.email}: Mixpanel shows the organization role {person.role!r}, which this version "
                f"does not know; it is kept, and whether it is {role} is unknown",
            )

    def _say_what_comes_back(self, person: Person) -> None:
        """Say at preview what somebody regains who is activated again, or why they are not."""
        if why := ownership.why_kept_out(self.session, person):
            self.session.say(f"{person.email} is deactivated and stays so: {why}; activate them there")
            return
        role = f"organization {person.role}" if person.role not in (None, roles.MEMBER) else ""
        access = remaining_access(self.session.directory.reached_projects(person.email))
        self.session.say(
            f"{person.email} is deactivated, and is activated again with what they had: "
            f"{'; '.join(part for part in (role, access) if part)}"
        )

    def _outputs(self, inputs: Properties, person: Person, history: Properties) -> Properties:
        """The resource's whole state: what the server says, with what only we know (when the invitation went out)."""
        outputs = select(inputs, self.all_inputs)
        if person.role:
            outputs["organization_role"] = person.role
            if "role" in outputs and not roles.is_kept_word(person.role, history.get("organization_role")):
                outputs["role"] = person.role
        outputs["adopted"] = bool(history.get("adopted", True))
        outputs |= select(history, ("origin", "previous_role"))
        if person.invited:
            # Of one that was accepted, the dates say nothing of the next: somebody left, and was invited by hand.
            sent = history if history.get("status") in (None, *WAITING) else {}
            outputs |= select(sent, ("invited_at", "first_invited_at"))
            if ends := sent.get("expires_at") or expires_at(self.session, sent):
                outputs["expires_at"] = ends
            outputs["status"] = Invitation.PENDING.value
            outputs["status"] = (status_of(self.session, outputs) or Invitation.PENDING).value
        else:
            outputs["status"] = DEACTIVATED if person.deactivated else Invitation.ACCEPTED.value
        if person.last_login:
            outputs["last_login"] = written(person.last_login)
        if person.user_id is not None:
            outputs["user_id"] = person.user_id
        if person.key != same_key(str(outputs["email"])):
            outputs["current_email"] = person.email
        return outputs


_ROLES: Final = ", ".join(roles.ORGANIZATION_ROLES)
_NO_OWNERS: Final = (
    "Mixpanel calls nobody in this organization an owner, so nobody could see whether it was done. Do it in "
    "Organization Settings > Users & Teams, and declare the role that Mixpanel shows then."
)
_UNKNOWN_ROLE: Final = (
    "This version does not know that role, so another one but member may be less. Change the role in Organization "
    "Settings > Users & Teams; then run `pulumi refresh`."
)


def _loses_role(olds: Properties, news: Properties) -> bool:
    """Whether an organization role was declared and no longer is."""
    return olds.get("role") is not None and news.get("role") is None


def _is_higher(actual: str | None, role: str) -> bool:
    """Whether somebody else has given more than is declared; an unknown role is not more."""
    if actual in (None, role, roles.MEMBER):
        return False
    return role == roles.MEMBER or roles.organization_rank(actual) > roles.organization_rank(role)


def _differs(role: str, actual: str | None, olds: Properties) -> bool:
    """Whether the role must be written; where Mixpanel does not show the actual one, the one declared before counts."""
    if actual is None:
        return bool(olds) and olds.get("role") != role
    return roles.role_change(role, actual, olds.get("role")).replaces
