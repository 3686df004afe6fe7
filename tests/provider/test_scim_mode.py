"""SCIM mode: people of claimed domains are let in and kept out by SCIM, and never invited by e-mail."""

from __future__ import annotations

from typing import Any

import pytest

from mixpanel_access.model import errors
from mixpanel_access.model.access import SingleSignOn
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.project_access import ProjectAccessProvider
from mixpanel_access.provider.project_grant import ProjectGrantProvider
from mixpanel_access.provider.removal_brake import RemovalBrakeProvider
from tests.fake_scim import with_scim
from tests.fake_states import FakeStates
from tests.fakes import ORGANIZATION, PRODUCTION, WAREHOUSE, FakeApi, make_directory, provider_over

CLAIMED = SingleSignOn(enabled=True, required=True, idp_managed=True, domains=frozenset({"example.com"}))
CY, ROBIN = "cy@example.com", "robin@agency.example.org"
MEMBER = {"email": CY, "role": "member", "removal": "when_unused"}
GRANT = {"project_id": PRODUCTION, "email": CY, "role": "analyst"}


@pytest.fixture
def api() -> FakeApi:
    """An organization with two owners, a claimed domain and a token."""
    api = with_scim(FakeApi(security=CLAIMED))
    for number in range(2):
        api.put(f"owner{number}@example.com", "owner")
    return api


def provider(
    api: FakeApi, kind: type[AccessProvider] = MemberProvider, said: list[str] | None = None
) -> AccessProvider:
    """A provider in a session of its own over the fake."""
    return provider_over(api, kind, said)


def test_who_is_new_is_provisioned(api: FakeApi) -> None:
    """Without an e-mail; the declared role is given after it."""
    made = provider(api).create({**MEMBER, "role": "admin"})
    assert api.writes == ["scim_create", "change_role"]
    outputs = made.outs or {}
    assert (outputs["status"], outputs["role"], outputs["adopted"]) == ("accepted", "admin", False)
    assert "invited_at" not in outputs
    again = provider(api)
    assert again.read(str(made.id), outputs).outs == outputs
    assert not again.diff(str(made.id), outputs, {**MEMBER, "role": "admin"}).changes


def test_who_waits_for_an_invitation_is_let_in(api: FakeApi) -> None:
    """Instead of a second e-mail."""
    api.put(CY, invited=True)
    made = provider(api).create(MEMBER)
    assert (api.writes, (made.outs or {})["status"]) == (["scim_create"], "accepted")


def test_who_is_in_is_adopted(api: FakeApi) -> None:
    """Nothing is sent."""
    api.put(CY)
    assert (provider(api).create(MEMBER).outs or {})["adopted"] is True
    assert api.writes == []


def test_others_are_invited_as_ever(api: FakeApi) -> None:
    """Only claimed domains come by SCIM; a subdomain is none."""
    for email in (ROBIN, "di@eu.example.com"):
        provider(api).create({**MEMBER, "email": email})
    assert api.writes == ["invite", "invite"]


def test_who_is_no_longer_declared_is_deactivated(api: FakeApi) -> None:
    """Which can be undone; it is told; declared again, they come back."""
    said: list[str] = []
    made = provider(api).create(MEMBER)
    provider(api, said=said).delete(str(made.id), made.outs or {})
    assert api.writes == ["scim_create", "scim_active"]
    assert said == [f"{CY} is deactivated by SCIM, and comes back when they are declared again"]
    assert (provider(api).read(str(made.id), made.outs or {}).outs or {})["status"] == "deactivated"
    provider(api).delete(str(made.id), made.outs or {})
    assert api.writes == ["scim_create", "scim_active"]
    provider(api).create(MEMBER)
    assert api.sent[-1] == ("scim_active", (CY, True))
    assert provider(api).read(str(made.id), made.outs or {}).id == made.id


def test_the_brakes_hold_a_deactivation_too(api: FakeApi) -> None:
    """The last owner is not kept out."""
    api.put("owner0@example.com", "member")
    owner = {"email": "owner1@example.com", "role": "owner", "removal": "always", "adopted": True}
    with pytest.raises(errors.Refused, match="lastOwner"):
        provider(api).delete(f"{ORGANIZATION}:owner1@example.com", owner)
    assert api.writes == []


def test_who_holds_something_else_stays(api: FakeApi) -> None:
    """As without SCIM: `when_unused`."""
    made = provider(api).create(MEMBER)
    api.give(PRODUCTION, CY, "analyst")
    provider(api).delete(str(made.id), made.outs or {})
    assert api.writes == ["scim_create"]


