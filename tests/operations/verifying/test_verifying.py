"""`doctor --writes`: what is written, undone and reported, on emulators that answer differently."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import stamina

from demo.sandbox import ROOT
from mixpanel_access.emulator.app import ENDPOINTS
from mixpanel_access.emulator.dialect import Dialect
from mixpanel_access.emulator.dialect import read as read_dialect
from mixpanel_access.emulator.document import Document
from mixpanel_access.emulator.server import EmulatorServer
from mixpanel_access.model.errors import MixpanelError, Refused, RosterError, UsageError
from mixpanel_access.model.settings import Verb
from mixpanel_access.operations.verifying.deciding import StatementVerdict
from mixpanel_access.operations.verifying.journal import journal_file
from mixpanel_access.operations.verifying.statements import STATEMENTS, as_text
from mixpanel_access.operations.verifying.steps import STEPS
from mixpanel_access.operations.verifying.verify import (
    WritesReport,
    finish,
    make_plan,
    must_not_be_production,
    walk_through,
)
from tests.emulator.conftest import ORG, Client, P, organization
from tests.operations.verifying.conftest import EMAIL, PARTS, Killed, Trouble, dump, means, plan_of, seed, speak

pytestmark = pytest.mark.slow

WRITES = len(STEPS)


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2):
        yield


def verdicts(report: WritesReport) -> dict[str, str]:
    """Each statement's verdict."""
    return {row["id"]: row["verdict"] for row in report.document["statements"]}


def otherwise(report: WritesReport) -> set[str]:
    """The statements that do not hold."""
    return {name for name, verdict in verdicts(report).items() if verdict == StatementVerdict.OTHERWISE}


DIALECTS: dict[str, tuple[Dialect, set[str]]] = {
    "the default": (Dialect(), set()),
    "other words": (
        Dialect(organization_role="no role", owner_word="admin", user_projects=True),
        {"member-word", "owner-word", "user-projects", "account-role"},
    ),
    "titles": (
        Dialect(organization_role="capitalized", me_permissions=False), {"member-word", "account-role", "permissions"},
    ),
    "objects in pages": (
        Dialect(organization_role="object", discoverability="object", page_size=3),
        {"member-word", "account-role", "discoverability", "lists-whole"},
    ),
    "other refusals": (
        Dialect(wrong_body=400, refused_update="updated_false"),
        {"wrong-body", "refused-update"},
    ),
    "elsewhere": (
        Dialect(no_access="redirect", escaped_errors=True, audit="old"), {"no-access", "escapes", "audit"},
    ),
    "late": (Dialect(stale_reads={"users": 2, "granted-users": 1, "teams": 3, "service-accounts": 1}), {"stale"}),
    "no log": (Dialect(audit="none", discoverability="none"), {"audit", "discoverability"}),
    "a small plan": (Dialect(plan_refusal=402, discoverability="lower"), {"plan", "discoverability"}),
    "poor": (
        Dialect(
            invited_in_granted_users=False,
            missing=[
                "POST /organizations/{o}/resend-invites/",
                "POST /organizations/{o}/users/{email}/delete-projects/",
            ],
        ),
        {"invited-grants", "grant", "grant-again", "take-grant", "resend", "verbs"},
    ),
}  # fmt: skip
"""How an organization answers, and the statements that are then otherwise."""
UNDECIDED = {"invite_existing", "invitation_limit", "no_access", "plan_refusal", "scim_errors", "scim_media_type"}
"""Fields of the dialect that a walk through this organization leaves open."""


@pytest.mark.parametrize("name", DIALECTS)
def test_the_report_names_what_differs_and_is_that_dialect(server: EmulatorServer, tmp_path: Path, name: str) -> None:
    """An emulator that is started from the report answers so: the report about that one says the same."""
    dialect, expected = DIALECTS[name]
    document = organization(organization={"id": ORG, "name": "Example", "plan": "growth"})
    seed(server, document, dialect)
    before = dump(server)
    first = walk_through(plan_of(server), means(server, tmp_path))
    assert otherwise(first) == expected
    assert (dump(server), first.evidence.left, first.document["asBefore"]) == (before, [], True)
    read = read_dialect(json.loads(as_text(first.document)))
    assert read == dialect
    seed(server, document, read)
    second = walk_through(plan_of(server), means(server, tmp_path))
    assert (verdicts(second), second.document["dialect"]) == (verdicts(first), first.document["dialect"])


