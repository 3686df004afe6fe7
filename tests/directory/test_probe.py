"""The read-only look at an organization: each call, each verdict, and nothing written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mixpanel_access.directory.probe import Finding, Probe, healthy, probes
from mixpanel_access.model import errors
from mixpanel_access.model.access import ServiceAccount
from mixpanel_access.model.security import SingleSignOn
from mixpanel_access.model.undocumented import Verb
from tests.fakes import NOW, ORGANIZATION, PRODUCTION, FakeApi


def organization() -> FakeApi:
    """One that answers as expected."""
    api = FakeApi(accounts=[ServiceAccount(1, "bot")], security=SingleSignOn(required=False, domains=frozenset()))
    api.put("bo@example.com", "member")
    api.people["bo@example.com"] = api.people["bo@example.com"].__class__(
        "bo@example.com", "member", invited=False, last_login=datetime(2026, 5, 1, tzinfo=UTC)
    )
    api.give(PRODUCTION, "bo@example.com", "analyst")
    return api


def found(api: FakeApi, allowed: frozenset[str] = frozenset()) -> dict[str, Probe]:
    """The probes by their call."""
    return {probe.call: probe for probe in probes(api, ORGANIZATION, allowed, NOW)}


NEEDED = ("who we are", "list of people", "list of projects", "grants of a project", "list of service accounts")
EXTRAS = ("second factor", "access requests", "single sign-on", "audit log", "custom roles", "permissions")
READS = (*NEEDED, *EXTRAS)


def test_an_organization_that_answers_as_expected() -> None:
    """Every read is ok, every write is skipped, nothing is written."""
    api = organization()
    all_of_it = found(api, frozenset({Verb.INVITE}))
    assert [all_of_it[call].finding for call in READS] == [Finding.OK] * len(READS)
    assert {all_of_it[verb.value].finding for verb in Verb} == {Finding.SKIPPED}
    assert "not tried; switched on" in all_of_it[Verb.INVITE.value].came
    assert "not tried; not switched on" in all_of_it[Verb.RESEND.value].came
    assert len(all_of_it) == len(READS) + len(Verb)
    assert (api.writes, healthy(list(all_of_it.values()))) == ([], True)


VERBS = {
    "who we are": "me", "list of people": "list_users", "list of projects": "list_projects",
    "grants of a project": "granted_users", "list of service accounts": "list_accounts",
    "second factor": "two_factor", "access requests": "request_access", "single sign-on": "sso", "audit log": "events",
    "custom roles": "custom_roles", "permissions": "permissions",
}  # fmt: skip
VERDICTS = {
    errors.NotFound: Finding.MISSING, errors.Forbidden: Finding.REFUSED, errors.Unauthorized: Finding.REFUSED,
    errors.ServerFault: Finding.FAILED, errors.Unintelligible: Finding.FAILED, errors.Unreachable: Finding.FAILED,
}  # fmt: skip


@pytest.mark.parametrize("call", READS)
@pytest.mark.parametrize(("kind", "verdict"), VERDICTS.items())
def test_each_failure_has_its_verdict(call: str, kind: type[errors.MixpanelError], verdict: Finding) -> None:
    """And does not stop the others; what is only looked at may be missing."""
    api = organization()
    api.faults[VERBS[call]] = [kind("cannot read", why="Mixpanel answered so")]
    all_of_it = found(api)
    assert (all_of_it[call].finding, all_of_it[call].came) == (verdict, "Mixpanel answered so")
    assert healthy(list(all_of_it.values())) is (call in EXTRAS)
    others = {probe.finding for name, probe in all_of_it.items() if name != call}
    assert others <= {Finding.OK, Finding.SKIPPED}


def test_what_is_tolerated_is_told() -> None:
    """Roles that are not told, no project in sight, an account that may manage nobody."""
    api = FakeApi(own_role="member")
    api.put("bo@example.com", None)
    api.projects_.clear()
    api.two_factor_ = {"required": True}
    all_of_it = found(api)
    assert {call: (all_of_it[call].finding, all_of_it[call].came) for call in READS} == {
        "who we are": (Finding.DIFFERS, "organization member, which may manage nobody"),
        "list of people": (Finding.DIFFERS, "1 people, 1 without a role, 1 without a last login"),
        "list of projects": (Finding.DIFFERS, "0 projects"),
        "grants of a project": (Finding.SKIPPED, "there is no project to ask about"),
        "list of service accounts": (Finding.DIFFERS, "0 service accounts"),
        "second factor": (Finding.DIFFERS, "1 settings"),
        "access requests": (Finding.OK, "0 settings"),
        "single sign-on": (Finding.DIFFERS, "without whether it is required, the claimed domains"),
        "audit log": (Finding.OK, "0 events in 7 days"),
        "custom roles": (Finding.SKIPPED, "there is no project to ask about"),
        "permissions": (Finding.SKIPPED, "there is no project to ask about"),
    }
    other = {probe.call: probe for probe in probes(organization(), 1, frozenset(), NOW)}
    assert other["who we are"].came == "the account sees 1 organizations, and 1 is none of them"
