"""Decide for people in states of version 0.1.0 whether the stack brought them or found them in the organization."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

from mixpanel_access.files.roster import roster_change, source_of, text_of
from mixpanel_access.files.whole import write_all
from mixpanel_access.model.address import few, same_key
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.ownership import FOUND, OURS, WHEN_UNUSED, is_ours
from mixpanel_access.model.roster import editing
from mixpanel_access.model.roster.reading import parse
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.project import PulumiProject, of_each
from mixpanel_access.operations.state import StateResource


@dataclass(frozen=True)
class StackOwnership:
    """What one stack knows of whose its people are.

    Attributes:
        undetermined: the address of each person who is undetermined, by its key.
        listed: the keys of the people in the roster.
    """

    stack: str
    file: Path
    text: str | None
    undetermined: Mapping[str, str]
    listed: frozenset[str]

    @property
    def elsewhere(self) -> list[str]:
        """Those who are undetermined and not in the roster: a program of one's own declares them, or nobody does."""
        return [email for key, email in self.undetermined.items() if key not in self.listed]


@dataclass(frozen=True)
class OwnershipChange:
    """A roster and what becomes of it."""

    stack: str
    file: Path
    before: str
    after: str


def read_ownership(project: PulumiProject, stacks: Sequence[str]) -> list[StackOwnership]:
    """Who is undetermined in each of these stacks."""
    return list(of_each(stacks, partial(_read, project)).values())


def _read(project: PulumiProject, stack: str) -> StackOwnership:
    state = project.state(stack, project.settings(stack).organization_id)
    file = project.roster(stack)
    text = text_of(file)
    roster = Roster(environment="") if text is None else parse(text, source_of(file))
    settled = {person.key for person in roster.people if person.ownership}
    undetermined = {
        key: member.email for key, member in state.members.items() if key not in settled and _is_undetermined(member)
    }
    return StackOwnership(stack, file, text, undetermined, frozenset(person.key for person in roster.people))


def _is_undetermined(member: StateResource) -> bool:
    """Whether it matters and the state does not say it: with another `removal`, the person stays or leaves anyway."""
    return is_ours(member.outputs) is None and (member.outputs.get("removal") or WHEN_UNUSED) == WHEN_UNUSED


def plan_ownership(
    seen: Sequence[StackOwnership], ours: Iterable[str], found: Iterable[str]
) -> Sequence[OwnershipChange]:
    """The rosters that say whose these people are, in every stack whose roster has them.

    Args:
        seen: the stacks.
        ours: addresses of people who are the stacks' own; a pattern stands for those of them who are undetermined.
        found: addresses, or patterns, of people who were found.

    Raises:
        UsageError: no roster has somebody of that address, or they are to be both.
        RosterError: a roster cannot be edited; nothing was written.
    """
    wanted = {OURS: list(ours), FOUND: list(found)}
    matched: set[str] = set()
    changes: list[OwnershipChange] = []
    for one in seen:
        words: dict[str, str] = {}
        for word, patterns in wanted.items():
            for pattern in patterns:
                keys = _people(one, pattern)
                matched |= {pattern} if keys else set()
                if both := [key for key in keys if words.setdefault(key, word) != word]:
                    raise UsageError(
                        "cannot settle whose they are",
                        subject=", ".join(sorted(both)),
                        why="--ours and --found both name them",
                        next_step="Nothing was written; name each person once.",
                    )
        if one.text is not None and words:
            after = editing.set_ownership(one.text, source_of(one.file), words)
            if after != one.text:
                changes.append(OwnershipChange(one.stack, one.file, one.text, after))
    if unknown := [pattern for patterns in wanted.values() for pattern in patterns if pattern not in matched]:
        raise UsageError(
            "cannot settle whose they are",
            why="; ".join(_why_nobody(pattern, seen) for pattern in unknown),
            next_step="Nothing was written; check the address. In a program of your own, set `ownership` there.",
        )
    return changes


def _why_nobody(pattern: str, seen: Sequence[StackOwnership]) -> str:
    """Why a pattern stands for nobody."""
    key = same_key(pattern)
    if settled := {
        person for one in seen for person in one.listed - one.undetermined.keys() if fnmatchcase(person, key)
    }:
        return (
            f"{pattern} stands only for people with an undetermined origin, and the origin of {few(settled)} is known: "
            "give the whole address to change it"
        )
    return f"no roster of these stacks has {pattern}"


def _people(one: StackOwnership, pattern: str) -> set[str]:
    key = same_key(pattern)
    if key in one.listed:
        return {key}
    return {person for person in one.undetermined if person in one.listed and fnmatchcase(person, key)}


def write_ownership(changes: Sequence[OwnershipChange]) -> None:
    """Write the rosters, all or none.

    Raises:
        UsageError: one of them was changed meanwhile, or cannot be written.
    """
    write_all([roster_change(one.file, one.before, one.after) for one in changes])
