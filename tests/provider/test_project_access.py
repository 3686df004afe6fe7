"""`ProjectAccess`: check, diff, create, read, update, delete; and beside `ProjectGrant`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from pulumi.runtime import rpc

from mixpanel_access.directory.writes import AT_ONCE
from mixpanel_access.model import errors, roles
from mixpanel_access.model.access import GrantType
from mixpanel_access.model.brakes import Brake, Limits
from mixpanel_access.model.rights import Identity
from mixpanel_access.provider.project_access import ProjectAccessProvider
from mixpanel_access.provider.project_grant import ProjectGrantProvider
from mixpanel_access.provider.session import Session
from tests.fakes import ORGANIZATION, PRODUCTION, WAREHOUSE, FakeApi, make_session

ID = f"{ORGANIZATION}:{PRODUCTION}"
OWN = "bot"
ALL = frozenset(Brake)


@pytest.fixture
def api() -> FakeApi:
    """An organization with an owner and three members without grants."""
    api = FakeApi()
    api.put("ana@example.com", "owner")
    for name in ("bo", "cy", "di"):
        api.put(f"{name}@example.com")
    return api


def provider_in(session: Session) -> ProjectAccessProvider:
    """A provider in a session."""
    provider = ProjectAccessProvider()
    provider.use(session)
    return provider


def provider_for(api: FakeApi, said: list[str] | None = None, **settings: Any) -> ProjectAccessProvider:
    """A provider in a session of its own over the fake."""
    session, _ = make_session(api, **settings)
    if said is not None:
        session.say = said.append
    return provider_in(session)


def inputs(grants: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The inputs of one compliant project."""
    given = {"bo@example.com": "analyst", "cy@example.com": "consumer"} if grants is None else grants
    return {"project_id": PRODUCTION, "grants": given, **changes}


def held(api: FakeApi, project: int = PRODUCTION) -> dict[str, str]:
    """The individual grants that the fake has."""
    return {g.email: g.role for g in api.rows if g.project == project and g.grant_type is GrantType.INDIVIDUAL}


def strangers(api: FakeApi, number: int) -> list[str]:
    """So many people with a grant that nobody has declared."""
    emails = [f"s{n:03}@example.com" for n in range(number)]
    for email in emails:
        api.put(email)
        api.give(PRODUCTION, email, "consumer")
    return emails


def test_a_compliant_project_passes(api: FakeApi) -> None:
    """Nothing is wrong with it; role words are written as Mixpanel does, addresses as the program does."""
    result = provider_for(api).check({}, inputs({"Bo@Example.com": " Analyst "}, project_id=str(PRODUCTION)))
    assert (result.failures, result.inputs) == ([], inputs({"Bo@Example.com": "analyst"}))


SPOILED = {
    "no project": ({"project_id": None}, "project_id", "not a project id"),
    "unknown project": ({"project_id": 99}, "project_id", "has no project 99"),
    "no grants": ({"grants": None}, "grants", "not a mapping"),
    "grants are a list": ({"grants": ["bo@example.com"]}, "grants", "not a mapping"),
    "malformed address": ({"grants": {"bo@": "analyst"}}, "grants", "'bo@' is not an e-mail address"),
    "unknown role": (
        {"grants": {"bo@example.com": "viewer"}},
        "grants",
        "bo@example.com: 'viewer' is not a project role",
    ),
    "no role": ({"grants": {"bo@example.com": None}}, "grants", "not a project role"),
    "two spellings": (
        {"grants": {"bo@example.com": "analyst", "BO@example.com": "analyst"}},
        "grants",
        "BO@example.com is there twice, first as bo@example.com",
    ),
    "role above our own": ({"grants": {"bo@example.com": "owner"}}, "grants", "cannot be given to bo@example.com"),
    "no date": ({"starts": "2026-13-01"}, "starts", "YYYY-MM-DD"),
    "reasons are no list": ({"reasons": {"sow": "SOW-1"}}, "reasons", "not a list of mappings"),
    "a strange reason": ({"reasons": [{"people": [], "why": "so"}]}, "reasons", "there is no why in a reason"),
    "a reason for nobody here": ({"reasons": [{"people": ["di@example.com"]}]}, "reasons", "has no grant here"),
    "a reason for a number": (
        {"reasons": [{"people": 5.0, "sow": "1"}]},
        "reasons",
        "people: 5 is not a list of addresses",
    ),
    "a reason for a text": (
        {"reasons": [{"people": "bo@example.com"}]},
        "reasons",
        "people: 'bo@example.com' is not a list of addresses",
    ),
    "a reason for a list of a number": ({"reasons": [{"people": [5]}]}, "reasons", "[5] is not a list of addresses"),
    "two reasons": (
        {"reasons": [{"people": ["bo@example.com"], "sow": "1"}, {"people": ["BO@example.com"]}]},
        "reasons",
        "BO@example.com has two reasons",
    ),
    "a reason without a date": (
        {"reasons": [{"people": ["bo@example.com"], "ends": "soon"}]},
        "reasons",
        "'soon' is not a date",
    ),
    "another environment": ({"environment": "staging"}, "environment", "this stack is 'production'"),
}


