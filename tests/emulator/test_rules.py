"""The server's rules: all pairs of roles, the last owner, one document that survives being written and read."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mixpanel_access.emulator.audit_store import EVENTS
from mixpanel_access.emulator.document import Document
from mixpanel_access.emulator.server import EmulatorServer
from mixpanel_access.model.address import same_key
from mixpanel_access.model.roles import ORGANIZATION_ROLES, PROJECT_ROLES
from tests.emulator.conftest import CUSTOM, NOW, ORG, Client, P, Q, organization, unchanged

RANK = {"owner": 3, "admin": 2, "billing_admin": 1, "member": 1}
BO = "bo@agency.example.org"


def _with(role: str, **more: Any) -> dict[str, Any]:
    return organization(members=[*organization()["members"], {"email": BO, "role": role, **more}])


@pytest.mark.parametrize("own", ORGANIZATION_ROLES)
@pytest.mark.parametrize("theirs", ORGANIZATION_ROLES)
@pytest.mark.parametrize("invited", [False, True], ids=["joined", "invited"])
def test_whom_one_may_remove(connect: Callable[..., Client], own: str, theirs: str, invited: bool) -> None:
    """Owners and admins: people below their own role, and any invitation. The others: nobody."""
    client = connect(own)
    client.control("POST", "seed", _with(theirs, **({"invited_at": NOW} if invited else {})))
    allowed = own in ("owner", "admin") and (invited or RANK[theirs] < RANK[own])
    assert client.users("delete-users/", {"emails": [BO]}).status_code == (200 if allowed else 403)
    assert client.role_of(BO) == (None if allowed else theirs)


@pytest.mark.parametrize("own", ORGANIZATION_ROLES)
@pytest.mark.parametrize("theirs", ORGANIZATION_ROLES)
def test_whose_role_one_may_change(connect: Callable[..., Client], own: str, theirs: str) -> None:
    """Every triple: neither the old nor the new role may stand above one's own."""
    client = connect(own)
    for given_role in ORGANIZATION_ROLES:
        client.control("POST", "members", {"email": BO, "role": theirs})
        allowed = own in ("owner", "admin") and max(RANK[theirs], RANK[given_role]) <= RANK[own]
        assert client.users(f"users/{BO}/update/", {"role": given_role}).status_code == (200 if allowed else 403)
        assert client.role_of(BO) == (given_role if allowed else theirs)


@pytest.mark.parametrize("own", ORGANIZATION_ROLES)
@pytest.mark.parametrize("role", [*PROJECT_ROLES, CUSTOM])
def test_project_roles_one_may_give(connect: Callable[..., Client], own: str, role: str) -> None:
    """Every pair, by a grant and by an invitation: an admin stops at project admin; a custom role does not rank."""
    client = connect(own)
    allowed = own == "owner" or (own == "admin" and role != "owner")
    granted = client.grant("lee@example.com", role)
    invited = client.invite(BO, projects=[{"id": P, "role": role}])
    assert [granted.status_code, invited.status_code] == [200 if allowed else 403] * 2
    assert client.grants_of("lee@example.com") == {P: role if allowed else "analyst"}
    assert client.grants_of(BO) == ({P: role} if allowed else {})


@pytest.mark.parametrize("given_role", ["admin", "billing_admin", "member"])
def test_the_last_owner_stays(owner: Client, given_role: str) -> None:
    """Whatever role they would get; as an owner again they may be written."""
    owner.control("POST", "seed", organization(members=[{"email": BO, "role": "owner"}], grants=[], teams=[]))
    refused = owner.users(f"users/{BO}/update/", {"role": given_role})
    assert (refused.status_code, refused.json()["error"]) == (400, "an organization must have at least one owner")
    assert owner.users(f"users/{BO}/update/", {"role": "owner"}).status_code == 200
    assert owner.role_of(BO) == "owner"


def test_one_bad_removal_holds_up_all(client: Client) -> None:
    """Below, above and unknown in one request: 403, and everybody stays."""
    before = client.control("GET", "dump")
    emails = ["lee@example.com", "nobody@example.com", "ana@example.com"]
    assert client.users("delete-users/", {"emails": emails}).status_code == 403
    assert unchanged(before, client.control("GET", "dump"))
    assert client.users("delete-users/", {"emails": emails[:2]}).json()["results"] == {"deleted": ["Lee@Example.com"]}


