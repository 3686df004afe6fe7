"""`Member`: check, diff, create, read, update, delete."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime import rpc

from mixpanel_access.directory.this_machine import Sendings
from mixpanel_access.model import errors, roles
from mixpanel_access.model.access import GrantType, Person
from mixpanel_access.model.brakes import Brake, Limits
from mixpanel_access.model.dates import written
from mixpanel_access.model.ownership import REMOVALS
from mixpanel_access.provider import member_handler
from mixpanel_access.provider.handler import Problems
from mixpanel_access.provider.lifecycle import Lifecycle
from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.member_handler import MemberHandler
from mixpanel_access.provider.member_steps import FRESH_SECONDS, NOW_SECONDS, holds_until
from mixpanel_access.provider.run import Run
from mixpanel_access.provider.session import Session
from tests.fake_states import FakeStates
from tests.fakes import NOW, ORGANIZATION, PRODUCTION, FakeApi, make_directory, make_session
from tests.provider.forms import FORM, MemberInGroup, both

ID = f"{ORGANIZATION}:cy@example.com"


@pytest.fixture
def api() -> FakeApi:
    """An organization with one owner."""
    api = FakeApi()
    api.put("ana@example.com", "owner")
    return api


form = both(MemberProvider, MemberInGroup)


def provider_for(api: FakeApi, **settings: Any) -> Any:
    """A provider in a session over the fake."""
    provider = FORM.get()()
    provider.use(make_session(api, **settings)[0])
    return provider


def handler_for(api: FakeApi, **settings: Any) -> MemberHandler:
    """A handler in a session over the fake."""
    handler = MemberHandler()
    handler.use(make_session(api, **settings)[0])
    return handler


def inputs(**changes: Any) -> dict[str, Any]:
    """The inputs of one compliant member."""
    return {"email": "cy@example.com", "role": "member", "removal": "when_unused", **changes}


def test_a_compliant_member_passes(api: FakeApi) -> None:
    """Nothing is wrong with it, and what was left out is filled in."""
    result = provider_for(api).check({}, {"email": "cy@example.com", "ticket": None, "__provider": "x"})
    assert result.failures == []
    assert result.inputs == {"email": "cy@example.com", "removal": "when_unused"}


SPOILED = {
    "no address": ({"email": None}, "email", "missing"),
    "no domain": ({"email": "cy"}, "email", "not an e-mail address"),
    "blanks": ({"email": "cy@example.com "}, "email", "blanks"),
    "not a text": ({"email": 7}, "email", "not int"),
    "unknown role": ({"role": "superuser"}, "role", "there are owner, admin, billing_admin, member"),
    "role is not a text": ({"role": 3}, "role", "not an organization role"),
    "role above our own": ({"role": "owner"}, "role", "whose own organization role is 'admin'"),
    "unknown removal": ({"removal": "sometimes"}, "removal", "when_unused, always, never"),
    "no date": ({"ends": "tomorrow"}, "ends", "YYYY-MM-DD"),
    "ends before it starts": ({"starts": "2026-02-01", "ends": "2026-01-31"}, "ends", "before it starts"),
    "unknown input": ({"rolle": "member"}, "rolle", "not an input"),
    "metadata is not a text": ({"ticket": 4711}, "ticket", "is text"),
}


@pytest.mark.parametrize(("change", "field", "words"), SPOILED.values(), ids=SPOILED.keys())
def test_a_spoiled_member_is_refused_in_words(api: FakeApi, change: dict[str, Any], field: str, words: str) -> None:
    """Each wrong input is told by name, before anything is written."""
    if FORM.get() is not MemberProvider and not isinstance(change.get("email", ""), str):
        pytest.skip("the people of a group are the keys of a mapping")
    failures = provider_for(api).check({}, inputs(**change)).failures
    assert [failure.property for failure in failures] == [field]
    assert words in failures[0].reason
    assert api.writes == []


def test_all_problems_are_told_at_once(api: FakeApi) -> None:
    """One wrong field does not hide the others."""
    failures = provider_for(api).check({}, inputs(email="cy", removal="x", ends="y", role="superuser")).failures
    assert [failure.property for failure in failures] == ["email", "removal", "ends"]


@pytest.mark.parametrize("field", ["email", "role", "removal", "ends", "ticket"])
def test_unknown_values_at_preview_are_fine(api: FakeApi, field: str) -> None:
    """What another resource will only tell later is not judged now."""
    assert provider_for(api).check({}, inputs(**{field: rpc.UNKNOWN})).failures == []
    assert provider_for(api).diff(ID, inputs(), inputs(**{field: rpc.UNKNOWN})).changes


@pytest.mark.parametrize("own", [*roles.ORGANIZATION_ROLES, None, "emperor"])
@pytest.mark.parametrize("role", roles.ORGANIZATION_ROLES)
def test_nobody_is_given_a_role_above_our_own(api: FakeApi, own: str | None, role: str) -> None:
    """Every pair of roles: only owners make owners, only managers manage; an untold own role is left to the server."""
    api.own_role = own
    allowed = own is None or own == "owner" or (own == "admin" and role != "owner")
    assert (provider_for(api).check({}, inputs(role=role)).failures == []) is allowed


def test_an_unknown_role_that_the_person_has_is_kept(api: FakeApi) -> None:
    """A role word that we do not know is never forced into another."""
    api.put("cy@example.com", "auditor")
    provider = provider_for(api)
    assert provider.check({}, inputs(role="auditor")).failures == []
    assert provider.create(inputs(role="auditor")).outs["role"] == "auditor"
    assert api.writes == []


def test_what_was_accepted_is_not_asked_about_again(api: FakeApi) -> None:
    """A preview without changes costs no request."""
    assert provider_for(api).check(inputs(), inputs(ticket="OPS-1")).failures == []
    assert not api.calls


@pytest.mark.parametrize(
    ("value", "reason", "shown"),
    [
        (1234567, "organization 1 has no project 1234567", ("", "organization 1 has no project 1234567")),
        (1234567, "take one of the two", ("", "project_id 1234567: take one of the two")),
        (-1234567, "it is not an id", ("", "project_id -1234567: it is not an id")),
        (1234567.5, "it is not an id", ("", "project_id 1234567.5: it is not an id")),
        (999999, "no project 999999", ("project_id", "no project 999999")),
        ("1234567", "no project", ("project_id", "no project")),
        (True, "it is not an id", ("project_id", "it is not an id")),
    ],
)
def test_no_id_is_shown_with_an_exponent(value: object, reason: str, shown: tuple[str, str], api: FakeApi) -> None:
    """The engine shows the value of a field that has a problem, and 1234567 as 1.234567e+06: those are in words."""

    class MemberHandler(member_handler.MemberHandler):
        INPUTS = (*member_handler.MemberHandler.INPUTS, "project_id")

        def check(self, inputs: dict[str, Any], problems: Problems) -> None:
            problems.add("project_id", reason)

    handler = MemberHandler()
    handler.use(make_session(api)[0])
    (failure,) = Lifecycle(handler).check({}, {**inputs(), "project_id": value}).failures
    assert failure == shown


def test_a_stranger_is_invited(api: FakeApi) -> None:
    """Create invites, and the state has what the server says and when the invitation ends."""
    result = provider_for(api).create(inputs(ticket="OPS-1"))
    assert result.id == ID
    assert result.outs == {
        **inputs(ticket="OPS-1"),
        "organization_role": "member",
        "status": "pending",
        "invited_at": "2026-05-04T12:00:00Z",
        "expires_at": "2026-05-11T12:00:00Z",
        "adopted": False,
        "origin": "invited",
    }
    assert api.sent == [("invite", {"cy@example.com": "member"})]


def test_a_member_who_is_there_is_adopted(api: FakeApi) -> None:
    """Nobody is invited who is in, in any spelling."""
    api.put("Cy@Example.com")
    outs = provider_for(api).create(inputs()).outs or {}
    assert (outs["adopted"], outs["status"], outs["email"]) == (True, "accepted", "cy@example.com")
    assert "expires_at" not in outs
    assert api.writes == []


def test_a_pending_invitation_is_adopted_and_ends_at_the_latest_a_life_from_now(api: FakeApi) -> None:
    """When it went out is not known; that it ends within its life is."""
    api.put("cy@example.com", invited=True)
    outs = provider_for(api, invitation_life_days=14).create(inputs()).outs or {}
    assert (outs["status"], outs["expires_at"]) == ("pending", "2026-05-18T12:00:00Z")
    assert "invited_at" not in outs
    assert api.writes == []


def test_an_adopted_member_gets_the_declared_role_and_it_is_said(api: FakeApi) -> None:
    """A role is never changed silently."""
    api.put("cy@example.com", "admin")
    session, said = make_session(api)
    provider = FORM.get()()
    provider.use(session)
    assert (provider.create(inputs()).outs or {})["role"] == "member"
    assert said == ["cy@example.com is in the organization as admin already; becomes member"]


def test_a_member_without_a_declared_role_keeps_theirs(api: FakeApi) -> None:
    """A stack that does not own organization roles demotes nobody."""
    provider = provider_for(api)
    outs = provider.create({"email": "ana@example.com", "removal": "never"}).outs or {}
    assert outs["organization_role"] == "owner"
    assert "role" not in outs
    assert not provider.diff("x", outs, {"email": "ana@example.com", "removal": "never"}).changes
    assert api.writes == []


def test_a_list_without_roles_is_taken_as_unknown(api: FakeApi) -> None:
    """Where the list lacks roles, nothing is changed on a guess and the declared role is kept."""
    api.put("cy@example.com", None)
    outs = provider_for(api).create(inputs(role="admin")).outs or {}
    assert outs["role"] == "admin"
    assert api.writes == []


def test_a_write_that_the_server_only_claims_is_told(api: FakeApi) -> None:
    """An accepted request that changed nothing is an error, not a state."""
    api.deaf = {"invite", "change_role"}
    with pytest.raises(errors.NotApplied, match=r"cy@example.com.*shows nobody"):
        provider_for(api).create(inputs())
    api.put("cy@example.com")
    with pytest.raises(errors.NotApplied, match="shows member"):
        provider_for(api).create(inputs(role="admin"))


def test_create_again_after_a_failure_finishes(api: FakeApi) -> None:
    """A create that failed half-way leaves nothing that a second run trips over."""
    api.faults["list_users"] = [errors.Unreachable("cannot list")]
    with pytest.raises(errors.Unreachable):
        provider_for(api).create(inputs())
    assert (provider_for(api).create(inputs()).outs or {})["status"] == "pending"
    assert api.calls["invite"] == 1


def test_drift_shows_in_inputs_and_outputs(api: FakeApi) -> None:
    """A role changed on the server is what a refresh tells."""
    provider = provider_for(api)
    outs = provider.create(inputs(notes="x")).outs or {}
    api.put("cy@example.com", "admin")
    result = provider_for(api).read(ID, outs)
    assert result.inputs == inputs(role="admin", notes="x")
    assert (result.outs or {})["status"] == "accepted"
    assert provider.diff(ID, result.outs or {}, inputs(notes="x")).changes


def test_nothing_changes_after_create_and_read(api: FakeApi) -> None:
    """What was created reads back as it is declared."""
    provider = provider_for(api)
    outs = provider.create(inputs()).outs or {}
    result = provider.read(ID, outs)
    assert (result.outs, result.inputs) == (outs, None)
    assert not provider.diff(ID, outs, inputs()).changes


def test_inputs_are_handed_over_only_when_something_has_changed(api: FakeApi) -> None:
    """The engine keeps those that it has, whose numbers are all floating-point; to send them again is slow."""
    outs = provider_for(api).create(inputs()).outs or {}
    held = {**outs, "__provider": "pickled"}
    assert provider_for(api).read(ID, held).inputs is None
    api.put("cy@example.com", "admin")
    assert provider_for(api).read(ID, held).inputs == inputs(role="admin")


def test_a_vanished_person_reads_as_gone(api: FakeApi) -> None:
    """The engine takes an empty id for it."""
    result = provider_for(api).read(ID, inputs())
    assert (result.id, result.outs) == ("", {})


def test_a_run_that_only_takes_sends_no_invitation_again(api: FakeApi) -> None:
    """`mixpanel-access revoke` invites nobody, not even whose invitation has expired; the next `pulumi up` does."""
    outs = dict(provider_for(api).create(inputs()).outs or {})
    for takes_only, sent in ((True, 1), (False, 2)):
        later = provider_for(api, now=NOW + timedelta(days=8))
        later.session.takes_only = takes_only
        assert bool(later.diff(ID, outs, inputs()).changes) is not takes_only
        later.update(ID, outs, inputs(ticket="OPS-2"))
        assert api.calls["invite"] == sent


@pytest.mark.parametrize(
    ("seconds", "status"), [(-1, "pending"), (0, "expired"), (1, "expired")], ids=["just before", "at", "just after"]
)
def test_pending_is_no_drift_and_expired_is(api: FakeApi, seconds: int, status: str) -> None:
    """At the very second of its end an invitation is expired, and the next up sends it again."""
    outs = provider_for(api).create(inputs()).outs or {}
    later = provider_for(api, now=NOW + timedelta(days=7, seconds=seconds))
    refreshed = later.read(ID, outs).outs or {}
    assert refreshed["status"] == status
    assert bool(later.diff(ID, refreshed, inputs()).changes) is (status == "expired")
    assert bool(later.diff(ID, outs, inputs()).changes) is (status == "expired")  # without a refresh too
    updated = later.update(ID, refreshed, inputs(ticket="OPS-2")).outs or {}
    assert api.calls["invite"] == (2 if status == "expired" else 1)
    sent = NOW + timedelta(days=7, seconds=seconds) if status == "expired" else NOW
    assert (updated["status"], updated["invited_at"]) == ("pending", written(sent))
    assert updated["expires_at"] == written(sent + timedelta(days=7))


@pytest.mark.parametrize(
    ("role", "adopted", "again"),
    [("member", True, True), ("member", False, True), (None, False, True), (None, True, False)],
)
def test_one_stack_sends_an_expired_invitation_again(
    api: FakeApi, role: str | None, adopted: bool, again: bool
) -> None:
    """The one that declares the organization role, or that sent it; who only found it waiting leaves it to them."""
    declared = {key: value for key, value in inputs(role=role).items() if value is not None}
    api.put("cy@example.com", invited=adopted) if adopted else None
    outs = provider_for(api).create(dict(declared)).outs or {}
    api.sent.clear()
    later = provider_for(api, now=NOW + timedelta(days=8))
    refreshed = later.read(ID, outs).outs or {}
    assert refreshed["status"] == "expired"
    assert bool(later.diff(ID, refreshed, dict(declared)).changes) is again
    later.update(ID, refreshed, {**declared, "ticket": "OPS-1"})
    assert api.writes == (["invite"] if again else [])


def test_an_invitation_accepted_since_is_not_sent_again(api: FakeApi) -> None:
    """The state says expired, the server says accepted: the server is right."""
    outs = provider_for(api).create(inputs()).outs or {}
    api.put("cy@example.com")
    later = provider_for(api, now=NOW + timedelta(days=30))
    assert (later.update(ID, outs, inputs()).outs or {})["status"] == "accepted"
    assert api.calls["invite"] == 1


ACCEPTED: dict[str, tuple[dict[str, Any], bool | None, bool, int]] = {
    "accepted, and the state says expired": ({}, False, False, 1),
    "accepted, and the state has no end of it": ({"expires_at": None}, False, False, 1),
    "waiting": ({}, True, True, 1),
    "waiting, and the state has no end of it": ({"expires_at": None}, True, True, 1),
    "gone": ({}, None, True, 1),
    "accepted, and it would still hold": ({"expires_at": written(NOW + timedelta(days=99))}, False, False, 0),
    "waiting, and it would still hold": ({"expires_at": written(NOW + timedelta(days=99))}, True, False, 0),
    "the state says accepted": ({"status": "accepted"}, False, False, 0),
}


@pytest.mark.parametrize(("changes", "invited", "planned", "reads"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_preview_plans_no_invitation_for_who_has_accepted(
    api: FakeApi, changes: dict[str, Any], invited: bool | None, planned: bool, reads: int
) -> None:
    """The list of people decides, read once for everybody, and not at all where no state says that one has expired."""
    emails = [f"p{number}@example.com" for number in range(3)]
    held = {email: dict(provider_for(api).create(inputs(email=email)).outs or {}) for email in emails}
    for email in emails:
        api.people.pop(email)
        if invited is not None:
            api.put(email, invited=invited)
    api.calls.clear()
    api.sent.clear()
    later = provider_for(api, now=NOW + timedelta(days=8))
    for email, outs in held.items():
        olds = {name: value for name, value in {**outs, **changes}.items() if value is not None}
        assert bool(later.diff(f"{ORGANIZATION}:{email}", olds, inputs(email=email)).changes) is planned
    assert (api.calls["list_users"], api.writes) == (reads, [])


def test_a_change_of_metadata_sends_no_request(api: FakeApi) -> None:
    """Tickets and dates are ours alone."""
    outs = provider_for(api).create(inputs(ticket="OPS-1")).outs or {}
    api.calls.clear()
    provider = provider_for(api)
    news = inputs(ends="2026-12-31")
    assert provider.check(inputs(ticket="OPS-1"), dict(news)).failures == []
    diff = provider.diff(ID, outs, news)
    assert (diff.changes, diff.replaces) == (True, [])
    updated = provider.update(ID, outs, news).outs or {}
    assert updated == {**{k: v for k, v in outs.items() if k != "ticket"}, "ends": "2026-12-31"}
    assert not api.calls


@pytest.mark.parametrize(
    ("email", "replaced"), [("cy@example.com", False), ("CY@Example.com", False), ("di@example.com", True)]
)
def test_another_person_is_a_replacement_and_another_spelling_is_not(api: FakeApi, email: str, replaced: bool) -> None:
    """Addresses are compared without regard to case, and kept as written."""
    provider = provider_for(api)
    outs = provider.create(inputs()).outs or {}
    result = provider.diff(ID, outs, inputs(email=email))
    assert result.changes is (email != "cy@example.com")
    assert bool(result.replaces) is (replaced and FORM.get() is MemberProvider)  # in a group, one leaves and one comes
    if not replaced:
        assert (provider.update(ID, outs, inputs(email=email)).outs or {})["email"] == email
        assert api.writes == ["invite"]


def test_a_role_changed_while_pending_changes_the_invitation(api: FakeApi) -> None:
    """No second e-mail goes out for it."""
    provider = provider_for(api)
    outs = provider.create(inputs()).outs or {}
    updated = provider.update(ID, outs, inputs(role="admin")).outs or {}
    assert (updated["role"], updated["status"]) == ("admin", "pending")
    assert api.writes == ["invite", "change_role"]


def test_an_update_of_somebody_who_left_invites_them_again(api: FakeApi) -> None:
    """What is declared is brought about, whatever became of it."""
    provider = provider_for(api)
    outs = provider.create(inputs()).outs or {}
    api.people.pop("cy@example.com")
    updated = provider_for(api).update(ID, outs, inputs(role="admin")).outs or {}
    assert updated["role"] == "admin"
    assert api.writes == ["invite", "invite"]


@pytest.mark.parametrize("removal", REMOVALS)
@pytest.mark.parametrize("way", [None, *GrantType])
def test_who_leaves_and_who_stays(api: FakeApi, removal: str, way: GrantType | None) -> None:
    """Every removal with every way of access: a grant that is somebody else's keeps a person in, unless 'always'."""
    api.put("cy@example.com")
    if way:
        api.give(PRODUCTION, "cy@example.com", "analyst", way)
    session, said = make_session(api)
    provider = FORM.get()()
    provider.use(session)
    provider.delete(ID, inputs(removal=removal))
    held = way in (GrantType.INDIVIDUAL, GrantType.TEAM)
    stays = removal == "never" or (removal == "when_unused" and held)
    assert ("cy@example.com" in api.people) is stays
    assert bool(said) is stays
    if stays and removal == "when_unused":
        assert str(PRODUCTION) in said[0]


