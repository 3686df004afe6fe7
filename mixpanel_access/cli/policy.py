"""`mixpanel-access policy`: the policy rules, the policy pack, and the findings of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import typer

from mixpanel_access.cli.new import NewDocument
from mixpanel_access.cli.options import AsJson, rules
from mixpanel_access.cli.output import new_table, print_json, print_table, read_output, record_of

if TYPE_CHECKING:
    from mixpanel_access.rules.rule import Rule


class RuleDocument(TypedDict):
    """What `policy list` and `policy explain` print of a rule as JSON."""

    id: Annotated[str, "the rule's id"]
    family: Annotated[str, "what the rule is about"]
    title: Annotated[str, "what it requires"]
    level: Annotated[str, "the level unless the configuration sets another: `mandatory`, `advisory` or `disabled`"]
    severity: Annotated[str, "how severe a violation is"]
    judges: Annotated[str, "which resources it judges"]
    fix: Annotated[str, "how to fix a violation"]
    controls: Annotated[Sequence[str], "the controls of audit frameworks that it helps with"]
    options: Annotated[Mapping[str, Any], "option -> its JSON schema, with description and default"]


def list_rules(as_json: AsJson = False) -> int:
    """List all rules.

    Example: `mixpanel-access policy list`
    """
    from mixpanel_access.rules.catalogue import RULES

    if as_json:
        print_json([_document(rule) for rule in RULES])
        return 0
    table = new_table("rule", "family", "level", "severity", "requirement")
    for rule in RULES:
        table.add_row(rule.id, rule.family.value, rule.level.value, rule.severity.value, rule.title)
    print_table(table)
    return 0


def _document(rule: Rule) -> RuleDocument:
    from mixpanel_access.rules.catalogue import judges

    return record_of(
        RuleDocument,
        rule,
        judges=judges(rule),
        controls=[str(control) for control in rule.controls],
        options={option.name: option.schema for option in rule.options},
    )


def explain(
    rule: Annotated[
        str, typer.Argument(help="The rule's id, as the output of a policy run shows it.", autocompletion=rules)
    ],
    as_json: AsJson = False,
) -> int:
    """Explain one rule: what it checks, how to fix a violation, how to configure it.

    Example: `mixpanel-access policy explain domain-allowed`
    """
    from mixpanel_access.rules.catalogue import explanation, find

    found = find(rule)
    if as_json:
        print_json(_document(found))
    else:
        typer.echo(explanation(found))
    return 0


def print_reference() -> int:
    """Print the reference page of all rules, in Markdown.

    Example: `mixpanel-access policy reference`
    """
    from mixpanel_access.rules.catalogue import reference

    typer.echo(reference(), nl=False)
    return 0


def make_pack(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The pack's folder; created if it does not exist.")],
    wheel: Annotated[Path, typer.Option(help="The wheel of this version, which goes into the folder.")],
    as_json: AsJson = False,
) -> int:
    """Write the policy pack with its hashed requirements, to run with any project or to publish for all.

    Example: `mixpanel-access policy pack pack --wheel mixpanel_access.whl`
    """
    from mixpanel_access.operations.new_project import write_pack

    files = write_pack(folder, wheel)
    if as_json:
        print_json(NewDocument(folder=folder, files=files))
        return 0
    for file in files:
        typer.echo(f"  {file}")
    typer.echo(f"{folder} is a policy pack. Make its virtualenv once:")
    typer.echo(
        f"  cd {folder} && python3 -m venv venv && venv/bin/pip install --require-hashes --no-deps -r requirements.txt"
    )
    return 0


def print_findings(
    file: Annotated[
        Path, typer.Argument(help="The output of pulumi preview, up or policy analyze; - is standard input.")
    ],
    lines: Annotated[int, typer.Option(min=1, help="The most findings to show; the rest is counted.")] = 100,
) -> int:
    """Group the findings of a policy run by person, mandatory ones first, and count what is cut.

    Example: `mixpanel-access policy findings preview.txt`
    """
    from mixpanel_access.operations.policy_check import findings_in, shows_a_pack

    output = read_output(file, "Name the file of a policy run.")
    found = findings_in(output)
    if not found.levels and not shows_a_pack(output):
        typer.echo(
            "Policy findings: unknown. The output does not show that a policy pack ran; look for an error in it."
        )
        return 0
    for line in found.lines(lines):
        typer.echo(line)
    return 0