@pytest.mark.parametrize("plan", ["free", "growth", "enterprise"])
@pytest.mark.parametrize("role", ORGANIZATION_ROLES)
def test_roles_of_a_plan(owner: Client, plan: str, role: str) -> None:
    """The free plan has owner and billing admin only, by invitation and by change; so a stranger gets no grant."""
    owner.control("POST", "seed", organization(organization={"id": ORG, "name": "Example", "plan": plan}))
    allowed = plan != "free" or role in ("owner", "billing_admin")
    answers = [
        owner.users("add-users/", {"users": [{"email": BO, "role": role}]}),
        owner.users("users/lee@example.com/update/", {"role": role}),
    ]
    assert [answer.status_code for answer in answers] == [200 if allowed else 403] * 2
    assert owner.grant("new@example.net", "analyst").status_code == (403 if plan == "free" else 200)
    assert owner.grant("kim@example.com", "analyst").status_code == 200


ADDRESSES = [
    "a+b@example.com",
    "a/b@example.com",
    "a%b@example.com",
    "a%2Fb@example.com",
    "ü@exämple.com",
    "o'x@example.com",
]


@pytest.mark.parametrize("email", ADDRESSES)
@pytest.mark.parametrize("written", [str, str.upper], ids=["as it is", "upper case"])
def test_any_address_in_a_path_is_found(client: Client, email: str, written: Callable[[str], str]) -> None:
    """Percent-encoded and in any case it is one segment and the same person, in every verb that has it there."""
    assert client.invite(email, projects=[{"id": P, "role": "analyst"}]).status_code == 200
    place = quote(written(email), safe="")
    one = client.get(f"/api/app/projects/{P}/users/{place}").json()["results"]
    assert one == {"active": False, "role": "analyst", "teams": [], "recently_created": [], "user_bio": None}
    assert client.users(f"users/{place}/update/", {"role": "admin"}).status_code == 200
    assert client.role_of(email) == "admin"
    assert client.users(f"users/{place}/delete-projects/", {"projectIds": [P]}).status_code == 200
    assert client.grants_of(email) == {}
    assert client.control("DELETE", f"members/{place}") == {"deleted": [written(email)]}
    assert client.role_of(email) is None


def test_who_holds_what_in_a_project(client: Client) -> None:
    """One row a grant, in the order organization, team, individual, all users; people in teams who are invited too."""
    members = [*organization()["members"], {"email": BO, "invited_at": NOW}]
    teams = [{"id": 77, "name": "Data", "members": ["lee@example.com", BO], "projects": [{"id": Q, "role": "admin"}]}]
    client.control("POST", "seed", organization(members=members, teams=teams))
    client.grant("kim@example.com", "analyst", Q)
    rows = client.get(f"/api/app/projects/{Q}/granted-users").json()["results"]["users"]
    assert [(row["email"], row["id"], row["role"], row["target_type"]) for row in rows] == [
        ("ana@example.com", 501, "owner", "organization"),
        ("omar@example.com", 502, "owner", "organization"),
        ("kim@example.com", 503, "admin", "organization"),
        ("Lee@Example.com", 504, "admin", "team"),
        (BO, None, "admin", "team"),
        ("kim@example.com", 503, "analyst", "individual"),
        ("ana@example.com", 501, "consumer", "all_users"),
        ("omar@example.com", 502, "consumer", "all_users"),
        ("kim@example.com", 503, "consumer", "all_users"),
        ("Lee@Example.com", 504, "consumer", "all_users"),
    ]
    assert [row["team"] for row in rows if row["target_type"] == "team"] == [{"id": 77, "name": "Data"}] * 2
    assert all(set(row) - {"team"} == {"id", "email", "name", "role", "target_type"} for row in rows)
    client.users("delete-users/", {"emails": ["lee@example.com", BO]})
    rows = client.get(f"/api/app/projects/{Q}/granted-users").json()["results"]["users"]
    assert {row["email"] for row in rows} == {"ana@example.com", "omar@example.com", "kim@example.com"}


