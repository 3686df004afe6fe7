"""`ServiceAccount` and `ServiceAccountGrant`: check, diff, create, read, update, delete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime import rpc

from mixpanel_access.directory.snapshot import Part
from mixpanel_access.model import errors, roles
from mixpanel_access.model.access import GrantType
from mixpanel_access.model.resource_ids import ServiceAccountGrantId, ServiceAccountId
from mixpanel_access.model.resources import SERVICE_ACCOUNT_TYPE
from mixpanel_access.model.service_accounts import NewServiceAccount, ServiceAccountInfo, ServiceAccountRole
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.other_providers import OtherProviders
from mixpanel_access.provider.run import Scope
from mixpanel_access.provider.service_account import ServiceAccountProvider
from mixpanel_access.provider.service_account_grant import ServiceAccountGrantProvider
from mixpanel_access.provider.states import ExportedResource, StackStates, States
from tests.fake_accounts import FakeAccounts
from tests.fake_states import FakeStates
from tests.fakes import NOW, ORGANIZATION, PRODUCTION, WAREHOUSE, FakeApi, make_session

ACCOUNT = 77
LOGIN = "etl.1a2b3c.mp-service-account"
EXPIRES = "2027-01-01T00:00:00Z"
DAY = timedelta(days=1)


@pytest.fixture
def api() -> FakeApi:
    """An organization with our own account and one more."""
    api = FakeApi()
    api.accounts += [
        ServiceAccountInfo(1, "bot.9.mp-service-account", NOW),
        ServiceAccountInfo(ACCOUNT, LOGIN, NOW - 10 * DAY, NOW + 200 * DAY),
    ]
    return api


def provider(api: FakeApi, said: list[str] | None = None, *, grant: bool = False, **settings: Any) -> AccessProvider:
    """A provider in a session over the fake."""
    made = ServiceAccountGrantProvider() if grant else ServiceAccountProvider()
    session, _ = make_session(api, **settings)
    if said is not None:
        session.say = said.append
    made.use(session)
    return made


def account(**changes: Any) -> dict[str, Any]:
    """The inputs of one compliant account."""
    return {"username": "etl", "role": "consumer", "expires": EXPIRES, **changes}


def held(**changes: Any) -> dict[str, Any]:
    """The inputs of one compliant grant."""
    return {"service_account_id": ACCOUNT, "project_id": PRODUCTION, "role": "analyst", **changes}


SPELLINGS = {
    "a day": "2027-01-01", "an instant": "2027-01-01T00:00:00Z", "another zone": "2027-01-01T02:00:00+02:00",
    "a fraction": "2027-01-01T00:00:00.5Z", "a day without hyphens": "20270101",
}  # fmt: skip
DAYS = {"2027-01-01": "2027-01-01", "20270101": "2027-01-01"}


@pytest.mark.parametrize("expires", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_a_compliant_account_passes(api: FakeApi, expires: str) -> None:
    """An instant is written as the wire wants it, and a day as a day; the role is the lowest where none is said."""
    result = provider(api).check({}, {"username": "etl", "expires": expires})
    assert (result.failures, result.inputs) == ([], account(expires=DAYS.get(expires, EXPIRES)))


@pytest.mark.parametrize("username", [" etl ", "etl ", "\tetl"])
def test_blanks_around_a_name_are_not_part_of_it(api: FakeApi, username: str) -> None:
    """Mixpanel drops them: an account whose name is written with some is not made anew at each refresh."""
    one = provider(api)
    inputs = one.check({}, account(username=username)).inputs
    assert inputs["username"] == "etl"
    of_an_earlier_version = {**account(username=username), "account_id": ACCOUNT}
    assert one.diff("", of_an_earlier_version, inputs).replaces == []
    seen = one.read(str(ServiceAccountId(ORGANIZATION, ACCOUNT)), of_an_earlier_version).outs or {}
    assert "username" not in (one.diff("", seen, inputs).replaces or [])
    assert "username" in (one.diff("", seen, one.check({}, account(username="elt")).inputs).replaces or [])


SPOILED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no name": ({"username": None}, "username", "cannot name a service account"),
    "a blank name": ({"username": " "}, "username", "cannot name a service account"),
    "a colon": ({"username": "a:b"}, "username", "without a colon"),
    **{f"a control {char!r}": ({"username": f"a{char}b"}, "username", "control char") for char in "\t\n\0\x1b\x7f\x85"},
    "a login name": ({"username": LOGIN}, "username", "give the name without what Mixpanel adds"),
    "an unknown role": ({"role": "member"}, "role", "there are admin, analyst, consumer"),
    "an owner": ({"role": "owner"}, "role", "there are admin, analyst, consumer"),
    "no role word": ({"role": 7}, "role", "not a role of a service account"),
    "no date": ({"expires": "soon"}, "expires", "not an ISO 8601 date"),
    "a number": ({"expires": 7}, "expires", "not an ISO 8601 date"),
    "later than all dates": ({"expires": "9999-12-31T23:59:59-05:00"}, "expires", "not an ISO 8601 date"),
    "past": ({"expires": "2026-05-04T12:00:00Z"}, "expires", "is past"),
    "no days": ({"rotate_after": 0}, "rotate_after", "positive and whole"),
    "half a day": ({"rotate_after": 0.5}, "rotate_after", "positive and whole"),
    "a truth": ({"rotate_after": True}, "rotate_after", "positive and whole"),
    "an unknown input": ({"name": "etl"}, "name", "this is not an input"),
}


@pytest.mark.parametrize(("change", "field", "words"), SPOILED.values(), ids=SPOILED.keys())
def test_a_spoiled_account_is_refused_in_words(api: FakeApi, change: dict[str, Any], field: str, words: str) -> None:
    """Each wrong input is told by name, before anything is written."""
    failures = provider(api).check({}, account(**change)).failures
    assert [failure.property for failure in failures] == [field]
    assert words in failures[0].reason
    assert api.writes == []


@pytest.mark.parametrize("own", [*roles.ORGANIZATION_ROLES, None])
@pytest.mark.parametrize("role", ["admin", "analyst", "consumer"])
def test_nobody_makes_an_account_above_our_own(own: str | None, role: str) -> None:
    """An admin's account needs an admin; where our role is not told, Mixpanel decides."""
    failures = provider(FakeApi(own_role=own)).check({}, account(role=role)).failures
    assert bool(failures) is (role == "admin" and own not in ("owner", "admin", None))