@pytest.mark.parametrize(("change", "field", "words"), SPOILED.values(), ids=SPOILED.keys())
def test_a_spoiled_project_is_refused_in_words(api: FakeApi, change: dict[str, Any], field: str, words: str) -> None:
    """Each wrong input is told by name, before anything is written."""
    failures = provider_for(api, environment="production").check({}, {**inputs(), **change}).failures
    assert [failure.property for failure in failures] == [field]
    assert words in failures[0].reason
    assert api.writes == []


def test_everything_that_is_wrong_is_told_at_once(api: FakeApi) -> None:
    """One bad entry does not hide the others."""
    failures = provider_for(api).check({}, inputs({"bo@": "analyst", "cy@example.com": "viewer"})).failures
    assert len(failures) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"project_id": rpc.UNKNOWN},
        {"grants": rpc.UNKNOWN},
        {"grants": {"bo@example.com": rpc.UNKNOWN}},
        {"reasons": [{"people": rpc.UNKNOWN}, {"people": [rpc.UNKNOWN, rpc.UNKNOWN]}]},
    ],
    ids=str,
)
def test_unknown_values_at_preview_are_fine(api: FakeApi, change: dict[str, Any]) -> None:
    """What another resource will only tell later is not judged now."""
    news = {**inputs(), **change}
    assert provider_for(api).check({}, dict(news)).failures == []
    assert provider_for(api).diff(ID, inputs(), news).changes


def test_a_role_that_is_yet_to_be_made_hides_nothing_of_what_goes(api: FakeApi) -> None:
    """The preview names who loses the grant, and the brake holds, though one role is not known yet."""
    said: list[str] = []
    grants = {"bo@example.com": rpc.UNKNOWN}
    few = strangers(api, 3)
    assert provider_for(api, said).check({}, inputs(dict(grants))).failures == []
    assert said == [f"project {PRODUCTION}: 3 grants to be taken away, with one request each: {', '.join(few)}"]
    strangers(api, 4)
    (failure,) = provider_for(api).check({}, inputs(dict(grants))).failures
    assert "[grantShare]" in failure.reason
    assert api.writes == []


def test_grants_are_given_adopted_changed_and_taken_in_few_requests(api: FakeApi) -> None:
    """After create, who is declared has the role and nobody else has one; nobody has left the organization."""
    api.give(PRODUCTION, "BO@example.com", "analyst")
    api.give(PRODUCTION, "cy@example.com", "admin")
    api.give(PRODUCTION, "di@example.com", "consumer")
    api.give(WAREHOUSE, "di@example.com", "consumer")
    grants = {"bo@example.com": "analyst", "cy@example.com": "consumer", "ana@example.com": "analyst"}
    result = provider_for(api).create(inputs(grants, ticket="OPS-1"))
    beside = {"ana@example.com": {"ways": ["organization_role"], "role": "owner"}}
    assert (result.id, result.outs) == (ID, inputs(grants, ticket="OPS-1", undeclared=[], beside=beside))
    assert api.sent == [
        ("remove_grants", ("di@example.com", (PRODUCTION,))),
        ("grant", {(PRODUCTION, "cy@example.com"): "consumer", (PRODUCTION, "ana@example.com"): "analyst"}),
    ]
    assert held(api, WAREHOUSE) == {"di@example.com": "consumer"}
    assert len(api.people) == 4