def test_a_grant_lets_a_stranger_in_by_scim(api: FakeApi) -> None:
    """A grant to an unknown address would invite it."""
    provider(api, ProjectGrantProvider).create(GRANT)
    assert api.writes == ["scim_create", "grant"]


def test_many_grants_let_strangers_in_by_scim_too(api: FakeApi) -> None:
    """Those of the claimed domain; the others are invited with the grant."""
    grants = {CY: "analyst", ROBIN: "consumer"}
    provider(api, ProjectAccessProvider).create({"project_id": PRODUCTION, "grants": grants})
    assert [verb for verb in api.writes if verb != "grant"] == ["scim_create"]
    assert (api.people[CY].invited, api.people[ROBIN].invited) == (False, True)
    refused = FakeApi(security=CLAIMED)
    failures = provider(refused, ProjectAccessProvider).check({}, {"project_id": PRODUCTION, "grants": grants}).failures
    assert [failure.property for failure in failures] == ["grants"]
    assert "nobody there is invited by e-mail; have it add them, or set mixpanel:scimToken" in failures[0].reason


LOST = (errors.Unreachable, errors.ServerFault)


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("applied", [True, False])
def test_a_lost_answer_is_settled_by_reading(api: FakeApi, kind: type[errors.MixpanelError], applied: bool) -> None:
    """Nobody is provisioned twice."""
    api.faults["scim_create"] = [kind("cannot", why="lost")]
    api.applied = applied
    provider(api).create(MEMBER)
    assert api.writes == ["scim_create"] * (1 if applied else 2)


@pytest.mark.parametrize("faster", [True, False])
def test_who_is_there_already_is_no_conflict(api: FakeApi, faster: bool) -> None:
    """Where an identity provider was faster; an account in another organization is told, and not tried again."""
    api.faults["scim_create"] = [errors.Invalid("cannot", why="Mixpanel answered 409")]
    api.applied = faster
    if faster:
        provider(api).create(MEMBER)
    else:
        with pytest.raises(errors.Invalid, match="409"):
            provider(api).create(MEMBER)
    assert api.writes == ["scim_create"]


WITHOUT: dict[str, tuple[SingleSignOn, str, bool]] = {
    "managed": (CLAIMED, CY, True),
    "managed, another domain": (CLAIMED, ROBIN, False),
    "claimed, not managed": (SingleSignOn(idp_managed=False, domains=frozenset({"example.com"})), CY, False),
    "nobody tells": (SingleSignOn(), CY, False),
}


@pytest.mark.parametrize("kind", [MemberProvider, ProjectGrantProvider])
@pytest.mark.parametrize(("sso", "email", "refused"), WITHOUT.values(), ids=WITHOUT.keys())
def test_without_a_token_who_is_managed_is_refused(
    kind: type[AccessProvider], sso: SingleSignOn, email: str, refused: bool
) -> None:
    """At preview, before an e-mail goes out; who is in already is no matter."""
    api = FakeApi(security=sso)
    inputs: dict[str, Any] = {**(MEMBER if kind is MemberProvider else GRANT), "email": email}
    failures = provider(api, kind).check({}, dict(inputs)).failures
    assert [failure.property for failure in failures] == (["email"] if refused else [])
    if refused:
        assert "nobody there is invited by e-mail" in failures[0].reason
    api.put(email)
    assert provider(api, kind).check({}, dict(inputs)).failures == []


def test_the_domains_may_be_configured(api: FakeApi) -> None:
    """Where Mixpanel does not tell them; nobody's word is an error, and what Mixpanel tells counts."""
    api.security = SingleSignOn()
    told = make_directory(api)
    with pytest.raises(errors.ConfigurationError, match="config set mixpanel:claimedDomains"):
        told.provisioning.handles(CY)
    assert make_directory(api, claimed=frozenset({"example.com"})).provisioning.handles(CY)
    api.security = CLAIMED
    assert not make_directory(api, claimed=frozenset({"example.net"})).provisioning.handles("di@example.net")


def test_reading_many_costs_one_list(api: FakeApi) -> None:
    """And without a token, nothing."""
    several = [f"person{number}@example.com" for number in range(20)]
    for email in several:
        api.put(email)
    one = provider(api)
    for email in several:
        one.read(f"{ORGANIZATION}:{email}", {**MEMBER, "email": email})
    assert (api.calls["scim_users"], api.calls["sso"], api.calls["list_users"]) == (1, 0, 1)
    api.scim = None
    api.calls.clear()
    provider(api).read(f"{ORGANIZATION}:{several[0]}", MEMBER)
    assert (api.calls["scim_users"], api.calls["sso"]) == (0, 0)