@pytest.mark.parametrize("removal", REMOVALS)
@pytest.mark.parametrize("declared", [None, "admin"])
@pytest.mark.parametrize("actual", [*roles.ORGANIZATION_ROLES, None])
def test_whose_organization_role_is_another_stacks_stays(
    api: FakeApi, removal: str, declared: str | None, actual: str | None
) -> None:
    """A stack that does not declare the role does not remove whom another made admin, unless 'always'."""
    api.own_role = "owner"  # or nobody could remove an owner
    api.put("cy@example.com", actual)
    api.put("ana@example.com", "owner")
    session, said = make_session(api)
    provider = FORM.get()()
    provider.use(session)
    provider.delete(ID, {"email": "cy@example.com", "removal": removal, **({"role": declared} if declared else {})})
    others = declared is None and actual not in (None, "member")
    assert ("cy@example.com" in api.people) is (removal == "never" or (removal == "when_unused" and others))
    assert any(f"the organization role {actual}, which is not" in line for line in said) is (
        others and removal != "always"
    )


def test_a_removal_decides_on_what_is_so_now(api: FakeApi) -> None:
    """The list of people is read afresh before anybody is removed."""
    api.put("cy@example.com")
    seconds = [0.0]
    provider = provider_for(api, clock=lambda: seconds[0])
    provider.session.directory.people()
    api.people.pop("cy@example.com")
    seconds[0] = NOW_SECONDS + 0.1
    provider.delete(ID, inputs())
    assert api.writes == []


