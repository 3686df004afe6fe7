"""The commands themselves, on a day of each life: as JSON they say what the functions say that they call."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from mixpanel_access.cli.output import plain
from mixpanel_access.model.dates import written
from mixpanel_access.operations.diagnosing import case_of, diagnose
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.pending.find import pending_changes, renamed_in
from mixpanel_access.operations.reminding import reminders
from mixpanel_access.operations.report.build import make_report
from mixpanel_access.operations.status import statuses
from mixpanel_access.operations.who import in_project
from tests.cli.typed import typed
from tests.engine import quick_pulumi
from tests.lives.checks import AHEAD, Disagreement
from tests.lives.world import World

_TRIED = 3
"""How many commands a life tries."""
_REMINDER = ("kind", "email", "engagement", "on", "text", "nextStep", "uid")


class Commands:
    """The command line in this process, in a world's project.

    Args:
        world: the world; its `pulumi` answers what only reads the files.
        draw: draws which commands are tried, and of whom.
    """

    def __init__(self, world: World, draw: Random) -> None:
        self._world, self._draw = world, draw
        engine, folder = world.folder / "no-engine", world.folder / "bin"
        for made in (engine, folder):
            made.mkdir()
        for program in ("pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python"):
            (engine / program).touch(0o755)
        quick_pulumi.installed(str(engine), str(folder), world.pulumi.engine.version)
        self._environ = {
            **world.pulumi.environ, "PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(world.folder),
            "PULUMI_BACKEND_URL": world.shared.url(),
        }  # fmt: skip

    def disagreements(self, overview: Overview) -> Iterator[Disagreement]:
        """What a command says otherwise than the function that it calls; a life tries some of them."""
        for check in self._draw.sample(_COMMANDS, _TRIED):
            yield from check(self, overview, ("--now", written(overview.now)))

    def _status(self, overview: Overview, now: Sequence[str]) -> Iterator[Disagreement]:
        yield from self._compared(plain(statuses(overview)), lambda said: said["people"], "status", *now)

    def _remind(self, overview: Overview, now: Sequence[str]) -> Iterator[Disagreement]:
        rows = [{key: plain(one)[key] for key in _REMINDER} for one in [*map(_with_uid, reminders(overview))]]
        yield from self._compared(
            rows, lambda said: [{key: one[key] for key in _REMINDER} for one in said["reminders"]], "remind", *now
        )

    def _within(self, overview: Overview, now: Sequence[str]) -> Iterator[Disagreement]:
        changes = {
            name: plain(
                pending_changes(
                    view.roster, view.state, overview.today, AHEAD, renamed=renamed_in(view.state, overview.directory)
                )
            )
            for name, view in overview.stacks.items()
        }
        within = ("revoke", "--within", str(AHEAD), *now)
        yield from self._compared(
            changes, lambda said: {one["stack"]: one["changes"] for one in said["stacks"]}, *within
        )

    def _drift(self, overview: Overview, now: Sequence[str]) -> Iterator[Disagreement]:
        yield from self._compared(plain(overview.differences), lambda said: said["differences"], "drift")

    def _who(self, overview: Overview, now: Sequence[str]) -> Iterator[Disagreement]:
        project = self._draw.choice(list(overview.directory.projects().values()))
        access = [
            (one.email, one.role, one.grant_type.value, one.team, one.stack) for one in in_project(overview, project)
        ]
        yield from self._compared(access, _sources, "who", "--project", str(project.id), *now)

    def _report(self, overview: Overview, now: Sequence[str]) -> Iterator[Disagreement]:
        yield from self._compared(plain(make_report(overview)), lambda said: said, "report", *now)

    def _diagnose(self, overview: Overview, now: Sequence[str]) -> Iterator[Disagreement]:
        email = self._draw.choice(overview.people).email
        true = plain(diagnose(case_of(overview, email)))
        yield from self._compared(true, lambda said: said["findings"], "diagnose", email, *now)

    def _compared(self, true: Any, part: Any, *words: str) -> Iterator[Disagreement]:
        done = typed(*words, "--json", cwd=self._world.stacks.parent, environ=self._environ)
        if done.error or not done.out:
            yield Disagreement(words[0], "a failure", done.err or repr(done.error), said=True)
            return
        said = part(json.loads(done.out))
        if json.loads(json.dumps(said)) != json.loads(json.dumps(true)):
            yield Disagreement(words[0], "another document than its function", _first_difference(said, true), said=True)


_COMMANDS = (
    Commands._status, Commands._remind, Commands._within, Commands._drift, Commands._who, Commands._report,
    Commands._diagnose,
)  # fmt: skip


def _with_uid(reminder: Any) -> Mapping[str, Any]:
    return {**plain(reminder), "uid": reminder.uid}


def _sources(said: Any) -> list[tuple[Any, ...]]:
    keys = ("email", "role", "grantType", "team", "stack")
    return [tuple(one[key] for key in keys) for one in said if one["otherAccess"] is None]


def _first_difference(said: Any, true: Any) -> Any:
    if isinstance(said, dict) and isinstance(true, dict):
        return next(
            (
                {key: _first_difference(said.get(key), true.get(key))}
                for key in {*said, *true}
                if said.get(key) != true.get(key)
            ),
            None,
        )
    if isinstance(said, list) and isinstance(true, list) and len(said) == len(true):
        return next((_first_difference(*pair) for pair in zip(said, true, strict=True) if pair[0] != pair[1]), None)
    return said, true
