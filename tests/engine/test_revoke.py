"""`mixpanel-access revoke`: ended access is taken away whatever else fails, and nothing else happens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.conftest import PRODUCTION, WAREHOUSE, Workspace

pytestmark = [pytest.mark.engine, pytest.mark.python_engine]


CY, DI, EM, LEE, NEW = (f"{name}@agency.example.org" for name in ("cy", "di", "em", "lee", "new"))
HAND = "hand@agency.example.org"
CREW = [f"p{n}@crew{n}.example.org" for n in range(12)]
LAST = "2026-06-30"


def day(workspace: Workspace, now: str, *stacks: str) -> None:
    """Have it be an instant for these stacks."""
    for stack in stacks or ("production",):
        workspace.run("config", "set", "mixpanel:now", now, "--stack", stack)


def accept(workspace: Workspace, *emails: str) -> None:
    """Have them accept their invitations."""
    for email in emails:
        workspace.emulator.control("POST", "invitations/accept", {"email": email})


def no_seat(workspace: Workspace) -> None:
    """Have Mixpanel refuse every invitation."""
    fault = {"method": "POST", "path_prefix": "/organizations/7654321/add-users/", "kind": "status", "status": 400}
    body = json.dumps({"status": "error", "error": "no seat is left"})
    workspace.emulator.control(
        "POST", "faults", [{**fault, "count": 50, "body": body, "content_type": "application/json"}]
    )


def writes(workspace: Workspace) -> list[str]:
    """The kinds of writes that have reached the server."""
    return sorted(endpoint for endpoint in workspace.requests() if not endpoint.startswith("GET"))


def revoke(workspace: Workspace, *args: str) -> tuple[int, dict[str, dict[str, Any]], str]:
    """Run the command: exit code, what it says by stack, and its other output."""
    done = workspace.command("revoke", "--json", *args)
    assert "Traceback" not in done.stderr
    stacks = json.loads(done.stdout)["stacks"] if done.stdout else []
    return done.returncode, {one["stack"]: one for one in stacks}, done.stderr


def test_what_has_ended_goes_whatever_else_waits_or_is_wrong(workspace: Workspace) -> None:
    """Twelve contractors, a team, grants of an authoritative project and a role go in one night; nothing is given.

    Beside them: an invitation that fails, a raise and a mass edit that wait, an entry with an error, a protected
    neighbour, and somebody who was added by hand.
    """
    crew: list[dict[str, Any]] = [
        {"email": email, "projects": {"shop": "consumer"}, "engagement": "fair"} for email in CREW
    ]
    ended: list[dict[str, Any]] = [
        {"email": CY, "projects": {"shop": "consumer", "warehouse": "consumer"}, "ends": LAST},
        {"email": LEE, "organizationRole": "admin", "engagement": "lead"},
        {"email": LEE, "projects": {"shop": "analyst"}},
        {"email": EM, "teams": ["fair"], "projects": {"warehouse": "analyst"}},
    ]
    stays: list[dict[str, Any]] = [{"email": DI, "projects": {"shop": "consumer"}}]
    shut: list[dict[str, Any]] = [
        {"email": f"s{n}@shut.example.org", "projects": {"shop": "consumer"}} for n in range(5)
    ]
    guarded: dict[str, Any] = {"email": "guard@agency.example.org", "projects": {"shop": "consumer"}, "ends": LAST}
    more: dict[str, Any] = {
        "engagements": {"fair": {"ends": LAST}, "lead": {"ends": LAST}},
        "teams": {"fair": {"name": "Fair", "projects": {"shop": "analyst"}, "ends": LAST}},
        "projects": {
            "shop": {"id": PRODUCTION, "environment": "production"},
            "warehouse": {"id": WAREHOUSE, "environment": "production", "authoritative": True},
        },
    }
    day(workspace, f"{LAST}T12:00:00Z")
    workspace.emulator.control("POST", "members", {"email": EM, "role": "member"})  # who joins the team at once
    workspace.roster([*ended, *crew, *stays, *shut, guarded], **more)
    workspace.up()
    accept(workspace, CY, DI, LEE, *CREW, *(str(one["email"]) for one in (*shut, guarded)))
    urn = next(one["urn"] for one in workspace.resources() if one["urn"].endswith("Member::guard@agency.example.org"))
    workspace.run("state", "protect", urn, "--yes", "--stack", "production")
    assert workspace.members()[LEE] == "admin"
    workspace.emulator.control("POST", "members", {"email": HAND, "role": "member"})
    workspace.emulator.control("POST", "grants", {"project": WAREHOUSE, "email": HAND, "role": "analyst"})

    day(workspace, "2026-07-01T02:00:00Z")
    waits: list[dict[str, Any]] = [
        {"email": NEW, "projects": {"shop": "consumer"}},
        {"email": DI, "projects": {"shop": "admin", "warehouse": "consumer"}},
        {"email": "typo@agency.example.org", "projects": {"shop": "analist"}},
    ]
    workspace.roster([*ended, *crew, *waits, guarded], **more)  # without the five
    no_seat(workspace)
    workspace.emulator.control("DELETE", "requests")
    code, shown, _ = revoke(workspace)
    assert (code, writes(workspace)) == (1, [])
    code, told, _ = revoke(workspace, "--yes")
    (one,) = told.values()
    assert shown["production"]["takes"] == one["takes"]
    held = {row["email"]: row["reason"] for row in one["held"]}
    assert held.keys() == {person["email"] for person in (*shut, guarded)}
    assert all("removalShare" in held[str(person["email"])] for person in shut)
    assert "protected" in held["guard@agency.example.org"]
    assert "'analist' is not a project role" in one["problems"][0]
    assert code == 1

    there = workspace.members()
    assert not there.keys() & {CY, *CREW, NEW}
    assert {*there} >= {HAND, DI, EM, LEE, "guard@agency.example.org", *(str(one["email"]) for one in shut)}
    assert (there[LEE], workspace.grants(LEE)) == ("member", {PRODUCTION: "analyst"})
    assert workspace.grants(DI) == {PRODUCTION: "consumer"}
    assert workspace.grants(EM) == {WAREHOUSE: "analyst"}
    assert workspace.grants(HAND) == {WAREHOUSE: "analyst"}
    assert workspace.grants("guard@agency.example.org") == {}
    assert "Fair" not in [team["name"] for team in workspace.dump()["teams"]]
    assert workspace.mails(NEW) == 0
    assert not [write for write in writes(workspace) if "add-users" in write or "invite" in write]
    assert not any("INVITE" in write.upper() for write in writes(workspace))

    workspace.run("state", "unprotect", urn, "--yes", "--stack", "production")
    workspace.emulator.control("DELETE", "faults")
    workspace.roster([*ended, *crew, *stays, *shut, guarded], **more)
    code, told, _ = revoke(workspace, "--yes")
    assert (code, [row["email"] for row in told["production"]["takes"]]) == (0, ["guard@agency.example.org"])
    assert revoke(workspace, "--yes")[0] == 0
    steps = json.loads(workspace.run("preview", "--json", "--stack", "production").stdout)["steps"]
    changes = [step["urn"].rpartition("::")[2] for step in steps if step["op"] != "same"]
    assert changes == [f"project-access/{WAREHOUSE}"]  # for the grant that was given by hand


PACK = """
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

