"""What a user can get wrong: one clear line, no traceback, nothing half-written, and running again finishes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.engine.conftest import MONITOR_GONE, PRODUCTION, Workspace

pytestmark = pytest.mark.engine

CY = "cy@agency.example.org"
COMPLIANT = {"email": CY, "organizationRole": "member", "projects": {"shop": "analyst"}}

# One of a kind: the account, a setting that is missing or mistyped, an entry of the roster, and a resource's check.
# Each other message has a test with the code that writes it.
IN_PREVIEW: dict[str, tuple[dict[str, Any], dict[str, str], dict[str, str], str]] = {
    # what is spoiled: person, environment variables, configuration, words
    "wrong credentials": ({}, {"MIXPANEL_SERVICE_ACCOUNT_SECRET": "wrong"}, {}, r"answered 401"),
    "no secret": (
        {},
        {"MIXPANEL_SERVICE_ACCOUNT_SECRET": ""},
        {},
        r"config set --secret mixpanel:serviceAccountSecret",
    ),
    "mistyped setting": (
        {},
        {},
        {"enviroment": "production"},
        r"no setting mixpanel:enviroment: if environment is meant",
    ),
    "unknown project role": ({"projects": {"shop": "analist"}}, {}, {}, r"did you mean 'analyst'"),
    "another environment": (
        {},
        {},
        {"environment": "staging"},
        r"the project is 'production' and this stack is 'staging'",
    ),
}


@pytest.mark.parametrize(("person", "environ", "config", "words"), IN_PREVIEW.values(), ids=IN_PREVIEW.keys())
def test_preview_tells_in_one_line(
    workspace: Workspace, person: dict[str, Any], environ: dict[str, str], config: dict[str, str], words: str
) -> None:
    """It is known at preview, said once or once a resource, and nothing is written."""
    workspace.roster([{**COMPLIANT, **person}])
    for key, value in config.items():
        workspace.run("config", "set", f"mixpanel:{key}", value, "--stack", "production")
    before = workspace.dump()
    failed = workspace.run("preview", "--stack", "production", check=False, **environ)
    told = _errors(failed.stdout + failed.stderr)
    assert failed.returncode != 0
    assert any(re.search(words, line) for line in told), failed.stdout
    assert len(set(told)) == 1, told
    _no_traceback(failed.stdout + failed.stderr)
    assert workspace.dump()["members"] == before["members"]


def test_an_unknown_project_is_told_at_preview(workspace: Workspace) -> None:
    """The organization has no such project."""
    workspace.roster([COMPLIANT], projects={"shop": {"id": 999, "environment": "production"}})
    failed = workspace.run("preview", "--stack", "production", check=False)
    (line,) = _errors(failed.stdout + failed.stderr)
    assert "has no project 999" in line
    assert CY in line


@pytest.mark.python_engine
def test_a_plan_without_the_feature_is_told_at_up_and_running_again_finishes(workspace: Workspace) -> None:
    """Mixpanel's own words and status come through; after the plan has changed, the same command finishes."""
    document = workspace.dump()
    workspace.emulator.control("POST", "seed", document | {"organization": document["organization"] | {"plan": "free"}})
    workspace.roster([COMPLIANT])
    failed = workspace.up(check=False)
    (line,) = _errors(failed.stdout + failed.stderr)
    assert "answered 403 (Your plan does not support the organization role member)" in line
    _no_traceback(failed.stdout + failed.stderr)
    assert workspace.resources() == []
    workspace.emulator.control("POST", "seed", document)
    workspace.up()
    assert workspace.grants(CY) == {PRODUCTION: "analyst"}


@pytest.mark.python_engine
def test_a_failure_in_the_middle_is_finished_by_running_again(workspace: Workspace) -> None:
    """One person's grant is refused: the others' stand, nothing is doubled, and the next run completes."""
    people = [{**COMPLIANT, "email": f"p{n}@agency.example.org"} for n in range(4)]
    workspace.roster(people)
    faults = [{"method": "POST", "path_prefix": "/organizations/7654321/add-users-to-projects", "kind": "status",
               "status": 403, "count": 3}]  # fmt: skip
    workspace.emulator.control("POST", "faults", faults)
    failed = workspace.up(check=False)
    assert failed.returncode != 0
    _no_traceback(failed.stdout + failed.stderr)
    workspace.emulator.control("DELETE", "faults")
    workspace.up()
    for person in people:
        email = str(person["email"])
        assert (workspace.grants(email), workspace.mails(email)) == ({PRODUCTION: "analyst"}, 1)
    workspace.unchanged()


@pytest.mark.python_engine
def test_state_of_another_organization_is_left_alone(workspace: Workspace) -> None:
    """A stack pointed at another organization stops before it reads, and says what to do."""
    workspace.roster([COMPLIANT])
    workspace.up()
    document = workspace.dump()
    workspace.emulator.control("POST", "seed", document | {"organization": document["organization"] | {"id": 42}})
    workspace.run("config", "set", "mixpanel:organizationId", "42", "--stack", "production")
    for command in ("refresh", "destroy"):
        options = ("--yes", "--skip-preview", "--run-program", "--stack", "production")
        failed = workspace.run(command, *options, check=False)
        assert failed.returncode != 0
        assert any("belongs to organization 7654321" in line for line in _errors(failed.stdout + failed.stderr))
        _no_traceback(failed.stdout + failed.stderr)
    assert len(workspace.resources()) == 3  # the person, the grant and the brake


def _errors(text: str) -> list[str]:
    """The error lines under Diagnostics, each once."""
    lines = [line.strip() for line in text.partition("Diagnostics:")[2].splitlines()]
    summaries = ("update failed", "preview failed", "an unhandled error", MONITOR_GONE)
    noise = tuple(f"error: {summary}" for summary in summaries)
    return list(dict.fromkeys(line for line in lines if line.startswith("error:") and not line.startswith(noise)))


def _no_traceback(text: str) -> None:
    assert "Traceback" not in text, text
    assert 'File "' not in text, text
