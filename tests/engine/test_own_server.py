"""Our own server of the dynamic resources, by the real engine: what the SDK's server cannot do."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo.sandbox import Emulator
from mixpanel_access.emulator.server import EmulatorServer
from mixpanel_access.engine import Engine
from mixpanel_access.model.resources import BY_NAME
from tests.engine.conftest import Workspace, workspace_on
from tests.server.front import PAGE, Front
from tests.server.kinds import LIVES, ON_BOTH, Life, organization

pytestmark = pytest.mark.engine


@pytest.fixture
def workspace(engine: Engine, tmp_path: Path) -> Iterator[Workspace]:
    """A stack on an organization that has one of each kind."""
    with workspace_on(organization(), engine, tmp_path) as made:
        yield made


GROUPS = {kind: life for kind, life in LIVES.items() if kind not in ON_BOTH}
"""They have the people of some of the others, and a person is declared once."""
every_kind = pytest.mark.parametrize("lives", [ON_BOTH, GROUPS], ids=["single", "groups"])


def declaring(lives: dict[str, Life], *, imports: bool = False) -> str:
    """A program with one resource of each of these kinds that is there."""
    lines = ["import mixpanel_access.provider as mixpanel", "from pulumi import ResourceOptions"]
    for kind, life in lives.items():
        options = f", opts=ResourceOptions(import_={life.id!r})" if imports else ""
        lines.append(f"mixpanel.{kind}({kind.lower()!r}, **{life.declared!r}{options})")
    return "\n".join(lines)


def written(workspace: Workspace) -> list[str]:
    """The requests that may have changed something."""
    return [verb for verb in workspace.requests() if not verb.startswith("GET ")]


@every_kind
def test_every_kind_is_imported_by_its_id(workspace: Workspace, lives: dict[str, Life]) -> None:
    """`preview --import-file` names what is missing, `import --file` reads it by its id, and no change is left."""
    workspace.program(declaring(lives))
    file = workspace.folder / "import.json"
    workspace.run("preview", "--import-file", str(file), "--stack", "production")
    document = json.loads(file.read_text())
    assert {row["type"] for row in document["resources"]} == {BY_NAME[kind].type for kind in lives}
    ids = {kind.lower(): life.id for kind, life in lives.items()}
    for row in document["resources"]:
        row["id"] = ids[row["name"]]
    file.write_text(json.dumps(document))
    options = ["--generate-code=false", "--protect=false", "--yes", "--skip-preview", "--stack", "production"]
    done = workspace.run("import", "--file", str(file), *options)
    assert f"{len(lives)} imported" in done.stdout
    assert "failed to validate" not in done.stdout
    workspace.run("preview", "--refresh", "--expect-no-changes", "--stack", "production")
    assert written(workspace) == []


def test_a_program_imports_by_id(workspace: Workspace) -> None:
    """`import_=` adopts what is there, though the program knows more; of a wrong id, one clear line says so."""
    program = declaring(ON_BOTH, imports=True)
    workspace.program(program.replace("'role': 'admin'}", "'role': 'admin', 'ticket': 'OPS-1'}", 1))
    done = workspace.up("production", "--diff")
    assert f"{len(ON_BOTH)} imported" in done.stdout
    assert '+ ticket: "OPS-1"' in done.stdout
    assert workspace.outputs("member")["ticket"] == "OPS-1"
    assert written(workspace) == []
    workspace.program(program.replace("kim@example.com", "gone@example.com"))
    failed = workspace.run("preview", "--stack", "production", check=False)
    assert failed.returncode
    wrong = "cannot import 7654321:gone@example.com: organization 7654321 does not have a member with this id"
    assert f"error: Preview failed: {wrong}" in failed.stdout


PROGRAM = """
from pulumi import ResourceOptions
from pulumi.dynamic import CreateResult, Resource, ResourceProvider
from mixpanel_access.provider import ServiceAccount, Team

class Theirs(ResourceProvider):
    def create(self, props):
        print("theirs is made")
        return CreateResult("theirs-1", props)

