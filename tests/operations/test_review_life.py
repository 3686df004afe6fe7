"""A review over some weeks in which people decide, apply and edit the roster in any order, against a small model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixpanel_access.files.roster import read_roster
from mixpanel_access.operations.review.decisions import ItemStatus
from mixpanel_access.operations.review.files import read_packets, write_packet
from tests.fakes import PRODUCTION, WAREHOUSE
from tests.faults.sampling import MANY
from tests.operations.overviews import BO, person
from tests.operations.reviews import ANA, CY, Review

Key = tuple[str, str]
PROJECTS = {"shop": PRODUCTION, "warehouse": WAREHOUSE}
RANKS = ("consumer", "analyst", "admin", "owner")


@dataclass
class Entry:
    """One person in the roster of the model."""

    projects: dict[str, str]
    ends: str = "2026-06-30"
    ticket: str = "OPS-1"

    def line(self, email: str) -> str:
        """The entry in the file."""
        projects = ", ".join(f"{key}: {role}" for key, role in self.projects.items())
        return person(email, f"approver: {ANA}, ticket: {self.ticket}, ends: {self.ends}, projects: {{ {projects} }}")


@dataclass
class Listing:
    """A role as the reviewer saw it."""

    facts: tuple[str, str, str]
    decision: str = ""
    applied: bool = False

    @property
    def role(self) -> str | None:
        """The role that the decision leaves."""
        word, _, lower = self.decision.partition("=")
        return None if word == "remove" else lower or self.facts[0]

    @property
    def left(self) -> tuple[str, str, str] | None:
        """The facts that the decision leaves; they may be there already."""
        return (self.role, *self.facts[1:]) if self.role else None


@dataclass
class Model:
    """What a review must do, written without its code."""

    roster: dict[str, Entry] = field(
        default_factory=lambda: {BO: Entry({"shop": "admin", "warehouse": "owner"}), CY: Entry({"shop": "analyst"})}
    )
    listed: dict[Key, Listing] = field(default_factory=dict)
    state: dict[Key, str] = field(default_factory=dict)

    def now(self, key: Key) -> tuple[str, str, str] | None:
        """The facts of a role in the roster."""
        entry = self.roster.get(key[0])
        return (entry.projects[key[1]], entry.ends, entry.ticket) if entry and key[1] in entry.projects else None

    @property
    def keys(self) -> list[Key]:
        """The roles that the roster gives."""
        return [(email, project) for email, entry in self.roster.items() for project in entry.projects]

    def is_more(self, key: Key) -> bool:
        """Whether a role is not covered by the decision that was applied."""
        one, now = self.listed[key], self.now(key)
        if now is None:
            return False
        if one.role is None:
            return True
        role, ends, ticket = one.role, *one.facts[1:]
        return RANKS.index(now[0]) > RANKS.index(role) or now[1] > ends or now[2] != ticket

    def start(self) -> None:
        """List what the roster gives."""
        self.listed = {key: one for key, one in self.listed.items() if one.decision}
        for key in self.keys:
            if key not in self.listed or (self.listed[key].applied and self.is_more(key)):
                self.listed[key] = Listing(self.now(key))  # type: ignore[arg-type]

    def apply(self) -> set[Key]:
        """Apply the decisions that hold; the others."""
        waiting = {key: one for key, one in self.listed.items() if one.decision and not one.applied}
        stale = {key for key, one in waiting.items() if self.now(key) not in (one.facts, one.left)}
        for key in waiting.keys() - stale:
            self.listed[key].applied = True
            role = self.listed[key].role
            if role is None:
                if self.now(key):
                    del self.roster[key[0]].projects[key[1]]
            else:
                self.roster[key[0]].projects[key[1]] = role
        self.roster = {email: entry for email, entry in self.roster.items() if entry.projects}
        return stale

    def open(self) -> bool:
        """Whether anything is left to do."""
        if any(not one.applied for one in self.listed.values()):
            return True
        if any(key not in self.listed or self.is_more(key) for key in self.keys):
            return True
        return any(
            one.role != one.facts[0]
            and key in self.state
            and self.state[key] not in (one.role, (self.now(key) or [None])[0])
            for key, one in self.listed.items()
        )


class Life:
    """The model and the real thing."""

    def __init__(self, folder: Any) -> None:
        self.model = Model()
        self.review = Review(folder, *(entry.line(email) for email, entry in self.model.roster.items()), more="")
        self.up()
        self.start()

    def write(self) -> None:
        """The roster's file, as somebody writes it."""
        state = self.review.state
        self.review.write(*(entry.line(email) for email, entry in self.model.roster.items()))
        self.review.state = state

    def start(self) -> None:
        """`review start`."""
        self.model.start()
        self.review.begin()

    def decide(self, at: int, word: str) -> None:
        """`review decide` on one of the roles that are undecided."""
        open_ = sorted(key for key, one in self.model.listed.items() if not one.decision)
        if open_:
            key = open_[at % len(open_)]
            if word.startswith("lower") and RANKS.index(word[6:]) >= RANKS.index(self.model.listed[key].facts[0]):
                word = "keep"
            self.review.decide(key[0], word, key[1])
            self.model.listed[key].decision = word

    def clear(self) -> None:
        """Somebody clears the decisions that are not applied."""
        waiting = {key for key, one in self.model.listed.items() if one.decision and not one.applied}
        for one in read_packets(self.review.folder):
            items = [
                item.model_copy(update=dict.fromkeys(("decision", "new_role", "comment", "reviewer", "decided")))
                if (item.email, item.project) in waiting
                else item
                for item in one.packet.items
            ]
            write_packet(self.review.folder, one.packet.model_copy(update={"items": items}))
        for key in waiting:
            self.model.listed[key].decision = ""

    def apply(self) -> None:
        """`review apply`: what does not hold is named, as in `review status`, and the rest is in the roster."""
        before = self.review.status()
        made = self.review.apply()
        lines = [(line.email, line.project) for change in made.rosters for line in change.lines]
        assert lines == [(one.item.email, one.item.project) for one in before.with_status(ItemStatus.WAITING)]
        assert list(map(str, made.stale)) == list(map(str, before.with_status(ItemStatus.STALE)))
        stale = {(one.item.email, one.item.project) for one in made.stale}
        assert stale == self.model.apply()
        people = read_roster(self.review.file).people
        assert {one.email: dict(one.projects) for one in people} == {
            email: entry.projects for email, entry in self.model.roster.items()
        }

    def up(self) -> None:
        """`pulumi up`."""
        self.review.up()
        self.model.state = {key: self.model.roster[key[0]].projects[key[1]] for key in self.model.keys}

    def edit(self, email: str, project: str, what: str) -> None:
        """Somebody edits the roster by hand: a role, an end, a ticket, or a role that comes or goes."""
        entry = self.model.roster.setdefault(email, Entry({}))
        if what == "gone":
            entry.projects.pop(project, None)
        elif what in RANKS:
            entry.projects[project] = what
        elif what.startswith("20"):
            entry.ends = what
        else:
            entry.ticket = what
        self.model.roster = {email: entry for email, entry in self.model.roster.items() if entry.projects}
        self.write()


EDITS = st.tuples(
    st.just("edit"),
    st.sampled_from([BO, CY]),
    st.sampled_from(sorted(PROJECTS)),
    st.sampled_from([*RANKS, "gone", "2026-05-31", "2026-06-30", "2026-09-30", "OPS-1", "OPS-2"]),
)
DECIDES = st.tuples(
    st.just("decide"), st.integers(0, 3), st.sampled_from(["keep", "remove", "lower=consumer", "lower=analyst"])
)
STEPS = st.one_of(EDITS, DECIDES, DECIDES, st.sampled_from([("start",), ("apply",), ("up",), ("clear",)]))


@settings(max_examples=300 if MANY else 10, deadline=None)
@given(steps=st.lists(STEPS, min_size=4, max_size=14))
def test_a_review_does_what_was_decided_and_is_open_until_it_is_done(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Any, ...]]
) -> None:
    """Whatever happens in between: no decision takes what nobody reviewed, and the evidence can be replayed."""
    life = Life(tmp_path_factory.mktemp("life"))
    for name, *args in [*steps, ("apply",)]:
        getattr(life, name)(*args)
        if name in ("apply", "up"):
            assert life.review.status().is_open == life.model.open()
            assert life.review.verify() == []
