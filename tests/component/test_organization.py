"""`Organization` in a program: its inputs, its secrets, and one provider for each organization."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest

from mixpanel_access.component import CollaboratorAccess, ProjectArgs, RosterAccess
from mixpanel_access.model.declaration import DRAFTS_VARIABLE
from mixpanel_access.model.resources import SIGNATURE
from mixpanel_access.model.settings import KEPT_VARIABLE, NAMESPACE, SETTINGS, input_name
from mixpanel_access.provider import Member, Organization
from mixpanel_access.provider.organization import OrganizationArgs
from mixpanel_access.provider.program import program_providers
from tests.component.mocks import registered
from tests.component.test_collaborator_access import ARGS, IN

HERE, THERE = 7654321, 8765432
CONFIG = {f"{NAMESPACE}:organizationId": str(HERE)}
LOGIN = {"service_account_username": "bot", "service_account_secret": "hush-hush"}


def secret(value: str) -> dict[str, str]:
    """A secret as the engine gets it."""
    return {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "value": value}


def organization(name: str, id_: Any = THERE, **more: Any) -> Organization:
    """An organization, as programs declare it."""
    return Organization(name, organization_id=id_, **{**LOGIN, **more})


def member(provider: Organization | None, name: str = "bo") -> Member:
    """A person of that organization."""
    return Member(name, email="bo@example.com", opts=pulumi.ResourceOptions(provider=provider))


def below(provider: Organization) -> None:
    """A person below a component of that organization."""
    parent = pulumi.ComponentResource("my:index:Team", "t", None, pulumi.ResourceOptions(providers=[provider]))
    Member("bo", email="bo@example.com", opts=pulumi.ResourceOptions(parent=parent))


def test_an_input_for_each_setting() -> None:
    """The names are those of the configuration."""
    assert set(OrganizationArgs.__annotations__) == {input_name(key) for key in SETTINGS}


def test_the_inputs_are_the_configuration() -> None:
    """As texts by their keys, with its name; what holds for the stack holds here, and no limit of its brakes does."""
    more: dict[str, Any] = {
        "scim_token": "scim",
        "removal_percent": 2.5,
        "release_brakes": ["lastOwner"],
        "region": "eu",
    }
    stack = {f"{NAMESPACE}:now": "2026-05-04T12:00:00Z", f"{NAMESPACE}:removalPercent": "50"}
    assert registered(lambda: organization("second", **more), {**CONFIG, **stack})["pulumi-python second"] == {
        f"{NAMESPACE}:{key}": value
        for key, value in {
            "provider": "second", "organizationId": str(THERE), "serviceAccountUsername": "bot", "region": "eu",
            "serviceAccountSecret": secret("hush-hush"), "scimToken": secret("scim"), "removalPercent": "2.5",
            "releaseBrakes": '["lastOwner"]', "now": "2026-05-04T12:00:00Z",
        }.items()
    }  # fmt: skip


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "two of one organization": (
        lambda: (organization("second"), organization("third")),
        f"Organization third: the program has the Organization second for organization {THERE} already",
    ),
    "a text and a number": (lambda: (organization("second", str(THERE)), organization("third")), "second for"),
    "the stack's own, used first": (
        lambda: (member(None), organization("main", HERE)),
        f"Organization main: organization {HERE} is that of the stack's configuration",
    ),
    "the stack's own, used later": (lambda: (organization("main", HERE), member(None)), "Organization main: "),
    "a default name": (lambda: organization("default-2"), "cannot begin with `default`"),
    "a default name, in another language": (
        lambda: program_providers().add(organization("second"), "default-2", HERE),
        "Organization default-2: a name cannot begin with `default`",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_organization_has_one_provider(case: str) -> None:
    """Two are refused by name, in whatever order."""
    program, words = REFUSED[case]
    with pytest.raises(pulumi.RunError, match=words):
        registered(program, CONFIG)


ACCEPTED: dict[str, Callable[[], Any]] = {
    "two organizations": lambda: (member(None, "a"), member(organization("second"), "b")),
    "the stack's own, for all": lambda: member(organization("main", HERE)),
    "by a component": lambda: below(organization("main", HERE)),
    "an id that is not known yet": lambda: (
        organization("second"),
        organization("third", pulumi.Output.from_input(THERE)),
    ),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_other_programs_run(case: str) -> None:
    """What is not known yet is for the providers to compare."""
    assert registered(ACCEPTED[case], CONFIG)


def test_a_misspelled_input_is_refused() -> None:
    """With the one that is meant, before anything is registered."""
    with pytest.raises(TypeError, match="has no input scim_tokn; did you mean scim_token"):
        registered(lambda: organization("second", scim_tokn="scim"), CONFIG)
    with pytest.raises(TypeError, match="needs service_account_secret"):
        registered(lambda: Organization("second", organization_id=THERE, service_account_username="bot"), CONFIG)  # type: ignore[call-arg]


PEOPLE = """\
environment: production
projects: { shop: { id: 1234567, environment: production } }
people: [{ email: bo@example.com, projects: { shop: analyst } }]
teams: { data: { name: Data } }
"""


def rosters(folder: Path, *providers: Organization | None) -> None:
    """The same roster for the organizations of these providers."""
    file = folder / "production.yaml"
    file.write_text(PEOPLE)
    for number, provider in enumerate(providers):
        opts = pulumi.ResourceOptions(providers=[provider] if provider else None)
        RosterAccess(f"roster-{number}", file, opts=opts)


OWN = {"Member bo@example.com", "ProjectGrant 1234567:bo@example.com", "Team team/data", "RemovalBrake removal-brake"}
IN_SECOND = {name.replace(" ", " second/", 1) for name in OWN}
NAMES: dict[str, tuple[Callable[[], Sequence[Organization | None]], set[str]]] = {
    "the stack's own": (lambda: [None], OWN),
    "its organization by a provider": (lambda: [organization("main", HERE)], OWN),
    "another organization": (lambda: [organization("second")], IN_SECOND),
    "another organization, whose id is not known yet": (
        lambda: [organization("second", pulumi.Output.from_input(THERE))], IN_SECOND,
    ),
    "both": (lambda: [None, organization("second")], OWN | IN_SECOND),
}  # fmt: skip


@pytest.mark.parametrize("case", NAMES)
def test_a_roster_in_each_organization(tmp_path: Path, case: str) -> None:
    """The resources of another organization have its provider's name before theirs: one person is two resources."""
    providers, names = NAMES[case]
    found = registered(lambda: rosters(tmp_path, *providers()), CONFIG)
    assert {name for name in found if "Roster" not in name and "pulumi-python" not in name} == names