def test_removals_that_follow_each_other_share_a_reading(api: FakeApi) -> None:
    """What the first one has read back is what the next one decides on."""
    for email in ("cy@example.com", "di@example.com"):
        api.put(email)
    provider = provider_for(api, clock=lambda: 0.0)
    for email in ("cy@example.com", "di@example.com"):
        provider.delete(f"{ORGANIZATION}:{email}", {**inputs(), "email": email})
    assert api.writes == ["remove", "remove"]
    assert api.calls["list_users"] == 3  # before the first, and after each


def test_a_removal_that_the_server_only_claims_is_told(api: FakeApi) -> None:
    """A person who is still listed is not reported as gone."""
    api.put("cy@example.com")
    api.deaf = {"remove"}
    with pytest.raises(errors.NotApplied, match="still lists the person"):
        provider_for(api).delete(ID, inputs())


@pytest.mark.parametrize("verb", ["read", "update", "delete"])
def test_state_of_another_organization_is_not_touched(api: FakeApi, verb: str) -> None:
    """A stack pointed at another organization stops before it reads or writes."""
    provider, foreign = provider_for(api), "1:cy@example.com"
    with pytest.raises(errors.InputError, match="belongs to organization 1"):
        getattr(provider, verb)(foreign, *[inputs()] * (2 if verb == "update" else 1))
    assert not api.calls


