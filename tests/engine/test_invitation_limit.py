"""Twelve people of one agency: Mixpanel sends ten invitations an hour, and the second run goes on with the rest."""

from __future__ import annotations

import pytest

from tests.engine.conftest import Workspace

pytestmark = [pytest.mark.engine, pytest.mark.python_engine]


CREW = [{"email": f"p{n:02}@agency.example.org", "organizationRole": "member"} for n in range(12)]


def test_a_run_stops_cleanly_at_the_limit_and_the_next_goes_on(workspace: Workspace) -> None:
    """The preview warns; the run tells who was invited, who was not, and from when to run again."""
    workspace.roster(CREW)
    preview = workspace.run("preview", "--stack", "production")
    assert "warning: more than 10 invitations to agency.example.org in one run" in preview.stdout
    stopped = workspace.up(check=False)
    assert stopped.returncode != 0
    assert "Traceback" not in stopped.stdout
    assert "Mixpanel's limit of about 10 invitation e-mails an hour to agency.example.org is reached" in stopped.stdout
    invited = {str(person["email"]) for person in CREW if workspace.mails(str(person["email"]))}
    assert 1 <= len(invited) <= 10
    assert "not invited: " in stopped.stdout
    assert "Run again from " in stopped.stdout
    workspace.emulator.control("POST", "clock", {"advance_seconds": 3601})
    workspace.up()
    assert [workspace.mails(str(person["email"])) for person in CREW] == [1] * 12
    workspace.unchanged()
