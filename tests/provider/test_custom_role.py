"""`CustomRole`: check, diff, create, read, update, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pulumi.runtime import rpc

from mixpanel_access.directory.security import UNTOLD
from mixpanel_access.model import errors
from mixpanel_access.model.access import GrantType
from mixpanel_access.model.resource_ids import CustomRoleId
from mixpanel_access.model.roles import MOST_CUSTOM_ROLES, CustomRoleInfo
from mixpanel_access.model.service_accounts import ServiceAccountInfo
from mixpanel_access.provider.custom_role import CustomRoleProvider
from mixpanel_access.provider.handler import Properties
from mixpanel_access.provider.identities import (
    AccountGrantIdentity,
    AllGrantsIdentity,
    GrantIdentity,
    TeamGrantIdentity,
    TeamIdentity,
)
from mixpanel_access.provider.project_grant import ProjectGrantProvider
from mixpanel_access.provider.session import Session
from mixpanel_access.provider.states import StackStates, States
from tests.fake_roles import BASE, role_id
from tests.fakes import ORGANIZATION, PRODUCTION, WAREHOUSE, FakeApi, make_session

BO = "bo@example.com"


def role(**changes: Any) -> dict[str, Any]:
    """The inputs of one compliant role."""
    return {"project_id": PRODUCTION, "name": "Support", "description": "", "permissions": ["export"], **changes}


def provider(api: FakeApi, said: list[str] | None = None, **settings: Any) -> CustomRoleProvider:
    """A provider in a session over the fake."""
    return in_session(api, said, **settings)[0]


def in_session(api: FakeApi, said: list[str] | None = None, **settings: Any) -> tuple[CustomRoleProvider, Session]:
    """A provider and its session over the fake."""
    session, _ = make_session(api, **settings)
    if said is not None:
        session.say = said.append
    made = CustomRoleProvider()
    made.use(session)
    return made, session


@pytest.fixture
def api() -> FakeApi:
    """An organization with one role in its first project."""
    api = FakeApi()
    api.custom_roles.put(PRODUCTION, "Support", "export")
    return api


def there(api: FakeApi) -> CustomRoleInfo:
    """The one role that there is."""
    (held,) = api.custom_roles.rows
    return held


def may(api: FakeApi) -> set[str]:
    """The permissions of the one role."""
    return set(there(api).permissions or ())


def made(api: FakeApi, said: list[str] | None = None, **changes: Any) -> tuple[str, Properties]:
    """The id and the outputs of a role that is made."""
    result = provider(api, said).create(role(**changes))
    return result.id, dict(result.outs or {})


WRITTEN: dict[str, dict[str, Any]] = {
    "as it is": {},
    "an id as a text": {"project_id": str(PRODUCTION)},
    "another order, twice": {"permissions": ["share", " export", "share"]},
    "blanks": {"name": " Support ", "description": " \n"},
    "no description": {"description": None},
}


@pytest.mark.parametrize("change", WRITTEN.values(), ids=WRITTEN.keys())
def test_a_compliant_role_passes_as_one(api: FakeApi, change: dict[str, Any]) -> None:
    """However it is written, equal roles have equal inputs."""
    result = provider(api).check({}, role(**change))
    wanted = role(permissions=["export", "share"]) if "permissions" in change else role()
    assert (result.failures, result.inputs) == ([], wanted)


SPOILED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no name": ({"name": None}, "name", "cannot be the name of a custom role"),
    "a default role's name": ({"name": "Analyst"}, "name", "a role that every project has"),
    "no project": ({"project_id": 0}, "project_id", "not a project id"),
    "another project": ({"project_id": 99}, "project_id", "has no project 99"),
    "no text": ({"description": 7}, "description", "is not text"),
    "no list": ({"permissions": "export"}, "permissions", "not a list of permissions"),
    "an unknown permission": (
        {"permissions": ["exprot"]}, "permissions",
        f"'exprot' is not a permission of project {PRODUCTION} (did you mean 'export'?)",
    ),
    "an unknown input": ({"permission": ["export"]}, "permission", "this is not an input"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "field", "words"), SPOILED.values(), ids=SPOILED.keys())
def test_a_spoiled_role_is_refused_in_words(api: FakeApi, change: dict[str, Any], field: str, words: str) -> None:
    """Each wrong input is told by name, before anything is written."""
    failures = provider(api).check({}, role(**change)).failures
    assert [failure.property for failure in failures] == [field]
    assert words in failures[0].reason
    assert api.writes == []


def test_a_role_of_another_environment_is_refused(api: FakeApi) -> None:
    """Production and staging never mix, for roles neither."""
    (failure,) = provider(api, environment="staging").check({}, role(environment="production")).failures
    assert failure.reason == (
        "the project is 'production' and this stack is 'staging'; declare the custom role Support in project "
        f"{PRODUCTION} in the stack of its own environment"
    )


NO_PLAN = (errors.Forbidden, errors.NotFound, errors.Invalid, errors.NotApplied)


@pytest.mark.parametrize("kind", NO_PLAN)
def test_a_plan_without_custom_roles_is_told_in_one_line(api: FakeApi, kind: type[errors.MixpanelError]) -> None:
    """With Mixpanel's reason, at preview."""
    api.faults["custom_roles"] = [kind("cannot", why="Mixpanel answered so")]
    (failure,) = provider(api).check({}, role()).failures
    assert failure.reason.startswith(f"project {PRODUCTION} can have no custom role Support (Mixpanel answered so)")
    assert "the plan Enterprise" in failure.reason


