"""What `revoke` does with service accounts that another one has replaced."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mixpanel_access.model.declaration import Declaration
from mixpanel_access.operations.revoking.engine import declaration_without
from mixpanel_access.operations.revoking.removals import RosterToday, removals
from mixpanel_access.operations.revoking.rows import rows_of

INPUTS = {"username": "etl", "role": "consumer", "rotate_after": 90, "overlap": 7}
RETIRING = [{"account_id": 5, "login": "etl.1.mp-service-account", "until": "2026-05-19T13:00:00Z"}]


def export(retiring: list[dict[str, Any]]) -> dict[str, Any]:
    """A state with one account."""
    outputs = {**INPUTS, "account_id": 6, "login": "etl.2.mp-service-account", "retiring": retiring}
    account = {
        "type": "pulumi-python:dynamic/mixpanel:ServiceAccount",
        "urn": "urn:pulumi:s::p::pulumi-python:dynamic/mixpanel:ServiceAccount::service-account/etl",
        "id": "7:6",
        "inputs": INPUTS,
        "outputs": outputs,
    }
    return {"deployment": {"resources": [account]}}


@pytest.mark.parametrize(
    ("today", "retiring", "goes"),
    [("2026-05-19", RETIRING, False), ("2026-05-20", RETIRING, True), ("2026-06-20", [], False)],
)
def test_an_account_whose_overlap_is_over_goes(today: str, retiring: list[dict[str, Any]], goes: bool) -> None:
    """After its last day, by an update of the account that has replaced it, which stays as the state has it."""
    declared = Declaration({}, {}, (), {}, {}, (), accounts={"etl": {**INPUTS, "overlap": 30}})
    rows = rows_of(export(retiring))
    found = removals(rows, RosterToday(declared, date.fromisoformat(today)))
    assert [(one.what, one.ends, one.planned, one.lowers) for one in found] == (
        [("the service account etl.1.mp-service-account, which another one has replaced", "2026-05-19", True, True)]
        if goes
        else []
    )
    assert declaration_without(rows, found, {}, declared).accounts == {"etl": INPUTS}
