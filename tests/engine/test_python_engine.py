"""The engine in Python of the commands' tests does what the real one does: one life of a stack, lived on both."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from mixpanel_access.emulator.server import demo_document
from mixpanel_access.engine import Completed, Engine, Pulumi
from tests.engine.conftest import MONITOR_GONE, PRODUCTION, WAREHOUSE, Workspace, workspace_on
from tests.python_engine.run import WHY

pytestmark = pytest.mark.engine

STACK = ("--stack", "production")
UP = ("up", "--yes", "--skip-preview")
CREW = [f"p{n}@agency.example.org" for n in range(4)]
SHOP: dict[str, Any] = {"id": PRODUCTION, "environment": "production"}
PROJECTS = {"shop": SHOP, "warehouse": {"id": WAREHOUSE, "environment": "production"}}
TEAMS = {"ops": {"name": "Ops"}}
_VARIES = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.]+Z|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:\.\./)+|(?<=127\.0\.0\.1:)\d+"
    r"|in \d+ s|\d+\.\d+ s"
)
"""What is another one in each run: instants, ids, the depth of a folder, a port."""
_STEPS = re.compile(r"^( .{2} .*|@ .*|.*\((?:\d+\.)?\d+s\).*|Duration: .*|    \S+:\S+:\S+ .*)$")
"""Lines that show the progress, which nobody reads."""


def state(workspace: Workspace) -> Any:
    """The stack's state: everything but where in the SDK a resource was made."""
    file = workspace.folder / "state/.pulumi/stacks/mixpanel-access/production.json"
    latest = json.loads(file.read_text())["checkpoint"]["latest"]
    resources = [_sorted(resource) for resource in latest.pop("resources", [])]
    there: set[str] = set()
    for resource in resources:  # each stands after what it depends on
        assert {resource.get("parent"), *resource.get("dependencies", ())} - {None} <= there
        there.add(resource["urn"])
    return [sorted(latest), sorted(resources, key=lambda one: (one["urn"], one.get("delete", False)))]


def _sorted(resource: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in resource.items() if key != "stackTrace"}
    if "dependencies" in kept:
        kept["dependencies"] = sorted(kept["dependencies"])
    if kept.get("custom") is False:
        kept.pop("sourcePosition", None)  # in the SDK, for the stack
    return kept


def varying_left_out(value: Any) -> str:
    """A value as text, without what is another in each run."""
    return _VARIES.sub("…", json.dumps(value, sort_keys=True))


def history(workspace: Workspace) -> Any:
    """What the backend has of the last update."""
    files = (workspace.folder / "state/.pulumi/history/mixpanel-access/production").glob("*.history.json")
    rows = [json.loads(file.read_text()) for file in sorted(files)]
    kept = ("kind", "result", "resourceChanges", "config", "version", "message")
    return len(rows), {key: rows[-1].get(key) for key in kept} if rows else None


def said(completed: Completed) -> Any:
    """What a run says: a preview's JSON, or the text without the progress."""
    if completed.stdout.startswith("{"):
        document = json.loads(completed.stdout)
        document.pop("duration")
        for step in document.get("steps", ()):
            for part in ("oldState", "newState"):
                if part in step:
                    step[part] = _sorted(step[part])
        document["steps"] = sorted(document.get("steps", ()), key=lambda step: (step["urn"], step["op"]))
        said_of = [one for one in document.get("diagnostics", ()) if MONITOR_GONE not in one["message"]]
        document["diagnostics"] = sorted(said_of, key=lambda one: str(one["message"]))
        return document
    lines = [line for line in completed.stdout.splitlines() if line and not _STEPS.match(line)]
    return sorted(lines), completed.stderr


class Both:
    """Two workspaces, the first on the real engine."""

    def __init__(self, *workspaces: Workspace) -> None:
        self.workspaces = workspaces

    def do(self, act: Callable[[Workspace], object]) -> None:
        """Do something to both."""
        for workspace in self.workspaces:
            act(workspace)

    def roster(self, people: list[dict[str, Any]], **more: Any) -> None:
        """Have this roster in both."""
        self.do(lambda workspace: workspace.roster(people, **{"projects": PROJECTS, **more}))

    def same(self, *command: str, code: int = 0, reads: bool = True) -> str:
        """Run a command on both: all that comes of it is the same; gives what the one in Python has printed.

        Args:
            command: its arguments.
            code: its exit code.
            reads: whether both read the same.
        """
        seen = []
        output = ""
        for workspace in self.workspaces:
            workspace.emulator.control("DELETE", "requests")
            completed = workspace.run(*command, *STACK, check=False)
            output = completed.stdout + completed.stderr
            requests = dict(workspace.requests())
            found = {
                "code": completed.returncode,
                "said": said(completed),
                "requests": {one: count for one, count in requests.items() if not one.startswith("GET")},
                "reads": sorted(requests) if reads else [],
                "state": state(workspace),
                "history": history(workspace),
                "access": {key: workspace.dump()[key] for key in ("members", "grants", "teams")},
            }
            seen.append({key: varying_left_out(value) for key, value in found.items()})
        for key in seen[0]:
            assert seen[1][key] == seen[0][key], (key, command, output)
        assert seen[0]["code"] == str(code), output
        return output


