"""What the readers of a state know of one person of a group, and what only the group has."""

from __future__ import annotations

from typing import Any

from mixpanel_access.model import resources as kinds
from mixpanel_access.operations.state import State, state_of
from mixpanel_access.operations.tracker.lines import state_lines
from tests.fakes import ORGANIZATION, PRODUCTION

CREATED, CHANGED, ADDED = "2026-01-01T08:00:00Z", "2026-03-01T08:00:00Z", "2026-02-01T08:00:00Z"
ANA, BO = "ana@example.com", "bo@example.com"


def state() -> State:
    """A `Members` of two people, of whom Ana came into it later, with a grant for each."""
    rows: dict[kinds.ResourceKind, tuple[str, dict[str, Any]]] = {
        kinds.MEMBERS: (
            f"{ORGANIZATION}:members",
            {
                "people": {ANA: {"removal": "when_unused"}, BO: {"removal": "when_unused", "role": "admin"}},
                "members": {ANA: {"status": "pending", "added": ADDED}, BO: {"status": "accepted"}},
            },
        ),
        kinds.PROJECT_ACCESS: (
            f"{ORGANIZATION}:{PRODUCTION}",
            {"project_id": PRODUCTION, "grants": {ANA: "analyst", BO: "admin"}, "exclusive": False},
        ),
    }
    resources = [
        {
            "urn": f"urn:pulumi:s::p::{kind.type}::{kind.prefix}", "type": kind.type, "id": id_, "outputs": outputs,
            "created": CREATED, "modified": CHANGED,
        }
        for kind, (id_, outputs) in rows.items()
    ]  # fmt: skip
    return state_of({"deployment": {"resources": resources}}, ORGANIZATION)


def test_a_person_has_not_begun_when_the_group_was_made() -> None:
    """The group may say when it got them; else nobody knows, nor when it changed."""
    found = state()
    assert [found.members[email].begun for email in (ANA, BO)] == [ADDED, ""]
    assert {one.begun for one in found.grants.values()} == {""}
    assert {one.changed for one in (*found.members.values(), *found.grants.values())} == {""}
    assert found.project_access[PRODUCTION].begun == CREATED


def test_the_access_log_takes_the_end_of_the_span_for_a_start_that_is_not_known() -> None:
    """The state says only that it was between the making of the group and its last change."""
    found = {(one.line.email, one.line.project): one for one in state_lines("production", state())}
    assert {key: (one.line.date, one.earliest, one.dated) for key, one in found.items()} == {
        (ANA, None): (ADDED, ADDED, True),
        (BO, None): (CHANGED, CREATED, False),
        (ANA, PRODUCTION): (CHANGED, CREATED, False),
        (BO, PRODUCTION): (CHANGED, CREATED, False),
    }
