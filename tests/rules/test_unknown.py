"""What rules do with inputs that are not known before the update: nothing passes because it could not be seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from mixpanel_access.rules.catalogue import RULE_IDS
from mixpanel_access.rules.entry import UNKNOWN, Entry, NotJudged, Type, all_hold, any_holds
from mixpanel_access.rules.facts import NotApplicable, Stack
from mixpanel_access.rules.rule import RuleVerdict
from tests.rules.cases import (
    CASES,
    COMPLIANT,
    ROBIN,
    Case,
    account_grant,
    custom_role,
    grant,
    member,
    people,
    team,
    team_grant,
    team_member,
)

SAID: dict[str, str] = {
    "company-domains-known": "",
    "domain-allowed": "MEMBER.email",
    "no-consumer-mail": "MEMBER.email",
    "domain-misspelt": "MEMBER.email",
    "no-shared-mailbox": "MEMBER.email",
    "perhaps-shared-mailbox": "MEMBER.email",
    "external-not-privileged": "MEMBER.email MEMBER.kind MEMBER.role",
    "organization-owners": "MEMBER.role",
    "organization-admins": "MEMBER.role",
    "no-duplicate-person": "MEMBER.email",
    "one-kind": "GRANT.email GRANT.kind MEMBER.email MEMBER.kind",
    "grant-has-member": "GRANT.email MEMBER.email TEAM_MEMBER.email",
    "role-within-standard": (
        "GRANT.email GRANT.engagement_type GRANT.environment GRANT.role "
        "MEMBER.email MEMBER.engagement_type MEMBER.role "
        "TEAM_GRANT.engagement_type TEAM_GRANT.environment TEAM_GRANT.role TEAM_MEMBER.engagement_type"
    ),
    "external-within-limit": "GRANT.email GRANT.environment GRANT.kind GRANT.role",
    "collaborator-not-project-owner": "GRANT.email GRANT.kind GRANT.role",
    "team-within-standard": (
        "TEAM.name TEAM.team_id TEAM_GRANT.environment TEAM_GRANT.role TEAM_GRANT.team_id TEAM_MEMBER.email "
        "TEAM_MEMBER.engagement_type TEAM_MEMBER.team_id"
    ),
    "admin-has-reason": "GRANT.role MEMBER.role TEAM_GRANT.role",
    "justified": "GRANT.justification GRANT.role TEAM_GRANT.role",
    "approver-is-another": "GRANT.approver TEAM_GRANT.approver TEAM_MEMBER.approver",
    "approver-known": (
        "GRANT.approver MEMBER.approver MEMBER.email MEMBER.kind SERVICE_ACCOUNT.approver TEAM_GRANT.approver "
        "TEAM_MEMBER.approver"
    ),
    "no-mutual-approval": (
        "GRANT.approver GRANT.email GRANT.role MEMBER.approver MEMBER.email MEMBER.role TEAM_GRANT.approver "
        "TEAM_GRANT.role TEAM_GRANT.team_id TEAM_MEMBER.approver TEAM_MEMBER.email TEAM_MEMBER.team_id"
    ),
    "no-redundant-grant": "GRANT.effective_role GRANT.grant_types GRANT.role",
    "admin-needed": "GRANT.email GRANT.role MEMBER.email MEMBER.role",
    "custom-role-permissions": "CUSTOM_ROLE.permissions",
    "classified-data-justified": "GRANT.justification GRANT.role SERVICE_ACCOUNT_GRANT.role TEAM_GRANT.justification TEAM_GRANT.project_id TEAM_GRANT.role TEAM_GRANT.team_id TEAM_MEMBER.team_id",  # noqa: E501
    "own-environment": "GRANT.environment TEAM_GRANT.environment",
    "external-in-one-environment": (
        "GRANT.email GRANT.engagement GRANT.environment TEAM_MEMBER.email TEAM_MEMBER.engagement"
    ),
    "team-in-own-environment": ("TEAM.name TEAM.team_id TEAM_GRANT.environment TEAM_GRANT.team_id TEAM_MEMBER.team_id"),
    "service-account-in-one-environment": (
        "SERVICE_ACCOUNT_GRANT.environment SERVICE_ACCOUNT_GRANT.service_account "
        "SERVICE_ACCOUNT_GRANT.service_account_id"
    ),
    "no-all-users-in-production": (
        "GRANT.environment GRANT.grant_types GRANT.project_id TEAM_GRANT.environment TEAM_GRANT.project_id"
    ),
    "production-has-paperwork": "GRANT.environment GRANT.kind GRANT.ticket TEAM_MEMBER.email",
    "organization-roles-in-one-stack": "MEMBER.role",
    "rosters-apart": "",
    "external-access-ends": "GRANT.email GRANT.ends MEMBER.email TEAM_MEMBER.email",
    "longest-duration": "GRANT.ends GRANT.engagement_type GRANT.starts MEMBER.email MEMBER.ends MEMBER.engagement_type "
    "MEMBER.since MEMBER.starts",
    "not-expired": "GRANT.ends MEMBER.ends TEAM.ends",
    "ending-soon": "MEMBER.ends TEAM.ends",
    "starts-before-ends": "GRANT.ends GRANT.starts MEMBER.ends MEMBER.starts TEAM.ends TEAM.starts",
    "short-engagement": "GRANT.ends GRANT.role GRANT.starts",
    "review-due": "GRANT.reviewed MEMBER.reviewed MEMBER.starts",
    "review-not-ahead": "GRANT.reviewed MEMBER.reviewed TEAM_MEMBER.reviewed",
    "privileged-ends-or-reviewed": "GRANT.email GRANT.ends GRANT.environment GRANT.role MEMBER.email MEMBER.reviewed "
    "MEMBER.role TEAM_GRANT.environment TEAM_GRANT.role TEAM_GRANT.team_id TEAM_MEMBER.email TEAM_MEMBER.team_id",
    "naming": "SERVICE_ACCOUNT.username",
    "service-account-expires": "SERVICE_ACCOUNT.expires",
    "secrets-are-secret": "",
    "metadata-well-formed": "GRANT.sow GRANT.ticket MEMBER.sow MEMBER.ticket",
    "exceptions-count": "GRANT.email",
    "exceptions-lapsed": "",
    "exceptions-in-force": "GRANT.email",
    "guards-not-loosened": "ORGANIZATION_SECURITY.two_factor_required",
    "dormant-account": "",
    "invitation-stale": "",
    "break-glass-ready": "MEMBER.ends MEMBER.role",
    "duties-apart": (
        "GRANT.approver GRANT.sponsor MEMBER.approver MEMBER.sponsor TEAM_GRANT.approver TEAM_GRANT.sponsor "
        "TEAM_MEMBER.approver TEAM_MEMBER.sponsor"
    ),
    "most-external": "MEMBER.email",
    "service-account-owned": "SERVICE_ACCOUNT.justification SERVICE_ACCOUNT.sponsor",
    "service-account-contact-known": "MEMBER.email MEMBER.kind SERVICE_ACCOUNT.sponsor",
    "service-account-contact-left": "MEMBER.email MEMBER.kind SERVICE_ACCOUNT.sponsor",
    "service-account-approved": (
        "SERVICE_ACCOUNT.approver SERVICE_ACCOUNT.role SERVICE_ACCOUNT.sponsor SERVICE_ACCOUNT_GRANT.role"
    ),
    "service-account-has-paperwork": "",
    "service-accounts-privileged": (
        "SERVICE_ACCOUNT.role SERVICE_ACCOUNT_GRANT.role SERVICE_ACCOUNT_GRANT.service_account"
    ),
    "service-account-own-environment": "SERVICE_ACCOUNT.role SERVICE_ACCOUNT_GRANT.environment",
    "service-account-declared": ("SERVICE_ACCOUNT_GRANT.service_account SERVICE_ACCOUNT_GRANT.service_account_id"),
    "no-open-discoverability": "",
    "second-factor-required": "ORGANIZATION_SECURITY.two_factor_required",
}
"""Rule -> the inputs that it needs: where one of them is not known, a violation can be hidden, and the rule says so.