class Thing(Resource):
    pass

first = [Thing(Theirs(), "theirs", {"a": 1}), Team("data", name="Data")]
ServiceAccount("loader", username="loader", opts=ResourceOptions(depends_on=first))
"""
DIAGNOSTICS = """\
  pulumi-python:dynamic/mixpanel:ServiceAccount (loader):
    error: cannot make the service account loader: Mixpanel answered 400 (not now). Check the values against what \
Mixpanel says.
"""


def test_lines_and_errors_are_on_their_resource(workspace: Workspace) -> None:
    """Ours, with errors without the SDK's words; what another package's provider prints stands with the stack."""
    workspace.program(PROGRAM)
    path = "/api/app/organizations/7654321/service-accounts"
    fault = {"method": "POST", "path_prefix": path, "kind": "status", "status": 400, "body": '{"error": "not now"}'}
    workspace.emulator.control("POST", "faults", [fault])
    said = workspace.up(check=False).stdout.partition("Diagnostics:\n")[2]
    assert DIAGNOSTICS in said
    assert "    theirs is made\n" in said
    assert "  pulumi-python:dynamic/mixpanel:Team (data):\n    the team Data is there already and is adopted" in said


GRANTS = """
from mixpanel_access.provider import ProjectAccess

grants = {"noor@example.com": "admin", "lee@example.com": "analyst", "kim@example.com": "ROLE"}
ProjectAccess("shop", project_id=1234568, grants=grants)
"""


def test_the_next_up_does_the_rest_of_a_change_that_failed_half_way(workspace: Workspace) -> None:
    """The state has the grants that were given; the next run gives the other one alone."""
    workspace.program(GRANTS.replace("ROLE", "00000000-0000-4000-8000-000000000000"))
    said = workspace.up(check=False).stdout
    assert (
        "* cannot change who has project 1234568: not for 1 of 2 people: kim@example.com: Mixpanel answered 400" in said
    )
    assert workspace.outputs("shop")["grants"] == {"noor@example.com": "admin", "lee@example.com": "analyst"}
    workspace.program(GRANTS.replace("ROLE", "consumer"))
    said = workspace.up("production", "--diff").stdout
    assert '~ grants: {\n          + kim@example.com: "consumer"\n        }\n' in said
    assert "initErrors" not in workspace.resources()[0]


SLOW = {"method": "POST", "path_prefix": "/", "kind": "delay", "seconds": 1.0, "count": 100}


@contextmanager
def inviting(workspace: Workspace) -> Iterator[subprocess.Popen[str]]:
    """An `up` whose first invitations are under way, and that has grants to give after them."""
    people = [{"email": f"p{n}@d{n}.example.org", "projects": {"shop": "analyst"}} for n in range(3)]
    workspace.roster(people)
    workspace.emulator.control("POST", "faults", [SLOW])
    command = [str(workspace.pulumi.engine.folder / "pulumi"), "up", "--yes", "--skip-preview", "--color=never"]
    variables = {**workspace.pulumi.environ, **workspace.environ}
    with subprocess.Popen(
        [*command, "--stack", "production"], cwd=workspace.pulumi.project, start_new_session=True, text=True,
        env=workspace.pulumi.engine.environment(variables), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as running:  # fmt: skip
        while not any(email.startswith("p") for email in workspace.members()):
            assert running.poll() is None
        yield running


def test_ctrl_c_ends_a_run_after_the_writes_under_way(workspace: Workspace) -> None:
    """Whoever was invited is in the state, and nothing is written after that."""
    with inviting(workspace) as running:
        running.send_signal(signal.SIGINT)
        said, _ = running.communicate()
    assert "error: update canceled" in said
    invited = {email for email in workspace.members() if email.startswith("p")}
    assert {row["id"].removeprefix("7654321:") for row in workspace.resources()} == invited
    assert not any(workspace.grants(email) for email in invited)


OPTIONS = """
from pulumi import Alias, CustomTimeouts, ResourceOptions
from mixpanel_access.provider import ProjectGrant, Team, TeamGrant

