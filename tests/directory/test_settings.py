"""Security settings are changed key by key: what else is there stays, whatever becomes of the answer."""

from __future__ import annotations

import pytest

from mixpanel_access.model import errors
from tests.fakes import FakeApi, make_directory

OPEN = (errors.Unreachable, errors.ServerFault, errors.Unintelligible)


@pytest.mark.parametrize("kind", [*OPEN, None])
@pytest.mark.parametrize("applied", [True, False])
def test_only_the_given_keys_are_changed(kind: type[errors.MixpanelError] | None, applied: bool) -> None:
    """The others are sent as they are; a lost answer is followed by a look."""
    api = FakeApi(two_factor_={"twofactor_auth_required": False, "grace": 7}, request_access_={"a": 1, "b": [2]})
    api.applied = applied
    directory = make_directory(api)
    directory.security()
    for verb in ("put_two_factor", "put_request_access"):
        api.faults[verb] = [kind("cannot", why="lost")] if kind else []
    directory.settings.require_two_factor(True)
    directory.settings.change_request_access({"b": None, "c": "x"})
    found = directory.security()
    assert found.two_factor == {"twofactor_auth_required": True, "grace": 7}
    assert (found.two_factor_required, found.request_access) == (True, {"a": 1, "b": None, "c": "x"})
    sent = 2 if kind and not applied else 1
    assert api.writes == ["put_two_factor"] * sent + ["put_request_access"] * sent


def test_what_somebody_else_changes_meanwhile_is_kept() -> None:
    """What is sent was read just before, and not with the operation's picture."""
    api = FakeApi(request_access_={"a": 1})
    directory = make_directory(api)
    directory.security()
    api.request_access_ = {"a": 2}
    directory.settings.change_request_access({"b": 1})
    assert api.request_access_ == {"a": 2, "b": 1}


def test_a_refusal_is_told() -> None:
    """Nothing is sent twice for it."""
    api = FakeApi(faults={"put_two_factor": [errors.Forbidden("cannot", why="403")]})
    with pytest.raises(errors.Forbidden):
        make_directory(api).settings.require_two_factor(True)
    assert api.writes == ["put_two_factor"]
