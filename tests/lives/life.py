"""One life, lived day by day: what is done, what the emulator has, and what the commands say."""

from __future__ import annotations

from pathlib import Path

from tests.in_process import emulating, without_sockets
from tests.lives.checks import AHEAD, Day
from tests.lives.commands import Commands
from tests.lives.logbook import Logbook
from tests.lives.script import Event, Script
from tests.lives.truth import Truth
from tests.lives.world import World, document_of
from tests.tally import count

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

    def live(self, days: int) -> None:
        """Live so many days.

        Raises:
            Broken: something is otherwise than the script says.
        """
        with (
            emulating(document_of(self._script.start), limit_invitations=False) as server,
            without_sockets(server) as transport,
            World(self._script.now, self._folder, server, transport) as world,
        ):
            logbook = Logbook(world, self._script.start)
            for number in range(days):
                self._live_a_day(world, logbook, number, typed=number == days - 1)
        count("scripted lives")

    def _live_a_day(self, world: World, logbook: Logbook, number: int, *, typed: bool) -> None:
        script = self._script
        for event in script.beginning() if number == 0 else script.day():
            self._history.append(event)
            try:
                world.happen(event)
            except Exception as error:
                raise self._broken(number, f"{type(error).__name__}: {error}") from error
            seen, true = world.seen(), script.organization.as_sets()
            for part in true:
                if seen[part] != true[part]:
                    more, less = sorted(seen[part] - true[part]), sorted(true[part] - seen[part])
                    raise self._broken(number, f"the emulator has the {part} {more}, and the script {less}")
            logbook.note(event, script.organization)
            count("events of scripted lives")
        day = Day(world, Truth(script.landscape, script.now, AHEAD))
        found = day.disagreements(Commands(world).disagreements) if typed else day.disagreements()
        found += logbook.disagreements(script.now)
        if found:
            raise self._broken(number, "\n".join(map(str, found)))
        count("days of scripted lives")

    def _broken(self, day: int, what: str) -> Broken:
        events = "\n".join(map(str, self._history[-_EVENTS_SHOWN:]))
        return Broken(f"seed {self._seed}, day {day}, {self._script.now:%Y-%m-%d %H:%M}\n{events}\n{what}")
