"""`revoke` ends a membership whatever the state says of grants that were taken away by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.engine.conftest import PRODUCTION, WAREHOUSE, Workspace
from tests.engine.test_revoke import CY, DI, LAST, accept, day, revoke

pytestmark = [pytest.mark.engine, pytest.mark.python_engine]


@dataclass(frozen=True)
class Losing:
    """How grants are lost by hand in a stack whose state then shows it.

    Attributes:
        authoritative: the projects whose grants the roster alone says.
        lost: the projects in which they are lost.
        again: the role that somebody gives by hand in place of each, after the state has shown that they are gone.
        removed: whether the people were removed from the organization, and invited again by hand.
        forgotten: whether the state does not say what is lost, as one that version 0.1.0 refreshed.
    """

    authoritative: tuple[str, ...]
    lost: tuple[int, ...] = (WAREHOUSE,)
    again: str = ""
    removed: bool = False
    forgotten: bool = False


BOTH = ("shop", "warehouse")
LOSING: dict[str, Losing] = {
    "in one project of two": Losing(("warehouse",)),
    "in one authoritative project of two": Losing(BOTH),
    "in two authoritative projects": Losing(BOTH, (PRODUCTION, WAREHOUSE)),
    "a single grant": Losing(()),
    "given back by hand": Losing(("warehouse",), again="analyst"),
    "given back by hand in two, with a higher role": Losing(BOTH, (PRODUCTION, WAREHOUSE), again="admin"),
    "in a state of version 0.1.0": Losing(BOTH, (PRODUCTION, WAREHOUSE), forgotten=True),
    "removed and invited again": Losing(BOTH, (PRODUCTION, WAREHOUSE), removed=True),
    "removed, invited and given back": Losing(("warehouse",), (PRODUCTION, WAREHOUSE), again="consumer", removed=True),
}


def lose(workspace: Workspace, how: Losing, *emails: str) -> None:
    """Have them lose their grants, the state show it, and have somebody give some of them again."""
    for email in emails if how.removed else ():
        workspace.emulator.control("DELETE", f"members/{email}")
        workspace.emulator.control("POST", "members", {"email": email, "role": "member"})
    document = workspace.dump()
    document["grants"] = [
        row for row in document["grants"] if row["email"] not in emails or row["project"] not in how.lost
    ]
    workspace.emulator.control("POST", "seed", document)
    workspace.run("refresh", "--yes", "--skip-preview", "--stack", "production")
    if how.forgotten:
        state = json.loads(workspace.run("stack", "export", "--stack", "production").stdout)
        for one in state["deployment"]["resources"]:
            one.get("outputs", {}).pop("lost", None)
        file = workspace.folder / "state.json"
        file.write_text(json.dumps(state))
        workspace.run("stack", "import", "--file", str(file), "--stack", "production")
    for email in emails if how.again else ():
        workspace.emulator.control("POST", "grants", {"project": WAREHOUSE, "email": email, "role": how.again})


def test_nothing_that_is_lost_holds_back_the_end_of_a_membership_on_the_real_engine(real_workspace: Workspace) -> None:
    """One situation of the table below, as users have it."""
    ends_whatever_is_lost(real_workspace, LOSING["in one project of two"])


@pytest.mark.parametrize("how", LOSING.values(), ids=LOSING.keys())
def test_nothing_that_is_lost_holds_back_the_end_of_a_membership(workspace: Workspace, how: Losing) -> None:
    """Whatever the state says of grants that are gone. Who has lost the same, and is declared, keeps what there is."""
    ends_whatever_is_lost(workspace, how)


def ends_whatever_is_lost(workspace: Workspace, how: Losing) -> None:
    """One run ends the membership and all grants of CY, whose last day has passed; the next finds nothing of CY."""
    day(workspace, f"{LAST}T12:00:00Z")
    projects = {
        key: {"id": id_, "environment": "production", "authoritative": key in how.authoritative}
        for key, id_ in zip(BOTH, (PRODUCTION, WAREHOUSE), strict=True)
    }
    stays: dict[str, Any] = {"email": DI, "projects": dict.fromkeys(BOTH, "analyst")}
    workspace.roster([{**stays, "email": CY, "ends": LAST}, stays], projects=projects)
    workspace.up()
    accept(workspace, CY, DI)
    lose(workspace, how, CY, DI)
    before = workspace.grants(DI)
    day(workspace, "2026-07-01T02:00:00Z")
    code, told, said = revoke(workspace, "--stack", "production", "--yes")
    assert (code, told["production"]["held"], told["production"]["problems"]) == (0, [], []), said
    assert (CY in workspace.members(), workspace.grants(CY)) == (False, {})
    assert (DI in workspace.members(), workspace.grants(DI)) == (True, before)
    code, told, _ = revoke(workspace, "--stack", "production", "--yes")
    assert (code, CY in {row["email"] for row in told["production"]["takes"]}) == (0, False)


def test_an_account_that_has_lost_its_role_goes(workspace: Workspace) -> None:
    """A service account that the roster no longer has is deleted, whatever the state says of its roles."""
    robot = {"role": "consumer", "purpose": "p", "contact": "ana@example.com", "projects": {"warehouse": "admin"}}
    workspace.roster([], serviceAccounts={"etl": robot})
    workspace.up()
    document = workspace.dump()
    for account in document["service_accounts"]:
        account["projects"] = [row for row in account.get("projects", ()) if row["id"] != WAREHOUSE]
    workspace.emulator.control("POST", "seed", document)
    workspace.run("refresh", "--yes", "--skip-preview", "--stack", "production")
    workspace.roster([])
    code, told, said = revoke(workspace, "--stack", "production", "--yes")
    assert (code, told["production"]["held"]) == (0, []), said
    assert not any(account["username"].startswith("etl") for account in workspace.dump()["service_accounts"])
