"""`ProjectGrant`: check, diff, create, read, update, delete."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pulumi.runtime import rpc

from mixpanel_access.directory.writer import ATTEMPTS
from mixpanel_access.model import errors, roles
from mixpanel_access.model.access import Grant, GrantType
from mixpanel_access.provider.project_grant import ProjectGrantProvider
from tests.fakes import ORGANIZATION, PRODUCTION, WAREHOUSE, FakeApi, make_session
from tests.provider.grouped_grants import FORMS, OTHER, OTHERS_ROLE, AnyGrant

ID = f"{ORGANIZATION}:{PRODUCTION}:cy@example.com"
CUSTOM = "5b0c0c3e-0000-4000-8000-000000000001"


@pytest.fixture
def api() -> FakeApi:
    """An organization with an owner, a member without grants, and another one with a grant."""
    api = FakeApi()
    api.put("ana@example.com", "owner")
    for email in ("cy@example.com", OTHER):
        api.put(email)
    api.give(PRODUCTION, OTHER, OTHERS_ROLE)
    return api


def held(api: FakeApi) -> list[Grant]:
    """The grants that the fake has, but for the other person's."""
    return [row for row in api.rows if row.email != OTHER]


def provider_for(api: FakeApi, said: list[str] | None = None, **settings: Any) -> ProjectGrantProvider:
    """A provider in a session over the fake."""
    provider = ProjectGrantProvider()
    session, _ = make_session(api, **settings)
    if said is not None:
        session.say = said.append
    provider.use(session)
    return provider


@pytest.fixture(params=FORMS)
def make(request: pytest.FixtureRequest, api: FakeApi) -> Iterator[Make]:
    """Makes a provider of the grant by itself, and of a group that it is a part of; the others' grants stay."""

    def made(api: FakeApi, said: list[str] | None = None, **settings: Any) -> AnyGrant:
        provider = FORMS[request.param]()
        session, _ = make_session(api, **settings)
        if said is not None:
            session.say = said.append
        provider.use(session)
        return provider

    yield made
    assert OTHER not in str(api.sent)


Make = Callable[..., AnyGrant]


def inputs(**changes: Any) -> dict[str, Any]:
    """The inputs of one compliant grant."""
    return {"project_id": PRODUCTION, "email": "cy@example.com", "role": "analyst", **changes}


@pytest.mark.parametrize(
    "project", [PRODUCTION, float(PRODUCTION), str(PRODUCTION)], ids=["number", "from the engine", "from config"]
)
def test_a_compliant_grant_passes(api: FakeApi, project: object) -> None:
    """Nothing is wrong with it, and its project id is a number."""
    result = provider_for(api).check({}, inputs(project_id=project))
    assert (result.failures, result.inputs) == ([], inputs())


SPOILED = {
    "no project": ({"project_id": None}, "project_id", "not a project id"),
    "project is not a number": ({"project_id": "shop"}, "project_id", "positive whole number"),
    "project is a truth value": ({"project_id": True}, "project_id", "positive whole number"),
    "project in other digits": ({"project_id": "²"}, "project_id", "positive whole number"),
    "project of many digits": ({"project_id": "9" * 5000}, "project_id", "positive whole number"),
    "negative project": ({"project_id": -1}, "project_id", "positive whole number"),
    "unknown project": ({"project_id": 99}, "project_id", "has no project 99"),
    "no address": ({"email": None}, "email", "missing"),
    "malformed address": ({"email": "cy@"}, "email", "not an e-mail address"),
    "no role": ({"role": None}, "role", "owner, admin, analyst, consumer"),
    "unknown role": ({"role": "viewer"}, "role", "not a project role"),
    "organization role": ({"role": "member"}, "role", "not a project role"),
    "role above our own": ({"role": "owner"}, "role", "whose own organization role is 'admin'"),
    "no date": ({"starts": "2026-13-01"}, "starts", "YYYY-MM-DD"),
}


@pytest.mark.parametrize(("change", "field", "words"), SPOILED.values(), ids=SPOILED.keys())
def test_a_spoiled_grant_is_refused_in_words(api: FakeApi, change: dict[str, Any], field: str, words: str) -> None:
    """Each wrong input is told by name, before anything is written."""
    failures = provider_for(api).check({}, inputs(**change)).failures
    assert [failure.property for failure in failures] == [field]
    assert words in failures[0].reason
    assert api.writes == []