def test_a_resource_of_another_name_for_the_same_person_removes_nobody(api: FakeApi) -> None:
    """A rename is a create that adopts, and then a delete: the person is declared, so they stay, and it is said."""
    session, said = make_session(api)
    provider = FORM.get()()
    provider.use(session)
    outs = provider.create(inputs()).outs or {}
    provider.check({}, inputs(email="CY@example.com"))  # under the new name
    provider.delete(ID, outs)
    assert "cy@example.com" in api.people
    assert said == ["cy@example.com: declared under another name too; nothing is taken away"]


HIDDEN: dict[str, tuple[dict[str, Any], bool]] = {
    # what the state has, and whether the person leaves
    "invited": ({"adopted": False, "origin": "invited"}, True),
    "invited with 0.1.0": ({"adopted": False}, True),
    "invited by another stack": ({"adopted": True, "origin": "shared"}, True),
    "imported": ({"adopted": True, "origin": "imported"}, True),
    "found, and said to be ours": ({"adopted": True, "origin": "found", "ownership": "ours"}, True),
    "found": ({"adopted": True, "origin": "found"}, False),
    "0.1.0 does not say": ({"adopted": True}, False),
}


@pytest.mark.parametrize(("state", "leaves"), HIDDEN.values(), ids=HIDDEN)
def test_whose_grants_may_be_hidden_leaves_only_if_the_stacks_brought_them(
    api: FakeApi, state: dict[str, Any], leaves: bool
) -> None:
    """What an invited person holds cannot be seen; an invitation of the project's stacks is cancelled all the same."""
    api.hides_invited_grants = True
    api.put("cy@example.com", invited=True)
    api.give(PRODUCTION, "cy@example.com", "admin")
    session, said = make_session(api)
    provider = FORM.get()()
    provider.use(session)
    provider.delete(ID, {**inputs(), **state})
    assert ("cy@example.com" not in api.people) is leaves
    assert any("cannot be seen" in line for line in said) is not leaves


