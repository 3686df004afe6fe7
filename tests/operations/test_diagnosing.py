"""Why somebody lacks what they should have: each known failure is found, is ruled out, and tells what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from mixpanel_access.model import audit
from mixpanel_access.model.access import GrantType, SingleSignOn
from mixpanel_access.model.audit import LOOK_BACK, AuditEvent
from mixpanel_access.model.errors import Forbidden, ServerFault, Unreachable
from mixpanel_access.operations.diagnosing import Diagnosis, KnownFailure, Likelihood, case_of, diagnose
from mixpanel_access.operations.login import ASK
from tests.fakes import NOW, PRODUCTION, WAREHOUSE, FakeApi
from tests.operations.overviews import BO, overview, person

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ANA = "ana@example.com"
SSO = SingleSignOn(enabled=True, required=True, idp_name="Okta", domains=frozenset({"example.com"}))


@dataclass
class Story:
    """An organization, and what a roster says; at first, Bo has what it gives and has logged in.

    Attributes:
        api: the organization.
        entries: the roster's entries.
        applied: whether the state holds what the roster declares.
        invited: who was invited by an `up`, and when.
        email: whom it is about.
        more: other parts of the roster.
    """

    api: FakeApi = field(default_factory=FakeApi)
    entries: tuple[str, ...] = (person(),)
    applied: bool = True
    invited: Mapping[str, datetime] | None = None
    email: str = BO
    more: str = ""

    def __post_init__(self) -> None:
        self.api.security = SingleSignOn(enabled=False, required=False)
        self.api.put(BO)
        self.api.give(PRODUCTION, BO, "analyst")
        self.log(audit.LOGGED_IN, age=2 * DAY, actor=BO, method="password")

    def log(self, kind: str, *, age: timedelta, **more: object) -> None:
        """Something that happened so long ago."""
        event = AuditEvent("", NOW - age, kind, **{"email": self.email, **more})  # type: ignore[arg-type]
        self.api.events_.append(event)

    def told(self, **security: object) -> None:
        """How one gets into the organization; Bo has done so."""
        self.log(audit.LOGGED_IN, age=2 * DAY, actor=BO, method="sso")
        self.api.security = replace(SSO, **security)  # type: ignore[arg-type]

    def found(self) -> list[Diagnosis]:
        """What is diagnosed."""
        looked = overview(self.api, *self.entries, applied=self.applied, invited=self.invited, more=self.more)
        return diagnose(case_of(looked, self.email))

    def of(self, failure: KnownFailure) -> Diagnosis:
        """What is said of one failure."""
        (finding,) = [one for one in self.found() if one.failure is failure]
        return finding


def test_nothing_is_wrong_with_who_has_everything() -> None:
    """Each failure is ruled out by what was seen."""
    found = Story().found()
    assert {one.failure: one.verdict for one in found} == dict.fromkeys(KnownFailure, Likelihood.RULED_OUT)
    assert all(one.evidence and not one.fix for one in found)


def stranger(story: Story) -> None:
    """Nobody has heard of the address."""
    story.email = "zoe@agency.example.org"


def ended(story: Story) -> None:
    """The entry is over."""
    story.entries = (person(more="projects: { shop: analyst }, ends: 2026-05-03"),)


def to_come(story: Story) -> None:
    """The entry has not begun."""
    story.entries = (person(more="projects: { shop: analyst }, starts: 2026-05-05"),)


def undeclared(story: Story) -> None:
    """In the organization, and in no roster."""
    story.entries = ()


def removed(story: Story) -> None:
    """Somebody took them out."""
    story.api.people.pop(BO)
    story.api.rows.clear()
    story.log(audit.USER_REMOVED, age=DAY, actor=ANA, source="admin")
    story.log(audit.INVITATION_SENT, age=9 * DAY, actor=ANA)


def pending(story: Story) -> None:
    """The invitation waits."""
    story.api.put(BO, invited=True)
    story.api.events_.clear()
    story.invited = {BO: NOW - 80 * HOUR}


def pending_by_the_log(story: Story) -> None:
    """The invitation waits, and only the audit log knows since when."""
    story.api.put(BO, invited=True)
    story.api.events_.clear()
    story.log(audit.INVITATION_SENT, age=5 * HOUR, actor=ANA)


def pending_of_old(story: Story) -> None:
    """The invitation waits, and nothing tells since when."""
    story.api.put(BO, invited=True)
    story.api.events_.clear()


def expired(story: Story) -> None:
    """The invitation is over."""
    pending(story)
    story.invited = {BO: NOW - 8 * DAY}


def other_spelling(story: Story) -> None:
    """Somebody with nearly the same address is there."""
    story.api.put("boo@example.com", invited=True)


def other_company(story: Story) -> None:
    """Somebody of the same name is there from elsewhere."""
    story.api.put("bo@agency.example.org")


def outside(story: Story) -> None:
    """Single sign-on is required, and the domain is not claimed."""
    story.told(domains=frozenset({"example.net"}))


def no_domains(story: Story) -> None:
    """Single sign-on is required, and nobody knows of whom."""
    story.told(domains=None)


def no_settings(story: Story) -> None:
    """Mixpanel does not tell of single sign-on."""
    story.api.faults["sso"] = [Forbidden("cannot", why="not in the plan")]


def never_in(story: Story) -> None:
    """Single sign-on is required, and they have never come."""
    story.told()
    story.api.events_.clear()


def failed_sso(story: Story) -> None:
    """The identity provider sends them away."""
    story.told()
    story.log(audit.LOGIN_FAILED, age=DAY, actor=BO, method="sso")
    story.log(audit.LOGIN_FAILED, age=HOUR, actor=BO, method="sso")


def failed_password(story: Story) -> None:
    """The password is wrong, or the second factor is."""
    story.api.two_factor_["twofactor_auth_required"] = True
    story.log(audit.LOGIN_FAILED, age=HOUR, actor=BO, method="password")


def failed_with(*factors: str) -> Callable[[Story], None]:
    """The login failed with each of some factors, the last one an hour ago."""

    def spoil(story: Story) -> None:
        for hours, factor in enumerate(reversed(factors), 1):
            story.log(audit.LOGIN_FAILED, age=hours * HOUR, actor=BO, method=factor)

    return spoil


def password_where_sso_is_required(story: Story) -> None:
    """They try a password, and may not."""
    story.told()
    failed_with("password")(story)


def project_gone(story: Story) -> None:
    """The project was archived."""
    del story.api.projects_[PRODUCTION]


def project_hidden(story: Story) -> None:
    """The project is there, and the stack's account does not see it."""
    story.api.unlisted.add(PRODUCTION)