Whatever else is not known, the rule judges without it."""

FROM_MIXPANEL = {
    *("sso", "two_factor_settings", "discoverability", "organization_role", "team_projects", "open_to_all_users"),
    *("status", "last_login", "invited_at", "first_invited_at", "created", "last_used"),
}
"""What a failing case has from Mixpanel alone; a rule that is left without it says so as advice."""


def hidden(rule_id: str) -> Iterator[tuple[str, str, Case]]:
    """The rule's failing cases with one property of one kind of resource not known."""
    for case in (*CASES[rule_id].fails, CASES[rule_id].boundary[1]):
        for type_ in dict.fromkeys(entry.type for entry in case.entries):
            names = {name for entry in case.entries if entry.type == type_ for name in entry.values}
            for name in sorted(names | {"exceptions"}):
                entries = [with_unknown(entry, name) if entry.type == type_ else entry for entry in case.entries]
                yield type_, name, replace(case, entries=entries)


def with_unknown(entry: Entry, name: str) -> Entry:
    """The resource with one property not known."""
    return replace(entry, values={**entry.values, name: UNKNOWN})


@pytest.mark.parametrize("rule_id", RULE_IDS)
def test_no_violation_passes_because_an_input_is_not_known(rule_id: str) -> None:
    """Each failing case with each input hidden is found all the same, or is a violation since it cannot be judged."""
    said = set()
    for type_, name, case in hidden(rule_id):
        verdict = case.judge(rule_id)
        if (rule_id, name) == ("service-account-contact-left", "account_id"):
            assert case.judge("service-account-contact-known").findings  # which judges an account without an id
            continue
        if name in FROM_MIXPANEL:
            assert verdict.findings or verdict.later or verdict.not_judged
            continue
        assert verdict.findings or verdict.not_judged, (type_, name)
        if verdict.not_judged and name != "exceptions":
            said.add(f"{Type(type_).name}.{name}")
    assert " ".join(sorted(said)) == SAID[rule_id]


