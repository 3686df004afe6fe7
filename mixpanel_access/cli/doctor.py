"""`mixpanel-access doctor`: print which calls a real organization answers as expected."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path

import typer

from mixpanel_access import __version__
from mixpanel_access.cli.output import instant_of, new_table, print_table, progress
from mixpanel_access.directory.probe import Probe, healthy, probes
from mixpanel_access.directory.regions import other_regions
from mixpanel_access.model.settings import Settings
from mixpanel_access.operations.project import open_project, stacks_of


def run_doctor(folder: Path, stacks: list[str], now: str | None, *, as_json: bool) -> int:
    """Try and print, each organization once; 1 when something is missing, refused or failed, else 0."""
    project = open_project(folder, progress)
    patients: dict[tuple[object, ...], tuple[Settings, list[str]]] = {}
    for stack in stacks_of(project, stacks):
        settings = project.settings(stack)
        who = (settings.username, settings.scim_token)
        same = (settings.api_url, settings.organization_id, *who, settings.allow_undocumented)
        patients.setdefault(same, (settings, []))[1].append(stack)
    at = instant_of(now)
    found = [(settings.api_url, names, _probed(settings, at)) for settings, names in patients.values()]
    versions = {"mixpanel-access": __version__, "python": platform.python_version()}
    if as_json:
        rows = [
            {
                "host": host,
                "stacks": names,
                "probes": [{**asdict(probe), "finding": probe.finding.value} for probe in tried],
            }
            for host, names, tried in found
        ]
        typer.echo(json.dumps({"versions": versions, "organizations": rows}, indent=2))
    else:
        for host, names, tried in found:
            _print(f"{host}, by the configuration of {', '.join(names)}", tried)
        typer.echo(", ".join(f"{name} {version}" for name, version in versions.items()) + ".")
        typer.echo("Nothing was written. There are no names in it: it can be attached to a bug report.")
    return 0 if all(healthy(tried) for _, _, tried in found) else 1


def _probed(settings: Settings, now: datetime | None) -> list[Probe]:
    from mixpanel_access.api.client import Api

    api = Api.connect(settings)
    try:
        return probes(
            api,
            settings.organization_id,
            settings.allow_undocumented,
            now or settings.clock(),
            partial(other_regions, settings),
        )
    finally:
        api.close()


def _print(title: str, tried: list[Probe]) -> None:
    table = new_table("call", "verdict", "expected", "came")
    for probe in tried:
        table.add_row(probe.call, probe.finding.value, probe.expected, probe.came)
    typer.echo(f"{title}:")
    print_table(table)
    typer.echo()