RULE = ResourceValidationPolicy(
    name="never",
    description="Never",
    enforcement_level=EnforcementLevel.MANDATORY,
    validate=lambda args, report: report("no"),
)
PolicyPack(name="company-pack", policies=[RULE])
"""


@contextmanager
def enforced_pack(workspace: Workspace, folder: Path) -> Iterator[None]:
    """A backend that judges every run by a pack of its own, whatever the options say."""
    pack, programs, engine = folder / "pack", folder / "bin", workspace.pulumi.engine
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (pack / "__main__.py").write_text(PACK)
    programs.mkdir()
    for file in engine.folder.iterdir():
        (programs / file.name).symlink_to(file)
    wrapper = programs / "pulumi"
    wrapper.unlink()
    wrapper.write_text(
        f'#!/bin/sh\ncase "$*" in *" up "*|*" preview "*) set -- "$@" --policy-pack {pack};; esac\n'
        f'exec {engine.folder / "pulumi"} "$@"\n'
    )
    wrapper.chmod(0o755)
    plain = workspace.pulumi
    workspace.pulumi = replace(plain, engine=replace(engine, folder=programs))
    yield
    workspace.pulumi = plain


OWN_PROGRAM = """
import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider
from mixpanel_access.component import CollaboratorAccess, CollaboratorAccessArgs, Engagement, ProjectArgs
from mixpanel_access.provider import Member, ProjectGrant


