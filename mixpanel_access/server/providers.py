"""The providers of the resources that one process serves, each unpickled and configured once."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import dill  # type: ignore[import-untyped]
from pulumi.dynamic import Config, ConfigureRequest, ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime import Settings, configure, rpc
from pulumi.runtime._serialization import _deserialize

from mixpanel_access import __version__
from mixpanel_access.model.errors import InputError
from mixpanel_access.model.resources import BY_NAME, DYNAMIC_TYPE, KINDS, PROVIDER_KEY, ResourceKind
from mixpanel_access.model.similarity import did_you_mean
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.server.messages import about

Properties = Mapping[str, Any]
_OURS: Final = b"mixpanel_access.provider"


class Providers:
    """Finds the provider of a resource.

    Args:
        project: the project's name, which is the namespace of a configuration key without one.
    """

    def __init__(self, project: str) -> None:
        self._project = project
        self._config: dict[str, Any] = {}
        self._found: dict[str, ResourceProvider] = {}
        self._named: dict[str, str] = {}
        self._lock = threading.Lock()

    def configure(self, config: Properties) -> None:
        """Give this configuration to each provider before its first verb."""
        self._config = {key: rpc.unwrap_rpc_secret(value) for key, value in config.items()}

    def get(self, pickled: str) -> ResourceProvider:
        """The provider that a resource names."""
        # The SDK keeps its settings for each thread, and other people's providers may ask for them.
        configure(Settings(project=self._project, stack="stack", organization="organization"))
        with self._lock:
            if pickled not in self._found:
                self._found[pickled] = self._made(pickled)
            return self._found[pickled]

    def pickled_of(self, type_: str) -> str:
        """The provider of a type of ours, as programs name it: a resource that is imported names none yet.

        Raises:
            InputError: it is another package's type, whose provider only a program knows.
        """
        kind = KINDS.get(type_)
        if kind is None:
            why = "only a program knows the provider of another package's dynamic resource"
            if type_.startswith(DYNAMIC_TYPE):
                why = f"no resource has this name{did_you_mean(type_.removeprefix(DYNAMIC_TYPE), BY_NAME)}"
            raise InputError(
                "cannot import by id",
                subject=type_,
                why=why,
                next_step=f"The types that can be imported are those of {DYNAMIC_TYPE} {', '.join(BY_NAME)}.",
            )
        with self._lock:  # the SDK changes the module `pickle` meanwhile
            if type_ not in self._named:
                self._named[type_] = serialize_provider(provider_of(kind))
            return self._named[type_]

    def _made(self, pickled: str) -> ResourceProvider:
        content = b""
        try:
            content = base64.b64decode(pickled)
            provider = _deserialize(lambda: dill.loads(content))  # noqa: S301
            if not isinstance(provider, ResourceProvider):
                raise TypeError("it is no provider")
        except (ImportError, AttributeError) as error:
            if _OURS not in content:
                raise
            raise InputError(
                "cannot use this resource's state",
                why=f"another version of mixpanel-access has written it, and {__version__} does not know its kind "
                f"({error})",
                next_step="Install the version that has, or a later one, into the project's virtualenv.",
            ) from None
        except Exception as error:  # noqa: BLE001  # changed bytes can raise anything
            raise InputError(
                "cannot use this resource's state",
                why=f"its property {PROVIDER_KEY} is damaged, perhaps by an edit of the state ({error})",
                next_step="Restore the state from before the edit with `pulumi stack import`.",
            ) from None
        if isinstance(provider, AccessProvider):
            provider.handler.keeps = True
        with about(""):  # what is wrong with the configuration is about no resource
            provider.configure(ConfigureRequest(Config(self._config, self._project)))
        return provider


def provider_of(kind: ResourceKind) -> AccessProvider:
    """The provider that a program gives to a resource of this kind."""
    module = import_module(f"mixpanel_access.provider.{kind.module}")
    made: AccessProvider = getattr(module, f"{kind.name}Provider")()
    return made


def pickled_in(*properties: Properties) -> str:
    """The provider that a resource names in the first of these properties that has it.

    Raises:
        KeyError: none has it.
    """
    named = (props[PROVIDER_KEY] for props in properties if PROVIDER_KEY in props)
    pickled = next((name for name in named if isinstance(name, str) and name != rpc.UNKNOWN), None)
    if pickled is None:
        raise KeyError(PROVIDER_KEY)
    return pickled
