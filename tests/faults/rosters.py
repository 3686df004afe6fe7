"""The two stacks of the random lives: their rosters, what those declare, and what a revocation keeps of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from mixpanel_access.model.declaration import Declaration, declaration
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.revoking.engine import declaration_without
from mixpanel_access.operations.revoking.removals import RosterToday, removals
from mixpanel_access.operations.revoking.rows import StateRow
from tests.faults.conftest import ORG, SHOP, WAREHOUSE
from tests.faults.mini_engine import TYPES, MiniEngine, Name, Program

ELSEWHERE: Final = 3456789
"""A project of no stack."""
STACKS: Final = {"production": ("shop", SHOP), "staging": ("box", WAREHOUSE)}
"""Stack -> its project: key and id."""
OUTSIDE: Final = tuple(f"p{n}@agency.example.org" for n in range(5))
INSIDE: Final = tuple(f"f{n}@example.com" for n in range(3))
PEOPLE: Final = OUTSIDE + INSIDE
ADMIN: Final = INSIDE[1]
_ROWS: Final[Mapping[str, Callable[[str], str]]] = {
    "whole": lambda own: f"project-access/{own}",
    "team": lambda own: f"team/{own}",
    "team grant": lambda own: own.replace(":", ":team/", 1),
    "team member": lambda own: f"team/{own}",
    "brake": lambda own: "removal-brake",
}
"""Kind -> how `RosterAccess` calls a resource of our name."""


def organization() -> dict[str, Any]:
    """Owners, people with a history of their own, and people who are nobody's business; three projects."""
    strangers = [f"stranger{n}@example.com" for n in range(3)]
    people = [("owner0@example.com", "owner"), ("owner1@example.com", "owner"), (ADMIN, "admin")]
    people += [(email, "member") for email in (*INSIDE, *strangers) if email != ADMIN]
    grants = [(SHOP, INSIDE[0], "analyst"), (ELSEWHERE, INSIDE[2], "consumer")]
    grants += [(WAREHOUSE, email, "analyst") for email in strangers]
    return {
        "organization": {"id": ORG, "name": "Example"},
        "members": [{"email": email, "role": role} for email, role in people],
        "projects": [{"id": id_, "name": str(id_)} for id_ in (SHOP, WAREHOUSE, ELSEWHERE)],
        "grants": [{"project": project, "email": email, "role": role} for project, email, role in grants],
        "service_accounts": [{"username": "bot", "secret": "s3cret", "role": "owner"}],
    }


@dataclass
class Stack:
    """A roster and its engine.

    Attributes:
        name: the stack's name.
        engine: its state and its configuration.
        people: the entries of the roster, by address.
        whole: whether its project is authoritative.
        team: whether it has a team.
        names: how often a resource has got another name.
        said: the lines of the last operation.
    """

    name: str
    engine: MiniEngine
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    whole: bool = False
    team: bool = False
    names: dict[Name, int] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def crew(self) -> str:
        """The name of its team in Mixpanel."""
        return f"Crew of {self.name}"

    def roster(self) -> Roster:
        """The roster as it stands in the file."""
        key, id_ = STACKS[self.name]
        people = [
            {**{name: value for name, value in entry.items() if name != "teams" or self.team}, "email": email}
            for email, entry in self.people.items()
        ]
        return Roster.model_validate(
            {
                "environment": self.name,
                "organizationRoles": self.name == "production",
                "authoritative": self.whole,
                "projects": {key: {"id": id_, "environment": self.name}},
                "people": people,
                "teams": {"crew": {"name": self.crew, "projects": {key: "consumer"}}} if self.team else {},
            }
        )

    def program(self, today: date) -> Program:
        """What the roster declares on a day."""
        return program_of(declaration(self.roster(), today), self.called)

    def kept(self, today: date) -> Program:
        """What a revocation declares: what the state has and the roster still gives."""
        names = {plain(name): name for name in self.engine.state}
        rows = [_row(name, self.engine) for name in self.engine.state]
        given = RosterToday(declaration(self.roster(), today), today)
        taken = removals(rows, given)
        return program_of(declaration_without(rows, taken, {}, given.declared), lambda name: names.get(name, name))

    def called(self, name: Name) -> Name:
        """A resource's name in the program, which may have changed."""
        times = self.names.get(name, 0)
        return (name[0], f"{name[1]}~{times}") if times else name


def plain(name: Name) -> Name:
    """A resource's first name."""
    return name[0], name[1].partition("~")[0]


def _row(name: Name, engine: MiniEngine) -> StateRow:
    """A resource of the state as an export has it, by its first name: a roster gives no other one."""
    (kind, own), held = plain(name), engine.state[name]
    called = _ROWS.get(kind, str)(own)
    return StateRow(
        f"urn:pulumi:stack::project::{TYPES[kind]}::{called}", TYPES[kind], held.id, held.inputs, held.outputs
    )


def program_of(declared: Declaration, called: Callable[[Name], Name]) -> Program:
    """The resources of a declaration, as `RosterAccess` makes them.

    Args:
        declared: the declaration.
        called: gives a resource's name.
    """
    found: dict[Name, dict[str, Any]] = {("member", key): dict(inputs) for key, inputs in declared.members.items()}
    for (project, key), inputs in declared.single_grants.items():
        found["grant", f"{project}:{key}"] = dict(inputs)
    for project, inputs in declared.project_access.items():
        found["whole", str(project)] = dict(inputs)
    for key, inputs in declared.teams.items():
        found["team", key] = dict(inputs)
    for (project, key), inputs in declared.team_grants.items():
        found["team grant", f"{project}:{key}"] = {**inputs, "team_id": called(("team", key))}
    for (team, key), inputs in declared.team_members.items():
        found["team member", f"{team}:{key}"] = {**inputs, "team_id": called(("team", team))}
    found["brake", "it"] = {"people": list(declared.people)}
    return {called(name): inputs for name, inputs in found.items()}
