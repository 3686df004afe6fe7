"""The addresses of people in several access logs, as in one log.

Two branches learn on different days that somebody has another address, and one may know an address that the other never
saw. Mixpanel's id says who it is: each change of an address stays once, and each line has the address that the person
had then by all logs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from mixpanel_access.model.address import same_key
from mixpanel_access.model.grouping import grouped
from mixpanel_access.operations.tracker.lines import LogEvent, LogLine
from mixpanel_access.operations.tracker.names import LONG_AGO
from mixpanel_access.operations.tracker.replay import replay


class MergedAddresses:
    """Which addresses people had, by several logs.

    Args:
        logs: the logs.
    """

    def __init__(self, logs: Iterable[Sequence[LogLine]]) -> None:
        moves = [line for lines in logs for line in lines if line.event == LogEvent.READDRESSED]
        in_order = sorted({line for line in moves if line.user_id is not None}, key=lambda line: (line.at, str(line)))
        by_id = grouped(((line.organization, line.user_id), line) for line in in_order)
        self._kept = {line: one for its in by_id.values() for line, one in _once(its)}
        self._free_addresses()
        self._moves = grouped(((line.organization, line.user_id), line) for line in self._kept.values())

    def _free_addresses(self) -> None:
        """Nobody gets an address before it is free: if one log says so, whoever had it left it at that instant."""
        for _ in self._kept:  # as many steps as the longest chain has
            for getting in [*self._kept.values()]:
                begins: dict[int | None, datetime] = {}
                for line, one in self._kept.items():
                    another = one.organization == getting.organization and one.user_id != getting.user_id
                    leaves = another and same_key(one.email_before) == same_key(getting.email)
                    if leaves and begins.get(one.user_id, LONG_AGO) < getting.at < one.at:
                        self._kept[line] = replace(one, date=getting.date)
                    begins[one.user_id] = one.at

    def lines(self, log: Sequence[LogLine]) -> Iterator[tuple[LogLine | None, str]]:
        """Each line of a log with the address that the person had then; None for a change that another line has.

        With it, the key of the present address, or "" where no log has another one.
        """
        replayed = replay(log)
        for line in log:
            organization = replayed.organization_of(line)
            id_ = replayed.ids.get((organization, replayed.access_of(line).person)) if line.email else None
            moves = self._moves.get((organization, id_), ()) if id_ else ()
            if not moves:
                yield line, ""
            elif line.event == LogEvent.READDRESSED:
                yield self._kept.get(line), same_key(moves[-1].email)
            else:
                email = next((one.email_before for one in moves if one.at >= line.at), moves[-1].email)
                is_same = same_key(email) == same_key(line.email)
                yield line if is_same else replace(line, email=email), same_key(moves[-1].email)


def _once(moves: Sequence[LogLine]) -> Iterator[tuple[LogLine, LogLine]]:
    """The lines that say that one person has another address, each with that line from the address before it."""
    address = moves[0].email_before
    for line in moves:
        if same_key(line.email) != same_key(address):
            yield line, replace(line, email_before=address)
            address = line.email
