"""Who leaves: what is left of them, in every organization that a stack is of."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from mixpanel_access.cli import offboard as cli
from mixpanel_access.model.access import SingleSignOn
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.settings import Settings
from mixpanel_access.operations import offboarding
from mixpanel_access.operations import project as opening
from mixpanel_access.operations.offboarding import remaining_in_organizations
from tests.fake_scim import with_scim
from tests.fakes import PRODUCTION, FakeApi, make_directory, make_session

if TYPE_CHECKING:
    from mixpanel_access.operations.project import PulumiProject

BO = "bo@example.com"


@dataclass
class Stacks:
    """A project with a stack an organization; nobody is in their rosters and states."""

    all_of_them: dict[str, Settings]

    @property
    def stacks(self) -> list[str]:
        return [*self.all_of_them]

    def settings(self, stack: str) -> Settings:
        return self.all_of_them[stack]


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> PulumiProject:
    """The stacks acme and globex; in globex' organization Bo has what nobody declares."""
    there = FakeApi()
    there.put(BO, "admin")
    there.give(PRODUCTION, BO, "admin")
    settings, _ = make_session(there)
    apis = {1: FakeApi(), 2: there}
    found = {
        stack: replace(settings.settings, organization_id=id_)
        for stack, id_ in (("acme", 1), ("globex", 2), ("more", 2))
    }
    monkeypatch.setattr(
        offboarding, "connected", lambda settings: nullcontext(make_directory(apis[settings.organization_id]))
    )
    return cast("PulumiProject", Stacks(found))


def test_each_organization_is_asked_once(two: PulumiProject) -> None:
    """Whoever is left in one of them is left."""
    first, second = remaining_in_organizations(two, BO)
    assert (first.organization, first.listed, first.access) == (1, False, {})
    assert (second.organization, second.listed, second.role) == (2, True, "admin")
    assert PRODUCTION in second.access


def test_who_is_left_in_one_of_them_is_told(
    two: PulumiProject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """By the organization, and with exit code 1."""
    monkeypatch.setattr(opening, "open_project", lambda *_: two)
    monkeypatch.setattr(offboarding, "read_stacks", lambda _: [])
    assert cli.offboard(BO, yes=False, cwd=tmp_path) == 1
    lines = capsys.readouterr().out.splitlines()
    assert f"{BO} is not in organization 1." in lines
    assert any(line.startswith(f"{BO} is in organization 2 as organization admin: ") for line in lines)
    assert cli.offboard(BO, yes=False, cwd=tmp_path, as_json=True) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["inOrganization"], document["organizationRole"]) == (True, "admin")
    assert {one["organization"] for one in document["remains"]} == {2}


def test_who_is_deactivated_is_gone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Nothing is left to do for somebody whom SCIM keeps out: exit code 0, and the words say it."""
    api = with_scim(FakeApi(security=SingleSignOn(domains=frozenset({"example.com"}))))
    api.put(BO, "member")
    assert api.scim
    api.scim.kept_out.add(BO)
    settings, _ = make_session(api)
    project = cast("PulumiProject", Stacks({"acme": settings.settings}))
    monkeypatch.setattr(offboarding, "connected", lambda _: nullcontext(make_directory(api)))
    monkeypatch.setattr(opening, "open_project", lambda *_: project)
    monkeypatch.setattr(offboarding, "read_stacks", lambda _: [])
    assert cli.offboard(BO, yes=True, cwd=tmp_path) == 0
    assert f"{BO} is deactivated, cannot log in, and is in the organization" in capsys.readouterr().out


def test_what_is_not_an_address_is_refused(tmp_path: Path) -> None:
    """Before the project is opened: the answer must not read as if somebody of that name had nothing."""
    with pytest.raises(UsageError, match="cannot offboard for deploy-bot: it is not an e-mail address"):
        cli.offboard("deploy-bot", yes=True, cwd=tmp_path)
