"""`doctor --writes` on a project with stacks, as somebody runs it."""

from __future__ import annotations

import json

from mixpanel_access.emulator.dialect import Dialect, read
from tests.engine.conftest import PRODUCTION, SANDBOX, Workspace

EMAIL = "throw.away@example.net"
WRITES = ("doctor", "--writes", EMAIL, "--teams", "--accounts", "--yes-write-to", "7654321", "--project")


def test_the_writes_are_shown_tried_undone_and_reported(workspace: Workspace) -> None:
    """Production is refused by its roster; elsewhere the report is a dialect, and the organization as before."""
    workspace.add("staging")
    before = workspace.dump()
    refused = workspace.command(*WRITES, str(PRODUCTION))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"production.yaml names project {PRODUCTION} as production; nothing was written." in refused.stderr
    assert not any(verb.startswith("POST") for verb in workspace.requests())
    done = workspace.command(*WRITES, str(SANDBOX), "--to", "told.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.index("2. invite: POST /organizations/7654321/add-users/") < done.stdout.index("confirmed")
    assert " statements: " in done.stdout
    assert ", 0 otherwise, " in done.stdout
    assert done.stderr.endswith("The organization is as it was before.\n")
    after = workspace.dump()
    same = ("members", "grants", "projects", "teams")
    assert [after[part] for part in same] == [before[part] for part in same]
    assert len(after["service_accounts"]) == len(before["service_accounts"])
    text = (workspace.pulumi.project / "told.json").read_text()
    assert read(json.loads(text)) == Dialect()
    assert EMAIL not in text
    nothing = workspace.command("doctor", "--undo", "--json")
    assert (nothing.returncode, json.loads(nothing.stdout)) == (0, {"left": []})
    assert nothing.stderr.endswith("Organization 7654321: there is nothing to undo.\n")