def lower(story: Story) -> None:
    """Somebody lowered the role."""
    story.api.give(PRODUCTION, BO, "consumer")
    story.log(audit.ROLE_CHANGED, age=DAY, actor=ANA, role="consumer", source="admin")


def none_at_all(story: Story) -> None:
    """Somebody took the grant away."""
    story.api.rows.clear()
    story.log(audit.PROJECT_USER_REMOVED, age=DAY, actor=ANA, project=PRODUCTION, role="analyst")
    story.log(audit.PROJECT_USER_REMOVED, age=HOUR, actor=ANA, project=WAREHOUSE, role="analyst")


def by_scim(story: Story) -> None:
    """The identity provider lowered the role."""
    story.told()
    story.api.give(PRODUCTION, BO, "consumer")
    story.log(audit.ROLE_CHANGED, age=DAY, actor="scim", role="consumer", source="scim")


def deactivated(story: Story) -> None:
    """The identity provider keeps them out."""
    story.told()
    story.api.people[BO] = replace(story.api.people[BO], deactivated=True)


def touched_by_scim(story: Story) -> None:
    """The identity provider did something, and no role is too low."""
    story.log(audit.USER_ADDED, age=DAY, source="scim_linked_org")


def no_log(story: Story) -> None:
    """The audit log cannot be read."""
    story.api.faults["events"] = [Forbidden("cannot", why="not for member")]


