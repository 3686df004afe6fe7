"""What has to be so before somebody is invited: each check passes, fails, and names who confirms it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mixpanel_access.files.roster import OtherRosters
from mixpanel_access.model.access import SingleSignOn
from mixpanel_access.model.errors import Forbidden, NotFound
from mixpanel_access.model.neighbours import About, Conflict
from mixpanel_access.model.rights import Permission
from mixpanel_access.model.verdict import Cause
from mixpanel_access.operations.preflight import Prerequisite, Readiness, checks, verdict_on
from tests.fakes import PRODUCTION, WAREHOUSE, FakeApi
from tests.operations.overviews import BO, overview, person

FACTS = """\
organization:
  url: https://mixpanel.com/organization/7654321
  login: { ssoRequired: true, identityProvider: Okta, mfaRequired: true, vpn: the VPN }
  contacts: { access: ana@example.com, network: it@example.com }
"""


def silent() -> FakeApi:
    """An organization that tells nothing of its security."""
    return FakeApi(
        two_factor_={},
        faults={verb: [Forbidden("cannot", why="not in the plan")] for verb in ("sso", "request_access")},
    )


def found(facts: str = FACTS, *, api: FakeApi | None = None, email: str | None = None) -> dict[str, Prerequisite]:
    """The checks by what they are about."""
    api = api or FakeApi()
    return {check.what: check for check in checks(overview(api, person(), more=facts), email)}


def test_what_can_be_read_is_checked_and_the_rest_names_its_contact() -> None:
    """The network's is another than that of the login."""
    all_of_it = found(api=silent())
    assert {what: (check.verdict, check.contact) for what, check in all_of_it.items()} == {
        "our account": (Readiness.OK, ""),
        "plan: custom roles": (Readiness.OK, ""),
        "plan: audit log": (Readiness.OK, ""),
        "access requests": (Readiness.CONFIRM, ""),
        "single sign-on": (Readiness.CONFIRM, "ana@example.com"),
        "second factor": (Readiness.CONFIRM, "ana@example.com"),
        "passwords": (Readiness.CONFIRM, "ana@example.com"),
        "network": (Readiness.CONFIRM, "it@example.com"),
        "project shop": (Readiness.OK, ""),
        "project warehouse": (Readiness.OK, ""),
    }
    assert all_of_it["single sign-on"].text == "required, by Okta, by the roster; the API does not show it"
    assert all_of_it["project shop"].text == f"{PRODUCTION} P{PRODUCTION} is production"


@pytest.mark.parametrize("role", ["member", "billing_admin", None])
def test_an_account_that_may_not_invite_is_a_problem(role: str | None) -> None:
    """Only owner and admin may."""
    check = found(api=FakeApi(own_role=role))["our account"]
    assert (check.verdict, "only owner and admin may invite" in check.text) == (Readiness.PROBLEM, True)
    assert "None" not in check.text


ALL = frozenset(Permission)
TEAMS = "\nteams:\n  data: { name: Data, projects: { shop: analyst }, ticket: OPS-1, approver: ana@example.com }\n"
ACCOUNTS: dict[str, tuple[str | None, frozenset[str], str, Readiness, str]] = {
    "everything": ("admin", ALL, "", Readiness.OK, "may invite: add_user yes"),
    "without a role word": ("superuser", ALL, "", Readiness.OK, "is organization superuser; may invite: add_user yes"),
    "no role, and yet all rights": ("member", ALL, "", Readiness.OK, "may remove: delete_members yes"),
    "an owner who may not remove": ("owner", ALL - {"delete_members"}, "", Readiness.PROBLEM, "delete_members no"),
    "nobody may be invited": ("admin", ALL - {"add_user"}, "", Readiness.PROBLEM, "may invite: add_user no"),
    "no teams, and none are declared": ("admin", ALL - {"create_team"}, "", Readiness.OK, "may invite"),
    "no teams, and some are declared": ("admin", ALL - {"create_team"}, TEAMS, Readiness.PROBLEM, "create_team no"),
    "codes of which we know none": ("admin", frozenset({"org.add"}), "", Readiness.OK, "is organization admin"),
}


@pytest.mark.parametrize(("role", "permissions", "more", "verdict", "words"), ACCOUNTS.values(), ids=ACCOUNTS.keys())
def test_what_our_account_may_do_is_told_by_its_permissions(
    role: str | None, permissions: frozenset[str], more: str, verdict: Readiness, words: str
) -> None:
    """Where Mixpanel lists them they count, whatever the role is called; a roster's teams need theirs."""
    check = found(FACTS + more, api=FakeApi(own_role=role, permissions_=permissions))["our account"]
    assert (check.verdict, words in check.text) == (verdict, True), check.text
    assert ("team" in check.text) is bool(more)


