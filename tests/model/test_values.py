"""Roles, addresses, ids, dates, grants, metadata, secrets: small values, exactly."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mixpanel_access.model import roles
from mixpanel_access.model.access import Grant, GrantType, Person, access_in_project
from mixpanel_access.model.address import canonical_domain, domain_of, problem_with, same_key, spellings
from mixpanel_access.model.dates import day, expiry, instant, written
from mixpanel_access.model.engagements import DATE_FIELDS, METADATA_FIELDS, problems_with_metadata
from mixpanel_access.model.errors import InputError
from mixpanel_access.model.resource_ids import GrantId, MemberId, number_in
from mixpanel_access.model.setting_values import Secret

UUID = "5b0c0c3e-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("written_as", "word"),
    [
        ("Owner", "owner"),
        (" billing-admin ", "billing_admin"),
        ("Billing Admin", "billing_admin"),
        (UUID.upper(), UUID),
    ],
)
def test_role_words_are_normalized(written_as: str, word: str) -> None:
    """Case, blanks and hyphens are mapped away, but a custom role's id keeps its form."""
    assert roles.normalized(written_as) == word


def test_the_order_of_roles() -> None:
    """Owner above admin above analyst above consumer; custom and unknown ones do not rank."""
    assert [roles.project_rank(role) for role in (*roles.PROJECT_ROLES, UUID, "x", None)] == [4, 3, 2, 1, 0, 0, 0]
    ranks = [roles.organization_rank(role) for role in (*roles.ORGANIZATION_ROLES, "x", None)]
    assert ranks == [3, 2, 1, 1, 0, 0]
    assert roles.highest(["consumer", UUID, "admin"]) == "admin"
    assert roles.highest([]) is None
    other = UUID[::-1]
    assert roles.highest([UUID, other]) == roles.highest([other, UUID]) == min(UUID, other)


@pytest.mark.parametrize(("own", "gives"), [("owner", "owner"), ("admin", "admin"), ("member", None), (None, None)])
def test_what_an_organization_role_gives_in_projects(own: str | None, gives: str | None) -> None:
    """Owner gives owner, admin gives admin, the others nothing."""
    assert roles.project_role_of(own) == gives


@pytest.mark.parametrize("role", [*roles.PROJECT_ROLES, UUID])
@pytest.mark.parametrize("own", [*roles.ORGANIZATION_ROLES, None])
def test_who_may_give_what_in_a_project(own: str | None, role: str) -> None:
    """Every pair."""
    expected = own == "owner" or (own == "admin" and role != "owner")
    assert roles.may_assign_in_project(own, role) is expected


@given(st.emails())
def test_an_address_is_itself_in_any_case(email: str) -> None:
    """The key does not depend on case, and making it twice changes nothing."""
    assert same_key(email.upper()) == same_key(email.lower()) or not email.isascii()
    assert same_key(same_key(email)) == same_key(email)
    assert domain_of(email) == canonical_domain(email.rpartition("@")[2])


ONE_MAILBOX = {
    "case": ["Bo@Example.com", "bo@example.COM", " bo@example.com\t"],
    "composed and decomposed": ["zo\u00eb@example.com", "zoe\u0308@example.com", "ZOE\u0308@EXAMPLE.com"],
    "Unicode and punycode": [
        "kim@m\u00fcnchen.example",
        "kim@mu\u0308nchen.example",
        "kim@xn--mnchen-3ya.example",
        "Kim@XN--MNCHEN-3YA.example",
        "kim@M\u00dcNCHEN.example",
    ],
    "below another domain": ["kim@mail.m\u00fcnchen.example", "kim@mail.xn--mnchen-3ya.example"],
    "full width and another full stop": ["kim@\uff4d\u00fcnchen\u3002example", "kim@m\u00fcnchen.example"],
    "all of the domain": ["kim@\u4f8b\u5b50.\u6d4b\u8bd5", "kim@xn--fsqu00a.xn--0zwm56d"],
    "both parts": ["zo\u00eb@m\u00fcnchen.example", "zoe\u0308@xn--mnchen-3ya.example"],
}


@pytest.mark.parametrize("emails", ONE_MAILBOX.values(), ids=ONE_MAILBOX.keys())
def test_one_mailbox_has_one_key(emails: list[str]) -> None:
    """However its address is spelled, and the key is a spelling of it too."""
    assert len({same_key(email) for email in emails}) == 1
    assert len({domain_of(email) for email in emails}) == 1
    assert {same_key(same_key(email)) for email in emails} == {same_key(emails[0])}


