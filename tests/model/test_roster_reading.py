"""Reading a roster: what it says, where it is wrong, and what it includes."""

from __future__ import annotations

from typing import Any

import pytest

from mixpanel_access.model.errors import RosterError
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.roster.salvage import salvage
from mixpanel_access.model.similarity import did_you_mean

COMPLIANT = """\
environment: production
organizationRoles: true
projects:
  shop: { id: 1234567, name: Shop, environment: production }
  warehouse: { id: 1234568, environment: production }
people:
  - email: bo@example.com
    organizationRole: Member
    projects: { shop: Analyst }
    starts: 2026-01-31
    ends: "2026-02-28"
    ticket: OPS-1
  - email: cy@example.com
"""


def test_a_compliant_roster() -> None:
    """Role words in any case, dates quoted or not, everything optional left out."""
    roster = parse(COMPLIANT, RosterSource("production.yaml"))
    bo, cy = roster.people
    assert (bo.organization_role, dict(bo.projects)) == ("member", {"shop": "analyst"})
    assert (bo.starts, bo.ends, bo.ticket) == ("2026-01-31", "2026-02-28", "OPS-1")
    assert (cy.organization_role, dict(cy.projects), cy.ticket) == (None, {}, None)
    assert roster.projects["warehouse"].id == 1234568


def test_anchors_and_merge_keys() -> None:
    """YAML's own means of not repeating oneself work."""
    text = COMPLIANT.replace(
        "  - email: cy@example.com\n",
        "  - &x { email: cy@example.com, ticket: T }\n  - { <<: *x, email: di@example.com }\n",
    )
    assert [person.ticket for person in parse(text, RosterSource("x")).people][1:] == ["T", "T"]


SPOILED = {
    "unknown key": ("ticket: OPS-1", "tiket: OPS-1", 12, "'tiket' is unknown here (did you mean 'ticket'?)"),
    "unknown top key": ("organizationRoles", "organisationRoles", 2, "(did you mean 'organizationRoles'?)"),
    "unknown key of a project": ("name: Shop", "titel: Shop", 4, "'titel' is unknown here"),
    "unknown project": ("{ shop: Analyst }", "{ shpo: analyst }", 9, "(did you mean 'shop'?)"),
    "unknown role": ("Analyst", "analist", 9, "(did you mean 'analyst'?)"),
    "unknown organization role": ("organizationRole: Member", "organizationRole: boss", 8, "'boss' is not an org"),
    "malformed address": ("cy@example.com", "cy@example", 13, "'cy@example' is not an e-mail address"),
    "one person twice": ("cy@example.com", "bo@example.com", 13, "bo@example.com has two entries with no engagement"),
    "no address": ("- email: cy@example.com", "- name: Cy", 13, "'email' is missing"),
    "no date": ("2026-01-31", "31.1.2026", 10, "'31.1.2026' is not a date"),
    "ends before it starts": ("2026-01-31", "2026-03-01", 11, "before it starts"),
    "another environment": ("1234568, environment: production", "1234568, environment: x", 5, "'x', and this roster"),
    "id twice": ("1234568", "1234567", 5, "has the id of project shop"),
    "id is a text": ("1234568", '"1234568"', 5, "id: '1234568' cannot be used"),
    "id is negative": ("1234568", "-5", 5, "id: -5 cannot be used"),
    "people is a mapping": ("  - email: bo@example.com", "  email: bo@example.com", 8, ""),
    "tab": ("    ticket", "\tticket", 12, ""),
    "duplicate key": ("    ticket: OPS-1", "    ticket: OPS-1\n    ticket: OPS-2", 13, "duplicate key"),
    "roles not owned": ("organizationRoles: true", "organizationRoles: false", 8, "only the one roster with"),
    "no environment": ("environment: production\norg", "org", 1, "'environment' is missing"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "words"), SPOILED.values(), ids=SPOILED.keys())