@pytest.mark.parametrize("own", [*roles.ORGANIZATION_ROLES, None])
@pytest.mark.parametrize("role", [*roles.PROJECT_ROLES, CUSTOM])
def test_nobody_is_given_a_project_role_above_our_own(make: Make, api: FakeApi, own: str | None, role: str) -> None:
    """Every pair of roles; who manages no organization may still manage a project, so the server judges them."""
    api.own_role = own
    allowed = own != "admin" or role != "owner"
    assert (make(api).check({}, inputs(role=role)).failures == []) is allowed


@pytest.mark.parametrize(
    ("stack", "given", "kept"),
    [
        (None, None, None),
        (None, "staging", "staging"),
        ("production", None, "production"),
        ("production", "production", "production"),
        ("production", "staging", "refused"),
        ("production", rpc.UNKNOWN, rpc.UNKNOWN),
    ],
)
def test_production_and_staging_never_mix(
    make: Make, api: FakeApi, stack: str | None, given: str | None, kept: str | None
) -> None:
    """A grant to a project of another environment than the stack's is refused."""
    result = make(api, environment=stack).check({}, inputs(environment=given))
    if kept == "refused":
        assert [failure.property for failure in result.failures] == ["environment"]
        assert "in the stack of its own environment" in result.failures[0].reason
    else:
        assert result.failures == []
        assert result.inputs.get("environment") == kept


@pytest.mark.parametrize("field", ["email", "role", "project_id", "environment"])
def test_unknown_values_at_preview_are_fine(api: FakeApi, field: str) -> None:
    """What another resource will only tell later is not judged now."""
    assert provider_for(api).check({}, inputs(**{field: rpc.UNKNOWN})).failures == []
    assert provider_for(api).diff(ID, inputs(), inputs(**{field: rpc.UNKNOWN})).changes


def test_a_grant_is_given(make: Make, api: FakeApi) -> None:
    """Create gives the role, and the state has what the server says."""
    result = make(api).create(inputs(ticket="OPS-1"))
    assert result.id == ID
    assert result.outs == inputs(ticket="OPS-1", effective_role="analyst", grant_types=["individual"])
    assert api.sent == [("grant", {(PRODUCTION, "cy@example.com"): "analyst"})]


def test_a_grant_that_is_there_is_adopted(make: Make, api: FakeApi) -> None:
    """Nothing is written for it."""
    api.give(PRODUCTION, "CY@example.com", "analyst")
    make(api).create(inputs())
    assert api.writes == []


def test_a_role_by_a_team_is_no_individual_grant(make: Make, api: FakeApi) -> None:
    """Roles add up: the grant is given all the same, and the highest role is told."""
    api.give(PRODUCTION, "cy@example.com", "admin", GrantType.TEAM)
    outs = make(api).create(inputs()).outs or {}
    assert (outs["effective_role"], sorted(outs["grant_types"])) == ("admin", ["individual", "team"])
    assert api.writes == ["grant"]


def test_a_custom_role_is_granted_by_its_id(make: Make, api: FakeApi) -> None:
    """A UUID is a role too."""
    outs = make(api).create(inputs(role=CUSTOM)).outs or {}
    assert (outs["role"], outs["effective_role"]) == (CUSTOM, CUSTOM)


def test_drift_of_the_role_shows(make: Make, api: FakeApi) -> None:
    """A role changed on the server is what a refresh tells."""
    provider = make(api)
    outs = provider.create(inputs()).outs or {}
    api.give(PRODUCTION, "cy@example.com", "admin")
    result = make(api).read(ID, outs)
    assert result.inputs == inputs(role="admin")
    assert provider.diff(ID, result.outs or {}, inputs()).changes
    assert (make(api).update(ID, result.outs or {}, inputs()).outs or {})["role"] == "analyst"


def test_nothing_changes_after_create_and_read(make: Make, api: FakeApi) -> None:
    """What was created reads back as it is declared."""
    provider = make(api)
    outs = provider.create(inputs()).outs or {}
    result = provider.read(ID, outs)
    assert (result.outs, result.inputs) == (outs, None)
    assert not provider.diff(ID, outs, inputs()).changes