def test_an_expiry_that_has_come_is_no_longer_judged(api: FakeApi) -> None:
    """It was to come when it was accepted."""
    past = account(expires="2026-01-01T00:00:00Z")
    assert provider(api).check(past, past).failures == []
    assert api.calls == {}


DIFFS: dict[str, tuple[dict[str, Any], bool, list[str]]] = {
    "nothing": ({}, False, []),
    "another name": ({"username": "elt"}, True, ["username"]),
    "another role": ({"role": "admin"}, True, ["role"]),
    "another expiry": ({"expires": "2027-02-01T00:00:00Z"}, True, ["expires"]),
    "no expiry": ({"expires": None}, True, ["expires"]),
    "rotation to come": ({"rotate_after": 11}, True, []),
    "rotation due": ({"rotate_after": 10}, True, ["rotate_after"]),
    "metadata": ({"ticket": "OPS-2"}, True, []),
}


@pytest.mark.parametrize(("change", "changes", "replaces"), DIFFS.values(), ids=DIFFS.keys())
def test_what_makes_another_account(api: FakeApi, change: dict[str, Any], changes: bool, replaces: list[str]) -> None:
    """Whatever Mixpanel has no verb for, and the day of the rotation; made before the old one goes."""
    olds = {**account(), "created": "2026-04-24T12:00:00Z"}
    result = provider(api).diff("", olds, account(**change))
    assert (result.changes, list(result.replaces or []), result.delete_before_replace) == (changes, replaces, False)


def test_an_account_is_made_and_its_token_kept(api: FakeApi) -> None:
    """What the answer tells once is in the outputs; the rotation is reckoned from the server's day."""
    said: list[str] = []
    made = provider(api, said).create(account(username="new", rotate_after=30, ticket="OPS-1"))
    outputs = made.outs or {}
    id_ = outputs["account_id"]
    assert made.id == f"{ORGANIZATION}:{id_}"
    assert outputs == {
        **account(username="new", rotate_after=30, ticket="OPS-1"), "account_id": id_,
        "login": f"new.{id_}.mp-service-account", "token": f"token-{id_}", "created": "2026-05-04T12:00:00Z",
        "rotates": "2026-06-03T12:00:00Z", "expires_at": EXPIRES, "organization_role": "consumer", "status": "active",
    }  # fmt: skip
    assert (api.writes, said) == (["create_account"], [])


@pytest.mark.parametrize(
    ("organization", "login"),
    [("", '"$MIXPANEL_SERVICE_ACCOUNT:$MIXPANEL_SERVICE_ACCOUNT_SECRET"'), ("second", "bot")],
)
def test_another_of_the_name_is_left_alone_and_said(api: FakeApi, organization: str, login: str) -> None:
    """Mixpanel tells them apart by what it adds; the command to delete it has the login of the organization."""
    session, said = make_session(api, provider=organization)
    made = ServiceAccountProvider()
    made.use(session)
    made.create(account())
    url = f"https://mixpanel.com/api/app/organizations/{ORGANIZATION}/service-accounts/{ACCOUNT}"
    (line,) = said
    assert line.startswith(
        f"service account etl: {LOGIN} ({ACCOUNT}) is there as well, and no state that could be read"
    )
    assert line.endswith(f"delete it: curl -X DELETE -u {login} {url}")
    assert len(api.accounts) == 3