@pytest.mark.parametrize("role", ORGANIZATION_ROLES)
def test_who_am_i(connect: Callable[..., Client], role: str) -> None:
    """Owners and admins see every project with that role; the others none."""
    me = connect(role).get("/api/app/me").json()["results"]
    assert me["user_email"] == f"{role}-bot"
    permissions = me["organizations"][str(ORG)].pop("permissions")
    assert (bool(permissions), "delete_org" in permissions) == (role in ("owner", "admin"), role == "owner")
    assert me["organizations"] == {str(ORG): {"id": ORG, "name": "Example", "role": role}}
    seen = {key: project["role"]["name"] for key, project in me["projects"].items()}
    assert seen == ({str(P): role, str(Q): role} if role in ("owner", "admin") else {})


ADDRESS = st.sampled_from([f"{name}@{domain}" for name in ("Ana", "bo+x", "c/d", "ü", "e%f") for domain in
                           ("example.com", "Agency.Example.org")])  # fmt: skip
INSTANTS = st.integers(0, 2**33).map(lambda seconds: f"2026-01-01T00:00:00.{seconds % 10**6:06}Z") | st.sampled_from(
    ["1970-01-01T00:00:00Z", "8999-12-31T23:59:59.999999Z", "2026-05-04T14:00:00+02:00", "2026-05-04T12:00:00"]
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
JSON_OBJECT = st.dictionaries(TEXT, st.none() | TEXT | st.integers(1, 2**53 - 1), max_size=2)
OTHER_CUSTOM = "5b0c0c3e-0000-4000-8000-000000000002"
PROJECT_ROLE = st.sampled_from([*PROJECT_ROLES, CUSTOM])
IDS = st.integers(1, 2**53 - 1)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Any organization document that is consistent."""
    emails = draw(st.lists(ADDRESS, unique_by=same_key))
    numbers = draw(st.lists(st.integers(1, 10**6), min_size=len(emails), max_size=len(emails), unique=True))
    members = [
        {
            "email": email,
            "name": draw(st.none() | TEXT),
            "role": draw(st.sampled_from(ORGANIZATION_ROLES)),
            "id": draw(st.sampled_from([None, number])),
            "invited_at": draw(st.none() | INSTANTS),
            "last_login": draw(st.none() | INSTANTS),
            "active": draw(st.booleans()),
            "scim": draw(st.none() | JSON_OBJECT),
        }
        for email, number in zip(emails, numbers, strict=True)
    ]
    projects = draw(st.lists(IDS, unique=True, max_size=4))
    pairs = [(project, email) for project in projects for email in emails]
    some = st.lists(st.sampled_from(emails), unique=True) if emails else st.just([])
    held = st.lists(st.sampled_from(projects), unique=True) if projects else st.just([])
    unique = (itemgetter(0), itemgetter(1))
    accounts = draw(st.lists(st.tuples(TEXT, IDS), unique_by=unique, max_size=3))
    return {
        "organization": {"id": draw(IDS), "name": draw(TEXT), "plan": draw(st.sampled_from(["free", "growth"]))},
        "members": members,
        "projects": [
            {
                "id": id_,
                "name": draw(TEXT),
                "all_users": draw(st.none() | PROJECT_ROLE),
                "timezone_name": draw(TEXT),
                "domain": draw(st.sampled_from(["mixpanel.com", "eu.mixpanel.com"])),
                "custom_roles": [
                    {
                        "role_id": role_id,
                        "name": draw(TEXT),
                        "description": draw(TEXT),
                        "permissions": draw(st.lists(TEXT, max_size=2)),
                        "created": draw(st.none() | INSTANTS),
                        "created_by": draw(st.none() | IDS),
                    }
                    for role_id in draw(st.lists(st.sampled_from([CUSTOM, OTHER_CUSTOM]), unique=True))
                ],
            }
            for id_ in projects
        ],
        "grants": [
            {"project": project, "email": draw(st.sampled_from([email, email.upper()])), "role": draw(PROJECT_ROLE)}
            for project, email in (draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else [])
        ],
        "teams": [
            {
                "id": id_,
                "name": draw(TEXT),
                "members": draw(some),
                "projects": [{"id": project, "role": draw(PROJECT_ROLE)} for project in draw(held)],
                "org_role": draw(st.none() | st.sampled_from(ORGANIZATION_ROLES)),
                "scim_managed": draw(st.booleans()),
                "external_id": draw(st.none() | TEXT),
                "service_accounts": draw(st.just([name for name, _ in accounts])),
            }
            for id_ in draw(st.lists(IDS, unique=True, max_size=3))
        ],
        "service_accounts": [
            {
                "username": name,
                "secret": draw(TEXT),
                "role": "owner",
                "id": id_,
                "creator": draw(st.none() | IDS),
                "projects": [{"id": project, "role": draw(PROJECT_ROLE)} for project in draw(held)],
                **{field: draw(st.none() | INSTANTS) for field in ("expires", "created", "last_used")},
            }
            for name, id_ in accounts
        ],
        "mails": [
            {"email": email, "kind": draw(st.sampled_from(["invitation", "resend", "link"])), "sent_at": draw(INSTANTS)}
            for email in draw(some)
        ],
        "security": {
            "twofactor": draw(JSON_OBJECT),
            "session": draw(JSON_OBJECT),
            "sso": {"enabled": True, "required": draw(st.booleans()), "domains": [{"name": "Example.com"}]},
            "scim_name": draw(st.none() | TEXT),
            "scim_token": draw(st.none() | TEXT),
            "accounts_elsewhere": draw(st.lists(ADDRESS, max_size=2)),
            "discoverability": draw(st.sampled_from(["closed", "request", "open"])),
        },
        "audit": [
            {
                "type": name,
                "created": draw(INSTANTS),
                "project": draw(st.none() | IDS) if EVENTS[name] else None,
                "user_id": draw(TEXT),
                "user_email": draw(st.none() | ADDRESS),
                "entity_id": draw(st.none() | TEXT),
                "payload": draw(JSON_OBJECT),
            }
            for name in draw(st.lists(st.sampled_from(list(EVENTS)), max_size=3))
        ],
        "invitation_life_days": draw(st.floats(0.001, 36_500)),
        "rate_limit_per_minute": draw(st.none() | st.integers(1, 10**6)),
    }


def _facts(document: dict[str, Any]) -> dict[str, Any]:
    """What a document says, whatever its order, spelling of addresses in references, and numbering of people."""
    parsed = Document.model_validate(document)
    return {
        "settings": (parsed.organization, parsed.security, parsed.invitation_life_days, parsed.rate_limit_per_minute),
        "members": [(m.email, m.name, m.role, m.invited_at, m.last_login, m.active, m.scim) for m in parsed.members],
        "projects": sorted(parsed.projects, key=lambda project: project.id),
        "grants": {(g.project, same_key(g.email), g.role) for g in parsed.grants},
        "teams": {
            (
                (t.id, t.name, t.org_role, t.scim_managed, t.external_id, frozenset(t.service_accounts)),
                frozenset(map(same_key, t.members)),
                frozenset((h.id, h.role) for h in t.projects),
            )
            for t in parsed.teams
        },
        "service_accounts": sorted(
            (
                account.model_copy(update={"projects": sorted(account.projects, key=lambda held: held.id)})
                for account in parsed.service_accounts
            ),
            key=lambda account: account.username,
        ),
        "mails": parsed.mails,
        "audit": [event.model_copy(update={"created": event.created.replace(microsecond=0)}) for event in parsed.audit],
    }


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=documents())
def test_any_document_comes_back_as_it_went_in(server: EmulatorServer, document: dict[str, Any]) -> None:
    """A dump holds the seed's facts, and seeding it gives it again; given ids stay, and who has joined has one."""
    with Client(server) as client:
        first = client.control("POST", "seed", document)
        second = client.control("POST", "seed", first)
    assert unchanged(first, second)
    assert _facts(first) == _facts(document)
    for before, after in zip(document["members"], first["members"], strict=True):
        assert after["id"] == before["id"] or (before["id"] is None and before["invited_at"] is None)
        assert after["id"] is not None or after["invited_at"] is not None