def test_codes_pass_where_nobody_tells_which_there_are(api: FakeApi) -> None:
    """Mixpanel decides then; and what a role of the project has is a code, whatever the catalogue."""
    api.faults["permissions"] = [errors.NotFound("cannot")]
    assert provider(api).check({}, role(permissions=["whatever"])).failures == []
    assert provider(api).check({}, role(permissions=[BASE])).failures == []


@pytest.mark.parametrize("before", range(MOST_CUSTOM_ROLES + 1))
def test_a_project_has_at_most_five(before: int) -> None:
    """Those that are there count, whoever made them; adopting one of them takes no room."""
    api = FakeApi()
    for number in range(before):
        api.custom_roles.put(PRODUCTION, f"R{number}")
    checking = provider(api)
    refused = [bool(checking.check({}, role(name=f"N{number}")).failures) for number in range(MOST_CUSTOM_ROLES + 1)]
    assert refused == [number + before >= MOST_CUSTOM_ROLES for number in range(MOST_CUSTOM_ROLES + 1)]
    assert provider(api).check({}, role(name="r0")).failures == [] or before == 0
    assert provider(api).check({}, role(project_id=WAREHOUSE)).failures == []
    if before:
        assert provider(api).check(role(name="R0"), role(name="other")).failures == []  # a new name is no new role


def test_a_name_that_another_role_has_is_refused(api: FakeApi) -> None:
    """Whatever the case; a role may change the case of its own."""
    api.custom_roles.put(PRODUCTION, "Data")
    made = provider(api)
    made.session.states = States(lambda: StackStates({"production": []}), lambda: "production")
    (failure,) = made.check(role(), role(name="DATA")).failures
    assert failure.reason == (
        f"custom role Support in project {PRODUCTION} cannot be renamed to DATA, since there is a custom role Data "
        f"already, which no stack has; declare that one as a resource of its own, or delete it first"
    )
    assert provider(api).check(role(), role(name="SUPPORT")).failures == []
    api.custom_roles.rows = [one for one in api.custom_roles.rows if one.name == "Data"]  # renamed by a run that died
    assert provider(api).check(role(), role(name="Data")).failures == []


DIFFS: dict[str, tuple[dict[str, Any], bool, list[str]]] = {
    "nothing": ({}, False, []),
    "another name": ({"name": "Help"}, True, []),
    "another description": ({"description": "reads"}, True, []),
    "one permission more": ({"permissions": ["export", "share"]}, True, []),
    "permissions yet to be known": ({"permissions": rpc.UNKNOWN}, True, []),
    "another project": ({"project_id": WAREHOUSE}, True, ["project_id"]),
    "a project yet to be made": ({"project_id": rpc.UNKNOWN}, True, []),
    "metadata": ({"ticket": "OPS-2"}, True, []),
}


@pytest.mark.parametrize(("change", "changes", "replaces"), DIFFS.values(), ids=DIFFS.keys())
def test_only_another_project_is_another_role(
    api: FakeApi, change: dict[str, Any], changes: bool, replaces: list[str]
) -> None:
    """All else changes in place."""
    id_ = f"{ORGANIZATION}:{PRODUCTION}:{role_id(1)}"
    result = provider(api).diff(id_, {**role(), "role_id": "x", "base_permissions": [BASE]}, role(**change))
    assert (result.changes, list(result.replaces or [])) == (changes, replaces)