@pytest.mark.parametrize("rule_id", RULE_IDS)
def test_what_is_not_known_is_no_finding(rule_id: str) -> None:
    """A stack that passes has no finding with any one value hidden: it passes, or cannot be judged."""
    for index, entry in enumerate(COMPLIANT):
        for name in (*entry.values, "exceptions"):
            entries = [*COMPLIANT[:index], with_unknown(entry, name), *COMPLIANT[index + 1 :]]
            try:
                assert not Case(entries).judge(rule_id).findings, (entry.name, name)
            except NotApplicable:
                continue


def texts(verdict: RuleVerdict) -> list[str]:
    """What could not be judged."""
    return [finding.text for finding in verdict.not_judged]


def test_it_is_said_where_a_value_comes_from_and_what_to_do() -> None:
    """In one sentence each, once for each value, at the resource."""
    place = replace(with_unknown(grant(), "ends"), sources={"ends": ["urn:pulumi:s::p::x:index:Date::last-day"]})
    verdict = Case([place]).judge("external-access-ends")
    (text,) = texts(verdict)
    assert text == (
        f"cannot be judged: ends of 1234567:{ROBIN} is not known before the update (it comes from last-day)."
        " Write the value into the program, or create what it comes from in an earlier run."
    )
    assert verdict.not_judged[0].entry == place


def test_an_exception_holds_for_what_cannot_be_judged() -> None:
    """Where the rule does not hold, nothing has to be known; where the exceptions are hidden, it is said."""
    given = [{"rule": "justified", "reason": "r", "approver": "ana@example.com", "ticket": "OPS-1"}]
    given[0] |= {"starts": "2026-05-01", "ends": "2026-05-04"}
    assert Case([with_unknown(grant(exceptions=given, justification=None), "role")]).judge("justified") == RuleVerdict(
        [], [], []
    )
    hidden_too = with_unknown(grant(justification=None), "exceptions")
    assert "exceptions of 1234567" in texts(Case([hidden_too]).judge("justified"))[0]
    assert Case([with_unknown(grant(), "exceptions")]).judge("justified") == RuleVerdict([], [], [])


