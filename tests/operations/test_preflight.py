"""What has to be so before somebody is invited: each check passes, fails, and names who confirms it."""

from __future__ import annotations

import pytest

from mixpanel_access.operations.preflight import Check, Verdict, checks
from tests.fakes import PRODUCTION, WAREHOUSE, FakeApi
from tests.operations.pictures import BO, person, picture

FACTS = """\
organization:
  url: https://mixpanel.com/organization/7654321
  login: { ssoRequired: true, identityProvider: Okta, mfaRequired: true, vpn: the VPN }
  contacts: { access: ana@example.com, network: it@example.com }
"""
COMPANY = {"production": frozenset({"example.com"})}


def found(facts: str = FACTS, *, api: FakeApi | None = None, email: str | None = None) -> dict[str, Check]:
    """The checks by what they are about."""
    api = api or FakeApi()
    return {check.what: check for check in checks(picture(api, person(), more=facts), COMPANY, email)}


def test_what_can_be_read_is_checked_and_the_rest_names_its_contact() -> None:
    """The network's is another than that of the login."""
    all_of_it = found()
    assert {what: (check.verdict, check.contact) for what, check in all_of_it.items()} == {
        "our account": (Verdict.OK, ""),
        "single sign-on": (Verdict.CONFIRM, "ana@example.com"),
        "second factor": (Verdict.CONFIRM, "ana@example.com"),
        "passwords": (Verdict.CONFIRM, "ana@example.com"),
        "network": (Verdict.CONFIRM, "it@example.com"),
        "project shop": (Verdict.OK, ""),
        "project warehouse": (Verdict.OK, ""),
    }
    assert all_of_it["single sign-on"].text == "required, by Okta, by the roster; the API does not tell"
    assert all_of_it["project shop"].text == f"{PRODUCTION} P{PRODUCTION} is production"


@pytest.mark.parametrize("role", ["member", "billing_admin", None])
def test_an_account_that_may_not_invite_is_a_problem(role: str | None) -> None:
    """Only owner and admin may."""
    check = found(api=FakeApi(own_role=role))["our account"]
    assert (check.verdict, "only owner and admin may invite" in check.text) == (Verdict.PROBLEM, True)


def test_what_nobody_tells_is_a_problem() -> None:
    """Neither the API nor the roster."""
    all_of_it = found("")
    problems = {what for what, check in all_of_it.items() if check.verdict is Verdict.PROBLEM}
    assert problems == {"organization", "single sign-on", "second factor", "passwords"}


def test_a_project_out_of_sight_is_a_problem_and_another_name_is_to_be_confirmed() -> None:
    """A slip of the pen in an id gives access to somebody else's project."""
    api = FakeApi()
    del api.projects_[WAREHOUSE]
    assert found(api=api)["project warehouse"].verdict is Verdict.PROBLEM
    looked = picture(FakeApi(), person(), more=FACTS)
    roster = looked.stacks["production"].roster
    assert roster is not None
    named = roster.projects["shop"].model_copy(update={"name": "Shop", "platform": "web", "needs": ["data_warehouse"]})
    roster.projects["shop"] = named  # type: ignore[index]  # a plain dict below
    all_of_it = {check.what: check for check in checks(looked, COMPANY)}
    assert all_of_it["project shop"].verdict is Verdict.CONFIRM
    assert all_of_it["project shop"].text.endswith("is production, web; the roster calls it 'Shop'")
    assert all_of_it["needs"].text == f"{BO} needs data warehouse in shop"


ADDRESSES = {
    "of the company": ("di@example.com", Verdict.OK, "can log in: example.com is of the company"),
    "of a subdomain": ("di@eu.example.com", Verdict.OK, "is of the company"),
    "outside": ("di@agency.example.org", Verdict.CONFIRM, "outside, and single sign-on is required: Okta must know"),
    "none": ("di@agency", Verdict.PROBLEM, "is no e-mail address"),
}


@pytest.mark.parametrize(("email", "verdict", "words"), ADDRESSES.values(), ids=ADDRESSES.keys())
def test_whether_an_address_can_log_in(email: str, verdict: Verdict, words: str) -> None:
    """By its domain and by single sign-on."""
    check = found(email=email)[email]
    assert (check.verdict, words in check.text) == (verdict, True), check.text


def test_without_single_sign_on_anybody_can_log_in_and_without_domains_nobody_knows() -> None:
    """The company's domains are the stack's configuration."""
    open_to_all = FACTS.replace("ssoRequired: true", "ssoRequired: false")
    assert found(open_to_all, email="di@agency.example.org")["di@agency.example.org"].verdict is Verdict.OK
    looked = picture(FakeApi(), person(), more=FACTS)
    (check,) = [one for one in checks(looked, {}, BO) if one.what == BO]
    assert (check.verdict, "companyDomains" in check.text) == (Verdict.PROBLEM, True)
