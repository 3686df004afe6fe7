"""The same grants in each form: single resources, grouped ones, and Mixpanel's own Terraform provider beside them.

The engine saves the state with each step, in a folder, as it does for somebody who changes no setting.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

from bench.lifecycle import DESTROY, PREVIEW, REFRESH, REFRESHES, UP, Figure
from bench.peer import Peer, measure_peer
from bench.workspaces import GRANTS_EACH, PROJECTS, STACK, Cost, Workspace, email_of, organization, roster, workspace
from mixpanel_access.engine import Engine

PEER: Final = "official provider"
SINGLE: Final = "single resources"
SDK: Final = "single resources, the SDK's server"
GROUPED: Final = "grouped roster"
FORMS: Final = {"single": SINGLE, "sdk": SDK, "grouped": GROUPED}
"""The forms as the command line names them."""
FIELDS: Final[dict[str, dict[str, Any]]] = {SINGLE: {}, SDK: {}, GROUPED: {"grouped": True}}
"""Form -> what its roster has at the top."""
COMMANDS: Final = {
    "preview (create)": ("preview",),
    "up (create)": UP,
    "preview (unchanged)": PREVIEW,
    "refresh": REFRESH,
    "destroy": DESTROY,
}
GRANTS: Final = 1000
NEW: Final = "new people"
MEMBERS: Final = "members"
"""Who the people are: strangers whom the `up` invites, or people who are in the organization."""
PROJECTS_OF_MEMBERS: Final = [1000 + number for number in range(20)]
LARGE: Final = (GRANTS, 10 * GRANTS)
"""Grants of people who are members already: how a command grows."""


@dataclass(frozen=True)
class FormFigure:
    """One command over one form.

    Attributes:
        form: how the grants are declared, or the official provider.
        people: who they are: new people, or members.
        grants: how many grants, two for each person.
        command: what was run.
        cost: what it cost.
        peer: the versions of the official provider and of Terraform, in its rows.
    """

    form: str
    people: str
    grants: int
    command: str
    cost: Cost
    peer: str | None = None


def compare(engine: Engine, forms: Sequence[str], peer: Peer | None, grants: int) -> Iterator[FormFigure | Figure]:
    """The forms one after the other, of people who are new; of single resources the refresh beside the floor, too."""
    if peer:
        for command, cost in measure_peer(peer, grants):
            yield FormFigure(PEER, NEW, grants, command, cost, peer.versions)
    for form in forms:
        with ExitStack() as stack:
            ours = stack.enter_context(workspace(engine, organization()))
            _declare(ours, form, grants, PROJECTS)
            for command, arguments in COMMANDS.items():
                if form == SINGLE and command == "refresh":
                    beside = _refresh(engine, stack, ours, grants)
                    yield beside
                    yield FormFigure(form, NEW, grants, command, beside.ours)
                else:
                    yield FormFigure(form, NEW, grants, command, ours.run(*arguments))


def measure_members(engine: Engine, grants: int) -> Iterator[FormFigure]:
    """A grouped roster of people who are members already, in 20 projects."""
    emails = [email_of(number) for number in range(grants // GRANTS_EACH)]
    with workspace(engine, organization(emails, PROJECTS_OF_MEMBERS)) as ours:
        _declare(ours, GROUPED, grants, PROJECTS_OF_MEMBERS)
        for command, arguments in COMMANDS.items():
            yield FormFigure(GROUPED, MEMBERS, grants, command, ours.run(*arguments))


def _declare(ours: Workspace, form: str, grants: int, projects: Sequence[int]) -> None:
    (ours.pulumi.project / "stacks" / f"{STACK}.yaml").write_text(json.dumps(roster(grants, projects, **FIELDS[form])))
    if form == SDK:
        ours.on_the_sdks_server()


def _refresh(engine: Engine, stack: ExitStack, ours: Workspace, grants: int) -> Figure:
    """The refresh with the median ratio, in turn with the floor's, whose state is made without checkpoints."""
    quick = stack.enter_context(workspace(engine, organization(), floor=True, checkpoints=False))
    _declare(quick, SINGLE, grants, PROJECTS)
    quick.run(*UP)
    floor = quick.with_checkpoints()
    taken = [(ours.run(*REFRESH), floor.run(*REFRESH)) for _ in range(REFRESHES)]
    figures = [
        Figure(grants=grants, checkpoints=True, command="refresh", ours=cost, floor=least.seconds)
        for cost, least in taken
    ]
    return sorted(figures, key=lambda figure: figure.ratio or 0)[len(figures) // 2]
