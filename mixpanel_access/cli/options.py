"""Options and arguments that several commands take, each declared once, with what the shell completes them to.

Completion reads the files of the project in the current folder, or that of `--cwd`: no engine, no network. Outside of a
project, and where a file cannot be read, it offers nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mixpanel_access.cli.output import instant_of, progress

if TYPE_CHECKING:
    from mixpanel_access.operations.overview import Overview
    from mixpanel_access.operations.project import PulumiProject

_EMAIL: Final = re.compile(r"""\bemail:\s*["']?([^\s"',}#]+@[^\s"',}#]+)""")
_ROSTER: Final = re.compile(r"^environment:", re.MULTILINE)
_Find = Callable[[typer.Context, str], Iterable[str]]


def _quiet(find: _Find) -> Callable[[typer.Context, str], list[str]]:
    """A completion that shows no error: the shell would print it into the line that somebody types."""
    return lambda ctx, incomplete: _found(find, ctx, incomplete)  # annotations would cost time at every start


def _found(find: _Find, ctx: typer.Context, incomplete: str) -> list[str]:
    try:
        return sorted(set(find(ctx, incomplete)))
    except Exception:  # noqa: BLE001  # whatever it is, the command itself reports it
        return []


def _rosters(ctx: typer.Context) -> tuple[Path, Path, dict[Path, str]]:
    """The project's folder, the one of its stacks' configuration, and the YAML files next to its program."""
    start = Path(ctx.params.get("cwd") or ".").absolute()
    root = next(folder for folder in (start, *start.parents) if (folder / "Pulumi.yaml").is_file())
    text = (root / "Pulumi.yaml").read_text(encoding="utf-8")

    def setting(key: str) -> Path:
        line = re.search(rf"""^{key}:\s*["']?([^\s"'#]+)""", text, re.MULTILINE)
        return root / (line[1] if line else ".")

    program, config = setting("main"), setting("stackConfigDir")
    folder = program if program.is_dir() else program.parent
    files = [file for file in folder.glob("*.yaml") if not file.name.startswith("Pulumi.")]
    return root, config, {file: file.read_text(encoding="utf-8") for file in files}


@_quiet
def stacks(ctx: typer.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001  # Typer filters
    """The stacks of the project that have a configuration or a roster."""
    root, config, rosters = _rosters(ctx)
    for folder in {root, config}:
        yield from (file.name[len("Pulumi.") : -len(".yaml")] for file in folder.glob("Pulumi.*.yaml"))
    yield from (file.stem for file, text in rosters.items() if _ROSTER.search(text))


@_quiet
def addresses(ctx: typer.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001
    """The addresses in the rosters of the project."""
    for text in _rosters(ctx)[2].values():
        yield from _EMAIL.findall(text)


@_quiet
def rules(ctx: typer.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001
    """The ids of the policy rules."""
    from mixpanel_access.rules.catalogue import RULES

    return (rule.id for rule in RULES)


@_quiet
def organization_roles(ctx: typer.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001
    """The names of Mixpanel's organization roles."""
    from mixpanel_access.model.roles import ORGANIZATION_ROLES

    return ORGANIZATION_ROLES


@_quiet
def project_and_role(ctx: typer.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001
    """Mixpanel's project roles, behind the key of a project."""
    from mixpanel_access.model.roles import PROJECT_ROLES

    key, equals, _ = incomplete.partition("=")
    return (f"{key}={role}" for role in PROJECT_ROLES) if equals else ()


@_quiet
def decisions(ctx: typer.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001
    """What can be decided on a role in a review."""
    from mixpanel_access.model.roles import ORGANIZATION_ROLES, PROJECT_ROLES

    return ("keep", "remove", "clear", *(f"lower={role}" for role in (*PROJECT_ROLES, *ORGANIZATION_ROLES)))


def words(*choices: str) -> Callable[[], list[str]]:
    """A completion to fixed words."""
    return lambda: list(choices)


FORMATS: Final = ("csv", "xlsx", "markdown", "json")
"""What a log or the evidence can be exported as."""

Folder = Annotated[Path, typer.Option("--cwd", "-C", help="The folder of the Pulumi project.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON: docs/json.md lists its keys.")]
Ask = Annotated[
    bool | None, typer.Option("--ask/--no-ask", help="Ask for what is missing.", show_default="in a terminal")
]
Stacks = Annotated[
    list[str] | None,
    typer.Option(
        "--stack",
        "-s",
        help="Only this stack; repeatable. Without it: all stacks of the project.",
        autocompletion=stacks,
    ),
]
"""For a command that only reads, for `revoke`, `offboard` and `resend`."""
SelectedStack = Annotated[
    str,
    typer.Option(
        "--stack",
        "-s",
        help="The stack to change. Without it: the stack that Pulumi has selected.",
        autocompletion=stacks,
    ),
]
"""For any other command that changes; `operations.project.stack_to_change` takes it."""
Now = Annotated[
    str | None,
    typer.Option(help="The instant to use as now (ISO 8601). Default: mixpanel:now of the stack, else the clock."),
]
ClockNow = Annotated[
    str | None,
    typer.Option("--now", help="The instant to use as now (ISO 8601). Default: the clock, whatever the stack has."),
]
Format = Annotated[str, typer.Option("--format", help="csv, xlsx, markdown or json.", autocompletion=words(*FORMATS))]


def none_to_print(to: Path | None) -> Path | None:
    """The file of an option, or None for `-`, which prints."""
    return None if str(to) == "-" else to


To = Annotated[
    Path | None,
    typer.Option(
        "--to",
        "--output",
        help="The file to write; xlsx needs it. Default, or -: standard output.",
        callback=none_to_print,
    ),
]
AsJsonFormat = Annotated[bool, typer.Option("--json", help="The same as --format json.")]


@contextmanager
def read_overview(where: Path | PulumiProject, stack: Sequence[str] | None, now: str | None) -> Iterator[Overview]:
    """Read the stacks of `--stack` in a project, or in the one of `--cwd`, and their organization, as of `--now`."""
    from mixpanel_access.operations.overview import load_overview  # slow to load
    from mixpanel_access.operations.project import open_project

    project = open_project(where, progress) if isinstance(where, Path) else where
    with load_overview(project, stack or [], instant_of(now), progress) as overview:
        yield overview
