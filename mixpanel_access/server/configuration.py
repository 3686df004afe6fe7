"""What is wrong with the inputs of an explicit provider, which the engine asks at a preview, before any resource."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pulumi.runtime import rpc
from pulumi.runtime.proto.provider_pb2 import CheckFailure

from mixpanel_access.model.errors import ConfigurationError
from mixpanel_access.model.setting_values import setting_text
from mixpanel_access.model.settings import NAMESPACE, PROVIDER, SETTINGS, load_settings
from mixpanel_access.model.similarity import similar
from mixpanel_access.provider.handler import known, own
from mixpanel_access.server.secrets import revealed

_PREFIX: Final = f"{NAMESPACE}:"
_OF_THE_ENGINE: Final = {"version", "pluginDownloadURL"}
_DEFAULT: Final = "default"
"""How the engine calls the provider of the stack's configuration."""


def failures(urn: str, inputs: Any) -> list[CheckFailure]:
    """What is wrong with a provider's inputs; of the stack's configuration, the verbs say it."""
    name = urn.rpartition("::")[2]
    if name.startswith(_DEFAULT):
        return []
    given = own(named(name, rpc.deserialize_properties(revealed(inputs), keep_unknowns=True)))
    # Without the property: the engine would print its value, and a misspelled one may be the secret.
    return [CheckFailure(reason=reason) for reason in _problems(given)]


def named(name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """A provider's inputs with its name, where another program than ours has made an explicit one."""
    explicit = name and not name.startswith(_DEFAULT)
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
