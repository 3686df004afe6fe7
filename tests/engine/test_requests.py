"""What operations cost, in API requests by the emulator's own count."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.engine.conftest import Workspace

pytestmark = pytest.mark.engine

PROJECTS = 5
IDS = [1000 + n for n in range(PROJECTS)]


def seed(workspace: Workspace, people: list[str], granted: bool) -> None:
    """An organization of five projects where the people are in, with or without their grants."""
    document = workspace.dump()
    document["projects"] = [{"id": id_, "name": str(id_)} for id_ in IDS]
    document["members"] += [{"email": email} for email in people]
    document["teams"] = []
    document["grants"] = [
        {"project": IDS[n % PROJECTS], "email": email, "role": "analyst"} for n, email in enumerate(people) if granted
    ]
    workspace.emulator.control("POST", "seed", document)


def roster(workspace: Workspace, people: list[dict[str, Any]]) -> None:
    """A roster over the five projects."""
    projects = {f"p{id_}": {"id": id_, "environment": "production"} for id_ in IDS}
    workspace.roster(people, projects=projects)


@pytest.mark.python_engine
def test_a_refresh_of_a_thousand_grants_of_a_thousand_people_costs_at_most_ten_requests(workspace: Workspace) -> None:
    """Requests grow with projects, not with people. The state is imported, as an organization's would be."""
    people = [f"p{n:04}@example.com" for n in range(1000)]
    seed(workspace, people, granted=True)
    state = json.loads(workspace.run("stack", "export", "--stack", "production").stdout)
    roster(workspace, [{"email": people[0], "projects": {f"p{IDS[0]}": "analyst"}}])
    workspace.up()
    state = json.loads(workspace.run("stack", "export", "--stack", "production").stdout)
    resources = state["deployment"]["resources"]
    examples = [resource for resource in resources if people[0] in resource["urn"]]
    for n, email in enumerate(people[1:], 1):
        for example in examples:
            text = json.dumps(example).replace(people[0], email).replace(f"{IDS[0]}", f"{IDS[n % PROJECTS]}")
            copy = json.loads(text)
            if "user_id" in copy["outputs"]:
                copy["outputs"]["user_id"] += n  # the emulator numbers people in their order
            resources.append(copy)
    resources.sort(key=lambda resource: "ProjectGrant" in resource["type"] or "RemovalBrake" in resource["type"])
    (workspace.folder / "state.json").write_text(json.dumps(state))
    workspace.run("stack", "import", "--stack", "production", "--file", str(workspace.folder / "state.json"))
    workspace.emulator.control("DELETE", "requests")
    done = workspace.run("refresh", "--yes", "--skip-preview", "--expect-no-changes", "--stack", "production")
    assert "2004 unchanged" in done.stdout or "2003 unchanged" in done.stdout, done.stdout[-500:]
    log = workspace.emulator.control("GET", "requests")
    assert log["total"] <= 10, log
    assert log["bytes_out"] <= 1_000_000, log


def test_two_hundred_new_grants_cost_fewer_writes_than_the_sdks_four_threads_would(workspace: Workspace) -> None:
    """What the engine asks for at the same time goes out together, whatever the project: here up to 32 grants.

    In the four threads that the SDK gives it would be fifty writes; on an idle machine it is some fifteen.
    """
    people = [f"p{n:02}@example.com" for n in range(40)]
    seed(workspace, people, granted=False)
    roster(workspace, [{"email": email} for email in people])
    workspace.up()
    workspace.emulator.control("DELETE", "requests")
    roster(workspace, [{"email": email, "projects": {f"p{id_}": "analyst" for id_ in IDS}} for email in people])
    done = workspace.up("production", "--parallel", "32")
    assert "200 created" in done.stdout
    writes = {endpoint: n for endpoint, n in workspace.requests().items() if not endpoint.startswith("GET")}
    assert list(writes) == ["POST /organizations/{o}/add-users-to-projects/"]
    assert writes["POST /organizations/{o}/add-users-to-projects/"] <= 40, writes


@pytest.mark.python_engine
def test_a_preview_without_changes_costs_nothing(workspace: Workspace) -> None:
    """What was accepted once is not asked about again."""
    workspace.up()
    workspace.emulator.control("DELETE", "requests")
    workspace.run("preview", "--expect-no-changes", "--stack", "production")
    assert workspace.requests() == {}