def test_a_role_is_made_and_what_the_server_adds_is_told() -> None:
    """It is an output and no drift."""
    api, said = FakeApi(), list[str]()
    id_, outs = made(api, said, description="reads", ticket="OPS-1")
    held = there(api)
    assert id_ == f"{ORGANIZATION}:{PRODUCTION}:{held.id}"
    assert outs == {
        **role(description="reads", ticket="OPS-1"), "role_id": held.id, "base_permissions": [BASE],
    }  # fmt: skip
    assert said == [f"custom role Support in project {PRODUCTION}: Mixpanel adds {BASE}"]
    read = provider(api).lifecycle.refresh(id_, outs)
    assert read == (outs, role(description="reads", ticket="OPS-1"))
    assert api.writes == ["create_role"]


def test_a_role_that_is_there_is_adopted(api: FakeApi) -> None:
    """And said; it is written only where it is another."""
    said: list[str] = []
    id_, outs = made(api, said)
    assert (id_, outs["role_id"]) == (f"{ORGANIZATION}:{PRODUCTION}:{there(api).id}", there(api).id)
    assert "it is there already" in said[0]
    assert api.writes == []
    made(api, name="SUPPORT", permissions=["share"], description="x")
    assert api.sent == [("put_role", (PRODUCTION, there(api).id, "SUPPORT", "x", ("share",)))]
    assert may(api) == {BASE, "share"}


def test_adopting_takes_away_what_is_not_declared(api: FakeApi) -> None:
    """Also where nobody tells which of the permissions are the server's own."""
    api.custom_roles.rows.clear()
    api.custom_roles.put(PRODUCTION, "Support", "export", "classified")
    api.faults["permissions"] = [errors.NotFound("cannot")]
    made(api)
    assert may(api) == {BASE, "export"}


def test_drift_is_what_nobody_declared_and_the_server_did_not_add() -> None:
    """More by hand, less by hand, another name: each shows, and the next update mends it."""
    api = FakeApi()
    id_, outs = made(api)
    (held,) = api.custom_roles.rows
    for permissions, shown in (
        ({BASE, "export", "classified"}, ["classified", "export"]),
        ({BASE}, []),
        ({"export"}, ["export"]),  # the server's own is the server's business
        ({BASE, "share"}, ["share"]),
    ):
        api.custom_roles.rows = [CustomRoleInfo(PRODUCTION, held.id, "Helpers", "by hand", frozenset(permissions))]
        inputs = dict(provider(api).read(id_, outs).inputs or {})
        assert (inputs["name"], inputs["description"], inputs["permissions"]) == ("Helpers", "by hand", shown)
        read = dict(provider(api).read(id_, outs).outs or {})
        assert provider(api).diff(id_, read, role()).changes
        again = dict(provider(api).update(id_, read, role()).outs or {})
        assert again == outs
        assert (there(api).name, may(api)) == ("Support", {BASE, "export"})


def test_an_import_takes_the_servers_own_by_the_catalogue(api: FakeApi) -> None:
    """Where there is none, everything that the role has is taken for declared."""
    id_ = f"{ORGANIZATION}:{PRODUCTION}:{there(api).id}"
    read = provider(api).read(id_, {})
    assert read.inputs == role()
    assert (read.outs or {})["base_permissions"] == [BASE]
    api.faults["permissions"] = [errors.Forbidden("cannot")]
    assert (provider(api).read(id_, {}).inputs or {})["permissions"] == ["export", BASE]


def test_permissions_that_are_not_told_are_no_drift(api: FakeApi) -> None:
    """They stay as they were declared."""
    id_, outs = made(api)
    api.custom_roles.rows = [CustomRoleInfo(PRODUCTION, there(api).id, "Support")]
    assert provider(api).read(id_, outs).outs == outs


