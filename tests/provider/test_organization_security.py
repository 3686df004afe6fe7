"""`OrganizationSecurity`: check, diff, create, read, update, delete."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.runtime import rpc

from mixpanel_access.model import errors, roles
from mixpanel_access.model.access import Discoverability, SingleSignOn
from mixpanel_access.model.resource_ids import OrganizationSecurityId
from mixpanel_access.provider.organization_security import OrganizationSecurityProvider
from tests.fakes import ORGANIZATION, FakeApi, make_session

ID = str(ORGANIZATION)
ON, OFF = SingleSignOn(enabled=True), SingleSignOn(enabled=False)


def provider(api: FakeApi, said: list[str] | None = None) -> OrganizationSecurityProvider:
    """A provider in a session over the fake."""
    session, _ = make_session(api)
    if said is not None:
        session.say = said.append
    made = OrganizationSecurityProvider()
    made.use(session)
    return made


SPOILED: dict[str, tuple[dict[str, Any], str, str]] = {
    "a word": ({"two_factor_required": "yes"}, "two_factor_required", "neither true nor false"),
    "a number": ({"two_factor_required": 1}, "two_factor_required", "neither true nor false"),
    "no mapping": ({"request_access": ["a"]}, "request_access", "not a mapping of settings"),
    "a key without a value": ({"request_access": {"a": None}}, "request_access", "'a' has no value"),
    "how long a login lasts": ({"session": {}}, "session", "this is not an input"),
}


@pytest.mark.parametrize(("inputs", "field", "words"), SPOILED.values(), ids=SPOILED.keys())
def test_spoiled_settings_are_refused_in_words(inputs: dict[str, Any], field: str, words: str) -> None:
    """Each by name, and nothing is asked."""
    api = FakeApi()
    failures = provider(api).check({}, inputs).failures
    assert [failure.property for failure in failures] == [field]
    assert words in failures[0].reason
    assert api.calls == {}


@pytest.mark.parametrize("sso", [ON, OFF, SingleSignOn()], ids=["on", "off", "unknown"])
@pytest.mark.parametrize("now", [True, False])
@pytest.mark.parametrize("wanted", [True, False, None])
def test_no_second_factor_beside_single_sign_on(sso: SingleSignOn, now: bool, wanted: bool | None) -> None:
    """A change of it is refused at preview, in one line; what is so already is none."""
    api = FakeApi(security=sso, two_factor_={"twofactor_auth_required": now})
    failures = provider(api).check({}, {"two_factor_required": wanted}).failures
    assert bool(failures) is (sso is ON and wanted is not None and wanted != now)
    for failure in failures:
        assert failure.reason.startswith(
            f"it cannot be changed to {str(wanted).lower()}. Mixpanel has no second factor while single sign-on is on"
        )


@pytest.mark.parametrize("own", [*roles.ORGANIZATION_ROLES, None])
def test_only_owners_and_admins_change_settings(own: str | None) -> None:
    """Where our role is not told, Mixpanel decides; who only reads needs none."""
    failures = provider(FakeApi(own_role=own)).check({}, {"two_factor_required": True}).failures
    assert bool(failures) is (own in ("member", "billing_admin"))
    assert provider(FakeApi(own_role=own)).check({}, {}).failures == []


@pytest.mark.parametrize(
    ("verb", "field", "value"),
    [("two_factor", "two_factor_required", True), ("request_access", "request_access", {"a": 1})],
)
def test_what_cannot_be_read_is_not_written(verb: str, field: str, value: Any) -> None:
    """All of the settings are sent with those that are changed, so that they must be known."""
    api = FakeApi(faults={verb: [errors.Forbidden("cannot", why="not in your plan")] * 2})
    (failure,) = provider(api).check({}, {field: value}).failures
    assert (failure.property, failure.reason) == (
        field, "it cannot be set, since it cannot be read here: not in your plan",
    )  # fmt: skip
    assert provider(api).check({}, {}).failures == []


def test_other_words_for_the_second_factor_are_left_alone() -> None:
    """Where the answer has no key that we know, nothing of it is changed."""
    api = FakeApi(two_factor_={"required": False})
    (failure,) = provider(api).check({}, {"two_factor_required": True}).failures
    assert failure.reason.endswith("the answer does not say whether it is required")


def test_given_settings_are_brought_about_and_all_others_kept() -> None:
    """Read, changed by the known keys, read again; single sign-on is read only."""
    api = FakeApi(
        two_factor_={"twofactor_auth_required": False, "grace": 7},
        request_access_={"a": 1, "b": 2},
        security=SingleSignOn(False, None, None, "Okta", frozenset({"b.example.org", "a.example.org"})),
    )
    inputs = {"two_factor_required": True, "request_access": {"b": 3}, "ticket": "OPS-1"}
    made = provider(api).create(inputs)
    assert (made.id, made.outs) == (ID, {
        **inputs,
        "two_factor_settings": {"twofactor_auth_required": True, "grace": 7},
        "request_access_settings": {"a": 1, "b": 3},
        "sso": {"enabled": False, "idp_name": "Okta", "domains": ["a.example.org", "b.example.org"]},
    })  # fmt: skip
    assert api.writes == ["put_two_factor", "put_request_access"]
    read = provider(api).lifecycle.refresh(ID, dict(made.outs or {}))
    assert read == ({**(made.outs or {}), "discoverability": "Request"}, inputs)
    provider(api).create(inputs)
    assert len(api.writes) == 2


def test_discoverability_is_read_by_a_refresh_alone() -> None:
    """Not by a preview, a creation or an update, which keep what is known; where it is refused, it is unknown."""
    api = FakeApi(discoverability_=Discoverability.OPEN)
    inputs = {"two_factor_required": True}
    provider(api).check({}, inputs)
    made = provider(api).create(inputs).outs or {}
    assert (api.calls["discoverability"], "discoverability" in made) == (0, False)
    found = provider(api).lifecycle.refresh(ID, made)
    assert found
    read = found.outputs
    assert (api.calls["discoverability"], read["discoverability"]) == (1, "Open")
    for news in (inputs, {"two_factor_required": False}):
        assert not (provider(api).diff(ID, read, inputs).changes)
        assert (provider(api).update(ID, read, news).outs or {})["discoverability"] == "Open"
    assert api.calls["discoverability"] == 1
    api.faults["discoverability"] = [errors.Forbidden("cannot read it")]
    found = provider(api).lifecycle.refresh(ID, read)
    assert found
    assert "discoverability" not in found.outputs


DIFFS: dict[str, tuple[dict[str, Any], bool]] = {
    "the same": ({"two_factor_required": True, "request_access": {"a": 1, "b": 2}}, False),
    "nothing is given any more": ({}, False),
    "some are not given any more": ({"request_access": {"a": 1}}, False),
    "the other way": ({"two_factor_required": False}, True),
    "another value": ({"request_access": {"a": 2}}, True),
    "another key": ({"request_access": {"c": 1}}, True),
    "a value yet to be known": ({"two_factor_required": rpc.UNKNOWN}, True),
    "settings yet to be known": ({"request_access": rpc.UNKNOWN}, True),
    "metadata": ({"ticket": "OPS-2"}, True),
}


@pytest.mark.parametrize(("news", "changes"), DIFFS.values(), ids=DIFFS.keys())
def test_only_a_given_setting_that_is_another_is_a_change(news: dict[str, Any], changes: bool) -> None:
    """What is no longer given stays as it is; nothing is ever replaced."""
    olds = {"two_factor_required": True, "request_access": {"a": 1, "b": 2}, "sso": {}}
    result = provider(FakeApi()).diff(ID, olds, news)
    assert (result.changes, result.replaces) == (changes, [])


def test_drift_of_a_given_setting_shows_and_is_mended() -> None:
    """Of another one, only the outputs tell."""
    api = FakeApi(request_access_={"a": 1, "b": 2})
    inputs = {"two_factor_required": True, "request_access": {"a": 1}}
    outs = dict(provider(api).create(inputs).outs or {})
    api.two_factor_, api.request_access_ = {"twofactor_auth_required": False}, {"b": 5}
    read = provider(api).read(ID, outs)
    assert read.inputs == {"two_factor_required": False, "request_access": {}}
    assert (read.outs or {})["request_access_settings"] == {"b": 5}
    assert provider(api).diff(ID, dict(read.outs or {}), inputs).changes
    provider(api).update(ID, dict(read.outs or {}), inputs)
    assert (api.two_factor_, api.request_access_) == ({"twofactor_auth_required": True}, {"a": 1, "b": 5})
    api.request_access_["b"] = 6
    read = provider(api).read(ID, outs)
    assert read.inputs == inputs


def test_an_import_takes_all_that_is_there() -> None:
    """A program that gives some of it changes nothing."""
    api = FakeApi(request_access_={"a": 1, "b": 2})
    read = provider(api).read(ID, {})
    assert read.inputs == {"two_factor_required": False, "request_access": {"a": 1, "b": 2}}
    for given in ({}, {"two_factor_required": False}, {"request_access": {"b": 2}}):
        assert not provider(api).diff(ID, dict(read.outs or {}), dict(given)).changes


def test_what_cannot_be_read_any_more_is_no_drift() -> None:
    """It stays as it was declared."""
    api = FakeApi()
    inputs = {"two_factor_required": True, "request_access": {"a": 1}}
    outs = dict(provider(api).create(inputs).outs or {})
    for verb in ("two_factor", "request_access", "sso"):
        api.faults[verb] = [errors.Forbidden("cannot", why="403")]
    assert provider(api).read(ID, outs).inputs == inputs


@pytest.mark.parametrize("kind", [errors.Forbidden, errors.Invalid, errors.NotApplied])
def test_what_single_sign_on_forbids_is_told_as_that(kind: type[errors.MixpanelError]) -> None:
    """It may have been switched on after the preview."""
    for sso in (ON, OFF):
        api = FakeApi(security=sso, faults={"put_two_factor": [kind("cannot change", why="403")]})
        with pytest.raises(kind) as refused:
            provider(api).create({"two_factor_required": True})
        assert ("Mixpanel has no second factor while single sign-on is on" in str(refused.value)) is (sso is ON)


@pytest.mark.parametrize(
    ("verb", "inputs", "words"),
    [
        ("put_two_factor", {"two_factor_required": True}, "cannot change two_factor_required"),
        ("put_request_access", {"request_access": {"a": 1}}, "cannot change a"),
    ],
)
def test_what_mixpanel_takes_and_does_not_do_is_told(verb: str, inputs: dict[str, Any], words: str) -> None:
    """No write is believed unseen."""
    api = FakeApi()
    api.deaf.add(verb)
    with pytest.raises(errors.NotApplied, match=f"{words} for the security settings of organization {ORGANIZATION}"):
        provider(api).create(inputs)


def test_to_delete_it_changes_nothing_and_says_so() -> None:
    """A second factor stays required."""
    api, said = FakeApi(two_factor_={"twofactor_auth_required": True}), list[str]()
    provider(api, said).delete(ID, {"two_factor_required": True})
    (line,) = said
    assert line.startswith(f"the security settings of organization {ORGANIZATION} stay as they are")
    assert api.calls == {}


@pytest.mark.parametrize("verb", ["read", "update", "delete"])
def test_the_state_of_another_organization_is_left_alone(verb: str) -> None:
    """In every verb that reads an id."""
    api = FakeApi()
    held = {"two_factor_required": True}
    args: tuple[Any, ...] = ("1", held, held) if verb == "update" else ("1", held)
    with pytest.raises(errors.InputError, match="it belongs to organization 1"):
        getattr(provider(api), verb)(*args)
    assert api.calls == {}


@pytest.mark.parametrize("text", ["", "a", "1:2", "²", "-1"])
def test_ids_of_another_shape_are_refused(text: str) -> None:
    """And what is parsed is written again."""
    with pytest.raises(errors.InputError, match="it is the organization's id"):
        OrganizationSecurityId.parse(text)
    assert str(OrganizationSecurityId.parse("7")) == "7"
