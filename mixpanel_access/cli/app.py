"""All commands in one table; each has a file of its own, with its options and its help, imported when it is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Annotated, Any, Final

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

from mixpanel_access import __version__

SET_UP, GIVE, SEE, REVIEW = "Set up", "Give and take access", "See", "Review"
"""The groups of `--help`."""


Command = tuple[str, str, str]
"""Its name, its module and function, and its line in the list of commands."""

COMMANDS: Final[Mapping[str, Sequence[Command]]] = {
    SET_UP: (
        ("new", "new.new", "Create a project."),
        ("engine", "emulator.engine", "Find or download the Pulumi engine."),
        ("emulator", "emulator.emulator", "Run a local Mixpanel."),
        ("preflight", "preflight.preflight", "Check what an invitation needs first."),
        ("doctor", "doctor.doctor", "Try which calls Mixpanel answers."),
        ("import", "import_members.import_members", "Import existing people and grants."),
        ("ownership", "ownership.ownership", "Decide who was in the organization before."),
        ("schema", "roster.schema", "Print the JSON schema of a roster."),
        ("copy-rosters", "roster.copy_rosters", "Take only the rosters of a branch."),
    ),
    GIVE: (
        ("invite", "invite.invite", "Add a person to a roster."),
        ("welcome", "welcome.welcome", "Write to a new collaborator."),
        ("onboard", "onboard.onboard", "Show and tick a new person's checklist."),
        ("resend", "status.resend", "Send an invitation again."),
        ("token", "token.token", "Print the token of a service account."),
        ("revoke", "revoke.revoke", "Take away what has ended."),
        ("offboard", "offboard.offboard", "End everything a person has."),
        ("release", "release.release", "Release people from a stack; they keep access."),
    ),
    SEE: (
        ("status", "status.status", "Show everybody's access, and what is next."),
        ("who", "who.who", "Show who has access to what, and why."),
        ("diagnose", "diagnose.diagnose", "Find out why somebody cannot get in."),
        ("drift", "drift.drift", "Find access that no stack manages."),
        ("roster", "roster.roster", "Check a roster, and show what it gives."),
        ("remind", "remind.remind", "Show what is due; calendar and chat too."),
        ("post", "post.post", "Tell a chat what a run has changed."),
        ("report", "report.report", "Write the page of who has access to what."),
        ("evidence", "evidence.evidence", "Write the document of a period for an auditor."),
    ),
}
"""Group -> commands."""

BELOW: Final[Mapping[tuple[str, str], Sequence[Command]]] = {
    ("review", "The access review of every quarter."): (
        ("start", "review.start", "Write a packet for each reviewer."),
        ("decide", "review.decide", "Record one decision."),
        ("status", "review.status", "Show what is undecided."),
        ("apply", "review_apply.apply", "Write decisions into a roster."),
        ("evidence", "review_apply.evidence", "Write the evidence as a table."),
        ("verify", "review_apply.verify", "Check the evidence against the packets."),
    ),
    ("tracker", "The log of who got, changed or lost access."): (
        ("update", "tracker.update", "Add what has happened."),
        ("export", "tracker.export", "Write the log as a table."),
        ("verify", "tracker.verify", "Check the log against the states."),
        ("prune", "tracker.prune", "Remove what had ended before a day."),
        ("merge", "tracker.merge", "Merge the logs of two branches."),
    ),
    ("policy", "The policy rules, pack and findings."): (
        ("list", "policy.list_rules", "List all rules."),
        ("explain", "policy.explain", "Explain one rule, and how to configure it."),
        ("reference", "policy.print_reference", "Print the reference page of all rules."),
        ("pack", "policy.make_pack", "Write the policy pack as its own folder."),
        ("findings", "policy.print_findings", "Group the findings of a run by person."),
    ),
}
"""The commands that have commands of their own, and their line in the list -> those."""


_NAME: Final = "mixpanel-access"
_LISTED: Final[Mapping[tuple[str, str], Command]] = {
    **{(_NAME, one[0]): one for commands in COMMANDS.values() for one in commands},
    **{(above, one[0]): one for (above, _), commands in BELOW.items() for one in commands},
}
"""What a command is below, and its name -> the command."""


class _Commands(TyperGroup):
    """Commands, listed from the table, with nothing imported."""

    _completes = False

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command with its options: its module is imported now."""
        if self._completes or (self.name, cmd_name) not in _LISTED:
            return super().get_command(ctx, cmd_name)
        return _imported(self.name, cmd_name)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """The names that begin so; Click gets each command, and needs only its line."""
        self._completes = True
        try:
            return super().shell_complete(ctx, incomplete)
        finally:
            self._completes = False

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  # its signature is Typer's
        """Write a section for each group; Typer itself shows them only with Rich, which is slow to load."""
        groups: dict[str, list[tuple[str, str]]] = {}
        width = max(map(len, self.commands))
        for name, command in self.commands.items():
            group = getattr(command, "rich_help_panel", None) or "Commands"
            shown = command.get_short_help_str(formatter.width - 6 - width)
            groups.setdefault(group, []).append((name.ljust(width), shown))
        for group, rows in groups.items():
            with formatter.section(group):
                formatter.write_dl(rows)


class _Command(TyperCommand):
    """A command whose errors are about the option, and not about the library that checks it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line."""
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")  # pydantic's
            raise


def _end(code: int | None, **_: object) -> None:
    """A command returns its exit code."""
    raise typer.Exit(code or 0)


app = typer.Typer(
    name=_NAME,
    cls=_Commands,
    help="Access to a Mixpanel organization as code.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    result_callback=_end,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def _register() -> None:
    for group, commands in COMMANDS.items():
        for name, _, line in commands:
            app.command(name, short_help=line, rich_help_panel=group)(_listed)
    for (name, help_), commands in BELOW.items():
        below = typer.Typer(name=name, cls=_Commands, help=help_, no_args_is_help=True, rich_markup_mode=None)
        for below_name, _, line in commands:
            below.command(below_name, short_help=line)(_listed)
        app.add_typer(below, rich_help_panel=REVIEW)


def _listed() -> None:
    """Stands for a command where commands are listed."""


@cache
def _imported(above: str, name: str) -> Any:
    """A command as Click runs it."""
    _, function, line = _LISTED[above, name]
    module, _, function = function.partition(".")
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    alone.command(name, short_help=line, cls=_Command)(
        getattr(import_module(f"mixpanel_access.cli.{module}"), function)
    )
    return typer.main.get_command(alone)


_register()


@cache
def command_line() -> Any:
    """All of it as Click runs it. Typer would build it anew for each command that a process runs."""
    return typer.main.get_command(app)