def test_a_spoiled_roster_is_told_with_its_line(old: str, new: str, line: int, words: str) -> None:
    """File, line, the bad value, and what was meant."""
    assert old in COMPLIANT
    with pytest.raises(RosterError) as raised:
        parse(COMPLIANT.replace(old, new, 1), RosterSource("production.yaml"))
    assert f"production.yaml:{line}: " in str(raised.value)
    assert words in str(raised.value)
    assert str(raised.value).count("production.yaml:") == 1 or "mapping" in words or not words


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("bo@example.com", "BO@example.com"),
        ("bo@xn--mnchen-3ya.example", "bo@m\u00fcnchen.example"),
        ("zo\u00eb@example.com", "zoe\u0308@example.com"),
    ],
)
def test_one_mailbox_in_two_spellings_is_told_with_both_lines(first: str, second: str) -> None:
    """Case, the encoding of an accent, the form of the domain: one person is there twice, on these two lines."""
    text = COMPLIANT.replace("bo@example.com", first).replace("cy@example.com", second)
    with pytest.raises(RosterError) as raised:
        parse(text, RosterSource("production.yaml"))
    assert f"production.yaml:7: {first} is the same mailbox as {second}, in an entry below" in str(raised.value)
    assert f"production.yaml:13: {second} is the same mailbox as {first}, in an entry above; spell" in str(raised.value)


def test_every_problem_is_told() -> None:
    """One bad entry does not hide the others, and they come in the order of their lines."""
    text = COMPLIANT.replace("Analyst", "x").replace("Member", "y").replace("cy@example.com", "z")
    with pytest.raises(RosterError, match=r"yaml:8: .*yaml:9: .*yaml:13: "):
        parse(text, RosterSource("production.yaml"))


@pytest.mark.parametrize("text", ["", "# nothing", "[]", "text", "7", "null"])
def test_what_is_no_roster(text: str) -> None:
    """It says what one is."""
    with pytest.raises(RosterError, match="x:1: a roster is a mapping"):
        parse(text, RosterSource("x"))


@pytest.mark.parametrize("text", ["&a : &a", "[" * 5000, "{a: " * 5000], ids=["anchor", "lists", "maps"])
def test_odd_documents(text: str) -> None:
    """One error, no warning and no traceback."""
    with pytest.raises(RosterError):
        parse(text, RosterSource("x"))


def test_no_guess_is_made_of_what_is_too_far() -> None:
    """A word like no other is just unknown."""
    assert did_you_mean("zebra", ["analyst", "admin"]) == ""


EXCEPTION = "{ rule: naming, email: robin@agency.example.org, reason: r, approver: a, ends: 2030-01-01 }"
BAD_EXCEPTIONS = {
    "nobody": (
        EXCEPTION.replace("robin@", "robyn@"),
        "nobody in this roster has the address robyn@agency.example.org (did ",
    ),
    "no project": (EXCEPTION.replace("reason", "project: web, reason"), "'web' is not a project of this roster"),
    "a project alone": ("{ rule: x, project: shop, reason: r, approver: a, ends: 2030-01-01 }", "names the person too"),
    "no date": (EXCEPTION.replace("2030-01-01", "soon"), "'soon' is not a date"),
    "no end": (EXCEPTION.replace(", ends: 2030-01-01", ""), "'ends' is missing"),
    "a field too many": (EXCEPTION.replace("reason", "why: x, reason"), "'why' is unknown here"),
}


@pytest.mark.parametrize(("entry", "words"), BAD_EXCEPTIONS.values(), ids=BAD_EXCEPTIONS.keys())
def test_exceptions_are_checked(entry: str, words: str) -> None:
    """Each problem with its line."""
    text = (
        "environment: production\nprojects: { shop: { id: 1, environment: production } }\n"
        "people: [{ email: robin@agency.example.org }]\nexceptions:\n  - "
    )
    assert len(parse(text + EXCEPTION, RosterSource("r")).exceptions) == 1
    with pytest.raises(RosterError) as caught:
        parse(text + entry, RosterSource("r"))
    assert "r:5: " in str(caught.value)
    assert words in str(caught.value)


