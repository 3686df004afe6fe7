"""The command lines that the engine in Python knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.engine.quick_pulumi import PLAIN_OPTIONS
from tests.python_engine.unknown import Unknown

SWITCHES = {
    "up": {"--yes", "--skip-preview", "--refresh", "--expect-no-changes", "--continue-on-error"},
    "preview": {"--json", "--expect-no-changes"},
    "refresh": {"--yes", "--skip-preview", "--run-program=false", "--expect-no-changes"},
    "destroy": {"--yes", "--skip-preview"},
}
"""The commands, with the switches of each."""
_WITHOUT_QUESTIONS = {"--yes", "--skip-preview"}
_VALUES = {"up": {"--exclude"}, "preview": {"--exclude"}, "refresh": {"--target"}, "destroy": set[str]()}


@dataclass(frozen=True)
class Command:
    """A command line.

    Attributes:
        verb: `up`, `preview`, `refresh` or `destroy`.
        stack: the stack.
        switches: the switches that are on.
        urns: the resources that are named.
    """

    verb: str
    stack: str
    switches: frozenset[str]
    urns: frozenset[str]

    @classmethod
    def parsed(cls, words: Sequence[str]) -> Command:
        """The command of a command line.

        Raises:
            Unknown: there is something in it whose meaning is not known here.
        """
        rest = [word for word in words if word not in PLAIN_OPTIONS]
        verb = rest.pop(0) if rest else ""
        if verb not in SWITCHES:
            raise Unknown(verb)
        stack, switches, urns = "", set(), set()
        while rest:
            word = rest.pop(0)
            if word in SWITCHES[verb]:
                switches.add(word)
            elif word == "--stack" and rest and not stack:
                stack = rest.pop(0)
            elif word in _VALUES[verb] and rest and "*" not in rest[0]:
                urns.add(rest.pop(0))
            else:
                raise Unknown(word)
        if not stack or (verb != "preview" and not switches >= _WITHOUT_QUESTIONS):
            raise Unknown("no stack, or a question to be asked")
        return cls(verb, stack, frozenset(switches), frozenset(urns))
