"""Pulumi without an engine: what a program registers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pulumi

from mixpanel_access.model.resources import CUSTOM_ROLE_TYPE


class Mocks(pulumi.runtime.Mocks):
    """Notes what is registered: `Member robin@example.com` -> its inputs that have a value."""

    def __init__(self) -> None:
        self.resources: dict[str, dict[str, Any]] = {}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        kept = {key: value for key, value in args.inputs.items() if key != "__provider" and value is not None}
        self.resources[f"{args.typ.rpartition(':')[2]} {args.name}"] = kept
        made = {"role_id": f"{args.name}-role"} if args.typ == CUSTOM_ROLE_TYPE else {}
        return f"{args.name}-id", {**args.inputs, **made}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, None


def registered(
    program: Callable[[], Any],
    config: Mapping[str, str] | None = None,
    *,
    preview: bool = False,
    mocks: Mocks | None = None,
) -> dict[str, dict[str, Any]]:
    """What a program registers, with this configuration of the stack."""
    mocks = mocks or Mocks()
    pulumi.runtime.set_mocks(mocks, preview=preview)
    pulumi.runtime.set_all_config(dict(config or {}))
    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]  # the SDK leaves it so
    return mocks.resources
