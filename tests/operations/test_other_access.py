"""What commands show of the access that no stack manages: they say what is unknown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from mixpanel_access.model import errors
from mixpanel_access.model.access import OF_PEOPLE, AccessSource, AccountFlag, OtherAccess, Project
from mixpanel_access.model.audit import AuditEvent
from mixpanel_access.operations.review.files import read_packets, text_of
from mixpanel_access.operations.review.packet import Item
from mixpanel_access.operations.review.starting import begin
from mixpanel_access.operations.who import of_person, other_in_project, other_of_person
from tests.fake_roles import role_id
from tests.fakes import NOW, PRODUCTION, WAREHOUSE, FakeApi
from tests.operations.overviews import BO, overview, person
from tests.operations.reports import report

ANA = "ana@example.com"
DAY = timedelta(days=1)
IN_SHOP = person(more=f"engagement: review, projects: {{ shop: {role_id(1)} }}")


def organization() -> FakeApi:
    """Bo sees classified data, is in a data view of the shop, and used MCP; so did Ana, whom no stack has."""
    api = FakeApi()
    for email in (BO, ANA):
        api.put(email)
    role = api.custom_roles.put(PRODUCTION, "Support", "view_classified")
    api.give(PRODUCTION, BO, role.id)
    api.service_accounts.flags[PRODUCTION] = [AccountFlag("etl", "analyst", sensitive=True)]
    api.events_ = [
        AuditEvent("1", NOW - 9 * DAY, "workspace.user_added", ANA, BO, PRODUCTION, about="Sales"),
        AuditEvent("2", NOW - 8 * DAY, "workspace.user_added", ANA, BO, WAREHOUSE, about="Stock"),
        AuditEvent("3", NOW - DAY, "mcp_tool_call.performed", BO),
        AuditEvent("4", NOW - DAY, "mcp_tool_call.performed", ANA),
    ]
    return api


def of_project(api: FakeApi) -> list[OtherAccess]:
    """`who --project`."""
    return other_in_project(overview(api, IN_SHOP), Project(PRODUCTION, "Shop"))


def of_bo(api: FakeApi) -> list[OtherAccess]:
    """`who bo@example.com`."""
    seen = overview(api, IN_SHOP)
    return other_of_person(seen, BO, of_person(seen, BO))


def reported(api: FakeApi) -> list[OtherAccess]:
    """`report`."""
    return list(report(api).other_access)


COMMANDS: dict[str, tuple[Callable[[FakeApi], list[OtherAccess]], tuple[AccessSource, ...]]] = {
    "who --project": (
        of_project,
        tuple(source for source in AccessSource if source is not AccessSource.DISCOVERABILITY),
    ),
    "who": (of_bo, OF_PEOPLE),
    "report": (reported, tuple(AccessSource)),
}
"""Command -> what it shows, and the kinds that it asks for. `drift` and `review start` read as `report` does."""
VERBS = {
    AccessSource.DATA_VIEWS: "events",
    AccessSource.MCP: "events",
    AccessSource.CLASSIFIED: "custom_roles",
    AccessSource.ACCOUNTS: "flags_of_project",
    AccessSource.DISCOVERABILITY: "discoverability",
}
ANSWERS = (
    errors.NotFound, errors.Forbidden, errors.Unauthorized, errors.Invalid, errors.RateLimited, errors.ServerFault,
    errors.NotApplied, errors.Unintelligible, errors.Unreachable,
)  # fmt: skip


@pytest.mark.parametrize("kind", ANSWERS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("source", AccessSource)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_goes_on_without_what_it_is_not_told(
    command: str, source: AccessSource, kind: type[errors.MixpanelError]
) -> None:
    """Each kind, each error: it is unknown, with the words of the answer; what is not asked for is not there."""
    show, asked = COMMANDS[command]
    api = organization()
    api.faults[VERBS[source]] = [kind("cannot read it", why="so it is") for _ in range(50)]
    rows = [one for one in show(api) if one.source is source]
    assert not any(one.known for one in rows)
    assert any("so it is" in one.what for one in rows) is (source in asked)
    assert (api.calls[VERBS[source]] > 0) is (VERBS[source] in {VERBS[one] for one in asked})


def test_a_person_is_shown_what_is_theirs_in_the_projects_that_they_reach() -> None:
    """Not what others have, nor a data view of a project that they do not reach."""
    api = organization()
    known = [(one.source, one.what.partition(",")[0]) for one in of_bo(api) if one.known]
    assert known == [
        (AccessSource.DATA_VIEWS, "added to Sales on 2026-04-25"),
        (AccessSource.CLASSIFIED, "custom role Support"),
        (AccessSource.MCP, "used 1 time in the last 90 days"),
    ]
    assert api.calls["discoverability"] == api.calls["flags_of_project"] == 0


def test_a_stack_s_report_leaves_out_people_of_others() -> None:
    """As it does everywhere; service accounts and what is unknown are there."""
    whole, part = ({one.who for one in report(organization(), stacks).other_access} for stacks in (
        ("production", "staging"), ("staging",),
    ))  # fmt: skip
    assert {BO, ANA, "the organization", ""} <= whole
    assert BO not in part
    assert "the organization" in part


def test_many_calls_are_read_in_part() -> None:
    """The newest thousand, and it is said since when."""
    api = organization()
    api.events_ = [AuditEvent(str(n), NOW - n * DAY / 100, "mcp_tool_call.performed", BO) for n in range(1500)]
    rows = [one for one in of_bo(api) if one.source is AccessSource.MCP]
    assert [one.what for one in rows if one.known] == [
        "used 1000 times in the time since 2026-04-24 12:14 UTC, last on 2026-05-04"
    ]
    assert any("only those of the time since 2026-04-24" in one.what for one in rows if not one.known)


def test_a_reviewer_sees_it_beside_the_role_and_what_is_unknown(tmp_path: Path) -> None:
    """Of the item's project, or of none; the packet reads as it was written, and the page has it."""
    api = organization()
    api.faults["custom_roles"] = [errors.Forbidden("cannot read", why="the plan has none")] * 9
    begun = begin(overview(api, IN_SHOP, company=""), "approver", tmp_path / "2026-Q2")
    (one,) = (file for file in begun.packets if file.packet.items)
    items = {item.project: item for item in one.packet.items}
    assert items["shop"].other_access == [
        "data views: added to Sales on 2026-04-25, by ana@example.com",
        "MCP: used 1 time in the last 90 days, last on 2026-05-03",
    ]
    assert any("classified data: unknown (the plan has none" in line for line in one.packet.unknown)
    assert [text_of(again.packet) for again in read_packets(tmp_path / "2026-Q2")] == [
        text_of(written.packet) for written in begun.packets
    ]
    page = one.file.with_suffix(".md").read_text()
    assert "added to Sales" in page
    assert "## Unknown" in page
    assert {row.source for row in begun.other_access if row.known} == {
        AccessSource.DATA_VIEWS, AccessSource.ACCOUNTS, AccessSource.MCP, AccessSource.DISCOVERABILITY,
    }  # fmt: skip


def test_a_packet_of_before_reads_as_it_is() -> None:
    """Without the new fields."""
    item = Item(
        stack="s", email=BO, role="analyst", state="current", last_active="never", suggestion="keep", reason="r"
    )
    assert item.other_access == ()