def test_what_nobody_is_asked_about_is_a_problem() -> None:
    """The roster tells it, and names nobody who confirms it."""
    nobody = FACTS.replace("  contacts: { access: ana@example.com, network: it@example.com }\n", "")
    check = found(nobody, api=silent())["single sign-on"]
    assert check.verdict is Readiness.PROBLEM
    assert check.text.endswith("the roster names nobody to ask (contacts)")


def test_from_everywhere_is_said_and_not_guessed() -> None:
    """An empty list of networks says so."""
    assert found(FACTS.replace("vpn: the VPN", "ipAllowlist: []"))["network"].text.startswith("from everywhere, by the")
    assert found(FACTS.replace(", vpn: the VPN", ""))["network"].verdict is Readiness.PROBLEM


def test_what_nobody_tells_is_a_problem() -> None:
    """Neither the API nor the roster."""
    all_of_it = found("", api=silent())
    problems = {what for what, check in all_of_it.items() if check.verdict is Readiness.PROBLEM}
    assert problems == {"organization", "single sign-on", "second factor", "passwords", "network"}


def test_a_project_out_of_sight_is_a_problem_and_another_name_is_to_be_confirmed() -> None:
    """A slip of the pen in an id gives access to somebody else's project."""
    api = FakeApi()
    del api.projects_[WAREHOUSE]
    assert found(api=api)["project warehouse"].verdict is Readiness.PROBLEM
    looked = overview(FakeApi(), person(), more=FACTS)
    roster = looked.stacks["production"].roster
    assert roster is not None
    named = roster.projects["shop"].model_copy(update={"name": "Shop", "platform": "web", "needs": ["data_warehouse"]})
    roster.projects["shop"] = named  # type: ignore[index]  # a plain dict below
    all_of_it = {check.what: check for check in checks(looked)}
    assert all_of_it["project shop"].verdict is Readiness.CONFIRM
    assert all_of_it["project shop"].text.endswith("is production, web; the roster calls it 'Shop'")
    assert all_of_it["needs"].text == f"{BO} needs data warehouse in shop"


ADDRESSES = {
    "of the company": ("di@example.com", Readiness.OK, "can log in: example.com is of the company"),
    "of a subdomain": ("di@eu.example.com", Readiness.CONFIRM, "outside, and single sign-on is required"),
    "outside": ("di@agency.example.org", Readiness.CONFIRM, "outside, and single sign-on is required: Okta must know"),
}


@pytest.mark.parametrize(("email", "verdict", "words"), ADDRESSES.values(), ids=ADDRESSES.keys())
def test_whether_an_address_can_log_in(email: str, verdict: Readiness, words: str) -> None:
    """By its domain and by single sign-on."""
    check = found(api=silent(), email=email)[email]
    assert (check.verdict, words in check.text) == (verdict, True), check.text


def test_without_single_sign_on_anybody_can_log_in_and_without_domains_nobody_knows() -> None:
    """The company's domains are the stack's configuration."""
    open_to_all = FACTS.replace("ssoRequired: true", "ssoRequired: false")
    outside = "di@agency.example.org"
    assert found(open_to_all, api=silent(), email=outside)[outside].verdict is Readiness.OK
    looked = overview(silent(), person(), more=FACTS, company="")
    (check,) = [one for one in checks(looked, BO) if one.what == BO]
    assert (check.verdict, "companyDomains" in check.text) == (Readiness.PROBLEM, True)


