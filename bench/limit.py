"""Five hundred strangers under the hourly limit: what each run sends and says, and that nobody is mailed twice."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from bench.comparison import FIELDS, GROUPED, PROJECTS_OF_MEMBERS
from bench.lifecycle import UP
from bench.workspaces import GRANTS_EACH, STACK, Cost, Workspace, email_of, organization, roster, workspace
from mixpanel_access.engine import Completed, Engine

GRANTS: Final = 10_000
STRANGERS: Final = 500
RUNS: Final = {"first up": 0, "up again at once": 0, "up an hour later": 3601}
"""Run -> by how many seconds the emulator's clock is set forward before it."""
_OPENS: Final = re.compile(r"again from [-\d ]*\d\d:\d\d")


@dataclass(frozen=True)
class LimitFigure:
    """One run under the limit.

    Attributes:
        people: in the roster.
        strangers: how many of them are not in the organization.
        run: which one.
        cost: what it cost.
        invitations: sent in it.
        twice: people who have been invited twice by now.
        says_when: whether it says when the next run can go on.
    """

    people: int
    strangers: int
    run: str
    cost: Cost
    invitations: int
    twice: int
    says_when: bool


def measure_limit(engine: Engine, grants: int = GRANTS, strangers: int = STRANGERS) -> Iterator[LimitFigure]:
    """The runs, one after the other; each leaves people to be invited."""
    emails = [email_of(number) for number in range(grants // GRANTS_EACH)]
    document = organization(emails[strangers:], PROJECTS_OF_MEMBERS)
    with workspace(engine, document, limit=True) as ours:
        text = json.dumps(roster(grants, PROJECTS_OF_MEMBERS, **FIELDS[GROUPED]))
        (ours.pulumi.project / "stacks" / f"{STACK}.yaml").write_text(text)
        for run, seconds in RUNS.items():
            ours.emulator.control("POST", "clock", {"advance_seconds": seconds})
            before, done = _mails(ours), list[Completed]()
            cost = ours.cost(lambda runs=done: runs.append(_up(ours)))  # type: ignore[misc]
            mails = _mails(ours)
            yield LimitFigure(
                people=len(emails),
                strangers=strangers,
                run=run,
                cost=cost,
                invitations=mails.total() - before.total(),
                twice=sum(times > 1 for times in mails.values()),
                says_when=bool(_OPENS.search(done[0].stdout + done[0].stderr)),
            )


def _up(ours: Workspace) -> Completed:
    return ours.pulumi.run(*UP, "--stack", STACK, timeout=3600, check=False)


def _mails(ours: Workspace) -> Counter[str]:
    """Address -> how many invitations it got."""
    mails: list[dict[str, Any]] = ours.emulator.control("GET", "mails")
    return Counter(mail["email"] for mail in mails)
