"""The floor: what the engine, the SDK and the program cost where a resource's provider has nothing to do.

The program is the stack's own. Only the providers are exchanged, as each resource is made.
"""

from __future__ import annotations

from typing import Any

from pulumi.dynamic import (
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

PROLOGUE = "from bench.floor import lay\n\nlay()\n"
"""What stands before a program that is to run on the floor."""


class Nothing(ResourceProvider):
    """A provider that takes everything as it comes and asks nobody."""

    serialize_as_secret_always = False  # as with ours

    def __getstate__(self) -> None:
        return None  # as with ours

    def diff(self, _id: str, _olds: Any, _news: Any) -> DiffResult:
        """Compare the inputs, as the simplest of providers would."""
        old, new = ({key: value for key, value in props.items() if key != "__provider"} for props in (_olds, _news))
        return DiffResult(changes=old != new)

    def create(self, props: Any) -> CreateResult:
        """Give the id that has no meaning."""
        return CreateResult(id_="nothing", outs=props)

    def update(self, _id: str, _olds: Any, _news: Any) -> UpdateResult:
        """Take the new inputs."""
        return UpdateResult(outs=_news)

    def read(self, id_: str, props: Any) -> ReadResult:
        """Find everything as it was."""
        return ReadResult(id_, props)


def lay() -> None:
    """From here on, every dynamic resource of this process has the provider that does nothing."""
    made = Resource.__init__

    def made_with_nothing(self: Resource, _provider: ResourceProvider, *args: Any, **more: Any) -> None:
        made(self, Nothing(), *args, **more)

    Resource.__init__ = made_with_nothing  # type: ignore[assignment]
