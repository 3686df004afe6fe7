"""Two organizations in one program, by the real engine: an `Organization` is an explicit provider."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.sandbox import USERNAME, Emulator
from mixpanel_access.emulator.server import EmulatorServer
from mixpanel_access.engine import Engine
from tests.engine.conftest import Workspace, workspace_on
from tests.server.kinds import organization

pytestmark = pytest.mark.engine

FIRST, SECOND = 7654321, 8765432
SHOP, OTHER_SHOP = 1234567, 3456789
CANARY = "canary-secret-of-the-second"
BO = "bo@agency.example.org"


def second() -> dict[str, Any]:
    """Another organization: other people, another project, another secret."""
    account = {"username": USERNAME, "secret": CANARY, "role": "admin", "user_id": 9001}
    people = [
        {"email": "zoe@example.net", "role": "owner", "id": 601},
        {"email": "lee@example.com", "role": "admin", "id": 504},
    ]
    return {
        "organization": {"id": SECOND, "name": "Second", "plan": "enterprise"},
        "members": people,
        "projects": [{"id": OTHER_SHOP, "name": "Shop of the second"}],
        "grants": [],
        "service_accounts": [account],
    }


@pytest.fixture
def other() -> Iterator[Emulator]:
    """The second organization, on a server of its own."""
    with EmulatorServer(second()) as server:
        yield Emulator(server.url)


@pytest.fixture
def workspace(engine: Engine, tmp_path: Path) -> Iterator[Workspace]:
    """A stack on an organization that has one of each kind."""
    with workspace_on(organization(), engine, tmp_path) as made:
        yield made


def program(body: str, url: str, id_: int = SECOND) -> str:
    """A program that can declare this organization by a name."""
    return f"""
import pulumi
from pulumi import ResourceOptions
from pathlib import Path
from mixpanel_access.component import RosterAccess
from mixpanel_access.provider import *

def organization(name, id_={id_}, url="{url}"):
    return Organization(name, organization_id=id_, api_url=url, service_account_username="{USERNAME}",
                        service_account_secret=pulumi.Config().require_secret("secret"))

{body}
"""


TWO = """
there = ResourceOptions(provider=organization("second"))
bo = Member("bo", email="bo@agency.example.org")
ProjectGrant("bo-shop", project_id=1234567, email=bo.email, role="analyst")
everybody = RosterAccess("second", Path("../second.yaml"), opts=ResourceOptions(providers=[there.provider]))
pulumi.export("second", there.provider)
"""
ROSTER = f"""
environment: production
projects: {{ shop: {{ id: {OTHER_SHOP}, environment: production }} }}
people: [{{ email: {BO}, projects: {{ shop: analyst }} }}]
"""
UNKNOWN = """
main = organization("main", pulumi.Output.from_input(7654321), "FIRST")
Member("zoe", email="zoe@example.com", opts=ResourceOptions(provider=main, depends_on=[bo]))
"""
REFUSED = {
    "another id": (
        '("second")',
        '("second", 11)',
        f"the organization_id of second cannot change from {SECOND} to 11: the stack has 3 resources there.",
    ),
    "two providers, which a program cannot know": (
        "pulumi.export",
        f"{UNKNOWN}\npulumi.export",
        f"cannot use two providers for one organization for organization {FIRST}",
    ),
    "a bad id": ('("second")', '("second", "acme")', "the organization's id is 'acme', which is not a positive whole"),
}


def second_people(other: Emulator) -> set[str]:
    """Who is in the second organization."""
    return {row["email"] for row in other.control("GET", "dump")["members"]}


def test_two_organizations_in_one_program(workspace: Workspace, other: Emulator) -> None:
    """Each with its people; its secret is encrypted. What would mistake one for the other stops at the preview."""
    workspace.as_a_user()
    workspace.run("config", "set", "--secret", "secret", CANARY, "--stack", "production")
    (workspace.pulumi.project / "second.yaml").write_text(ROSTER)
    workspace.program(program(TWO, other.url))
    said = workspace.up().stdout
    assert workspace.grants(BO) == {SHOP: "analyst"}
    assert BO in second_people(other)
    said += workspace.up("production", "--refresh", "--expect-no-changes", "--diff").stdout
    for before, after, words in REFUSED.values():
        text = TWO.replace(before, after).replace("FIRST", workspace.emulator.url)
        workspace.program(program(text, other.url))
        failed = workspace.run("preview", "--stack", "production", check=False)
        assert failed.returncode
        assert words in failed.stdout
        assert "Traceback" not in failed.stdout
        said += failed.stdout
    said += workspace.run("stack", "output", "--json", "--stack", "production").stdout
    said += workspace.run("stack", "export", "--stack", "production").stdout
    written = [path for path in workspace.folder.rglob("*") if path.is_file()]
    assert [path for path in written if CANARY.encode() in path.read_bytes()] == []
    assert CANARY not in said
    for command in ("drift", "revoke"):
        done = workspace.command(command, "--stack", "production")
        assert f"stack production has 3 resources of organization {SECOND} too" in done.stderr
        assert "zoe@example.net" not in done.stdout
    assert f"cannot revoke: the stack has resources of organization {SECOND} too" in done.stdout
    workspace.program(program(TWO.partition("everybody")[0], other.url))
    workspace.up()
    assert (BO in workspace.members(), BO in second_people(other)) == (True, False)
    workspace.run("destroy", "--yes", "--skip-preview", "--stack", "production")
    assert BO not in workspace.members()


ALL = """
provider = organization("main") if {explicit} else None
def opts(before=""):
    return ResourceOptions(provider=provider, aliases=[pulumi.Alias(name=before)] if before else None)

