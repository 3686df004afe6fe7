"""The workflow for this project itself: on every Python and on both ends of the SDKs that it says it runs on."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from scripts.other_sdk import LOWEST, NEWEST

from . import rules
from .documents import FOLDER, GITHUB, github_jobs
from .linter import find_actionlint, lint

FILE = FOLDER / "python-versions.yml"
TEXT = FILE.read_text("utf-8")
ROOT = Path(__file__).parents[2]


def test_it_keeps_the_rules_of_every_workflow() -> None:
    """Pinned actions, least permissions, no expression in a script; the same actions as in the other workflow."""
    for rule in (rules.actions_are_pinned, rules.permissions_are_least, rules.scripts_hold_no_expression):
        assert list(rule(TEXT)) == []
    assert set(re.findall(r"uses: (.*)", TEXT)) <= set(re.findall(r"uses: (.*)", GITHUB))


def test_actionlint_finds_nothing() -> None:
    """Nor does it miss what is wrong: see test_ci."""
    outcome = lint(find_actionlint(), FILE)
    assert (outcome.stdout, outcome.stderr, outcome.returncode) == ("", "", 0)


def test_no_python_is_left_out() -> None:
    """Matrix, classifiers, `requires-python` and the set-up's search name the same versions."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    versions = github_jobs(TEXT)["test"]["strategy"]["matrix"]["python"]
    named = [name.rpartition(" ")[2] for name in project["classifiers"] if re.search(r"Python :: 3\.\d+$", name)]
    assert list(versions) == named
    first, last = (int(version.removeprefix("3.")) for version in (named[0], named[-1]))
    assert project["requires-python"] == f">=3.{first},<3.{last + 1}"
    assert " ".join(f"python{version}" for version in reversed(named)) in (ROOT / "scripts" / "setup-venv").read_text()


def test_both_ends_of_the_sdks_are_tested() -> None:
    """By the names that `make test-sdk` takes."""
    assert list(github_jobs(TEXT)["sdk"]["strategy"]["matrix"]["sdk"]) == [LOWEST, NEWEST]


def test_every_job_of_it_is_a_target() -> None:
    """Each `make` it runs there is."""
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"run: make ([\w-]+)", TEXT)
    assert targets == ["setup", "lint", "test", "setup", "test-sdk"]
    assert all(f"\n{target}: " in makefile for target in targets)