LEFT = ServiceAccountInfo(ACCOUNT, LOGIN, NOW - timedelta(hours=1), creator="bot")
BEGUN = ExportedResource(SERVICE_ACCOUNT_TYPE, "urn::etl", "", {"username": "etl"})
KNOWN = StackStates({"production": []}, interrupted={"production": [BEGUN]})
ORPHANS: dict[str, tuple[ServiceAccountInfo, StackStates, str | None, datetime | None, bool]] = {
    "left by a killed run": (LEFT, KNOWN, "production", NOW - DAY, True),
    "made by somebody else": (replace(LEFT, creator="ana@example.com"), KNOWN, "production", NOW - DAY, False),
    "made by nobody knows whom": (replace(LEFT, creator=None), KNOWN, "production", NOW - DAY, False),
    "made before the last run ended": (replace(LEFT, created=NOW - 2 * DAY), KNOWN, "production", NOW - DAY, False),
    "made nobody knows when": (replace(LEFT, created=None), KNOWN, "production", NOW - DAY, False),
    "used": (replace(LEFT, last_used=NOW), KNOWN, "production", NOW - DAY, False),
    "no run was interrupted": (LEFT, replace(KNOWN, interrupted={}), "production", NOW - DAY, False),
    "another stack's run was": (LEFT, replace(KNOWN, interrupted={"staging": [BEGUN]}), "production", NOW - DAY, False),
    "another account's creation was": (
        LEFT, replace(KNOWN, interrupted={"production": [replace(BEGUN, outputs={"username": "elt"})]}),
        "production", NOW - DAY, False,
    ),
    "a secret name": (
        LEFT, replace(KNOWN, interrupted={"production": [replace(BEGUN, outputs={"username": {"x": "y"}})]}),
        "production", NOW - DAY, False,
    ),
    "a state cannot be read": (LEFT, replace(KNOWN, why="stack staging: locked"), "production", NOW - DAY, False),
    "the stack is not known": (LEFT, KNOWN, None, NOW - DAY, False),
    "no run has ended yet": (LEFT, KNOWN, "production", None, False),
}  # fmt: skip
HOLDERS = {
    "its account": ExportedResource(SERVICE_ACCOUNT_TYPE, "urn::etl", f"{ORGANIZATION}:{ACCOUNT}", {}),
    "one that it has replaced": ExportedResource(
        SERVICE_ACCOUNT_TYPE, "urn::etl", f"{ORGANIZATION}:78",
        {"retiring": [{"account_id": ACCOUNT, "login": LOGIN, "until": "2026-06-01T00:00:00Z"}]},
    ),
    "others that are a secret": ExportedResource(
        SERVICE_ACCOUNT_TYPE, "urn::etl", f"{ORGANIZATION}:78", {"retiring": {"ciphertext": "x"}}
    ),
}  # fmt: skip


@pytest.mark.parametrize(("left", "states", "stack_", "ended", "ours"), ORPHANS.values(), ids=ORPHANS.keys())
def test_only_what_is_certain_to_be_ours_is_cleared_away(
    left: ServiceAccountInfo, states: StackStates, stack_: str | None, ended: datetime | None, ours: bool
) -> None:
    """An account that a killed run of this stack has made and nobody has; any other is named, with how to delete it."""
    api = FakeApi(accounts=[left])
    session, said = make_session(api)
    session.states = States(lambda: states, lambda: stack_, ended=lambda name: ended)
    made = ServiceAccountProvider()
    made.use(session)
    made.create(made.check({}, account()).inputs)
    assert api.writes == [*(["delete_account"] if ours else []), "create_account"]
    (line,) = said
    assert ("curl -X DELETE" in line, "which a run that was killed has left" in line) == (not ours, ours)


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS.keys())
def test_what_a_state_has_is_never_cleared_away(holder: ExportedResource) -> None:
    """In whichever stack, also as an account that another one has replaced."""
    api = FakeApi(accounts=[LEFT])
    session, _ = make_session(api)
    states = replace(KNOWN, stacks={"production": [], "staging": [holder]})
    session.states = States(lambda: states, lambda: "production", ended=lambda name: NOW - DAY)
    made = ServiceAccountProvider()
    made.use(session)
    made.create(made.check({}, account()).inputs)
    assert api.writes == ["create_account"]


@pytest.mark.parametrize("there", [False, True], ids=["nothing is there", "one is there"])
def test_two_accounts_of_one_name_leave_each_other_alone(there: bool) -> None:
    """What the run itself has just made, and what it has begun, is no evidence of a run that was killed.

    The states are read only once the engine has noted both creations as begun. An account that somebody makes by hand
    as the same identity meanwhile stays too.
    """
    other = [replace(LEFT, id=5, username="etl.5.mp-service-account", created=NOW - 3 * DAY)] if there else []
    api = FakeApi(accounts=other)
    session, _ = make_session(api)
    session.states = States(lambda: states, lambda: "production", ended=lambda name: NOW - DAY)
    states = replace(KNOWN, interrupted={})
    made = ServiceAccountProvider()
    made.use(session)
    checked = [made.check({}, account()).inputs for _ in range(2)]
    states = KNOWN
    first, second = (made.create(inputs).outs or {} for inputs in checked)
    api.accounts.append(replace(LEFT, id=6, username="etl.6.mp-service-account", created=NOW))
    session.directory.snapshot.drop(Part("service accounts"))
    made.create(made.check({}, account()).inputs)
    assert {first["account_id"], second["account_id"], 6} <= {one.id for one in api.accounts}
    assert api.writes == ["create_account"] * 3


LOST = (errors.Unreachable, errors.ServerFault, errors.Unintelligible)


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("applied", [True, False])
def test_an_answer_that_is_lost_leaves_no_account_behind(
    api: FakeApi, kind: type[errors.MixpanelError], applied: bool
) -> None:
    """Its token is gone, so it is deleted and made again; the other of that name stays."""
    api.faults["create_account"] = [kind("cannot make", why="lost")]
    api.applied = applied
    made = provider(api).create(account())
    mine = [one for one in api.accounts if one.name == "etl" and one.id != ACCOUNT]
    assert [one.id for one in mine] == [(made.outs or {})["account_id"]]
    deleted = ["delete_account"] if applied else []
    assert api.writes == ["create_account", *deleted, "create_account"]


