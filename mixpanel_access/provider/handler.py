"""What each kind of resource implements: Pulumi's verbs, in types.

A handler calls nothing of the engine. `Lifecycle` calls it, and does what is the same for every resource.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Final, Generic, NamedTuple, TypeVar, cast

from pulumi.output import Unknown
from pulumi.runtime import rpc

from mixpanel_access.directory.snapshot import not_shown
from mixpanel_access.model.address import same_key
from mixpanel_access.model.errors import AccessError, ConfigurationError, NotApplied
from mixpanel_access.model.grants import REASON_FIELDS, own_reasons
from mixpanel_access.model.groups import unfold
from mixpanel_access.model.resource_ids import ResourceId
from mixpanel_access.model.resources import BY_NAME, PROVIDER_KEY, ResourceKind
from mixpanel_access.provider.session import Session
from mixpanel_access.provider.taking import Taken

Id = TypeVar("Id", bound=ResourceId)
Properties = dict[str, Any]
"""Inputs and outputs of a resource as the engine hands them over; not all of the values are known at preview."""

POLICY_FIELDS: Final = REASON_FIELDS
"""The inputs for the tracker and the policies, which every resource has. A change of one of them sends no request."""
PROJECT_NAME: Final = "project_name"
"""The hint with the name of the project that an id is meant for."""
BESIDE: Final = "beside"
"""The hint with the names of the program's other resources of the same type."""


class Failure(NamedTuple):
    """One problem of one input; `field` is empty where no single input is to blame."""

    field: str
    reason: str


class Problems:
    """Collects the problems of one resource's inputs, so that the user sees all of them at once."""

    def __init__(self) -> None:
        self.failures: list[Failure] = []

    def add(self, field: str, reason: str) -> None:
        """Note a problem of one field."""
        self.failures.append(Failure(field, reason))

    def __bool__(self) -> bool:
        return bool(self.failures)


class Created(NamedTuple):
    """What `create` returns: the new resource's id and outputs."""

    id: ResourceId
    outputs: Properties


class Found(NamedTuple):
    """What `read` returns of a resource that exists."""

    outputs: Properties
    inputs: Properties | None