@pytest.fixture
def both(engine: Engine, python_engine: Engine, tmp_path: Path) -> Iterator[Both]:
    """Two stacks, of which nothing is there yet."""
    with ExitStack() as stack:
        made = []
        for name, one in (("real", engine), ("python", python_engine)):
            (tmp_path / name).mkdir()
            made.append(stack.enter_context(workspace_on(demo_document(), one, tmp_path / name)))
            made[-1].on_the_sdks_server()
        why = tmp_path / "why"
        made[1].environ[WHY] = str(why)
        yield Both(*made)
        handed_over = why.read_text().splitlines() if why.exists() else []
        assert [line for line in handed_over if not line.startswith("state: ")] == []


def person(email: str, role: str = "consumer", **more: Any) -> dict[str, Any]:
    """An entry of the roster."""
    return {"email": email, "projects": {"shop": role}, **more}


def test_a_life_is_the_same_on_both(both: Both) -> None:
    """Create, change, replace, remove, refresh, destroy; what is said, sent and written down."""
    both.same("preview", "--json")
    both.same(*UP)

    # Everybody else, a team and a project that the roster holds the whole of: created, replaced, removed.
    both.roster([person("lee@example.com", teams=["ops"])], teams=TEAMS)
    both.same("preview")
    both.same(*UP)

    def by_hand(workspace: Workspace) -> None:
        grant = {"project": PRODUCTION, "email": "lee@example.com"}
        workspace.emulator.control("POST", "grants", {**grant, "role": "admin"})

    both.do(by_hand)
    grant = _urn("ProjectGrant", f"{PRODUCTION}:lee@example.com")
    both.same("refresh", "--yes", "--skip-preview", "--run-program=false", "--target", grant)
    both.same(*UP, "--refresh", "--expect-no-changes", code=7)

    # The configuration changes, and with it the provider; a team goes, a grant becomes one of the whole project's.
    both.roster([person("lee@example.com", "analyst")], projects={"shop": {**SHOP, "authoritative": True}})
    both.do(lambda workspace: workspace.run("config", "set", "mixpanel:releaseBrakes", "grantShare", *STACK))
    both.same("preview", "--json")
    both.same(*UP, "--refresh")
    both.same("destroy", "--yes", "--skip-preview")


def test_what_fails_fails_alike_on_both(both: Both) -> None:
    """A refusal with --continue-on-error, bad configuration and inputs, excluded and protected resources."""
    both.roster([person(CREW[0])])
    body = json.dumps({"status": "error", "error": "no seat is left"})
    fault = {
        "method": "POST", "path_prefix": "/organizations/7654321/add-users/", "kind": "status", "status": 400,
        "count": 50, "body": body, "content_type": "application/json",
    }  # fmt: skip
    both.do(lambda workspace: workspace.emulator.control("POST", "faults", [fault]))
    both.same(*UP, "--continue-on-error", code=1, reads=False)  # a newer engine does not check what cannot be created
    both.same(*UP, code=1)
    both.do(lambda workspace: workspace.emulator.control("DELETE", "faults"))
    both.do(Workspace.up)

    both.do(lambda workspace: workspace.run("config", "set", "mixpanel:now", "never", *STACK))
    both.same("preview", "--json", code=1)
    both.do(lambda workspace: workspace.run("config", "rm", "mixpanel:now", *STACK))
    program = (both.workspaces[0].stacks / "__main__.py").read_text()
    wrong = "from mixpanel_access.provider import Member\nMember('wrong', email='no address')\n"
    both.do(lambda workspace: workspace.program(f"import pulumi\n{wrong}"))
    both.same("preview", "--json", code=1)
    both.do(lambda workspace: workspace.program(program))

    both.roster([person(CREW[0], "analyst", ends="2030-01-31")])
    both.same(*UP, "--continue-on-error", "--exclude", _urn("ProjectGrant", f"{PRODUCTION}:{CREW[0]}"))
    both.roster([person(CREW[1])])
    both.same("preview", "--json", "--exclude", _urn("Member", CREW[0]))
    both.do(lambda workspace: workspace.run("state", "protect", "--yes", _urn("Member", CREW[0]), *STACK))
    both.same(*UP, code=1)


def _urn(kind: str, name: str) -> str:
    parent = "mixpanel:index:RosterAccess"
    return f"urn:pulumi:production::mixpanel-access::{parent}$pulumi-python:dynamic/mixpanel:{kind}::{name}"


def test_one_goes_on_from_the_other(both: Both, engine: Engine) -> None:
    """The real engine finds nothing to do after the one in Python, and the other way round."""
    workspace = both.workspaces[1]
    real = Pulumi(engine, workspace.pulumi.project, workspace.pulumi.environ)
    workspace.up()
    real.run(*UP, "--refresh", "--expect-no-changes", *STACK)
    workspace.up("production", "--refresh", "--expect-no-changes")