def test_one_that_cannot_be_cleared_away_is_named(api: FakeApi) -> None:
    """Nothing is made on top of it."""
    api.applied = True
    api.faults["create_account"] = [errors.Unreachable("cannot make", why="lost")]
    api.deaf.add("delete_account")
    api.faults["delete_account"] = [errors.Forbidden("cannot delete", why="403") for _ in range(9)]
    with pytest.raises(errors.Forbidden, match=r"delete etl\.\d+\.mp-service-account \(\d+\) in Organization Settings"):
        provider(api).create(account())
    assert api.writes == ["create_account", "delete_account"]


def test_one_that_may_have_been_made_is_told_by_name(api: FakeApi) -> None:
    """Where the list cannot be read either, whoever runs it looks."""
    made = provider(api)
    api.applied = True
    api.faults["create_account"] = [errors.Unreachable("cannot make", why="lost")]
    counted = api.service_accounts.list_accounts

    def once() -> list[ServiceAccountInfo]:
        if api.calls["create_account"]:
            raise errors.RateLimited("cannot list", why="429")
        return counted()

    api.service_accounts.list_accounts = once  # type: ignore[method-assign]
    with pytest.raises(errors.Unreachable, match="look for a new etl in Organization Settings > Service Accounts"):
        made.create(account())
    assert api.writes == ["create_account"]


def test_reading_keeps_the_token_and_tells_the_rest(api: FakeApi) -> None:
    """The name without what Mixpanel adds, the expiry of the server; one that is gone is gone."""
    props = {**account(), "token": "t", "created": "2026-04-24T12:00:00Z", "rotate_after": 30}
    read = provider(api).read(f"{ORGANIZATION}:{ACCOUNT}", props)
    outs = read.outs or {}
    assert (outs["token"], outs["username"], outs["expires"], outs["status"]) == (
        "t", "etl", "2026-11-20T12:00:00Z", "active",
    )  # fmt: skip
    assert read.inputs == {"username": "etl", "role": "consumer", "expires": outs["expires"], "rotate_after": 30}
    assert provider(api).read(f"{ORGANIZATION}:99", props).id == ""


@pytest.mark.parametrize(("age", "status"), [(timedelta(seconds=1), "active"), (timedelta(), "expired")])
def test_an_account_expires_at_its_instant(age: timedelta, status: str) -> None:
    """From then on it is refused."""
    api = FakeApi(accounts=[ServiceAccountInfo(ACCOUNT, LOGIN, NOW - DAY, NOW + age)])
    assert (provider(api).read(f"{ORGANIZATION}:{ACCOUNT}", account()).outs or {})["status"] == status


def test_an_update_sends_nothing(api: FakeApi) -> None:
    """Metadata and the day of the rotation are ours."""
    olds = {**account(rotate_after=30), "token": "t", "account_id": ACCOUNT, "created": "2026-05-01T00:00:00Z",
            "rotates": "2026-05-31T00:00:00Z"}  # fmt: skip
    id_ = f"{ORGANIZATION}:{ACCOUNT}"
    outs = provider(api).update(id_, olds, account(rotate_after=31, ticket="OPS-2")).outs or {}
    assert (outs["token"], outs["rotates"], outs["ticket"]) == ("t", "2026-06-01T00:00:00Z", "OPS-2")
    assert "rotates" not in (provider(api).update(id_, olds, account()).outs or {})
    assert api.calls == {}


def test_an_account_is_deleted_once_and_ours_never(api: FakeApi) -> None:
    """Who runs it would lock itself out; one that is gone already is no error."""
    provider(api).delete(f"{ORGANIZATION}:{ACCOUNT}", account())
    provider(api).delete(f"{ORGANIZATION}:{ACCOUNT}", account())
    assert api.writes == ["delete_account"]
    own = account(username="bot")
    with pytest.raises(errors.Refused, match=r"it is the one that this runs as \[ownIdentity\]"):
        provider(api, username="bot.9.mp-service-account").delete(f"{ORGANIZATION}:1", own)


def test_a_compliant_grant_passes_and_is_given(api: FakeApi) -> None:
    """Once; a second time it is there already."""
    given = provider(api, grant=True)
    assert given.check({}, held(service_account_id=str(ACCOUNT))).inputs == held()
    made = given.create(held())
    assert (made.id, (made.outs or {})["login"]) == (f"{ORGANIZATION}:{PRODUCTION}:{ACCOUNT}", LOGIN)
    given.create(held())
    assert api.sent == [("add_to_project", (ACCOUNT, PRODUCTION, "analyst"))]


BAD_GRANTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "no account": ({"service_account_id": None}, "service_account_id", "not a service account id"),
    "an unknown account": ({"service_account_id": 99}, "service_account_id", "has no service account 99"),
    "no project": ({"project_id": 0}, "project_id", "not a project id"),
    "an unknown project": ({"project_id": 99}, "project_id", "has no project 99"),
    "no role": ({"role": None}, "role", "not a project role"),
    "a role above our own": ({"role": "owner"}, "role", "whose own organization role is 'admin'"),
}


@pytest.mark.parametrize(("change", "field", "words"), BAD_GRANTS.values(), ids=BAD_GRANTS.keys())
def test_a_spoiled_grant_is_refused_in_words(api: FakeApi, change: dict[str, Any], field: str, words: str) -> None:
    """Each wrong input is told by name, before anything is written."""
    failures = provider(api, grant=True).check({}, held(**change)).failures
    assert [failure.property for failure in failures] == [field]
    assert words in failures[0].reason
    assert api.writes == []