SSO = SingleSignOn(enabled=True, required=True, idp_name="Okta", domains=frozenset({"example.com"}))
SETTINGS: dict[str, tuple[FakeApi, str, Readiness, str]] = {
    "single sign-on as the roster has it": (FakeApi(security=SSO), "single sign-on", Readiness.OK, "required, by Okta"),
    "single sign-on otherwise": (
        FakeApi(security=replace(SSO, required=False)),
        "single sign-on",
        Readiness.PROBLEM,
        "not required in Mixpanel, and the roster says otherwise: correct login",
    ),
    "a second factor as the roster has it": (
        FakeApi(two_factor_={"twofactor_auth_required": True}), "second factor", Readiness.OK, "required",
    ),
    "a second factor otherwise": (
        FakeApi(), "second factor", Readiness.PROBLEM,
        "not required in Mixpanel, and the roster says otherwise: correct login",
    ),
    "all domains claimed": (FakeApi(security=SSO), "claimed domains", Readiness.OK, "example.com"),
    "who is in is the identity provider's": (
        FakeApi(security=replace(SSO, idp_managed=True)), "claimed domains", Readiness.OK,
        "example.com; the identity provider says who is in",
    ),
    "a domain not claimed": (
        FakeApi(security=replace(SSO, domains=frozenset())), "claimed domains", Readiness.PROBLEM,
        "example.com is not claimed, so that its people cannot log in by single sign-on; claimed: no domain",
    ),
    "no access requests": (FakeApi(), "access requests", Readiness.OK, "nothing is set"),
    "access requests": (
        FakeApi(request_access_={"open": True, "by": "all"}), "access requests", Readiness.CONFIRM,
        "Mixpanel has by=all, open=True",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("api", "what", "verdict", "text"), SETTINGS.values(), ids=SETTINGS.keys())
def test_what_mixpanel_tells_is_held_against_the_roster(api: FakeApi, what: str, verdict: Readiness, text: str) -> None:
    """It is what people are told from."""
    check = found(api=api)[what]
    assert (check.verdict, check.text) == (verdict, text)


def test_what_mixpanel_tells_needs_no_roster() -> None:
    """And claimed domains are of no account where nobody has to use them."""
    all_of_it = found("", api=FakeApi(security=replace(SSO, required=False)))
    assert all_of_it["single sign-on"].verdict is Readiness.OK
    assert "claimed domains" not in all_of_it


MANAGED = replace(SSO, idp_managed=True)
LOGINS: dict[str, tuple[SingleSignOn, str, Readiness, str]] = {
    "claimed": (SSO, "di@example.com", Readiness.OK, "can log in by single sign-on: example.com is claimed"),
    "a subdomain is not claimed": (SSO, "di@eu.example.com", Readiness.PROBLEM, "eu.example.com is not a claimed"),
    "in already": (SSO, "ana@agency.example.org", Readiness.OK, "is in the organization already as owner"),
    "outside": (SSO, "di@agency.example.org", Readiness.PROBLEM, "cannot log in: single sign-on is required"),
    "the identity provider's": (MANAGED, "di@example.com", Readiness.CONFIRM, "Okta says who is in: add them there"),
    "not required": (
        replace(SSO, required=False), "di@agency.example.org", Readiness.OK,
        "can log in: single sign-on is not required",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("sso", "email", "verdict", "words"), LOGINS.values(), ids=LOGINS.keys())
def test_whether_an_address_can_log_in_by_what_mixpanel_tells(
    sso: SingleSignOn, email: str, verdict: Readiness, words: str
) -> None:
    """With required single sign-on, only claimed domains come in (contract, section 13)."""
    api = FakeApi(security=sso)
    api.put("ana@agency.example.org", "owner")
    check = found(api=api, email=email)[email]
    assert (check.verdict, words in check.text) == (verdict, True), check.text


def test_an_organization_admin_needs_no_single_sign_on() -> None:
    """Owners and admins may use a password all the same."""
    email = "di@agency.example.org"
    entry = f"  - {{ email: {email}, organizationRole: admin }}"
    looked = overview(FakeApi(security=SSO), entry, more=FACTS)
    (check,) = [one for one in checks(looked, email) if one.what == email]
    assert check.verdict is Readiness.OK
    assert "with a password, as an organization admin" in check.text


CUSTOM = "5b0c0c3e-0000-4000-8000-000000000001"


GIVEN = f"projects: {{ shop: {CUSTOM} }}"
OWN = "customRoles: { Support-Desk: { name: Support desk, project: shop } }"
TEAM = f"teams: {{ data: {{ name: Data, {GIVEN}"
NEEDED: dict[str, tuple[str, str, str]] = {
    "nobody": ("projects: { shop: analyst }", "", ""),
    "a person": (GIVEN, "", CUSTOM),
    "a person, later": (f"{GIVEN}, starts: 2026-06-01", "", CUSTOM),
    "a person, before": (f"{GIVEN}, ends: 2026-05-03", "", ""),
    "a roster that makes one": ("projects: {}", OWN, "support_desk"),
    "a person, by its key": ("projects: { shop: support desk }", OWN, "support_desk"),
    "a team": ("projects: {}", f"{TEAM} }} }}", CUSTOM),
    "a team, before": ("projects: {}", f"{TEAM}, ends: 2026-05-03 }} }}", ""),
    "a team with the standard role": (
        "projects: {}", "teams: { data: { name: Data, standard: audit, projects: { shop: } } }", "",
    ),
    "a service account": ("projects: {}", f"serviceAccounts: {{ bot: {{ role: consumer, {GIVEN} }} }}", CUSTOM),
}  # fmt: skip


@pytest.mark.parametrize(("entry", "more", "needed"), NEEDED.values(), ids=NEEDED.keys())
def test_a_plan_without_custom_roles_is_a_problem_where_a_roster_has_one(entry: str, more: str, needed: str) -> None:
    """Whoever gets it, now or later; others do not need it."""
    api = FakeApi(faults={"custom_roles": [NotFound("cannot list", why="HTTP 404")]})
    looked = overview(api, person(more=entry), more=f"{FACTS}{more}")
    (check,) = [one for one in checks(looked) if one.what == "plan: custom roles"]
    assert check.verdict is (Readiness.PROBLEM if needed else Readiness.OK)
    assert check.text.endswith(f"and rosters have {needed}" if needed else "no roster needs it")
    assert "HTTP 404" in check.text
    assert found()["plan: custom roles"].text == "can be used"


def test_each_problem_is_a_sign_of_its_own_cause() -> None:
    """Whatever is checked has a row in the table of signs, and not the one of last resort."""
    member, hidden = FakeApi(), FakeApi(faults={"custom_roles": [NotFound("cannot list", why="HTTP 404")]})
    member.own_role = "member"
    unread = OtherRosters(unread=["staging.yaml:1 cannot be read"])
    bare, custom = person(), person(more=GIVEN)
    cases = {
        Cause.ROLE: overview(member, bare, more=FACTS),
        Cause.PLAN: overview(hidden, custom, more=FACTS),
        Cause.ROSTER: overview(FakeApi(), bare, more=FACTS, found=unread),
    }
    assert {cause: verdict_on(checks(looked)).cause for cause, looked in cases.items()} == {one: one for one in cases}
    url = "https://mixpanel.com/organization/7654321"
    for api, facts in ((silent(), FACTS.replace(f"  url: {url}\n", "")), (FakeApi(), FACTS)):
        verdict = verdict_on(checks(overview(api, bare, more=facts)))
        assert verdict.text.startswith("the roster does not say what people need to log in, or says it otherwise")
    claimed = replace(silent(), security=SingleSignOn(required=True, domains=frozenset({"example.com"})), faults={})
    outside = checks(overview(claimed, bare, more=FACTS), "kim@agency.example.org")
    assert verdict_on(outside).cause is Cause.LOGIN
    assert verdict_on(checks(overview(silent(), bare, more=FACTS))).cause is Cause.NOTHING


CLAIMS = {About.PROJECT: Readiness.PROBLEM, About.ORGANIZATION_ROLES: Readiness.PROBLEM, About.NAME: Readiness.CONFIRM}


@pytest.mark.parametrize(("about", "verdict"), CLAIMS.items(), ids=str)
def test_what_another_roster_has_too_is_a_problem(about: About, verdict: Readiness) -> None:
    """One name for two projects may be for people only."""
    looked = overview(FakeApi(), person(), more=FACTS, found=OtherRosters([Conflict(about, "both have it")]))
    (check,) = (check for check in checks(looked) if check.what == "other rosters")
    assert (check.stack, check.verdict, check.text) == ("production", verdict, "both have it")


def test_a_roster_beside_it_that_cannot_be_read_is_a_problem() -> None:
    """Nobody knows what it claims."""
    looked = overview(FakeApi(), person(), more=FACTS, found=OtherRosters(unread=["staging.yaml:1 cannot be read"]))
    (check,) = (check for check in checks(looked) if check.what == "other rosters")
    assert (check.verdict, check.text) == (Readiness.PROBLEM, "staging.yaml:1 cannot be read")


def test_a_name_that_is_another_projects_is_a_problem() -> None:
    """The id is most likely wrong."""
    looked = overview(FakeApi(), person(), more=FACTS)
    roster = looked.stacks["production"].roster
    assert roster is not None
    named = roster.projects["shop"].model_copy(update={"name": f"P{WAREHOUSE}"})
    roster.projects["shop"] = named  # type: ignore[index]  # a plain dict below
    all_of_it = {check.what: check for check in checks(looked)}
    assert all_of_it["project shop"].verdict is Readiness.PROBLEM
    assert f"is the name of project {WAREHOUSE}; check the id" in all_of_it["project shop"].text
