"""`mixpanel-access status`, `resend` and `who`, over both stacks and the real engine's states."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from mixpanel_access.emulator.server import demo_document
from mixpanel_access.engine import Engine
from tests.engine.conftest import STAGING, Finished, Workspace, workspace_on

pytestmark = [pytest.mark.engine, pytest.mark.python_engine]


ROBIN = "robin@agency.example.org"
DAY_4 = "2026-05-08T12:00:00Z"


def _bring_about(workspace: Workspace) -> Workspace:
    """Both stacks on 4 May at noon; Robin is invited."""
    workspace.add("staging")
    for stack in ("production", "staging"):
        workspace.run("config", "set", "mixpanel:now", "2026-05-04T12:00:00Z", "--stack", stack)
        workspace.up(stack)
    return workspace


@pytest.fixture(scope="module")
def invited(python_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Both stacks, once they are up."""
    with workspace_on(demo_document(), python_engine, tmp_path_factory.mktemp("invited")) as workspace:
        return Finished.of(_bring_about(workspace))


@pytest.fixture
def both(invited: Finished, python_engine: Engine, tmp_path: Path) -> Iterator[Workspace]:
    """Both stacks, for a test that changes something."""
    with invited.copy(python_engine, tmp_path) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def seen(invited: Finished, python_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Both stacks, for all the tests that only look."""
    with invited.copy(python_engine, tmp_path_factory.mktemp("seen")) as workspace:
        yield workspace


def test_an_old_invitation_is_told_and_sent_again(both: Workspace) -> None:
    """It is a finding after 72 hours; sent again, the states know of it, and no update sends a second one."""
    fresh = both.command("status")
    assert (fresh.returncode, fresh.stderr) == (0, "read 7 people of organization 7654321\n")
    assert "\n  production/shop: analyst\n" in fresh.stdout
    assert "\n  staging/sandbox: admin\n" in fresh.stdout
    assert fresh.stdout.endswith(
        "0 of 1 person of production and staging with something to do, 2026-05-04 12:00 UTC.\n"
    )

    old = both.command("status", "--now", DAY_4)
    assert old.returncode == 1
    assert (
        f"pending for 96 h:\n    ask whether it arrived (spam, allow-list), then `mixpanel-access resend {ROBIN}`\n"
        in old.stdout
    )

    sent = both.command("resend", ROBIN, "--now", DAY_4, "--json")
    assert sent.returncode == 0, sent.stderr
    assert json.loads(sent.stdout) == {
        "email": ROBIN,
        "at": DAY_4,
        "expiresAt": "2026-05-15T12:00:00Z",
        "stacks": ["production", "staging"],
    }
    assert both.mails(ROBIN) == 2
    document = json.loads(both.command("status", ROBIN.upper(), "--now", "2026-05-12T12:00:00Z", "--json").stdout)
    (one,) = document["people"]
    assert (one["invitation"], one["invitedAt"], one["expiresAt"]) == ("pending", DAY_4, "2026-05-15T12:00:00Z")
    for stack in ("production", "staging"):
        both.run("config", "set", "mixpanel:now", "2026-05-12T12:00:00Z", "--stack", stack)
        both.run("preview", "--expect-no-changes", "--stack", stack)
    both.up("production")
    assert both.mails(ROBIN) == 2


def test_an_expired_invitation_is_made_anew(both: Workspace) -> None:
    """Mixpanel has none to send again; the new one counts from now on."""
    both.emulator.control("POST", "clock", {"advance_seconds": 8 * 24 * 3600})
    sent = both.command("resend", ROBIN, "--now", "2026-05-12T12:00:00Z")
    assert (sent.returncode, both.mails(ROBIN)) == (0, 2), sent.stderr
    assert sent.stdout == f"Sent the invitation to {ROBIN} again; it expires on 2026-05-19.\n"


def test_who_cannot_be_invited_again(seen: Workspace) -> None:
    """Who is in, who is not there, and who is unknown to rosters and states."""
    for args, words in (
        (("resend", "lee@example.com"), "it is accepted already. They can log in."),
        (("resend", "nobody@example.com"), "nobody in the organization has this address. Declare them"),
        (("status", "robyn@agency.example.org"), f"they are in no roster and in no state (did you mean '{ROBIN}'?)"),
        (("status", "--now", "soon"), "cannot use --now for soon: it is not an ISO 8601 instant"),
        (("status", "--stack", "prod"), "cannot find the stack for prod"),
        (("who",), "it takes an address or a --project"),
        (("who", "--project", "shop"), "it stands for 1234567 Shop (production), 2345678 Shop (staging)"),
        (("who", "--project", "sandboks"), "there is none of that id, key or name (did you mean 'sandbox'?)"),
    ):
        failed = seen.command(*args)
        assert (failed.returncode, failed.stdout) == (2, ""), args
        assert words in failed.stderr, args
        assert "Traceback" not in failed.stderr


def test_who_reaches_a_project_and_why(seen: Workspace) -> None:
    """Every way is named; what a stack has says why; what none has says so."""
    shown = seen.command("who", "--project", "sandbox")
    assert shown.returncode == 0, shown.stderr
    rows = [re.split(r" {2,}", line.rstrip()) for line in shown.stdout.splitlines()]
    assert rows[0] == ["who", "role", "through", "why", "approved by", "until", "stack"]
    assert rows[1] == ["ana@example.com", "owner", "organization role"]
    why = "tracking-plan / OPS-4712 / Tries tracking plans before they go to production"
    assert [f"{ROBIN} (invited)", "admin", "individual", why, "ana@example.com", "2030-12-31", "staging"] in rows
    assert "\n4 people reach project 2345679 Sandbox (staging).\n" in shown.stdout
    assert "unknown: data views: no known call lists who is in them" in shown.stdout
    rows = json.loads(seen.command("who", "NOOR@example.com", "--json").stdout)
    noor = [one for one in rows if one["otherAccess"] is None]
    other = [one["otherAccess"] for one in rows if one["otherAccess"]]
    assert {one["source"] for one in other if not one["known"]} == {"data views", "classified data", "MCP"}
    assert all(one["email"] is one["role"] is one["grantType"] is None for one in rows if one["otherAccess"])
    assert [(one["project"], one["role"], one["grantType"], one["team"], one["stack"]) for one in noor] == [
        (1234568, "analyst", "team", "Data", None),
        (STAGING, "consumer", "individual", None, None),
    ]


@contextmanager
def _watching(workspace: Workspace) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "mixpanel_access", "status", "--stack", "production", "--watch", "1", "--json"],
        cwd=workspace.pulumi.project,
        env=workspace.pulumi.engine.environment({**workspace.pulumi.environ, **workspace.environ}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):  # it has ended
                os.killpg(process.pid, signal.SIGKILL)


def test_watching_looks_again_until_it_is_interrupted(both: Workspace) -> None:
    """What has changed in Mixpanel meanwhile shows."""
    with _watching(both) as process:
        assert process.stdout is not None
        first = _document(process.stdout)
        both.emulator.control("POST", "invitations/accept", {"email": ROBIN})
        seen = first
        for _ in range(20):
            seen = _document(process.stdout)
            if seen["people"][0]["invitation"] == "accepted":
                break
        assert (first["people"][0]["invitation"], seen["people"][0]["invitation"]) == ("pending", "accepted")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


def _document(lines: Iterator[str]) -> dict[str, list[dict[str, str]]]:
    """The next JSON document, a line each."""
    document: dict[str, list[dict[str, str]]] = json.loads(next(lines))
    return document


def test_the_welcome_is_written_of_both_stacks(seen: Workspace) -> None:
    """Projects of both, one message; a draft that mail programs open; what is wrong in one line."""
    shown = seen.command("welcome", ROBIN)
    assert shown.returncode == 0, shown.stderr
    for words in ("**Shop (production)** (production, web): analyst.", "**Sandbox (staging)** (staging): admin."):
        assert words in shown.stdout
    draft = seen.command("welcome", ROBIN, "--format", "eml", "--from", "ana@example.com")
    header = ["From: ana@example.com", f"To: {ROBIN}", "Subject: Your access to Example in Mixpanel"]
    assert draft.stdout.splitlines()[:3] == header
    document = json.loads(seen.command("welcome", ROBIN, "--reminder", "--json").stdout)
    assert (document["to"], document["sent"]) == (ROBIN, False)
    for args, words in (
        ((ROBIN, "--send"), "it has no sender. Name one with --from."),
        ((ROBIN, "--send", "--from", "ana@example.com"), "MIXPANEL_ACCESS_SMTP is not set"),
        ((ROBIN, "--format", "htm"), "'htm' is not a format (did you mean 'html'?)"),
        (("lee@example.com",), "no roster gives them anything today"),
    ):
        failed = seen.command("welcome", *args)
        assert (failed.returncode, failed.stdout) == (2, ""), args
        assert words in failed.stderr, args


def test_what_is_due_is_told_and_written_into_a_calendar(both: Workspace) -> None:
    """Nothing at first; the invitation after three days; the calendar holds all that comes."""
    shared = both.stacks / "common.yaml"
    shared.write_text(shared.read_text().replace("starts: 2026-01-12", "starts: 2026-05-01"))
    early = both.command("remind")
    assert (early.returncode, early.stdout) == (0, "Nothing is due on 2026-05-04; 5 to come.\n"), early.stderr
    late = both.command("remind", "--now", "2026-05-07", "--ics", "access.ics")
    assert (late.returncode, late.stdout) == (
        1,
        f"The invitation to {ROBIN} of 2026-05-04 is not accepted. `mixpanel-access resend {ROBIN}` sends it again.\n",
    )
    assert late.stderr.endswith("wrote access.ics\n")
    content = (both.pulumi.project / "access.ics").read_bytes()
    assert content.count(b"BEGIN:VEVENT") == 9  # each of two ends has two days of reminder
    one = both.command("remind", "--now", "2026-05-07", "--stack", "production", "--ics", "access.ics")
    assert one.stderr.endswith("wrote access.ics\n"), one.stderr
    updated = (both.pulumi.project / "access.ics").read_bytes()
    assert sorted(updated.split(b"\r\n")) == sorted(content.split(b"\r\n")), "the other stack's events stay"
    printed = both.command("remind", "--now", "2026-05-07", "--ics", "-")
    assert printed.stdout.replace("\r\n", "\n") == content.decode().replace("\r\n", "\n")
    failed = both.command("remind", "--now", "2026-05-07", "--post")
    assert (failed.returncode, failed.stdout) == (2, "")
    assert "MIXPANEL_ACCESS_WEBHOOK is not set" in failed.stderr
    nowhere = both.command("remind", "--ics", "no/such/folder.ics")
    assert (nowhere.returncode, "cannot write the calendar for no/such/folder.ics" in nowhere.stderr) == (2, True)


def test_the_doctor_looks_and_writes_nothing(workspace: Workspace) -> None:
    """Every read of the emulator is ok; a refusal is a verdict, and names nobody."""
    workspace.add("staging")
    healthy = workspace.command("doctor", "--json")
    assert healthy.returncode == 0, healthy.stderr
    (both,) = json.loads(healthy.stdout)["organizations"]  # of one organization and one account: tried once
    assert both["stacks"] == ["production", "staging"]
    verdicts = [one["finding"] for one in both["probes"]]
    assert verdicts[:14] == ["ok"] * 14
    assert set(verdicts[14:]) == {"skipped"}
    audit = "POST /v1/organizations/{o}/audit-logs/query"  # a question, which changes nothing
    assert all(verb.startswith("GET ") or verb == audit for verb in workspace.requests())
    assert "@" not in healthy.stdout
    assert json.loads(healthy.stdout)["verdict"]["cause"] == "nothing"
    workspace.environ["MIXPANEL_SERVICE_ACCOUNT_SECRET"] = "wrong-secret"
    refused = workspace.command("doctor", "--stack", "production")
    assert (refused.returncode, refused.stderr) == (1, "")
    assert refused.stdout.count("refused") == 10  # of a project, none is known then
    assert "wrong-secret" not in refused.stdout
    assert "\nMost likely: wrong credentials" in refused.stdout


def test_preflight_checks_both_stacks(seen: Workspace) -> None:
    """The committed rosters say what the organization has; what cannot be read is to be confirmed."""
    shown = seen.command("preflight", ROBIN)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert " ".join(shown.stdout.split()).count("can log in: single sign-on is not required") == 2
    for what in ("single sign-on", "second factor"):
        assert len(re.findall(rf"^  ok +{what}: ", shown.stdout, re.MULTILINE)) == 2
    assert f"{ROBIN} needs data warehouse in warehouse" in " ".join(shown.stdout.split())
    *_, summary, verdict = shown.stdout.splitlines()
    assert summary == "0 problems, 5 to be confirmed."
    assert verdict == "Nothing that can be read is in the way of an invitation."
    assert [line for line in shown.stdout.splitlines() if len(line) > 100] == []
    document = json.loads(seen.command("preflight", "--stack", "staging", "--json").stdout)
    assert {one["stack"] for one in document["checks"]} == {"", "staging"}
    assert document["verdict"]["cause"] == "nothing"


def test_without_an_audit_log_each_command_says_so_and_goes_on(seen: Workspace, tmp_path: Path) -> None:
    """One line has the answers of both routes; the access log has the stacks' own lines."""
    both = r"the Platform API: Mixpanel answered 404 \([^)]*\); the older route: Mixpanel answered 404 \([^)]*\)"
    seen.emulator.control("POST", "dialect", {"audit": "none"})
    try:
        diagnosed = seen.command("diagnose", ROBIN)
        looked = seen.command("preflight", ROBIN)
        logged = seen.command("tracker", "update", "--file", str(tmp_path / "log.jsonl"), "--json")
    finally:
        seen.emulator.control("POST", "dialect", {})
    assert re.search(
        rf"^The audit log cannot be read \({both}\), so what it would show is unknown\.$",
        diagnosed.stdout,
        re.MULTILINE,
    )
    assert "cause: invitation not accepted" in diagnosed.stdout
    said = " ".join(looked.stdout.split())
    assert re.search(rf"ok plan: audit log: not in the plan, or not for our account \({both}\)", said)
    assert re.search(rf"^the audit log cannot be read, and what others did is not in the access log: {both}$",
                     logged.stderr, re.MULTILINE)  # fmt: skip
    assert {line["email"] for line in json.loads(logged.stdout) if line["stack"]} == {ROBIN}
    assert (diagnosed.returncode, looked.returncode, logged.returncode) == (1, 0, 0)