def test_a_grant_of_another_environment_is_refused(api: FakeApi) -> None:
    """Production and staging never mix, for robots neither."""
    (failure,) = provider(api, grant=True, environment="staging").check({}, held(environment="production")).failures
    assert failure.reason.startswith("the project is 'production' and this stack is 'staging'")


GRANT_DIFFS: dict[str, tuple[dict[str, Any], bool, list[str]]] = {
    "nothing": ({}, False, []),
    "another role": ({"role": "admin"}, True, []),
    "another account": ({"service_account_id": 78}, True, ["service_account_id"]),
    "an account yet to be made": ({"service_account_id": rpc.UNKNOWN}, True, []),
    "another project": ({"project_id": WAREHOUSE}, True, ["project_id"]),
}


@pytest.mark.parametrize(("change", "changes", "replaces"), GRANT_DIFFS.values(), ids=GRANT_DIFFS.keys())
def test_another_role_is_a_change_in_place(
    api: FakeApi, change: dict[str, Any], changes: bool, replaces: list[str]
) -> None:
    """Another account or project is another grant."""
    result = provider(api, grant=True).diff("", held(), held(**change))
    assert (result.changes, list(result.replaces or [])) == (changes, replaces)


def test_a_role_is_read_changed_and_taken_away(api: FakeApi) -> None:
    """Only the individual one; what another way gives stays."""
    id_ = f"{ORGANIZATION}:{PRODUCTION}:{ACCOUNT}"
    api.service_accounts.rows += [
        ServiceAccountRole(ACCOUNT, PRODUCTION, "consumer"),
        ServiceAccountRole(ACCOUNT, PRODUCTION, "admin", GrantType.TEAM),
    ]
    given = provider(api, grant=True)
    assert (given.read(id_, held()).inputs or {})["role"] == "consumer"
    given.update(id_, held(role="consumer"), held())
    assert (given.read(id_, held()).inputs or {})["role"] == "analyst"
    given.delete(id_, held())
    assert given.read(id_, held()).id == ""
    assert api.writes == ["add_to_project", "remove_from_project"]
    assert [row.role for row in api.service_accounts.rows] == ["admin"]


def test_a_role_is_gone_with_its_account_or_project(api: FakeApi) -> None:
    """Reading and deleting it are no errors then."""
    given = provider(api, grant=True)
    for id_ in (f"{ORGANIZATION}:{PRODUCTION}:99", f"{ORGANIZATION}:99:{ACCOUNT}"):
        assert given.read(id_, held()).id == ""
        given.delete(id_, held())
    assert api.writes == []


def test_what_mixpanel_takes_and_does_not_do_is_told(api: FakeApi) -> None:
    """Neither giving nor taking is believed unseen."""
    api.deaf |= {"add_to_project", "remove_from_project"}
    given = provider(api, grant=True)
    with pytest.raises(errors.NotApplied, match="Mixpanel took the request and shows no role"):
        given.create(held())
    api.service_accounts.rows.append(ServiceAccountRole(ACCOUNT, PRODUCTION, "analyst"))
    again = provider(api, grant=True)
    with pytest.raises(errors.NotApplied, match="still shows the role analyst"):
        again.delete(f"{ORGANIZATION}:{PRODUCTION}:{ACCOUNT}", held())


VERBS = ("read", "update", "delete")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("grant", [False, True], ids=["account", "grant"])
def test_the_state_of_another_organization_is_left_alone(api: FakeApi, verb: str, grant: bool) -> None:
    """In every verb that reads an id."""
    id_, props = (f"1:{PRODUCTION}:{ACCOUNT}", held()) if grant else (f"1:{ACCOUNT}", account())
    args = (id_, props, props) if verb == "update" else (id_, props)
    with pytest.raises(errors.InputError, match="it belongs to organization 1"):
        getattr(provider(api, grant=grant), verb)(*args)
    assert api.writes == []


@pytest.mark.parametrize("text", ["", "1", "a:1", "1:a", "1:2:3:4", "1::2", "²:1"])
def test_ids_of_another_shape_are_refused(text: str) -> None:
    """And what is parsed is written again."""
    with pytest.raises(errors.InputError, match="it has the form ORG:ACCOUNT"):
        ServiceAccountId.parse(text)
    with pytest.raises(errors.InputError, match="it has the form ORG:PROJECT:ACCOUNT"):
        ServiceAccountGrantId.parse(text)
    assert str(ServiceAccountId.parse("1:2")) == "1:2"
    assert str(ServiceAccountGrantId.parse("1:2:3")) == "1:2:3"


