"""Whatever answers: a typed result or one clear error, and nothing that a terminal or a file cannot take."""

from __future__ import annotations

import contextlib
import inspect
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st

from mixpanel_access.api.answers import page_of
from mixpanel_access.api.client import Api
from mixpanel_access.api.redaction import Redactor
from mixpanel_access.api.transport import READ_ATTEMPTS, Transport
from mixpanel_access.model import errors
from mixpanel_access.model.access import ScimUser
from mixpanel_access.model.setting_values import Secret
from mixpanel_access.model.settings import Verb
from tests.api.conftest import HOST, NOW
from tests.fuzz.answers import JSON, MODULES, no_more, responses
from tests.tally import count

ORG = 7654321
DECODERS: dict[str, Callable[..., Any]] = {
    f"{module.__name__.rpartition('.')[2]}.{name}": function
    for module in MODULES
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if name.endswith("_from") and function.__module__ == module.__name__
}
"""Every function that makes something of `results`."""
ARGUMENTS = {"project": 7, "what": "x", "name": "Data"}
BO = "bo@example.com"
CALLS: dict[str, Callable[[Api], Any]] = {
    "me.read": lambda api: api.me.read(),
    "users.list_users": lambda api: api.users.list_users(),
    "users.invite": lambda api: api.users.invite({BO: "member"}),
    "users.grant": lambda api: api.users.grant({(7, BO): "admin"}),
    "users.change_role": lambda api: api.users.change_role(BO, "admin"),
    "users.remove_grants": lambda api: api.users.remove_grants(BO, [7]),
    "users.remove": lambda api: api.users.remove([BO]),
    "users.resend": lambda api: api.users.resend([BO]),
    "projects.list_projects": lambda api: api.projects.list_projects(),
    "projects.granted_users": lambda api: api.projects.granted_users(7),
    "custom_roles.list_roles": lambda api: api.custom_roles.list_roles(7),
    "custom_roles.permissions": lambda api: api.custom_roles.permissions(7),
    "custom_roles.create": lambda api: api.custom_roles.create(7, "Support", "", ["x"]),
    "custom_roles.change": lambda api: api.custom_roles.change(7, "5b0c", "Support", "", ["x"]),
    "custom_roles.delete": lambda api: api.custom_roles.delete(7, "5b0c"),
    "service_accounts.list_accounts": lambda api: api.service_accounts.list_accounts(),
    "service_accounts.list_of_project": lambda api: api.service_accounts.list_of_project(7),
    "service_accounts.flags_of_project": lambda api: api.service_accounts.flags_of_project(7),
    "service_accounts.create": lambda api: api.service_accounts.create("etl", "admin", None),
    "service_accounts.delete": lambda api: api.service_accounts.delete(1),
    "service_accounts.add_to_project": lambda api: api.service_accounts.add_to_project(1, 7, "admin"),
    "service_accounts.remove_from_project": lambda api: api.service_accounts.remove_from_project(1, 7),
    "teams.list_teams": lambda api: api.teams.list_teams(),
    "teams.service_accounts_of": lambda api: api.teams.service_accounts_of(1),
    "teams.create": lambda api: api.teams.create("Data"),
    "teams.rename": lambda api: api.teams.rename(1, "Data"),
    "teams.delete": lambda api: api.teams.delete(1),
    "teams.grant": lambda api: api.teams.grant({(1, 7): "admin"}),
    "teams.remove_grant": lambda api: api.teams.remove_grant(1, 7),
    "teams.add_members": lambda api: api.teams.add_members([(1, BO)]),
    "teams.remove_member": lambda api: api.teams.remove_member(1, BO),
    "organization_settings.two_factor": lambda api: api.organization_settings.two_factor(),
    "organization_settings.request_access": lambda api: api.organization_settings.request_access(),
    "organization_settings.put_two_factor": lambda api: api.organization_settings.put_two_factor({"a": 1}),
    "organization_settings.put_request_access": lambda api: api.organization_settings.put_request_access({"a": 1}),
    "organization_settings.discoverability": lambda api: api.organization_settings.discoverability(),
    "organization_settings.sso": lambda api: api.organization_settings.sso(),
    "audit_log.events": lambda api: api.audit_log.events(["invitation.sent"], NOW, NOW),
    "scim.list_users": lambda api: scim(api).list_users(),
    "scim.find_user": lambda api: scim(api).find_user(BO),
    "scim.create": lambda api: scim(api).create(BO),
    "scim.find_group": lambda api: scim(api).find_group("Data"),
    "scim.create_group": lambda api: scim(api).create_group("Data", ["7"]),
    "scim.change_group": lambda api: scim(api).change_group("77", "Data", ["7"], ["8"]),
    "scim.rename_group": lambda api: scim(api).rename_group("77", "Data"),
    "scim.set_active": lambda api: scim(api).set_active(ScimUser("7", BO, True), active=False),
}
"""Every call of every endpoint."""


