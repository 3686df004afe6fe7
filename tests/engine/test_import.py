"""`mixpanel-access import` and `release`: an organization comes under code by the real engine, and nothing changes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.sandbox import ROOT, SECRET, USERNAME
from mixpanel_access.emulator.server import demo_document
from mixpanel_access.engine import Engine
from mixpanel_access.model.address import same_key
from mixpanel_access.model.roster.reading import RosterSource, parse
from tests.emulator.conftest import unchanged
from tests.engine.conftest import PRODUCTION, STAGING, WAREHOUSE, Workspace, workspace_on
from tests.organizations import grown_organization

pytestmark = pytest.mark.engine

PEOPLE = 40


@pytest.fixture
def grown(engine: Engine, tmp_path: Path) -> Iterator[Workspace]:
    """Both stacks without rosters, on an organization that was kept by hand."""
    (account,) = demo_document()["service_accounts"]
    with workspace_on(grown_organization(PEOPLE, account), engine, tmp_path) as made:
        made.add("staging")
        for stack in ("production", "staging"):
            (made.stacks / f"{stack}.yaml").unlink()
        yield made


def names(workspace: Workspace, stack: str) -> set[str]:
    """The names of our resources in a state."""
    return {resource["urn"].rpartition("::")[2] for resource in workspace.resources(stack)}


def planned(workspace: Workspace, stack: str) -> list[tuple[str, str]]:
    """What a preview would do: operation and name."""
    steps = json.loads(workspace.run("preview", "--json", "--stack", stack).stdout)["steps"]
    return [(step["op"], step["urn"].rpartition("::")[2]) for step in steps if step["op"] != "same"]


def test_an_organization_that_was_kept_by_hand_comes_under_code(grown: Workspace, tmp_path: Path) -> None:
    """Both stacks, no change at preview, one role changed is one update, and a second import loses nothing."""
    before = grown.dump()
    kept = tmp_path / "import.json"
    config = grown.pulumi.project / "policies/config/production.json"
    baseline = ("--engagement", "before-code", "--ticket", "OPS-1", "--ends", "2099-12-31", "--starting-policies")
    first = grown.command(
        *("import", "--stack", "production", "--project", "*(production)", "--organization-roles", "--file", str(kept)),
        *baseline,
    )
    assert (first.returncode, "Traceback" in first.stderr) == (0, False), first.stderr
    assert "; its preview shows no change." in first.stdout
    assert "engagement before-code in production.yaml has no sow, approver, justification and starts" in first.stdout
    pack = ("--policy-pack", str(ROOT / "policies"), "--policy-pack-config", str(config))
    judged = grown.run("preview", "--stack", "production", *pack)  # exit 0
    assert "[advisory]" in judged.stdout
    assert "[mandatory]" not in judged.stdout
    second = grown.command("import", "--stack", "staging", "--project", "2345678", "--project", "*warehouse (stag*")
    assert second.returncode == 0, second.stderr

    grants = {(row["project"], same_key(row["email"])) for row in before["grants"]}
    everybody = {same_key(row["email"]) for row in before["members"]}
    here = {grant for grant in grants if grant[0] in (PRODUCTION, WAREHOUSE)}
    there = grants - here
    assert names(grown, "production") == {"removal-brake", *everybody, *(f"{p}:{key}" for p, key in here)}
    assert names(grown, "staging") == {
        "removal-brake",
        *{key for _, key in there},
        *(f"{p}:{key}" for p, key in there),
    }
    assert planned(grown, "staging") == []
    for stack in ("production", "staging"):
        (brake,) = (one for one in grown.resources(stack) if one["urn"].endswith("::removal-brake"))
        assert len(brake["dependencies"]) == len(grown.resources(stack)) - 1  # it is the first to go on destroy

    roster = grown.stacks / "production.yaml"
    entries = parse(roster.read_text(), RosterSource(roster.name))
    roles = {same_key(row["email"]): row["role"] for row in before["members"]}
    assert {person.key: person.organization_role for person in entries.people} == roles
    assert [person.key for person in entries.people] == sorted(everybody)
    assert {person.engagement for person in entries.people} == {"before-code"}
    texts = [kept.read_text(), *(file.read_text() for file in grown.stacks.glob("*.yaml"))]
    texts.append(grown.run("stack", "export", "--show-secrets", "--stack", "production").stdout)
    assert not any(secret in text for text in texts for secret in (SECRET, USERNAME))

    changed = next(person for person in entries.people if person.projects.get("shop") == "analyst")
    text = roster.read_text()
    entry = text.index(f"email: {changed.email}\n")
    roster.write_text(text[:entry] + text[entry:].replace("shop: analyst", "shop: consumer", 1))
    edited = roster.read_text()
    again = grown.command("import", "--stack", "production")
    assert again.returncode == 1  # what is declared and not so is said, and stays declared
    assert "Stack production has everything already; its preview would change:" in again.stdout
    assert f"  update {PRODUCTION}:{changed.key}\n" in again.stdout
    assert roster.read_text() == edited
    assert planned(grown, "production") == [("update", f"{PRODUCTION}:{changed.key}")]
    assert unchanged(before, grown.dump())
    assert not [endpoint for endpoint in grown.requests() if not endpoint.startswith("GET ")]
    log = grown.command("tracker", "update", "--json")
    events = {line["event"] for line in json.loads(log.stdout) if line["stack"] == "production"}
    assert events == {"imported"}, log.stdout


def imported(output: str) -> tuple[int, int]:
    """How many members and grants a run says that it took."""
    found = re.search(r"mported? (\d+) members? and (\d+) individual grants?", output) or re.search(
        r"import (\d+) members? and (\d+) individual grants?", output
    )
    return (int(found[1]), int(found[2])) if found else (0, 0)


@pytest.mark.python_engine
def test_a_run_that_died_is_finished_by_the_next(workspace: Workspace) -> None:
    """With the roster written and the stack locked; with half of the state; and what is new since then is added."""
    roster = workspace.stacks / "production.yaml"
    roster.write_text(
        f"# by hand\nenvironment: production\norganizationRoles: true\n"
        f"projects: {{ shop: {{ id: {PRODUCTION}, environment: production }} }} # one\npeople: []\n"
    )
    lock = workspace.folder / "state/.pulumi/locks/organization/mixpanel-access/production/dead.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text(json.dumps({"pid": 1, "username": "x", "hostname": "y", "timestamp": "2026-05-04T12:00:00Z"}))
    locked = workspace.command("import", "--stack", "production")
    assert locked.returncode == 2
    assert "the stack is currently locked" in locked.stderr
    assert "pulumi cancel" in locked.stderr
    assert len([line for line in locked.stderr.splitlines() if line.startswith("error: ")]) == 1
    assert workspace.resources() == []

    workspace.run("cancel", "--yes", "--stack", "production")
    after_death = roster.read_text()
    finished = workspace.command("import", "--stack", "production", "--json")
    assert finished.returncode == 0, finished.stderr
    assert roster.read_text() == after_death
    assert after_death.startswith("# by hand\n")
    assert "} # one\n" in after_death
    complete = names(workspace, "production")
    assert len(complete) == 1 + len(workspace.dump()["members"]) + 1  # the brake, and Lee's grant

    urns = {one["urn"].rpartition("::")[2]: one["urn"] for one in workspace.resources()}
    half = [
        urns["removal-brake"],
        urns[f"{PRODUCTION}:lee@example.com"],
        urns["lee@example.com"],
        urns["kim@example.com"],
    ]
    workspace.run("state", "delete", "--yes", "--stack", "production", *half)
    workspace.emulator.control("POST", "grants", {"project": PRODUCTION, "email": "kim@example.com", "role": "analyst"})
    workspace.emulator.control("POST", "grants", {"project": STAGING, "email": "kim@example.com", "role": "analyst"})
    rest = workspace.command("import", "--stack", "production")
    assert (rest.returncode, imported(rest.stdout)) == (0, (2, 2)), rest.stdout + rest.stderr
    assert names(workspace, "production") == {*complete, f"{PRODUCTION}:kim@example.com"}
    assert planned(workspace, "production") == []


@pytest.mark.python_engine
def test_release_is_the_way_back(workspace: Workspace) -> None:
    """Out of state, roster and the brake's list; in Mixpanel nothing changes, and an import takes it again."""
    workspace.roster([])
    assert workspace.command("import", "--stack", "production").returncode == 0
    before, roster = workspace.dump(), workspace.stacks / "production.yaml"
    text, complete = roster.read_text(), names(workspace, "production")
    gone = workspace.command("release", "--stack", "production", "--email", "LEE@example.com", "--json")
    assert gone.returncode == 0, gone.stderr
    assert json.loads(gone.stdout) == {"stack": "production", "members": 1, "grants": 1, "entries": 1, "changes": []}
    left = {"lee@example.com", f"{PRODUCTION}:lee@example.com"}
    assert names(workspace, "production") == complete - left
    assert "lee@" not in roster.read_text()
    assert "lee@" not in json.dumps(workspace.outputs("removal-brake"))
    nobody = workspace.command("release", "--stack", "production", "--email", "lee@example.com")
    assert (nobody.returncode, nobody.stdout) == (2, "")
    assert (
        "cannot release for lee@example.com: neither the state of stack production nor production.yaml" in nobody.stderr
    )

    # A run that died between state and roster: the next one finishes it.
    roster.write_text(text)
    workspace.run("state", "delete", "--yes", "--stack", "production", workspace.resources()[-1]["urn"])
    assert "removal-brake" not in names(workspace, "production")
    finished = workspace.command("release", "--stack", "production", "--email", "lee@example.com")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith("Released 0 members and 0 grants from stack production; its preview shows no")
    assert names(workspace, "production") == complete - left

    back = workspace.command("import", "--stack", "production", "--email", "lee@*")
    assert (back.returncode, imported(back.stdout)) == (0, (1, 1)), back.stderr
    assert names(workspace, "production") == complete
    assert unchanged(before, workspace.dump())


