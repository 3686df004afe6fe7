"""`mixpanel-access doctor`: print which calls a real organization answers as expected."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from pathlib import Path

import typer

from mixpanel_access import __version__
from mixpanel_access.api.client import Api
from mixpanel_access.cli.output import new_table, print_table, progress
from mixpanel_access.directory.probe import healthy, probes
from mixpanel_access.operations.project import open_project


def run_doctor(folder: Path, stack: str, *, as_json: bool) -> int:
    """Try and print; 1 when something is missing, refused or failed, else 0."""
    settings = open_project(folder, progress).settings(stack)
    api = Api.connect(settings)
    try:
        found = probes(api, settings.organization_id, settings.allow_undocumented, settings.clock())
    finally:
        api.close()
    versions = {"mixpanel-access": __version__, "python": platform.python_version()}
    if as_json:
        rows = [{**asdict(probe), "finding": probe.finding.value} for probe in found]
        typer.echo(json.dumps({"host": settings.api_url, "versions": versions, "probes": rows}, indent=2))
    else:
        table = new_table("call", "verdict", "expected", "came")
        for probe in found:
            table.add_row(probe.call, probe.finding.value, probe.expected, probe.came)
        print_table(table)
        typer.echo(f"\n{settings.api_url}, {', '.join(f'{name} {version}' for name, version in versions.items())}.")
        typer.echo("Nothing was written. There are no names in it: it can be attached to a bug report.")
    return 0 if healthy(found) else 1
