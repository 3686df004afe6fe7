"""The script of a life: what happens on each day, drawn with a seed, and done to the model as it is drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from tests.lives.draft import Draft, Event
from tests.lives.edits import Edits
from tests.lives.hands import Hands
from tests.lives.organization import Organization
from tests.lives.revocations import Revocation
from tests.lives.stacks import Landscape, Stack
from tests.lives.updates import Update


class Script:
    """A life as it is drawn.

    Args:
        seed: what it is drawn with.
        runs: how many of the runs take place.
    """

    def __init__(self, seed: int, runs: float = 1.0) -> None:
        self._draft = Draft(seed)
        self._edits, self._hands = Edits(self._draft), Hands(self._draft)
        self.random, self.runs = self._draft.random, runs
        self._drawn: Counter[str] = Counter()
        self.start = self.landscape.copy().organization

    @property
    def landscape(self) -> Landscape:
        return self._draft.landscape

    @property
    def organization(self) -> Organization:
        return self._draft.organization

    @property
    def now(self) -> datetime:
        return self._draft.now

    def drawn(self) -> Counter[str]:
        """What was drawn so far."""
        own = Counter({"people": len(self._draft.everybody), "lives with SCIM": bool(self.organization.claimed)})
        return own + self._edits.drawn + self._drawn

    # Days

    def beginning(self) -> Iterator[Event]:
        """The first day: two rosters, and their first runs."""
        for stack in self._draft.stacks:
            self._edits.begin(stack)
            yield self._draft.roster(stack)
        for stack in self._draft.stacks:
            yield from self._update(stack, refresh=False)

    def quiet_day(self) -> Iterator[Event]:
        """The next day, on which nobody writes anything: some accept, and some nights have a run."""
        self._next_night()
        if self.random.random() < 0.12:
            yield from self._night()
        self._draft.later(11, 170)
        yield from self._hands.accept()

    def _next_night(self) -> None:
        midnight = datetime.combine(self._draft.today + timedelta(days=1), datetime.min.time(), UTC)
        self._draft.now = midnight + timedelta(hours=2, minutes=self.random.randint(0, 59))

    def day(self) -> Iterator[Event]:
        """The next day."""
        self._next_night()
        yield from self._night()
        happenings: list[Callable[[], Iterator[Event]]] = [self._hands.accept, self._follow_addresses]
        happenings += [self._edit] * self.random.choice((0, 1, 1, 2))
        happenings += [self._hands.change] * self.random.choice((0, 0, 1, 1, 2))
        self.random.shuffle(happenings)
        for happening in happenings:
            self._draft.later(11, 170)
            yield from happening()
        self._draft.later(3, 90)

    def _night(self) -> Iterator[Event]:
        """The nightly run, which may be late, or missed."""
        luck = self.random.random()
        if luck < 0.2:
            return
        if luck < 0.3:
            self._draft.now += timedelta(hours=self.random.randint(2, 6))
        for stack in self._draft.stacks:
            if self.random.random() < 0.8 * self.runs:
                yield from self._revoke(stack)
        for stack in self._draft.stacks:
            if self.random.random() < 0.6 * self.runs:
                yield from self._update(stack, refresh=self.random.random() < 0.6)

    def _edit(self) -> Iterator[Event]:
        stack = self.random.choice(self._draft.stacks)
        self._edits.edit(stack)
        yield from self._draft.settle_addresses()
        yield self._draft.roster(stack)
        if self.random.random() < 0.65 * self.runs:
            self._draft.later(2, 9)
            yield from self._update(stack, refresh=self.random.random() < 0.4)

    def _follow_addresses(self) -> Iterator[Event]:
        """Some rosters follow the people whose addresses have changed."""
        for email, behind in sorted(self.organization.behind.items()):
            for stack in self._draft.stacks:
                if stack.name in behind and self.random.random() < 0.4:
                    behind.discard(stack.name)
                    yield from self._draft.follow_address(email, stack, self.organization.address(email))
            if not behind:
                del self.organization.behind[email]

    # Runs

    def _update(self, stack: Stack, *, refresh: bool) -> Iterator[Event]:
        """`pulumi up`, as somebody runs it who reads why the one before was refused.

        It makes no service account that has expired, so the roster is corrected. It gives no custom role that somebody
        has deleted by hand, so it reads what is there. It deletes no custom role that people may lose who are declared,
        so the roster keeps it.
        """
        past = [one for name, one in stack.roster.accounts.items() if name not in stack.accounts]
        past = [one for one in past if one.has_expired(self._draft.today)]
        for account in past:
            account.expires = None
        self._drawn["service accounts that expired before they were made"] += len(past)
        roles = self.organization.custom_roles
        refresh = refresh or any(held.role not in roles for held in stack.roles.values())
        kept = {}
        if gone := stack.roles.keys() - stack.roster.roles.keys():
            refresh = refresh or bool(self._refused(stack, refresh=False))
            kept = {key: stack.roles[key].entry for key in self._refused(stack, refresh=refresh) & gone}
            stack.roster.roles |= kept
        if past or kept:
            yield self._draft.roster(stack)
        Update(self.landscape, stack, self.now).up(refresh=refresh)
        yield self._draft.event("up", stack.name, refresh)
        yield from self._draft.settle_addresses()

    def _refused(self, stack: Stack, *, refresh: bool) -> set[str]:
        """The custom roles that an update could not delete."""
        copy = self.landscape.copy()
        update = Update(copy, copy.stacks[stack.name], self.now)
        update.up(refresh=refresh)
        return update.refused

    def _revoke(self, stack: Stack) -> Iterator[Event]:
        Revocation(self.landscape, stack, self.now).revoke()
        yield self._draft.event("revoke", stack.name)
        yield from self._draft.settle_addresses()
