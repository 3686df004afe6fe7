"""The organization's settings, and who may log in under them (contract, sections 8 and 13)."""

from __future__ import annotations

from typing import Any

import pytest

from mixpanel_access.emulator.dialect import Dialect
from tests.emulator.conftest import ORG, Client, organization
from tests.emulator.test_audit import told

O = f"/organizations/{ORG}"  # noqa: E741  # as in the contract
LEE, BO = "lee@example.com", "bo@agency.example.org"
DEFAULTS = {
    "twofactor": {"twofactor_auth_required": False},
    "org-request-access-settings": {},
    "org-session-settings": {},
    "sso": {"enabled": False, "required": False, "idp_managed": False, "idp_name": None, "domains": []},
    "scim-name": {"scim_name": None},
}
SSO = {
    "enabled": True,
    "required": True,
    "idp_name": "Example ID",
    "domains": [{"name": "example.com"}, {"name": "agency.example.org", "state": "pending"}],
}


def secured(client: Client, **sso: Any) -> None:
    """The organization with SSO on."""
    client.control("POST", "seed", organization(security={"sso": {**SSO, **sso}}))


@pytest.mark.parametrize(("name", "value"), DEFAULTS.items(), ids=DEFAULTS.keys())
def test_nothing_is_on_at_first(client: Client, name: str, value: Any) -> None:
    """A document that says nothing of them has these."""
    assert client.get(f"{O}/{name}").json()["results"] == value


POSTED = {"twofactor_auth_required": True, "grace_days": 7, "nested": {"a": [None, 1.5, "ü"]}}


@pytest.mark.parametrize("name", ["twofactor", "org-request-access-settings", "org-session-settings"])
def test_exactly_what_is_posted_comes_back(client: Client, name: str) -> None:
    """Unknown keys too; what is not posted again is gone; it is in the dump."""
    for value in (POSTED, {}, {"other": 1}):
        assert client.post(f"{O}/{name}/update", json=value).status_code == 200
        assert client.get(f"{O}/{name}").json()["results"] == value
        dump = client.control("GET", "dump")
        assert value in dump["security"].values()
        assert client.control("POST", "seed", dump)["security"] == dump["security"]


def test_a_change_is_recorded_once(client: Client) -> None:
    """Two-factor by its own events, and only where it is switched."""
    for body in ({"twofactor_auth_required": True}, {"twofactor_auth_required": True, "x": 1}, {}):
        client.post(f"{O}/twofactor/update", json=body)
    for body in ({"a": 1}, {"a": 1}):
        client.post(f"{O}/org-session-settings/update", json=body)
    client.post(f"{O}/scim-name", json={"scim_name": "example"})
    assert [name for name, _ in told(client)] == [
        "organization_access_security.twofactor_enabled",
        "organization_access_security.twofactor_disabled",
        "organization_setting.updated",
        "organization_setting.updated",
    ]
    assert client.get(f"{O}/scim-name").json()["results"] == {"scim_name": "example"}


@pytest.mark.parametrize("required", [False, True])
def test_no_two_factor_together_with_sso(client: Client, required: bool) -> None:
    """403, and it stays as it was; reading is no harm."""
    secured(client, required=required)
    assert client.post(f"{O}/twofactor/update", json={"twofactor_auth_required": True}).status_code == 403
    assert client.get(f"{O}/twofactor").json()["results"] == {"twofactor_auth_required": False}


def test_sso_and_discoverability_are_shown(client: Client) -> None:
    """As the document says."""
    security = {"sso": SSO, "discoverability": "request"}
    client.control("POST", "seed", organization(security=security))
    shown = client.get(f"{O}/sso").json()["results"]
    domains = [{"name": "example.com", "state": "verified"}, {"name": "agency.example.org", "state": "pending"}]
    assert shown == {**SSO, "idp_managed": False, "domains": domains}
    found = client.get(f"/api/app{O}/domains/get-discoverability").json()["results"]
    assert found == {"discoverability": "Request"}


SPOKEN: dict[str, object] = {"capitalized": "Open", "lower": "open", "object": {"id": "open", "name": "Open"}}


@pytest.mark.parametrize("spoken", [*SPOKEN, "none"])
def test_discoverability_is_shown_in_the_dialects_words(served: Any, spoken: Any) -> None:
    """Or the route is not there."""
    _, client = served(organization(security={"discoverability": "open"}), dialect=Dialect(discoverability=spoken))
    answer = client.get(f"/api/app{O}/domains/get-discoverability")
    assert answer.status_code == (200 if spoken in SPOKEN else 404)
    if spoken in SPOKEN:
        assert answer.json()["results"] == {"discoverability": SPOKEN[spoken]}