@pytest.mark.parametrize(
    ("email", "other"),
    [
        ("kim@stra\u00dfe.example", "kim@strasse.example"),
        ("ma\u00df@example.com", "mass@example.com"),
        ("kim@m\u00fcnchen.example", "kim@munchen.example"),
        ("kim@xn--mnchen-3ya.example", "kim@xn--mnchen-3yb.example"),
        ("kim@xn--\u00fc.example", "kim@xn--u.example"),
        ("k\u0131m@example.com", "kim@example.com"),
    ],
)
def test_two_mailboxes_have_two_keys(email: str, other: str) -> None:
    """What only looks alike is somebody else's, and a domain that IDNA does not know is no error."""
    assert same_key(email) != same_key(other)


@pytest.mark.parametrize("email", ["Bo@Example.com", "b.o+x@a_b.example", "bo@xn.example", "", "bo", "@"])
def test_an_ascii_address_keeps_its_key(email: str) -> None:
    """The key of version 0.1.0, by which its states name their resources, so that they need no other name."""
    assert same_key(email) == email.strip().lower()
    assert spellings(email) == []


@given(st.text(st.characters(codec="utf-8"), max_size=12), st.text(st.characters(codec="utf-8"), max_size=12))
@example("", "\u00b4")
@example("kim", "a\u00b8.example")
@example("kim", "a\uff20b.example")
def test_any_text_has_a_key_that_is_its_own(local: str, domain: str) -> None:
    """No text is an error, and the key of a key is the key."""
    for text in (f"{local}@{domain}", f"{local}@xn--{domain}"):
        assert same_key(same_key(text)) == same_key(text)
        assert domain_of(same_key(text)) == domain_of(text)
        assert spellings(text) is not None


def test_earlier_keys_are_known() -> None:
    """Version 0.1.0 took the lower case alone: its states may name somebody by the domain in either form."""
    assert spellings("Kim@xn--mnchen-3ya.example") == ["kim@xn--mnchen-3ya.example"]
    assert spellings("Kim@M\u00fcnchen.example") == ["kim@xn--mnchen-3ya.example"]
    assert spellings("kim@mu\u0308nchen.example") == ["kim@mu\u0308nchen.example", "kim@xn--mnchen-3ya.example"]


@pytest.mark.parametrize("email", ["bo@example.com", "b.o+x@agency.example.org", "ü@exämple.com", "x@foo.example"])
def test_addresses(email: str) -> None:
    """Reserved domains are fine: examples and tests live there."""
    assert problem_with(email) is None


@pytest.mark.parametrize(
    "email", ["", "bo", "bo@", "@example.com", "bo@example", " bo@example.com", "a@b@example.com", 7, None]
)
def test_no_addresses(email: object) -> None:
    """Each with a reason in words."""
    assert problem_with(email)


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.emails())
def test_ids_come_back(organization: int, project: int, email: str) -> None:
    """Built and read again, an id is the same."""
    member, grant = MemberId(organization, email), GrantId(organization, project, email)
    assert MemberId.parse(str(member)) == member
    assert GrantId.parse(str(grant)) == grant