@pytest.mark.python_engine
def test_dry_run_shows_and_writes_nothing(workspace: Workspace) -> None:
    """The table has everybody, each with what is left out and why; service accounts are named."""
    invited = {"email": "new@example.com", "invited_at": "2026-05-03T12:00:00Z"}
    document = workspace.dump()
    workspace.emulator.control("POST", "seed", {**document, "members": [*document["members"], invited]})
    files = {file: file.read_bytes() for file in workspace.stacks.iterdir() if file.is_file()}
    shown = workspace.command("import", "--stack", "production", "--dry-run")
    assert shown.returncode == 1, shown.stderr  # the sample person of a new roster is in the way
    lines = [" ".join(line.split()) for line in shown.stdout.splitlines()]
    assert lines[0] == "who status organization role projects import left out"
    lee = "lee@example.com accepted member shop analyst (individual); warehouse analyst (team) member, shop"
    assert f"{lee} warehouse: analyst through the team Data is not an individual grant" in lines
    assert any(line.startswith("new@example.com invited member member shop, warehouse: an individ") for line in lines)
    assert any(line.startswith("ana@example.com accepted owner shop owner (organization_role)") for line in lines)
    assert f"Service accounts, which are not people and are left out: {USERNAME}." in lines
    assert "create robin@agency.example.org" in lines
    assert lines[-1].endswith("into stack production. Nothing was written.")
    shared = workspace.stacks / "common.yaml"
    shared.write_text(shared.read_text().replace("deploy-bot:", "etl-bot:"))
    document = json.loads(workspace.command("import", "--stack", "production", "--dry-run", "--json").stdout)
    assert document["unknownServiceAccounts"] == [USERNAME]
    shared.write_text(shared.read_text().replace("etl-bot:", "deploy-bot:"))
    assert {file: file.read_bytes() for file in workspace.stacks.iterdir() if file.is_file()} == files
    assert workspace.resources() == []