moment = CustomTimeouts(create="1s", update="1s", delete="1s")
team = Team(NAME, name="Loaders", opts=ResourceOptions(custom_timeouts=moment, aliases=[Alias(name="loaders")]))
TeamGrant("role", team_id=team.team_id, project_id=1234567, role=ROLE, opts=ResourceOptions(ignore_changes=IGNORED))
TeamGrant("other", team_id=team.team_id, project_id=1234568, role=ROLE)
if KEPT:
    kept = ResourceOptions(retain_on_delete=True)
    ProjectGrant("kept", email="kim@example.com", project_id=1234567, role="consumer", opts=kept)
"""


def test_the_options_of_the_engine_do_what_the_page_says(workspace: Workspace) -> None:
    """Timeouts, aliases, `ignore_changes`, `retain_on_delete`, `--target` and a destroy, under a storm of 429."""

    def declares(name: str, role: str, ignored: list[str], *, kept: bool = False) -> None:
        values = f"NAME, ROLE, IGNORED, KEPT = {name!r}, {role!r}, {ignored!r}, {kept!r}\n"
        workspace.program(values + OPTIONS)

    def storm() -> None:
        fault = {"path_prefix": "/", "kind": "status", "status": 429, "retry_after": 1, "count": 4}
        workspace.emulator.control("DELETE", "faults")
        workspace.emulator.control("POST", "faults", [fault])

    def roles() -> dict[int, str]:
        return {one["id"]: one["role"] for team in workspace.dump()["teams"] for one in team["projects"]}

    slow = {"method": "POST", "path_prefix": "/organizations/7654321/add-teams", "kind": "delay", "seconds": 1.5}
    workspace.emulator.control("POST", "faults", [slow])
    declares("loaders", "analyst", ["role"], kept=True)
    workspace.up("production")
    (team,) = [row for row in workspace.resources() if row["type"].endswith(":Team")]
    assert team["customTimeouts"] == {"create": 1, "update": 1, "delete": 1}
    before = written(workspace)
    declares("crew", "admin", ["role"])
    (role,) = [row["urn"] for row in workspace.resources() if row["urn"].endswith("::role")]
    storm()
    workspace.up("production", "--target", role, "--target-dependents")
    assert (written(workspace), roles()[1234567]) == (before, "analyst")
    storm()
    workspace.up("production")
    assert roles() == {1234567: "analyst", 1234568: "admin"}
    of_projects = {f"7654321:{project}:{team['id'][8:]}" for project in roles()}
    assert {row["id"] for row in workspace.resources()} == {team["id"], *of_projects}
    assert workspace.grants("kim@example.com") == {1234567: "consumer"}
    storm()
    workspace.run("destroy", "--yes", "--skip-preview", "--stack", "production")
    assert [one["name"] for one in workspace.dump()["teams"]] == ["Data"]


TAKEN = """
from mixpanel_access.provider import Member

Member(NAME, email=f"{NAME}@agency.example.org", role="admin")
"""


def test_what_mixpanel_took_is_in_the_state_though_it_could_not_be_read_back(workspace: Workspace) -> None:
    """The next run reads it; and without its line, the next run takes it away."""
    with EmulatorServer(organization()) as server, Front(server) as front:
        workspace.emulator = Emulator(front.url)
        workspace.environ["MIXPANEL_BASE_URL"] = front.url
        for name in ("first", "second"):
            workspace.program(f"NAME = {name!r}\n{TAKEN}")
            front.arm(PAGE)
            said = workspace.up(check=False).stdout
            front.arm(None)
            assert f"Mixpanel took the request to invite {name}@agency.example.org before. The state has it" in said
            assert workspace.outputs(name)["unread"]
        workspace.up()
        (second,) = workspace.resources()
        assert (second["id"], second["outputs"].get("unread"), second.get("initErrors")) == (
            "7654321:second@agency.example.org", None, None,
        )  # fmt: skip
        assert {email for email in workspace.members() if "agency" in email} == {"second@agency.example.org"}
        assert workspace.mails("second@agency.example.org") == 1
