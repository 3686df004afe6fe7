"""What answers mean: the envelope, the wire shapes, and what of them may be shown."""

from __future__ import annotations

import base64
import html
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixpanel_access.api import audit_log, custom_roles, organization_settings, projects, service_accounts, teams, users
from mixpanel_access.api.answers import page_of
from mixpanel_access.api.me import identity_from
from mixpanel_access.api.redaction import LONGEST, Redactor
from mixpanel_access.model import errors
from mixpanel_access.model.access import Grant, GrantType, Person, SingleSignOn
from mixpanel_access.model.audit import AuditEvent
from mixpanel_access.model.roles import CustomRoleInfo
from mixpanel_access.model.service_accounts import ServiceAccountRole
from mixpanel_access.model.teams import NO_ROLE, TeamInfo

GOOD: dict[str, tuple[Any, Any]] = {
    "results": ({"status": "ok", "results": [1]}, [1]),
    "no results": ({"status": "ok"}, {"status": "ok"}),
    "no envelope": ({"updated": True}, {"updated": True}),
    "array": ([1], [1]),
    "updated": (
        {"status": "ok", "results": {"updated": True, "fail_reason": None}},
        {"updated": True, "fail_reason": None},
    ),
    "empty error": ({"status": "ok", "error": "", "results": 1}, 1),
}


@pytest.mark.parametrize(("answer", "results"), GOOD.values(), ids=GOOD.keys())
def test_a_success(answer: Any, results: Any) -> None:
    """The results, or the whole answer where there is no envelope."""
    assert page_of(json.dumps(answer).encode(), "x", Redactor()).results == results


FAILED: dict[str, tuple[Any, str]] = {
    "error envelope with 200": ({"status": "error", "error": "plan too small"}, "plan too small"),
    "error envelope without words": ({"status": "error"}, "error"),
    "bare error": ({"error": "name taken"}, "name taken"),
    "error beside ok": ({"status": "ok", "error": "half done", "results": {}}, "half done"),
    "not updated": ({"status": "ok", "results": {"updated": False, "fail_reason": "last owner"}}, "last owner"),
    "not updated, no reason": ({"updated": False}, "nothing was updated"),
    "no success": ({"status": "ok", "results": {"success": False}}, "no success"),
}


@pytest.mark.parametrize(("answer", "words"), FAILED.values(), ids=FAILED.keys())
def test_a_failure_in_a_success(answer: Any, words: str) -> None:
    """HTTP 200 is not believed before the answer is read."""
    with pytest.raises(errors.NotApplied, match=words):
        page_of(json.dumps(answer).encode(), "x", Redactor())


def test_half_a_character_is_shown_as_a_question_mark() -> None:
    """No file and no terminal takes it; whole characters beyond the basic ones are as they were."""
    answer = json.dumps({"results": ["\ud800x", "\N{GRINNING FACE}"]}).encode()
    assert page_of(answer, "x", Redactor()).results == ["?x", "\N{GRINNING FACE}"]


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"results":' * 100_000], ids=["lists", "mappings"])
def test_an_answer_nested_without_end_is_a_clear_failure(content: bytes) -> None:
    """As what is not JSON is, and in the words of a refusal too."""
    with pytest.raises(errors.Unintelligible, match="the answer is not JSON"):
        page_of(content, "x", Redactor())
    assert Redactor().words_of(content, "").startswith(content[:9].decode())