def test_nobody_is_unused_where_no_project_is_seen(api: FakeApi) -> None:
    """An account that has lost sight of the projects knows nothing of what people hold."""
    api.unlisted = set(api.projects_)
    api.put("cy@example.com")
    provider_for(api).delete(ID, inputs())
    assert "cy@example.com" in api.people


def test_a_removal_decides_on_grants_that_are_no_older_than_half_a_minute(api: FakeApi) -> None:
    """What another stack has granted since the operation began keeps the person."""
    api.put("cy@example.com")
    seconds = [0.0]
    session, _ = make_session(api, clock=lambda: seconds[0])
    provider = FORM.get()()
    provider.use(session)
    session.directory.reached_projects("cy@example.com")
    api.give(PRODUCTION, "cy@example.com", "admin")
    seconds[0] = FRESH_SECONDS + 1
    provider.delete(ID, inputs())
    assert "cy@example.com" in api.people


def test_a_role_that_the_list_does_not_tell_is_changed_all_the_same_and_never_made_up(api: FakeApi) -> None:
    """A demotion is sent where it cannot be seen; the state does not claim to have seen it."""
    api.put("cy@example.com", None)
    provider = provider_for(api)
    outs = provider.update(ID, {**inputs(role="admin"), "status": "accepted"}, inputs(role="member")).outs or {}
    assert api.sent == [("change_role", ("cy@example.com", "member"))]
    assert outs["role"] == "member"
    api.people["cy@example.com"] = replace(api.people["cy@example.com"], role=None)
    read = provider_for(api).read(ID, outs).outs or {}
    assert "organization_role" not in read
    provider_for(api).update(ID, read, inputs(role="member", ticket="OPS-1"))
    assert len(api.sent) == 1


