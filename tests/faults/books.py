"""What is written down of a life as it happens, and what must hold after each step of it.

What has come by hand and what has come through us is told apart by when it came; how the providers decide is not known
here. The invariants: (1) nobody holds through us what no stack declares; (2) nobody loses what another stack or their
own history gives; (3) at most one e-mail for an invitation; (4) who is still in Mixpanel is in a state, or was said to
be left; (5) no brake is weaker than the present configuration says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from math import inf
from typing import Any, Final

from mixpanel_access.emulator.document import Document
from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import Brake, Limits
from mixpanel_access.model.dates import instant
from mixpanel_access.model.resources import MEMBER_TYPE
from mixpanel_access.provider.session import Session
from mixpanel_access.provider.states import ExportedResource, RosterPeople, StackStates, States
from tests.faults.conftest import World
from tests.faults.mini_engine import MiniEngine, Program
from tests.faults.rosters import STACKS, Stack, organization, plain

_LIFE: Final = timedelta(days=7)
"""Of an invitation."""

Fact = tuple[Any, ...]
"""What somebody holds: `("in", email)`, `("role", email)`, `("grant", project, email)`, `("place", team, email)`."""


class Broken(AssertionError):
    """An invariant does not hold."""


class Books:
    """The two stacks on one organization, and who has come to what, by hand or through us."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.reset()
        world.server.store.seed(Document.model_validate({**organization(), "now": world.dump()["now"]}))
        self.stacks = {name: self._stack(name) for name in STACKS}
        self.facts = self._facts()
        self.by_hand = set(self.facts)
        self.ours: set[Fact] = set()
        """Facts that a stack has declared since they came."""
        self.hand_roles = {email: {role} for (kind, email, *_), role in self.facts.items() if kind == "role"}
        self.found = {email for kind, email, *_ in self.facts if kind == "in"}
        """Who came by hand, when no stack declared them."""
        self.left: set[str] = set()
        """Who was said to be left in the organization for a reason of their own, since they came."""
        self.returned: set[str] = set()
        """Who was removed by hand while a stack had them: what that stack still thinks of them may be out of date."""
        self.removed_elsewhere: set[str] = set()
        """Who was removed by one stack's `always` while another had them, which may think the same."""
        self.meanwhile: set[str] = set()
        """To whom somebody did something during the present run: nobody knows which of the two came first."""
        self.mails = 0
        self.senders: dict[str, str] = {}
        """Which stack sent somebody the last e-mail; nobody else may know of it once that stack has let them go."""
        self.waiting: dict[str, datetime] = {}
        """When the invitation of who has not accepted went out."""

    def _stack(self, name: str) -> Stack:
        def declared(other: str, day: date) -> RosterPeople:
            return RosterPeople(self._people_declared(other, day))

        def session(limits: Limits, fresh: bool) -> Session:
            stack.said = []
            made = self.world.session(limits, fresh, stack.said.append)
            made.states = States(
                self._states, lambda: name if fresh else None, declared, limits=lambda: stack.engine.limits
            )
            return made

        stack = Stack(name, MiniEngine(session, Limits(), keeps=name == "production"))  # one on each server
        return stack

    def _states(self) -> StackStates:
        """The states of both stacks, as the provider's process reads them."""
        stacks = {
            stack: [(name, held) for (kind, name), held in list(self._engine(stack).state.items()) if kind == "member"]
            for stack in STACKS
        }
        return StackStates(
            {
                name: [ExportedResource(MEMBER_TYPE, own, held.id, held.outputs) for own, held in resources]
                for name, resources in stacks.items()
            }
        )

    def _people_declared(self, stack: str, day: date) -> frozenset[str]:
        """Whom a stack's roster declares on a day."""
        return frozenset(same_key(fact[1]) for fact in self._declared([stack], day) if fact[0] == "in")

    @property
    def today(self) -> date:
        """The day (UTC) by the emulator's clock."""
        return self.world.server.store.clock.now().date()

    def _engine(self, stack: str) -> MiniEngine:
        return self.stacks[stack].engine

    def _program(self, stack: str) -> Program:
        return self.stacks[stack].program(self.today)

    def _facts(self) -> dict[Fact, Any]:
        """What everybody holds who may be declared, or is nobody's business."""
        dump = self.world.dump()
        found: dict[Fact, Any] = {("in", row["email"]): True for row in dump["members"]}
        found |= {("role", row["email"]): row["role"] for row in dump["members"] if row["role"] != roles.MEMBER}
        found |= {("grant", row["project"], row["email"]): row["role"] for row in dump["grants"]}
        found |= {("place", team["name"], email): True for team in dump["teams"] for email in team["members"]}
        return found

    def _declared(self, stacks: Iterable[str], day: date | None = None) -> dict[Fact, Any]:
        """What some stacks declare today, or on another day."""
        found: dict[Fact, Any] = {}
        for stack in stacks:
            for name, inputs in self.stacks[stack].program(day or self.today).items():
                found |= _facts_of(name[0], inputs, self.stacks[stack].crew)
        return found

    def _held(self, stack: str) -> dict[Fact, Any]:
        """What the state of a stack holds."""
        found: dict[Fact, Any] = {}
        for name, held in self._engine(stack).state.items():
            found |= _facts_of(name[0], held.outputs, self.stacks[stack].crew)
        return found

    def _seen_by_hand(self) -> None:
        """Write down what somebody has done in the product."""
        before, self.facts = self.facts, self._facts()
        claimed = {fact for stack in STACKS for fact in self._held(stack)}
        wanted = self._declared(STACKS)
        self.returned |= {fact[1] for fact in before if fact[0] == "in" and fact not in self.facts and fact in claimed}
        for fact in self.facts:
            if fact not in before or self.facts[fact] != before[fact]:
                self.by_hand.add(fact)
                self.ours.discard(fact)
                if fact in claimed:
                    self.ours.add(fact)
                if fact[0] == "in" and fact not in claimed and fact not in wanted:
                    self.found.add(fact[1])
                if fact[0] == "role":
                    self.hand_roles.setdefault(fact[1], set()).add(self.facts[fact])
        self._forget(before)
        self._count_mails(None)

    def _undetermined(self, email: str) -> None:
        """Write down that nobody knows what somebody has by hand, and what through us."""
        theirs = {fact for fact in self.facts if fact[-1] == email}
        self.by_hand |= theirs
        self.ours |= theirs
        self.returned.add(email)
        self.found.discard(email)
        self.hand_roles.setdefault(email, set()).update(self.facts[fact] for fact in theirs if fact[0] == "role")

    def _forget(self, before: Mapping[Fact, Any]) -> None:
        for fact in before.keys() - self.facts.keys():
            self.by_hand.discard(fact)
            self.ours.discard(fact)
            if fact[0] == "in":
                self.hand_roles.pop(fact[1], None)
                self.left.discard(fact[1])
                self.found.discard(fact[1])
                self.waiting.pop(fact[1], None)
        invited = {row["email"] for row in self.world.dump()["members"] if row["invited_at"]}
        self.waiting = {email: sent for email, sent in self.waiting.items() if email in invited}

    def _count_mails(self, stacks: Sequence[str] | None, *, answers_lost: bool = False) -> None:
        """Invariant 3: at most one e-mail for an invitation.

        Mixpanel does not tell when an invitation went out: where the answer to one that takes an expired one's place is
        lost, nobody can know, and the next run sends it once more.

        Args:
            stacks: those that have run; None for e-mails that went out by hand.
            answers_lost: whether writes were applied, and the connection broke before the answer.
        """
        mails = self.world.server.store.mails()
        new, self.mails = mails[self.mails :], len(mails)
        seen: set[str] = set()
        for mail in new:
            email, sent = mail["email"], instant(mail["sent_at"])
            last = None if email in self.meanwhile else self.waiting.get(email)
            if email in self.senders and ("in", email) not in self._held(self.senders.pop(email)):
                last = None
            if stacks is not None and last is not None and sent < last + _LIFE:
                raise Broken(f"(3) {email} was invited at {last} and gets another e-mail from {stacks}")
            if email in seen and email not in self.meanwhile:
                raise Broken(f"(3) {email} gets two e-mails in one run of {stacks}")
            seen.add(email)
            if stacks is not None and len(stacks) == 1:
                self.senders[email] = stacks[0]
            self.waiting[email] = sent - _LIFE if answers_lost and last is not None else sent

    @contextmanager
    def _run(
        self,
        stacks: Sequence[str],
        faults: Sequence[Mapping[str, Any]],
        *,
        gives: bool = True,
        fresh: bool = True,
        keeps: bool = True,
    ) -> Iterator[None]:
        """A run of some stacks, and the invariants after it.

        Args:
            stacks: those that run.
            faults: what goes wrong.
            gives: whether it may give anything.
            fresh: whether it runs with today's configuration.
            keeps: whether what these stacks declare is to stay.
        """
        before = self.facts
        owners = _owners(self.world.dump())
        held = {stack: self._held(stack) for stack in STACKS}
        ends = {stack: self._ends(stack) for stack in stacks}
        removals, nevers = self._removals(stacks, "always"), self._removals(stacks, "never")
        wholes = self._wholes(stacks)
        self.world.client.post("/_emulator/faults", json=list(faults))
        yield
        self.world.client.delete("/_emulator/faults")
        self.facts = self._facts()
        declared = self._declared(stacks)
        self._gained(before, gives, stacks)
        keeping = [stack for stack in STACKS if keeps or stack not in stacks]
        kept = {
            fact
            for stack in keeping
            for fact, value in self._declared([stack]).items()
            if fact in held[stack] and value != roles.MEMBER
        }
        self._lost(before, kept, declared, removals, stacks)
        self._said(held, nevers, stacks)
        self._braked(before, ends, stacks, fresh)
        self._braked_in_projects(before, wholes, {key for one in ends.values() for key in one}, stacks, fresh)
        if owners and not _owners(self.world.dump()):
            raise Broken(f"(5) {stacks} has left the organization without an owner")
        others = {fact for stack in STACKS if stack not in stacks for fact in held[stack]}
        self.removed_elsewhere |= {fact[1] for fact in before.keys() & others - self.facts.keys() if fact[0] == "in"}
        for stack in STACKS:
            self.ours |= self._held(stack).keys() & self.facts.keys()
        self.ours |= {fact for fact in declared if fact in self.facts} if gives else set()
        self._forget(before)
        if not gives and len(self.world.server.store.mails()) > self.mails:
            raise Broken(f"(1) {stacks} gives nothing in this run, and invites somebody")
        self._count_mails(stacks, answers_lost=any(fault["kind"] == "drop_after" for fault in faults))

    def _ends(self, stack: str) -> dict[str, str]:
        """The last day of each person by the state."""
        held = self._engine(stack).state.items()
        return {
            same_key(one.outputs["email"]): one.outputs["ends"]
            for name, one in held
            if name[0] == "member" and one.outputs.get("ends")
        }

    def _wholes(self, stacks: Sequence[str]) -> set[int]:
        """The projects that these stacks have declared as a whole until now."""
        return {int(plain(name)[1]) for one in stacks for name in self._engine(one).state if name[0] == "whole"}

    def _removals(self, stacks: Sequence[str], removal: str) -> set[str]:
        """Who has this removal by the state."""
        return {
            same_key(one.outputs["email"])
            for stack in stacks
            for name, one in self._engine(stack).state.items()
            if name[0] == "member" and removal in (one.outputs.get("removal"), one.inputs.get("removal"))
        }

    def _gained(self, before: Mapping[Fact, Any], gives: bool, stacks: Sequence[str]) -> None:
        """Invariant 1, at each step: a run gives what its stacks declare, and nothing else; less it may give always."""
        declared = self._declared(stacks)
        for fact, value in self.facts.items():
            had, wanted = before.get(fact), declared.get(fact, _NONE)
            if fact[-1] in self.meanwhile or had == value or (wanted == value and (gives or _less(fact, value, had))):
                continue
            if fact[0] == "role" and _less(fact, value, had):
                continue  # what they had before us
            raise Broken(f"(1) {stacks} gives {words(fact)} ({value}, before {had})")

    def _lost(
        self,
        before: Mapping[Fact, Any],
        kept: set[Fact],
        declared: Mapping[Fact, Any],
        removals: set[str],
        stacks: Sequence[str],
    ) -> None:
        """Invariant 2: a run takes nothing that is declared, and nothing that came by hand alone."""
        lost = {fact for fact in before if fact not in self.facts}
        for fact in sorted(lost, key=str):
            email = fact[-1]
            goes = ("in", email) in lost
            if email in self.meanwhile or (goes and email in removals):
                continue
            if fact in kept:
                raise Broken(f"(2) {stacks} takes {words(fact)}, which is declared")
            given = fact in declared or self._is_whole(fact, stacks)
            if fact in self.by_hand and fact not in self.ours and not given:
                raise Broken(f"(2) {stacks} takes {words(fact)}, which came by hand")
            if fact[0] == "in" and email in self.found:
                raise Broken(f"(2) {stacks} removes {email}, who was found")

    def _is_whole(self, fact: Fact, stacks: Sequence[str]) -> bool:
        """Whether a grant is in a project whose grants one of the stacks alone says."""
        return fact[0] == "grant" and any(self.stacks[one].whole and STACKS[one][1] == fact[1] for one in stacks)

    def _has_own(self, email: str) -> bool:
        """Whether somebody holds anything that came by hand."""
        return any(fact[-1] == email for fact in self.by_hand)

    def _said(self, held: Mapping[str, Mapping[Fact, Any]], nevers: set[str], stacks: Sequence[str]) -> None:
        """Invariant 4: who is still there is in a state, or was said to be left."""
        now = {fact for stack in STACKS for fact in self._held(stack)}
        for stack in stacks:
            lines = self.stacks[stack].said
            for fact in sorted(held[stack].keys() - now - {fact for fact in held[stack] if fact[0] == "role"}, key=str):
                email = fact[-1]
                if fact not in self.facts or email in self.meanwhile:
                    continue
                if not any(email in line for line in lines):
                    raise Broken(f"(4) {words(fact)} has gone from the state of {stack}, is there, and nobody was told")
                if fact[0] == "in" and (email in nevers or self._has_own(email)):
                    self.left.add(email)

    def _braked(
        self, before: Mapping[Fact, Any], ends: Mapping[str, Mapping[str, str]], stacks: Sequence[str], fresh: bool
    ) -> None:
        """Invariant 5: no more people leave in one run than the present configuration allows."""
        people = sum(fact[0] == "in" for fact in before)
        today = self.today
        over = {key for one in ends.values() for key, day in one.items() if date.fromisoformat(day) < today}
        gone = {fact[1] for fact in before if fact[0] == "in" and fact not in self.facts and fact[1] not in over}
        allowed = self._allowed(Brake.REMOVAL_SHARE, people, stacks, fresh)
        if len(gone - self.meanwhile) > allowed:
            raise Broken(f"(5) {stacks} may remove {allowed} people and removes {sorted(gone)}")

    def _braked_in_projects(
        self, before: Mapping[Fact, Any], wholes: set[int], ending: set[str], stacks: Sequence[str], fresh: bool
    ) -> None:
        """Invariant 5: no more grants of a whole project go in one run than the present configuration allows."""
        for project in wholes & {STACKS[stack][1] for stack in stacks if self.stacks[stack].whole}:
            had = {fact[-1] for fact in before if fact[:2] == ("grant", project)}
            gone = {
                email for email in had if ("grant", project, email) not in self.facts and ("in", email) in self.facts
            }
            allowed = self._allowed(Brake.GRANT_SHARE, len(had), stacks, fresh)
            if len(gone - ending - self.meanwhile) > allowed:
                raise Broken(f"(5) {stacks} may take {allowed} grants in {project} and takes those of {sorted(gone)}")

    def _allowed(self, brake: Brake, number: int, stacks: Sequence[str], fresh: bool) -> float:
        """How many of so many may go, by the configuration of today; of one that only the state has, by no more."""
        allowed, default = 0, Limits()
        for stack in stacks:
            limits = self._engine(stack).limits
            if fresh and brake in limits.released:
                return inf
            percent = limits.removal_percent if fresh else min(limits.removal_percent, default.removal_percent)
            minimum = limits.removal_minimum if fresh else min(limits.removal_minimum, default.removal_minimum)
            allowed += Limits(percent, minimum).removable(number)
        return allowed

    def _nobody_holds_through_us(self, declared: Mapping[Fact, Any]) -> None:
        """Invariant 1: nobody holds through us what no stack declares."""
        for fact, value in self.facts.items():
            kind, email = fact[0], fact[-1]
            if kind == "role" and (fact in declared or value in self.hand_roles.get(email, set())):
                continue
            if fact in declared or fact in self.by_hand:
                continue
            if kind == "in" and (email in self.left | self.returned or self._holds_more(email)):
                continue
            raise Broken(f"(1) {words(fact)} ({value}) is there through us, and no stack declares it")

    def _holds_more(self, email: str) -> bool:
        """Whether somebody has anything beside being in the organization."""
        return any(fact[-1] == email and fact[0] != "in" for fact in self.facts)