def test_a_role_that_is_gone_is_gone(api: FakeApi) -> None:
    """With its project too; a fault of the server is not taken for it."""
    id_, outs = made(api)
    api.faults["custom_roles"] = [errors.Forbidden("cannot")]
    with pytest.raises(errors.Forbidden):
        provider(api).read(id_, outs)
    assert provider(api).read(f"{ORGANIZATION}:99:{outs['role_id']}", outs).id == ""
    provider(api).delete(f"{ORGANIZATION}:99:{outs['role_id']}", outs)
    api.custom_roles.rows.clear()
    assert provider(api).read(id_, outs).id == ""
    provider(api).delete(id_, outs)
    assert api.writes == []
    with pytest.raises(errors.NotFound, match="it is no longer there"):
        provider(api).update(id_, outs, role(name="Help"))


def test_an_update_of_metadata_sends_nothing(api: FakeApi) -> None:
    """It is ours."""
    id_, outs = made(api)
    api.calls.clear()
    assert provider(api).update(id_, outs, role(ticket="OPS-2")).outs == {**outs, "ticket": "OPS-2"}
    assert api.calls == {}


STATE: dict[str, Any] = role(base_permissions=[BASE])
DEAF: dict[str, tuple[str, Callable[[CustomRoleProvider, str], object], str]] = {
    "a new role": ("create_role", lambda it, id_: it.create(role(name="New")), "shows no role of this id"),
    "another name": ("put_role", lambda it, id_: it.update(id_, STATE, role(name="New")), "shows Support, ''"),
    "a permission more": (
        "put_role", lambda it, id_: it.update(id_, STATE, role(permissions=["export", "share"])), "without share",
    ),
    "a permission less": (
        "put_role", lambda it, id_: it.update(id_, STATE, role(permissions=[])), "the role with export still",
    ),
    "no role": ("delete_role", lambda it, id_: it.delete(id_, STATE), "still shows it"),
}  # fmt: skip


@pytest.mark.parametrize(("verb", "act", "words"), DEAF.values(), ids=DEAF.keys())
def test_what_mixpanel_takes_and_does_not_do_is_told(
    api: FakeApi, verb: str, act: Callable[[CustomRoleProvider, str], object], words: str
) -> None:
    """No write is believed unseen, and one that takes a permission away least of all."""
    api.deaf.add(verb)
    with pytest.raises(errors.NotApplied, match=f"Mixpanel took the request and .*{words}"):
        act(provider(api), f"{ORGANIZATION}:{PRODUCTION}:{there(api).id}")


def holding(api: FakeApi) -> str:
    """Somebody of every kind holds the role; its id."""
    held = there(api).id
    for email, kind in ((BO, GrantType.INDIVIDUAL), ("al@example.com", GrantType.ALL_USERS)):
        api.put(email)
        api.give(PRODUCTION, email, held, kind)
    api.teams.put("Data", "cy@example.com", projects={PRODUCTION: held})
    api.teams.put("Empty", id_=78, projects={PRODUCTION: held, WAREHOUSE: "analyst"})
    api.teams.put("Other", id_=79, projects={PRODUCTION: "analyst"})
    api.give(PRODUCTION, "di@example.com", "analyst")
    api.accounts.append(ServiceAccountInfo(77, "etl.1a.mp-service-account"))
    api.service_accounts.add_to_project(77, PRODUCTION, held)
    api.sent.clear()
    return held


def test_a_deletion_says_whom_it_moves(api: FakeApi) -> None:
    """Before, by name; after, by the number that Mixpanel tells."""
    said: list[str] = []
    id_ = f"{ORGANIZATION}:{PRODUCTION}:{holding(api)}"
    provider(api, said).delete(id_, role())
    whom = f"custom role Support in project {PRODUCTION}"
    holders = f"{BO}, the team Data, the team Empty, all users, service account etl"
    assert said == [
        f"{whom}: is deleted, which moves {holders} to consumer",
        f"{whom}: deleted; Mixpanel moved 5 grants to consumer",
    ]
    assert api.custom_roles.rows == []


def test_a_deletion_says_what_it_cannot_see(api: FakeApi) -> None:
    """It goes on where this stack declares nobody there: nobody loses more than what the role gives."""
    said: list[str] = []
    id_ = f"{ORGANIZATION}:{PRODUCTION}:{holding(api)}"
    api.faults["granted_users"] = [errors.Forbidden("cannot", why="403")]
    api.faults["list_teams"] = [errors.Forbidden("cannot", why="403")]
    api.faults["list_of_project"] = [errors.NotFound("cannot", why="404")]
    provider(api, said).delete(id_, role())
    assert said[0].endswith("not seen: people (403), teams (403), service accounts (404)")
    assert "which moves nobody to consumer" in said[0]