PILOT = "teams: {{ pilot: {{ name: Pilot, projects: {{ shop: admin }}{} }} }}"


def in_a_team(*members: str, role: str = "admin", days: str = "", there: bool = True) -> Callable[[Story], None]:
    """Their access comes through a team, which has these members and this role."""

    def spoil(story: Story) -> None:
        story.api.rows.clear()
        story.entries, story.more = (person(more="teams: [pilot]"),), PILOT.format(days)
        if there:
            story.api.teams.put("Pilot", *members, id_=100, projects={PRODUCTION: role} if role else {})

    return spoil


ENOUGH = {
    "the place was taken away": in_a_team(),
    "the role was lowered": in_a_team(BO, role="consumer"),
    "the team is gone": in_a_team(there=False),
    "it gives nothing": in_a_team(BO, role=""),
}


@pytest.mark.parametrize("kind", [GrantType.INDIVIDUAL, GrantType.ALL_USERS, None])
@pytest.mark.parametrize("spoil", ENOUGH.values(), ids=ENOUGH.keys())
def test_what_a_team_no_longer_gives_and_another_source_does_is_not_too_low(
    spoil: Callable[[Story], None], kind: GrantType | None
) -> None:
    """Roles add up: the highest counts."""
    story = Story()
    spoil(story)
    if kind:
        story.api.give(PRODUCTION, BO, "admin", kind)
    else:
        story.api.put(BO, "admin")  # which gives every project
    assert story.of(KnownFailure.ROLE_TOO_LOW).verdict is Likelihood.RULED_OUT
    lost = Story()
    spoil(lost)
    assert lost.of(KnownFailure.ROLE_TOO_LOW).verdict is Likelihood.CAUSE


def not_yet_in_a_team(story: Story) -> None:
    """The roster puts them into a team, and no update has been run."""
    in_a_team()(story)
    story.applied = False