@pytest.mark.parametrize("plan", ["free", "growth"])
def test_the_scim_name_is_for_enterprise(owner: Client, plan: str) -> None:
    """403 on a lesser plan."""
    owner.control("POST", "seed", organization(organization={"id": ORG, "name": "Example", "plan": plan}))
    assert owner.post(f"{O}/scim-name", json={"scim_name": "example"}).status_code == 403


EXTERNAL_ADMIN = "cy@example.net"
LOGINS = {  # who, how, with SSO enabled, with SSO required
    "password of a member": (LEE, "password", True, False),
    "link of a member": (LEE, "magic_link", True, False),
    "social login of a member": (LEE, "social", True, False),
    "SSO of a member": (LEE, "sso", True, True),
    "the usual way of a member": (LEE, None, True, True),
    "password of an owner": ("ana@example.com", "password", True, True),
    "password of an admin": ("kim@example.com", "password", True, True),
    "password of an external person": (BO, "password", True, False),
    "the usual way of an external person": (BO, None, True, False),
    "SSO of an external person": (BO, "sso", False, False),
    "the usual way of an external admin": (EXTERNAL_ADMIN, None, True, True),
    "SSO of an external admin": (EXTERNAL_ADMIN, "sso", False, False),
}


@pytest.mark.parametrize(("email", "method", "enabled", "required"), LOGINS.values(), ids=LOGINS.keys())
@pytest.mark.parametrize("how", ["off", "enabled", "required"])
@pytest.mark.parametrize("verb", ["login", "invitations/accept"])
def test_who_may_log_in(
    client: Client, email: str, method: str | None, enabled: bool, required: bool, how: str, verb: str
) -> None:
    """As a member and by accepting an invitation: 409 in words for who may not, who then stays as they were."""
    role = {"ana@example.com": "owner", "kim@example.com": "admin", EXTERNAL_ADMIN: "admin"}.get(email, "member")
    invited = {"invited_at": "2026-05-04T11:00:00Z"} if verb != "login" else {}
    members = [{"email": "root@example.com", "role": "owner"}, {"email": email, "role": role, **invited}]
    sso = {"off": {}, "enabled": {**SSO, "required": False}, "required": SSO}[how]
    client.control("POST", "seed", organization(members=members, grants=[], teams=[], security={"sso": sso}))
    allowed = {"off": method != "sso", "enabled": enabled, "required": required}[how]
    answer = client.post(f"/_emulator/{verb}", json={"email": email, **({"method": method} if method else {})})
    assert answer.status_code == (200 if allowed else 409)
    row = client.control("GET", "dump")["members"][1]
    assert (row["last_login"] is not None) is allowed
    assert (row["invited_at"] is not None) is (bool(invited) and not allowed)
    if not allowed:
        assert "SSO" in answer.json()["error"]
        assert [name for name, _ in told(client)] == (["session.login_failed"] if verb == "login" else [])


def test_a_stranger_joins_by_their_first_sso_login(client: Client) -> None:
    """Where the identity provider manages access, and only from a verified domain: a member without any grant."""
    new = "new@example.com"
    secured(client)
    assert client.post("/_emulator/login", json={"email": new}).status_code == 404
    secured(client, idp_managed=True)
    for refused in ({"email": BO}, {"email": new, "method": "password"}, {"email": new, "fails": True}):
        assert client.post("/_emulator/login", json=refused).status_code == 404
    assert client.control("POST", "login", {"email": new}) == {"email": new, "logged_in": True}
    assert (client.role_of(new), client.grants_of(new)) == ("member", {})
    assert told(client) == [("organization.user_added", new), ("session.logged_in", new)]


BAD = {
    "required without enabled": ({"required": True}, "need enabled"),
    "managed without enabled": ({"idp_managed": True}, "need enabled"),
    "a domain twice": ({"domains": [{"name": "example.com"}, {"name": "Example.COM"}]}, "twice"),
    "no domain": ({"domains": [{"name": "exa mple"}]}, "domains.0.name"),
    "unknown state": ({"domains": [{"name": "example.com", "state": "lost"}]}, "domains.0.state"),
}


@pytest.mark.parametrize(("sso", "words"), BAD.values(), ids=BAD.keys())
def test_a_document_with_impossible_settings_is_refused(client: Client, sso: Any, words: str) -> None:
    """422 says where."""
    answer = client.post("/_emulator/seed", json=organization(security={"sso": sso}))
    assert (answer.status_code, words in answer.json()["error"]) == (422, True)
