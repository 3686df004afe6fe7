"""`AccessResource`: what all our Pulumi resources do alike in the program's process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Required, TypeAlias, TypedDict

import pulumi
from pulumi.dynamic import Resource

from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.declaring import declare
from mixpanel_access.provider.options import check_options
from mixpanel_access.provider.run import announce

ProjectRole: TypeAlias = Literal["owner", "admin", "analyst", "consumer"] | str  # noqa: PYI051  # editors complete the words
"""A role in a project: one of these words, or a custom role's id."""
OrganizationRole: TypeAlias = Literal["owner", "admin", "billing_admin", "member"] | str  # noqa: PYI051
"""A role in the organization."""
ServiceAccountRole: TypeAlias = Literal["admin", "analyst", "consumer"] | str  # noqa: PYI051
"""A service account's role in the organization."""


class Metadata(TypedDict, total=False):
    """Why somebody has access; every resource takes these, and a change of them sends no request."""

    kind: pulumi.Input[str | None]
    """What the person is to the company: `employee`, `contractor`, `agency` or `auditor`."""
    engagement: pulumi.Input[str | None]
    """The engagement's name."""
    engagement_type: pulumi.Input[str | None]
    """Its type: a row of the standard roles (`mixpanel_access.model.engagements`)."""
    sow: pulumi.Input[str | None]
    """The statement of work."""
    ticket: pulumi.Input[str | None]
    """The ticket that asked for the access."""
    approver: pulumi.Input[str | None]
    """Who approved it."""
    sponsor: pulumi.Input[str | None]
    """Who wants it and answers for it."""
    justification: pulumi.Input[str | None]
    """Why it is needed."""
    starts: pulumi.Input[str | None]
    """The first day, ISO 8601."""
    ends: pulumi.Input[str | None]
    """The last day, ISO 8601."""
    reviewed: pulumi.Input[str | None]
    """The day of the last access review, ISO 8601."""
    notes: pulumi.Input[str | None]
    """Anything else."""
    exceptions: pulumi.Input[Sequence[Mapping[str, Any]] | None]
    """Policy rules that do not hold here: rule, reason, ticket, approver, starts, ends (and email, project)."""


class InProject(Metadata, total=False):
    """What every resource of one project takes."""

    project_id: Required[pulumi.Input[int]]
    """The project's id."""
    environment: pulumi.Input[str | None]
    """The project's environment; it must be the stack's (`mixpanel:environment`), which is the default."""
    project_name: pulumi.Input[str | None]
    """The project's name: an id of another project in Mixpanel is refused. It is not kept in the state."""


class AccessResource(Resource):
    """The base of every resource class.

    A component announces nothing: one that declares no resource today has the engine configure no provider, and what
    is deleted then is deleted with the configuration that the state remembers.

    The engine keeps an output secret whose input of the same name is one; an output of another name that repeats an
    input is declared secret here.
    """

    def __init__(
        self, provider: AccessProvider, name: str, opts: pulumi.ResourceOptions | None, inputs: Mapping[str, Any]
    ) -> None:
        handler = provider.handler
        props = {**dict.fromkeys((*handler.INPUTS, *handler.hints, *handler.OUTPUTS)), **inputs}
        check_options(type(self).__name__, name, opts, props, handler.access_inputs)
        announce()
        declare(handler, props)
        opts = pulumi.ResourceOptions.merge(opts, None)
        if repeated := _outputs_in_repeated(provider, props):
            opts.additional_secret_outputs = SecretOutputs(opts.additional_secret_outputs or [], repeated)
        super().__init__(provider, name, props, opts)


class SecretOutputs(list[str]):
    """Names of secret outputs, some of which are known only when the resource is registered.

    Whether an `Output` is a secret is told once its value is there, and the SDK reads this list after that.

    Args:
        names: those that are known.
        repeated: output -> what the input that it repeats consists of.
    """

    def __init__(self, names: Iterable[str], repeated: Mapping[str, Iterable[pulumi.Output[Any]]]) -> None:
        super().__init__(names)
        self._answers = {
            name: [asyncio.ensure_future(_is_secret(output)) for output in outputs]
            for name, outputs in repeated.items()
        }

    def __iter__(self) -> Iterator[str]:
        yield from super().__iter__()
        for name, answers in self._answers.items():
            if not all(answer.done() and not answer.result() for answer in answers):
                yield name


async def _is_secret(output: pulumi.Output[Any]) -> bool:
    try:
        return await output.is_secret()
    except Exception:  # noqa: BLE001  # the program fails with it anyway
        return True


def _outputs_in_repeated(provider: AccessProvider, props: Mapping[str, Any]) -> dict[str, list[pulumi.Output[Any]]]:
    """The outputs that repeat an input, with the `Output`s that the input consists of; without any it is no secret."""
    found = {name: list(_outputs_in(props.get(repeated))) for name, repeated in provider.HANDLER.REPEATS.items()}
    return {name: outputs for name, outputs in found.items() if outputs}


def _outputs_in(value: Any) -> Iterator[pulumi.Output[Any]]:
    if isinstance(value, pulumi.Output):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _outputs_in(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _outputs_in(part)
