"""What every provider does, whatever its resource: its configuration, its errors and its pickle."""

from __future__ import annotations

import pickle
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from pulumi.dynamic.dynamic import serialize_provider

from mixpanel_access.model import errors
from mixpanel_access.model.settings import KEPT_VARIABLE
from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.session import shared_session
from tests.fakes import ORGANIZATION, FakeApi, make_session

ID = f"{ORGANIZATION}:cy@example.com"


@pytest.fixture
def api() -> FakeApi:
    """An organization with one owner."""
    api = FakeApi()
    api.put("ana@example.com", "owner")
    return api


def provider_for(api: FakeApi) -> MemberProvider:
    """A provider in a session over the fake."""
    provider = MemberProvider()
    provider.use(make_session(api)[0])
    return provider


def inputs(**changes: Any) -> dict[str, Any]:
    """The inputs of one compliant member."""
    return {"email": "cy@example.com", "role": "member", "removal": "when_unused", **changes}


def test_a_configuration_that_cannot_be_used_is_one_failure(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text lists all that is wrong and how to set it; no error of the process shows a traceback from then on."""
    monkeypatch.setattr(sys, "tracebacklimit", 1000, raising=False)  # it is put back after the test
    provider = MemberProvider()

    class Request:
        class config:  # noqa: N801
            @staticmethod
            def get(key: str) -> str | None:
                return {"mixpanel:organizationId": "x"}.get(key)

    provider.configure(Request())  # type: ignore[arg-type]
    (failure,) = provider.check({}, inputs()).failures
    assert failure.property == ""
    for words in ("not a positive whole number", "mixpanel:serviceAccountUsername", "MIXPANEL_SERVICE_ACCOUNT_SECRET"):
        assert words in failure.reason
    with pytest.raises(errors.ConfigurationError):
        provider.delete(ID, inputs())
    assert sys.tracebacklimit == 0


class Refusing:
    """A lifecycle in which each verb fails, for a reason of its own."""

    def __getattr__(self, verb: str) -> Callable[..., NoReturn]:
        def refuse(*_: object) -> NoReturn:
            try:
                raise ValueError("a detail")
            except ValueError as error:
                raise errors.InputError(f"cannot {verb}", why="of a detail", next_step="Change it.") from error

        return refuse


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda provider: provider.check({}, {}), id="check"),
        pytest.param(lambda provider: provider.diff(ID, {}, {}), id="diff"),
        pytest.param(lambda provider: provider.create({}), id="create"),
        pytest.param(lambda provider: provider.read(ID, {}), id="read"),
        pytest.param(lambda provider: provider.update(ID, {}, {}), id="update"),
        pytest.param(lambda provider: provider.delete(ID, {}), id="delete"),
    ],
)
def test_an_error_comes_alone(
    act: Callable[[MemberProvider], object],
    api: FakeApi,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The SDK's server prints an error with all that led to it, line by line; the message has that already."""
    monkeypatch.setattr(sys, "tracebacklimit", 0, raising=False)  # as in the plugin's process
    provider = provider_for(api)
    provider.__dict__["lifecycle"] = Refusing()
    with pytest.raises(errors.InputError) as caught:
        act(provider)
    printed = "".join(traceback.format_exception(caught.value))
    verb = request.node.callspec.id
    assert printed == f"mixpanel_access.model.errors.InputError: cannot {verb}: of a detail. Change it.\n"


def test_a_proxy_that_cannot_be_used_is_one_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Like the stack's configuration: the verbs say it, with the variable's name."""
    monkeypatch.setattr(sys, "tracebacklimit", 1000, raising=False)
    monkeypatch.setenv("ALL_PROXY", "socks5://proxy.example.com:1080")
    provider = MemberProvider()

    class Request:
        class config:  # noqa: N801
            @staticmethod
            def get(key: str) -> str | None:
                own = {"organizationId": "1", "serviceAccountUsername": "bot", "serviceAccountSecret": "hush"}
                return own.get(key.removeprefix("mixpanel:"))

    provider.configure(Request())  # type: ignore[arg-type]
    (failure,) = provider.check({}, inputs()).failures
    assert "ALL_PROXY names a SOCKS proxy" in failure.reason


def test_a_now_that_is_left_in_the_configuration_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a run, whatever it does: by it, ended access would stay for ever."""
    own = {"organizationId": "1", "serviceAccountUsername": "bot", "serviceAccountSecret": "hush", "now": "2026-05-04"}
    for _ in range(2):
        shared_session(own.get)
    shared_session({**own, "now": ""}.get)
    monkeypatch.setenv(KEPT_VARIABLE, "kept.json")
    shared_session({**own, "organizationId": "2"}.get)  # by `revoke`, which has said so
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert out.startswith(
        "warning: mixpanel:now is 2026-05-04T00:00:00Z: access begins and ends by that day, not by to"
    )


def test_the_pickle_holds_nothing(api: FakeApi) -> None:
    """Whatever the provider object holds, its pickle is small and carries no secret."""
    bare, used = serialize_provider(MemberProvider()), provider_for(api)
    assert serialize_provider(used) == bare
    assert b"hush" not in pickle.dumps(used)
    assert len(bare) < 300


def test_a_program_of_thousands_can_pickle_its_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK wraps how it pickles dicts anew for each resource; ours has none, and does not recurse."""
    for name in ("_batch_setitems", "save_dict"):  # to be as they were for other tests
        monkeypatch.setattr(pickle._Pickler, name, getattr(pickle._Pickler, name))
    assert len({serialize_provider(MemberProvider()) for _ in range(2 * sys.getrecursionlimit())}) == 1