READINGS: dict[str, tuple[str | None, str | None, str | None, bool, bool]] = {
    "of 0.1.0, the same day": ("2027-01-01T00:00:00Z", None, "2027-01-01", False, True),
    "of 0.1.0, refreshed": ("2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "2027-01-01", False, True),
    "of 0.1.0, updated since": ("2027-01-01", "2027-01-01T00:00:00Z", "2027-01-01", False, True),
    "of 0.1.0, a later day": ("2027-01-01T00:00:00Z", None, "2027-01-02", True, False),
    "of 0.1.0, the day before": ("2027-01-01T00:00:00Z", None, "2026-12-31", False, False),
    "the whole day": ("2027-01-01", "2027-01-02T00:00:00Z", "2027-01-01", False, False),
    "the whole day, a later one": ("2027-01-01", "2027-01-02T00:00:00Z", "2027-01-02", True, False),
    "the whole day, an earlier one": ("2027-01-02", "2027-01-03T00:00:00Z", "2027-01-01", True, False),
    "an instant": ("2027-01-01T08:00:00Z", "2027-01-01T08:00:00Z", "2027-01-01T08:00:00Z", False, False),
    "an instant, for a day": ("2027-01-01T08:00:00Z", "2027-01-01T08:00:00Z", "2027-01-01", True, False),
    "no end any more": ("2027-01-01", "2027-01-02T00:00:00Z", None, True, False),
    "an end for the first time": (None, None, "2027-01-01", True, False),
    "never": (None, None, None, False, False),
}
"""The state's `expires` and `expires_at`, the declared day -> whether it is another account, and what is said."""


@pytest.mark.parametrize(
    ("expires", "refused_from", "declared", "another", "told"), READINGS.values(), ids=READINGS.keys()
)
def test_a_day_counts_to_its_end_from_the_next_account_on(
    api: FakeApi, expires: str | None, refused_from: str | None, declared: str | None, another: bool, told: bool
) -> None:
    """A written day that is unchanged replaces nothing, whichever version read it; which reading holds is said."""
    said: list[str] = []
    state = {"expires": expires, **({"expires_at": refused_from} if refused_from else {})}
    olds = {**account(), **state, "account_id": ACCOUNT, "login": LOGIN, "created": "2026-04-24T12:00:00Z"}
    news = account(expires=declared)
    assert provider(api).check(account(expires=expires), dict(news)).failures == []
    diff = provider(api, said).diff("", olds, news)
    assert (list(diff.replaces or []), diff.changes) == (["expires"] if another else [], another)
    assert [("from the beginning of 2027-01-01 on" in line, "until the end of the day" in line) for line in said] == (
        [(True, True)] if told else []
    )
    if not another:
        updated = provider(api).update(f"{ORGANIZATION}:{ACCOUNT}", olds, {**news, "ticket": "OPS-2"}).outs or {}
        assert provider(api).diff("", updated, {**news, "ticket": "OPS-2"}).changes is False


def test_a_new_account_is_good_for_its_whole_last_day(api: FakeApi) -> None:
    """Mixpanel gets the beginning of the next day; a refresh keeps the day as it is written."""
    made = provider(api).create(account(username="new", expires="2027-01-01"))
    outs = made.outs or {}
    assert api.sent == [("create_account", ("new", "consumer", NOW.replace(2027, 1, 2, 0, 0, 0)))]
    assert (outs["expires"], outs["expires_at"]) == ("2027-01-01", "2027-01-02T00:00:00Z")
    read = provider(api).read(made.id, dict(outs))
    assert read.inputs is None
    assert read.outs == outs


class Stack:
    """One account and its grants, through `check`, `diff` and what the engine does next; a session for each run."""

    def __init__(self, api: FakeApi) -> None:
        self.api = api
        self.account: tuple[str, dict[str, Any]] | None = None
        self.grants: dict[int, tuple[str, dict[str, Any]]] = {}
        self.said: list[str] = []
        self.others = OtherProviders(ORGANIZATION)

    def up(self, day: int, grants: dict[int, str] | None = None, killed: bool = False, **changes: Any) -> None:
        """Bring an account and its roles about; killed before what is replaced is deleted."""
        self.said.clear()
        session, _ = make_session(self.api, now=NOW + day * DAY)
        session.say = self.said.append
        session.others = self.others
        accounts, holders = ServiceAccountProvider(), ServiceAccountGrantProvider()
        accounts.use(session)
        holders.use(session)
        news = accounts.check({}, {"username": "new", "role": "consumer", **changes}).inputs
        gone: list[tuple[AccessProvider, str, dict[str, Any]]] = []
        if self.account is None:
            self.account = self._made(accounts, news)
        else:
            id_, olds = self.account
            diff = accounts.diff(id_, olds, news)
            if diff.replaces:
                self.account = self._made(accounts, news)
                gone.append((accounts, id_, olds))
            elif diff.changes:
                self.account = (id_, dict(accounts.update(id_, olds, news).outs or {}))
        holder = self.account[1]["account_id"]
        for project, role in (grants or {}).items():
            inputs = holders.check({}, held(service_account_id=holder, project_id=project, role=role)).inputs
            if project not in self.grants:
                self.grants[project] = self._made(holders, inputs)
                continue
            id_, olds = self.grants[project]
            diff = holders.diff(id_, olds, inputs)
            if diff.replaces:
                self.grants[project] = self._made(holders, inputs)
                gone.insert(0, (holders, id_, olds))
            elif diff.changes:
                self.grants[project] = (id_, dict(holders.update(id_, olds, inputs).outs or {}))
        for project in self.grants.keys() - (grants or {}).keys():
            gone.insert(0, (holders, *self.grants.pop(project)))
        self.left = gone
        if not killed:
            for one, id_, olds in gone:
                one.delete(id_, olds)

    def finish(self, day: int) -> None:
        """What a killed run has left: the engine deletes it at the end of the next, in which this was diffed again."""
        session, _ = make_session(self.api, now=NOW + day * DAY)
        assert self.account is not None
        accounts = ServiceAccountProvider()
        accounts.use(session)
        accounts.diff(self.account[0], self.account[1], accounts.check({}, self.declared).inputs)
        for kind, id_, olds in self.left:
            one = type(kind)()
            one.use(session)
            one.delete(id_, olds)

    def destroy(self, day: int) -> None:
        """Without a program, and so without `check` and `diff`."""
        session, _ = make_session(self.api, now=NOW + day * DAY)
        assert self.account is not None
        for kind, (id_, olds) in [
            *((ServiceAccountGrantProvider, one) for one in self.grants.values()),
            (ServiceAccountProvider, self.account),
        ]:
            one = kind()
            one.use(session)
            one.delete(id_, olds)

    @property
    def declared(self) -> dict[str, Any]:
        assert self.account is not None
        fields = ("username", "role", "expires", "rotate_after", "overlap")
        return {name: value for name, value in self.account[1].items() if name in fields}

    def _made(self, one: AccessProvider, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = one.create(dict(inputs))
        return made.id, dict(made.outs or {})

    @property
    def there(self) -> list[int]:
        """The accounts that Mixpanel has of the name."""
        return [one.id for one in self.api.accounts if one.name == "new"]

    def roles(self, account_: int) -> dict[int, str]:
        """An account's roles."""
        return {row.project: row.role for row in self.api.service_accounts.rows if row.account == account_}


ROTATED: dict[str, Any] = {"rotate_after": 90, "overlap": 7}


@pytest.fixture
def stack(api: FakeApi) -> Stack:
    """An account with two roles."""
    made = Stack(api)
    made.up(0, {PRODUCTION: "analyst", WAREHOUSE: "consumer"}, **ROTATED)
    return made


BOTH = {PRODUCTION: "analyst", WAREHOUSE: "consumer"}


def rotated(stack: Stack, **more: Any) -> tuple[int, int]:
    """The old and the new account, on the day of the rotation."""
    (old,) = stack.there
    stack.api.now = NOW + 90 * DAY
    stack.up(90, BOTH, **ROTATED, **more)
    return old, next(one for one in stack.there if one != old)


def test_an_old_account_stays_for_the_overlap_with_its_roles(stack: Stack) -> None:
    """Seven days, and not a run longer; both have the roles, and the preview says it. Nothing changes meanwhile."""
    old, new = rotated(stack)
    assert sorted(stack.there) == sorted((old, new))
    assert any("stays for 7 days, with its grants, next to the one that replaces it" in line for line in stack.said)
    assert stack.roles(old) == stack.roles(new) == BOTH
    assert stack.account is not None
    assert [row["account_id"] for row in stack.account[1]["retiring"]] == [old]
    for day in (91, 96):
        before = list(stack.api.writes)
        stack.up(day, BOTH, **ROTATED)
        assert stack.api.writes == before
        assert sorted(stack.there) == sorted((old, new))
    stack.up(97, BOTH, **ROTATED)
    assert stack.there == [new]
    assert "retiring" not in stack.account[1]
    assert any("its overlap has ended, so" in line for line in stack.said)
    assert stack.roles(new) == BOTH


def test_an_overlap_counts_for_another_provider_too(stack: Stack, tmp_path: Path) -> None:
    """A stack that moves to an `Organization` on the day of the rotation: the old provider deletes what is replaced."""
    stack.others = OtherProviders(ORGANIZATION, "main", "run", lambda: tmp_path)
    (old,) = stack.there
    stack.api.now = NOW + 90 * DAY
    stack.up(90, BOTH, killed=True, **ROTATED)
    session, said = make_session(stack.api, now=NOW + 90 * DAY)
    session.others = OtherProviders(ORGANIZATION, "", "run", lambda: tmp_path)
    for kind, id_, olds in stack.left:
        one = type(kind)()
        one.use(session)
        one.delete(id_, olds)
    assert old in stack.there
    assert stack.roles(old) == BOTH
    assert len([line for line in said if "until" in line and "has ended" in line]) == 3


ENDS: dict[str, tuple[Callable[[Stack], None], bool]] = {
    "destroyed": (lambda stack: stack.destroy(92), False),
    "the overlap shortened": (lambda stack: stack.up(93, BOTH, rotate_after=90, overlap=2), True),
    "the overlap gone": (lambda stack: stack.up(91, BOTH, rotate_after=90), True),
    "another role": (lambda stack: stack.up(91, BOTH, **ROTATED, role="analyst"), True),
    "another name": (lambda stack: stack.up(91, BOTH, **{**ROTATED, "username": "newer"}), True),
}


@pytest.mark.parametrize(("end", "stays"), ENDS.values(), ids=ENDS.keys())
def test_an_overlap_ends_with_what_it_is_for(stack: Stack, end: Callable[[Stack], None], stays: bool) -> None:
    """A destroy deletes both; a shorter overlap counts at once; another role or name waits for nothing."""
    old, _ = rotated(stack)
    end(stack)
    assert old not in stack.there
    left = [one for one in stack.api.accounts if one.name in ("new", "newer")]
    assert len(left) == (1 if stays else 0)


def test_a_run_that_is_killed_before_the_old_account_is_left_keeps_it(stack: Stack) -> None:
    """The next run ends what the engine has left undone: the old account stays, with its roles."""
    (old,) = stack.there
    stack.api.now = NOW + 90 * DAY
    stack.up(90, BOTH, killed=True, **ROTATED)
    stack.finish(91)
    assert old in stack.there
    stack.up(97, BOTH, **ROTATED)
    assert old not in stack.there


def test_what_a_role_loses_the_old_account_loses_too(stack: Stack) -> None:
    """Taking access away does not wait for the overlap: not in the run of the rotation, and not after it."""
    (old,) = stack.there
    stack.api.now = NOW + 90 * DAY
    stack.up(90, {PRODUCTION: "consumer"}, **ROTATED)
    assert stack.roles(old) == {PRODUCTION: "consumer"}
    stack.up(91, {PRODUCTION: "analyst"}, **ROTATED)
    assert stack.roles(old) == {PRODUCTION: "analyst"}
    stack.up(92, {}, **ROTATED)
    assert stack.roles(old) == {}
    assert old in stack.there


@pytest.mark.parametrize("named", [True, False])
def test_a_run_that_leaves_the_account_alone_takes_from_the_old_one_too(stack: Stack, named: bool) -> None:
    """`destroy --target` and `revoke` send nothing of the account: its state says which one it has replaced."""
    old, new = rotated(stack)
    assert stack.account is not None
    session, _ = make_session(stack.api, now=NOW + 91 * DAY)
    row = ExportedResource(SERVICE_ACCOUNT_TYPE, "urn::account", *stack.account)
    if named:
        states = session.states = FakeStates(production=[])
        states.others_of = {"production": [row]}
    else:
        exported = {"type": row.type, "urn": row.urn, "id": row.id, "outputs": row.outputs}
        session.scope = Scope(state=lambda: [exported])
    holders = ServiceAccountGrantProvider()
    holders.use(session)
    lower = {**stack.grants[PRODUCTION][1], "role": "consumer"}
    holders.update(*stack.grants[PRODUCTION], lower)
    assert stack.roles(old)[PRODUCTION] == stack.roles(new)[PRODUCTION] == "consumer"
    holders.delete(stack.grants[PRODUCTION][0], lower)
    assert PRODUCTION not in stack.roles(old).keys() | stack.roles(new).keys()


def test_an_old_account_outlives_the_new_one_in_the_state(stack: Stack) -> None:
    """The new one is deleted by hand: the state still knows the old one, which goes with the next account's overlap."""
    old, new = rotated(stack)
    stack.api.accounts[:] = [one for one in stack.api.accounts if one.id != new]
    session, _ = make_session(stack.api, now=NOW + 92 * DAY)
    reader = ServiceAccountProvider()
    reader.use(session)
    assert stack.account is not None
    id_, olds = stack.account
    read = reader.read(id_, olds)
    assert (read.id, (read.outs or {})["status"]) == (id_, "deleted")
    stack.account = (id_, dict(read.outs or {}))
    stack.api.now = NOW + 92 * DAY
    stack.up(92, BOTH, **ROTATED)
    assert old in stack.there
    assert len(stack.there) == 2
    stack.up(97, BOTH, **ROTATED)
    assert old not in stack.there
    assert len(stack.there) == 1


def test_the_account_that_runs_this_is_not_deleted_when_its_overlap_is_over(stack: Stack) -> None:
    """It is refused in words, and the next run deletes it once another one runs this."""
    old, _ = rotated(stack)
    login = next(one.username for one in stack.api.accounts if one.id == old)
    session, _ = make_session(stack.api, now=NOW + 97 * DAY, username=login)
    own = ServiceAccountProvider()
    own.use(session)
    assert stack.account is not None
    with pytest.raises(errors.Refused, match=rf"cannot delete the service account {login}.*ownIdentity"):
        own.update(stack.account[0], stack.account[1], stack.declared)
    assert old in stack.there


BAD_OVERLAPS: dict[str, tuple[dict[str, Any], str]] = {
    "none": ({"overlap": 0}, "not a number of days"),
    "a truth": ({"overlap": True}, "not a number of days"),
    "a text": ({"overlap": "7"}, "not a number of days"),
    "as long as the rotation": ({"rotate_after": 7, "overlap": 7}, "must be shorter than `rotate_after`"),
}


@pytest.mark.parametrize(("change", "words"), BAD_OVERLAPS.values(), ids=BAD_OVERLAPS.keys())
def test_an_overlap_that_cannot_be_is_refused(api: FakeApi, change: dict[str, Any], words: str) -> None:
    """Days, and fewer than the rotation takes."""
    (failure,) = provider(api).check({}, account(**change)).failures
    assert (failure.property, words in failure.reason) == ("overlap", True)


class Blinded(FakeAccounts):
    """Accounts that cannot be listed any more once one was made."""

    def create(self, name: str, role: str, expires: datetime | None) -> NewServiceAccount:
        made = super().create(name, role, expires)
        self.api.faults["list_accounts"] = [errors.Forbidden("cannot list", why="Mixpanel answered 403")] * 9
        return made


def test_a_rotation_reads_nothing_once_the_new_account_is_made(api: FakeApi) -> None:
    """What failed then would lose the token, which is told once, and end the old account without its overlap."""
    olds = (provider(api).read(f"{ORGANIZATION}:{ACCOUNT}", account()).outs or {}) | {"rotate_after": 5, "overlap": 2}
    news = account(rotate_after=5, overlap=2)
    api.__dict__["service_accounts"] = Blinded(api)
    rotating = provider(api)
    assert "rotate_after" in (rotating.diff(f"{ORGANIZATION}:{ACCOUNT}", olds, news).replaces or ())
    outputs = rotating.create(news).outs or {}
    (made,) = [one for one in api.accounts if one.id not in {1, ACCOUNT}]
    assert (outputs["login"], outputs["token"]) == (made.username, f"token-{made.id}")
    assert [row["account_id"] for row in outputs["retiring"]] == [ACCOUNT]