def test_a_thousand_grants_are_read_twice_and_written_in_batches(api: FakeApi) -> None:
    """Requests grow with batches: read before, written, read back once."""
    grants = {f"p{n:04}@example.com": "analyst" for n in range(1000)}
    for email in grants:
        api.put(email)
    outs = provider_for(api).create(inputs(grants)).outs or {}
    assert outs["grants"] == grants
    assert api.calls == {"me": 1, "list_users": 1, "granted_users": 2, "grant": 1000 // AT_ONCE}


def test_nothing_is_written_where_all_is_there(api: FakeApi) -> None:
    """A create that finds everything adopts it."""
    for email, role in inputs()["grants"].items():
        api.give(PRODUCTION, email, role)
    provider_for(api).create(inputs())
    assert api.writes == []


def test_who_is_added_by_hand_shows_and_goes_at_the_next_up(api: FakeApi) -> None:
    """Read shows the person as drift, check says who goes, and update takes the grant and nothing else."""
    outs = provider_for(api).create(inputs()).outs or {}
    api.give(PRODUCTION, "Di@example.com", "admin")
    result = provider_for(api).read(ID, outs)
    drifted = {**inputs()["grants"], "Di@example.com": "admin"}
    assert result.outs == {**outs, "grants": drifted, "undeclared": ["Di@example.com"]}
    assert result.inputs == inputs(drifted)
    again = provider_for(api).lifecycle.refresh(ID, dict(result.outs or {}))
    assert again == (result.outs, result.inputs)

    said: list[str] = []
    provider = provider_for(api, said)
    assert provider.check(dict(result.inputs or {}), inputs()).failures == []
    assert said == [f"project {PRODUCTION}: 1 grant to be taken away, with one request each: Di@example.com"]
    assert provider.diff(ID, dict(result.outs or {}), inputs()).changes
    updated = provider.update(ID, dict(result.outs or {}), inputs()).outs
    assert updated == outs
    assert held(api) == inputs()["grants"]
    assert "di@example.com" in api.people


def test_a_changed_role_and_a_missing_grant_show(api: FakeApi) -> None:
    """Drift of a person is the difference of one entry."""
    outs = provider_for(api).create(inputs()).outs or {}
    api.rows = []
    api.give(PRODUCTION, "bo@example.com", "admin")
    result = provider_for(api).read(ID, outs)
    assert (result.outs or {})["grants"] == {"bo@example.com": "admin"}
    provider_for(api).update(ID, dict(result.outs or {}), inputs())
    assert held(api) == inputs()["grants"]


def test_an_import_takes_everything_that_is_there_for_declared(api: FakeApi) -> None:
    """Without a program, nothing is undeclared."""
    api.give(PRODUCTION, "Bo@example.com", "analyst")
    result = provider_for(api).read(ID, {})
    assert result.outs == {
        "project_id": PRODUCTION, "grants": {"Bo@example.com": "analyst"}, "undeclared": [], "beside": {},
        "imported": True,
    }  # fmt: skip


@pytest.mark.parametrize("way", [GrantType.TEAM, GrantType.ALL_USERS, GrantType.ORGANIZATION_ROLE])
def test_other_ways_are_not_touched(api: FakeApi, way: GrantType) -> None:
    """Who has the project through something else is no drift, and keeps it; it is told where a grant goes."""
    api.give(PRODUCTION, "di@example.com", "admin", way)
    outs = provider_for(api).create(inputs()).outs or {}
    assert outs["grants"] == inputs()["grants"]
    api.give(PRODUCTION, "di@example.com", "analyst")
    said: list[str] = []
    provider_for(api, said).update(ID, {**outs, "grants": {**outs["grants"], "di@example.com": "analyst"}}, inputs())
    assert [grant.grant_type for grant in api.rows if grant.email == "di@example.com"] == [way]
    words = way.value.replace("_", " ")
    assert said == [f"project {PRODUCTION}: access remains for di@example.com, through {words}"]


def test_service_accounts_are_nobodys_drift(api: FakeApi) -> None:
    """Where Mixpanel lists them among the people, they keep their role."""
    api.give(PRODUCTION, "etl.1a2b3c.mp-service-account", "admin")
    outs = provider_for(api).create(inputs()).outs or {}
    assert outs["grants"] == inputs()["grants"]
    assert "etl.1a2b3c.mp-service-account" in held(api)


class Ours(FakeApi):
    """Runs as a person who has a grant."""

    def read(self) -> Identity:
        return Identity("Ana@Example.com", {ORGANIZATION: "owner"})


def test_our_own_grant_stays_and_is_no_drift() -> None:
    """Not on create, not on delete, not by name in the state before; and it is not lowered."""
    api = Ours()
    for name in ("ana", "bo", "cy"):
        api.put(f"{name}@example.com", "owner" if name == "ana" else "member")
    api.give(PRODUCTION, "ana@example.com", "owner")
    outs = provider_for(api).create(inputs()).outs or {}
    assert (outs["grants"], outs["undeclared"]) == (inputs()["grants"], [])
    assert provider_for(api).read(ID, outs).outs == outs
    named = {**inputs()["grants"], "ana@example.com": "owner"}
    outs = provider_for(api).update(ID, outs, inputs(named)).outs or {}
    assert outs["grants"] == named
    failures = provider_for(api).check(inputs(named), inputs({**named, "ana@example.com": "analyst"})).failures
    assert "[ownIdentity]" in failures[0].reason
    provider_for(api).delete(ID, outs)
    assert held(api) == {"ana@example.com": "owner"}


@pytest.mark.parametrize(("number", "held_up"), [(3, False), (4, True)])
@pytest.mark.parametrize("verb", ["check", "create", "update", "delete"])
def test_the_brake_holds_what_takes_too_much(api: FakeApi, verb: str, number: int, held_up: bool) -> None:
    """At its boundary, in each verb, before the first write; released it goes through."""
    emails = strangers(api, number)
    grants = inputs()["grants"] if verb != "delete" else {}
    before = {**grants, **dict.fromkeys(emails, "consumer")}

    def run(**settings: Any) -> None:
        provider = provider_for(api, **settings)
        if verb == "check":
            if failures := provider.check({}, inputs(grants)).failures:
                raise errors.Refused(failures[0].reason)
        elif verb == "create":
            provider.create(inputs(grants))
        elif verb == "update":
            provider.update(ID, inputs(before, undeclared=[], beside={}), inputs(grants))
        else:
            provider.delete(ID, inputs(before, undeclared=[], beside={}))

    if held_up:
        with pytest.raises(errors.Refused, match=rf"grants in project {PRODUCTION} away .*\[grantShare\]"):
            run()
        assert api.writes == []
        run(limits=Limits(released=ALL))
    else:
        run()
    if verb != "check":
        assert not set(emails) & held(api).keys()
        assert set(emails) <= api.people.keys()


def test_a_project_that_is_replaced_is_braked_at_preview(api: FakeApi) -> None:
    """Another project is another resource, and the old one's end is judged before anything is made."""
    emails = strangers(api, 4)
    before = inputs(dict.fromkeys(emails, "consumer"))
    news = inputs({}, project_id=WAREHOUSE)
    assert provider_for(api).diff(ID, before, news).replaces == ["project_id"]
    failures = provider_for(api).check(before, dict(news)).failures
    assert "[grantShare]" in failures[0].reason


def test_who_is_not_in_the_organization_is_invited_and_told(api: FakeApi) -> None:
    """The preview says so; Mixpanel sends the invitation with the grant."""
    said: list[str] = []
    provider = provider_for(api, said)
    grants = {**inputs()["grants"], "new@example.org": "analyst"}
    assert provider.check({}, inputs(grants)).failures == []
    assert said == [f"project {PRODUCTION}: not in the organization yet, and invited with the grant: new@example.org"]
    outs = provider.create(inputs(grants)).outs or {}
    assert outs["grants"] == grants
    assert api.people["new@example.org"].invited
    assert api.writes == ["grant", "grant"]


def test_what_mixpanel_hides_is_neither_missing_nor_drift(api: FakeApi) -> None:
    """An invited person's grant that no list shows is written once, and taken away when it is no longer declared."""
    api.hides_invited_grants = True
    api.put("new@example.org", invited=True)
    grants = {**inputs()["grants"], "new@example.org": "analyst"}
    outs = provider_for(api).create(inputs(grants)).outs or {}
    assert outs["grants"] == grants
    result = provider_for(api).lifecycle.refresh(ID, outs)
    assert result == (outs, inputs(grants))
    api.sent.clear()
    more = {**grants, "di@example.com": "consumer"}
    outs = provider_for(api).update(ID, outs, inputs(more)).outs or {}
    assert api.sent == [("grant", {(PRODUCTION, "di@example.com"): "consumer"})]
    outs = provider_for(api).update(ID, outs, inputs()).outs or {}
    assert outs["grants"] == inputs()["grants"]
    assert [grant for grant in api.rows if grant.email == "new@example.org"] == []
    assert provider_for(api).read(ID, outs).outs == outs


@pytest.mark.parametrize("answer", [errors.NotFound("no such call"), errors.Forbidden("403")], ids=str)
def test_the_end_of_a_hidden_grant_is_not_taken_for_granted(api: FakeApi, answer: errors.AccessError) -> None:
    """A refusal is no proof where nothing can be seen."""
    api.hides_invited_grants = True
    api.put("new@example.org", invited=True)
    outs = provider_for(api).create(inputs({"new@example.org": "admin"})).outs or {}
    api.faults["remove_grants"] = [answer]
    with pytest.raises(type(answer)):
        provider_for(api).update(ID, outs, inputs({}))
    assert held(api) == {"new@example.org": "admin"}


def test_a_half_done_run_is_told_once_and_finished_by_running_again(api: FakeApi) -> None:
    """One error for all, of everybody for whom it was not done; what could be done is."""
    emails = strangers(api, 3)
    api.faults["remove_grants"] = [errors.Forbidden("cannot take away", why="Mixpanel answered 403")] * 2
    with pytest.raises(errors.Forbidden) as caught:
        provider_for(api).create(inputs())
    assert "not for 2 of 5 people" in str(caught.value)
    assert str(caught.value).count("403") == 1
    assert held(api).keys() >= inputs()["grants"].keys()
    assert len(set(emails) & held(api).keys()) == 2
    api.sent.clear()
    provider_for(api).create(inputs())
    assert api.writes == ["remove_grants"] * 2
    assert held(api) == inputs()["grants"]


def test_what_a_half_done_change_leaves_is_declared_still(api: FakeApi) -> None:
    """Who could not be taken away keeps their reasons, and `revoke` takes them away: nobody added them by hand."""
    outs = provider_for(api).create(inputs(ticket="OPS-1")).outs or {}
    api.faults["remove_grants"] = [errors.Forbidden("cannot take away", why="Mixpanel answered 403")]
    with pytest.raises(errors.Forbidden) as caught:
        provider_for(api).update(ID, outs, inputs({"di@example.com": "admin"}, ticket="OPS-2"))
    id_, left = caught.value.kept or ("", {})
    assert (id_, left["ticket"], left["undeclared"]) == (ID, "OPS-1", [])
    assert left["grants"] == held(api)
    assert len(held(api).keys() & inputs()["grants"].keys()) == 1
    session, _ = make_session(api)
    session.takes_only = True
    assert (provider_in(session).update(ID, dict(left), inputs({})).outs or {})["grants"] == {}
    assert held(api) == {}


def test_a_change_of_which_nothing_was_done_keeps_nothing(api: FakeApi) -> None:
    """Then the state stays as it was, and a new resource has none."""
    api.faults["grant"] = [errors.Forbidden("cannot grant", why="Mixpanel answered 403")] * 3
    with pytest.raises(errors.Forbidden) as caught:
        provider_for(api).create(inputs())
    assert caught.value.kept is None


@pytest.mark.parametrize("verb", ["grant", "remove_grants"])
def test_a_write_that_the_server_only_claims_is_told(api: FakeApi, verb: str) -> None:
    """An accepted request that changed nothing is an error, not a state."""
    api.deaf = {verb}
    strangers(api, 1)
    words = "shows no individual grant" if verb == "grant" else "still shows the role consumer"
    with pytest.raises(errors.NotApplied, match=words):
        provider_for(api).create(inputs())


def test_access_that_ends_ends_though_an_invitation_waits(api: FakeApi) -> None:
    """It holds nobody up, and is no failure: one line says when the next run goes on."""
    emails = strangers(api, 2)
    limit = errors.RateLimited("cannot grant", why="too many invitations")
    limit.retry_after = 3600.0
    said: list[str] = []
    provider = provider_for(api, said)
    api.faults["grant"] = [limit, limit]
    outs = provider.create(inputs({"new@example.org": "analyst"})).outs or {}
    words = "1 grant waits for Mixpanel's hourly limit on invitations (new@example.org)"
    assert f"warning: project {PRODUCTION}: {words}. Run `pulumi up` again from 2026-05-04 13:00 UTC." in said
    assert outs == inputs({}, undeclared=[], beside={})
    assert not set(emails) & held(api).keys()


def test_a_change_of_metadata_or_spelling_sends_no_request(api: FakeApi) -> None:
    """Tickets and capital letters are ours alone."""
    outs = provider_for(api).create(inputs(ticket="OPS-1")).outs or {}
    api.calls.clear()
    provider = provider_for(api)
    reasons = [{"people": ["bo@example.com"], "ticket": "OPS-2"}]
    spelled = {"BO@example.com": "analyst", "cy@example.com": "consumer"}
    news = inputs(spelled, approver="ana@example.com", reasons=reasons)
    assert provider.check(outs, inputs(spelled, reasons=reasons)).failures == []
    api.calls.clear()
    assert provider.diff(ID, outs, news).changes
    updated = provider.update(ID, outs, news).outs or {}
    assert updated == {**news, "undeclared": [], "beside": {}}
    assert not api.calls


@pytest.mark.parametrize(
    ("news", "changed"),
    [
        pytest.param([{"people": ["cy@example.com"], "ticket": "2"}, {"people": ["bo@example.com"]}], True, id="gone"),
        pytest.param(
            [{"people": ["cy@example.com"], "ticket": "2"}, {"people": ["bo@example.com"], "ticket": "1"}],
            False,
            id="other order",
        ),
        pytest.param([{"people": ["bo@example.com", "cy@example.com"], "ticket": "1"}], True, id="another's"),
        pytest.param(None, True, id="none"),
    ],
)
def test_the_order_of_reasons_is_no_change(api: FakeApi, news: Any, changed: bool) -> None:
    """An edit that only moves entries of the roster plans nothing."""
    olds = [{"people": ["bo@example.com"], "ticket": "1"}, {"people": ["cy@example.com"], "ticket": "2"}]
    outs = provider_for(api).create(inputs(reasons=olds)).outs or {}
    assert provider_for(api).diff(ID, outs, inputs(reasons=news)).changes is changed


@pytest.mark.parametrize("first", [0, 1], ids=["as declared", "the other way round"])
def test_the_order_of_the_people_of_a_reason_is_no_change(api: FakeApi, first: int) -> None:
    """An edit that only moves people within an entry plans nothing."""
    people = ["bo@example.com", "cy@example.com"]
    outs = provider_for(api).create(inputs(reasons=[{"people": people, "ticket": "1"}])).outs or {}
    news = inputs(reasons=[{"people": [people[first], people[1 - first]], "ticket": "1"}])
    assert not provider_for(api).diff(ID, outs, news).changes


def test_a_deleted_resource_takes_the_declared_grants_and_nothing_else(api: FakeApi) -> None:
    """Who was added by hand keeps it, and so does everybody their place in the organization."""
    outs = provider_for(api).create(inputs()).outs or {}
    api.give(PRODUCTION, "di@example.com", "analyst")
    outs = dict(provider_for(api).read(ID, outs).outs or {})
    provider_for(api).delete(ID, outs)
    assert held(api) == {"di@example.com": "analyst"}
    assert len(api.people) == 4


@pytest.mark.parametrize("verb", ["read", "update", "delete"])
def test_state_of_another_organization_is_not_touched(api: FakeApi, verb: str) -> None:
    """A stack pointed at another organization stops before it reads or writes."""
    with pytest.raises(errors.InputError, match="belongs to organization 1"):
        getattr(provider_for(api), verb)(f"1:{PRODUCTION}", *[inputs()] * (2 if verb == "update" else 1))
    assert not api.calls


@pytest.mark.parametrize("text", ["", "7", "7:", "7:x", "7:8:9", ":8"])
def test_an_id_of_another_shape_is_told(api: FakeApi, text: str) -> None:
    """With the form that it has."""
    with pytest.raises(errors.InputError, match="ORG:PROJECT"):
        provider_for(api).read(text, inputs())


def test_a_project_that_is_gone_takes_its_grants_along(api: FakeApi) -> None:
    """Only where the project itself says so; one out of sight stays."""
    outs = provider_for(api).create(inputs()).outs or {}
    api.unlisted = {PRODUCTION}
    assert provider_for(api).read(ID, outs).id == ID
    del api.projects_[PRODUCTION]
    assert provider_for(api).read(ID, outs).id == ""
    provider_for(api).delete(ID, outs)


@pytest.mark.parametrize("own", [*roles.ORGANIZATION_ROLES, None])
@pytest.mark.parametrize("role", roles.PROJECT_ROLES)
def test_nobody_is_given_a_project_role_above_our_own(api: FakeApi, own: str | None, role: str) -> None:
    """Every pair of roles; who manages no organization may still manage a project, so the server judges them."""
    api.own_role = own
    allowed = own != "admin" or role != "owner"
    assert (provider_for(api).check({}, inputs({"bo@example.com": role})).failures == []) is allowed


# Beside ProjectGrant


def single(session: Session, email: str, project: int = PRODUCTION) -> Sequence[Any]:
    """What the check of a single grant finds in a session."""
    provider = ProjectGrantProvider()
    provider.use(session)
    found: Sequence[Any] = provider.check({}, {"project_id": project, "email": email, "role": "analyst"}).failures
    return found


@pytest.mark.parametrize("whole_first", [True, False])
@pytest.mark.parametrize("email", ["bo@example.com", "di@example.com"], ids=["named in both", "named in one"])
def test_one_project_is_declared_in_one_way(api: FakeApi, email: str, whole_first: bool) -> None:
    """Whichever is checked later is told, changed or not, whoever the grant is for."""
    session, _ = make_session(api)

    def whole() -> Sequence[Any]:
        found: Sequence[Any] = provider_in(session).check(inputs(), inputs()).failures
        return found

    first, second = (whole(), single(session, email)) if whole_first else (single(session, email), whole())
    assert first == []
    assert len(second) == 1
    assert "take one of the two for a project" in second[0].reason
    assert single(session, email, WAREHOUSE) == []


def test_two_of_one_project_are_one_too_many(api: FakeApi) -> None:
    """The same inputs checked again, as the engine does where it replaces, are no second resource."""
    provider = provider_for(api)
    for _ in range(2):
        assert provider.check({}, inputs()).failures == []
    failures = provider.check({}, inputs({"bo@example.com": "analyst"})).failures
    assert "two ProjectAccess" in failures[0].reason


def test_moving_from_single_grants_takes_nothing_away(api: FakeApi) -> None:
    """The whole adopts what is there, and the single ones that go leave it; who is not named loses the grant."""
    for name in ("bo", "cy", "di"):
        api.give(PRODUCTION, f"{name}@example.com", "analyst" if name != "cy" else "consumer")
    session, said = make_session(api)
    provider = provider_in(session)
    provider.check({}, inputs())
    provider.create(inputs())
    assert held(api) == inputs()["grants"]
    grants = ProjectGrantProvider()
    grants.use(session)
    for name in ("bo", "cy", "di"):
        props = {"project_id": PRODUCTION, "email": f"{name}@example.com", "role": "analyst"}
        grants.delete(f"{ID}:{name}@example.com", props)
    assert held(api) == inputs()["grants"]
    assert api.writes == ["remove_grants"]
    assert sum("declared under another name too" in line for line in said) == 2


def test_moving_back_to_single_grants_takes_nothing_away(api: FakeApi) -> None:
    """Who is declared one by one keeps the grant when the whole goes; the others lose it."""
    outs = provider_for(api).create(inputs()).outs or {}
    session, _ = make_session(api)
    assert single(session, "BO@example.com") == []
    provider_in(session).delete(ID, outs)
    assert held(api) == {"bo@example.com": "analyst"}


def test_a_resource_of_another_name_takes_nothing_away(api: FakeApi) -> None:
    """A rename is a create that adopts, and then a delete."""
    provider = provider_for(api)
    outs = provider.create(inputs()).outs or {}
    provider.check({}, inputs())
    provider.delete(ID, outs)
    assert held(api) == inputs()["grants"]


def after_refresh(provider: ProjectAccessProvider, outputs: dict[str, Any]) -> dict[str, Any]:
    """The outputs after a refresh, as the engine keeps them."""
    return dict(provider.read(ID, outputs).outs or {})


BO_CY = {"bo@example.com": "analyst", "cy@example.com": "consumer"}


@pytest.mark.parametrize("spelling", ["cy@example.com", "CY@Example.com"])
def test_somebody_seen_as_added_by_hand_and_then_declared_is_declared(api: FakeApi, spelling: str) -> None:
    """The preview shows it, it sends nothing, and `destroy` takes their grant away with the others."""
    released = Limits(released=ALL)
    outs = dict(provider_for(api).create(inputs({"bo@example.com": "analyst"})).outs or {})
    api.give(PRODUCTION, "cy@example.com", "consumer")
    outs = after_refresh(provider_for(api), outs)
    assert outs["undeclared"] == ["cy@example.com"]
    sent = len(api.sent)
    news = inputs({"bo@example.com": "analyst", spelling: "consumer"})
    assert provider_for(api).diff(ID, outs, news).changes
    outs = dict(provider_for(api).update(ID, outs, news).outs or {})
    assert (outs["undeclared"], len(api.sent)) == ([], sent)
    assert not provider_for(api).diff(ID, outs, news).changes
    provider_for(api, limits=released).delete(ID, outs)
    assert held(api) == {}


def test_somebody_added_by_hand_and_not_declared_keeps_the_grant_at_destroy(api: FakeApi) -> None:
    """A refresh alone makes nobody declared, however often it runs."""
    outs = dict(provider_for(api).create(inputs(BO_CY)).outs or {})
    api.give(PRODUCTION, "di@example.com", "consumer")
    for _ in range(2):
        outs = after_refresh(provider_for(api), outs)
    assert outs["undeclared"] == ["di@example.com"]
    provider_for(api, limits=Limits(released=ALL)).delete(ID, outs)
    assert held(api) == {"di@example.com": "consumer"}


@pytest.mark.parametrize("role", ["consumer", "analyst"])
@pytest.mark.parametrize("refreshed_again", [True, False])
def test_a_declared_grant_that_was_lost_and_given_again_by_hand_is_declared(
    api: FakeApi, role: str, refreshed_again: bool
) -> None:
    """The state remembers that it was declared: nobody "added" them, and `destroy` takes the grant away."""
    outs = dict(provider_for(api).create(inputs(BO_CY)).outs or {})
    api.rows = [grant for grant in api.rows if grant.email != "cy@example.com"]
    for _ in range(2):
        outs = after_refresh(provider_for(api), outs)
    assert (outs["grants"], outs["lost"]) == ({"bo@example.com": "analyst"}, ["cy@example.com"])
    assert provider_for(api).diff(ID, outs, inputs(BO_CY)).changes
    api.give(PRODUCTION, "cy@example.com", role)
    if refreshed_again:
        outs = after_refresh(provider_for(api), outs)
        assert (outs["undeclared"], "lost" in outs) == ([], False)
    provider_for(api, limits=Limits(released=ALL)).delete(ID, outs)
    assert held(api) == {}


def test_a_lost_grant_that_is_no_longer_declared_is_forgotten(api: FakeApi) -> None:
    """Whoever gives it by hand after that has added it by hand."""
    outs = dict(provider_for(api).create(inputs(BO_CY)).outs or {})
    api.rows = [grant for grant in api.rows if grant.email != "cy@example.com"]
    outs = after_refresh(provider_for(api), outs)
    outs = dict(provider_for(api).update(ID, outs, inputs({"bo@example.com": "analyst"}, ticket="OPS-1")).outs or {})
    assert "lost" not in outs
    api.give(PRODUCTION, "cy@example.com", "consumer")
    assert after_refresh(provider_for(api), outs)["undeclared"] == ["cy@example.com"]


def test_a_lost_grant_that_is_no_longer_declared_goes_if_it_was_given_again(api: FakeApi) -> None:
    """It is a change though the state does not show the grant: the state knows that it was declared."""
    outs = dict(provider_for(api).create(inputs(BO_CY)).outs or {})
    api.rows = [grant for grant in api.rows if grant.email != "cy@example.com"]
    outs, less = after_refresh(provider_for(api), outs), inputs({"bo@example.com": "analyst"})
    api.give(PRODUCTION, "cy@example.com", "consumer")
    assert provider_for(api).diff(ID, outs, less).changes
    outs = dict(provider_for(api).update(ID, outs, less).outs or {})
    assert held(api) == outs["grants"] == {"bo@example.com": "analyst"}
    assert not provider_for(api).diff(ID, outs, less).changes


def test_a_state_of_the_first_version_declares_whom_it_has(api: FakeApi) -> None:
    """It knows no lost grants, and its grants are declared but for those added by hand."""
    api.give(PRODUCTION, "bo@example.com", "analyst")
    api.give(PRODUCTION, "cy@example.com", "consumer")
    outs = {**inputs(BO_CY), "undeclared": ["cy@example.com"], "beside": {}}
    assert after_refresh(provider_for(api), outs) == outs
    provider_for(api, limits=Limits(released=ALL)).delete(ID, outs)
    assert held(api) == {"cy@example.com": "consumer"}


@pytest.mark.parametrize(("by_hand", "kept"), [("admin", True), ("consumer", False), ("analyst", False)])
def test_a_higher_role_that_somebody_was_faster_to_give_is_kept_and_said(
    api: FakeApi, by_hand: str, kept: bool
) -> None:
    """The state has what is declared, so that the next refresh shows it as drift and the next update puts ours back."""
    said: list[str] = []
    provider = provider_for(api, said)
    declared = inputs({"bo@example.com": "analyst", "new@example.org": "analyst"})
    assert provider.session.directory.person("new@example.org") is None
    assert provider.session.directory.grants(PRODUCTION) == {}
    api.put("new@example.org", invited=True)
    api.give(PRODUCTION, "new@example.org", by_hand)
    outs = provider.create(declared).outs or {}
    assert held(api) == {"bo@example.com": "analyst", "new@example.org": by_hand if kept else "analyst"}
    assert outs["grants"] == declared["grants"]
    assert any("it is kept; the next refresh shows it" in line for line in said) is kept
    assert provider.diff(ID, outs, declared).changes is False
    seen = provider_for(api).read(ID, outs).outs or {}
    assert provider.diff(ID, seen, declared).changes is kept
    provider_for(api).update(ID, seen, declared)
    assert held(api) == declared["grants"]


def test_what_is_sent_of_somebody_has_mixpanels_spelling(api: FakeApi) -> None:
    """The program writes the domain in Unicode, and Mixpanel in punycode: one person, who is given and taken from."""
    api.put("kim@xn--mnchen-3ya.example")
    declared = inputs({"kim@m\u00fcnchen.example": "analyst"})
    outs = provider_for(api).create(declared).outs or {}
    assert outs["grants"] == declared["grants"]
    assert outs["undeclared"] == []
    assert held(api) == {"kim@xn--mnchen-3ya.example": "analyst"}
    provider_for(api).delete(ID, outs)
    assert api.sent[-1] == ("remove_grants", ("kim@xn--mnchen-3ya.example", (PRODUCTION,)))
    assert held(api) == {}