BO = Person("bo@example.com", "member", invited=True)
USERS: dict[str, tuple[Any, Person]] = {
    "array": ([{"email": "bo@example.com", "role": "member", "invited": True}], BO),
    "map by address": ({"bo@example.com": {"role": "Member", "invited": True}}, BO),
    "map of roles": ({"bo@example.com": "admin"}, Person("bo@example.com", "admin", invited=False)),
    "map by id": ({"501": {"email": "bo@example.com", "org_role": "member", "pending": True}}, BO),
    "bare addresses": (["bo@example.com"], Person("bo@example.com", None, invited=False)),
    "status word": ([{"email": "bo@example.com", "organization_role": "member", "status": "Invited"}], BO),
    "list of its own": ({"users": [], "pending": [{"email": "bo@example.com", "role": "member"}]}, BO),
    "role object": ([{"email": "bo@example.com", "role": {"id": 3, "name": "Member"}, "invited": True}], BO),
    "custom role object": (
        [{"email": "bo@example.com", "role": {"id": "5B0C", "name": "X", "is_custom_role": True}}],
        Person("bo@example.com", "5b0c", invited=False),
    ),
    "billing admin": (
        [{"email": "bo@example.com", "role": "Billing Admin"}],
        Person("bo@example.com", "billing_admin", invited=False),
    ),
    "unknown role": (
        [{"email": "bo@example.com", "role": "auditor"}],
        Person("bo@example.com", "auditor", invited=False),
    ),
    "deactivated": (
        [{"email": "bo@example.com", "active": False}],
        Person("bo@example.com", None, invited=False, deactivated=True),
    ),
    "bad time": (
        [{"email": "bo@example.com", "last_login": "yesterday"}],
        Person("bo@example.com", None, invited=False),
    ),
    "a time before the first year": (
        [{"email": "bo@example.com", "last_login": "0001-01-01T00:00:00+14:00"}],
        Person("bo@example.com", None, invited=False),
    ),
}


@pytest.mark.parametrize(("results", "person"), USERS.values(), ids=USERS.keys())
def test_every_known_form_of_the_users_list(results: Any, person: Person) -> None:
    """What is missing is unknown, and never invented."""
    assert users.people_from(results, "x") == [person]


def test_an_organization_whose_id_is_no_number_is_left_out() -> None:
    """In other digits, or longer than an id is."""
    me = {"organizations": {key: {"role": "admin"} for key in ["7", "²", "9" * 5000]}}
    assert identity_from(me, "x").organizations == {7: "admin"}


ROW = {"email": "bo@example.com", "role": "analyst"}
GRANTS: dict[str, tuple[Any, GrantType]] = {
    "rows": ({"users": [{**ROW, "target_type": "individual"}]}, GrantType.INDIVIDUAL),
    "array": ([ROW], GrantType.INDIVIDUAL),
    "map": ({"bo@example.com": {"role": "analyst"}}, GrantType.INDIVIDUAL),
    "team": ({"users": [{**ROW, "target_type": "team"}]}, GrantType.TEAM),
    "organization": ({"users": [{**ROW, "target_type": "organization"}]}, GrantType.ORGANIZATION_ROLE),
    "all users": ({"users": [{**ROW, "target_type": "all_users"}]}, GrantType.ALL_USERS),
}


@pytest.mark.parametrize(("results", "kind"), GRANTS.values(), ids=GRANTS.keys())
def test_every_known_form_of_granted_users(results: Any, kind: GrantType) -> None:
    """One row a grant, with the way in which it is held."""
    assert projects.grants_from(results, 7, "x") == [Grant(7, "bo@example.com", "analyst", kind)]


def test_a_grant_without_a_role_is_none() -> None:
    """A row that holds nothing grants nothing."""
    assert projects.grants_from([{"email": "bo@example.com"}], 7, "x") == []


def test_the_default_roles_are_no_custom_ones() -> None:
    """They may be in the list, and are never modified."""
    rows = [{"role_id": "5B0C", "name": "Support"}, {"role_id": "1", "name": "Owner", "is_default": True}]
    assert custom_roles.custom_roles_from(rows, 7, "x") == [CustomRoleInfo(7, "5b0c", "Support")]


PERMISSIONS: dict[str, tuple[Any, frozenset[str] | None]] = {
    "none": (None, None),
    "no list": ("view", None),
    "other things": (["view", 7], None),
    "empty": ([], frozenset()),
    "twice": (["view", "view", "export"], frozenset({"view", "export"})),
}


@pytest.mark.parametrize(("value", "permissions"), PERMISSIONS.values(), ids=PERMISSIONS.keys())
def test_permissions_are_a_set_or_unknown(value: Any, permissions: frozenset[str] | None) -> None:
    """Never a part of what is there."""
    row = {"role_id": "5b0c", "name": "Support", "description": None, "permissions": value}
    assert custom_roles.custom_roles_from([row], 7, "x") == [CustomRoleInfo(7, "5b0c", "Support", "", permissions)]