def test_statements_and_dialect_agree(server: EmulatorServer, tmp_path: Path) -> None:
    """Each field of the dialect is decided by a statement, or is known to stay open; each request has its template."""
    report = walk_through(plan_of(server), means(server, tmp_path))
    decided = report.document["dialect"].keys()
    assert (decided & UNDECIDED, decided | UNDECIDED) == (set(), set(Dialect.model_fields))
    assert len({statement.id for statement in STATEMENTS}) == len(STATEMENTS)
    templates = {f"{endpoint.method} {endpoint.template}" for endpoint in ENDPOINTS}
    rows = [*report.document["reads"], *report.document["walk"]]
    assert {row["request"] for row in rows} <= templates
    assert {step.name for step in STEPS} == {row["step"] for row in report.document["walk"]}
    assert all(row["shown"] for row in report.document["walk"] if "shown" in row)


def test_everything_that_is_sent_was_shown_before(server: EmulatorServer, tmp_path: Path) -> None:
    """Each write with its body, in order; 0 stands for the ids that were not known. To show them sends nothing."""
    plan = plan_of(server)
    lines = list(plan.lines())
    assert server.app.log.summary()["total"] == 0
    shown = [line.partition(": ")[2] for line in lines if re.match(r"  \d+\. ", line)]
    report = walk_through(plan, means(server, tmp_path))
    sent = []
    for done in report.evidence.done.values():
        (exchange,) = done.sent.exchanges
        body = "" if exchange.body is None else f" {json.dumps(exchange.body)}"
        text = f"{exchange.method} {exchange.path}{body}"
        for id_ in plan.target.ids.values():
            text = re.sub(rf"\b{id_}\b", "0", text)
        sent.append(text)
    assert sent == shown
    assert len(sent) == WRITES
    assert sum(line.startswith("     undo: ") for line in lines) == WRITES
    page = (ROOT / "docs" / "verify.md").read_text()
    assert [step.name for step in STEPS if f"`{step.name}`" not in page] == []
    assert "up to five invitation e-mails" in " ".join(page.split())
    assert len([mail for mail in server.store.dump()["mails"] if mail["email"] == EMAIL]) == 5


CANARIES = organization(
    organization={"id": ORG, "name": "Zebrafish Incorporated", "plan": "enterprise"},
    members=[
        {"email": "ana.canary@example.com", "name": "Ana Wolpertinger", "role": "owner", "id": 50123},
        {"email": "omar@quagga.example.com", "role": "owner", "id": 50124},
        {"email": "Lee@Quagga.example.com", "name": "Users", "role": "member", "id": 50125},
    ],
    projects=[{"id": P, "name": "Dodo Shop"}, {"id": 7654999, "name": "Moa"}],
    grants=[{"project": P, "email": "lee@quagga.example.com", "role": "analyst"}],
    teams=[{"id": 77123, "name": "Thylacine", "members": ["lee@quagga.example.com"]}],
    service_accounts=[
        {"username": "admin-bot", "secret": "s:ecret", "role": "admin"},
        {"username": "aurochs.abc123.mp-service-account", "secret": "s:ecret2", "role": "member", "id": 98123},
    ],
)
PERSONAL = ("email", "name", "username", "secret", "token", "id", "user", "creator_email", "creator_name", "created")


def personal(part: Any, key: str = "") -> Iterator[str]:
    """Every value under a key that says who or what somebody is."""
    if isinstance(part, dict):
        for name, inner in part.items():
            yield from personal(inner, name)
    elif isinstance(part, list):
        for inner in part:
            yield from personal(inner, key)
    elif part is not None and not isinstance(part, bool) and key in PERSONAL:
        yield str(part)


def test_nothing_personal_is_in_the_report(server: EmulatorServer, tmp_path: Path) -> None:
    """No address, name, id, secret or token of the organization, nor of what was made; nor in a map keyed by names."""
    seed(server, CANARIES)
    plan = plan_of(server)
    noted: list[str] = []
    file = journal_file(plan.settings, tmp_path)

    def note(_line: str) -> None:
        noted.append(file.read_text() if file.exists() else "")

    report = walk_through(plan, means(server, tmp_path, note))
    text = as_text(report.document)
    made = report.evidence.done["make a service account"].sent.exchanges[-1].answer["results"]
    canaries = {
        *personal(CANARIES),
        *personal(made),
        EMAIL,
        plan.target.team,
        str(ORG),
        *map(str, plan.target.ids.values()),
    }
    assert len(canaries) > 25
    found = {canary for canary in canaries if re.search(rf"(?<!\w){re.escape(canary)}(?!\w)", text, re.IGNORECASE)}
    assert found <= {"Users", "1", "2"}, found  # a person is called as a word of the wire; small ids of users
    assert "@" not in text
    assert not re.search(r"\d{4,}", text)
    assert made["token"] not in "".join(noted)
    assert "s:ecret" not in "".join(noted)