@pytest.mark.python_engine
def test_what_cannot_be_imported_is_one_line(workspace: Workspace) -> None:
    """What, for whom, why, what next; and no file and no state is touched."""
    workspace.add("staging")
    (workspace.stacks / "staging.yaml").unlink()
    good = (workspace.stacks / "production.yaml").read_text()
    cases: dict[tuple[str, ...], str] = {
        ("import", "--stack", "nowhere"): "cannot find the stack for nowhere: the backend has production and staging",
        ("release", "--stack", "nowhere", "--email", "a@example.com"): "cannot find the stack for nowhere",
        ("import", "--stack", "staging"): "its roster staging.yaml names none; the organization has 1234567 Shop",
        ("import", "--stack", "staging", "--project", "web"): "cannot find a project for web: it is neither the id nor",
        ("import", "--stack", "staging", "--project", "1234567"): "it is in production.yaml, of the environment 'prod",
        ("import", "--stack", "staging", "--environment", "prod"): "stack staging is configured for 'staging'",
        ("import", "--stack", "production", "--environment", "staging"): "is configured for 'production'",
        ("import", "--stack", "staging", "--project", "2345678", "--organization-roles"): "production.yaml declares",
        ("import", "--stack", "production", "--email", "*@nowhere.example"): "for *@nowhere.example: it matches none",
        ("import", "--stack", "production", "--file", "no/such/folder"): "cannot write the import file",
    }
    for args, words in cases.items():
        failed = workspace.command(*args)
        errors = [line for line in failed.stderr.splitlines() if not line.startswith("read ")]
        assert (failed.returncode, failed.stdout, len(errors)) == (2, "", 1), failed.stderr
        assert words in errors[0]
    (workspace.stacks / "production.yaml").write_text(good.replace("id: 1234567", "id: 1999999"))
    for more in ((), ("--dry-run",)):  # the sample project of a new roster is in the way
        failed = workspace.command("import", "--stack", "production", "--project", "1234567", *more)
        assert (failed.returncode, failed.stdout) == (2, "")
        assert "it gives access to 1999999, and the service account sees no such project" in failed.stderr
    (workspace.stacks / "production.yaml").write_text(good.replace("shop: analyst", "shop: analist"))
    line = good[: good.index("shop: analyst")].count("\n") + 1
    for stack in ("production", "staging"):
        failed = workspace.command("import", "--stack", stack, "--project", "2345678")
        assert failed.returncode == 2
        assert f"production.yaml:{line}: robin@agency.example.org: 'analist' is not a project role" in failed.stderr
    assert not (workspace.stacks / "staging.yaml").exists()
    assert workspace.resources() == workspace.resources("staging") == []


@pytest.mark.python_engine
def test_a_list_without_roles_is_told(workspace: Workspace) -> None:
    """What Mixpanel does not tell stays with the product, each person is named, and the import is complete."""
    rows = [{"email": row["email"], "id": row["id"]} for row in workspace.dump()["members"]]
    body = json.dumps({"status": "ok", "results": rows})
    path = "/organizations/7654321/users/"
    fault = {"path_prefix": path, "method": "GET", "kind": "status", "status": 200, "count": 50, "body": body}
    workspace.emulator.control("POST", "faults", [{**fault, "content_type": "application/json"}])
    workspace.roster([])
    done = workspace.command("import", "--stack", "production", "--json")
    assert done.returncode == 0, done.stderr
    people = json.loads(done.stdout)["people"]
    assert len(people) == len(rows)
    for person in people:
        assert (person["organizationRole"], person["member"]) == (None, True)
        assert "the organization role, which Mixpanel's list does not show: it stays with the product" in {
            left["reason"] for left in person["leftOut"]
        }
    text = (workspace.stacks / "production.yaml").read_text()
    assert "organizationRole:" not in text
