"""`mixpanel-access invite`: an entry is checked, shown, and written only with a yes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mixpanel_access.emulator.server import demo_document
from mixpanel_access.engine import Engine
from tests.emulator.conftest import unchanged
from tests.engine.conftest import PRODUCTION, WAREHOUSE, Finished, Workspace, workspace_on

pytestmark = [pytest.mark.engine, pytest.mark.python_engine]


DI = "di@agency.example.org"


@pytest.fixture(scope="module")
def ready(python_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The stack of the repository on 4 May, once it is up."""
    with workspace_on(demo_document(), python_engine, tmp_path_factory.mktemp("ready")) as workspace:
        workspace.run("config", "set", "mixpanel:now", "2026-05-04", "--stack", "production")
        workspace.up()
        return Finished.of(workspace)


@pytest.fixture
def up(ready: Finished, python_engine: Engine, tmp_path: Path) -> Iterator[Workspace]:
    """The stack of the repository, up on 4 May, for one test."""
    with ready.copy(python_engine, tmp_path) as workspace:
        yield workspace


def texts(workspace: Workspace) -> dict[str, str]:
    """All files beside the program."""
    return {path.name: path.read_text() for path in workspace.stacks.iterdir() if path.is_file()}


def invite(workspace: Workspace, *args: str) -> subprocess.CompletedProcess[str]:
    """Run it without anybody to ask."""
    return workspace.command("invite", *args, "--stack", "production")


@pytest.fixture
def really_up(ready: Finished, engine: Engine, tmp_path: Path) -> Iterator[Workspace]:
    """The same, and from here on on the real engine."""
    with ready.copy(engine, tmp_path) as workspace:
        yield workspace


def test_an_entry_is_shown_then_written_and_given(really_up: Workspace) -> None:
    """First nothing is written anywhere; with a yes the roster is; `pulumi up` then brings it about."""
    before, there = really_up.dump(), texts(really_up)
    asked = (
        DI,
        "--name",
        "Di",
        "--engagement",
        "funnel-review",
        "--project",
        "shop",
        "--project",
        "warehouse=consumer",
    )
    ends = ("--starts", "2026-05-01", "--ends", "2026-07-29")
    shown = invite(really_up, *asked, *ends)
    assert (shown.returncode, shown.stderr) == (1, "previewing\n")
    assert shown.stdout.startswith(
        f"{DI} in stack production:\n  shop: analyst, the standard role\n  warehouse: consumer\n"
    )
    for words in (
        "- they are not in the organization: the next `pulumi up` invites them\n",
        "+  - email: di@agency.example.org\n",
        "+    organizationRole: member\n",
        "+    engagement: funnel-review\n",
        "+    starts: 2026-05-01\n",
        f"  create {DI}\n",
        f"  create {PRODUCTION}:{DI}\n",
        f"  create {WAREHOUSE}:{DI}\n",
        "  update removal-brake\n",
        "Nothing was written. Add --yes to write it.\n",
    ):
        assert words in shown.stdout
    assert "policy" not in shown.stdout
    assert texts(really_up) == there
    assert unchanged(before, really_up.dump())

    done = invite(really_up, *asked, *ends, "--yes")
    assert (done.returncode, done.stderr) == (0, "previewing\n")
    assert "Commit it; the invitation goes out with `pulumi up --stack production`" in done.stdout
    assert unchanged(before, really_up.dump())
    assert {name for name, text in texts(really_up).items() if text != there[name]} == {"production.yaml"}
    really_up.up()
    assert really_up.grants(DI) == {PRODUCTION: "analyst", WAREHOUSE: "consumer"}
    really_up.run("preview", "--expect-no-changes", "--stack", "production")