class Noted(ResourceProvider):
    serialize_as_secret_always = False  # a secret would have the real engine run

    def create(self, props):
        with open({log!r}, "a") as log:
            print(props, file=log)
        return CreateResult("noted", props)


class Note(Resource):
    def __init__(self, name, text):
        super().__init__(Noted(), name, {{"text": text}})


CollaboratorAccess("cy", CollaboratorAccessArgs(
    email="{cy}", engagement_name="review", engagement=Engagement(ends="{last}"),
    projects={{"shop": ProjectArgs(1234567, "consumer")}}, environment="production"))
Note("old", "{old}")
{rest}
"""
BEFORE = """
for name in ("di", "em"):
    member = Member(name, email=name + "@agency.example.org")
    ProjectGrant(name, project_id=1234567, email=name + "@agency.example.org", role="consumer",
                 environment="production", opts=pulumi.ResourceOptions(depends_on=[member]))
"""
AFTER = """
member = Member("another-name", email="di@agency.example.org")
ProjectGrant("another-name", project_id=1234567, email="di@agency.example.org", role="admin",
             environment="production", opts=pulumi.ResourceOptions(depends_on=[member]))
Member("new", email="new@agency.example.org")
Member("wrong", email="no address")
Note("new", "made")
"""


def test_a_program_of_ones_own_loses_what_it_no_longer_declares(workspace: Workspace) -> None:
    """An engagement that has ended and a dropped person go; what is renamed, new, wrong or foreign stays as it is."""
    log = workspace.folder / "log"
    log.touch()
    values = {"log": str(log), "cy": CY, "last": LAST}
    day(workspace, f"{LAST}T12:00:00Z")
    workspace.program(OWN_PROGRAM.format(**values, old="first", rest=BEFORE))
    workspace.up()
    accept(workspace, CY, DI, EM)
    made = log.read_text()

    day(workspace, "2026-07-01T02:00:00Z")
    workspace.program(OWN_PROGRAM.format(**values, old="second", rest=AFTER))
    code, told, said = revoke(workspace, "--stack", "production", "--yes")
    one = told["production"]
    assert {(row["email"], row["ended"]) for row in one["takes"]} == {(CY, LAST), (EM, None)}, (one, said)
    assert (code, one["held"], one["problems"]) == (0, [], [])
    assert workspace.members().keys().isdisjoint({CY, EM, NEW})
    assert workspace.grants(DI) == {PRODUCTION: "consumer"}
    assert log.read_text() == made
    assert {"another-name", "new", "wrong"} <= one["leaves"].keys()


NEEDED = """
new = Note("before", "made")
CollaboratorAccess("di", CollaboratorAccessArgs(
    email="di@agency.example.org", engagement_name="review", engagement=Engagement(),
    projects={"shop": ProjectArgs(1234567, "consumer")}, environment="production"), NEEDS)