NO_CATALOGUE = {
    "no groups": {}, "an array": [], "no list of groups": {"groups": "x"}, "empty": {"groups": []},
    "a group of another shape": {"groups": [{"id": "a", "permissions": ["x"]}, "b"]},
    "objects": {"groups": [{"id": "a", "permissions": [{"id": "x"}]}]},
}  # fmt: skip


@pytest.mark.parametrize("results", NO_CATALOGUE.values(), ids=NO_CATALOGUE.keys())
def test_a_catalogue_is_whole_or_unknown(results: Any) -> None:
    """A part of it would refuse what is there."""
    groups = [{"id": "a", "permissions": ["x", "y"]}, {"id": "b", "permissions": ["y", "z"]}]
    assert custom_roles.permissions_from({"groups": groups}, "x") == {"x", "y", "z"}
    with pytest.raises(errors.Unintelligible):
        custom_roles.permissions_from(results, "x")


@pytest.mark.parametrize(
    ("answer", "count"),
    [({"migrated_grants_count": 3}, 3), ({"migrated_grants_count": 0}, 0), ({"migrated_grants_count": True}, None),
     ({"migrated_grants_count": "3"}, None), ({}, None), ([], None)],
)  # fmt: skip
def test_how_many_a_deletion_has_moved(answer: Any, count: int | None) -> None:
    """A number, or unknown."""
    assert custom_roles.migrated_from(answer) == count


def test_a_service_account_is_read_with_what_is_told() -> None:
    """The organization role only where the list has one; who is in a project through a team is told apart."""
    row = {"id": 2, "username": "etl.1a.mp-service-account", "expires": "2027-01-01T00:00:00Z", "org_role": "Admin"}
    (account,) = service_accounts.accounts_from([row], "x")
    assert (account.name, account.role, account.created) == ("etl", "admin", None)
    assert account.expires == datetime(2027, 1, 1, tzinfo=UTC)
    rows = [{"id": 2, "role": "analyst"}, {"id": 3, "role": "admin", "target_type": "team"}, {"id": 4, "role": None}]
    assert service_accounts.roles_from(rows, 7, "x") == [
        ServiceAccountRole(2, 7, "analyst"),
        ServiceAccountRole(3, 7, "admin", GrantType.TEAM),
    ]


KNOWN = {"id": 77, "name": "Data", "projects": [{"id": 7, "role": "Analyst"}, {"id": 8, "role": None}]}
DATA = TeamInfo(77, "Data", {7: "analyst"})
TEAMS: dict[str, tuple[Any, TeamInfo]] = {
    "the known part": (KNOWN, DATA),
    "with people": (
        {**KNOWN, "users": [{"id": 1, "email": "Bo@example.com"}], "org_role": None, "scim_managed": False},
        TeamInfo(77, "Data", {7: "analyst"}, frozenset({"bo@example.com"}), NO_ROLE),
    ),
    "with nobody": ({**KNOWN, "users": []}, TeamInfo(77, "Data", {7: "analyst"}, frozenset())),
    "bare addresses": (
        {**KNOWN, "members": ["bo@example.com"]},
        TeamInfo(77, "Data", {7: "analyst"}, frozenset({"bo@example.com"})),
    ),
    "people by id only": ({**KNOWN, "users": [{"id": 1}]}, DATA),
    "people as a number": ({**KNOWN, "users": 3}, DATA),
    "fed by an identity provider": (
        {**KNOWN, "org_role": "Admin", "scim_managed": True},
        TeamInfo(77, "Data", {7: "analyst"}, None, "admin", scim_managed=True),
    ),
}


@pytest.mark.parametrize(("row", "team"), TEAMS.values(), ids=TEAMS.keys())
def test_a_team_is_read_with_what_is_told(row: Any, team: TeamInfo) -> None:
    """Who is in it, and its organization role, are unknown where the list lacks them; never "nobody"."""
    assert teams.teams_from([row], "x") == [team]
    assert teams.teams_from({"teams": [row]}, "x") == [team]
    assert teams.teams_from({"77": row}, "x") == [team]