GONE = "; ".join(
    [
        "none of the organization's 0 people has the address",
        f"removed on 2026-05-03 at 12:00 UTC by {ANA} (admin)",
        f"an invitation was sent on 2026-04-25 at 12:00 UTC by {ANA}",
        "the state of production has them: they were removed by other means",
    ]
)
THROUGH = "in shop, and admin is declared through the team Pilot"
PLACE_ENDED = "the membership in the team pilot in production ended on 2026-05-03"
SINCE = "the last on 2026-05-04 at 11:00 UTC, and none that succeeded since"
CASES: dict[str, tuple[Callable[[Story], None], KnownFailure, Likelihood, str, str]] = {
    "stranger, not declared": (
        stranger, KnownFailure.NOT_DECLARED, Likelihood.CAUSE, "no roster of production has the address",
        "`mixpanel-access invite zoe@agency.example.org`",
    ),
    "stranger, not invited": (
        stranger, KnownFailure.NOT_INVITED, Likelihood.CAUSE, "none of the organization's 1 people has the address",
        "`mixpanel-access invite zoe@agency.example.org`",
    ),
    "ended": (
        ended, KnownFailure.NOT_DECLARED, Likelihood.CAUSE, "the entry in production ended on 2026-05-03",
        "extend `ends` in the roster of production, then `pulumi up --stack production`",
    ),
    "to come": (
        to_come, KnownFailure.NOT_DECLARED, Likelihood.CAUSE, "the entry in production begins on 2026-05-05",
        "wait, or move `starts` in the roster of production",
    ),
    "undeclared": (
        undeclared, KnownFailure.NOT_DECLARED, Likelihood.POSSIBLE, "no roster of production has the address",
        f"`mixpanel-access invite {BO}`",
    ),
    "removed": (
        removed, KnownFailure.NOT_INVITED, Likelihood.CAUSE,
        GONE,
        "`pulumi up --stack production --refresh`",
    ),
    "pending": (
        pending, KnownFailure.NOT_ACCEPTED, Likelihood.CAUSE,
        "sent on 2026-05-01 at 04:00 UTC, 80 h ago; good until 2026-05-08 at 04:00 UTC",
        "ask whether it arrived: look in spam, and have mixpanel.com on the mail server's allow-list",
    ),
    "pending by the log": (
        pending_by_the_log, KnownFailure.NOT_ACCEPTED, Likelihood.CAUSE, "sent on 2026-05-04 at 07:00 UTC, 5 h ago",
        "ask whether it arrived: look in spam, and have mixpanel.com on the mail server's allow-list",
    ),
    "pending of old": (
        pending_of_old, KnownFailure.NOT_ACCEPTED, Likelihood.CAUSE, "nobody knows when it was sent",
        "ask whether it arrived: look in spam, and have mixpanel.com on the mail server's allow-list",
    ),
    "expired": (
        expired, KnownFailure.NOT_ACCEPTED, Likelihood.CAUSE,
        "sent on 2026-04-26 at 12:00 UTC, 192 h ago; expired on 2026-05-03 at 12:00 UTC",
        "`pulumi up --stack production --refresh` sends it again",
    ),
    "other spelling": (
        other_spelling, KnownFailure.OTHER_ADDRESS, Likelihood.POSSIBLE, "boo@example.com is invited",
        "ask with which address they log in: bo@example.com, or boo@example.com",
    ),
    "other company": (
        other_company, KnownFailure.OTHER_ADDRESS, Likelihood.POSSIBLE, "bo@agency.example.org is a member",
        "ask with which address they log in: bo@example.com, or bo@agency.example.org",
    ),
    "outside": (
        outside, KnownFailure.DOMAIN_NOT_CLAIMED, Likelihood.CAUSE,
        "single sign-on is required of everybody, and example.com is not claimed (claimed: example.net)",
        "claim example.com (TXT record mixpanel-domain-verify, up to 24 hours) if it is the company's",
    ),
    "no domains": (
        no_domains, KnownFailure.DOMAIN_NOT_CLAIMED, Likelihood.POSSIBLE,
        "single sign-on is required, and Mixpanel does not list the claimed domains",
        "claim example.com (TXT record mixpanel-domain-verify, up to 24 hours) if it is the company's",
    ),
    "no settings": (
        no_settings, KnownFailure.DOMAIN_NOT_CLAIMED, Likelihood.UNKNOWN,
        "it is not known whether single sign-on is required",
        "claim example.com (TXT record mixpanel-domain-verify, up to 24 hours) if it is the company's",
    ),
    "never in": (
        never_in, KnownFailure.IDENTITY_PROVIDER, Likelihood.POSSIBLE, "no login by single sign-on in 90 days",
        "have Okta assign the Mixpanel application to them, or to a group of theirs",
    ),
    "failed by single sign-on": (
        failed_sso, KnownFailure.IDENTITY_PROVIDER, Likelihood.CAUSE,
        "2 failed logins by sso, the last on 2026-05-04 at 11:00 UTC, and none that succeeded since",
        "have Okta assign the Mixpanel application to them, or to a group of theirs",
    ),
    "failed by password": (
        failed_password, KnownFailure.PASSWORD, Likelihood.CAUSE,
        "1 failed login by password, the last on 2026-05-04 at 11:00 UTC, and none that succeeded since",
        "have them reset the password on the login page",
    ),
    "failed by a code": (
        failed_with("totp"), KnownFailure.PASSWORD, Likelihood.CAUSE,
        "1 failed login by totp, the last on 2026-05-04 at 11:00 UTC, and none that succeeded since",
        "have them try the newest code (for an app, the phone's clock must be right; for a text message, the number)",
    ),
    "failed by a text message": (
        failed_with("sms", "sms"), KnownFailure.PASSWORD, Likelihood.CAUSE,
        "2 failed logins by sms, the last on 2026-05-04 at 11:00 UTC, and none that succeeded since",
        "have them try the newest code (for an app, the phone's clock must be right; for a text message, the number)",
    ),
    "failed by a link": (
        failed_with("magic_link"), KnownFailure.PASSWORD, Likelihood.CAUSE,
        "1 failed login by magic_link, the last on 2026-05-04 at 11:00 UTC, and none that succeeded since",
        "have them ask for a new link on the login page, and open the newest one only",
    ),
    "failed by a social account": (
        failed_with("social"), KnownFailure.PASSWORD, Likelihood.CAUSE,
        "1 failed login by social, the last on 2026-05-04 at 11:00 UTC, and none that succeeded since",
        f"have them choose the account with the address {BO}, or log in another way",
    ),
    "failed by what is not told": (
        failed_with(""), KnownFailure.PASSWORD, Likelihood.POSSIBLE,
        "1 failed login by an unknown factor, the last on 2026-05-04 at 11:00 UTC, and none that succeeded since",
        ASK,
    ),
    "failed by a word that nobody knows": (
        failed_with("webauthn", "saml"), KnownFailure.PASSWORD, Likelihood.POSSIBLE,
        f"2 failed logins by an unknown factor (saml, webauthn), {SINCE}",
        ASK,
    ),
    "failed by a password and what is not told": (
        failed_with("", "password"), KnownFailure.PASSWORD, Likelihood.CAUSE,
        f"2 failed logins by password, an unknown factor, {SINCE}",
        "have them reset the password on the login page",
    ),
    "failed by a password where it does not count": (
        password_where_sso_is_required, KnownFailure.PASSWORD, Likelihood.CAUSE,
        "1 failed login by password, the last on 2026-05-04 at 11:00 UTC, and none that succeeded since",
        "single sign-on is required of them: have them choose it on the login page, not a password",
    ),
    "no log, password": (
        no_log, KnownFailure.PASSWORD, Likelihood.UNKNOWN, "the audit log cannot be read (not for member)",
        "have them reset the password on the login page",
    ),
    "project gone": (
        project_gone, KnownFailure.PROJECT_NOT_THERE, Likelihood.CAUSE,
        "shop (1234567) of stack production is not among the projects of organization 7654321",
        "look in Mixpanel whether it was archived, deleted, or moved to another organization",
    ),
    "project hidden": (
        project_hidden, KnownFailure.PROJECT_NOT_THERE, Likelihood.UNKNOWN,
        "shop (1234567) of stack production is there, and Mixpanel does not list it for the stack's account",
        "give the stack's service account access to the project, and run it again",
    ),
    "lower": (
        lower, KnownFailure.ROLE_TOO_LOW, Likelihood.CAUSE,
        f"consumer in shop, and analyst is declared; made consumer on 2026-05-03 at 12:00 UTC by {ANA} (admin)",
        "`pulumi up --stack production --refresh` puts it back",
    ),
    "none at all": (
        none_at_all, KnownFailure.ROLE_TOO_LOW, Likelihood.CAUSE,
        f"nothing in shop, and analyst is declared; taken out of project 1234567 on 2026-05-03 at 12:00 UTC by {ANA}",
        "`pulumi up --stack production --refresh` puts it back",
    ),
    "the membership in a team was taken away": (
        in_a_team(), KnownFailure.ROLE_TOO_LOW, Likelihood.CAUSE, f"nothing {THROUGH}, which they are not in",
        "`pulumi up --stack production --refresh` puts it back",
    ),
    "the team's role was lowered": (
        in_a_team(BO, role="consumer"), KnownFailure.ROLE_TOO_LOW, Likelihood.CAUSE,
        f"consumer {THROUGH}",
        "`pulumi up --stack production --refresh` puts it back",
    ),
    "the team's role was raised": (
        in_a_team(BO, role="owner"), KnownFailure.ROLE_TOO_LOW, Likelihood.RULED_OUT, "no role is lower than declared",
        "",
    ),
    "the team's role was taken away": (
        in_a_team(BO, role=""), KnownFailure.ROLE_TOO_LOW, Likelihood.CAUSE,
        f"nothing {THROUGH}",
        "`pulumi up --stack production --refresh` puts it back",
    ),
    "the team is gone": (
        in_a_team(there=False), KnownFailure.ROLE_TOO_LOW, Likelihood.CAUSE,
        f"nothing {THROUGH}, which is not in the organization",
        "`pulumi up --stack production --refresh` puts it back",
    ),
    "not yet in the team": (
        not_yet_in_a_team, KnownFailure.ROLE_TOO_LOW, Likelihood.CAUSE,
        f"nothing {THROUGH}, which they are not in",
        "`pulumi up --stack production --refresh` puts it back",
    ),
    "the place ended": (
        in_a_team(days=", ends: 2026-05-03"), KnownFailure.NOT_DECLARED, Likelihood.CAUSE,
        f"declared by production, which gives nothing today; {PLACE_ENDED}",
        "extend `ends` of the team in the roster of production, then `pulumi up --stack production`",
    ),
    "by SCIM": (
        by_scim, KnownFailure.SCIM, Likelihood.CAUSE, "user.role_changed on 2026-05-03 at 12:00 UTC by scim (scim)",
        "change the group in Okta, and have it synchronized again",
    ),
    "deactivated": (
        deactivated, KnownFailure.SCIM, Likelihood.CAUSE, "they are deactivated, and cannot log in",
        "have Okta assign Mixpanel to them again",
    ),
    "touched by SCIM": (
        touched_by_scim, KnownFailure.SCIM, Likelihood.POSSIBLE,
        "organization.user_added on 2026-05-03 at 12:00 UTC (scim_linked_org)",
        "change the group in the identity provider, and have it synchronized again",
    ),
    "no log, SCIM": (
        no_log, KnownFailure.SCIM, Likelihood.UNKNOWN, "the audit log cannot be read (not for member)",
        "change the group in the identity provider, and have it synchronized again",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "failure", "verdict", "evidence", "fix"), CASES.values(), ids=CASES.keys())