GONE_AGAIN = f"{ORGANIZATION}:{CY}"


def leaver(api: FakeApi, role: str = "admin", removal: str = "when_unused") -> dict[str, Any]:
    """The state of somebody whom the stack let in and gave an organization role."""
    made = provider(api).create({**MEMBER, "role": role, "removal": removal})
    api.sent.clear()
    return dict(made.outs or {})


def kept_out(api: FakeApi) -> set[str]:
    """Whom SCIM shows as inactive."""
    assert api.scim
    return api.scim.kept_out


def test_what_the_stack_gave_ends_before_a_deactivation(api: FakeApi) -> None:
    """Else a later consumer of staging would come back as an admin of the organization."""
    state = leaver(api)
    provider(api).delete(GONE_AGAIN, state)
    assert api.sent == [("change_role", (CY, "member")), ("scim_active", (CY, False))]
    provider(api).create({"email": CY, "removal": "when_unused"})
    assert (api.people[CY].role, kept_out(api)) == ("member", set())


def test_removal_always_takes_every_grant_and_place_before_a_deactivation(api: FakeApi) -> None:
    """As a removal from the organization would; a failure of one of them holds neither the others nor the rest."""
    state = leaver(api, removal="always")
    for project in (PRODUCTION, WAREHOUSE):
        api.give(project, CY, "analyst")
    api.teams.put("Data", CY, id_=7)
    api.faults["change_role"] = [errors.Forbidden("cannot change the role", why="403")]
    with pytest.raises(errors.Forbidden, match="is deactivated; run again"):
        provider(api).delete(GONE_AGAIN, state)
    assert (api.rows, api.teams.teams[7].members) == ([], frozenset())
    assert (api.people[CY].role, kept_out(api)) == ("admin", {CY})
    provider(api).delete(GONE_AGAIN, state)
    assert api.people[CY].role == "member"


BLOCKED = {"the gate": errors.ConfigurationError("not switched on"), "403": errors.Forbidden("cannot", why="403")}


@pytest.mark.parametrize("error", BLOCKED.values(), ids=BLOCKED.keys())
def test_a_failure_to_lower_does_not_hold_a_deactivation(api: FakeApi, error: errors.AccessError) -> None:
    """Access ends, the run fails, and the next one takes the rest."""
    state = leaver(api)
    api.faults["change_role"] = [error]
    with pytest.raises(type(error)):
        provider(api).delete(GONE_AGAIN, state)
    assert (api.people[CY].role, kept_out(api)) == ("admin", {CY})
    provider(api).delete(GONE_AGAIN, state)
    assert api.people[CY].role == "member"


def test_who_is_kept_out_by_the_identity_provider_stays_out(api: FakeApi) -> None:
    """A refresh keeps them in the state, no run activates them, and each says so; activated there, all is as before."""
    state = leaver(api, role="member")
    kept_out(api).add(CY)
    read = provider(api).read(GONE_AGAIN, state)
    outputs = dict(read.outs or {})
    assert (read.id, outputs["status"]) == (GONE_AGAIN, "deactivated")
    said: list[str] = []
    again = provider(api, said=said)
    assert not again.diff(GONE_AGAIN, outputs, MEMBER).changes
    assert said == [
        f"{CY} is deactivated by the identity provider and stays so: activate them there, or delete the entry"
    ]
    again.update(GONE_AGAIN, outputs, {**MEMBER, "role": "billing_admin"})
    provider(api, ProjectGrantProvider).create(GRANT)
    provider(api, ProjectAccessProvider).create({"project_id": WAREHOUSE, "grants": {CY: "analyst"}})
    assert "scim_active" not in api.writes
    kept_out(api).clear()
    assert (provider(api).read(GONE_AGAIN, outputs).outs or {})["status"] == "accepted"


def test_what_somebody_regains_is_said_at_preview(api: FakeApi) -> None:
    """Before somebody who is kept out is declared again and activated."""
    api.put(CY, "admin")
    api.give(PRODUCTION, CY, "analyst")
    kept_out(api).add(CY)
    said: list[str] = []
    assert provider(api, said=said).check({}, {"email": CY}).failures == []
    regained = f"organization admin; analyst in project {PRODUCTION} through an individual grant"
    assert said == [f"{CY} is deactivated, and is activated again with what they had: {regained}"]
    assert api.writes == []