def test_a_team_without_its_projects_is_no_answer() -> None:
    """Else every role of a team would seem to be gone."""
    with pytest.raises(errors.Unintelligible, match="projects: Field required"):
        teams.teams_from([{"id": 77, "name": "Data"}], "x")


CREATED: dict[str, tuple[Any, bool | None]] = {
    "new": ([{"name": "Data", "created": True}], True),
    "there": ([{"name": "Ops", "created": True}, {"name": "Data", "created": False}], False),
    "nothing told": ({}, None),
    "another name": ([{"name": "Ops", "created": True}], None),
    "no word on it": ([{"name": "Data"}, "Data", None], None),
}


@pytest.mark.parametrize(("answer", "created"), CREATED.values(), ids=CREATED.keys())
def test_whether_a_team_is_new(answer: Any, created: bool | None) -> None:
    """As far as the answer tells: its shape is open."""
    assert teams.created_from(answer, "Data") is created


def test_the_secrets_of_a_project_are_not_read() -> None:
    """Nothing of token and keys is kept."""
    (project,) = projects.projects_from([{"id": 1, "name": "Shop", "token": "t0p", "api_secret": "t0p"}], "x")
    assert "t0p" not in repr(project)


SSO: dict[str, tuple[Any, SingleSignOn]] = {
    "nothing": ({}, SingleSignOn()),
    "as the emulator has it": (
        {"enabled": True, "required": True, "idp_managed": False, "idp_name": "Okta",
         "domains": [{"name": "Example.com", "state": "verified"}, {"name": "example.net", "state": "pending"}]},
        SingleSignOn(True, True, False, "Okta", frozenset({"example.com"})),
    ),
    "other words": (
        {"sso_enabled": False, "require_sso": False, "idp_managed_access": True, "idp": " ",
         "claimed_domains": ["example.com", {"name": "example.org", "verified": True}, {"name": "a", "state": "new"}]},
        SingleSignOn(False, False, True, None, frozenset({"example.com", "example.org"})),
    ),
    "a state that nobody tells": ({"domains": ["example.com", {"domain": "example.org"}]}, SingleSignOn()),
    "a domain that is none": ({"domains": ["example.com", 7]}, SingleSignOn()),
    "the first that says something": (
        {"required": None, "sso_required": True, "domains": [], "claimed_domains": ["example.com"]},
        SingleSignOn(required=True, domains=frozenset({"example.com"})),
    ),
    "no domain": ({"domains": []}, SingleSignOn(domains=frozenset())),
    "no switches": ({"enabled": "yes", "required": 1, "domains": "example.com"}, SingleSignOn()),
}  # fmt: skip


@pytest.mark.parametrize(("results", "sso"), SSO.values(), ids=SSO.keys())
def test_every_known_form_of_single_sign_on(results: Any, sso: SingleSignOn) -> None:
    """What is not told in so many words is unknown; only a verified domain is claimed."""
    assert organization_settings.single_sign_on_from(results, "x") == sso


def test_settings_come_wrapped_or_bare() -> None:
    """As they are, with keys that nobody knows."""
    assert organization_settings.settings_from({"settings": {"a": 1}}, "x") == {"a": 1}
    assert organization_settings.settings_from({"a": 1}, "x") == {"a": 1}
    with pytest.raises(errors.Unintelligible, match="list where settings were expected"):
        organization_settings.settings_from([], "x")


