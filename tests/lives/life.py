"""One life, lived day by day: what is done, what the emulator has, and what the commands say."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

from tests.in_process import emulating, without_sockets
from tests.lives.checks import AHEAD, Day, Disagreement
from tests.lives.commands import Commands
from tests.lives.draft import Event
from tests.lives.logbook import Logbook
from tests.lives.script import Script
from tests.lives.truth import Truth
from tests.lives.world import World, document_of
from tests.tally import count

_OFTEN, _SELDOM = 0.25, 0.05
"""How many of the quiet days are checked on which the clock changes something, and of the others."""
_EVENTS_SHOWN = 12
"""How many of the last events the message of a failure shows."""


class Broken(AssertionError):
    """A life went otherwise than its script, or a command says otherwise."""


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
        count("scripted lives")

    def _live_a_day(self, world: World, logbook: Logbook, number: int, *, is_busy: bool) -> None:
        script = self._script
        days = (script.beginning if number == 0 else script.day) if is_busy else script.quiet_day
        for event in days():
            self._history.append(event)
            try:
                world.happen(event)
            except Exception as error:
                raise self._broken(number, f"{type(error).__name__}: {error}") from error
            world.learn(script.organization)
            seen, true = world.seen(), script.organization.as_sets()
            for part in true:
                if seen[part] != true[part]:
                    more, less = sorted(seen[part] - true[part]), sorted(true[part] - seen[part])
                    raise self._broken(number, f"the emulator has the {part} {more}, and the script {less}")
            logbook.note(event, script.organization)
            count("events of scripted lives")
        count("days of scripted lives")

    def _check(self, world: World, number: int, truth: Truth, *, typed: bool) -> None:
        draw = Random(f"{self._seed} {number}")
        day = Day(world, truth, draw)
        self._found(number, day.disagreements(Commands(world, draw).disagreements) if typed else day.disagreements())
        count("checked days of scripted lives")

    def _found(self, number: int, disagreements: Iterable[Disagreement]) -> None:
        if found := list(disagreements):
            raise self._broken(number, "\n".join(map(str, found)))

    def _broken(self, day: int, what: str) -> Broken:
        events = "\n".join(map(str, self._history[-_EVENTS_SHOWN:]))
        return Broken(f"seed {self._seed}, day {day}, {self._script.now:%Y-%m-%d %H:%M}\n{events}\n{what}")