def test_teams_that_are_not_listed_are_seen_by_their_people(api: FakeApi) -> None:
    """Where the list of teams is refused, the project's users tell of those in which somebody is."""
    said: list[str] = []
    id_ = f"{ORGANIZATION}:{PRODUCTION}:{holding(api)}"
    api.faults["list_teams"] = [errors.Forbidden("cannot", why="403")]
    provider(api, said).delete(id_, role())
    assert said[0].endswith(
        f"moves {BO}, the team Data, all users, service account etl to consumer; not seen: teams (403)"
    )


def test_many_holders_are_not_all_named(api: FakeApi) -> None:
    """Ten, and how many more."""
    said: list[str] = []
    for number in range(12):
        api.put(f"p{number:02}@example.com")
        api.give(PRODUCTION, f"p{number:02}@example.com", there(api).id)
    provider(api, said).delete(f"{ORGANIZATION}:{PRODUCTION}:{there(api).id}", role())
    assert "p09@example.com, 2 more to consumer" in said[0]


DECLARED: dict[str, tuple[Any, str]] = {
    "a person": (GrantIdentity(PRODUCTION, BO), BO),
    "a service account": (AccountGrantIdentity(77, PRODUCTION), "service account etl"),
    "a team": (TeamGrantIdentity(77, PRODUCTION), "the team Data"),
    "a team in which nobody is": (TeamGrantIdentity(78, PRODUCTION), "the team Empty"),
}


@pytest.mark.parametrize(("identity", "whom"), DECLARED.values(), ids=DECLARED.keys())
def test_a_role_that_somebody_declared_holds_is_not_deleted(api: FakeApi, identity: Any, whom: str) -> None:
    """It would take from them what the stack says they have; who holds it elsewhere does not count."""
    id_ = f"{ORGANIZATION}:{PRODUCTION}:{holding(api)}"
    deleting, session = in_session(api)
    session.declared |= {
        identity,
        GrantIdentity(PRODUCTION, "di@example.com"),
        GrantIdentity(WAREHOUSE, BO),
        TeamGrantIdentity(78, WAREHOUSE),
    }
    with pytest.raises(errors.Refused, match=f"still declares access for {whom}, who would become consumer"):
        deleting.delete(id_, role())
    assert api.writes == []
    session.declared.discard(identity)
    deleting.delete(id_, role())
    assert api.writes == ["delete_role"]


UNSEEN: dict[str, tuple[str, Any]] = {
    "people": ("granted_users", GrantIdentity(PRODUCTION, "di@example.com")),
    "teams": ("list_teams", TeamGrantIdentity(79, PRODUCTION)),
    "service accounts": ("list_of_project", AccountGrantIdentity(78, PRODUCTION)),
}
"""What cannot be seen -> the call that is refused, and somebody of the kind whom the stack declares in the project."""


@pytest.mark.parametrize("kind", UNTOLD)
@pytest.mark.parametrize(("what", "call", "identity"), [(what, *row) for what, row in UNSEEN.items()], ids=UNSEEN)
def test_a_role_is_not_deleted_under_those_who_are_not_seen(
    api: FakeApi, what: str, call: str, identity: Any, kind: type[errors.MixpanelError]
) -> None:
    """Whom the stack declares there may hold it; who is declared elsewhere, or seen not to hold it, does not count."""
    said: list[str] = []
    id_ = f"{ORGANIZATION}:{PRODUCTION}:{holding(api)}"
    deleting, session = in_session(api, said)
    session.declared |= {other for _, other in UNSEEN.values()} | {
        BO,
        TeamIdentity("data"),
        AllGrantsIdentity(PRODUCTION),
    }
    session.declared |= {
        GrantIdentity(WAREHOUSE, BO),
        TeamGrantIdentity(77, WAREHOUSE),
        AccountGrantIdentity(77, WAREHOUSE),
    }
    api.faults[call] = [kind("cannot", why="so it is")] * 2
    with pytest.raises(errors.Refused, match=rf"not seen: {what} \(so it is\).*Project Settings > Roles"):
        deleting.delete(id_, role())
    assert (api.writes, said) == ([], [])
    session.declared.discard(identity)
    deleting.delete(id_, role())
    assert api.writes == ["delete_role"]
    assert f"not seen: {what} (so it is)" in said[0]