def test_a_key_with_nothing_behind_it_is_empty() -> None:
    """As is left when the last entry was deleted."""
    roster = parse("environment: production\nprojects:\npeople:\nexceptions:\n", RosterSource("r"))
    assert (roster.projects, list(roster.people), list(roster.exceptions)) == ({}, [], [])
    assert (
        parse("environment: a\npeople: [{ email: a@example.com, projects: }]\n", RosterSource("r")).people[0].projects
        == {}
    )


WHOLE = """\
include: []
environment: production
organizationRoles: true
organization:
  name: Example
  url: https://mixpanel.com/organization/7654321
  login:
    ssoRequired: true
    identityProvider: Okta
    mfaRequired: true
    vpn: Example VPN
    ipAllowlist:
      - 203.0.113.0/24
      - 2001:db8::/32
    passwordRules: 12 characters
  contacts:
    access: ana@example.com
standardRoles:
  training: { production: analyst, longestDays: 60 }
  support: { organization: billing_admin, elsewhere: Admin, onboarding: helper }
engagements:
  review:
    type: analytics_review
    sow: SOW-1
    ticket: OPS-1
    approver: ana@example.com
    sponsor: Omar
    justification: Funnels
    starts: 2026-01-01
    ends: 2026-06-30
    notes: Weekly calls
  support:
    type: support
    starts: 2026-03-01
serviceAccounts:
  etl-bot: { purpose: Loads orders, contact: ana@example.com }
projects:
  shop:
    id: 1234567
    environment: production
    platform: web
    needs: [lexicon, experiments]
    dashboards: { Checkout: "https://mixpanel.com/s/abc" }
people:
  - email: bo@example.com
    engagement: review
    projects:
      shop:
    ends: 2026-05-31
  - email: bo@example.com
    organizationRole: member
    engagement: support
    projects: { shop: Admin }
"""

