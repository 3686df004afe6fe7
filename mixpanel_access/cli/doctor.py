"""`mixpanel-access doctor`: show which calls a real organization answers as expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from mixpanel_access import __version__
from mixpanel_access.cli.options import AsJson, Folder, Now, Stacks
from mixpanel_access.cli.output import instant_of, new_table, print_json, print_table, progress
from mixpanel_access.model.similarity import in_words

if TYPE_CHECKING:
    from mixpanel_access.directory.probe import Probe
    from mixpanel_access.model.settings import Settings


class DoctorOrganization(TypedDict):
    """One organization of `doctor`."""

    host: Annotated[str, "the host of its API"]
    stacks: Annotated[Sequence[str], "the stacks whose configuration names it"]
    probes: Annotated[Sequence[Probe], "the calls that were tried"]


class DoctorDocument(TypedDict):
    """What `doctor` prints as JSON."""

    versions: Annotated[Mapping[str, str], "program -> version"]
    organizations: Annotated[Sequence[DoctorOrganization], "what each organization answered"]


def doctor(
    stack: Stacks = None,
    now: Now = None,
    writes: Annotated[
        str,
        typer.Option(
            metavar="EMAIL", help="Try the writes too, on this throw-away address, and undo them: see docs/verify.md."
        ),
    ] = "",
    project: Annotated[
        int | None, typer.Option(metavar="ID", min=1, help="With --writes: a project that is not production.")
    ] = None,
    yes_write_to: Annotated[
        int | None, typer.Option(metavar="ORGANIZATION_ID", min=1, help="With --writes: the organization to write to.")
    ] = None,
    teams: Annotated[bool, typer.Option("--teams", help="With --writes: try a team too.")] = False,
    accounts: Annotated[bool, typer.Option("--accounts", help="With --writes: try a service account too.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Undo what a stopped run with --writes has left.")] = False,
    to: Annotated[
        Path | None,
        typer.Option("--to", "--output", help="With --writes: the report's file. Default: mixpanel-report.json."),
    ] = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Try every call that only reads, and show what is not as expected; exit 1 when a call is missing or refused.

    Example: `mixpanel-access doctor --stack production`
    """
    if undo or any((writes, project, yes_write_to, teams, accounts, to)):
        from mixpanel_access.cli.doctor_writes import WritesOptions, run_undo, run_writes

        parts = frozenset(part for part, wanted in (("teams", teams), ("accounts", accounts)) if wanted)
        wish = WritesOptions(email=writes, project=project, organization=yes_write_to, parts=parts, to=to)
        return (run_undo if undo else run_writes)(cwd, stack or [], wish, as_json=as_json)
    return _try_reads(cwd, stack or [], now, as_json=as_json)


def _try_reads(folder: Path, stacks: list[str], now: str | None, *, as_json: bool) -> int:
    """Try each organization once; 1 when a call is missing, refused or failed, else 0."""
    import platform

    from mixpanel_access.directory.probe import healthy
    from mixpanel_access.operations.project import open_project, stacks_of

    project = open_project(folder, progress)
    patients: dict[tuple[object, ...], tuple[Settings, list[str]]] = {}
    for name in stacks_of(project, stacks):
        settings = project.settings(name)
        who = (settings.username, settings.scim_token)
        same = (settings.api_url, settings.organization_id, *who, settings.allow_undocumented)
        patients.setdefault(same, (settings, []))[1].append(name)
    at = instant_of(now)
    found = [(settings.api_url, names, _probed(settings, at)) for settings, names in patients.values()]
    versions = {"mixpanel-access": __version__, "python": platform.python_version()}
    if as_json:
        rows = [DoctorOrganization(host=host, stacks=names, probes=tried) for host, names, tried in found]
        print_json(DoctorDocument(versions=versions, organizations=rows))
    else:
        for host, names, tried in found:
            _print(f"{host}, by the configuration of {in_words(names)}", tried)
        typer.echo(", ".join(f"{name} {version}" for name, version in versions.items()) + ".")
        typer.echo("Nothing was written. No names are in this output: you can attach it to a bug report.")
    return 0 if all(healthy(tried) for _, _, tried in found) else 1


def _probed(settings: Settings, now: datetime | None) -> list[Probe]:
    from functools import partial

    from mixpanel_access.api.client import Api
    from mixpanel_access.directory.probe import other_regions, probes

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