def test_each_failure_is_found(
    spoil: Callable[[Story], None], failure: KnownFailure, verdict: Likelihood, evidence: str, fix: str
) -> None:
    """With the verdict that the evidence bears, and what to try first."""
    story = Story()
    spoil(story)
    finding = story.of(failure)
    assert (finding.verdict, "; ".join(finding.evidence), [*finding.fix, ""][0]) == (verdict, evidence, fix)


RESET = "reset the password"


@pytest.mark.parametrize("told", [True, False], ids=["single sign-on", "without"])
@pytest.mark.parametrize("factor", [*sorted(audit.FACTORS), "", "webauthn", "SAML 2", "passwort"])
def test_only_a_failed_password_leads_to_another_password(factor: str, told: bool) -> None:
    """Never a failed single sign-on or second factor, nor a factor that we do not know; each leads to something."""
    story = Story()
    if told:
        story.told(required=False)
    failed_with(factor)(story)
    found = [one for one in story.found() if one.verdict in (Likelihood.CAUSE, Likelihood.POSSIBLE)]
    assert any(RESET in line for one in found for line in one.fix) is (factor == audit.PASSWORD)
    assert any("failed login" in line for one in found for line in one.evidence)
    sure = factor in audit.FACTORS
    assert {one.failure for one in found if one.verdict is Likelihood.CAUSE} == (
        {KnownFailure.IDENTITY_PROVIDER if factor == audit.SSO else KnownFailure.PASSWORD} if sure else set()
    )
    if not sure:
        possible = {KnownFailure.PASSWORD, KnownFailure.IDENTITY_PROVIDER} if told else {KnownFailure.PASSWORD}
        assert {one.failure for one in found} == possible
        assert all("an unknown factor" in one.evidence[0] for one in found)
        assert all(one.fix[0] == ASK for one in found)