def test_switching_scim_on_lets_in_who_waits_for_an_invitation(api: FakeApi) -> None:
    """The next run makes them members, and sends no e-mail, even for an invitation that has expired."""
    api.scim, scim = None, api.scim
    api.security = SingleSignOn()
    state = leaver(api, role="member")
    assert state["status"] == "pending"
    api.scim, api.security = scim, CLAIMED
    for outputs in (state, {**state, "expires_at": "2026-01-01T00:00:00Z"}):
        api.put(CY, invited=True)
        api.sent.clear()
        on = provider(api)
        assert on.diff(GONE_AGAIN, outputs, MEMBER).changes
        assert (on.update(GONE_AGAIN, outputs, MEMBER).outs or {})["status"] == "accepted"
        assert api.writes == ["scim_create"]
    api.put(ROBIN, invited=True)
    other = {**state, "email": ROBIN}
    assert not provider(api).diff(f"{ORGANIZATION}:{ROBIN}", other, {**MEMBER, "email": ROBIN}).changes


@pytest.mark.parametrize(("email", "ends"), [(ROBIN, True), (CY, False)])
def test_a_refused_token_stops_only_what_goes_by_scim(api: FakeApi, email: str, ends: bool) -> None:
    """The access of agency people ends that night all the same."""
    api.put(email)
    api.faults["scim_users"] = [errors.Unauthorized("cannot list SCIM users", why="401") for _ in range(9)]
    state = {**MEMBER, "email": email, "adopted": False}
    if ends:
        provider(api).delete(f"{ORGANIZATION}:{email}", state)
    else:
        with pytest.raises(errors.Unauthorized):
            provider(api).delete(f"{ORGANIZATION}:{email}", state)
    assert (email in api.people) is not ends


def test_the_last_owner_must_be_able_to_log_in(api: FakeApi) -> None:
    """An owner whom the identity provider keeps out does not count."""
    api.put(CY, "owner")
    kept_out(api).add(CY)
    api.put("owner0@example.com", "member")
    state = {"email": "owner1@example.com", "role": "owner", "removal": "always", "adopted": False}
    with pytest.raises(errors.Refused, match="lastOwner"):
        provider(api).delete(f"{ORGANIZATION}:owner1@example.com", state)


KEPT: dict[str, tuple[FakeStates, bool, str]] = {
    "no stack has them": (FakeStates(production=[]), True, "is activated again with what they had"),
    "another stack has them": (FakeStates(staging=[{"email": CY}]), False, "stack staging has them, so the identity"),
    "unknown": (FakeStates(why="no backend"), False, "not all states of the project's stacks can be read (no backend)"),
}


@pytest.mark.parametrize(("states", "back", "words"), KEPT.values(), ids=KEPT.keys())
def test_who_is_declared_anew_comes_back_unless_the_identity_provider_keeps_them_out(
    api: FakeApi, states: FakeStates, back: bool, words: str
) -> None:
    """A stack deactivates only whom no other stack has, and the preview says which it is."""
    api.put(CY)
    kept_out(api).add(CY)
    said: list[str] = []
    one = provider(api, said=said)
    one.session.states = states
    assert one.check({}, dict(MEMBER)).failures == []
    assert len(said) == 1
    assert words in said[0]
    one.create(dict(MEMBER))
    assert (CY not in kept_out(api)) is back


def test_the_preview_names_what_could_not_be_taken_from_a_leaver(api: FakeApi) -> None:
    """Who is deactivated and still in the state, and is not declared."""
    gone, there = "gone@example.com", "there@example.com"
    for email in (CY, gone, there):
        api.put(email, "admin")
    kept_out(api).update({CY, there})
    said: list[str] = []
    brake = provider(api, RemovalBrakeProvider, said)
    brake.session.states = FakeStates(production=[{"email": email} for email in (CY, gone, there)])
    brake.session.declared.add(there)
    brake.diff("", {"people": []}, {"people": []})
    left = "organization admin; without access to any project"
    assert said == [f"{CY} is deactivated, and `pulumi up` tries again to take away: {left}"]


def test_an_empty_list_of_scim_is_not_absence(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is removed from the organization who would be deactivated; who waits for an invitation goes as ever."""
    state = leaver(api, role="member")
    assert api.scim
    monkeypatch.setattr(api.scim, "list_users", list)
    with pytest.raises(errors.Unintelligible, match="its SCIM list is empty"):
        provider(api).delete(GONE_AGAIN, state)
    assert (api.writes, CY in api.people) == ([], True)
    api.put(CY, invited=True)
    provider(api).delete(GONE_AGAIN, state)
    assert CY not in api.people