def test_a_role_is_not_deleted_under_those_who_are_invited_and_not_listed(api: FakeApi) -> None:
    """Whom the stack declares there may hold it; who is declared elsewhere, or not at all, is only said."""
    said: list[str] = []
    api.hides_invited_grants = True
    for email in (BO, "cy@example.com"):
        api.put(email, invited=True)
        api.give(PRODUCTION, email, there(api).id)
    deleting, session = in_session(api, said)
    session.declared |= {GrantIdentity(PRODUCTION, BO), GrantIdentity(WAREHOUSE, "cy@example.com")}
    id_ = f"{ORGANIZATION}:{PRODUCTION}:{there(api).id}"
    with pytest.raises(errors.Refused, match=rf"not listed; .* declares there, {BO} may .* invitation is accepted"):
        deleting.delete(id_, role())
    assert (api.writes, said) == ([], [])
    session.declared.discard(GrantIdentity(PRODUCTION, BO))
    deleting.delete(id_, role())
    assert api.writes == ["delete_role"]
    assert said[0].endswith(f"moves nobody to consumer; not seen: what invited people hold ({BO}, cy@example.com)")


def test_invited_people_who_are_listed_are_seen(api: FakeApi) -> None:
    """Where the project lists one of them, it lists them all: who is not among the holders does not hold it."""
    for email in (BO, "cy@example.com"):
        api.put(email, invited=True)
    api.give(PRODUCTION, "cy@example.com", "analyst")
    deleting, session = in_session(api)
    session.declared.add(GrantIdentity(PRODUCTION, BO))
    deleting.delete(f"{ORGANIZATION}:{PRODUCTION}:{there(api).id}", role())
    assert api.writes == ["delete_role"]


def test_where_all_is_seen_nobody_else_stops_a_deletion(api: FakeApi) -> None:
    """Those of the stack who have another role in the project keep it."""
    id_ = f"{ORGANIZATION}:{PRODUCTION}:{holding(api)}"
    deleting, session = in_session(api)
    session.declared |= {identity for _, identity in UNSEEN.values()}
    deleting.delete(id_, role())
    assert api.writes == ["delete_role"]


def test_a_role_declared_under_another_name_stays(api: FakeApi) -> None:
    """Only the resource's name has gone."""
    deleting = provider(api)
    deleting.check({}, role())
    deleting.delete(f"{ORGANIZATION}:{PRODUCTION}:{there(api).id}", role(name="support"))
    assert api.writes == []


def test_a_grant_takes_a_role_that_is_yet_to_be_made(api: FakeApi) -> None:
    """Its id is unknown at preview, and is a role once it is known."""
    session, _ = make_session(api)
    grant = ProjectGrantProvider()
    grant.use(session)
    inputs = {"project_id": PRODUCTION, "email": BO, "role": rpc.UNKNOWN}
    assert grant.check({}, inputs).failures == []
    held = {**inputs, "role": there(api).id}
    assert grant.check({}, held).failures == []
    assert (grant.diff("", held, inputs).changes, grant.diff("", held, inputs).replaces) == (True, [])
    assert not grant.diff("", held, held).changes


@pytest.mark.parametrize("verb", ["read", "update", "delete"])
def test_the_state_of_another_organization_is_left_alone(api: FakeApi, verb: str) -> None:
    """In every verb that reads an id."""
    id_ = f"1:{PRODUCTION}:{there(api).id}"
    args = (id_, role(), role()) if verb == "update" else (id_, role())
    with pytest.raises(errors.InputError, match="it belongs to organization 1"):
        getattr(provider(api), verb)(*args)
    assert api.writes == []


UUID = "5b0c0c3e-0000-4000-8000-000000000001"


@pytest.mark.parametrize("text", ["", "1", "1:2", f"1:{UUID}", f"a:2:{UUID}", f"1::{UUID}", "1:2:admin", f"²:2:{UUID}"])
def test_ids_of_another_shape_are_refused(text: str) -> None:
    """And what is parsed is written again."""
    with pytest.raises(errors.InputError, match="it has the form ORG:PROJECT:ROLE_ID"):
        CustomRoleId.parse(text)
    assert str(CustomRoleId.parse(f"1:2:{UUID.upper()}")) == f"1:2:{UUID}"