@pytest.mark.parametrize("what", ["grant", "project"])
def test_what_is_gone_reads_as_gone(make: Make, api: FakeApi, what: str) -> None:
    """A grant taken away, or a whole project deleted, leaves nothing."""
    outs = make(api).create(inputs()).outs or {}
    if what == "grant":
        api.rows = [row for row in api.rows if row.email == OTHER]
    else:
        api.projects_.pop(PRODUCTION)
    result = make(api).read(ID, outs)
    assert (result.id, result.outs) == ("", {})
    make(api).delete(ID, outs)
    assert api.writes == ["grant"]


def test_an_invited_persons_grant_that_the_server_hides_is_unknown_and_not_gone(make: Make, api: FakeApi) -> None:
    """Where invitations' grants are not listed, their absence is no drift for ever."""
    api.put("cy@example.com", invited=True)
    api.hides_invited_grants = True
    outs = make(api).create(inputs()).outs or {}
    result = make(api).read(ID, outs)
    assert (result.id, result.outs) == (ID, outs)
    make(api).delete(ID, outs)
    assert api.writes == ["grant", "remove_grants"]


def test_the_sources_of_a_grant_that_the_server_hides_are_unknown(api: FakeApi) -> None:
    """The outputs have what was read, and not what was declared."""
    api.put("cy@example.com", invited=True)
    api.hides_invited_grants = True
    outs = provider_for(api).create(inputs()).outs or {}
    assert (outs["grant_types"], "effective_role" in outs) == ([], False)


def test_an_invited_persons_grant_that_is_missing_among_others_is_gone(make: Make, api: FakeApi) -> None:
    """Where other invitations' grants are listed, absence means absence."""
    for email in ("cy@example.com", "di@example.com"):
        api.put(email, invited=True)
    api.give(PRODUCTION, "di@example.com", "consumer")
    assert make(api).read(ID, inputs()).id == ""


def test_a_change_of_metadata_sends_no_request(make: Make, api: FakeApi) -> None:
    """Tickets and dates are ours alone."""
    outs = make(api).create(inputs(ticket="OPS-1")).outs or {}
    api.calls.clear()
    provider = make(api)
    news = inputs(approver="ana@example.com")
    assert provider.check(inputs(ticket="OPS-1"), dict(news)).failures == []
    assert provider.diff(ID, outs, news).changes
    updated = provider.update(ID, outs, news).outs or {}
    assert updated == inputs(approver="ana@example.com", effective_role="analyst", grant_types=["individual"])
    assert not api.calls


@pytest.mark.parametrize(
    ("change", "replaces"),
    [
        ({"role": "admin"}, []),
        ({"email": "CY@EXAMPLE.COM"}, []),
        ({"email": "di@example.com"}, ["email"]),
        ({"project_id": WAREHOUSE}, ["project_id"]),
        ({"environment": "staging"}, []),
    ],
    ids=str,
)
def test_what_is_replaced_and_what_changes_in_place(api: FakeApi, change: dict[str, Any], replaces: list[str]) -> None:
    """Another person or project is another grant; another role or spelling is the same one."""
    result = provider_for(api).diff(ID, inputs(), inputs(**change))
    assert (result.changes, result.replaces) == (True, replaces)


def test_taking_a_grant_away_leaves_the_person_and_their_other_grants(make: Make, api: FakeApi) -> None:
    """The error that this project exists to avoid."""
    for project in (PRODUCTION, WAREHOUSE):
        api.give(project, "cy@example.com", "analyst")
    make(api).delete(ID, inputs())
    assert "cy@example.com" in api.people
    assert [(grant.project, grant.role) for grant in held(api)] == [(WAREHOUSE, "analyst")]
    assert api.writes == ["remove_grants"]


@pytest.mark.parametrize("way", [GrantType.TEAM, GrantType.ALL_USERS, GrantType.ORGANIZATION_ROLE])
def test_what_access_remains_is_said(make: Make, api: FakeApi, way: GrantType) -> None:
    """Removing an individual grant may change nothing, and then it says why."""
    api.give(PRODUCTION, "cy@example.com", "analyst")
    if way is GrantType.ORGANIZATION_ROLE:
        api.put("cy@example.com", "admin")
    else:
        api.give(PRODUCTION, "cy@example.com", "admin", way)
    said: list[str] = []
    make(api, said).delete(ID, inputs())
    assert len(said) == 1
    for words in ("cy@example.com", "remains", f"project {PRODUCTION}", ", through "):
        assert words in said[0]


