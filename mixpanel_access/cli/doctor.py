"""`mixpanel-access doctor`: show which calls a real organization answers as expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from mixpanel_access import __version__
from mixpanel_access.cli.findings import print_findings, print_verdict
from mixpanel_access.cli.options import AsJson, Folder, Now, Stacks
from mixpanel_access.cli.output import instant_of, print_json, print_paragraph, progress, record_of
from mixpanel_access.model.similarity import in_words

if TYPE_CHECKING:
    from mixpanel_access.directory.probe import Probe
    from mixpanel_access.model.verdict import Verdict
    from mixpanel_access.operations.doctoring import OrganizationProbes


class DoctorDocument(TypedDict):
    """What `doctor` prints as JSON."""

    versions: Annotated[Mapping[str, str], "program -> version"]
    machine: Annotated[Sequence[Probe], "what was read of this machine and of the project's files"]
    organizations: Annotated[Sequence[OrganizationProbes], "what each organization answered"]
    verdict: Annotated[Verdict, "what is most likely wrong, and the next step"]


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
    """Try every call that only reads, and show what is most likely wrong; exit 1 when something needed fails.

    Example: `mixpanel-access doctor --stack production`
    """
    if undo or any((writes, project, yes_write_to, teams, accounts, to)):
        from mixpanel_access.cli.doctor_writes import WritesOptions, run_undo, run_writes

        parts = frozenset(part for part, wanted in (("teams", teams), ("accounts", accounts)) if wanted)
        wish = WritesOptions(email=writes, project=project, organization=yes_write_to, parts=parts, to=to)
        return (run_undo if undo else run_writes)(cwd, stack or [], wish, as_json=as_json)
    return _try_reads(cwd, stack or [], now, as_json=as_json)


def _try_reads(folder: Path, stacks: list[str], now: str | None, *, as_json: bool) -> int:
    """Try each organization once; 1 when something that is needed is missing, refused or failed, else 0."""
    import platform

    from mixpanel_access.operations.doctoring import examine

    found = examine(folder, stacks, instant_of(now), progress)
    verdict, versions = found.verdict(), {"mixpanel-access": __version__, "python": platform.python_version()}
    if as_json:
        print_json(record_of(DoctorDocument, found, versions=versions, verdict=verdict))
    else:
        print_findings("this machine and its project", map(_row, found.machine))
        for one in found.organizations:
            print_findings(f"{one.host}, by the configuration of {in_words(one.stacks)}", map(_row, one.probes))
        typer.echo(", ".join(f"{name} {version}" for name, version in versions.items()) + ".")
        print_paragraph("Nothing was written. No names are in this output: you can attach it to a bug report.")
        print_verdict(verdict)
    if found.error:
        raise found.error
    return 0 if found.healthy else 1


def _row(probe: Probe) -> tuple[str, str]:
    expected = (
        f" (expected: {probe.expected})" if probe.expected and probe.finding.value not in ("ok", "skipped") else ""
    )
    return probe.finding.value, f"{probe.call}: {probe.came}{expected}"
