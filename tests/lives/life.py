"""One life, lived day by day: what is done, what the emulator has, and what the commands say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from random import Random
from typing import Any

from tests.in_process import emulating, without_sockets
from tests.lives.checks import AHEAD, Day, Disagreement
from tests.lives.commands import Commands
from tests.lives.draft import RUNS, Event
from tests.lives.logbook import Logbook
from tests.lives.script import Script
from tests.lives.truth import Truth
from tests.lives.world import World, document_of
from tests.tally import count

_OFTEN, _SELDOM = 0.25, 0.05
"""How many of the quiet days are checked on which the clock changes something, and of the others."""
_EVENTS_SHOWN = 12
"""How many of the last events the message of a failure shows."""


_BY_HAND = {
    "hand_": "changes by hand", "hand_changes_address": "changed addresses", "idp_": "changes by an identity provider"
}  # fmt: skip
"""How the name of an event begins -> what was drawn."""
DRAWN = "drawn in scripted lives"
DISAGREEMENT = "disagreements of scripted lives"
"""How the tally calls the lives that end with a kind of disagreement."""


class Broken(AssertionError):
    """A life went otherwise than its script, or a command says otherwise.

    Attributes:
        day: the number of the day.
        kinds: who disagrees with the script, and about what.
    """

    def __init__(self, message: str, day: int, kinds: Iterable[str]) -> None:
        super().__init__(message)
        self.day, self.kinds = day, sorted(set(kinds))
        for kind in self.kinds:
            count(f"{DISAGREEMENT}: {kind}")


class Life:
    """One life.

    Args:
        seed: what it is drawn with.
        folder: an empty folder.
    """

    def __init__(self, seed: int, folder: Path) -> None:
        self._seed, self._folder = seed, folder
        self._script = Script(seed)
        self._history: list[Event] = []
        self._by_hand: Counter[str] = Counter()

    def live(self, days: int, busy: int | None = None) -> None:
        """Live so many days.

        On a quiet day nobody writes anything. It is checked if it comes after a busy one, and sometimes otherwise: more
        often if the clock alone makes something overdue, late or expired.

        Args:
            days: how many.
            busy: how many of them are busy; None for all.

        Raises:
            Broken: something is otherwise than the script says.
        """
        draw = Random(self._seed)
        chosen = range(1, days) if busy is None else draw.sample(range(1, days), busy)
        with (
            emulating(document_of(self._script.start), limit_invitations=False) as server,
            without_sockets(server) as transport,
            World(self._script, self._folder, server, transport) as world,
        ):
            try:
                self._live(world, days, chosen, draw)
            finally:
                for what, times in (self._script.drawn() + self._by_hand).items():
                    count(f"{DRAWN}: {what}", times)
        count("scripted lives")

    def _live(self, world: World, days: int, chosen: Collection[int], draw: Random) -> None:
        logbook, before = Logbook(world, self._script.start), frozenset[Any]()
        for number in range(days):
            is_busy = number == 0 or number in chosen
            self._live_a_day(world, logbook, number, is_busy=is_busy)
            day = Truth(self._script.landscape, self._script.now, AHEAD)
            seldom = _OFTEN if day.undone_by_now - before else _SELDOM
            before = day.undone_by_now
            last = number == days - 1
            if is_busy or last or number - 1 in chosen or draw.random() < seldom:
                self._check(world, number, day, typed=last)
            if is_busy or last:
                self._found(number, logbook.disagreements(day.now))

    def _live_a_day(self, world: World, logbook: Logbook, number: int, *, is_busy: bool) -> None:
        script = self._script
        days = (script.beginning if number == 0 else script.day) if is_busy else script.quiet_day
        for event in days():
            self._history.append(event)
            try:
                world.happen(event)
            except Exception as error:
                raise self._broken(number, f"{type(error).__name__}: {error}", [f"{event.what} fails"]) from error
            seen, true = world.look(script.organization), script.organization.as_sets()
            for part in true:
                if seen[part] != true[part]:
                    more, less = sorted(seen[part] - true[part]), sorted(true[part] - seen[part])
                    what = f"the emulator has the {part} {more}, and the script {less}"
                    raise self._broken(number, what, [f"{event.what} and the {part}"])
            logbook.note(event, script.organization)
            count("events of scripted lives")
            if event.what in RUNS:
                count("runs of scripted lives")
            self._by_hand += Counter(name for begins, name in _BY_HAND.items() if event.what.startswith(begins))
        count("days of scripted lives")

    def _check(self, world: World, number: int, truth: Truth, *, typed: bool) -> None:
        draw = Random(f"{self._seed} {number}")
        day = Day(world, truth, draw)
        try:
            found = day.disagreements(Commands(world, draw).disagreements) if typed else day.disagreements()
        except Exception as error:
            raise self._broken(number, f"{type(error).__name__}: {error}", ["a command fails"]) from error
        self._found(number, found)
        count("checked days of scripted lives")

    def _found(self, number: int, disagreements: Iterable[Disagreement]) -> None:
        if found := list(disagreements):
            kinds = (f"{one.command.split(' of ')[0].split(' in ')[0]}, {one.about}" for one in found)
            raise self._broken(number, "\n".join(map(str, found)), kinds)

    def _broken(self, day: int, what: str, kinds: Iterable[str]) -> Broken:
        events = "\n".join(map(str, self._history[-_EVENTS_SHOWN:]))
        return Broken(f"seed {self._seed}, day {day}, {self._script.now:%Y-%m-%d %H:%M}\n{events}\n{what}", day, kinds)