@pytest.mark.parametrize("verb", ["create", "delete"])
def test_a_write_that_the_server_only_claims_is_told(make: Make, api: FakeApi, verb: str) -> None:
    """An accepted request that changed nothing is an error, not a state."""
    api.deaf = {"grant", "remove_grants"}
    provider = make(api)
    if verb == "create":
        with pytest.raises(errors.NotApplied, match=r"cannot .*no individual grant"):
            provider.create(inputs())
    else:
        api.give(PRODUCTION, "cy@example.com", "analyst")
        with pytest.raises(errors.NotApplied, match=r"still shows the role analyst"):
            provider.delete(ID, inputs())


@pytest.mark.parametrize("verb", ["read", "update", "delete"])
def test_state_of_another_organization_is_not_touched(make: Make, api: FakeApi, verb: str) -> None:
    """A stack pointed at another organization stops before it reads or writes."""
    provider, foreign = make(api), f"1:{PRODUCTION}:cy@example.com"
    with pytest.raises(errors.InputError, match="belongs to organization 1"):
        getattr(provider, verb)(foreign, *[inputs()] * (2 if verb == "update" else 1))
    assert not api.calls


def test_a_grant_of_another_name_is_not_taken_away(make: Make, api: FakeApi) -> None:
    """A rename is a create that adopts, and then a delete."""
    provider = make(api)
    outs = provider.create(inputs()).outs or {}
    provider.check({}, inputs())
    provider.delete(ID, outs)
    assert held(api)


def test_a_project_out_of_sight_is_not_gone(make: Make, api: FakeApi) -> None:
    """A list without the project proves nothing while its people can be read: the grant stays, and goes when meant."""
    outs = make(api).create(inputs()).outs or {}
    api.unlisted = {PRODUCTION}
    assert make(api).read(ID, outs).id == ID
    make(api).delete(ID, outs)
    assert not held(api)


@pytest.mark.parametrize("answer", [errors.NotFound("no such call"), errors.Unreachable("no answer")], ids=str)
def test_the_end_of_a_hidden_grant_is_not_taken_for_granted(
    make: Make, api: FakeApi, answer: errors.AccessError
) -> None:
    """Where an invited person's grants are not listed, a refusal is no proof that theirs is gone."""
    api.hides_invited_grants = True
    api.put("cy@example.com", invited=True)
    api.give(PRODUCTION, "cy@example.com", "admin")
    api.faults["remove_grants"] = [answer] * ATTEMPTS
    with pytest.raises(type(answer)):
        make(api).delete(ID, inputs())
    assert held(api)


@pytest.mark.parametrize(("by_hand", "kept"), [("admin", True), ("consumer", False), ("analyst", False)])
def test_a_higher_role_that_somebody_was_faster_to_give_is_kept_and_said(
    make: Make, api: FakeApi, by_hand: str, kept: bool
) -> None:
    """The state has what is declared, so that the next refresh shows it as drift and the next update puts ours back."""
    said: list[str] = []
    provider = make(api, said)
    declared, id_ = inputs(email="new@example.org"), f"{ORGANIZATION}:{PRODUCTION}:new@example.org"
    assert provider.session.directory.access(PRODUCTION, "new@example.org").individual is None
    api.put("new@example.org", invited=True)
    api.give(PRODUCTION, "new@example.org", by_hand)
    outs = provider.create(declared).outs or {}
    assert provider.session.directory.access(PRODUCTION, "new@example.org").individual == (
        by_hand if kept else "analyst"
    )
    assert any("it is kept; the next refresh shows it" in line for line in said) is kept
    assert provider.diff(id_, outs, declared).changes is False
    seen = make(api).read(id_, outs).outs or {}
    assert provider.diff(id_, seen, declared).changes is kept
    make(api).update(id_, seen, declared)
    assert [grant.role for grant in held(api)] == ["analyst"]