def test_a_released_brake_lets_a_role_above_our_own_through_the_check(api: FakeApi) -> None:
    """What Mixpanel says of it is Mixpanel's."""
    limits = Limits(released=frozenset({Brake.ABOVE_OWN_ROLE}))
    assert not provider_for(api, limits=limits).check({}, inputs(role="owner")).failures


# One invitation


@pytest.mark.parametrize(
    ("ours", "by_hand", "kept"),
    [
        ("member", "member", False),
        ("member", "admin", True),
        ("member", "billing_admin", True),
        ("member", "auditor", True),
        ("billing_admin", "admin", True),
        ("admin", "member", False),
        ("admin", "owner", True),
        (None, "admin", False),
    ],
)
@pytest.mark.parametrize("accepted", [False, True])
def test_somebody_who_was_faster_has_invited(
    api: FakeApi, ours: str | None, by_hand: str, kept: bool, accepted: bool
) -> None:
    """No second e-mail goes out; a higher role is kept and said, a refresh shows it, and an update puts ours back."""
    said: list[str] = []
    provider = provider_for(api)
    api.own_role = "owner"
    provider.session.say = said.append
    declared = inputs(role=ours) if ours else {key: value for key, value in inputs().items() if key != "role"}
    assert provider.session.directory.person("cy@example.com") is None  # what the operation has read
    api.put("cy@example.com", by_hand, invited=not accepted)
    outs = provider.create(declared).outs or {}
    assert "invite" not in api.writes
    assert outs["adopted"] is True
    assert "invited_at" not in outs
    assert api.people["cy@example.com"].role == (by_hand if kept or ours is None else ours)
    assert any("is kept; the next refresh shows it" in line for line in said) is kept
    assert provider.diff(ID, outs, declared).changes is False
    seen = provider_for(api).read(ID, outs).outs or {}
    assert bool(provider.diff(ID, seen, declared).changes) is kept
    if kept:
        assert (seen["role"], seen["organization_role"]) == (by_hand, by_hand)
        again = provider_for(api)
        again.update(ID, seen, declared)
        assert api.people["cy@example.com"].role == ours


def test_an_invitation_that_was_accepted_meanwhile_is_not_sent_again(api: FakeApi) -> None:
    """Expired as far as the state knows, and accepted since the organization was read."""
    outs = provider_for(api).create(inputs()).outs or {}
    later = provider_for(api, now=NOW + timedelta(days=30))
    assert later.diff(ID, outs, inputs()).changes
    assert later.session.directory.person("cy@example.com")
    api.people["cy@example.com"] = replace(api.people["cy@example.com"], invited=False, user_id=502)
    again = later.update(ID, outs, inputs()).outs or {}
    assert api.writes == ["invite"]
    assert (again["status"], again.get("invited_at"), again.get("expires_at")) == ("accepted", None, None)


def test_the_first_invitation_is_kept_for_as_long_as_nobody_accepts_one(api: FakeApi) -> None:
    """However often it is sent again; with its acceptance it ends, and who is invited once has no other date."""
    outs = provider_for(api).create(inputs()).outs or {}
    assert "first_invited_at" not in outs
    for weeks in (2, 4):
        outs = provider_for(api, now=NOW + timedelta(weeks=weeks)).update(ID, outs, inputs()).outs or {}
        assert (outs["invited_at"], outs["first_invited_at"]) == (written(NOW + timedelta(weeks=weeks)), written(NOW))
    later = provider_for(api, now=NOW + timedelta(weeks=5))
    assert (later.read(ID, outs).outs or {})["first_invited_at"] == written(NOW)
    api.people["cy@example.com"] = replace(api.people["cy@example.com"], invited=False, user_id=502)
    assert "first_invited_at" not in (provider_for(api, now=NOW + timedelta(weeks=5)).read(ID, outs).outs or {})
    assert api.writes == ["invite"] * 3


ENDS_WITH_ACCEPTANCE = ("invited_at", "expires_at")


def test_the_dates_of_an_invitation_end_with_its_acceptance(api: FakeApi) -> None:
    """At the next reading, and at an update that reads nothing; a state of version 0.1.0 may still have them."""
    outs = provider_for(api).create(inputs()).outs or {}
    assert all(outs[field] for field in ENDS_WITH_ACCEPTANCE)
    api.people["cy@example.com"] = replace(api.people["cy@example.com"], invited=False, user_id=502)
    seen = provider_for(api).read(ID, outs).outs or {}
    assert not set(ENDS_WITH_ACCEPTANCE) & seen.keys()
    old = {**seen, "invited_at": outs["invited_at"], "expires_at": outs["expires_at"]}
    noted = provider_for(api).update(ID, old, inputs(notes="x")).outs or {}
    assert not set(ENDS_WITH_ACCEPTANCE) & noted.keys()
    waiting = provider_for(api).update(ID, outs, inputs(notes="x")).outs or {}
    assert all(waiting[field] == outs[field] for field in ENDS_WITH_ACCEPTANCE)


