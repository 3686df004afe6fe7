"""How a dialect is given: as a file, over the control surface, and what is refused of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from mixpanel_access.emulator.app import ENDPOINTS
from mixpanel_access.emulator.dialect import Dialect, alternatives, read
from mixpanel_access.emulator.server import EmulatorOptions, run
from mixpanel_access.model.errors import UsageError
from tests.emulator.conftest import ORG, Client, P, Q, organization
from tests.in_process import emulating

Call = Callable[..., httpx.Response]
"""One request as the owner's service account: method, path, body."""

WRONG: dict[str, tuple[Any, str]] = {
    "an unknown field": ({"organisation_role": "word"}, "organisation_role: unknown field"),
    "an unknown word": ({"owner_word": "chief"}, "owner_word: Input should be"),
    "no object": ([], "it is not a JSON object"),
    "an unknown verb": ({"missing": ["POST /organizations/{o}/fire/"]}, "unknown verb POST /organizations/{o}"),
    "no verb": ({"missing": ["add-users"]}, "missing.0: "),
    "no page": ({"page_size": 0}, "page_size: "),
    "a number of reads": ({"stale_reads": {"users": -1}}, "stale_reads.users: "),
    "an unknown list": ({"stale_reads": {"members": 2}}, "stale_reads: unknown list members; the lists are users, "),
    "a report's": ({"statements": [], "dialect": {"plan": 1}}, "plan: unknown field"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    """Before anything listens; the line names the file, the field, and where the fields are listed."""
    value, why = WRONG[name]
    file = tmp_path / "dialect.json"
    file.write_text(json.dumps(value))
    with pytest.raises(UsageError) as refused:
        run(EmulatorOptions(dialect=file))
    line = str(refused.value)
    assert "\n" not in line
    assert str(file) in line
    assert why in line
    assert "docs/dialects.md" in line


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Or that is no JSON."""
    file = tmp_path / "dialect.json"
    for content in (None, "{", "{}}"):
        if content:
            file.write_text(content)
        with pytest.raises(UsageError, match="cannot use the dialect"):
            run(EmulatorOptions(dialect=file))


@pytest.mark.parametrize("wrap", [lambda d: d, lambda d: {"statements": [], "dialect": d}], ids=["bare", "a report"])
def test_a_dialect_survives_json(wrap: Any) -> None:
    """What /_emulator/dialect shows can be given again."""
    spoken = Dialect(organization_role="no role", page_size=3, stale_reads={"users": 2}, missing=[ENDPOINTS[0].verb])
    assert read(json.loads(json.dumps(wrap(spoken.model_dump())))) == spoken


def test_every_field_says_what_it_is_about() -> None:
    """So that the page has a row for each."""
    assert list(alternatives()) == list(Dialect.model_fields)
    assert all(known.meaning and known.sections and known.standing for known in alternatives().values())


def test_the_control_surface_shows_and_changes_it() -> None:
    """A wrong one changes nothing."""
    with (
        emulating(organization(), dialect=Dialect(wrong_body=400)) as server,
        Client(server) as client,
    ):
        assert client.get("/_emulator/dialect").json()["wrong_body"] == 400
        assert client.post("/_emulator/dialect", json={"owner_word": "chief"}).status_code == 422
        assert client.post("/_emulator/dialect", json={"missing": ["GET /nowhere"]}).status_code == 422
        assert client.get("/_emulator/dialect").json() == Dialect(wrong_body=400).model_dump()
        assert client.post("/_emulator/dialect", json={"owner_word": "admin"}).json()["wrong_body"] == 422
        assert server.app.dialect == Dialect(owner_word="admin")


def me_role(call: Call) -> Any:
    """Our own organization role, as `me` shows it."""
    return call("GET", "/api/app/me").json()["results"]["organizations"][str(ORG)]["role"]


def lees_role(call: Call) -> Any:
    """A Member's role in the users list."""
    return users(call)["Lee@Example.com"]["role"]


def users(call: Call) -> dict[str, dict[str, Any]]:
    """The users list, whole, by address."""
    return {row["email"]: row for row in call("GET", f"/organizations/{ORG}/users/").json()["results"]}


def account_role(call: Call) -> Any:
    """The role of a service account that manages nobody."""
    rows = call("GET", f"/api/app/organizations/{ORG}/service-accounts").json()["results"]
    return next(row["org_role"] for row in rows if row["username"] == "member-bot")


def change(call: Call, body: Any) -> tuple[int, Any]:
    """A change of Lee's organization role: status and answer."""
    answer = call("POST", f"/organizations/{ORG}/users/lee@example.com/update/", body)
    return answer.status_code, answer.json()


def too_many(call: Call) -> tuple[int, str | None, str, bool]:
    """Eleven invitations at once: status, Retry-After, and the answer's status; and that nobody was invited."""
    body = {"users": [{"email": f"n{number}@example.com", "role": "member"} for number in range(11)]}
    answer = call("POST", f"/organizations/{ORG}/add-users/", body)
    return answer.status_code, answer.headers.get("Retry-After"), answer.json()["status"], len(users(call)) == 4


def invited_rows(call: Call) -> list[str]:
    """Whom a project's grants list after somebody was invited with a grant."""
    call("POST", f"/organizations/{ORG}/add-users-to-projects/", grant_to("bo@example.com"))
    rows = call("GET", f"/api/app/projects/{P}/granted-users").json()["results"]["users"]
    return [row["target_type"] for row in rows if row["email"] == "bo@example.com"]


def grant_to(email: str) -> Any:
    """The body of a grant."""
    return {"projects": [{"id": P, "users": [{"email": email, "role": "analyst"}]}]}


def lee_after_an_invitation(call: Call) -> tuple[list[str], Any]:
    """Lee has joined as a member, and is invited as an admin: who was added, and the role since."""
    body = {"users": [{"email": "lee@example.com", "role": "admin"}]}
    added = call("POST", f"/organizations/{ORG}/add-users/", body).json()["results"]["added"]
    return added, users(call)["Lee@Example.com"]["role"]


def pages(call: Call, path: str = f"/organizations/{ORG}/users/") -> list[int]:
    """How many rows each page of a list has."""
    sizes, query = [], ""
    while True:
        answer = call("GET", f"{path}{query}").json()
        rows = answer["results"]
        sizes.append(len(rows["users"] if isinstance(rows, dict) else rows))
        if (cursor := answer.get("pagination", {}).get("next_cursor")) is None:
            return sizes
        query = f"?cursor={cursor}"


def missing(method: str, path: str) -> Any:
    """A verb's status."""
    return lambda call: call(method, f"/organizations/{ORG}/{path}").status_code


PROJECT_READS = ("granted-users", "users/lee@example.com", "assignable-roles", "service-accounts", "custom-roles")
"""Reads of a project, below its path."""


def without_access(call: Call) -> set[tuple[int, str | None]]:
    """A Member's account asks for what is in a project: statuses and where to."""
    answers = [call("GET", f"/api/app/projects/{Q}/{part}", auth="member-bot") for part in PROJECT_READS]
    return {(answer.status_code, answer.headers.get("location")) for answer in answers}


def without_permission(call: Call) -> int:
    """An account that has a role in the project, and not the right to manage it."""
    low = {"username": "low-bot", "secret": "s:ecret", "role": "member", "projects": [{"id": P, "role": "consumer"}]}
    call("POST", "/_emulator/seed", organization(service_accounts=[*organization()["service_accounts"], low]))
    return call("GET", f"/api/app/projects/{P}/granted-users", auth="low-bot").status_code


def access_requests(call: Call) -> tuple[int, str]:
    """The page on which access is asked for: status and type."""
    answer = call("GET", "/request_access/?next=%2Fapi")
    return answer.status_code, answer.headers["content-type"].partition(";")[0]


def beyond_the_plan(call: Call) -> list[tuple[int, str]]:
    """What the free plan has not: each status, and the answer's words."""
    call("POST", "/_emulator/seed", organization(organization={"id": ORG, "name": "Example", "plan": "free"}))
    body = {"users": [{"email": "bo@example.com", "role": "admin"}]}
    answers = [
        call("GET", f"/api/app/projects/{P}/custom-roles"),
        call("POST", f"/organizations/{ORG}/add-users/", body),
    ]
    return [(answer.status_code, answer.json()["error"]) for answer in answers]


def words(call: Call) -> str:
    """The words of an error that have letters of HTML's own."""
    found: str = change(call, {"role": "<b>'boss' & \"co\""})[1]["error"]
    return found


BEYOND = "Your plan does not support "
REFUSED = {"updated": False, "fail_reason": "boss is not an organization role"}
ADD, UPDATE = "POST /organizations/{o}/add-users/", "POST /organizations/{o}/users/{email}/update/"
SPEAKING: dict[str, tuple[Dialect, Any, Any]] = {
    "a member as a word": (Dialect(), lees_role, "member"),
    "a member without a role": (Dialect(organization_role="no role"), lees_role, "no role"),
    "a member's name": (Dialect(organization_role="capitalized"), lees_role, "Member"),
    "a member as an object": (
        Dialect(organization_role="object"), lees_role, {"id": 4, "name": "Member", "is_custom_role": False},
    ),
    "an account without a role": (Dialect(organization_role="no role"), account_role, "no role"),
    "we, an owner": (Dialect(organization_role="no role"), me_role, "owner"),
    "we, an owner called admin": (Dialect(owner_word="admin"), me_role, "admin"),
    "we, called Admin": (Dialect(owner_word="admin", organization_role="capitalized"), me_role, "Admin"),
    "a user's projects": (
        Dialect(user_projects=True), lambda call: users(call)["Lee@Example.com"]["projects"],
        [{"id": P, "role": "analyst"}],
    ),
    "no projects of a user": (Dialect(), lambda call: "projects" in users(call)["Lee@Example.com"], False),
    "an invited person's grant": (Dialect(), invited_rows, ["individual"]),
    "no invited person's grant": (Dialect(invited_in_granted_users=False), invited_rows, []),
    "a wrong body": (Dialect(), lambda call: change(call, {"role": 1})[0], 422),
    "a wrong body as a bad one": (Dialect(wrong_body=400), lambda call: change(call, {"role": 1})[0], 400),
    "a refused update": (Dialect(), lambda call: change(call, {"role": "boss"})[0], 400),
    "a refused update with 200": (
        Dialect(refused_update="updated_false"), lambda call: change(call, {"role": "boss"}),
        (200, {"status": "ok", "results": REFUSED}),
    ),
    "no wrong body with 200": (
        Dialect(refused_update="updated_false"), lambda call: change(call, {"role": 1})[0], 422,
    ),
    "the limit": (Dialect(), too_many, (429, "3600", "error", True)),
    "the limit as a bad value": (Dialect(invitation_limit="400"), too_many, (400, None, "error", True)),
    "the limit with 200": (Dialect(invitation_limit="error_200"), too_many, (200, None, "error", True)),
    "somebody there, kept": (Dialect(), lee_after_an_invitation, (["lee@example.com"], "member")),
    "somebody there, raised": (
        Dialect(invite_existing="raise"), lee_after_an_invitation, (["lee@example.com"], "admin"),
    ),
    "no access": (Dialect(), without_access, {(403, None)}),
    "no access by a redirect": (
        Dialect(no_access="redirect"), without_access,
        {(302, f"/request_access/?next=%2Fapi%2Fapp%2Fprojects%2F{Q}%2F{quote(part, '')}") for part in PROJECT_READS},
    ),
    "access without permission": (Dialect(no_access="redirect"), without_permission, 403),
    "the page for access requests": (Dialect(no_access="redirect"), access_requests, (200, "text/html")),
    "no page for access requests": (Dialect(), access_requests, (404, "application/json")),
    "beyond the plan": (
        Dialect(), beyond_the_plan,
        [(403, f"{BEYOND}custom roles"), (403, f"{BEYOND}the organization role admin")],
    ),
    "beyond the plan with 402": (
        Dialect(plan_refusal=402), beyond_the_plan,
        [(402, f"{BEYOND}custom roles"), (402, f"{BEYOND}the organization role admin")],
    ),
    "words as they are": (Dialect(), words, "<b>'boss' & \"co\" is not an organization role"),
    "words escaped": (
        Dialect(escaped_errors=True), words,
        "&lt;b&gt;&#x27;boss&#x27; &amp; &quot;co&quot; is not an organization role",
    ),
    "a list whole": (Dialect(), pages, [4]),
    "a list in pages": (Dialect(page_size=3), pages, [3, 1]),
    "a list in even pages": (Dialect(page_size=2), pages, [2, 2]),
    "a project's users in pages": (
        Dialect(page_size=4), lambda call: pages(call, f"/api/app/projects/{P}/granted-users"), [4, 1],
    ),
    "a verb that is not there": (Dialect(missing=[ADD]), missing("POST", "add-users/"), 404),
    "a path without its slash": (Dialect(missing=[ADD]), missing("POST", "add-users"), 404),
    "another verb": (Dialect(missing=[ADD]), missing("POST", "resend-invites/"), 422),
}  # fmt: skip
"""What is said -> the dialect, what is asked, what comes."""


@pytest.mark.parametrize("name", SPEAKING)
def test_the_emulator_speaks_so(name: str) -> None:
    """Each alternative changes what it is about; the default answers as ever."""
    dialect, asked, came = SPEAKING[name]
    with emulating(organization(), dialect=dialect) as server, Client(server) as client:

        def call(method: str, path: str, body: Any = None, auth: str = "owner-bot") -> httpx.Response:
            return client.request(method, path, json=body, auth=(auth, "s:ecret"))

        assert asked(call) == came


def test_a_raise_leaves_an_owner() -> None:
    """The last owner is not made a member by an invitation, and nothing of the request is applied."""
    body = {"users": [{"email": email, "role": "member"} for email in ("ana@example.com", "omar@example.com")]}
    dialect = Dialect(invite_existing="raise")
    with emulating(organization(), dialect=dialect) as server, Client(server) as client:
        answer = client.post(f"/organizations/{ORG}/add-users/", json=body, auth=("owner-bot", "s:ecret"))
        assert answer.status_code == 400
        assert [row["role"] for row in client.control("GET", "dump")["members"]][:2] == ["owner", "owner"]