TEAM, OTHER, ROLE = (
    "urn:pulumi:s::p::t::team/data",
    "urn:pulumi:s::p::t::team/other",
    "urn:pulumi:s::p::r::custom-role/x",
)


def new_team(urn: str = TEAM, **values: Any) -> Entry:
    """A team that is yet to be made, or whose id is not known for another reason."""
    return replace(team(urn.rpartition("/")[2]), urn=urn, values={"name": "Data", **values})


def of_team(entry: Entry, *urns: str) -> Entry:
    """The place or grant with an id that comes from other resources."""
    return replace(with_unknown(entry, "team_id"), sources={"team_id": urns})


ADMIN, PLACE = team_grant("admin"), team_member()
FOUND, SAID_SO, NOTHING = "found", "said", "nothing"
JOINS: dict[str, tuple[list[Entry], str]] = {
    "a new team": ([new_team(), of_team(ADMIN, TEAM), of_team(PLACE, TEAM)], FOUND),
    "a new team, and nobody of another one": (
        [new_team(), new_team(OTHER), of_team(ADMIN, TEAM), of_team(PLACE, OTHER)], NOTHING,
    ),
    "a renamed team, whose id is hidden in both": (
        [new_team(team_id=UNKNOWN), of_team(ADMIN, TEAM), of_team(PLACE, TEAM)], FOUND,
    ),
    "the id is hidden in the grant alone": ([new_team(team_id=77), of_team(ADMIN, TEAM), PLACE], FOUND),
    "the id is hidden in the place alone": ([new_team(team_id=77), ADMIN, of_team(PLACE, TEAM)], FOUND),
    "another known id": ([new_team(team_id=78), of_team(ADMIN, TEAM), PLACE], NOTHING),
    "known ids of a team of this stack": (
        [new_team(), replace(ADMIN, sources={"team_id": [TEAM]}), of_team(PLACE, TEAM)], FOUND,
    ),
    "a new team may be the one with a written id": ([new_team(), of_team(ADMIN, TEAM), PLACE], SAID_SO),
    "an id from another resource": ([new_team(), of_team(ADMIN, "urn:pulumi:s::p::x::lookup"), PLACE], SAID_SO),
    "an id from two teams": (
        [new_team(), new_team(OTHER), of_team(ADMIN, TEAM, OTHER), of_team(PLACE, TEAM)], SAID_SO,
    ),
    "an id from nowhere": ([of_team(ADMIN), of_team(PLACE)], SAID_SO),
    "a role that is no problem, whatever the team": ([of_team(team_grant()), of_team(PLACE)], NOTHING),
    "a role that comes from a custom role": (
        [
            new_team(),
            replace(custom_role(), urn=ROLE),
            replace(of_team(with_unknown(ADMIN, "role"), TEAM), sources={"team_id": [TEAM], "role": [ROLE]}),
            of_team(PLACE, TEAM),
        ],
        NOTHING,
    ),
    "a role that comes from elsewhere": (
        [new_team(), of_team(with_unknown(ADMIN, "role"), TEAM), of_team(PLACE, TEAM)], SAID_SO,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("entries", "expected"), JOINS.values(), ids=JOINS)
def test_what_people_get_through_a_team_is_joined_by_its_resource(entries: list[Entry], expected: str) -> None:
    """Before the team has an id; and where nobody can know which team it is, only what would be too much is said."""
    given = Case(entries)
    verdict = replace(given, entries=Stack(given.entries).resolved().entries).judge("team-within-standard")
    assert (FOUND if verdict.findings else SAID_SO if verdict.not_judged else NOTHING) == expected
    assert not (verdict.findings and verdict.not_judged)


def test_one_that_cannot_be_judged_hides_nothing_about_the_others() -> None:
    """A team with an unknown role, and one beside it with too much."""
    entries = [with_unknown(team_grant("admin", 78), "role"), team_member(team_id=78), ADMIN, PLACE]
    verdict = Case(entries).judge("team-within-standard")
    assert (len(verdict.findings), len(verdict.not_judged)) == (1, 1)


ROLES: dict[str, tuple[list[str], bool]] = {
    "nothing else": ([ROLE], True),
    "two custom roles": ([ROLE, f"{ROLE}2"], True),
    "another resource too": ([ROLE, TEAM], False),
    "nothing": ([], False),
}


@pytest.mark.parametrize(("urns", "known"), ROLES.values(), ids=ROLES)
def test_a_role_that_comes_from_custom_roles_alone_is_one(urns: list[str], known: bool) -> None:
    """It is above no standard, owns nothing and needs a justification; of anything else nobody can know."""
    made = [replace(custom_role(), urn=ROLE), replace(custom_role(name="Other"), urn=f"{ROLE}2"), new_team()]
    place = replace(with_unknown(grant(justification=None), "role"), sources={"role": urns})
    case = Case(list(Stack([*made, place]).resolved().entries))
    assert bool(case.judge("justified").findings) is known
    assert bool(case.judge("role-within-standard").not_judged) is not known
    assert bool(case.judge("collaborator-not-project-owner").not_judged) is not known


def account_place(environment: str, urn: str = "", **values: Any) -> Entry:
    """A grant of an account whose id is not known."""
    entry = account_grant(environment)
    values = {"service_account": None, "service_account_id": UNKNOWN, **values}
    return replace(entry, values={**entry.values, **values}, sources={"service_account_id": [urn] if urn else []})


ACCOUNT = "urn:pulumi:s::p::a::account/etl"
ACCOUNTS: dict[str, tuple[list[Entry], str]] = {
    "a new account in two environments": (
        [account_place("production", ACCOUNT), account_place("staging", ACCOUNT)], FOUND,
    ),
    "two new accounts": ([account_place("production", ACCOUNT), account_place("staging", f"{ACCOUNT}2")], NOTHING),
    "an account that nobody knows, which another stack may have": ([account_place("production")], SAID_SO),
    "two environments, and nobody knows of whom": ([account_place("production"), account_place("staging")], SAID_SO),
}  # fmt: skip


@pytest.mark.parametrize(("entries", "expected"), ACCOUNTS.values(), ids=ACCOUNTS)
def test_a_new_account_is_joined_by_its_resource(entries: list[Entry], expected: str) -> None:
    """The same for service accounts, which have no id before they are made."""
    accounts = [Entry(Type.SERVICE_ACCOUNT, "etl", urn) for urn in (ACCOUNT, f"{ACCOUNT}2")]
    verdict = Case([*accounts, *entries]).judge("service-account-in-one-environment")
    assert (FOUND if verdict.findings else SAID_SO if verdict.not_judged else NOTHING) == expected


@pytest.mark.parametrize(
    ("owners", "unknown", "expected"),
    [(2, 0, NOTHING), (2, 2, NOTHING), (2, 3, SAID_SO), (1, 1, SAID_SO), (0, 1, SAID_SO), (5, 1, FOUND)],
)
def test_owners_are_counted_with_those_who_may_be_one(owners: int, unknown: int, expected: str) -> None:
    """Two to four are right: it is a violation only where no count can be right, and none where every one is."""
    hidden_ones = [with_unknown(member(f"x{number}@example.com"), "role") for number in range(unknown)]
    verdict = Case([*people(*["owner"] * owners), *hidden_ones]).judge("organization-owners")
    assert (FOUND if verdict.findings else SAID_SO if verdict.not_judged else NOTHING) == expected


def test_conditions_of_which_some_are_not_known() -> None:
    """What is known decides where it can."""

    def unknown() -> bool:
        raise NotJudged("x")

    assert not all_hold(unknown, lambda: False)
    assert any_holds(unknown, lambda: True)
    assert all_hold(lambda: 1, lambda: "x")
    assert not any_holds(lambda: 0, lambda: "")
    for either, value in ((all_hold, True), (any_holds, False)):
        with pytest.raises(NotJudged):
            either(unknown, lambda value=value: value)  # type: ignore[misc]
