"""--target, --exclude and --exclude-protected through the real engine."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.conftest import Workspace

pytestmark = pytest.mark.engine

CREW: list[dict[str, Any]] = [{"email": f"p{n}@agency.example.org", "projects": {"shop": "analyst"}} for n in range(6)]
MEMBER = "urn:pulumi:production::mixpanel-access::pulumi-python:dynamic/mixpanel:Member::"
PROGRAM = "import pulumi\nfrom mixpanel_access.provider import Member, ProjectGrant\n"


def crew(workspace: Workspace) -> list[str]:
    """Who of them is in the organization, by their number."""
    return sorted(email[1] for email in workspace.members() if email.startswith("p"))


def urn(workspace: Workspace, number: int) -> str:
    """The URN of a person's member."""
    name = f"::p{number}@agency.example.org"
    return next(str(r["urn"]) for r in workspace.resources() if r["urn"].endswith(name) and "Member" in r["type"])


def destroy(workspace: Workspace, *args: str, check: bool = True) -> str:
    """What a destroy shows, which succeeds or fails as it is to."""
    done = workspace.run("destroy", "--yes", "--skip-preview", *args, "--stack", "production", check=check)
    assert (done.returncode == 0) is check
    return done.stdout


def test_a_partial_destroy_takes_those_and_judges_them_alone(workspace: Workspace) -> None:
    """One target of six goes, with its grant; four together are held before a grant goes, though no brake is left."""
    workspace.roster(CREW)
    workspace.up()
    targets = [part for n in range(6) for part in ("--target", urn(workspace, n))]
    destroy(workspace, *targets[:2], "--target-dependents")
    assert crew(workspace) == list("12345")
    assert not [r for r in workspace.resources() if r["urn"].endswith("removal-brake")]
    for args in ([*targets[2:10], "--target-dependents"], ["--exclude", urn(workspace, 5)]):
        assert "would remove 4" in destroy(workspace, *args, check=False)
    assert crew(workspace) == list("12345")
    assert all(workspace.grants(f"p{n}@agency.example.org") for n in range(1, 6))
    workspace.roster(CREW[5:])  # the brake is made anew, and knows by the state who goes
    assert "would remove 4" in workspace.up(check=False).stdout
    assert all(workspace.grants(f"p{n}@agency.example.org") for n in range(1, 6))
    destroy(workspace, "--exclude", urn(workspace, 4), "--exclude", urn(workspace, 5))
    assert crew(workspace) == list("45")


def test_a_partial_up_takes_nobody_whom_the_rest_of_the_program_declares(workspace: Workspace) -> None:
    """A resource is a target and another name, which is none, has its person: they stay, and so does their grant."""
    workspace.roster([])
    options = "opts=pulumi.ResourceOptions(depends_on={})"
    grant = 'ProjectGrant("{}", project_id={}, email="p0@agency.example.org", role="analyst", ' + options + ")\n"
    first = 'old = Member("old", email="p0@agency.example.org")\n' + grant.format("g", 1234567, "old")
    workspace.program(PROGRAM + first)
    workspace.up()
    renamed = (
        'one = Member("first", email="p1@agency.example.org")\n'
        'Member("new", email=one.status.apply(lambda status: status and "P0@agency.example.org"))\n'
        + grant.format("h", '"1234567"', "one")
    )
    workspace.program(PROGRAM + renamed)
    old = ["--target", f"{MEMBER}old", "--target", f"{MEMBER.replace('Member', 'ProjectGrant')}g"]
    held = workspace.up("production", *old, check=False)
    assert held.returncode != 0
    assert "Run it without --target and --exclude" in held.stdout, "who `new` is depends on `first`, which is not made"
    assert crew(workspace) == ["0"]
    workspace.up("production", *old[:2], "--target", f"{MEMBER}first")
    assert crew(workspace) == ["0", "1"]
    assert workspace.grants("p0@agency.example.org") == {1234567: "analyst"}
    assert workspace.mails("p0@agency.example.org") == 1


def test_what_is_protected_is_left_and_the_rest_judged(workspace: Workspace) -> None:
    """Three of four go where one is protected, as three may; the fourth stays under a plain destroy too."""
    workspace.roster([])
    workspace.program(
        PROGRAM
        + "".join(
            f'Member("p{n}", email="p{n}@agency.example.org", opts=pulumi.ResourceOptions(protect={n == 3}))\n'
            for n in range(4)
        )
    )
    workspace.up()
    destroy(workspace, "--exclude-protected")
    assert crew(workspace) == ["3"]
    assert "protected" in destroy(workspace, check=False)
    assert crew(workspace) == ["3"]
