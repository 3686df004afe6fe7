"""The commands that have commands of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixpanel_access.cli.options import AsJson, Folder, Now, Stacks

tracker = typer.Typer(
    name="tracker", help="The access log: who got, changed or lost what.", no_args_is_help=True, rich_markup_mode=None
)
LogFile = Annotated[Path | None, typer.Option("--file", help="The log. Default: tracker.jsonl of the project.")]


@tracker.command("update", short_help="Add what has happened.")
def tracker_update(
    file: LogFile = None,
    stack: Stacks = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Add to the log what has happened in the stacks, and beside them, since the last time."""
    from mixpanel_access.cli.tracker import add_to_log

    raise typer.Exit(add_to_log(cwd, file, stack or [], now, as_json=as_json))


@tracker.command("export")
def tracker_export(
    file: LogFile = None,
    form: Annotated[str, typer.Option("--format", help="csv, xlsx, markdown or json.")] = "csv",
    to: Annotated[Path | None, typer.Option(help="Where to; xlsx needs it. Default: standard output.")] = None,
    cwd: Folder = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Write the log as a table."""
    from mixpanel_access.cli.tracker import export_log

    raise typer.Exit(export_log(cwd, file, "json" if as_json else form, to))


@tracker.command("verify", short_help="Check that no line was touched.")
def tracker_verify(file: LogFile = None, cwd: Folder = Path(), as_json: AsJson = False) -> None:
    """Check that no line of the log was changed, taken out or put in; exit 1 when one was."""
    from mixpanel_access.cli.tracker import verify_log

    raise typer.Exit(verify_log(cwd, file, as_json=as_json))


@tracker.command("prune", short_help="Take out what had ended before a day.")
def tracker_prune(
    before: Annotated[str, typer.Option(help="The first day whose lines all stay (YYYY-MM-DD, UTC).")],
    yes: Annotated[bool, typer.Option("--yes", help="Write it; without it, it is only shown.")] = False,
    file: LogFile = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Remove from the log what had ended before a day, and list the people whom it no longer names.

    From that day on, the log shows who had what, as before. The hashes of the lines change: if you keep the last hash
    elsewhere, keep the new one.
    """
    from mixpanel_access.cli.tracker import prune_log

    raise typer.Exit(prune_log(cwd, file, before, now, yes=yes, as_json=as_json))


policy = typer.Typer(
    name="policy",
    help="The policy rules, the policy pack, and the findings of a run.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@policy.command("list")
def policy_list(as_json: AsJson = False) -> None:
    """List all rules."""
    from mixpanel_access.cli.policy import list_rules

    list_rules(as_json=as_json)


@policy.command("explain", short_help="Explain one rule, and how to set it.")
def policy_explain(
    rule: Annotated[str, typer.Argument(help="The rule's id, as the output of a policy run has it.")],
    as_json: AsJson = False,
) -> None:
    """Explain one rule: what it judges, how to fix a violation, how to set it."""
    from mixpanel_access.cli.policy import explain

    explain(rule, as_json=as_json)


@policy.command("reference")
def policy_reference() -> None:
    """Print the reference page of all rules, in Markdown."""
    from mixpanel_access.cli.policy import print_reference

    print_reference()


@policy.command("pack", short_help="Write the policy pack as a folder of its own.")
def policy_pack(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder; it is made if it does not exist.")],
    wheel: Annotated[Path, typer.Option(help="The wheel of this version, which goes into the folder.")],
    as_json: AsJson = False,
) -> None:
    """Write the policy pack with its requirements, hashed, to run beside any project or to publish for all."""
    from mixpanel_access.cli.policy import make_pack

    make_pack(folder, wheel, as_json=as_json)


@policy.command("findings", short_help="Group what a policy run has found by person.")
def policy_findings(
    file: Annotated[
        Path, typer.Argument(help="The output of pulumi preview, up or policy analyze; - is standard input.")
    ],
    lines: Annotated[int, typer.Option(min=1, help="The most findings to show; the rest is counted.")] = 100,
) -> None:
    """Group what a policy run has found by person, mandatory findings first, and count what is cut."""
    from mixpanel_access.cli.policy import print_findings

    print_findings(file, lines)
