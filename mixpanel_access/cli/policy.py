"""`mixpanel-access policy`: what the rules are."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from mixpanel_access.cli.output import new_table, print_table
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
    typer.echo(f"{folder} is a policy pack. `pulumi install` in it makes its virtualenv.")