def test_without_a_log_nobody_resets_a_password_that_may_not_count() -> None:
    """With single sign-on set up, the failure may be its."""
    for spoil, fix in (
        (lambda _: None, "have them reset the password on the login page"),
        (lambda story: story.told(required=False), ASK),
        (no_settings, ASK),
    ):
        story = Story()
        no_log(story)
        spoil(story)
        assert story.of(KnownFailure.PASSWORD).fix == [fix]


def test_a_second_factor_is_reset_once() -> None:
    """A required one is named with a wrong password; where it failed itself, its own advice is enough."""
    story = Story()
    failed_password(story)
    assert story.of(KnownFailure.PASSWORD).fix[1].startswith("a second factor is required: have them set it up")
    failed_with("totp")(story)
    fix = story.of(KnownFailure.PASSWORD).fix
    assert [line for line in fix if "second factor" in line] == [
        "if it fails again, have an organization owner or admin reset their second factor"
    ]


def test_what_mixpanels_staff_did_is_marked() -> None:
    """In the name of the person whom they stood for."""
    story = Story()
    story.api.give(PRODUCTION, BO, "consumer")
    story.log(audit.ROLE_CHANGED, age=DAY, actor=ANA, role=None, source="admin", by_staff=True)
    assert story.of(KnownFailure.ROLE_TOO_LOW).evidence[1] == (
        f"made something else on 2026-05-03 at 12:00 UTC by {ANA} (Mixpanel's staff) (admin)"
    )