@pytest.mark.parametrize("at", range(1, WRITES + 1))
def test_a_killed_run_is_finished_by_undo(server: EmulatorServer, tmp_path: Path, at: int) -> None:
    """Stopped after any write, or before it is sent: the journal says what to undo, and then there is none."""
    before = dump(server)
    for what in ("killed after", "killed before") if at in CREATING else ("killed after",):
        plan = plan_of(server)
        with pytest.raises(Killed):
            walk_through(plan, means(server, tmp_path, observer=Trouble(at, what)))
        file = journal_file(plan.settings, tmp_path)
        assert file.exists() or dump(server) == before
        if file.exists():
            assert file.stat().st_mode & 0o777 == 0o600
            with pytest.raises(UsageError, match="doctor --undo first"):
                walk_through(plan_of(server), means(server, tmp_path))
        assert not finish(plan.settings, means(server, tmp_path))
        assert (dump(server), file.exists()) == (before, False), what
    assert finish(plan.settings, means(server, tmp_path)) is None


CREATING = [number for number, step in enumerate(STEPS, 1) if set(step.makes) & {"person", "team", "account"}]


@pytest.mark.parametrize("step", ["invite", "add to the team", "make a service account", "invite by a grant"])
def test_an_interrupted_run_undoes_before_it_ends(server: EmulatorServer, tmp_path: Path, step: str) -> None:
    """Ctrl-C ends the walk, and not what was to be undone."""
    before = dump(server)

    def interrupted(line: str) -> None:
        if line.startswith(f"{step}: "):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        walk_through(plan_of(server), means(server, tmp_path, interrupted))
    assert (dump(server), list(tmp_path.iterdir())) == (before, [])


KINDS = ("403", "500", "lost", "never sent", "429")


@pytest.mark.parametrize("at", [number for number in range(1, WRITES + 1) if number not in CREATING])
def test_a_write_that_fails_leaves_nothing(server: EmulatorServer, tmp_path: Path, at: int) -> None:
    """Whatever a write is answered, the walk goes on to undo; the organization is as before, and the report says so."""
    before = dump(server)
    what = KINDS[at % len(KINDS)]
    report = walk_through(plan_of(server), means(server, tmp_path, observer=Trouble(at, what)))
    assert (dump(server), report.evidence.left, report.document["asBefore"]) == (before, [], True), what
    assert list(tmp_path.iterdir()) == []
    assert EMAIL not in as_text(report.document)
    failed = report.evidence.done[STEPS[at - 1].name]
    assert failed.sent.error is not None
    if what == "429":  # a limit says nothing of the contract
        wrong = [outcome.came for _, outcome in report.found if outcome.verdict is StatementVerdict.OTHERWISE]
        assert not [came for came in wrong if "status 429" in came]
    if what == "lost":  # it was applied all the same, and the walk goes by what the list shows
        assert failed.shown


@pytest.mark.parametrize("what", ["403", "500", "lost"])
@pytest.mark.parametrize("at", CREATING)
def test_what_may_have_been_made_is_undone(server: EmulatorServer, tmp_path: Path, at: int, what: str) -> None:
    """Each write that makes something: refused, with a fault, and applied without an answer."""
    before = dump(server)
    report = walk_through(plan_of(server), means(server, tmp_path, observer=Trouble(at, what)))
    assert (dump(server), report.evidence.left) == (before, [])


def test_what_cannot_be_undone_is_listed_with_the_steps_by_hand(server: EmulatorServer, tmp_path: Path) -> None:
    """Without the verb that removes people, the grant and the role are taken back, and the rest is said."""
    seed(server, organization(), Dialect(missing=["POST /organizations/{o}/delete-users/"]))
    before = dump(server)
    plan = plan_of(server)
    report = walk_through(plan, means(server, tmp_path))
    assert report.document["asBefore"] is False
    assert report.evidence.left[0].startswith(
        f"remove the person in Organization Settings > Users & Teams: {EMAIL} (Mixpanel answered 404"
    )
    after = dump(server)
    (left,) = [row for row in after["members"] if row not in before["members"]]
    assert (left["email"], left["role"]) == (EMAIL, "member")
    assert after["grants"] == before["grants"]
    assert otherwise(report) == {"cancel", "remove", "verbs"}
    speak(server, Dialect())
    assert finish(plan.settings, means(server, tmp_path)) == []
    assert dump(server) == before


OTHER = f"not.{EMAIL}"
"""Somebody else, whose address ends with ours."""


@pytest.mark.parametrize("step", ["invite", "grant", "change the grant"])
def test_a_person_who_is_not_found_is_no_missing_verb(server: EmulatorServer, tmp_path: Path, step: str) -> None:
    """The address accepts in the middle: nothing is left to send again, which says nothing of the verb."""
    seed(server, organization())

    def accept(line: str) -> None:
        if line.startswith(f"{step}:"):
            with Client(server) as client:
                client.control("POST", "invitations/accept", {"email": EMAIL})

    report = walk_through(plan_of(server), means(server, tmp_path, accept))
    assert report.document["dialect"].get("missing", []) == []
    assert "verbs" not in otherwise(report)
    assert verdicts(report)["verbs"] == "confirmed"