def test_a_draft_is_not_taken_for_another_organization(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is one of the stack's own roster, whose file may have the same name."""
    (tmp_path / "drafts").mkdir()
    (tmp_path / "drafts" / "production.yaml").write_text("environment: production\n")
    monkeypatch.setenv(DRAFTS_VARIABLE, str(tmp_path / "drafts"))
    found = registered(lambda: rosters(tmp_path, None, organization("second")), CONFIG, preview=True)
    assert {name for name in found if name.startswith("Member")} == {"Member second/bo@example.com"}


def test_revoke_is_refused_for_another_organization(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it keeps is the stack's own organization's: the other one would lose all."""
    monkeypatch.setenv(KEPT_VARIABLE, str(tmp_path / "kept.json"))
    with pytest.raises(pulumi.RunError, match="cannot revoke with this program: the run is for the stack's own"):
        registered(lambda: rosters(tmp_path, organization("second")), CONFIG)


def test_two_rosters_of_one_organization_are_refused(tmp_path: Path) -> None:
    """Each organization has one in a stack."""
    with pytest.raises(pulumi.RunError, match="a stack has one roster for an organization"):
        registered(lambda: rosters(tmp_path, *[organization("second")] * 2), CONFIG)


def test_one_person_in_two_organizations() -> None:
    """`CollaboratorAccess` shares a member within one organization alone."""

    def program() -> None:
        args = replace(ARGS, projects={"shop": ProjectArgs(1)})
        second = pulumi.ResourceOptions(providers=[organization("second")])
        for name, opts in (("here", None), ("there", second)):
            CollaboratorAccess(name, args, opts=opts, today=IN)
        CollaboratorAccess("there-too", replace(args, projects={"web": ProjectArgs(2)}), opts=second, today=IN)

    found = registered(program, CONFIG)
    assert {name for name in found if name.startswith(("Member", "ProjectGrant"))} == {
        "Member robin@agency.example.org", "ProjectGrant shop:robin@agency.example.org",
        "Member second/robin@agency.example.org", "ProjectGrant second/shop:robin@agency.example.org",
        "ProjectGrant second/web:robin@agency.example.org",
    }  # fmt: skip
