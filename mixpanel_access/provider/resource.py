"""`AccessResource`: what all our Pulumi resources do alike in the program's process.

Pulumi's resource options that would break a promise are refused, or warned of; docs/resources.md has all of them.
Options that a transformation adds are not seen here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, Required, Self, TypeAlias, TypedDict, get_args, get_type_hints

import pulumi
from pulumi.dynamic import Resource

from mixpanel_access.model.similarity import in_words, similar
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.declaring import declare
from mixpanel_access.provider.program import program_providers
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
    """The project's environment; must be the stack's (`mixpanel:environment`), which is the default."""
    project_name: pulumi.Input[str | None]
    """The project's name in Mixpanel: the id is refused if the name belongs to another project. The name is not kept in
    the state."""


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
        reads = opts is not None and opts.id is not None
        refuse_misspelled(type(self), inputs, complete=not reads)
        given = {} if reads else inputs  # Mixpanel says them
        props = {**dict.fromkeys((*handler.INPUTS, *handler.hints, *handler.OUTPUTS)), **given}
        check_options(type(self).__name__, name, opts, props, handler.access_inputs)
        announce()
        opts = pulumi.ResourceOptions.merge(opts, None)
        if repeated := _outputs_in_repeated(provider, props):
            opts.additional_secret_outputs = SecretOutputs(opts.additional_secret_outputs or [], repeated)
        super().__init__(provider, name, {**props}, opts)
        if not reads:
            declare(handler, props, program_providers().use(self._provider))

    @classmethod
    def get(cls, resource_name: str, id: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> Self:  # noqa: A002
        """Read what Mixpanel has under an id, and manage nothing of it.

        Args:
            resource_name: the name of what is read in the program.
            id: the resource's id, such as `ORG:EMAIL` for a `Member`; see docs/resources.md. If nothing has it, the
                preview fails.
            opts: Pulumi's options.
        """
        options = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id))
        return cls(resource_name, opts=options)  # type: ignore[arg-type, call-arg]  # a subclass has these arguments


def inputs_of(resource: type[pulumi.Resource]) -> Mapping[str, bool]:
    """The inputs that a resource class takes, each with whether it is required, from the types of its arguments."""
    if resource not in _INPUTS:
        (inputs,) = get_args(get_type_hints(resource.__init__, include_extras=True)["inputs"])
        # `__required_keys__` does not know them, since the annotations of these modules are text.
        _INPUTS[resource] = {name: "Required[" in hint.__forward_arg__ for name, hint in inputs.__annotations__.items()}
    return _INPUTS[resource]


_INPUTS: Final[dict[type[pulumi.Resource], Mapping[str, bool]]] = {}
"""The answers of `inputs_of`: a program may make thousands of resources."""


def refuse_misspelled(resource: type[pulumi.Resource], inputs: Mapping[str, Any], *, complete: bool = True) -> None:
    """Refuse the arguments that Python would refuse if each input were an argument of its own.

    If they need not be `complete`, any may be missing.

    Raises:
        TypeError: an input is missing, or is none of this resource.
    """
    known = inputs_of(resource)
    strange = next((name for name in inputs if name not in known), None)
    if strange is not None:
        meant = similar(strange, known)
        advice = f"did you mean {meant}?" if meant else f"its inputs are {', '.join(known)}"
        raise TypeError(f"{resource.__name__}() has no input {strange}; {advice}")
    missing = [name for name, required in known.items() if required and name not in inputs]
    if missing and complete:
        raise TypeError(f"{resource.__name__}() needs {in_words(missing)}")


class SecretOutputs(list[str]):
    """Names of secret outputs, some of which are known only when the resource is registered.

    The SDK knows whether an `Output` is a secret once its value is there, and reads this list after that. `repeated`
    has, for each output, what the input that it repeats consists of.
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


_ALL: Final = "*"
_BRAKE: Final = "RemovalBrake"
_ACCOUNT: Final = "ServiceAccount"
_BLINDING: Final = ("protect", "retain_on_delete", "ignore_changes")
"""Options with which a `RemovalBrake` is not asked about a removal."""


def check_options(
    kind: str, name: str, opts: pulumi.ResourceOptions | None, props: Mapping[str, Any], access: Collection[str]
) -> None:
    """Refuse or warn of what an option would do to a resource.

    `access` are the inputs whose change touches the organization.

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