ROBOT = "contact: ana@example.com }"
WRONG = {
    "url": ("https://mixpanel.com/org", "mixpanel.com/org", 6, "is not a URL that begins with https://"),
    "not a truth": ("ssoRequired: true", "ssoRequired: perhaps", 8, "ssoRequired: 'perhaps' cannot be used"),
    "network": ("2001:db8::/32", "2001:db8::/129", 14, "'2001:db8::/129' is not a network such as"),
    "contact": ("access: ana@example.com", "access: ana", 17, "'ana' is not an e-mail address"),
    "standard role": ("{ production: analyst", "{ production: analist", 19, "did you mean 'analyst'?"),
    "standard organization role": ("billing_admin", "boss", 20, "'boss' is not an organization role"),
    "longest days": ("longestDays: 60", "longestDays: 0", 19, "longestDays: 0 cannot be used"),
    "unknown standard": (
        "longestDays: 60", "longest: 60", 19, "'longest' is unknown here (did you mean 'longestDays'?)",
    ),
    "engagement type": ("type: analytics_review", "type: analytic_review", 23, "(did you mean 'analytics_review'?)"),
    "unknown in an engagement": ("sow: SOW-1", "soww: SOW-1", 24, "'soww' is unknown here (did you mean 'sow'?)"),
    "engagement ends first": ("ends: 2026-06-30", "ends: 2025-06-30", 30, "before it starts"),
    "engagement's date": ("starts: 2026-01-01", "starts: soon", 29, "'soon' is not a date"),
    "service account's contact": (
        "orders, contact: ana@example.com", "orders, contact: ana", 36, "is not an e-mail address",
    ),
    "account without a role": (
        ROBOT, "contact: ana@example.com, projects: { shop: analyst } }", 36, "etl-bot has projects and no role",
    ),
    "account's role": (ROBOT, "role: owner }", 36, "'owner' is not a role of a service account"),
    "account's expiry": (ROBOT, "role: admin, expires: soon }", 36, "etl-bot: 'soon' is not a date"),
    "account's project": (ROBOT, "role: admin, projects: { shp: admin } }", 36, "'shp' is not a project of this"),
    "account's project role": (
        ROBOT, "role: admin, projects: { shop: boss } }", 36, "etl-bot: 'boss' is not a project role",
    ),
    "account's name": (
        "etl-bot: { purpose: Loads orders, contact: ana@example.com }", "'a:b': { role: admin }", 36,
        "'a:b' cannot name a service account",
    ),
    "need": ("lexicon", "lexikon", 42, "'lexikon' is not a need of a project (did you mean 'lexicon'?)"),
    "dashboard": ("https://mixpanel.com/s/abc", "mixpanel.com/s/abc", 43, "is not a URL"),
    "unknown engagement": (
        "engagement: review", "engagement: revue", 46, "'revue' is not an engagement (did you mean 'review'?)",
    ),
    "beyond the engagement": (
        "ends: 2026-05-31", "ends: 2026-07-01", 49, "ends on 2026-07-01, after its engagement review",
    ),
    "before the engagement": (
        "ends: 2026-05-31", "starts: 2025-12-31", 49, "starts on 2025-12-31, before its engagement",
    ),
    "ends before its engagement": (
        "ends: 2026-05-31", "ends: 2025-05-31", 49, "ends on 2025-05-31, before it starts on",
    ),
    "no standard role": ("engagement: review", "notes: none", 48, "shop has no role, and there is no engagement whose"),
    "same engagement twice": (
        "engagement: support", "engagement: review", 50, "has two entries with the engagement review",
    ),
    "two removals": (
        "    ends: 2026-05-31\n", "    ends: 2026-05-31\n    removal: never\n", 52, "removal is always here and never",
    ),
    "two kinds": (
        "    ends: 2026-05-31\n", "    ends: 2026-05-31\n    kind: employee\n", 52, "kind is auditor here and employee",
    ),
    "no such kind": ("    ends: 2026-05-31\n", "    ends: 2026-05-31\n    kind: Auditor\n", 50, "not a kind of person"),
    "incomparable roles": (
        "Admin }", "5b0c0c3e-0000-4000-8000-000000000001 }", 53, "nobody can tell which is higher, 5b0c0c3e",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "words"), WRONG.values(), ids=WRONG.keys())
def test_each_part_is_checked(old: str, new: str, line: int, words: str) -> None:
    """With its line, the bad value, and what was meant."""
    parse(WHOLE, RosterSource("r"))
    other = "removal: always" if "removal" in words else "kind: auditor" if "kind is" in words else "notes: none"
    text = (
        WHOLE.replace("    organizationRole: member\n", f"    {other}\n")
        if "is " in words and "here and" in words
        else WHOLE
    )
    assert text.count(old) >= 1
    with pytest.raises(RosterError) as raised:
        parse(text.replace(old, new, 1), RosterSource("r"))
    assert f"r:{line}: " in str(raised.value)
    assert words in str(raised.value)
    assert str(raised.value).count("r:") - str(raised.value).count("roster:") == 1