@pytest.mark.parametrize("of_an_earlier_version", [False, True])
def test_who_left_and_was_invited_by_hand_again_is_not_expired(api: FakeApi, of_an_earlier_version: bool) -> None:
    """The dates of the invitation that they once accepted say nothing of this one; it is counted from now."""
    outs = provider_for(api).create(inputs()).outs or {}
    api.people["cy@example.com"] = replace(api.people["cy@example.com"], invited=False, user_id=502)
    seen = provider_for(api).read(ID, outs).outs or {}
    if of_an_earlier_version:
        seen["invited_at"] = outs["invited_at"]
    api.put("cy@example.com", invited=True)
    later = NOW + timedelta(days=150)
    found = provider_for(api, now=later).read(ID, seen).outs or {}
    assert (found["status"], found.get("invited_at")) == ("pending", None)
    assert found["expires_at"] == written(later + timedelta(days=7))
    assert not provider_for(api, now=later).diff(ID, found, inputs()).changes
    assert provider_for(api, now=later + timedelta(days=8)).diff(ID, found, inputs()).changes


class Stale(Run):
    """A run with the configuration of the last `pulumi up`, as of a plain refresh."""

    def fresh(self) -> bool:
        return False


def test_a_remembered_now_dates_no_invitation(api: FakeApi) -> None:
    """A plain refresh has the `mixpanel:now` of the last `up`: what it finds waiting is dated by the next one."""
    api.put("cy@example.com", invited=True)
    stale = provider_for(api)
    stale.session.run = Stale()
    found = stale.read(ID, inputs()).outs or {}
    assert (found["status"], found.get("expires_at")) == ("pending", None)
    later = provider_for(api, now=NOW + timedelta(days=150))
    assert later.diff(ID, found, inputs()).changes
    dated = later.update(ID, found, inputs()).outs or {}
    assert dated["expires_at"] == written(NOW + timedelta(days=157))
    assert api.writes == []


def test_a_row_without_an_address_holds_removals_and_nothing_else(api: FakeApi) -> None:
    """Who it is, nobody can tell: it is told once, and whoever else there is can be invited and changed."""
    api.put("cy@example.com")
    api.people["?"] = Person("", "admin", invited=False, user_id=503)
    said: list[str] = []
    provider = provider_for(api)
    provider.session.directory.report = said.append
    with pytest.raises(errors.Refused, match=r"1 row without an address \(user 503\).*\[unknownPeople\]"):
        provider.delete(ID, inputs())
    provider.create(inputs(email="di@example.com"))
    provider.update(ID, inputs(), inputs(role="admin"))
    assert api.writes == ["invite", "change_role"]
    assert [line for line in said if "without an address" in line] == said[:1]
    released = provider_for(api, limits=Limits(released=frozenset({Brake.UNKNOWN_PEOPLE})))
    released.delete(ID, inputs())
    assert "cy@example.com" not in api.people


@pytest.mark.parametrize(
    ("declared", "listed"),
    [
        ("cy@example.com", "Cy@Example.com"),
        ("kim@m\u00fcnchen.example", "kim@xn--mnchen-3ya.example"),
        ("zo\u00eb@example.com", "zoe\u0308@example.com"),
    ],
)
def test_whom_mixpanel_spells_another_way_is_adopted(api: FakeApi, declared: str, listed: str) -> None:
    """No invitation goes out, and what is sent about them has Mixpanel's spelling."""
    api.put(listed)
    provider = provider_for(api)
    outs = provider.create(inputs(email=declared, role="admin")).outs or {}
    assert (outs["email"], outs["adopted"]) == (declared, True)
    assert provider.diff("", outs, inputs(email=listed, role="admin")).replaces == []
    provider.delete(f"{ORGANIZATION}:{declared}", {**outs, "removal": "always"})
    assert [verb for verb, _ in api.sent] == ["change_role", "remove"]
    assert api.sent[0] == ("change_role", (listed, "admin"))


SENT, LATER, DAY = NOW - timedelta(days=11), NOW - timedelta(hours=1), timedelta(days=1)


def invitation(sent: datetime | None, ends: datetime, **more: Any) -> dict[str, Any]:
    """A `Member` in a state, whose invitation waits."""
    dates = {"expires_at": written(ends)} | ({"invited_at": written(sent)} if sent else {})
    return {**inputs(), "organization_role": "member", "status": "pending", "adopted": False, **dates, **more}


OTHERS: dict[str, tuple[dict[str, Any] | None, bool]] = {
    "nobody has": (None, False),
    "another stack has": (invitation(LATER, LATER + 7 * DAY), True),
    "another stack has, which found the person": (invitation(LATER, LATER + 7 * DAY, adopted=True), True),
    "another stack knows of the same one": (invitation(SENT, SENT + 7 * DAY), False),
    "that one has expired as well": (invitation(SENT + 2 * DAY, NOW - DAY), False),
    "another stack only found it waiting": (invitation(None, NOW + DAY), False),
    "it was accepted": (inputs(status="accepted", user_id=502), False),
}


@pytest.mark.parametrize(("other", "adopted"), OTHERS.values(), ids=OTHERS.keys())
@pytest.mark.parametrize("ours", [invitation(SENT, SENT + 7 * DAY), invitation(None, NOW - DAY, adopted=True)])
def test_an_expired_invitation_is_sent_again_by_one_stack(
    api: FakeApi, ours: dict[str, Any], other: dict[str, Any] | None, adopted: bool
) -> None:
    """A later one that another stack's state has, and that still holds, is taken for this one: no second e-mail."""
    api.put("cy@example.com", invited=True)
    provider = provider_for(api)
    provider.session.states = FakeStates(production=[ours], staging=[other] if other else [])
    assert provider.diff(ID, ours, inputs()).changes
    outs = provider.update(ID, ours, inputs()).outs or {}
    assert api.writes == ([] if adopted else ["invite"])
    sent = LATER if adopted else NOW
    assert (outs["status"], outs["invited_at"], outs["expires_at"]) == (
        "pending", written(sent), written(sent + 7 * DAY)
    )  # fmt: skip
    assert not provider.diff(ID, outs, inputs()).changes


