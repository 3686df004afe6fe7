"""The organization of 40 through the real engine: only what is truly wrong stops it, and it is told by person."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.sandbox import ROOT
from mixpanel_access.emulator.server import demo_document
from mixpanel_access.engine import Engine
from tests.engine.conftest import Workspace, workspace_on
from tests.rules.test_an_organization import APPROVERS, COMPANY, FOLDER, TODAY, TRUE

pytestmark = pytest.mark.engine


@pytest.fixture
def organization(engine: Engine, tmp_path: Path) -> Iterator[Workspace]:
    """Its rosters, over an organization where nobody of them is yet."""
    document = demo_document()
    document["service_accounts"][0]["role"] = "owner"
    document["projects"] += [{"id": 1234569, "name": "App (production)"}, {"id": 2345680, "name": "App (staging)"}]
    with workspace_on(document, engine, tmp_path) as made:
        made.add("staging")
        for file in FOLDER.iterdir():
            shutil.copy(file, made.stacks)
        yield made


@pytest.mark.parametrize("stack", TRUE)
def test_a_preview_is_stopped_by_what_is_truly_wrong(organization: Workspace, stack: str) -> None:
    """With `policy findings`, those come first; with --diff, as CI previews."""
    settings = {
        "companyDomains": ",".join(COMPANY),
        "approvers": ",".join(APPROVERS),
        "now": f"{TODAY}T12:00:00Z",
        "apiUrl": organization.emulator.url,
    }
    given = [part for key, value in settings.items() for part in ("--plaintext", f"mixpanel:{key}={value}")]
    organization.run("config", "set-all", *given, "--stack", stack)
    config = ("--policy-pack-config", str(ROOT / "policies" / "config" / f"{stack}.json"))
    options = ("--stack", stack, "--diff", "--policy-pack", str(ROOT / "policies"), *config)
    shown = organization.run("preview", *options, check=False)
    file = organization.folder / "plan.txt"
    file.write_text(shown.stdout)
    lines = organization.command("policy", "findings", str(file)).stdout.splitlines()
    mandatory = [line for line in lines if line.startswith("  mandatory")]
    assert sorted(re.findall(r"mandatory ([\w-]+)", "\n".join(mandatory))) == sorted(rule for rule, _ in TRUE[stack])
    assert lines[0].startswith(f"Policy findings: {len(TRUE[stack])} mandatory, ")
    assert lines[2] in mandatory
    whom = [line for line in lines[1:] if not line.startswith("  ")]
    assert len(whom) == len(set(whom))
    assert len([line for line in lines if "review-due" in line]) <= 1