def test_every_failure_has_a_case_that_finds_it() -> None:
    """None can only be ruled out."""
    assert {failure for _, failure, verdict, _, _ in CASES.values() if verdict is not Likelihood.RULED_OUT} == set(
        KnownFailure
    )


FIRST: dict[str, tuple[list[Callable[[Story], None]], list[KnownFailure]]] = {
    "who is nowhere is not declared, and so not invited": (
        [stranger],
        [KnownFailure.NOT_DECLARED, KnownFailure.NOT_INVITED],
    ),
    "an invitation that waits comes before the domain": (
        [pending, outside],
        [KnownFailure.NOT_ACCEPTED, KnownFailure.DOMAIN_NOT_CLAIMED],
    ),
    "a cause comes before what is only possible": (
        [other_company, lower],
        [KnownFailure.ROLE_TOO_LOW, KnownFailure.OTHER_ADDRESS],
    ),
    "a lowered role names SCIM where it was SCIM": ([by_scim], [KnownFailure.ROLE_TOO_LOW, KnownFailure.SCIM]),
}


@pytest.mark.parametrize(("spoils", "order"), FIRST.values(), ids=FIRST.keys())
def test_the_most_likely_cause_comes_first(spoils: list[Callable[[Story], None]], order: list[KnownFailure]) -> None:
    """By verdict, then by what hangs on what."""
    story = Story()
    for spoil in spoils:
        spoil(story)
    found = [one.failure for one in story.found() if one.verdict in (Likelihood.CAUSE, Likelihood.POSSIBLE)]
    assert found == order


def test_a_login_after_the_failures_rules_them_out() -> None:
    """They found their way."""
    story = Story()
    story.told()
    story.log(audit.LOGIN_FAILED, age=3 * DAY, actor=BO, method="sso")
    assert story.of(KnownFailure.IDENTITY_PROVIDER).evidence == ["logged in on 2026-05-02 at 12:00 UTC by sso"]
    story.log(audit.LOGIN_FAILED, age=3 * DAY, actor=BO, method="password")
    assert story.of(KnownFailure.PASSWORD).evidence == [
        "1 failed login, the last on 2026-05-01 at 12:00 UTC, and logged in since, on 2026-05-02 at 12:00 UTC"
    ]


def test_a_password_login_says_nothing_of_the_identity_provider() -> None:
    """Nor does one before the last invitation."""
    story = Story()
    story.told()
    story.api.events_ = [event for event in story.api.events_ if event.method != "sso"]
    assert story.of(KnownFailure.IDENTITY_PROVIDER).verdict is Likelihood.POSSIBLE
    story.told()
    assert story.of(KnownFailure.IDENTITY_PROVIDER).verdict is Likelihood.RULED_OUT
    story.log(audit.INVITATION_SENT, age=DAY)
    assert story.of(KnownFailure.IDENTITY_PROVIDER).verdict is Likelihood.POSSIBLE