def test_what_others_change_meanwhile_is_not_ours(server: EmulatorServer, tmp_path: Path) -> None:
    """Somebody else invites somebody during the walk: said, and neither undone nor counted as left."""

    def somebody_else(line: str) -> None:
        if line.startswith("resend"):
            with Client(server, auth=("admin-bot", "s:ecret")) as client:
                assert client.invite(OTHER).status_code == 200

    report = walk_through(plan_of(server), means(server, tmp_path, somebody_else))
    assert (report.evidence.left, len(report.evidence.elsewhere)) == ([], 1)
    assert OTHER in report.evidence.elsewhere[0]
    assert report.document["changedByOthers"] == 1
    assert OTHER not in as_text(report.document)


ONLY_OWNER = [{"email": "ana@example.com", "role": "owner", "id": 501, "invited_at": "2026-05-03T12:00:00Z"}]
REFUSALS: dict[str, tuple[dict[str, Any], dict[str, Any], type[Exception], str]] = {
    "a person who is there": ({}, {"email": "LEE@example.com"}, Refused, "is in the organization"),
    "no such project": ({}, {"project": 4711}, Refused, "has no project 4711"),
    "production by its name": (
        {"projects": [{"id": P, "name": "Shop (production)"}], "grants": [], "teams": []}
        | {"service_accounts": [{"username": "admin-bot", "secret": "s:ecret", "role": "admin"}]},
        {}, Refused, "is called Shop (production)",
    ),
    "the last owner": (
        {"members": [*ONLY_OWNER, {"email": "lee@example.com", "role": "member"}]},
        {"account": "owner-bot"}, Refused, "last owner",
    ),
    "wrong credentials": ({}, {"account": "nobody"}, MixpanelError, "401"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_what_must_hold_is_seen_before_the_first_write(server: EmulatorServer, tmp_path: Path, name: str) -> None:
    """Each with one line; nothing is written."""
    changes, asked, error, words = REFUSALS[name]
    document = organization(**changes)
    Document.model_validate(document)
    seed(server, document)
    before = dump(server)
    with pytest.raises(error, match=re.escape(words)):
        walk_through(plan_of(server, **asked), means(server, tmp_path))
    assert dump(server) == before
    asked_all = [verb for verb in server.app.log.by_endpoint if not verb.startswith("GET ")]
    assert all("audit-logs" in verb for verb in asked_all)
    assert list(tmp_path.iterdir()) == []


def test_an_address_that_is_none_is_refused(server: EmulatorServer) -> None:
    """Before anything is shown."""
    with pytest.raises(UsageError, match="cannot invite the address for nobody"):
        plan_of(server, email="nobody")


def test_the_gate_is_open_for_the_plan_alone(server: EmulatorServer) -> None:
    """The configuration stays as it is; without teams, no verb of teams is open."""
    settings = replace(plan_of(server).settings, allow_undocumented=frozenset())
    people = make_plan(settings, EMAIL, P, frozenset())
    assert people.settings.allow_undocumented == set(Verb) - {Verb.ADD_TO_TEAMS, Verb.REMOVE_FROM_TEAMS}
    assert make_plan(settings, EMAIL, P, PARTS).settings.allow_undocumented == set(Verb)
    assert settings.allow_undocumented == frozenset()
    assert not any("team" in line for line in people.lines() if re.match(r"  \d+\. ", line))


ROSTER = (
    "environment: {environment}\nprojects:\n  {key}: {{ id: {id}, environment: {environment}{more} }}\npeople: []\n"
)
ROSTERS = {
    "its environment": {"environment": "production", "key": "shop"},
    "its key": {"environment": "staging", "key": "shop-prod"},
    "its name": {"environment": "staging", "key": "shop", "more": ', name: "Shop (Production)"'},
}


@pytest.mark.parametrize("name", ROSTERS)
def test_a_project_of_production_is_refused(tmp_path: Path, name: str) -> None:
    """By any roster of the program, whichever stack is asked; another id is not."""
    parts = {"id": P, "more": "", **ROSTERS[name]}
    (tmp_path / "staging.yaml").write_text(ROSTER.format(environment="staging", key="other", id=1, more=""))
    (tmp_path / "live.yaml").write_text(ROSTER.format(**parts))
    (tmp_path / "common.yaml").write_text("rules: {}\n")
    with pytest.raises(Refused, match=f"live.yaml names project {P} as production"):
        must_not_be_production(tmp_path, P)
    must_not_be_production(tmp_path, P + 1)


def test_a_roster_that_cannot_be_read_refuses(tmp_path: Path) -> None:
    """Nobody knows whether it names the project."""
    (tmp_path / "live.yaml").write_text("environment: [\n")
    with pytest.raises(RosterError):
        must_not_be_production(tmp_path, P)