class Handler(ABC, Generic[Id]):
    """The base of every handler: one for each kind of resource."""

    INPUTS: ClassVar[tuple[str, ...]]
    """The resource's own inputs; each resource has the `POLICY_FIELDS` too."""
    ACCESS_INPUTS: ClassVar[tuple[str, ...]] = ()
    """Those of them whose change touches the organization; none here for all."""
    REPLACES: ClassVar[tuple[str, ...]] = ()
    """Those of them whose change needs another resource, which is created before the old one is deleted."""
    OUTPUTS: ClassVar[tuple[str, ...]] = ()
    """The outputs that are not inputs."""
    SHOWN: ClassVar[tuple[str, ...]] = ()
    """Outputs that `check` reads too, and puts among the inputs: at a preview, an update has nothing else."""
    REPEATS: ClassVar[Mapping[str, str]] = {}
    """Output -> the input that it repeats under another name: the output is as secret as the input."""
    PLAIN: ClassVar[tuple[str, ...]] = ()
    """Inputs that must not be a secret as a whole: other resources and stacks find people by them."""
    JUDGES: ClassVar[bool] = False
    """Whether the resource itself judges all removals of a `destroy`."""

    keeps: bool = False
    """Whether the server can have the state keep what a verb that fails has made; the SDK's cannot."""

    _session: Session | None = None
    _problem: ConfigurationError | None = None

    def use(self, session: Session) -> None:
        """Work in this session."""
        self._session = session

    def refuse(self, problem: ConfigurationError) -> None:
        """Raise this problem with the configuration whenever the session is needed."""
        self._problem = problem

    @property
    def session(self) -> Session:
        """The operation's session.

        Raises:
            ConfigurationError: the configuration cannot be used.
        """
        if self._problem is not None:
            raise self._problem
        if self._session is None:
            raise ConfigurationError("the provider was not configured", next_step="Run it through the Pulumi engine.")
        return self._session

    def worded(self, text: str) -> str:
        """A text that advises to change the configuration, for whoever has it in a program."""
        return text if self._session is None else self._session.worded(text)

    @property
    def kind(self) -> ResourceKind:
        """The row of the resource's kind."""
        return BY_NAME[type(self).__name__.removesuffix("Handler")]

    @property
    def all_inputs(self) -> tuple[str, ...]:
        """The resource's own inputs and the fields for tracker and policies."""
        return (*self.INPUTS, *POLICY_FIELDS)

    @property
    def hints(self) -> tuple[str, ...]:
        """Inputs that only `check` uses: no state has them, and a change of them is not a difference."""
        kind = self.kind
        return (*((PROJECT_NAME,) if kind.in_a_project else ()), *((BESIDE,) if kind.renamed_in_place else ()))

    @property
    def access_inputs(self) -> tuple[str, ...]:
        """The inputs whose change touches the organization."""
        return self.ACCESS_INPUTS or self.INPUTS

    def parse(self, id_: str) -> Id:
        """Read the resource's id.

        Raises:
            InputError: the text is not one.
        """
        return cast("Id", self.kind.id.parse(id_))

    # What a resource is

    def label(self, props: Properties) -> str:
        """Name the resource in a line to the user."""
        return str(props.get("email"))

    @abstractmethod
    def identity(self, props: Properties) -> Hashable:
        """What the resource stands for in Mixpanel: two resources of one identity are one there. None for nothing."""

    def identities(self, props: Properties) -> Iterable[Hashable]:
        """Everything that the program declares with the resource: the end of another resource takes none of it away."""
        return (self.identity(props),)

    def people(self, props: Properties) -> Iterable[str]:
        """The addresses of the people that the resource needs: without them, a refresh drops it, or drops them."""
        return (str(props["email"]),) if props.get("email") else ()

    def identity_now(self, ref: Id, props: Properties) -> Hashable:
        """The identity by the address that the person has now, by which the program may declare them."""
        email = props.get("email")
        if not isinstance(email, str) or ref.organization != self.session.organization:
            return self.identity(props)
        return self.identity({**props, "email": self.session.directory.renamed(email) or email})

    # What the rest of the program, or another stack, declares

    def note(self, hints: Properties, inputs: Properties) -> None:
        """Remember, for later verbs of this operation, the inputs that no state has."""

    def is_declared_elsewhere(self, ref: Id, props: Properties) -> bool:
        """Whether the program declares the same thing with another resource than the one that is deleted."""
        identity = self.identity(props)
        if identity is None:
            return False
        if self._is_declared(identity):
            return True
        now = self.identity_now(ref, props)
        return now != identity and self._is_declared(now)

    def _is_declared(self, identity: Hashable) -> bool:
        return self.session.declares(identity, self.kind.name) or self._stays(identity)

    def _stays(self, identity: Hashable) -> bool:
        """Whether a `destroy` with --target or --exclude leaves another resource of the stack for the same thing."""
        scope = self.session.scope
        if not (scope.partial and scope.destroys) or scope.deleted is None:
            return False
        staying = [held for held in scope.resources or () if held.urn not in scope.deleted]
        return any(
            self.identity(own(dict(outputs))) == identity
            for _, outputs in unfold(staying, self.kind, self.session.organization)
        )

    def stacks_that_give(self, ref: Id, props: Properties) -> Sequence[str]:
        """The other stacks of the project that have the same thing in their states and give it today."""
        return ()

    # Pulumi's verbs

    def prepare(self, olds: Properties, inputs: Properties) -> None:
        """Look at the inputs before anything else does."""

    @abstractmethod
    def check(self, inputs: Properties, problems: Problems) -> None:
        """Judge and normalize known inputs in place, without a request."""

    def check_together(self, inputs: Properties, problems: Problems) -> None:
        """Judge the inputs together with what else the program declares, this resource included.

        Resources are checked in any order, and several at once: of two that exclude each other, the later one fails.
        """

    @abstractmethod
    def check_live(self, inputs: Properties, problems: Problems, olds: Properties) -> None:
        """Judge inputs that are all known, and differ from the old ones, against the organization."""

    def keep_shown(self, olds: Properties, inputs: Properties) -> None:
        """Keep the shown outputs of the last check, where this check did not read them."""
        if inputs.keys().isdisjoint(self.SHOWN) and olds.get("project_id") == inputs.get("project_id"):
            inputs |= select(olds, self.SHOWN)

    def check_ends(self, olds: Properties, inputs: Properties, problems: Problems) -> None:
        """Judge an edit that moves the end of access to an earlier day."""

    def diff(self, olds: Properties, news: Properties) -> bool:
        """Whether an update is needed, apart from the metadata."""
        return changed(self.INPUTS, olds, news)

    def compared(self, olds: Properties, news: Properties) -> Properties:
        """The old properties as they are compared: what only is spelled otherwise has the new spelling."""
        return olds

    def replaced(self, olds: Properties, news: Properties) -> list[str]:
        """The inputs whose change needs another resource; another spelling of an address is not a change."""
        return [
            field
            for field in self.REPLACES
            if known(news.get(field)) and _key(field, olds.get(field)) != _key(field, news.get(field))
        ]

    def note_update(self, id_: str, news: Properties) -> None:
        """Keep what the program declares for the object of the state, which stays."""

    @abstractmethod
    def create(self, inputs: Properties) -> Created:
        """Make sure that what is declared exists in Mixpanel; what is there already is adopted."""

    @abstractmethod
    def read(self, ref: Id, props: Properties) -> Found | None:
        """Read what Mixpanel has; None if the resource no longer exists."""

    def not_read(self, ref: Id) -> Properties:
        """The properties that `read` takes from the state. An import has none: as the stack or Mixpanel has them."""
        environment = self.session.settings.environment
        return {"environment": environment} if environment and "environment" in self.INPUTS else {}

    @abstractmethod
    def update(self, ref: Id, olds: Properties, news: Properties) -> Properties:
        """Change what differs, and return the outputs."""

    @abstractmethod
    def delete(self, ref: Id, props: Properties) -> None:
        """Take away what the resource gave; the brakes have been asked."""

    # Helpers for subclasses

    @contextmanager
    def taking(self, ref: ResourceId | None = None, *, deletes: bool = False) -> Iterator[Taken]:
        """Have an error that follows a request which Mixpanel took say so; see `Taken`."""
        taken = Taken(ref, deletes=deletes)
        try:
            yield taken
        except AccessError as error:
            if not taken:
                raise
            raise taken.explain(error, keeps=self.keeps) from error.__cause__

    def found(self, outputs: Properties) -> Found:
        """What `read` returns: the outputs, and the inputs among them."""
        return Found(outputs, select(outputs, (*self.all_inputs, *self.SHOWN)))

    def unchanged(self, olds: Properties, news: Properties) -> Properties:
        """The outputs of an update that changes nothing in Mixpanel."""
        return {**select(olds, self.OUTPUTS), **select(news, self.all_inputs)}

    def not_applied(self, what: str, label: str, shows: str, page: str) -> NotApplied:
        """The error of a write that Mixpanel accepted and does not show; `what` follows "cannot"."""
        return not_shown(f"cannot {what}", label, shows, self.session.settings.read_back_seconds, page)

    def let_in(self, email: str, *, again: bool = False) -> bool:
        """Have somebody who comes by SCIM be a member; nothing for anybody else. Whether it was asked for.

        Somebody who is deactivated stays so, unless `again`: that is left to the identity provider.
        """
        provisioning = self.session.directory.provisioning
        email = self.session.directory.spelled(email)
        if not provisioning.handles(email) or provisioning.is_in(email):
            return False
        if asks := again or provisioning.user(email) is None:
            provisioning.let_in(email)
        return asks


def _key(field: str, value: Any) -> Any:
    return same_key(str(value)) if field == "email" else value


def with_same_reasons(olds: Properties, news: Properties) -> Properties:
    """The old properties as they are compared, with the new reasons if only their order differs."""
    same = own_reasons(olds.get("reasons")) == own_reasons(news.get("reasons"))
    return {**olds, "reasons": news.get("reasons")} if same else olds


def known(value: Any) -> bool:
    """Whether a value is known: at preview, another resource's output may not be."""
    return not (isinstance(value, str) and value == rpc.UNKNOWN)


def changed(fields: Iterable[str], olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Whether any of the fields differs; an unknown value counts as another."""
    return any(olds.get(field) != news.get(field) for field in fields)


def select(props: Mapping[str, Any], fields: Iterable[str]) -> Properties:
    """The fields that have a value."""
    return {field: props[field] for field in fields if props.get(field) is not None}


def own(props: Properties) -> Properties:
    """The resource's own properties, without the pickled provider."""
    return {key: _plain(value) for key, value in props.items() if key != PROVIDER_KEY}


def _plain(value: Any) -> Any:
    """A value without what the engine adds: its numbers are all floating-point, its unknowns are objects."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return rpc.UNKNOWN if isinstance(value, Unknown) else value
