"""Read the token of one service account from a state: the one thing of it that Mixpanel shows only once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.resources import SERVICE_ACCOUNT_TYPE, SIGNATURE, rows_in
from mixpanel_access.model.setting_values import Secret
from mixpanel_access.model.similarity import did_you_mean
from mixpanel_access.operations.project import PulumiProject, of_each, stacks_of
from mixpanel_access.operations.state import name_of


@dataclass(frozen=True)
class AccountToken:
    """A service account that a state has.

    Attributes:
        names: what it can be asked for by: the name that it was made with, its login name, the resource's name.
        token: its token; None for an account that was imported.
    """

    stack: str
    names: Sequence[str]
    login: str
    token: Secret | None


def token_of(project: PulumiProject, name: str, stacks: Sequence[str]) -> AccountToken:
    """The service account of that name, with its token.

    Raises:
        UsageError: there is none of that name, there are several, or its token is in no state.
    """
    names = stacks_of(project, stacks)
    for stack in names:
        project.must_exist(stack)
    exports = of_each(names, partial(project.export, show_secrets=True))
    accounts = [account for stack in names for account in tokens_in(stack, exports[stack])]
    found = [account for account in accounts if name.strip() in account.names]
    if not found:
        known = {stack: sorted({one.names[0] for one in accounts if one.stack == stack}) for stack in names}
        have = [f"{stack} has {', '.join(some)}" for stack, some in known.items() if some]
        raise UsageError(
            f"no state has a service account named {name}",
            why="; ".join(have or [f"{', '.join(names)}: none at all"])
            + did_you_mean(name, [one for account in accounts for one in account.names]),
            next_step="Check the name and --stack.",
        )
    if len(found) > 1:
        there = ", ".join(f"{account.login} in stack {account.stack}" for account in found)
        raise UsageError(
            "cannot tell which service account is meant",
            subject=name,
            why=f"there are {there}",
            next_step="Give the login name, or --stack.",
        )
    if found[0].token is None:
        raise UsageError(
            "cannot read the token",
            subject=found[0].login,
            why="it is not in the state: the account was imported, and Mixpanel shows a token only once",
            next_step="Give the account a rotateAfter, or replace it, for a token that the state has.",
        )
    return found[0]


def tokens_in(stack: str, export: Mapping[str, Any]) -> Iterator[AccountToken]:
    """The service accounts of a state that was exported with `--show-secrets`; those on their way out are left out."""
    for resource in rows_in(export):
        if resource.get("type") != SERVICE_ACCOUNT_TYPE or resource.get("delete"):
            continue
        outputs = {name: _shown(value) for name, value in (resource.get("outputs") or {}).items()}
        login, token = str(outputs.get("login") or ""), outputs.get("token")
        names = [str(outputs.get("username") or ""), login, name_of(str(resource.get("urn", "")))]
        yield AccountToken(stack, [one for one in names if one], login, Secret(token) if token else None)


def _shown(value: Any) -> Any:
    """A value, of a secret the one in plain text."""
    if isinstance(value, Mapping) and SIGNATURE in value:
        return json.loads(value.get("plaintext") or "null")
    return value
