"""An organization whose business units have a stack each: their rosters, and what must hold after each round of runs.

Every unit brings some new people, and half of them have access in the next unit, too: two stacks declare them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.workspaces import organization
from demo.sandbox import Emulator

GRANTS_EACH = 2
"""Grants of each person in each of their units."""


@dataclass(frozen=True)
class Units:
    """Business units of one organization.

    Attributes:
        count: how many; each is a stack.
        people: of each unit, who are in the organization already.
        new: people of each unit whom its stack invites.
        projects: of each unit.
        fields: what every roster has at the top.
    """

    count: int
    people: int
    new: int
    projects: int
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def stacks(self) -> list[str]:
        """The names of the stacks."""
        return [_stack(unit) for unit in range(self.count)]

    @property
    def known(self) -> list[str]:
        """Everybody who is in the organization before the first run."""
        return [address for unit in range(self.count) for address in self._known_in(unit)]

    @property
    def newcomers(self) -> list[str]:
        """Everybody whom the stacks invite."""
        return [address for unit in range(self.count) for address in self._new_in(unit)]

    def organization(self) -> dict[str, Any]:
        """The organization before the first run, as a document of the emulator."""
        return organization(self.known, [id_ for unit in range(self.count) for id_ in self._projects_of(unit)])

    def roster(self, unit: int, *, newcomers: bool = True) -> dict[str, Any]:
        """What a unit's stack declares, with or without the new people."""
        before = self._new_in((unit - 1) % self.count)
        new = [*self._new_in(unit), *before[: len(before) // 2]] if newcomers else []
        ids = self._projects_of(unit)

        def held(number: int) -> dict[str, str]:
            return {f"p{ids[(number + more) % len(ids)]}": "analyst" for more in range(min(GRANTS_EACH, len(ids)))}

        return {
            "environment": "production",
            "projects": {f"p{id_}": {"id": id_, "environment": "production"} for id_ in ids},
            "people": [
                {"email": address, "projects": held(number), "ticket": f"OPS-{number}"}
                for number, address in enumerate([*self._known_in(unit), *new])
            ],
            **self.fields,
        }

    def wrong(self, emulator: Emulator, *, newcomers: bool) -> list[str]:
        """What is not as the rosters declare it: e-mails that were sent twice, people and grants."""
        document, mails = emulator.control("GET", "dump"), Counter(mail["email"] for mail in _mails(emulator))
        everybody = {*self.known, *(self.newcomers if newcomers else ())}
        there = {row["email"] for row in document["members"] if not row["email"].startswith("owner")}
        declared = {
            (int(key.removeprefix("p")), person["email"])
            for unit in range(self.count)
            for person in self.roster(unit, newcomers=newcomers)["people"]
            for key in person["projects"]
        }
        held = {(row["project"], row["email"]) for row in document["grants"]}
        return [
            *(f"{address} was invited {times} times" for address, times in mails.items() if times > 1),
            *(f"{address} was invited, and is a member" for address in sorted(mails.keys() & {*self.known})),
            *(f"{address} is missing" for address in sorted(everybody - there)),
            *(f"{address} is left" for address in sorted(there - everybody)),
            *(f"{address} has no grant in {project}" for project, address in sorted(declared - held)),
            *(f"{address} still has a grant in {project}" for project, address in sorted(held - declared)),
        ]

    def _projects_of(self, unit: int) -> list[int]:
        return [1000 * (unit + 1) + number for number in range(self.projects)]

    def _known_in(self, unit: int) -> list[str]:
        return [f"person{number:05}@{_stack(unit)}.example.com" for number in range(self.people)]

    def _new_in(self, unit: int) -> list[str]:
        return [f"new{number:05}@{_stack(unit)}.example.com" for number in range(self.new)]


def sent(emulator: Emulator) -> int:
    """How many invitations the emulator has sent."""
    return len(_mails(emulator))


def _mails(emulator: Emulator) -> Sequence[dict[str, Any]]:
    mails: Sequence[dict[str, Any]] = emulator.control("GET", "mails")
    return mails


def _stack(unit: int) -> str:
    return f"unit{unit:02}"