WHEN = datetime(2026, 5, 2, 9, tzinfo=UTC)
EVENTS: dict[str, tuple[dict[str, Any], AuditEvent | None]] = {
    "somebody added": (
        {"id": "a1", "created": "2026-05-02T09:00:00Z", "project_id": "", "user_email": "ana@example.com",
         "entity": {"type": "organization.user_added", "entity_type": "organization", "entity_id": "7654321",
                    "payload": {"user_email": "bo@example.com", "source": "scim",
                                "organization_role": {"id": "member", "name": "Member", "is_custom_role": False}}}},
        AuditEvent("a1", WHEN, "organization.user_added", "ana@example.com", "bo@example.com", None, "member", "scim",
                   about="7654321"),
    ),
    "a project by its id": (
        {"created": "2026-05-02T09:00:00Z", "project_id": "7",
         "entity": {"type": "project.user_added", "payload": {"user_email": "bo@example.com", "role": "analyst"}}},
        AuditEvent("", WHEN, "project.user_added", "", "bo@example.com", 7, "analyst"),
    ),
    "a project by the entity": (
        {"created": "2026-05-02T09:00:00Z",
         "entity": {"type": "project.user_removed", "entity_type": "project", "entity_id": "7", "payload": None}},
        AuditEvent("", WHEN, "project.user_removed", project=7, about="7"),
    ),
    "a membership in a team": (
        {"created": "2026-05-02T09:00:00Z", "service": "scim",
         "entity": {"type": "team.user_added", "entity_type": "team", "entity_id": "77", "entity_name": "Data",
                    "payload": {"user_email": "bo@example.com"}}},
        AuditEvent("", WHEN, "team.user_added", email="bo@example.com", team=77, team_name="Data", service="scim",
                   about="Data"),
    ),
    "a team in a project": (
        {"created": "2026-05-02T09:00:00Z", "project_id": "7",
         "entity": {"type": "project.team_added", "entity_type": "project", "entity_id": "7",
                    "payload": {"team_id": "77", "team_name": "Data", "project_role": "analyst"}}},
        AuditEvent("", WHEN, "project.team_added", project=7, role="analyst", team=77, team_name="Data",
                   about="7"),
    ),
    "a session is its user's": (
        {"created": "2026-05-02T09:00:00Z", "user_email": "bo@example.com",
         "entity": {"type": "session.login_failed", "payload": {"login_method": "sso"}}},
        AuditEvent("", WHEN, "session.login_failed", "bo@example.com", "bo@example.com", method="sso"),
    ),
    "a changed role": (
        {"created": "2026-05-02T09:00:00Z", "user_email": "ana@example.com", "user_roles": ["owner"],
         "http_method": "POST", "was_impersonated_by_staff": False,
         "entity": {"type": "user.role_changed", "entity_type": "user", "entity_name": "bo@example.com",
                    "payload": {"previous": {"role": {"id": "member", "name": "Member", "is_custom_role": False}},
                                "current": {"role": {"id": "admin", "name": "Admin", "is_custom_role": False}}}}},
        AuditEvent("", WHEN, "user.role_changed", "ana@example.com", "bo@example.com", role="admin",
                   about="bo@example.com", previous_role="member"),
    ),
    "a changed role as words": (
        {"created": "2026-05-02T09:00:00Z", "project_id": "7",
         "entity": {"type": "user.role_changed",
                    "payload": {"user_email": "bo@example.com", "previous": {"role": "analyst"},
                                "current": {"role": "admin"}}}},
        AuditEvent("", WHEN, "user.role_changed", email="bo@example.com", project=7, role="admin",
                   previous_role="analyst"),
    ),
    "a changed role as it was assumed before": (
        {"created": "2026-05-02T09:00:00Z",
         "entity": {"type": "user.role_changed",
                    "payload": {"user_email": "bo@example.com", "old_role": "analyst", "new_role": "admin",
                                "current": "x"}}},
        AuditEvent("", WHEN, "user.role_changed", email="bo@example.com", role="admin"),
    ),
    "a failed factor": (
        {"created": "2026-05-02T09:00:00Z", "user_email": "bo@example.com",
         "entity": {"type": "session.login_failed",
                    "payload": {"failed_auth_factor": "Magic-Link", "login_method": "password"}}},
        AuditEvent("", WHEN, "session.login_failed", "bo@example.com", "bo@example.com", method="magic_link"),
    ),
    "a failed factor that is no word": (
        {"created": "2026-05-02T09:00:00Z", "user_email": "bo@example.com",
         "entity": {"type": "session.login_failed", "payload": {"failed_auth_factor": ["sso"]}}},
        AuditEvent("", WHEN, "session.login_failed", "bo@example.com", "bo@example.com"),
    ),
    "a login with a second factor": (
        {"created": "2026-05-02T09:00:00Z", "user_email": "bo@example.com",
         "entity": {"type": "session.logged_in", "payload": {"login_method": "password", "twofactor_method": "totp"}}},
        AuditEvent("", WHEN, "session.logged_in", "bo@example.com", "bo@example.com", method="password"),
    ),
    "what staff did": (
        {"created": "2026-05-02T09:00:00Z", "user_email": "ana@example.com", "was_impersonated_by_staff": True,
         "entity": {"type": "organization.user_removed", "payload": {"user_email": "bo@example.com"}}},
        AuditEvent("", WHEN, "organization.user_removed", "ana@example.com", "bo@example.com", by_staff=True),
    ),
    "a type that nobody knows": (
        {"created": "2026-05-02T09:00:00Z", "project_id": 7, "user_roles": None, "was_impersonated_by_staff": "no",
         "entity": {"type": "spark_setting.updated", "entity_type": "spark_setting", "payload": [1]}},
        AuditEvent("", WHEN, "spark_setting.updated", project=7),
    ),
    "no time": ({"entity": {"type": "session.logged_in"}}, None),
    "no type": ({"created": "2026-05-02T09:00:00Z", "entity": "x"}, None),
}  # fmt: skip


