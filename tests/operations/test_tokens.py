"""`token`: the one token that is asked for, and a clear refusal where there is none."""

from __future__ import annotations

import json
import re
from typing import Any, cast

import pytest

from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.resources import SIGNATURE
from mixpanel_access.operations.project import PulumiProject
from mixpanel_access.operations.tokens import token_of, tokens_in

MARK = "1b47061264138c4ac30d75fd1eb44270"


def account(name: str, token: Any, **more: Any) -> dict[str, Any]:
    """A service account as the engine exports it with `--show-secrets`."""
    return {
        "type": "pulumi-python:dynamic/mixpanel:ServiceAccount",
        "urn": f"urn:pulumi:s::p::pulumi-python:dynamic/mixpanel:ServiceAccount::service-account/{name}",
        "id": "7:5",
        "outputs": {"username": name, "login": f"{name}.1a.mp-service-account", "token": token},
        **more,
    }


def secret(value: object) -> dict[str, str]:
    """A secret in plain text."""
    return {SIGNATURE: MARK, "plaintext": json.dumps(value)}


@pytest.mark.parametrize(
    ("token", "expected"), [(secret("t-1"), "t-1"), ("t-1", "t-1"), (None, None), (secret(None), None)]
)
def test_a_token_is_read_in_every_form(token: object, expected: str | None) -> None:
    """As a secret, in plain text as a careless program keeps it, and not at all for an imported account."""
    (found,) = tokens_in("s", {"deployment": {"resources": [account("etl", token)]}})
    assert (found.token.reveal() if found.token else None) == expected
    assert list(found.names) == ["etl", "etl.1a.mp-service-account", "service-account/etl"]
    assert "t-1" not in repr(found)


def test_a_name_that_is_a_secret_can_be_asked_for() -> None:
    """It is compared in plain text, and what is on its way out is left out."""
    hidden, gone = account("etl", secret("t-1")), account("elt", secret("t-2"), delete=True)
    hidden["outputs"]["username"] = secret("etl")
    (found,) = tokens_in("s", {"deployment": {"resources": [hidden, gone]}})
    assert found.names[0] == "etl"


class States:
    """A project of two stacks, as far as a token needs one."""

    stacks = ("production", "staging")

    def must_exist(self, stack: str) -> None:
        if stack not in self.stacks:
            raise UsageError("cannot find the stack", subject=stack)

    def export(self, stack: str, *, show_secrets: bool) -> dict[str, Any]:
        assert show_secrets
        twice = account("bot", secret(f"t-{stack}"))
        twice["outputs"]["login"] = f"bot.{stack}.mp-service-account"
        found = {"production": [account("etl", secret("t-1")), account("old", None)], "staging": []}
        return {"deployment": {"resources": [*found[stack], twice]}}


REFUSALS = {
    "etll": r"named etll: production has bot, etl, old; staging has bot \(did you mean 'etl'\?\)",
    "old": "the account was imported",
    "bot": r"bot\.production\..* in stack production, bot\.staging\..* in stack staging",
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_token_that_cannot_be_told_is_refused_in_words(name: str) -> None:
    """No account of the name, no token in the state, several of the name: what to do next."""
    with pytest.raises(UsageError) as refused:
        token_of(cast("PulumiProject", States()), name, [])
    assert re.search(REFUSALS[name], str(refused.value))


def test_a_stack_that_is_not_there_is_refused_before_anything_is_read() -> None:
    """Its state is not asked for, whose error would be the engine's."""
    with pytest.raises(UsageError, match="cannot find the stack"):
        token_of(cast("PulumiProject", States()), "etl", ["nope"])


def test_a_stack_or_the_login_name_tells_two_accounts_apart() -> None:
    """Either is enough."""
    for found in (
        token_of(cast("PulumiProject", States()), "bot", ["staging"]),
        token_of(cast("PulumiProject", States()), "bot.staging.mp-service-account", []),
    ):
        assert found.token is not None
        assert found.token.reveal() == "t-staging"
