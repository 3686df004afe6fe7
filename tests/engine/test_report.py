"""`mixpanel-access report`, over both stacks and the real engine's states."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from demo.sandbox import ROOT
from mixpanel_access.operations.report.page import with_break
from tests.engine.conftest import WAREHOUSE, Workspace
from tests.engine.test_policies import PACK, violations

pytestmark = [pytest.mark.engine, pytest.mark.python_engine]


ROBIN = "robin@agency.example.org"
TODAY = "2026-05-04T12:00:00Z"


def test_the_report_of_both_stacks(workspace: Workspace) -> None:
    """The page is written, printed, and told as JSON; its findings are the engine's; all in order, it ends with 0."""
    shutil.copytree(ROOT / "policies" / "config", workspace.pulumi.project / "policies" / "config")
    workspace.add("staging")
    for roster in (ROOT / "stacks").glob("[!P]*.yaml"):  # as they ship, begun before that day
        shutil.copy(roster, workspace.stacks)
    for stack in ("production", "staging"):
        workspace.clock(TODAY, stack)
        workspace.up(stack)

    written = workspace.command("report")
    assert (written.returncode, written.stderr.splitlines()) == (
        1, ["read 7 people of organization 7654321", "wrote access-report.html"],
    ), written.stderr  # fmt: skip
    assert written.stdout == (
        "7 people of production and staging: 5 of high risk, 0 with something to do, 8 unmanaged or changed, "
        "0 violations of mandatory rules.\n"
    )
    page = (workspace.pulumi.project / "access-report.html").read_text()
    for words in ("Mixpanel access of Example", "Warehouse (production)", f"{with_break(ROBIN)}</a>"):
        assert words in page
    printed = workspace.command("report", "--to", "-")
    assert (printed.returncode, printed.stdout) == (1, page)

    told = workspace.command("report", "--json")
    document = json.loads(told.stdout)
    assert (told.returncode, document["stacks"], document["whole"]) == (1, ["production", "staging"], True)
    robin = next(one for one in document["people"] if one["email"] == ROBIN)
    assert robin["projects"][str(WAREHOUSE)]["role"] == "consumer"
    assert [one["email"] for one in document["invitations"]] == [ROBIN]
    found = {(one["level"], one["rule"]) for one in document["findings"] if one["stack"] == "production"}
    assert found == _by_the_engine(workspace) != set()

    one = json.loads(workspace.command("report", "--stack", "production", "--now", "2026-05-09", "--json").stdout)
    assert [environment["name"] for environment in one["environments"]] == ["production"]
    assert one["invitations"][0]["hours"] == 108

    for args, words in (
        (("--to", "-", "--json"), "cannot print both: --to - and --json both print"),
        (("--to", "no/such/folder.html"), "cannot write the report for no/such/folder.html"),
        (("--stack", "prod"), "cannot find the stack for prod"),
    ):
        failed = workspace.command("report", *args)
        assert (failed.returncode, failed.stdout) == (2, ""), args
        assert words in failed.stderr, args
        assert "Traceback" not in failed.stderr

    for name in ("ana", "omar", "kim", "lee", "noor", "billing"):
        workspace.emulator.control("DELETE", f"members/{name}@example.com")
    quiet = workspace.command("report", "--to", "quiet.html")
    assert quiet.returncode == 0, quiet.stdout + quiet.stderr
    assert "Everything in Mixpanel is in a stack" in (workspace.pulumi.project / "quiet.html").read_text()


def _by_the_engine(workspace: Workspace) -> set[tuple[str, str]]:
    """Level and rule of what the policy pack finds in the state of production."""
    file = workspace.folder / "export.json"
    file.write_text(workspace.run("stack", "export", "--stack", "production").stdout)
    config = ("--policy-pack", str(PACK), "--policy-pack-config", str(PACK / "config" / "production.json"))
    return violations(
        re.sub(r"\x1b\[[0-9;]*m", "", workspace.run("policy", "analyze", "--file", str(file), *config).stdout)
    )