TEAMS = """\
environment: production
projects: { shop: { id: 1, environment: production }, web: { id: 2, environment: production } }
teams:
  data: { name: Data, standard: audit, projects: { shop: Analyst, web: }, removal: always, ends: 2026-05-01 }
  ops: { name: Ops }
people:
  - email: bo@example.com
    teams: [data]
"""
BAD_TEAMS = {
    "no name": ("name: Ops", "ticket: T", 5, "'name' is missing"),
    "a blank name": ("name: Ops", "name: ' Ops'", 5, "blanks around the name"),
    "an empty name": ("name: Ops", "name: ''", 5, "'' cannot be the name of a team"),
    "one name twice": ("name: Ops", "name: DATA", 5, "team ops has the name of team data, DATA"),
    "unknown key": ("name: Ops", "name: Ops, people: []", 5, "'people' is unknown here"),
    "standard": ("standard: audit", "standard: audits", 4, "'audits' is not an engagement type (did you mean 'audit'"),
    "no role": ("standard: audit, ", "", 4, "team data: web has no role, and the team no standard"),
    "role": ("Analyst", "boss", 4, "team data: 'boss' is not a project role"),
    "project": ("shop: Analyst", "shp: analyst", 4, "team data: 'shp' is not a project of this roster"),
    "removal": ("always", "sometimes", 4, "team data: 'sometimes' is not a choice"),
    "no team": ("[data]", "[dat]", 8, "bo@example.com: 'dat' is not a team of this roster (did you mean 'data'?)"),
    "no date": ("name: Ops", "name: Ops, ends: soon", 5, "'soon' is not a date; write it as YYYY-MM-DD"),
    "an end before the start": (
        "name: Ops", "name: Ops, starts: 2026-05-02, ends: 2026-05-01", 5,
        "team ops: it ends on 2026-05-01, before it starts on 2026-05-02",
    ),
    "other days than the person's": (
        "[data]\n", "[data]\n    starts: 2026-05-02\n", 8,
        "bo@example.com: no day of the entry is one of the team data",
    ),
    "teams as a text": ("[data]", "data", 8, "teams: 'data' cannot be used"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "words"), BAD_TEAMS.values(), ids=BAD_TEAMS.keys())
def test_teams_are_checked(old: str, new: str, line: int, words: str) -> None:
    """With its line, the bad value, and what was meant."""
    assert dict(parse(TEAMS, RosterSource("r")).teams["data"].projects) == {"shop": "analyst", "web": None}
    with pytest.raises(RosterError) as raised:
        parse(TEAMS.replace(old, new, 1), RosterSource("r"))
    assert f"r:{line}: " in str(raised.value)
    assert words in str(raised.value)


def test_one_engagement_may_come_twice_in_different_days() -> None:
    """Somebody who comes back."""
    text = WHOLE.replace("engagement: support", "engagement: review\n    starts: 2026-06-01")
    assert len(parse(text, RosterSource("r")).people) == 2
    with pytest.raises(RosterError, match="has two entries"):
        parse(text.replace("starts: 2026-06-01", "starts: 2026-05-31"), RosterSource("r"))


COMMON = WHOLE.partition("organization:")[2].partition("projects:")[0]
COMMON = f"organization:{COMMON}"
OWN = WHOLE.replace(COMMON, "").replace("include: []", "include: common.yaml")


def source(text: str) -> RosterSource:
    """A roster beside one other file."""

    def include(name: str) -> str:
        if name != "common.yaml":
            raise RosterError("cannot read", why="no such file")
        return text

    return RosterSource("own.yaml", include)


def test_a_service_account_is_made_by_a_roster_and_by_no_file_that_several_share() -> None:
    """Else each of them would make one."""
    with pytest.raises(RosterError, match=r"common\.yaml:\d+: 'role' is unknown here; the fields here are purpose,"):
        parse(OWN, source(COMMON.replace(ROBOT, "contact: ana@example.com, role: admin }")))
    made = parse(
        WHOLE.replace(ROBOT, "role: Admin, expires: 2027-01-01, projects: { shop: Analyst } }"), RosterSource("r")
    )
    assert made.own_accounts["etl-bot"].projects == {"shop": "analyst"}
    assert parse(WHOLE, RosterSource("r")).own_accounts == {}


def test_blanks_around_the_name_of_a_service_account_do_not_count() -> None:
    """The account is declared without them, and the same name with and without is told with both lines."""
    text = COMPLIANT + "serviceAccounts:\n  ' etl ': { role: consumer }\n"
    assert list(parse(text, RosterSource("r")).own_accounts) == ["etl"]
    line = text.count("\n")
    with pytest.raises(RosterError) as raised:
        parse(f"{text}  etl: {{ role: analyst }}\n", RosterSource("r"))
    assert f"r:{line}: ' etl ' and 'etl', further down, are one name" in str(raised.value)
    assert f"r:{line + 1}: 'etl' and ' etl ' are one name" in str(raised.value)