@pytest.mark.parametrize("text", ["", "1", "1:", ":a@example.com", "x:a@example.com", "1:x:a@example.com", "1:2:"])
def test_no_ids(text: str) -> None:
    """The form is told."""
    with pytest.raises(InputError, match="ORG:PROJECT:EMAIL"):
        GrantId.parse(text)
    if not text.startswith("1:x") and text != "1:2:":
        with pytest.raises(InputError, match="ORG:EMAIL"):
            MemberId.parse(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_instants_come_back(value: datetime) -> None:
    """To the second, in UTC."""
    assert instant(written(value)) == value.replace(microsecond=0)
    assert expiry(value) - value == timedelta(days=7) if value.year < 9999 else True


def test_an_instant_is_written_with_four_digits_of_the_year() -> None:
    """Else it could not be read again."""
    assert written(datetime(1, 2, 3, 4, 5, 6, 7, tzinfo=UTC)) == "0001-02-03T04:05:06Z"
    assert written(datetime(2026, 5, 1, 10, tzinfo=timezone(timedelta(hours=2)))) == "2026-05-01T08:00:00Z"


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+14:00"])
def test_no_instants(text: str) -> None:
    """In UTC there is no such year."""
    with pytest.raises(ValueError, match="outside the years 1 to 9999 in UTC"):
        instant(text)


NUMBERS = {
    "one digit": ("7", 7),
    "none in front": ("007", 7),
    "the longest": ("9" * 19, 10**19 - 1),
    "a longer one": ("9" * 20, None),
    "far longer": ("9" * 5000, None),
    "no digit": ("²", None),
    "other digits": ("١٢", None),
    "nothing": ("", None),
    "below zero": ("-1", None),
    "a fraction": ("1.0", None),
    "a blank": (" 1", None),
}


@pytest.mark.parametrize(("text", "number"), NUMBERS.values(), ids=NUMBERS.keys())
def test_numbers_of_ids(text: str, number: int | None) -> None:
    """In the digits 0 to 9, and no longer than an id is."""
    assert number_in(text) == number


def test_an_instant_without_an_offset_is_utc() -> None:
    """And one with an offset is moved there."""
    assert instant("2026-05-01T08:00:00") == instant("2026-05-01T10:00:00+02:00") == instant("2026-05-01T08:00:00Z")


@pytest.mark.parametrize(
    "text", ["2026-5-1", "20260501", "2026-02-30", "01.05.2026", "2026-05-01T00:00", "2026-W18-5", ""]
)
def test_no_dates(text: str) -> None:
    """Only YYYY-MM-DD is a date."""
    with pytest.raises(ValueError, match=r"."):
        day(text)


BO = "bo@example.com"


def grant(role: str, kind: GrantType) -> Grant:
    """One of Bo's grants in project 1."""
    return Grant(1, BO, role, kind)


ACCESS: dict[str, tuple[list[Grant], str | None, tuple[str | None, str | None, list[str]]]] = {
    "nothing": ([], "member", (None, None, [])),
    "organization role": ([], "admin", (None, "admin", ["organization_role"])),
    "individual": ([grant("analyst", GrantType.INDIVIDUAL)], None, ("analyst", "analyst", ["individual"])),
    "team above": (
        [grant("analyst", GrantType.INDIVIDUAL), grant("admin", GrantType.TEAM)],
        "member",
        ("analyst", "admin", ["team", "individual"]),
    ),
    "told twice": ([grant("owner", GrantType.ORGANIZATION_ROLE)], "owner", (None, "owner", ["organization_role"])),
    "all users": ([grant("consumer", GrantType.ALL_USERS)], None, (None, "consumer", ["all_users"])),
}


@pytest.mark.parametrize(("rows", "role", "expected"), ACCESS.values(), ids=ACCESS.keys())
def test_roles_add_up(rows: list[Grant], role: str | None, expected: tuple[Any, Any, list[str]]) -> None:
    """The highest of all ways counts, and each way is named once."""
    found = access_in_project(rows, role)
    assert (found.individual, found.effective, list(found.grant_types)) == expected


def test_people_and_grants_have_one_key() -> None:
    """The same for any spelling; "ß" and "ss" are two mailboxes."""
    assert same_key("gross@example.com") != same_key("groß@example.com") == same_key("GROß@Example.com ")
    assert Person("BO@example.com", None, invited=False).key == Grant(1, BO, "x", GrantType.TEAM).key == BO


METADATA: dict[str, tuple[dict[str, Any], set[str]]] = {
    "none": ({}, set()),
    "all": (dict.fromkeys(METADATA_FIELDS, "x") | dict.fromkeys(DATE_FIELDS, "2026-01-01") | {"kind": "agency"}, set()),
    "no such kind": ({"kind": "Employee"}, {"kind"}),
    "no text": ({"sow": 7}, {"sow"}),
    "no dates": ({"starts": "x", "ends": "y"}, {"starts", "ends"}),
    "backwards": ({"starts": "2026-01-02", "ends": "2026-01-01"}, {"ends"}),
    "no such years": ({"starts": "1969-12-31", "ends": "9999-12-31"}, {"starts", "ends"}),
    "the first and the last": ({"starts": "1970-01-01", "ends": "8999-12-31"}, set()),
    "ignored": ({"colour": 7}, set()),
}


@pytest.mark.parametrize(("values", "fields"), METADATA.values(), ids=METADATA.keys())
def test_metadata(values: dict[str, Any], fields: set[str]) -> None:
    """Texts and dates; a one-day engagement is fine."""
    assert problems_with_metadata(values).keys() == fields


def test_a_secret_keeps_itself() -> None:
    """It is not printed, not pickled, not copied; only asked for."""
    secret = Secret("hush")
    assert "hush" not in f"{secret!r}{secret}{[secret]}"
    assert (secret.reveal(), secret == Secret("hush"), secret == Secret("x"), secret == "hush") == (
        "hush",
        True,
        False,
        False,
    )
    assert hash(secret) == hash(Secret("hush"))
    for keep in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="never pickled"):
            keep(secret)
