"""The read-only look at an organization: each call, each verdict, and nothing written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mixpanel_access.directory.probe import Finding, Probe, healthy, probes
from mixpanel_access.model import errors
from mixpanel_access.model.access import SingleSignOn
from mixpanel_access.model.rights import Permission
from mixpanel_access.model.service_accounts import ServiceAccountInfo
from mixpanel_access.model.settings import Verb
from mixpanel_access.model.verdict import Sign
from tests.fake_scim import FakeScim, with_scim
from tests.fakes import NOW, ORGANIZATION, PRODUCTION, FakeApi, as_api


def organization() -> FakeApi:
    """One that answers as expected."""
    api = FakeApi(accounts=[ServiceAccountInfo(1, "bot")], security=SingleSignOn(required=False, domains=frozenset()))
    api.put("bo@example.com", "member")
    api.people["bo@example.com"] = api.people["bo@example.com"].__class__(
        "bo@example.com", "member", invited=False, last_login=datetime(2026, 5, 1, tzinfo=UTC)
    )
    api.give(PRODUCTION, "bo@example.com", "analyst")
    return api


def found(api: FakeApi, allowed: frozenset[str] = frozenset()) -> dict[str, Probe]:
    """The probes by their call."""
    return {probe.call: probe for probe in probes(as_api(api), ORGANIZATION, allowed, NOW)}


NEEDED = (
    "who we are", "list of people", "list of projects", "grants of a project", "service accounts of a project",
    "list of service accounts",
)  # fmt: skip
EXTRAS = (
    "custom roles of a project",
    "second factor",
    "access requests",
    "single sign-on",
    "discoverability",
    "teams",
    "audit log",
    "permissions",
)
READS = (*NEEDED, *EXTRAS)


def test_an_organization_that_answers_as_expected() -> None:
    """Every read is ok, every write is skipped, nothing is written."""
    api = organization()
    all_of_it = found(api, frozenset({Verb.INVITE}))
    assert [all_of_it[call].finding for call in READS] == [Finding.OK] * len(READS)
    assert {all_of_it[verb.value].finding for verb in Verb} == {Finding.SKIPPED}
    assert "not tried; switched on" in all_of_it[Verb.INVITE.value].came
    assert "not tried; not switched on" in all_of_it[Verb.RESEND.value].came
    others = all_of_it.keys() - {*READS, *Verb}
    assert {all_of_it[call].expected for call in others} == {"a write, observed in use", "a write, documented"}
    assert {all_of_it[call].finding for call in others} == {Finding.SKIPPED}
    assert (api.writes, healthy(list(all_of_it.values()))) == ([], True)


VERBS = {
    "who we are": "me", "list of people": "list_users", "list of projects": "list_projects",
    "service accounts of a project": "list_of_project", "custom roles of a project": "custom_roles",
    "grants of a project": "granted_users", "list of service accounts": "list_accounts",
    "second factor": "two_factor", "access requests": "request_access", "single sign-on": "sso", "audit log": "events",
    "teams": "list_teams",
    "discoverability": "discoverability",
    "permissions": "permissions",
}  # fmt: skip
VERDICTS = {
    errors.NotFound: Finding.MISSING, errors.Forbidden: Finding.REFUSED, errors.Unauthorized: Finding.REFUSED,
    errors.ServerFault: Finding.FAILED, errors.Unintelligible: Finding.FAILED,
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


def test_a_scim_token_is_tried_too() -> None:
    """Where there is one: whom it shows, and whether it shows a team; nothing is written."""
    assert not [call for call in found(organization()) if call.endswith("by SCIM")]
    api = with_scim(organization())
    assert isinstance(api.scim, FakeScim)
    api.scim.kept_out.add("bo@example.com")
    api.teams.put("Data")
    all_of_it = found(api)
    people, team = all_of_it["people by SCIM"], all_of_it["a team by SCIM"]
    assert (people.finding, people.came) == (Finding.OK, "1 people, 1 deactivated")
    api.scim.untold.add("bo@example.com")
    assert found(api)["people by SCIM"].came == "1 people, 1 without whether they are active"
    assert (team.finding, team.came) == (Finding.OK, "the first team is a group")
    api.scim.shows_all_teams = False
    team = found(api)["a team by SCIM"]
    assert (team.finding, team.came, team.problem) == (Finding.DIFFERS, "the first team is no group", False)
    assert api.writes == []


@pytest.mark.parametrize(("kind", "verdict"), VERDICTS.items())
def test_a_scim_token_that_does_not_work_is_a_problem(kind: type[errors.MixpanelError], verdict: Finding) -> None:
    """Though everything else does; that a team is a group is only looked at."""
    api = with_scim(organization())
    api.teams.put("Data")
    api.faults["scim_users"] = [kind("cannot read", why="Mixpanel answered so")]
    api.faults["scim_group"] = [kind("cannot read", why="Mixpanel answered so")]
    all_of_it = found(api)
    people, team = all_of_it["people by SCIM"], all_of_it["a team by SCIM"]
    assert (people.finding, people.problem, healthy(list(all_of_it.values()))) == (verdict, True, False)
    assert (team.finding, team.problem) == (verdict, False)


def test_without_a_network_there_is_no_verdict() -> None:
    """It is told as what it is, at once."""
    api = organization()
    api.faults["list_users"] = [errors.Unreachable("cannot read", why="no route")]
    with pytest.raises(errors.Unreachable):
        found(api)


def test_what_is_tolerated_is_told() -> None:
    """Roles that are not told, and settings in other words."""
    api = FakeApi(two_factor_={"required": True})
    api.put("bo@example.com", None)
    api.teams.put("Data")
    api.teams.hides_members = True
    all_of_it = found(api)
    assert {call: all_of_it[call].came for call in READS if all_of_it[call].finding is Finding.DIFFERS} == {
        "list of people": "1 people, 1 without a role, 1 without a last login",
        "grants of a project": "no grant",
        "list of service accounts": "0 service accounts",
        "second factor": "1 setting",
        "single sign-on": "without whether it is required, the claimed domains",
        "teams": "1 team, 1 without their people, 1 without an organization role, or that there is none",
    }
    assert all_of_it["audit log"].came == "0 events in 7 days"
    assert healthy(list(all_of_it.values()))


ALL = frozenset(Permission)
OWN = {
    "all that is needed": ("admin", ALL, Finding.OK, "organization admin; may invite: add_user yes"),
    "an owner's rights under another word": ("superuser", ALL, Finding.DIFFERS, "organization superuser; may invite"),
    "nobody can be removed": ("owner", ALL - {"delete_members"}, Finding.REFUSED, "may remove: delete_members no"),
    "an unknown word alone": ("superuser", frozenset[str](), Finding.DIFFERS, "superuser, a role that this version"),
    "a member who only looks": ("member", frozenset({"view_audit_logs"}), Finding.REFUSED, "may invite: add_user no"),
    "codes of which we know none": ("admin", frozenset({"org.add"}), Finding.OK, "organization admin"),
}


@pytest.mark.parametrize(("role", "permissions", "finding", "came"), OWN.values(), ids=OWN.keys())
def test_what_our_account_may_do(role: str, permissions: frozenset[str], finding: Finding, came: str) -> None:
    """By its permissions where they are listed, else by its role."""
    api = organization()
    api.own_role, api.permissions_ = role, permissions
    probe = found(api)["who we are"]
    assert (probe.finding, came in probe.came) == (finding, True), probe.came
    assert probe.sign is (Sign.ROLE if finding is Finding.REFUSED else None)


def test_an_account_without_a_project_or_with_another_organization_is_a_sign() -> None:
    """The verdict knows both by the words of their errors."""
    api = organization()
    api.projects_.clear()
    assert found(api)["list of projects"].sign is Sign.NO_PROJECTS
    elsewhere = {probe.call: probe for probe in probes(as_api(organization()), 42, frozenset(), NOW)}
    assert elsewhere["who we are"].sign is Sign.OTHER_ORGANIZATION


def test_role_words_that_we_do_not_know_are_listed() -> None:
    """With how many have each, of people, service accounts and teams; a text that is no word is not shown."""
    api = organization()
    for number, role in enumerate(["superuser", "superuser", "guest", "di@example.com", "owner", "billing_admin"]):
        api.put(f"p{number}@example.com", role)
    api.accounts += [ServiceAccountInfo(2, "x", role="robot"), ServiceAccountInfo(3, "y", role="analyst")]
    api.teams.put("Data", organization_role="boss")
    all_of_it = found(api)
    words = {call: all_of_it[call].came.rpartition(": ")[2] for call in ("list of people", "list of service accounts")}
    assert words == {
        "list of people": "guest (1), no word (1), superuser (2)", "list of service accounts": "robot (1)",
    }  # fmt: skip
    assert "unknown organization roles: boss (1)" in all_of_it["teams"].came
    assert {all_of_it[call].finding for call in (*words, "teams")} == {Finding.DIFFERS}
    assert healthy(list(all_of_it.values()))


def test_the_older_route_to_the_audit_log_is_told() -> None:
    """With the answer of the Platform API; nothing is missing."""
    api = organization()
    api.fallback = "Mixpanel answered 404 (Not found)"
    probe = found(api)["audit log"]
    assert (probe.finding, probe.problem) == (Finding.DIFFERS, False)
    assert probe.came == (
        "0 events in 7 days, by the older route, not by the Platform API: Mixpanel answered 404 (Not found)"
    )


USELESS = {
    "another organization": (organization(), 1, "who we are", "the account sees organization 7654321, and not 1"),
    "a role that manages nobody": (
        FakeApi(own_role="member"), ORGANIZATION, "who we are", "organization member, which may manage nobody",
    ),
    "no project": (
        FakeApi(projects_={}), ORGANIZATION, "list of projects", "no project is in sight of the account",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("api", "id_", "call", "came"), USELESS.values(), ids=USELESS.keys())
def test_what_makes_the_account_useless_is_a_problem(api: FakeApi, id_: int, call: str, came: str) -> None:
    """However well it answers."""
    all_of_it = {probe.call: probe for probe in probes(as_api(api), id_, frozenset(), NOW)}
    assert (all_of_it[call].problem, all_of_it[call].came) == (True, came)
    if call == "list of projects":
        assert all_of_it["grants of a project"].finding is Finding.SKIPPED
