"""Every command gets the same from the audit log by either route; without a log, it says so and goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import stamina

from mixpanel_access.api.client import Api
from mixpanel_access.api.transport import READ_ATTEMPTS, Transport
from mixpanel_access.directory import probe
from mixpanel_access.directory.directory import Directory
from mixpanel_access.emulator.dialect import Dialect
from mixpanel_access.files.onboarding import AutomaticCheck, read_checklists
from mixpanel_access.model import audit
from mixpanel_access.model.access import Feature
from mixpanel_access.model.audit import LOOK_BACK
from mixpanel_access.model.dates import written
from mixpanel_access.model.setting_values import Secret
from mixpanel_access.model.settings import Settings
from mixpanel_access.operations.diagnosing import Case, Diagnosis, KnownFailure, Likelihood, case_of, diagnose
from mixpanel_access.operations.onboarding import onboarding
from mixpanel_access.operations.overview import Overview, overview_of
from mixpanel_access.operations.preflight import checks
from mixpanel_access.operations.review.listing import listed_roles
from mixpanel_access.operations.state import EMPTY
from mixpanel_access.operations.tracker.lines import LogLine
from mixpanel_access.operations.tracker.reading import read_in_mixpanel
from mixpanel_access.operations.tracker.replay import replay
from mixpanel_access.operations.tracker.writing import new_lines
from tests.emulator.conftest import ORG, Client, Frozen, P, organization
from tests.fakes import NOW, FakeApi
from tests.in_process import InProcess, emulating
from tests.operations.overviews import BO, overview, person

ANA: dict[str, Any] = {"user_id": "501", "user_email": "ana@example.com"}
SECOND = timedelta(seconds=1)
Connect = Callable[[], Api]


def event(type_: str, ago: timedelta, payload: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """What somebody did so long ago."""
    return {"type": type_, "created": written(NOW - ago), "payload": payload or {}, **more}


def role(word: str) -> dict[str, Any]:
    """A role as the log writes it."""
    return {"id": word, "name": word.title(), "is_custom_role": False}


def document() -> dict[str, Any]:
    """An organization that shows no last login, and a log of several pages, to both ends of the span and beyond."""
    about_bo: dict[str, Any] = {"user_id": "505", "user_email": BO}
    own = organization(projects=[{"id": P, "name": "Shop"}], teams=[])
    own["members"] = [{**row, "last_login": None} for row in own["members"]] + [
        {"email": BO, "id": 505, "role": "member"}
    ]
    own["grants"] = [{"project": P, "email": BO, "role": "consumer"}]
    own["security"] = {"sso": {"enabled": True, "domains": [{"name": "example.com"}]}}
    days = timedelta(days=1)
    changed = {**about_bo, "previous": {"role": role("analyst")}, "current": {"role": role("consumer")}}
    own["audit"] = [
        event("project.user_removed", LOOK_BACK + SECOND, {"user_email": "early@example.com"}, project=P, **ANA),
        event("project.user_removed", LOOK_BACK, {"user_email": "first@example.com"}, project=P, **ANA),
        *(
            event("project.user_added", 60 * days - n * SECOND, {"user_email": f"p{n}@example.com"}, project=P, **ANA)
            for n in range(150)
        ),
        *(event("session.logged_in", 50 * days - n * SECOND, {"login_method": "sso"}, **ANA) for n in range(101)),
        event("invitation.sent", 20 * days, {"user_email": BO}, **ANA),
        event("organization.user_added", 19 * days, {**about_bo, "source": "invitation"}, **ANA),
        event("session.logged_in", 5 * days, {"login_method": "sso", "twofactor_method": None}, **about_bo),
        event("user.role_changed", 2 * days, changed, project=P, **ANA),
        event("spark_setting.updated", 2 * days, {"what": ["a", 1]}, project=P, **ANA),
        event("mcp_tool_call.performed", days, project=P, **about_bo),
        event("organization.user_removed", days, {"user_email": "zoe@example.com", "source": "scim"}, service="scim"),
        event("session.login_failed", days, {"failed_auth_factor": "sso"}, **about_bo),
        event("user.role_changed", timedelta(), {"user_email": "last@example.com"}, project=P, **ANA),
    ]
    return own


@dataclass
class Read:
    """What every reader has of the log."""

    case: Case
    findings: list[Diagnosis]
    lines: list[LogLine]
    said: list[str]
    logins: Any
    warning: str
    ticked: set[AutomaticCheck | None]
    last_active: list[str]
    preflight: dict[str, str]
    feature: str | None
    doctor: list[probe.Probe]
    requests: dict[str, int]

    @property
    def of_the_log(self) -> probe.Probe:
        """What the doctor says of it."""
        return next(one for one in self.doctor if one.call == "audit log")

    def of(self, failure: KnownFailure) -> Diagnosis:
        """What is said of one failure."""
        return next(one for one in self.findings if one.failure is failure)


@contextmanager
def served(dialect: Any) -> Iterator[tuple[Client, Connect]]:
    """The organization with some routes to its log, at one instant, and how one connects to it."""
    with (
        emulating(document(), dialect=Dialect(audit=dialect)) as server,
        Client(server, auth=("admin-bot", "s:ecret")) as client,
        ExitStack() as stack,
    ):
        server.store.clock = Frozen(NOW)
        make = partial(Transport, transport=InProcess(server))

        def connect() -> Api:
            api = Api.connect(Settings(ORG, server.url, "admin-bot", Secret("s:ecret"), now=NOW), make=make)
            stack.callback(api.close)
            return api

        yield client, connect


def looked_at(connect: Connect) -> Overview:
    """The stack with Bo, over that organization."""
    return overview_of(overview(FakeApi(), person()).stacks, Directory(connect(), ORG), NOW)


def read(client: Client, connect: Connect) -> Read:
    """Have every reader read."""
    seen = looked_at(connect)
    client.control("DELETE", "requests")
    said: list[str] = []
    settings = Settings(ORG, "https://mixpanel.example.com", "admin-bot", Secret("s:ecret"), now=NOW)
    log = read_in_mixpanel(Directory(connect(), ORG), [settings], EMPTY, (NOW - LOOK_BACK, NOW), said.append)
    case = case_of(seen, BO)
    api = connect()
    steps = onboarding(seen.anybody(BO), seen, read_checklists(None), {}).steps
    return Read(
        case=case,
        findings=diagnose(case),
        lines=[line for line in new_lines([], replay([]), [log], {}, NOW) if line.audit_id],
        said=said,
        logins=seen.logins.last,
        warning=seen.logins.warning,
        ticked={step.check for step in steps if step.done},
        last_active=[one.item.last_active for one in listed_roles(seen, "manager")],
        preflight={check.what: check.text for check in checks(seen) if check.what.startswith("plan: ")},
        feature=seen.directory.features(NOW)[Feature.AUDIT_LOG],
        doctor=probe.probes(api, ORG, frozenset(), NOW),
        requests={verb: n for verb, n in client.control("GET", "requests")["by_endpoint"].items() if "audit" in verb},
    )


@pytest.fixture(scope="module")
def both() -> Read:
    """What is read where both routes are there."""
    with served("both") as (client, connect):
        return read(client, connect)


def test_what_is_read_by_the_platform_api(both: Read) -> None:
    """All pages, to both ends of the span; what nobody knows is no error; the older route is not asked."""
    assert both.case.log_refused == ""
    assert both.of(KnownFailure.IDENTITY_PROVIDER).verdict is Likelihood.CAUSE
    assert both.of(KnownFailure.ROLE_TOO_LOW).evidence[1].startswith("made consumer on 2026-05-02 at 12:00 UTC by ana@")
    assert [both.lines[0].email, both.lines[-1].email] == ["first@example.com", "last@example.com"]
    assert len(both.lines) == 1 + 150 + 1 + 1 + 1 + 1
    assert [(line.event, line.role) for line in both.lines if line.email == BO] == [
        ("granted", ""),
        ("changed", "consumer"),
    ]
    assert both.logins == {"ana@example.com": NOW - timedelta(days=50) + 100 * SECOND, BO: NOW - timedelta(days=5)}
    assert AutomaticCheck.LOGGED_IN in both.ticked
    assert both.last_active == ["2026-04-29"]
    assert (both.said, both.warning, both.feature, both.preflight["plan: audit log"]) == ([], "", None, "can be used")
    assert both.of_the_log.finding is probe.Finding.OK
    assert set(both.requests) == {"POST /v1/organizations/{o}/audit-logs/query"}


@pytest.mark.parametrize("route", ["platform", "old"])
def test_every_reader_has_the_same_by_either_route(both: Read, route: str) -> None:
    """But the doctor, which says which one answers; the one that refuses is asked once for each connection."""
    with served(route) as (client, connect):
        there = read(client, connect)
    for name in ("findings", "lines", "said", "logins", "warning", "ticked", "last_active", "preflight", "feature"):
        assert getattr(there, name) == getattr(both, name), name
    assert there.case.events == both.case.events
    came = f"{both.of_the_log.came}, by the older route" if route == "old" else both.of_the_log.came
    assert there.of_the_log.came.startswith(came)
    assert (there.of_the_log.finding is probe.Finding.DIFFERS) is (route == "old")
    asked = dict(both.requests)
    if route == "old":
        pages = asked.pop("POST /v1/organizations/{o}/audit-logs/query")
        asked = {"POST /api/app/organizations/{o}/audit-logs": pages}
    assert there.requests == asked


def test_the_route_that_refuses_is_asked_once_for_each_connection() -> None:
    """The tracker, the overview and the doctor have one each."""
    with served("old") as (client, connect):
        read(client, connect)
        log = client.control("GET", "requests")["by_endpoint"]
    assert log["POST (unknown)"] == 3


NONE: dict[str, tuple[str, int | None, str]] = {
    "no route": ("none", None, "404"),
    "no right": ("both", 403, "403"),
    "a limit of the plan": ("both", 402, "402"),
}


@pytest.mark.parametrize(("dialect", "status", "told"), NONE.values(), ids=NONE)
def test_without_the_log_it_is_said_and_the_rest_goes_on(
    both: Read, dialect: str, status: int | None, told: str
) -> None:
    """One line with both answers; what the log would tell is unknown, and everything else is as with it."""
    with served(dialect) as (client, connect):
        if status is not None:
            body = '{"status": "error", "error": "view_audit_logs is missing"}'
            fault = {"kind": "status", "status": status, "body": body, "content_type": "application/json", "count": 99}
            paths = (f"/v1/organizations/{ORG}", f"/api/app/organizations/{ORG}/audit-logs")
            client.control("POST", "faults", [{**fault, "path_prefix": path} for path in paths])
        there = read(client, connect)
    why = there.case.log_refused
    assert why.startswith(f"the Platform API: Mixpanel answered {told} (")
    assert f"; the older route: Mixpanel answered {told} (" in why
    assert "\n" not in why
    assert there.said == [f"the audit log cannot be read, and what others did is not in the access log: {why}"]
    assert there.warning.endswith(f"it is unknown who has logged in: {why}")
    assert (there.feature, why in there.preflight["plan: audit log"]) == (why, True)
    assert (there.of_the_log.came, probe.healthy(there.doctor)) == (why, True)
    assert (there.lines, there.logins, there.last_active) == ([], {}, ["unknown"])
    assert there.ticked == both.ticked - {AutomaticCheck.LOGGED_IN}
    for failure in (KnownFailure.PASSWORD, KnownFailure.SCIM):
        assert there.of(failure).verdict is Likelihood.UNKNOWN
        assert why in there.of(failure).evidence[0]
    assert not any("reset the password" in line for one in there.findings for line in one.fix)
    lower, known = there.of(KnownFailure.ROLE_TOO_LOW), both.of(KnownFailure.ROLE_TOO_LOW)
    assert (lower.verdict, lower.evidence, lower.fix) == (known.verdict, known.evidence[:1], known.fix)
    assert {name: text for name, text in there.preflight.items() if name != "plan: audit log"} == {
        name: text for name, text in both.preflight.items() if name != "plan: audit log"
    }


def test_a_fault_that_passes_is_no_missing_log() -> None:
    """The tracker stops, for a line that lacks what the log tells would stay so; who only looks goes on without."""
    with served("both") as (client, connect), stamina.set_testing(True, attempts=READ_ATTEMPTS, cap=True):
        fault = {"kind": "status", "status": 503, "count": 99, "path_prefix": "/v1/"}
        client.control("POST", "faults", [fault])
        case = case_of(looked_at(connect), BO)
    assert case.log_refused.startswith("Mixpanel answered 503")
    assert case.last(audit.LOGGED_IN) is None
