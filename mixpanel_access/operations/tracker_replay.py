"""Replay the access log: do its lines fit each other, and do they add up to what the stacks' states hold? Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mixpanel_access.operations.state import State
from mixpanel_access.operations.tracker_lines import LogEvent, LogKey, LogLine, lines_of


def problems(lines: Sequence[LogLine], states: Mapping[str, State]) -> Iterator[str]:
    """What is wrong with a log, in words.

    Args:
        lines: the lines of the log.
        states: stack -> its state; the lines of other stacks are not compared.
    """
    yield from _contradictions(lines)
    last = {line.key: line for line in lines if line.stack}
    for stack, state in states.items():
        given = {key: line for key, line in last.items() if key.stack == stack and line.event != LogEvent.REVOKED}
        yield from _differences(stack, state, given)


def _contradictions(lines: Sequence[LogLine]) -> Iterator[str]:
    """Lines that do not follow from the lines before them; a pruned log may begin with a change."""
    pruned = any(line.event == LogEvent.PRUNED for line in lines)
    given: dict[LogKey, bool] = {}
    for number, line in enumerate(lines, 1):
        if not line.stack:
            continue
        before = given.get(line.key, False)
        if before and line.event == LogEvent.GRANTED:
            yield f"line {number} grants {_access(line)}, which the log shows as granted already"
        elif not before and line.event != LogEvent.GRANTED and not (pruned and line.key not in given):
            what = "revokes" if line.event == LogEvent.REVOKED else "changes"
            yield f"line {number} {what} {_access(line)}, which no line before it grants"
        given[line.key] = line.event != LogEvent.REVOKED


def _differences(stack: str, state: State, given: Mapping[LogKey, LogLine]) -> Iterator[str]:
    held = {line.key: line for line in lines_of(stack, state)}
    # The log keeps a membership that an identity provider has taken over until the audit log shows its removal.
    taken_over = {LogKey(stack, None, person, team) for team, person in state.team_members}
    for key, line in given.items():
        if key not in held and key not in taken_over:
            yield f"the log shows {_access(line)}, and the stack's state does not"
    for key, line in held.items():
        if key not in given:
            yield f"the stack's state has {_access(line)}, and the log does not show it"
        elif given[key].content != line.content:
            yield f"the log shows {_access(given[key])}, and the stack's state has {line.what} or other reasons"


def _access(line: LogLine) -> str:
    return f"{line.label} as {line.what}, stack {line.stack}"