def test_a_mandatory_policy_holds_a_yes(up: Workspace) -> None:
    """A misspelt domain, a role above the standard, no paperwork: told all at once, and nothing is written."""
    there = texts(up)
    refused = invite(
        up, "di@agency.exmaple.com", "--engagement", "look", "--type", "audit", "--project", "shop=admin",
        "--ends", "2027-12-31", "--yes", "--json",
    )  # fmt: skip
    assert refused.returncode == 1
    document = json.loads(refused.stdout)
    mandatory = {one["rule"] for one in document["violations"] if one["level"] == "mandatory"}
    assert mandatory >= {"role-within-standard", "longest-duration", "production-has-paperwork", "admin-has-reason"}
    assert all("di@agency.exmaple.com" in one["text"] for one in document["violations"])
    assert (document["written"], texts(up)) == (False, there)
    plain = invite(up, "di@example.cmo", "--project", "shop=consumer")  # nor is a yes asked for
    assert (plain.returncode, texts(up)) == (1, there)
    assert "mandatory policy domain-misspelt: di@example.cmo" in plain.stdout
    assert "domain-misspelt" in plain.stdout.splitlines()[-1]


def test_a_new_engagement_comes_with_its_person(up: Workspace) -> None:
    """Its terms stand with it, and not with the person; an entry that has not begun changes nothing yet."""
    done = invite(
        up, DI, "--engagement", "look", "--type", "audit", "--project", "shop", "--ticket", "OPS-9",
        "--sow", "SOW-2026-015", "--approver", "ana@example.com", "--justification", "Looks at what there is",
        "--sponsor", "omar@example.com", "--starts", "2026-06-01", "--ends", "2026-06-30", "--yes",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "- it begins on 2026-06-01: until then, `pulumi up` gives nothing\n" in done.stdout
    assert "the next `pulumi up` invites them" not in done.stdout
    assert "would then:\n  change nothing\n" in done.stdout
    document = json.loads(up.command("roster", "stacks/production.yaml", "--json").stdout)
    assert document["engagements"]["look"] == {
        "type": "audit", "sow": "SOW-2026-015", "ticket": "OPS-9", "approver": "ana@example.com",
        "justification": "Looks at what there is", "starts": "2026-06-01", "ends": "2026-06-30",
        "sponsor": "omar@example.com",
    }  # fmt: skip
    assert document["people"][-1] == {
        "email": DI, "organizationRole": "member", "engagement": "look", "projects": {"shop": None},
    }  # fmt: skip


BAD = {
    "no address": (("di@agency",), "cannot invite for di@agency: that is not an e-mail address"),
    "in the roster": (
        ("robin@agency.example.org", "--engagement", "funnel-review"),
        "production.yaml has robin@agency.example.org already, with the engagement funnel-review",
    ),
    "another spelling": (
        ("Robin@agency.example.org", "--project", "shop=consumer"),
        "production.yaml has them as robin@agency.example.org",
    ),
    "unknown engagement": ((DI, "--engagement", "funel-review"), "(did you mean 'funnel-review'?)"),
    "terms of a known one": (
        (DI, "--engagement", "funnel-review", "--sow", "X"),
        "the engagement funnel-review is there, with its own sow",
    ),
    "terms of none": ((DI, "--type", "audit"), "type belong to an engagement. Name it with --engagement."),
    "unknown project": ((DI, "--project", "shpo"), "'shpo' is not a project of this roster (did you mean 'shop'?)"),
    "unknown role": ((DI, "--project", "shop=analist"), "(did you mean 'analyst'?)"),
    "no standard role": ((DI, "--project", "shop"), "shop has no role"),
    "unknown type": ((DI, "--engagement", "x", "--type", "audits"), "(did you mean 'audit'?)"),
    "no date": (
        (DI, "--project", "shop=consumer", "--ends", "soon"),
        f"cannot invite for {DI}: 'soon' is not a date; write it as YYYY-MM-DD. Correct that. Nothing was written.",
    ),
    "beyond the engagement": (
        (DI, "--engagement", "funnel-review", "--ends", "2031-01-01"),
        "ends on 2031-01-01, after its engagement funnel-review ends (2030-12-31). Correct that.",
    ),
    "ends before it starts": (
        (DI, "--engagement", "x", "--type", "audit", "--starts", "2026-02-01", "--ends", "2026-01-01"),
        "before it starts on 2026-02-01. Correct that.",
    ),
    "nobody": ((), "the address is missing, and there is nobody to ask for it"),
}


def test_what_cannot_be_is_told_in_one_line(workspace: Workspace) -> None:
    """Before anything is asked of Mixpanel or written."""
    there = texts(workspace)
    for name, (args, words) in BAD.items():
        failed = invite(workspace, *args, "--yes")
        assert (failed.returncode, failed.stdout) == (2, ""), name
        assert words in failed.stderr, name
        assert len(failed.stderr.splitlines()) == 1, name
    assert texts(workspace) == there
    assert not workspace.requests()


def test_who_is_there_already_and_who_looks_alike_is_told(workspace: Workspace) -> None:
    """With what they have; in another stack's roster too; the same name at another domain; overlapping engagements."""
    shown = invite(workspace, "lee@example.com", "--project", "shop=consumer")
    assert "- they are a member already as organization member: analyst in project 1234567 through an" in shown.stdout
    assert "- they have analyst in shop already: `pulumi up` makes it consumer\n" in shown.stdout
    admin = invite(workspace, "kim@example.com", "--project", "shop=consumer")
    assert "- they are organization admin: `pulumi up` makes that member\n" in admin.stdout
    alike = invite(workspace, "lea@example.com", "--project", "shop=consumer")
    domain = invite(workspace, "robin@agency.example.com", "--project", "shop=consumer")
    assert "- robin@agency.example.org has a similar address: check that these" in domain.stdout
    assert "- lee@example.com has a similar address: check that these are two different people\n" in alike.stdout
    both = invite(workspace, "robin@agency.example.org", "--project", "shop=consumer")
    assert "- staging.yaml has robin@agency.example.org as well, with the engagement tracking-plan\n" not in both.stdout
    workspace.add("staging")
    both = invite(workspace, "robin@agency.example.org", "--project", "shop=consumer")
    assert "- staging.yaml has robin@agency.example.org as well, with the engagement tracking-plan\n" in both.stdout
    assert (
        "analyst in shop by the engagement funnel-review counts, as the highest; there is also consumer by"
        in both.stdout
    )


def test_in_a_terminal_it_asks_for_what_is_missing(workspace: Workspace) -> None:
    """A no writes nothing and keeps the answers; the next call offers them, and a yes writes the roster."""
    workspace.last_for_years()
    there = texts(workspace)
    said, ended = _in_a_terminal(workspace, ["", DI, "Di", "funnel-review", "", "", "y", "", "n", "n"])
    assert ended == 1, said
    for question in ("Stack (production)", "E-mail address", "Project shop (Shop (production))?", "Write it?"):
        assert question in said
    assert "Role in shop [analyst]" in said
    kept = workspace.pulumi.project / ".mixpanel-access" / "invite.json"
    assert f"{kept} keeps your answers" in said
    assert texts(workspace) == there

    said, ended = _in_a_terminal(workspace, ["", "", "", "", "", "", "", "", "", "y"])
    assert ended == 0, said
    assert f"E-mail address [{DI}]" in said
    assert not kept.exists()
    entry = json.loads(workspace.command("roster", "stacks/production.yaml", "--json").stdout)["people"][-1]
    assert (entry["email"], entry["name"], entry["projects"]) == (DI, "Di", {"shop": None})
    assert entry["ends"]


def _in_a_terminal(workspace: Workspace, answers: list[str]) -> tuple[str, int]:
    """What `mixpanel-access invite` says in a terminal to these answers, and how it ends."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "mixpanel_access", "invite"],
        cwd=workspace.pulumi.project,
        env=workspace.pulumi.engine.environment({**workspace.pulumi.environ, **workspace.environ}),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    os.close(theirs)
    os.write(ours, "".join(f"{answer}\n" for answer in answers).encode())
    said, _ = process.communicate(timeout=200)
    os.close(ours)
    return said, process.returncode
