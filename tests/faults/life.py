"""One life of two stacks on one organization: what happens to it, one thing after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from threading import Thread
from typing import Any

from mixpanel_access.directory.this_machine import Unseen
from mixpanel_access.model import roles
from mixpanel_access.model.brakes import Brake, Limits
from mixpanel_access.provider.session import Session
from tests.faults.books import Books, Broken, access_in, words
from tests.faults.conftest import UNBRAKED
from tests.faults.mini_engine import Names
from tests.faults.rosters import OUTSIDE, STACKS, plain
from tests.tally import count

Step = tuple[Any, ...]
"""What happens: the name of a method of `Life`, and its arguments."""


class Life(Books):
    """One life, as it goes."""

    def live(self, steps: Sequence[Step]) -> None:
        """Take the steps, and then come to rest.

        Raises:
            Broken: an invariant did not hold.
        """
        for number, (what, *arguments) in enumerate(steps):
            count("steps of lives together")
            try:
                getattr(self, what)(*arguments)
            except Exception as broken:
                raise Broken(f"step {number}, {what}{tuple(arguments)}: {broken}") from broken
        try:
            self.rest()
        except Broken as broken:
            raise Broken(f"at rest: {broken}") from None

    # What people write into the rosters and the configuration

    def declare(self, stack: str, email: str, entry: dict[str, Any], days: int | None) -> None:
        """Somebody is declared, or otherwise than before."""
        own = {key: value for key, value in entry.items() if key != "organizationRole" or stack == "production"}
        if (role := own.pop("role", None)) is not None:
            own["projects"] = {STACKS[stack][0]: role}
        if days is not None:
            own["ends"] = str(self.today + timedelta(days=days))
        self.stacks[stack].people[email] = own

    def drop(self, stack: str, email: str) -> None:
        """Somebody's entry is deleted."""
        self.stacks[stack].people.pop(email, None)

    def declare_all(self, stack: str, entry: dict[str, Any], days: int | None) -> None:
        """Everybody from outside is declared."""
        for email in OUTSIDE:
            self.declare(stack, email, entry, days)

    def drop_all(self, stack: str) -> None:
        """The roster is emptied."""
        self.stacks[stack].people.clear()

    def end(self, stack: str, email: str, days: int) -> None:
        """Somebody's end is set, or another one."""
        if email in self.stacks[stack].people:
            self.stacks[stack].people[email]["ends"] = str(self.today + timedelta(days=days))

    def whole(self, stack: str, on: bool) -> None:
        """The project is authoritative from now on, or not."""
        self.stacks[stack].whole = on

    def team(self, stack: str, on: bool) -> None:
        """The roster has a team, or not."""
        self.stacks[stack].team = on

    def rename(self, stack: str, pick: int) -> None:
        """A resource gets another name: it moves, or its key is another one."""
        names = sorted(self._program(stack))
        one = plain(names[pick % len(names)])
        self.stacks[stack].names[one] = self.stacks[stack].names.get(one, 0) + 1

    def configure(self, stack: str, released: Sequence[Brake], percent: float, minimum: int) -> None:
        """The brakes are released, or more may be removed, or less, or nothing is configured."""
        self.stacks[stack].engine.limits = Limits(percent, minimum, frozenset(released))

    def release_once(
        self, stack: str, released: Sequence[Brake], percent: float, minimum: int, destroyed: bool
    ) -> None:
        """The brakes are released, or more may be removed, for one run; the state remembers it at a destruction."""
        before = self._engine(stack).limits
        self.configure(stack, released, percent, minimum)
        self.up(stack, ())
        self._engine(stack).limits = before
        if destroyed:
            self.destroy(stack, False, ())

    # What people do in the product

    def hand(self, hand: Step) -> None:
        """Somebody does something in the product."""
        what, email, *arguments = hand
        invisible = what == "grant" and arguments[1] is None and email in self.waiting  # nobody sees that it is gone
        if not invisible and (what == "invite") != (("in", email) in self.facts):
            self._by_hand(what, email, *arguments)
            self._seen_by_hand()

    def _by_hand(self, what: str, email: str, *arguments: Any) -> None:
        """Accept, invite, remove, give a role, or change a grant; the product refuses what makes no sense there."""
        match what, *arguments:
            case ["accept"]:
                self.world.client.post("/_emulator/invitations/accept", json={"email": email})
            case ["invite", role]:
                self.world.by_hand("add-users/", {"emails": [email], "role": role})
            case ["remove"]:
                self.world.client.request("DELETE", f"/_emulator/members/{email}")
            case ["role", role] if ("in", email) in self.facts and email not in self.waiting:
                self.world.control("POST", "members", {"email": email, "role": role})
            case ["grant", project, role]:
                body = {"project": project, "email": email, "role": role}
                self.world.client.post("/_emulator/grants", json=body)

    def time_passes(self, days: float) -> None:
        """Entries end, and invitations expire."""
        self.world.pass_days(days)

    # Runs

    def up(self, stack: str, faults: Sequence[Mapping[str, Any]], go_on: bool = False) -> None:
        """`pulumi up`, with or without `--continue-on-error`."""
        with self._run([stack], faults):
            self._engine(stack).up(self._program(stack), continue_on_error=go_on)

    def up_refresh(self, stack: str, faults: Sequence[Mapping[str, Any]]) -> None:
        """`pulumi up --refresh`: the refresh with the configuration of the last run."""
        self.refresh(stack, faults, False)
        if not self._engine(stack).failures:
            self.up(stack, faults)

    def targeted(self, stack: str, picks: Sequence[int], faults: Sequence[Mapping[str, Any]]) -> None:
        """`pulumi up --target …`."""
        chosen = self._picked(stack, picks)
        with self._run([stack], faults):
            self._engine(stack).up(self._program(stack), targets=chosen)

    def excluding(self, stack: str, picks: Sequence[int], faults: Sequence[Mapping[str, Any]]) -> None:
        """`pulumi up --exclude … --exclude-dependents`."""
        chosen = self._picked(stack, picks)
        with self._run([stack], faults):
            self._engine(stack).up(self._program(stack), excludes=chosen)

    def replacing(self, stack: str, picks: Sequence[int], faults: Sequence[Mapping[str, Any]]) -> None:
        """`pulumi up --replace …`, or after a taint."""
        chosen = self._picked(stack, picks)
        with self._run([stack], faults):
            self._engine(stack).up(self._program(stack), replace=chosen)

    def refused(self, stack: str) -> None:
        """A run that a policy refuses at its preview writes nothing, to Mixpanel or to the state."""
        engine, before = self._engine(stack), self.world.dump()
        state = dict(engine.state)
        engine.plan(self._program(stack))
        if engine.state != state or access_in(self.world.dump()) != access_in(before):
            raise Broken("a preview has changed something")

    def refresh(self, stack: str, faults: Sequence[Mapping[str, Any]], run_program: bool) -> None:
        """`pulumi refresh`, with or without `--run-program`."""
        with self._run([stack], faults, gives=False, fresh=run_program):
            self._engine(stack).refresh(run_program=run_program)

    def destroy(self, stack: str, run_program: bool, faults: Sequence[Mapping[str, Any]]) -> None:
        """`pulumi destroy`, with or without `--run-program`."""
        with self._run([stack], faults, gives=False, fresh=run_program, keeps=False):
            self._engine(stack).destroy(run_program=run_program)

    def destroy_some(self, stack: str, picks: Sequence[int], faults: Sequence[Mapping[str, Any]]) -> None:
        """`pulumi destroy --target … --target-dependents`."""
        state = sorted(self._engine(stack).state)
        chosen = frozenset(state[pick % len(state)] for pick in picks if state)
        with self._run([stack], faults, gives=False, fresh=False, keeps=False):
            self._engine(stack).destroy(targets=chosen)

    def revoke(self, stack: str, faults: Sequence[Mapping[str, Any]]) -> None:
        """`mixpanel-access revoke`: what the state has and the roster no longer gives goes, and nothing else."""

        def takes_only(session: Session) -> None:
            session.takes_only = True

        with self._run([stack], faults, gives=False):
            kept = self.stacks[stack].kept(self.today)
            self._engine(stack).up(kept, continue_on_error=True, prepare=takes_only)

    def together(self, faults: Sequence[Mapping[str, Any]]) -> None:
        """Both stacks are brought up at once."""
        with self._run(list(STACKS), faults):
            programs = {stack: self._program(stack) for stack in STACKS}
            self.world.notes = Unseen()
            runs = [Thread(target=self._engine(stack).up, args=(programs[stack],)) for stack in STACKS]
            for run in runs:
                run.start()
            for run in runs:
                run.join()
            self.world.notes = None

    def hand_meanwhile(self, stack: str, hand: Step) -> None:
        """Somebody does something in the product while a stack is brought up."""
        what, email, *arguments = hand
        with self._run([stack], ()):
            self.meanwhile = {email}
            run = Thread(target=self._engine(stack).up, args=(self._program(stack),))
            run.start()
            self._by_hand(what, email, *arguments)
            run.join()
        self.meanwhile = set()
        self._undetermined(email)

    def night(self, faults: Sequence[Mapping[str, Any]]) -> None:
        """The nightly job of each stack: revoke, then bring it up with a refresh."""
        for stack in STACKS:
            self.revoke(stack, faults)
            self.up_refresh(stack, ())

    def _picked(self, stack: str, picks: Sequence[int]) -> Names:
        names = sorted(self._engine(stack).state.keys() | self._program(stack).keys())
        return frozenset(names[pick % len(names)] for pick in picks)

    # Rest

    def rest(self) -> None:
        """Each stack is refreshed and brought up until nothing changes: then what is declared is so, and no more."""
        for stack in STACKS:
            self._engine(stack).limits = UNBRAKED
        for _ in range(3):
            for stack in STACKS:
                self.refresh(stack, (), True)
                self.up(stack, ())
        for stack in STACKS:
            engine = self._engine(stack)
            if engine.failures:
                raise Broken(f"{stack} does not come to rest: {engine.failures[0]}")
            if steps := engine.plan(self._program(stack)):
                raise Broken(f"{stack} is brought up and still plans {steps}")
        declared = self._declared(STACKS)
        for fact, role in declared.items():
            if fact[-1] in self.returned | self.removed_elsewhere and fact[-1] in self.waiting:
                continue  # nobody sees what somebody holds who is only invited, or invited again
            if self.facts.get(fact, roles.MEMBER if fact[0] == "role" else None) != role:
                raise Broken(f"{words(fact)} is declared as {role} and is {self.facts.get(fact)}")
        self._nobody_holds_through_us(declared)
        for stack in STACKS:
            self.destroy(stack, True, ())
            if self._engine(stack).state:
                raise Broken(f"{stack} is destroyed and still has {sorted(self._engine(stack).state)}")
        self._nobody_holds_through_us({})
