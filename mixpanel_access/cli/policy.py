"""`mixpanel-access policy`: what the rules are."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typer

from mixpanel_access.cli.output import new_table, print_table
from mixpanel_access.files.whole import reason
from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations.policy_findings import findings_in, shows_a_pack
from mixpanel_access.operations.policy_pack import write_pack
from mixpanel_access.rules.catalogue import RULES, find
from mixpanel_access.rules.reference import as_document, explanation, reference


def list_rules(*, as_json: bool) -> None:
    """Print all rules, one a line."""
    if as_json:
        typer.echo(json.dumps([as_document(rule) for rule in RULES], indent=2))
        return
    table = new_table("rule", "family", "level", "severity", "what must be so")
    for rule in RULES:
        table.add_row(rule.id, rule.family.value, rule.level.value, rule.severity.value, rule.title)
    print_table(table)


def explain(rule_id: str, *, as_json: bool) -> None:
    """Print one rule."""
    rule = find(rule_id)
    typer.echo(json.dumps(as_document(rule), indent=2) if as_json else explanation(rule))


def print_reference() -> None:
    """Print the page of all rules."""
    typer.echo(reference(), nl=False)


def make_pack(folder: Path, wheel: Path, *, as_json: bool) -> None:
    """Write the pack as a folder of its own, and say how to go on."""
    files = write_pack(folder, wheel)
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), "files": files}, indent=2))
        return
    for file in files:
        typer.echo(f"  {file}")
    typer.echo(f"{folder} is a policy pack. Make its virtualenv once:")
    typer.echo(
        f"  cd {folder} && python3 -m venv venv && venv/bin/pip install --require-hashes --no-deps -r requirements.txt"
    )


def print_findings(file: Path, lines: int) -> None:
    """Print the findings of a run, grouped by person."""
    try:
        output = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8", "replace")
    except OSError as error:
        raise UsageError(
            "cannot read the output", whom=str(file), why=reason(error), next_step="Name the file of a policy run."
        ) from None
    found = findings_in(output)
    if not found.levels and not shows_a_pack(output):
        typer.echo(
            "Policy findings: unknown. The output does not show that a policy pack ran; look for an error in it."
        )
        return
    for line in found.lines(lines):
        typer.echo(line)
