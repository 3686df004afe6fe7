"""Random lives of two stacks on one organization: each is drawn from a seed, and a seed is lived again in the same way.

A life is a list of steps, plain data, so that one that breaks an invariant can be made shorter:
`python -m tests.faults.lives SEED` does that, and `python -m tests.faults.lives FIRST END` lives many.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import stamina

from mixpanel_access.api.transport import READ_ATTEMPTS
from mixpanel_access.emulator.server import EmulatorServer
from mixpanel_access.model.brakes import Brake
from tests.faults.books import Broken
from tests.faults.conftest import ORG, SHOP, WAREHOUSE, World
from tests.faults.life import Life, Step
from tests.faults.rosters import ELSEWHERE, OUTSIDE, PEOPLE, STACKS, organization

LENGTH: Final = 25
"""Steps of a life."""
_NO_SEAT: Final = '{"status": "error", "error": "no seat is left"}'
_NOBODY: Final = '{"status": "ok", "results": []}'


def _stack(draw: random.Random) -> str:
    return draw.choice(list(STACKS))


def _person(draw: random.Random) -> str:
    return draw.choice(PEOPLE)


def _picks(draw: random.Random) -> tuple[int, ...]:
    return tuple(draw.randrange(100) for _ in range(draw.randint(1, 3)))


def _faults(draw: random.Random) -> tuple[dict[str, Any], ...]:
    late = {"method": "GET", "path_prefix": "/", "kind": "stale", "count": draw.randint(1, 4)}
    lists = (late,) if draw.random() < 0.3 else ()
    return (*lists, *(_fault(draw) for _ in range(draw.choice((0, 0, 1, 1, 2)))))


def _fault(draw: random.Random) -> dict[str, Any]:
    prefix = f"/organizations/{ORG}/"
    made = draw.choice(
        (
            {"method": "GET", "path_prefix": "/", "kind": "drop_before"},
            {"method": "POST", "path_prefix": "/", "kind": "drop_before"},
            {"method": "POST", "path_prefix": "/", "kind": "drop_after"},
            {"method": "POST", "path_prefix": "/", "kind": "status", "status": 500},
            {"method": "GET", "path_prefix": "/", "kind": "status", "status": 429},
            {"method": "GET", "path_prefix": "/", "kind": "status", "status": 403},
            {"method": "POST", "path_prefix": f"{prefix}add-users/", "kind": "status", "status": 400, "body": _NO_SEAT},
            {"method": "GET", "path_prefix": f"{prefix}users/", "kind": "status", "status": 200, "body": _NOBODY},
        )
    )
    json = {"content_type": "application/json"} if "body" in made else {}
    return {**made, **json, "count": draw.randint(1, 3)}


def _hand(draw: random.Random) -> Step:
    what = draw.choices(("accept", "invite", "remove", "role", "grant"), (7, 3, 2, 3, 4))[0]
    if what == "accept":
        return what, draw.choice(OUTSIDE)
    if what == "invite":
        return what, draw.choice(OUTSIDE), draw.choice(("member", "member", "admin"))
    if what == "remove":
        return what, _person(draw)
    if what == "role":
        return what, _person(draw), draw.choice(("member", "admin", "billing_admin"))
    projects, given = (SHOP, WAREHOUSE, ELSEWHERE), ("analyst", "consumer", "admin", None)
    return what, _person(draw), draw.choice(projects), draw.choice(given)


def _entry(draw: random.Random) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if draw.random() < 0.7:
        entry["role"] = draw.choice(("consumer", "analyst", "admin"))
    if draw.random() < 0.35:
        entry["organizationRole"] = draw.choice(("member", "admin", "billing_admin"))
    if draw.random() < 0.25:
        entry["removal"] = draw.choice(("always", "never", "when_unused"))
    if draw.random() < 0.2:
        entry["teams"] = ["crew"]
    return entry


def _limits(draw: random.Random) -> tuple[Any, ...]:
    released = draw.choice(((), (Brake.REMOVAL_SHARE,), (Brake.REMOVAL_SHARE, Brake.GRANT_SHARE)))
    return released, draw.choice((10, 10, 50, 5)), draw.choice((3, 2, 1, 8))


_HAPPENINGS: Final[Mapping[str, tuple[int, Callable[[random.Random], tuple[Any, ...]]]]] = {
    "declare": (16, lambda r: (_stack(r), _person(r), _entry(r), r.choice((None, None, None, 0, 1, 4, 9)))),
    "declare_all": (5, lambda r: (_stack(r), _entry(r), r.choice((None, None, 1, 4)))),
    "drop_all": (4, lambda r: (_stack(r),)),
    "drop": (6, lambda r: (_stack(r), _person(r))),
    "end": (4, lambda r: (_stack(r), _person(r), r.choice((-1, 0, 1, 3)))),
    "whole": (2, lambda r: (_stack(r), r.random() < 0.6)),
    "team": (3, lambda r: (_stack(r), r.random() < 0.7)),
    "rename": (4, lambda r: (_stack(r), r.randrange(100))),
    "configure": (5, lambda r: (_stack(r), *_limits(r))),
    "release_once": (5, lambda r: (_stack(r), *_limits(r), r.random() < 0.5)),
    "hand": (19, lambda r: (_hand(r),)),
    "time_passes": (6, lambda r: (r.choice((0.5, 1, 2, 5, 8)),)),
    "up": (16, lambda r: (_stack(r), _faults(r), r.random() < 0.3)),
    "up_refresh": (5, lambda r: (_stack(r), _faults(r))),
    "targeted": (4, lambda r: (_stack(r), _picks(r), _faults(r))),
    "excluding": (3, lambda r: (_stack(r), _picks(r), _faults(r))),
    "replacing": (3, lambda r: (_stack(r), _picks(r), _faults(r))),
    "refused": (3, lambda r: (_stack(r),)),
    "refresh": (4, lambda r: (_stack(r), _faults(r), r.random() < 0.5)),
    "destroy": (5, lambda r: (_stack(r), r.random() < 0.5, _faults(r))),
    "destroy_some": (3, lambda r: (_stack(r), _picks(r), _faults(r))),
    "revoke": (5, lambda r: (_stack(r), _faults(r))),
    "together": (4, lambda r: (_faults(r),)),
    "hand_meanwhile": (4, lambda r: (_stack(r), _hand(r))),
    "night": (4, lambda r: (_faults(r),)),
}
"""What may happen: how often, and with what."""


def steps_of(seed: int, length: int = LENGTH) -> list[Step]:
    """The steps of a life."""
    draw = random.Random(seed)
    names = list(_HAPPENINGS)
    weights = [weight for weight, _ in _HAPPENINGS.values()]
    chosen = draw.choices(names, weights, k=length)
    return [(name, *_HAPPENINGS[name][1](draw)) for name in chosen]


def trouble_with(world: World, steps: Sequence[Step]) -> str | None:
    """What breaks in a life; None if nothing does."""
    try:
        Life(world).live(steps)
    except Broken as broken:
        return str(broken)
    return None


def shortened(world: World, steps: Sequence[Step], trouble: str) -> tuple[list[Step], str]:
    """A shorter life that breaks the same promise."""
    kind = trouble.partition(": ")[2][:3]
    steps = list(steps)
    size = max(len(steps) // 2, 1)
    while size:
        start = 0
        while start < len(steps):
            fewer = steps[:start] + steps[start + size :]
            found = trouble_with(world, fewer)
            if found is not None and found.partition(": ")[2][:3] == kind:
                steps, trouble = fewer, found
            else:
                start += size
        size //= 2
    return steps, trouble


def main() -> None:
    """Live some lives again, and show the shortest ones that break as they do."""
    first, *last = map(int, sys.argv[1:])
    with (
        EmulatorServer(organization(), limit_invitations=False) as server,
        stamina.set_testing(True, attempts=READ_ATTEMPTS, cap=True),
    ):
        world = World(server)
        for seed in range(first, (last or [first + 1])[0]):
            steps = steps_of(seed)
            if (trouble := trouble_with(world, steps)) is not None:
                print(f"seed {seed}: {trouble}", flush=True)  # noqa: T201
                if not last:
                    steps, trouble = shortened(world, steps, trouble)
                    print(*steps, trouble, sep="\n")  # noqa: T201
        world.close()


if __name__ == "__main__":
    main()