def test_what_the_roster_says_counts_where_mixpanel_is_silent() -> None:
    """Single sign-on, by the roster, and a domain that nobody claims for sure."""
    story = Story()
    no_settings(story)
    more = "organization: { login: { ssoRequired: true, identityProvider: Okta } }"
    (finding,) = [
        one
        for one in diagnose(case_of(overview(story.api, *story.entries, more=more), BO))
        if one.failure is KnownFailure.DOMAIN_NOT_CLAIMED
    ]
    assert (finding.verdict, finding.evidence) == (
        Likelihood.POSSIBLE,
        ["single sign-on is required, by the roster, and Mixpanel does not list the claimed domains"],
    )


def test_a_slip_of_the_pen_comes_before_what_follows_from_it() -> None:
    """Nobody has heard of the address, and somebody has nearly the same."""
    story = Story()
    story.email = "robyn@example.com"
    story.api.put("robin@example.com")
    found = [one for one in story.found() if one.verdict is Likelihood.CAUSE]
    assert [one.failure for one in found][:2] == [KnownFailure.OTHER_ADDRESS, KnownFailure.NOT_DECLARED]
    assert found[0].fix == ["ask with which address they log in: robyn@example.com, or robin@example.com"]


STRANGERS = ["al@example.com", "info@agency.example.org", "cy@agency.example.org"]


@pytest.mark.parametrize("other", STRANGERS)
def test_short_and_shared_names_are_no_slips(other: str) -> None:
    """Two people of two letters are two, and every company has an info."""
    story = Story()
    story.email = {"info@agency.example.org": "info@example.com"}.get(other, BO)
    story.api.put(story.email)
    story.api.put(other)
    assert story.of(KnownFailure.OTHER_ADDRESS).verdict is Likelihood.RULED_OUT


def test_an_invitation_that_nobody_declares_is_not_sent_again_by_an_update() -> None:
    """An update would remove them."""
    story = Story()
    expired(story)
    ended(story)
    looked = overview(story.api, *story.entries, applied=False)
    someone = looked.anybody(BO)
    assert someone.effective == {}
    pending_of_old(story)
    assert story.of(KnownFailure.NOT_ACCEPTED).fix[-1] == (
        "no roster gives them anything today, and so none sends an invitation"
    )


def test_more_by_another_way_is_not_too_low() -> None:
    """Roles add up: the highest counts."""
    story = Story()
    story.api.rows.clear()
    story.api.give(PRODUCTION, BO, "admin", GrantType.TEAM)
    assert story.of(KnownFailure.ROLE_TOO_LOW).verdict is Likelihood.RULED_OUT


def test_an_admin_logs_in_without_a_claimed_domain() -> None:
    """Organization owners and admins may use a password where single sign-on is required."""
    story = Story()
    outside(story)
    story.api.put(BO, "admin")
    assert story.of(KnownFailure.DOMAIN_NOT_CLAIMED).evidence == ["an organization admin may log in with a password"]


def test_the_events_of_others_and_of_long_ago_prove_nothing() -> None:
    """Only those of the person, of the last ninety days, the first of them included."""
    story = Story()
    story.told()
    story.log(audit.LOGIN_FAILED, age=HOUR, email="di@example.com", method="sso")
    story.log(audit.USER_ADDED, age=LOOK_BACK + timedelta(seconds=1), source="scim")
    assert {one.verdict for one in story.found()} == {Likelihood.RULED_OUT}
    story.log(audit.USER_ADDED, age=LOOK_BACK, source="scim")
    assert story.of(KnownFailure.SCIM).verdict is Likelihood.POSSIBLE


def test_a_fault_of_the_server_is_no_diagnosis() -> None:
    """An audit log that answers with one is unknown; no network is told as what it is."""
    story = Story()
    story.api.faults["events"] = [ServerFault("cannot read", why="HTTP 500")]
    assert story.of(KnownFailure.PASSWORD).evidence == ["the audit log cannot be read (HTTP 500)"]
    story.api.faults["events"] = [Unreachable("cannot read", why="no route")]
    with pytest.raises(Unreachable):
        story.found()
