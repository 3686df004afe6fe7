"""Two components of one person, and two rosters, in one program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest

from mixpanel_access.component import CollaboratorAccess, ProjectArgs, RosterAccess
from tests.component.mocks import registered
from tests.component.test_collaborator_access import ARGS, IN

SECOND = replace(ARGS, engagement_name="audit", projects={"data": ProjectArgs(1234569)})
DIFFERING: dict[str, tuple[Any, str]] = {
    "the role": (replace(SECOND, organization_role="admin"), "role None and 'admin'"),
    "the removal": (replace(SECOND, removal="always"), "removal 'when_unused' and 'always'"),
    "the spelling": (replace(SECOND, email="robin@agency.example.org"), "email 'Robin@Agency.example.org' and"),
    "a project": (replace(SECOND, projects={"web": ProjectArgs(1)}), "has a role in the project 'web' by"),
}


def both(second: Any) -> Callable[[], None]:
    """A program of two engagements."""

    def program() -> None:
        one = CollaboratorAccess("one", ARGS, today=IN)
        two = CollaboratorAccess("two", second, today=IN)
        assert one.member is two.member
        assert [person["projects"] for one in (one, two) for person in one.declared] == [[1234567, 1234568], [1234569]]

    return program


def test_two_engagements_of_one_person_share_the_member() -> None:
    """One member, and the grants of both."""
    found = registered(both(SECOND))
    assert sorted(name for name in found if not name.startswith("Coll")) == [
        "Member robin@agency.example.org",
        "ProjectGrant data:robin@agency.example.org",
        "ProjectGrant shop:robin@agency.example.org",
        "ProjectGrant web:robin@agency.example.org",
    ]
    assert found["Member robin@agency.example.org"]["engagement"] == "funnel-review"


@pytest.mark.parametrize(("second", "words"), DIFFERING.values(), ids=DIFFERING)
def test_two_engagements_that_say_different_things_are_refused(second: Any, words: str) -> None:
    """With both names and both values, before anything is made."""
    with pytest.raises(pulumi.RunError, match="one") as held:
        registered(both(second))
    assert words in str(held.value)
    assert "two" in str(held.value)


def test_an_engagement_that_does_not_count_today_is_in_nobodys_way() -> None:
    """The member is then that of the one that counts; a program of its own knows nothing of another's."""

    def program() -> None:
        CollaboratorAccess("old", ARGS, today=IN.replace(year=2027))
        CollaboratorAccess("now", ARGS, today=IN)

    for _ in range(2):
        assert "Member robin@agency.example.org" in registered(program)


def test_a_second_roster_is_refused(tmp_path: Path) -> None:
    """A stack has one roster: the engine would take each resource of the second for one of the first."""
    file = tmp_path / "production.yaml"
    file.write_text("environment: production\n")

    def program() -> None:
        RosterAccess("first", file)
        RosterAccess("second", file)

    with pytest.raises(pulumi.RunError, match="the program has the RosterAccess first already"):
        registered(program)
