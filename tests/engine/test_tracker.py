"""`mixpanel-access tracker`: what happens in the stacks, line by line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import stamina

from mixpanel_access.api.transport import READ_ATTEMPTS
from tests.engine.conftest import PRODUCTION, STAGING, Workspace

pytestmark = [pytest.mark.engine, pytest.mark.python_engine]


ROBIN = "robin@agency.example.org"
LATER = (datetime.now(UTC) + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
"""The emulator lives today."""


def test_what_happens_is_added_once_and_kept(workspace: Workspace) -> None:
    """Given, changed, taken away; with why; nothing twice; and a log that does not add up to the states shows."""
    workspace.add("staging")
    workspace.up("production")

    def update(*args: str) -> list[tuple[str, str, int | None, str]]:
        done = workspace.command("tracker", "update", "--json", *args)
        assert done.returncode == 0, done.stderr
        new = [one for one in json.loads(done.stdout) if one["event"] != "found"]
        return [(one["stack"], one["event"], one["project"], one["role"]) for one in new]

    first = update()
    assert sorted(first, key=str) == sorted(
        [
            ("production", "granted", None, "member"),
            ("production", "granted", PRODUCTION, "analyst"),
            ("production", "granted", 1234568, "consumer"),
        ],
        key=str,
    )
    assert update() == []
    workspace.up("staging")
    roster = workspace.stacks / "production.yaml"
    roster.write_text(
        roster.read_text().replace("shop: analyst", "shop: consumer").replace("      warehouse: consumer\n", "")
    )
    workspace.up("production")
    assert set(update("--now", LATER)) == {
        ("staging", "imported", None, "member"),
        ("staging", "granted", STAGING, "admin"),
        ("staging", "granted", 2345679, "admin"),
        ("production", "changed", PRODUCTION, "consumer"),
        ("production", "revoked", 1234568, "consumer"),
    }
    log = workspace.pulumi.project / "tracker.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {(one["email"], one["approver"], one["sow"]) for one in lines if one["stack"]} == {
        (ROBIN, "ana@example.com", "SOW-2026-014")
    }
    (gone,) = [one for one in lines if one["event"] == "revoked"]
    assert gone["date"] < LATER  # as the audit log has it, and not when it was found gone
    good = workspace.command("tracker", "verify")
    assert good.stdout == ("tracker.jsonl has 19 lines; they add up to the states of production and staging.\n")
    sheet = workspace.command("tracker", "export", "--format", "xlsx", "--to", "log.xlsx")
    assert (sheet.returncode, sheet.stdout) == (0, "Wrote 19 lines to log.xlsx.\n")
    assert workspace.command("tracker", "export").stdout.startswith("\ufeffdate,admin,event,email,stack,project,role,")

    emulator = workspace.emulator
    emulator.control("POST", "invitations/accept", {"email": ROBIN})
    emulator.control("POST", "grants", {"email": "lee@example.com", "project": PRODUCTION, "role": "admin"})
    emulator.control("DELETE", f"members/{ROBIN}")
    fault = {"method": "POST", "kind": "status", "status": 403, "count": 2}
    faults = [{**fault, "path_prefix": path} for path in ("/v1/organizations", "/api/app/organizations")]
    emulator.control("POST", "faults", faults)
    blind = workspace.command("tracker", "update", "--now", LATER)
    assert blind.stdout.count(f"revoked {ROBIN}") == 5  # nobody knows who did it, and Mixpanel shows that it is gone
    assert blind.stdout.endswith("by unknown\nAdded 6 lines to tracker.jsonl.\n")
    assert "the audit log cannot be read, and what others did is not in the access log" in blind.stderr
    emulator.control("DELETE", "faults")
    broken = [{**refused, "status": 500, "count": 9} for refused in faults]
    emulator.control("POST", "faults", broken)
    with stamina.set_testing(True, attempts=READ_ATTEMPTS, cap=True):  # as often, without the pauses
        failed = workspace.command("tracker", "update", "--now", LATER)
    assert (failed.returncode, failed.stdout) == (3, "")  # a line that lacks what the log tells would stay so
    emulator.control("DELETE", "faults")
    assert set(update("--now", LATER)) == {
        ("production", "accepted", None, "member"),
        ("staging", "accepted", None, "member"),
        ("", "changed", PRODUCTION, "admin"),
        *((stack, "revoked", None, "member") for stack in ("production", "staging")),
        ("production", "revoked", PRODUCTION, "consumer"),
        ("staging", "revoked", STAGING, "admin"),
        ("staging", "revoked", 2345679, "admin"),
    }  # the events say who did it, and when
    stale = workspace.command("tracker", "verify")
    assert (stale.returncode, stale.stdout.count(", which was taken away by hand on ")) == (0, 5)
    restores = "`pulumi up --refresh` makes the access as the roster says."
    assert stale.stdout.endswith(f", except for 5 changes by hand. {restores}\n")
    workspace.run("refresh", "--yes", "--skip-preview", "--stack", "production")
    assert update("--now", LATER) == []

    log.write_text("".join(log.read_text().splitlines(keepends=True)[1:]))
    touched = workspace.command("tracker", "verify", "--json", "--stack", "production")
    assert touched.returncode == 1
    (problem,) = json.loads(touched.stdout)["problems"]
    assert problem.endswith(", stack production), which no line before it grants")
    wrong: list[tuple[tuple[str, ...], str]] = [
        (("export", "--format", "pdf"), "'pdf' is not a format"),
        (("export", "--format", "xlsx"), "cannot print a workbook"),
        (("verify", "--file", "none.jsonl"), "cannot find the access log for none.jsonl"),
    ]
    for options, words in wrong:
        failed = workspace.command("tracker", *options)
        assert (failed.returncode, words in failed.stderr) == (2, True), options


def test_a_renamed_stack_goes_on_in_the_log(real_workspace: Workspace) -> None:
    """Its access is neither gone nor taken over; and what a release lets go is released."""
    seen = real_workspace
    seen.up()

    def update() -> list[tuple[str, str, int | None]]:
        done = seen.command("tracker", "update", "--json")
        assert done.returncode == 0, done.stderr
        return [(one["event"], one["stack"], one["project"]) for one in json.loads(done.stdout)]

    assert {event for event, stack, _ in update() if stack} == {"granted"}
    seen.run("stack", "rename", "prod", "--stack", "production")
    (seen.stacks / "production.yaml").rename(seen.stacks / "prod.yaml")
    assert update() == [("renamed", "prod", None)]
    assert seen.command("tracker", "verify").returncode == 0
    assert update() == []
    assert seen.command("release", "--stack", "prod", "--email", ROBIN).returncode == 0
    assert set(update()) == {("released", "prod", project) for project in (None, PRODUCTION, 1234568)}
    assert update() == []


def test_the_first_update_counts_who_has_access_outside_of_the_stacks(workspace: Workspace) -> None:
    """It does not print everybody; the log has them."""
    document = workspace.dump()
    document["members"] += [{"email": f"p{number}@example.com", "role": "member"} for number in range(20)]
    workspace.emulator.control("POST", "seed", document)
    printed = workspace.command("tracker", "update").stdout
    others = len(workspace.members())
    log = [json.loads(line) for line in (workspace.pulumi.project / "tracker.jsonl").read_text().splitlines()]
    assert sum(one["project"] is one["team_id"] is None for one in log) == others > 20
    assert printed == (
        f"Added {len(log)} lines to tracker.jsonl.\n"
        f"{len(log)} of them are `found`: access that no stack has and no event explains.\n"
    )
