"""The CI examples keep their promises, and each promise can be broken."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from mixpanel_access.engine import Pulumi, ensure_engine

from . import cases, rules, update_cases, update_rules
from .documents import GITHUB, GITLAB, README, github_jobs, gitlab_jobs
from .linter import find_actionlint, lint
from .rules import Rule

MODULES = (rules, update_rules)
ALL = {rule: GITHUB for module in MODULES for rule in module.GITHUB_RULES}
ALL |= {rule: GITLAB for module in MODULES for rule in module.GITLAB_RULES}
CASES = [*cases.CASES, *update_cases.CASES]


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.__name__)
def test_the_examples_keep_the_rule(rule: Rule) -> None:
    """No rule finds anything."""
    assert list(rule(ALL[rule])) == []


@pytest.mark.parametrize(
    ("rule", "old", "new", "said"), CASES, ids=[f"{i}-{case[0].__name__}" for i, case in enumerate(CASES)]
)
def test_each_rule_can_fail(rule: Rule, old: str, new: str, said: str) -> None:
    """A spoiled file is found out."""
    text = ALL[rule]
    assert old in text
    assert any(said in found for found in rule(text.replace(old, new)))


def test_every_rule_has_a_failing_case() -> None:
    """No rule is left out of the table of cases, nor of those that are applied."""
    written = {
        rule
        for module in MODULES
        for name, rule in inspect.getmembers(module, inspect.isgeneratorfunction)
        if rule.__module__ == module.__name__ and not name.startswith("_")
    }
    assert {case[0] for case in CASES} == set(ALL) == written


def test_no_token_is_in_the_workflow() -> None:
    """What looks like a token in the one file would in the other."""
    assert not rules._TOKENS.search(GITHUB + README)


@pytest.fixture(scope="session")
def actionlint() -> Path:
    """The linter."""
    return find_actionlint()


def test_actionlint_finds_nothing(actionlint: Path, tmp_path: Path) -> None:
    """The real linter has nothing to say about the workflow."""
    workflow = tmp_path / "workflow.yml"
    workflow.write_text(GITHUB)
    outcome = lint(actionlint, workflow)
    assert (outcome.stdout, outcome.stderr, outcome.returncode) == ("", "", 0)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  workflow_dispatch:", "  workflow_dispatched:", "unknown Webhook event"),
        ("needs: up-staging", "needs: up-stage", "does not exist"),
        ("17 3 * * *", "17 25 * * *", "invalid CRON format"),
        ("steps.drift.outputs.code }}", "steps.drifts.outputs.code }}", 'property "drifts" is not defined'),
        ("issues: write", "issue: write", "unknown permission scope"),
        ("mkdir preview\n", "echo ${{ github.head_ref }}\n", "potentially untrusted"),
        ("    steps: *up\n", "    steps: *down\n", "could not parse"),
        ("      queue: max\n", "      queues: max\n", 'unexpected key "queues"'),
    ],
)
def test_actionlint_can_fail(actionlint: Path, tmp_path: Path, old: str, new: str, said: str) -> None:
    """The real linter finds a workflow out that is spoiled in one place."""
    assert old in GITHUB
    workflow = tmp_path / "workflow.yml"
    workflow.write_text(GITHUB.replace(old, new))
    outcome = lint(actionlint, workflow)
    assert outcome.returncode == 1
    assert said in outcome.stdout


def table(heading: str) -> list[list[str]]:
    """The cells of the table whose first heading is this one."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in README.splitlines() if line.startswith("|")
    ]
    start = next(i for i, row in enumerate(rows) if row[0] == heading)
    body = rows[start + 2 :]
    ends = [i for i, row in enumerate(body) if set("".join(row)) <= set("- ")]
    return body[: ends[0] - 1] if ends else body


def names(cells: list[str]) -> set[str]:
    """What is in backticks."""
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_the_page_names_all_jobs_and_no_others() -> None:
    """The README's first table has exactly the jobs of both files."""
    rows = table("when")
    assert names([row[1] for row in rows]) == set(github_jobs(GITHUB))
    assert names([row[2] for row in rows]) == set(gitlab_jobs(GITLAB))


def test_the_page_names_all_settings_and_no_others() -> None:
    """The README's second table has exactly the secrets and variables that the files read."""
    rows = table("name")
    for kind in ("secret", "variable"):
        named = {next(iter(names(row[:1]))) for row in rows if row[1].startswith(kind)}
        assert named == set(re.findall(rf"\b{kind[:3] if kind == 'variable' else kind}s\.(\w+)", GITHUB))
    own = {"MIXPANEL_SERVICE_ACCOUNT_SECRET", "PULUMI_CONFIG_PASSPHRASE", "MIXPANEL_SERVICE_ACCOUNT"}
    own |= {"MIXPANEL_BASE_URL", "MIXPANEL_PLATFORM_URL", "MIXPANEL_ACCESS_WEBHOOK"}
    for name in names([row[0] for row in rows if row[2]]) - own:  # the program reads those itself
        assert name in GITLAB


def test_links_lead_somewhere() -> None:
    """Each link of the page is a file."""
    folder = Path(__file__).parents[2] / "examples" / "ci"
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", README):
        assert (folder / target).is_file(), target


@pytest.mark.engine
@pytest.mark.parametrize("command", ["preview", "up"])
def test_pulumi_knows_every_option(command: str) -> None:
    """What the examples call Pulumi with, it has."""
    runs = re.findall(rf"pulumi {command} ((?:[^\n]|(?<=\\)\n)*)", GITHUB + GITLAB)
    options = {option for run in runs for option in re.findall(r"--[a-z-]+", run)}
    assert len(runs) >= 2
    assert {"--stack", "--policy-pack", "--policy-pack-config"} <= options
    pulumi = Pulumi(ensure_engine(print), Path.cwd(), {})
    known = set(re.findall(r"--[a-z-]+", pulumi.run(command, "--help").stdout))
    assert options <= known
