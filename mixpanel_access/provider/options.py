"""Pulumi's resource options on what we declare: those that would break a promise are refused, or warned of.

docs/resources.md has all options. Options that a transformation adds are not seen here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import pulumi

_ALL: Final = "*"
_BRAKE: Final = "RemovalBrake"
_ACCOUNT: Final = "ServiceAccount"
_BLINDING: Final = ("protect", "retain_on_delete", "ignore_changes")
"""Options with which a `RemovalBrake` is not asked about a removal."""


def check_options(
    kind: str, name: str, opts: pulumi.ResourceOptions | None, props: Mapping[str, Any], access: Collection[str]
) -> None:
    """Refuse or warn of what an option would do to a resource.

    Args:
        kind: the resource's class.
        name: its name.
        opts: its options.
        props: its inputs.
        access: the inputs whose change touches the organization.

    Raises:
        pulumi.RunError: an option breaks what the resource promises.
    """
    if opts is None:
        return
    _refuse_deleted_with(kind, name, opts)
    if kind == _BRAKE:
        blinding = [option for option in _BLINDING if getattr(opts, option)]
        if blinding:
            raise pulumi.RunError(
                f"{kind} {name}: {', '.join(blinding)} would keep it from judging removals. Leave it out here; a "
                f"component's protect and retain_on_delete reach its brake and its people together."
            )
        return
    if opts.retain_on_delete:
        if kind == _ACCOUNT and (props.get("rotate_after") is not None or props.get("expires") is not None):
            raise pulumi.RunError(
                f"{kind} {name}: with retain_on_delete, the account that a rotation replaces stays, and so does its "
                f"token. Leave retain_on_delete out, or rotate_after and expires."
            )
        pulumi.log.warn(_retained(kind, name))
    ignored = [field for field in opts.ignore_changes or () if isinstance(field, str)]
    if fields := sorted(field for field in ignored if field == _ALL or field.partition(".")[0] in access):
        pulumi.log.warn(
            f"{kind} {name}: ignore_changes keeps {', '.join(fields)} as the state has it. A change in the program "
            f"gives and takes nothing, a changed end included."
        )


def check_component_options(kind: str, name: str, opts: pulumi.ResourceOptions | None) -> None:
    """Refuse or warn of what an option would do to a component's resources.

    Args:
        kind: the component's class.
        name: its name.
        opts: its options.

    Raises:
        pulumi.RunError: an option breaks what the component promises.
    """
    if opts is None:
        return
    _refuse_deleted_with(kind, name, opts)
    if opts.retain_on_delete:
        pulumi.log.warn(_retained(kind, name))
    if opts.ignore_changes:
        pulumi.log.warn(f"{kind} {name}: ignore_changes on a component changes nothing for its resources.")


def _refuse_deleted_with(kind: str, name: str, opts: pulumi.ResourceOptions) -> None:
    if opts.deleted_with is not None:
        raise pulumi.RunError(
            f"{kind} {name}: deleted_with is not supported. The engine would drop it from the state and take nothing "
            f"away, and Mixpanel would keep the access. Use depends_on: then it is deleted before the other one."
        )


def _retained(kind: str, name: str) -> str:
    return (
        f"{kind} {name}: with retain_on_delete, access stays in Mixpanel when it is no longer declared or its end has "
        f"come, and no state has it then."
    )
