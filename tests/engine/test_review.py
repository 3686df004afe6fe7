"""`mixpanel-access review`: a quarter's review of both stacks, from the packets to the evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from ruamel.yaml import YAML

from demo.sandbox import ROOT
from tests.emulator.conftest import unchanged
from tests.engine.conftest import PRODUCTION, STAGING, WAREHOUSE, Workspace
from tests.engine.test_policies import violations

pytestmark = [pytest.mark.engine, pytest.mark.python_engine]


ROBIN, LEE, NOOR = "robin@agency.example.org", "lee@example.com", "noor@example.com"
ANA, OMAR = "ana@example.com", "omar@example.com"
FUNNELS = {
    "type": "analytics_review",
    "sow": "SOW-1",
    "ticket": "OPS-1",
    "approver": ANA,
    "sponsor": OMAR,
    "justification": "Reviews the funnels",
    "starts": "2026-01-12",
    "ends": "2026-12-31",
}
NOW = ("--now", "2026-05-04")


def prepare(workspace: Workspace) -> None:
    """Both stacks as they were before the review, and brought about."""
    workspace.add("staging")
    engagements: dict[str, Any] = {"engagements": {"funnels": FUNNELS}}
    workspace.roster(
        [
            {"email": ROBIN, "engagement": "funnels", "projects": {"shop": "admin", "warehouse": "consumer"}},
            {"email": LEE, "engagement": "funnels", "projects": {"shop": "analyst"}},
            {"email": NOOR, "engagement": "funnels", "approver": NOOR, "projects": {"warehouse": "consumer"}},
        ],
        **engagements,
    )
    workspace.roster([{"email": ROBIN, "engagement": "funnels", "projects": {"shop": None}}], "staging", **engagements)
    for stack in ("production", "staging"):
        workspace.run("config", "set", "mixpanel:now", "2026-05-04", "--stack", stack)
        workspace.up(stack)


def overdue(workspace: Workspace, stack: str) -> bool:
    """Whether the policy pack finds a review that is due."""
    config = ROOT / "policies" / "config" / "production.json"
    options = ("--policy-pack", str(ROOT / "policies"), "--policy-pack-config", str(config))
    done = workspace.run("preview", "--stack", stack, *options, check=False)
    return ("advisory", "review-due") in violations(done.stdout)


def changes(workspace: Workspace, stack: str) -> list[tuple[str, str, frozenset[str]]]:
    """What a preview would do: the operation, the resource, and the inputs that change."""
    steps = json.loads(workspace.run("preview", "--json", "--stack", stack).stdout)["steps"]
    return sorted(
        (step["op"], step["urn"].rpartition("::")[2], _changed(step) if step["op"] == "update" else frozenset())
        for step in steps
        if step["op"] != "same" and not step["urn"].endswith("removal-brake")
    )


def _changed(step: Mapping[str, Any]) -> frozenset[str]:
    old, new = step["oldState"]["inputs"], step["newState"]["inputs"]
    return frozenset(key for key in {*old, *new} if old.get(key) != new.get(key)) - {"__provider"}


def test_a_review_from_the_packets_to_the_evidence(workspace: Workspace) -> None:
    """Kept, lowered and removed is what the preview then shows, and nothing else; the policies are content."""
    prepare(workspace)
    assert overdue(workspace, "production")
    assert overdue(workspace, "staging")

    begun = workspace.command("review", "start", *NOW)
    assert begun.returncode == 1, begun.stderr
    people = [line for line in begun.stdout.splitlines() if line.startswith((f"{NOOR}: ", f"{ROBIN}: "))]
    nobody = "nobody reviews consumer in warehouse (production): the approver would review their own access"
    assert people[0].endswith(f"; {nobody}")
    assert people[1].startswith(f"{ROBIN}: lower admin in shop to analyst (production); keep ")
    folder = workspace.pulumi.project / "reviews" / "2026-Q2"
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{ANA}.md", f"{ANA}.yaml", "evidence.jsonl", "unassigned.md", "unassigned.yaml",
    ]  # fmt: skip
    packet: dict[str, Any] = YAML(typ="safe").load((folder / f"{ANA}.yaml").read_text())
    items = {(one["email"], one["stack"], one["project"]): one for one in packet["items"]}
    shop = items[ROBIN, "production", "shop"]
    assert (shop["role"], shop["suggestion"], shop["suggestedRole"]) == ("admin", "lower", "analyst")
    assert shop["since"]
    assert shop["sources"] == ["admin through an individual grant"]
    assert items[LEE, "production", "shop"]["lastActive"] == "2026-04-30"

    open_ = workspace.command("review", "status", "--json", *NOW)
    assert (open_.returncode, json.loads(open_.stdout)["undecided"]) == (1, 5)

    def decide(email: str, word: str, *more: str) -> None:
        done = workspace.command("review", "decide", email, word, *more, "--json", *NOW)
        assert done.returncode == 0, done.stderr

    production = ("--stack", "production")
    decide(ROBIN, "lower=analyst", *production, "--project", "shop", "--comment", "as the SOW says")
    decide(ROBIN, "keep", *production, "--project", "warehouse")
    decide(ROBIN, "keep", "--stack", "staging")
    decide(NOOR, "keep", "--reviewer", OMAR)
    file = folder / f"{ANA}.yaml"  # and one by hand
    head, lee, rest = file.read_text().partition(f"email: {LEE}\n")
    file.write_text(head + lee + rest.replace("    decision:\n", "    decision: remove\n", 1))
    decided = workspace.command("review", "status", *NOW)
    applies = "{}: `mixpanel-access review apply --stack {}`\n"
    steps = [
        applies.format(*step) in decided.stdout
        for step in (("4 decisions to apply", "production"), ("1 decision to apply", "staging"))
    ]
    assert (decided.returncode, steps) == (1, [True, True])
    without_credentials(workspace, decided.stdout)

    before = workspace.dump()
    rosters = {path: path.read_text() for path in workspace.stacks.glob("*.yaml")}
    shown = workspace.command("review", "apply", *production, *NOW)
    assert shown.returncode == 1, shown.stderr
    assert f"  {ROBIN}: admin in shop becomes analyst\n" in shown.stdout
    assert f"  {LEE} has nothing any more\n" in shown.stdout
    assert {path: path.read_text() for path in rosters} == rosters
    for stack, applied in {"production": "Applied 4 decisions.", "staging": "Applied 1 decision."}.items():
        written = workspace.command("review", "apply", "--yes", "--stack", stack, *NOW)
        assert (written.returncode, applied in written.stdout) == (0, True), written.stderr
    assert unchanged(before, workspace.dump())
    again = workspace.command("review", "apply", "--yes", "--json", *production, "--now", "2026-05-09")
    assert (again.returncode, json.loads(again.stdout)["rosters"]) == (0, [])

    waits = workspace.command("review", "status", "--json", *NOW)
    assert waits.returncode == 1
    still = {(one["email"], one["state"], one["mixpanel"]) for one in json.loads(waits.stdout)["stillThere"]}
    assert still == {(ROBIN, "admin", "admin"), (LEE, "analyst", "analyst")}

    day = frozenset({"reviewed"})
    assert changes(workspace, "production") == sorted(
        [
            ("delete", LEE, frozenset()),
            ("delete", f"{PRODUCTION}:{LEE}", frozenset()),
            ("update", ROBIN, day),
            ("update", f"{PRODUCTION}:{ROBIN}", day | {"role"}),
            ("update", f"{WAREHOUSE}:{ROBIN}", day),
            ("update", NOOR, day),
            ("update", f"{WAREHOUSE}:{NOOR}", day),
        ]
    )
    assert changes(workspace, "staging") == [("update", f"{STAGING}:{ROBIN}", day), ("update", ROBIN, day)]
    for stack in ("production", "staging"):
        workspace.up(stack)
        assert not overdue(workspace, stack)
    assert workspace.grants(ROBIN)[PRODUCTION] == "analyst"
    assert PRODUCTION not in workspace.grants(LEE)
    workspace.unchanged("production")
    assert workspace.command("review", "status", *NOW).returncode == 0

    sheet = workspace.command("review", "evidence", "--format", "json")
    lines = [line for line in json.loads(sheet.stdout) if line["event"] == "decided"]
    assert {(line["email"], line["decision"], line["reviewer"], line["decided"]) for line in lines} == {
        (ROBIN, "lower", ANA, "2026-05-04"),
        (ROBIN, "keep", ANA, "2026-05-04"),
        (LEE, "remove", ANA, "2026-05-04"),
        (NOOR, "keep", OMAR, "2026-05-04"),
    }
    assert {line["comment"] for line in lines if line["decision"] == "lower"} == {"as the SOW says"}
    done = workspace.command("review", "evidence", "--format", "xlsx", "--to", "evidence.xlsx")
    assert (done.returncode, done.stdout) == (0, "Wrote 10 lines to evidence.xlsx.\n")
    assert workspace.command("review", "verify").returncode == 0
    changed_later(workspace)
    evidence = folder / "evidence.jsonl"
    evidence.write_text(evidence.read_text().replace('"remove"', '"keep"', 1))
    touched = workspace.command("review", "verify")
    assert touched.returncode == 1
    assert "has another decision than was applied on " in touched.stdout


def without_credentials(workspace: Workspace, shown: str) -> None:
    """A reviewer sees what is open by the packets and the rosters, and that the rest is unknown."""
    workspace.environ["MIXPANEL_SERVICE_ACCOUNT_SECRET"] = ""
    alone = workspace.command("review", "status", *NOW)
    assert alone.returncode == 1
    assert alone.stdout.startswith(shown)
    words = "Unknown: whether the access that the applied decisions took away is gone: "
    assert alone.stdout.removeprefix(shown).startswith(words)
    document = json.loads(workspace.command("review", "status", "--json", *NOW).stdout)
    assert (document["open"], document["undecided"], document["stillThere"]) == (True, 0, [])
    assert document["unknown"] in alone.stdout
    del workspace.environ["MIXPANEL_SERVICE_ACCOUNT_SECRET"]


def changed_later(workspace: Workspace) -> None:
    """Noor's access is extended, listed again and decided on, and changes once more: that is not applied."""
    roster = workspace.stacks / "production.yaml"
    roster.write_text(roster.read_text().replace("2026-12-31", "2027-12-31"))
    status = workspace.command("review", "status", "--stack", "production", "--all", *NOW)
    assert status.returncode == 1
    words = "applied, ends changed from 2026-12-31 to 2027-12-31"
    assert f"new: {NOOR} as consumer in warehouse, stack production: since the decision of 2026-05-04 was {words}" in (
        status.stdout
    )
    workspace.command("review", "start", *NOW)
    workspace.command("review", "decide", NOOR, "remove", "--reviewer", OMAR, *NOW)
    roster.write_text(roster.read_text().replace("2027-12-31", "2028-12-31"))
    done = workspace.command("review", "apply", "--yes", "--stack", "production", "--json", *NOW)
    document = json.loads(done.stdout)
    assert (done.returncode, document["written"], document["rosters"]) == (1, False, [])
    assert [(one["email"], "2027-12-31 to 2028-12-31" in one["why"]) for one in document["stale"]] == [(NOOR, True)]
    assert NOOR in roster.read_text()
    told = workspace.command("review", "apply", "--stack", "production", *NOW)
    assert (told.returncode, "1 decision not applied, since the access has changed." in told.stdout) == (1, True)


def test_what_cannot_be_done_is_one_line(workspace: Workspace) -> None:
    """No review, an unknown reviewer, an unknown format: exit code 2, and nothing is written."""
    wrong: list[tuple[tuple[str, ...], str]] = [
        (("status",), "cannot find a review"),
        (("apply", "--review", "none"), "cannot find the review for none"),
        (("start", "--reviewer-by", "aprover"), "did you mean 'approver'?"),
        (("evidence", "--format", "pdf"), "'pdf' is not a format"),
    ]
    for args, words in wrong:
        failed = workspace.command("review", *args)
        assert (failed.returncode, failed.stdout, words in failed.stderr) == (2, "", True), args
    assert not (workspace.pulumi.project / "reviews").exists()