bo = Member("bo{n}", email="bo@agency.example.org", opts=opts({alias!r}))
cy = Member("cy", email="cy@agency.example.org", opts=opts()) if {cy} else None
ProjectGrant("grant{n}", project_id=1234567, email=bo.email, role="analyst", opts=opts())
ProjectAccess("whole{n}", project_id=1234568, grants={{"kim@example.com": "consumer"}}, opts=opts())
team = Team("team{n}", name="Loaders", opts=opts())
TeamMember("place{n}", team_id=team.team_id, email="kim@example.com", opts=opts())
TeamGrant("team-grant{n}", team_id=team.team_id, project_id=1234567, role="consumer", opts=opts())
CustomRole("role{n}", project_id=1234567, name="Reports", permissions=["create_reports"], opts=opts())
etl = ServiceAccount("etl", username="loader", opts=opts())
ServiceAccountGrant("etl-grant", service_account_id=etl.account_id, project_id=1234567, role="consumer", opts=opts())
people = [dict(email=one + "@agency.example.org", removal="when_unused", projects=[]) for one in {people}]
RemovalBrake("brake{n}", people=people, opts=ResourceOptions(provider=provider, depends_on=[bo]))
"""
MOVES: dict[str, tuple[dict[str, Any], bool]] = {
    "to an Organization": ({"explicit": True}, True),
    "back": ({}, True),
    "to an Organization, with other names": ({"explicit": True, "n": "-2"}, True),
    "back, with other names and an alias": ({"n": "-3", "alias": "bo-2"}, True),
    "to an Organization, and one goes": ({"explicit": True, "n": "-3", "cy": False}, False),
}


@pytest.mark.parametrize("server", ["ours", "the SDK's"])
def test_a_stack_moves_to_another_provider_of_its_organization(workspace: Workspace, server: str) -> None:
    """There and back, whatever names change with it: no request is written, except for who is no longer declared."""
    moves = [*MOVES] if server == "ours" else ["to an Organization", "back, with other names and an alias"]
    if server != "ours":
        workspace.on_the_sdks_server()
    workspace.run("config", "set", "--secret", "secret", "demo-secret", "--stack", "production")

    def run(explicit: bool = False, n: str = "", alias: str = "", cy: bool = True) -> list[str]:
        people = ["bo", "cy"] if cy else ["bo"]
        text = ALL.format(explicit=explicit, n=n, alias=alias, cy=cy, people=people)
        workspace.program(program(text, workspace.emulator.url, FIRST))
        workspace.emulator.control("DELETE", "requests")
        workspace.up()
        return [verb for verb in workspace.requests() if not verb.startswith("GET ")]

    run()
    there = workspace.dump()
    for case in moves:
        changes, nothing = MOVES[case]
        assert (case, (written := run(**changes)) == []) == (case, nothing)
        assert nothing or written == ["POST /organizations/{o}/delete-users/"]
        assert nothing is all(workspace.dump()[key] == there[key] for key in ("members", "grants", "teams"))
        assert workspace.outputs(f"bo{changes.get('n', '')}")["origin"] == "invited"
    workspace.unchanged()