Member("em", email="em@agency.example.org", opts=NEEDS)
"""


def test_what_stays_may_depend_on_something_new(real_workspace: Workspace) -> None:
    """A component and a member that do: the engine refuses a state with a dependency on what the run leaves out."""
    workspace = real_workspace
    values = {"log": str(workspace.folder / "log"), "cy": CY, "last": LAST}
    day(workspace, f"{LAST}T12:00:00Z")
    before = NEEDED.replace("new = Note", "# ").replace("NEEDS", "None")
    workspace.program(OWN_PROGRAM.format(**values, old="same", rest=before))
    workspace.up()
    day(workspace, "2026-07-01T02:00:00Z")
    after = NEEDED.replace("NEEDS", "pulumi.ResourceOptions(depends_on=[new])")
    workspace.program(OWN_PROGRAM.format(**values, old="same", rest=after))
    code, told, said = revoke(workspace, "--stack", "production", "--yes")
    one = told["production"]
    assert {row["email"] for row in one["takes"]} == {CY}, (one, said)
    assert (code, one["held"], one["problems"], [*one["leaves"]]) == (0, [], [], ["before"])
    assert CY not in workspace.members()
    workspace.up()
    assert workspace.grants(DI) == {PRODUCTION: "consumer"}
    assert EM in workspace.members()


def test_an_old_checkout_takes_only_what_has_ended(workspace: Workspace) -> None:
    """With --ended-only: neither whom the old roster does not have yet, nor whom it still gives beyond the last day."""
    day(workspace, f"{LAST}T12:00:00Z")
    old: list[dict[str, Any]] = [{"email": CY, "projects": {"shop": "analyst"}, "ends": "2026-12-31"}]
    new: list[dict[str, Any]] = [
        {**old[0], "ends": LAST},
        {"email": DI, "projects": {"shop": "consumer"}},
        {"email": EM, "projects": {"shop": "consumer"}, "ends": "2026-12-31"},
    ]
    workspace.roster(new)
    workspace.up()
    accept(workspace, CY, DI, EM)

    day(workspace, "2026-07-01T02:00:00Z")
    workspace.roster(old)
    code, told, said = revoke(workspace, "--stack", "production", "--ended-only", "--yes")
    one = told["production"]
    assert (code, one["held"], one["problems"]) == (0, [], []), (one, said)
    assert {(row["email"], row["ended"]) for row in one["takes"]} == {(CY, LAST)}
    assert CY not in workspace.members()
    assert workspace.grants(DI) == workspace.grants(EM) == {PRODUCTION: "consumer"}


def test_one_stack_does_not_wait_for_another_nor_for_a_killed_run(workspace: Workspace, tmp_path: Path) -> None:
    """A lock that was left, a roster that is not YAML, a pack that the backend enforces: each with what to do."""
    workspace.add("staging")
    for stack in ("production", "staging"):
        day(workspace, f"{LAST}T12:00:00Z", stack)
        workspace.roster([{"email": CY, "projects": {"shop": "consumer"}, "ends": LAST}], stack)
        workspace.up(stack)
    accept(workspace, CY)
    day(workspace, "2026-07-01T02:00:00Z", "production", "staging")

    lock = workspace.folder / "state/.pulumi/locks/organization/mixpanel-access/production/left.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text(json.dumps({"pid": 1, "username": "night", "hostname": "ci", "timestamp": "2026-07-01T00:00:00Z"}))
    code, told, _ = revoke(workspace, "--yes")
    assert code == 1
    assert told["staging"]["complete"]
    assert "pulumi cancel --stack production" in told["production"]["problems"][0]
    lock.unlink()
    with enforced_pack(workspace, tmp_path):
        code, told, _ = revoke(workspace, "--stack", "production", "--yes")
        (problem,) = told["production"]["problems"]
        assert "the backend enforces the policy pack company-pack" in problem
        assert "Set the pack's mandatory rules to advisory" in problem
        assert CY in workspace.members()

    (workspace.stacks / "staging.yaml").write_text("people: [")
    code, told, _ = revoke(workspace, "--yes")
    assert code == 1
    assert "staging.yaml:2" in told["staging"]["problems"][0]
    assert told["production"]["complete"]
    assert CY not in workspace.members()