def test_what_rosters_share_stands_in_one_file() -> None:
    """What is included is as if it stood here."""
    whole, joined = parse(WHOLE, RosterSource("r")), parse(OWN, source(COMMON))
    assert joined.model_copy(update={"include": []}) == whole


INCLUDED = {
    "no such file": (OWN.replace("common", "comon"), COMMON, "own.yaml:1: comon.yaml cannot be included: no such file"),
    "no mapping": (
        OWN, "[]", "common.yaml:1: a file to include is a mapping with organization, standardRoles,",
    ),
    "no common part": (
        OWN, COMMON + "people: []\n", "common.yaml:34: 'people' is unknown here; the fields here are organization",
    ),
    "include in an include": (OWN, COMMON + "include: x\n", "common.yaml:34: 'include' is unknown here"),
    "one engagement in both": (
        OWN.replace("projects:", "engagements:\n  review: {}\nprojects:", 1),
        COMMON, "common.yaml:19: review is in own.yaml too; it can be in only one of them",
    ),
    "the organization in both": (
        OWN.replace("projects:", "organization: { name: B }\nprojects:", 1),
        COMMON, "common.yaml:1: organization is in own.yaml too",
    ),
    "one file twice": (
        OWN.replace("common.yaml", "[common.yaml, common.yaml]"),
        COMMON, "common.yaml:1: organization is in common.yaml too",
    ),
    "a problem there": (OWN, COMMON.replace("2026-06-30", "2025-06-30"), "common.yaml:27: engagement review: it"),
    "a problem here": (OWN.replace("engagement: review", "engagement: revue"), COMMON, "own.yaml:13: bo@example.com: "),
    "a bad text there": (OWN, "\tx: 1", "common.yaml:1: "),
}  # fmt: skip


@pytest.mark.parametrize(("own", "common", "words"), INCLUDED.values(), ids=INCLUDED.keys())
def test_a_problem_is_told_with_the_file_that_has_it(own: str, common: str, words: str) -> None:
    """And with the line in that file."""
    with pytest.raises(RosterError) as raised:
        parse(own, source(common))
    assert words in str(raised.value)


FOREIGN = {
    "variables": 'AWS_SECRET=hunter2\npassword: "hunter2"\n',
    "a key": "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n",
    "a password alone": "hunter2",
    "YAML of something else": "token: hunter2\nhunter2: x\n",
    "JSON with a key of ours": '{"private_key": "hunter2", "engagements": {"a": {"ends": "hunter2", "sow": 7}}}',
    "a key twice": "hunter2: 1\nhunter2: hunter2\n",
    "a tag": "a: !hunter2 x\n",
    "an alias": "a: *hunter2\n",
    "a number that YAML reads otherwise": "token: 0123hunter2\npin: 0777\nhunter2: no\n",
    "a list": "- hunter2\n",
    "not closed": "{a: 'hunter2\n",
}


@pytest.mark.parametrize("text", FOREIGN.values(), ids=FOREIGN.keys())
@pytest.mark.parametrize("read", [parse, salvage])
def test_a_file_that_is_no_roster_is_not_repeated(read: Any, text: str) -> None:
    """Whoever writes a roster may name any file of the machine that reads it: no word of it gets into the error."""
    with pytest.raises(RosterError) as raised:
        read(OWN, source(text))
    assert "hunter2" not in str(raised.value)
    assert "common.yaml" in str(raised.value)


def test_only_a_file_can_include() -> None:
    """A text alone has no folder."""
    with pytest.raises(RosterError, match=r"own:1: common.yaml cannot be included: nothing can be included here"):
        parse(OWN, RosterSource("own"))