@pytest.mark.parametrize(("row", "event"), EVENTS.values(), ids=EVENTS.keys())
def test_every_known_form_of_an_event(row: dict[str, Any], event: AuditEvent | None) -> None:
    """Ids are strings there; what tells neither when nor what is left out."""
    assert audit_log.audit_events_from([row], "x") == ([event] if event else [])
    assert audit_log.audit_events_from({"events": [row]}, "x") == ([event] if event else [])


SECRETS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=8, max_size=30)


@given(SECRETS, st.text(), st.text())
def test_no_credential_comes_through(secret: str, before: str, after: str) -> None:
    """In plain, as Basic credentials, or beside the user's name."""
    redact = Redactor((secret, "bot"))
    for form in (secret, f"bot:{secret}", base64.b64encode(f"bot:{secret}".encode()).decode()):
        shown = redact(f"{before} {form} {after}")
        assert form not in shown or form in "[credential]"
        assert len(shown) <= LONGEST
        assert shown.isprintable()


SHOWN = {
    "link": ("see https://mixpanel.com/invite/abc?token=1 now", "see [link] now"),
    "bearer": ("Authorization: Bearer abcdefghi", "Authorization: Bearer [credential]"),
    "token": ('{"token": "abc"}', '{"token": [secret]}'),
    "three people": ("a@example.com, c@example.com, e@example.com", "a@example.com, c@example.com, e@example.com"),
    "many people": (
        "a@example.com, c@example.com, e@example.com, g@example.com",
        "[address], [address], [address], [address]",
    ),
    "escapes": ("role &quot;owner&quot; isn&#x27;t &lt;known&gt; &amp;c", 'role "owner" isn\'t <known> &c'),
    "escaped twice": ("a &amp;lt; b", "a &lt; b"),
    "escaped controls": ("a&#27;[31mb&#10;c&#8238;d&#xD800;e", "a[31mb c d\N{REPLACEMENT CHARACTER}e"),
    "an escaped link": ("see https:&#x2F;&#x2F;mixpanel.com/invite/abc now", "see [link] now"),
    "an escaped token": ("{&quot;token&quot;: &quot;abc&quot;}", '{"token": [secret]}'),
    "many escaped people": ("a&#64;example.com, " * 4, "[address], " * 3 + "[address],"),
    "control characters": ("a\x1b[31mb\nc", "a [31mb c"),
}


@pytest.mark.parametrize("secret", ["hush&hush<1>", "it's-hush", 'a"b"c-hush', "hush&copyhush", "hush&amp;hush"])
def test_no_credential_comes_through_escaped(secret: str) -> None:
    """As it is, escaped once, and escaped twice, which is undone once."""
    redact = Redactor((secret, "bot"))
    for form in (secret, html.escape(secret), html.escape(html.escape(secret))):
        assert redact(f"no {form} here") == "no [credential] here"


@pytest.mark.parametrize(("text", "shown"), SHOWN.values(), ids=SHOWN.keys())
def test_what_is_shown_of_a_servers_words(text: str, shown: str) -> None:
    """Links, tokens and lists of people are left out, and it is one line."""
    assert Redactor()(text) == shown
