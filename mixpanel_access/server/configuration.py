"""What is wrong with the inputs of an explicit provider, which the engine asks at a preview, before any resource."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pulumi.runtime import rpc
from pulumi.runtime.proto.provider_pb2 import CheckFailure

from mixpanel_access.model.errors import ConfigurationError
from mixpanel_access.model.resources import DEFAULT
from mixpanel_access.model.setting_values import organization_in, setting_text
from mixpanel_access.model.settings import NAMESPACE, PROVIDER, SETTINGS, load_settings
from mixpanel_access.model.similarity import counted, similar
from mixpanel_access.provider.handler import known, own
from mixpanel_access.provider.run import Scope, engine_scope
from mixpanel_access.provider.states import of_organization
from mixpanel_access.server.secrets import revealed

_PREFIX: Final = f"{NAMESPACE}:"
_OF_THE_ENGINE: Final = {"version", "pluginDownloadURL"}
_ORGANIZATION: Final = f"{_PREFIX}organizationId"
_URN: Final = "urn:pulumi:"


def failures(urn: str, olds: Any, news: Any, scope: Scope | None = None) -> list[CheckFailure]:
    """What is wrong with a provider's inputs; of the stack's configuration, the verbs say it.

    Args:
        urn: the provider's.
        olds: its inputs in the state, if it is there.
        news: its inputs in the program.
        scope: the engine's run; by default that of the engine that has started this process.
    """
    name = urn.rpartition("::")[2]
    if name.startswith(DEFAULT):
        return []
    before, given = (own(rpc.deserialize_properties(revealed(each), keep_unknowns=True)) for each in (olds, news))
    problems = [*_problems(named(name, given)), *_left(urn, before, given, scope)]
    # Without the property: the engine would print its value, and a misspelled one may be the secret.
    return [CheckFailure(reason=reason) for reason in problems]


def named(name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """A provider's inputs with its name, where another program than ours has made an explicit one."""
    explicit = name and not name.startswith(DEFAULT)
    return {**({f"{_PREFIX}{PROVIDER}": name} if explicit else {}), **inputs}


def _problems(given: dict[str, Any]) -> Iterator[str]:
    allowed = {f"{_PREFIX}{key}" for key in (*SETTINGS, PROVIDER)} | _OF_THE_ENGINE
    for key in sorted(given.keys() - allowed):
        meant = similar(key.removeprefix(_PREFIX), SETTINGS)
        others = ", ".join(f"{_PREFIX}{setting}" for setting in SETTINGS)
        yield f"{key} is not a setting; " + (f"did you mean {_PREFIX}{meant}?" if meant else f"they are {others}")
    if all(known(value) for value in given.values()):
        try:
            load_settings(lambda key: setting_text(given.get(f"{_PREFIX}{key}")), os.environ)
        except ConfigurationError as error:
            yield str(error)


def _left(urn: str, before: Mapping[str, Any], given: Mapping[str, Any], scope: Scope | None) -> Iterator[str]:
    """A change of the organization while the stack has resources there: their deletions would fail, one by one."""
    old, new = (organization_in(each.get(_ORGANIZATION)) for each in (before, given))
    if old is None or new is None or old == new:
        return
    stack = urn.split("::")[0].removeprefix(_URN)
    held = (scope or engine_scope(lambda: stack)).resources
    left = [one for one in of_organization(held or (), old) if one.provider == urn]
    if left:
        why = f"the stack has {counted(len(left), 'resource')} there"
    elif held is None:
        why = "the stack may have resources there, as its state cannot be read"
    else:
        return
    name = urn.rpartition("::")[2]
    yield (
        f"the organization_id of {name} cannot change from {old} to {new}: {why}. Set it back, and make another "
        f"Organization, with a name of its own, for {new}; take {name} out of the program when nothing uses it"
    )
