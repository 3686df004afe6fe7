"""The SDK's side of every resource: a thin provider, which the state of each resource names.

A provider object is pickled by reference into every resource's state: its module and its class keep their names, it
pickles nothing, and it gets its settings only in the plugin's process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from functools import cached_property
from typing import Any, ClassVar, Final

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from mixpanel_access.model.errors import AccessError, ConfigurationError
from mixpanel_access.model.setting_values import setting_text
from mixpanel_access.model.settings import NAMESPACE
from mixpanel_access.provider.handler import Handler, Properties
from mixpanel_access.provider.lifecycle import Lifecycle
from mixpanel_access.provider.session import Session, quiet_errors, shared_session

GONE: Final = ReadResult("", {})
"""What `read` returns for a resource that no longer exists: an empty id and no outputs (None raises in the SDK)."""


class AccessProvider(ResourceProvider):
    """The base of every resource's provider: the SDK's verbs, in the SDK's types, for the handler."""

    HANDLER: ClassVar[type[Handler[Any]]]
    """What the resource does."""
    LIFECYCLE: ClassVar[type[Lifecycle]] = Lifecycle
    """What it does as others do."""

    serialize_as_secret_always = False  # the pickle holds no secret; as one it would multiply the state's size

    def __getstate__(self) -> None:
        # What is pickled lands in the state of every resource: nothing. Not even an empty dict: with each resource the
        # SDK wraps how dicts are pickled once more, and the thousandth of a program would recurse too deeply.
        return None

    @cached_property
    def handler(self) -> Handler[Any]:
        """What does the verbs of this kind of resource, in the session of the operation."""
        return self.HANDLER()

    @cached_property
    def lifecycle(self) -> Lifecycle:
        """The handler within what every resource does alike."""
        return self.LIFECYCLE(self.handler)

    @property
    def session(self) -> Session:
        """The operation's session.

        Raises:
            ConfigurationError: the configuration cannot be used.
        """
        return self.handler.session

    def use(self, session: Session) -> None:
        """Work in this session."""
        self.handler.use(session)

    def configure(self, req: ConfigureRequest) -> None:
        """Read the stack's configuration. The verbs report what is wrong with it, since they can do so in one line."""
        quiet_errors()
        try:
            self.use(shared_session(lambda key: setting_text(req.config.get(f"{NAMESPACE}:{key}")), _keys(req)))
        except ConfigurationError as error:
            self.handler.refuse(error)

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Judge and normalize the inputs."""
        with self._reporting():
            inputs, failures = self.lifecycle.check(_olds, news)
        return CheckResult(inputs, [CheckFailure(field, reason) for field, reason in failures])

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Find out what changes."""
        with self._reporting():
            changes, replaces = self.lifecycle.diff(_id, _olds, _news)
        return DiffResult(changes=changes, replaces=list(replaces), delete_before_replace=False)

    def create(self, props: Properties) -> CreateResult:
        """Make sure that what is declared exists in Mixpanel; what is there already is adopted."""
        with self._reporting():
            ref, outputs = self.lifecycle.create(props)
        return CreateResult(str(ref), outputs)

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Read what Mixpanel has."""
        with self._reporting():
            found = self.lifecycle.read(id_, props)
        return GONE if found is None else ReadResult(id_, found.outputs, found.inputs)

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Change in Mixpanel what differs, and keep the metadata."""
        with self._reporting():
            return UpdateResult(self.lifecycle.update(_id, _olds, _news))

    def delete(self, _id: str, _props: Properties) -> None:
        """Take away what the resource gave, unless a brake or another resource keeps it."""
        with self._reporting():
            self.lifecycle.delete(_id, _props)

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        """Raise an error alone, worded for whoever has the configuration in a program.

        Newer SDKs print all errors that led to it, which its message says already.
        """
        try:
            yield
        except AccessError as error:
            own = copy(error)  # another resource of a batch may have got the same one
            own.why, own.next_step = self.handler.worded(error.why), self.handler.worded(error.next_step)
            raise own.with_traceback(error.__traceback__) from None
        except Exception as error:
            error.__cause__ = None  # and no context either
            raise


def _keys(req: ConfigureRequest) -> list[str]:
    """The keys of ours that are set; none where the SDK shows none, as its public side does not."""
    prefix = f"{NAMESPACE}:"
    return [key.removeprefix(prefix) for key in getattr(req.config, "_props", ()) if key.startswith(prefix)]