def scim(api: Api) -> Any:
    """The endpoint that is there with a token only."""
    assert api.scim
    return api.scim


@contextlib.contextmanager
def api_over(answers: list[httpx.Response]) -> Iterator[Api]:
    """The whole API over some answers, one after the other."""
    left = iter(answers)
    mock = httpx.MockTransport(lambda _: next(left, None) or no_more())
    allowed = frozenset(map(str, Verb))
    transports = [Transport(HOST, name, Secret("hush-hush"), transport=mock, now=lambda: NOW) for name in ("bot", "")]
    api = Api(transports[0], ORG, allowed, transports[1])
    with stamina.set_testing(True, attempts=READ_ATTEMPTS, cap=True), contextlib.closing(api):
        yield api


def test_every_call_of_every_endpoint_is_made() -> None:
    """None is left out: neither of an endpoint nor a whole one."""
    with api_over([]) as api:
        found = {
            f"{family}.{name}"
            for family, endpoint in vars(api).items()
            if not family.startswith("_")
            for name, _ in inspect.getmembers(endpoint, inspect.ismethod)
            if not name.startswith("_")
        }
    assert found == set(CALLS)
    assert len(DECODERS) > 12


@given(name=st.sampled_from([*DECODERS]), answer=JSON)
def test_any_json_is_a_result_or_a_clear_error(name: str, answer: Any) -> None:
    """In the envelope and in the shapes."""
    count("inputs of wire answers")
    try:
        results = page_of(json.dumps(answer).encode(), "x", Redactor()).results
        wanted = inspect.signature(DECODERS[name]).parameters
        DECODERS[name](results, *(ARGUMENTS[parameter] for parameter in wanted if parameter != "results"))
    except (errors.NotApplied, errors.Unintelligible) as error:
        assert_shown(error)


@pytest.mark.parametrize("by_scim", [False, True], ids=["API", "SCIM"])
@given(data=st.data(), answers=st.lists(responses(), min_size=1, max_size=4))
def test_any_answer_to_a_call_is_a_result_or_a_clear_error(
    by_scim: bool, data: st.DataObject, answers: list[httpx.Response]
) -> None:
    """Any status, headers and bytes, through the client that is used."""
    name = data.draw(st.sampled_from([call for call in CALLS if call.startswith("scim.") == by_scim]))
    count("inputs of SCIM answers" if by_scim else "inputs of wire answers", len(answers))
    with api_over(answers) as api:
        try:
            found = CALLS[name](api)
        except errors.MixpanelError as error:
            assert_shown(error)
        else:
            repr(found).encode()  # no half characters, which no terminal and no file takes


def assert_shown(error: errors.MixpanelError) -> None:
    """It is one line that can be printed, without the secret."""
    assert "\n" not in str(error)
    assert "hush-hush" not in str(error)
    str(error).encode()