def test_a_role_that_changes_with_it_is_still_written(api: FakeApi) -> None:
    """The other stack's invitation is taken over, and what this stack declares is brought about."""
    api.put("cy@example.com", invited=True)
    ours = invitation(SENT, SENT + 7 * DAY)
    provider = provider_for(api)
    provider.session.states = FakeStates(production=[ours], staging=[invitation(LATER, LATER + 7 * DAY)])
    outs = provider.update(ID, ours, inputs(role="admin")).outs or {}
    assert (api.writes, outs["role"], outs["invited_at"]) == (["change_role"], "admin", written(LATER))


NO_ROLE = {key: value for key, value in inputs().items() if key != "role"}
FOUND_WAITING = invitation(SENT, SENT + 7 * DAY, adopted=True, origin="shared", role=None)
LEFT: dict[str, tuple[dict[str, Any], bool]] = {
    "nobody else has the person": ({}, True),
    "a stack that sent it": ({"staging": invitation(SENT, SENT + 7 * DAY, role=None)}, False),
    "a stack that gives the role": ({"staging": {**FOUND_WAITING, "role": "member"}}, False),
    "a stack that has no role either, later by name": ({"staging": FOUND_WAITING}, True),
    "a stack that has no role either, earlier by name": ({"development": FOUND_WAITING}, False),
    "other people only": ({"staging": {**FOUND_WAITING, "email": "di@example.com"}}, True),
}


@pytest.mark.parametrize(("others", "again"), LEFT.values(), ids=LEFT.keys())
@pytest.mark.parametrize("readable", [True, False])
def test_the_last_stack_that_has_a_person_sends_an_expired_invitation_again(
    api: FakeApi, others: dict[str, dict[str, Any]], again: bool, readable: bool
) -> None:
    """Whoever else sent it has let them go: one of those that are left sends it, and one alone."""
    api.put("cy@example.com", invited=True)
    ours = {key: value for key, value in FOUND_WAITING.items() if value is not None}
    provider = provider_for(api)
    provider.session.states = FakeStates(
        "production",
        "" if readable else "unreadable",
        production=[ours],
        **{name: [one] for name, one in others.items()},
    )
    again = again and readable
    assert bool(provider.diff(ID, ours, NO_ROLE).changes) is again
    provider.update(ID, ours, NO_ROLE)
    assert api.writes == (["invite"] if again else [])


@pytest.mark.parametrize("how", ["a note of this machine", "the state, read in the lock", "nothing: the other is done"])
def test_two_stacks_that_work_at_once_send_one_e_mail(
    api: FakeApi, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have seen it expired; the second learns in the lock that it was sent. A note says nothing an hour later."""
    for variable in ("XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    api.put("cy@example.com", invited=True)
    ours = invitation(SENT, SENT + 7 * DAY)
    wall = [NOW]
    sendings = Sendings("https://mixpanel.com", ORGANIZATION, lambda: wall[0])

    def stack(name: str) -> Any:
        settings = make_session(api)[0].settings
        provider = FORM.get()()
        provider.use(Session(settings, make_directory(api, sendings=None if "state" in how else sendings)))
        provider.session.states = FakeStates(name, production=[ours], staging=[ours])
        return provider

    first, second = stack("production"), stack("staging")
    assert first.diff(ID, ours, inputs()).changes
    assert second.diff(ID, ours, inputs()).changes
    outs = [first.update(ID, ours, inputs()).outs or {}]
    if "state" in how:
        states = second.session.states
        assert isinstance(states, FakeStates)
        states.members["production"], states.now = list(outs), 1.0
    if "done" in how:
        wall[0] += timedelta(hours=2)
    outs.append(second.update(ID, ours, inputs()).outs or {})
    assert api.writes == ["invite"] * (2 if "done" in how else 1)
    assert [(one["status"], one["invited_at"]) for one in outs] == [("pending", written(NOW))] * 2


def test_a_note_of_an_earlier_sending_is_none(api: FakeApi) -> None:
    """It tells of the invitation that has expired, or of one that has expired as well."""
    api.put("cy@example.com", invited=True)
    for noted in (SENT, NOW - 8 * DAY, NOW + DAY):
        ours = invitation(SENT, SENT + 7 * DAY)
        assert holds_until(handler_for(api).session, noted, ours) is None
    assert holds_until(handler_for(api).session, NOW, invitation(SENT, SENT + 7 * DAY)) == written(NOW + 7 * DAY)


@pytest.mark.parametrize(("role", "declared", "refused"), [("owner", "owner", False), ("member", "owner", True)])
def test_an_owner_who_is_one_needs_no_owners_account(api: FakeApi, role: str, declared: str, refused: bool) -> None:
    """An admin account declares the owners that there are, since it gives them nothing; it makes nobody one."""
    api.put("ana@example.com", role)
    made = provider_for(api)
    failures = made.check({}, {"email": "ana@example.com", "role": declared}).failures
    assert bool(failures) is refused
    if not refused:
        made.create({"email": "ana@example.com", "role": declared, "removal": "when_unused"})
        assert api.writes == []
