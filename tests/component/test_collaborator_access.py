"""`CollaboratorAccess`: one person, one engagement, by Pulumi's own mocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pulumi
import pytest

from mixpanel_access.component import CollaboratorAccess, CollaboratorAccessArgs, Engagement, ProjectArgs
from tests.component.mocks import registered

ARGS = CollaboratorAccessArgs(
    email="Robin@Agency.example.org",
    engagement_name="funnel-review",
    engagement=Engagement(type="implementation", ticket="OPS-1", starts="2026-05-01", ends="2026-06-30"),
    projects={"shop": ProjectArgs(1234567), "web": ProjectArgs(1234568, "consumer")},
    environment="staging",
)
IN = date(2026, 5, 4)
WHY = {
    "engagement": "funnel-review", "engagement_type": "implementation", "ticket": "OPS-1",
    "starts": "2026-05-01", "ends": "2026-06-30",
}  # fmt: skip


def declared(
    args: CollaboratorAccessArgs, today: date = IN, config: Mapping[str, str] | None = None
) -> dict[str, dict[str, Any]]:
    """What the component registers."""
    found = registered(lambda: CollaboratorAccess("robin", args, today=today), config)
    assert found.pop("CollaboratorAccess robin") == {}
    return found


def test_one_person_and_their_grants() -> None:
    """The standard role where none is named; every child says why it is there."""
    assert declared(ARGS) == {
        "Member robin@agency.example.org": {
            "email": "Robin@Agency.example.org", "removal": "when_unused", **WHY,
        },
        "ProjectGrant shop:robin@agency.example.org": {
            "project_id": 1234567, "email": "Robin@Agency.example.org", "role": "admin", "environment": "staging",
            **WHY,
        },
        "ProjectGrant web:robin@agency.example.org": {
            "project_id": 1234568, "email": "Robin@Agency.example.org", "role": "consumer", "environment": "staging",
            **WHY,
        },
    }  # fmt: skip


def test_what_it_tells_a_program() -> None:
    """Typed attributes, and all that a brake has to know."""

    def program() -> Any:
        access = CollaboratorAccess("robin", replace(ARGS, organization_role="member"), today=IN)
        assert (access.active, access.roles) == (True, {"shop": "admin", "web": "consumer"})
        assert access.member is not None
        assert set(access.grants) == {"shop", "web"}
        assert access.declared == [
            {
                "email": "Robin@Agency.example.org", "role": "member", "removal": "when_unused",
                "projects": [1234567, 1234568], "ends": "2026-06-30",
            }
        ]  # fmt: skip
        gone = CollaboratorAccess("gone", ARGS, today=date(2026, 7, 1))
        assert (gone.active, gone.member, gone.grants, gone.roles, gone.declared) == (False, None, {}, {}, [])
        return gone.status.apply(_is_none)

    registered(program)


def test_the_kind_is_that_of_the_member_and_of_each_grant() -> None:
    """For the policies, which judge each resource by itself."""
    found = declared(replace(ARGS, kind="contractor"))
    assert [values["kind"] for values in found.values()] == ["contractor"] * 3


def _is_none(status: str | None) -> None:
    assert status is None


@pytest.mark.parametrize(
    ("today", "there"), [("2026-04-30", False), ("2026-05-01", True), ("2026-06-30", True), ("2026-07-01", False)]
)
def test_it_counts_from_the_first_day_to_the_last(today: str, there: bool) -> None:
    """As an entry of a roster does; the stack's clock says which day it is."""
    assert bool(declared(ARGS, date.fromisoformat(today))) is there
    by_clock = registered(lambda: CollaboratorAccess("robin", ARGS), {"mixpanel:now": f"{today}T23:59:00Z"})
    assert ("Member robin@agency.example.org" in by_clock) is there


def test_the_environment_is_the_stacks() -> None:
    """Unless it is named; without either nothing tells production from staging."""
    args = replace(ARGS, environment=None)
    found = declared(args, config={"mixpanel:environment": "production"})
    assert found["ProjectGrant shop:robin@agency.example.org"]["role"] == "analyst"
    with pytest.raises(pulumi.RunError, match=r"neither `environment` nor the stack's mixpanel:environment is set"):
        declared(args)


def test_a_projects_id_may_be_anothers_output() -> None:
    """Of a stack reference, for one."""
    args = replace(ARGS, projects={"shop": ProjectArgs(pulumi.Output.from_input(1234567))})
    assert declared(args)["ProjectGrant shop:robin@agency.example.org"]["project_id"] == 1234567


BAD = {
    "address": (replace(ARGS, email="robin"), "'robin' is not an e-mail address"),
    "role": (replace(ARGS, projects={"shop": ProjectArgs(1, "analist")}), "(did you mean 'analyst'?)"),
    "organization role": (replace(ARGS, organization_role="boss"), "'boss' is not an organization role"),
    "type": (replace(ARGS, engagement=Engagement(type="audits")), "not an engagement type (did you mean 'audit'?)"),
    "no role and no type": (replace(ARGS, engagement=Engagement()), "shop has no role"),
    "dates": (replace(ARGS, engagement=Engagement(starts="2026-02-01", ends="2026-01-01")), "before it starts"),
    "removal": (replace(ARGS, removal="perhaps"), "'perhaps' is not a choice"),
    "kind": (replace(ARGS, kind="contracter"), "not a kind of person (did you mean 'contractor'?)"),
    "standard roles": (replace(ARGS, standard_roles={"audit": {"longestDays": 0}}), "longestDays: "),
}


@pytest.mark.parametrize(("args", "words"), BAD.values(), ids=BAD.keys())
def test_bad_arguments_are_told_in_one_line(args: CollaboratorAccessArgs, words: str) -> None:
    """For whom and why, as a roster's are; the engine shows the text alone."""
    with pytest.raises(pulumi.RunError) as raised:
        declared(args)
    assert str(raised.value).startswith(f"cannot declare access for {args.email}: ")
    assert str(raised.value).count(f"{args.email}: ") == 1
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_standard_roles_may_be_set_otherwise() -> None:
    """As in a roster."""
    args = replace(ARGS, standard_roles={"implementation": {"elsewhere": "consumer"}})
    assert declared(args)["ProjectGrant shop:robin@agency.example.org"]["role"] == "consumer"