_NONE: Final = object()


def _facts_of(kind: str, inputs: Mapping[str, Any], team: str) -> dict[Fact, Any]:
    """What a resource stands for."""
    if kind == "member":
        role = inputs.get("role")
        return {("in", inputs["email"]): True} | ({("role", inputs["email"]): role} if role else {})
    if kind == "grant":
        return {("grant", inputs["project_id"], inputs["email"]): inputs["role"]}
    if kind == "whole":
        undeclared = inputs.get("undeclared") or ()
        theirs = {email: role for email, role in inputs["grants"].items() if email not in undeclared}
        return {("grant", inputs["project_id"], email): role for email, role in theirs.items()}
    if kind == "team member" and inputs.get("status") != "waiting":
        return {("place", team, inputs["email"]): True}
    return {}


def _less(fact: Fact, value: Any, before: Any) -> bool:
    """Whether a role is lower than the one before."""
    rank = {"role": roles.organization_rank, "grant": roles.project_rank}.get(fact[0])
    return rank is not None and before is not None and rank(value) < rank(before)


def words(fact: Fact) -> str:
    """A fact, for a message."""
    kind, *_, email = fact
    return {
        "in": f"{email} in the organization",
        "role": f"the organization role of {email}",
        "grant": f"the grant of {email} in {fact[1]}",
        "place": f"the place of {email} in {fact[1]}",
    }[kind]


def _owners(dump: Mapping[str, Any]) -> set[str]:
    """Who can log in as an owner."""
    rows = dump["members"]
    return {row["email"] for row in rows if row["role"] == roles.OWNER and not row["invited_at"] and row["active"]}


def access_in(dump: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the organization that a run may change."""
    return {key: dump[key] for key in ("members", "grants", "teams", "mails", "projects")}
