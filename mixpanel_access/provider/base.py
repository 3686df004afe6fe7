"""What every resource provider here does alike: configuration, unknown values, metadata, one way to fail.

A provider object is pickled by reference into every resource's state: it holds nothing until it is configured in the
plugin's process, and refuses to take anything along.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Final, TypedDict

import pulumi
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
from pulumi.output import Unknown
from pulumi.runtime import rpc

from mixpanel_access.directory.read_back import not_shown
from mixpanel_access.files.notes import NOTES_VARIABLE, Note, Notes, read_notes
from mixpanel_access.model import roles
from mixpanel_access.model.access import another_project
from mixpanel_access.model.address import problem_with, same_key
from mixpanel_access.model.errors import AccessError, ConfigurationError, InputError, NotApplied, Unauthorized
from mixpanel_access.model.ids import PROVIDER_KEY, number_in
from mixpanel_access.model.metadata import problems_with_metadata
from mixpanel_access.model.rights import Permission
from mixpanel_access.model.settings import NAMESPACE
from mixpanel_access.model.single_grants import REASON_FIELDS
from mixpanel_access.provider.elsewhere import given_by
from mixpanel_access.provider.leaving import hold_run
from mixpanel_access.provider.session import Session, quiet_errors, shared_session
from mixpanel_access.provider.threads import use_more_threads

Properties = dict[str, Any]

POLICY_FIELDS: Final = REASON_FIELDS
"""What resources carry for tracker and policies; a change of it sends no request."""
GONE: Final = ReadResult("", {})
"""What `read` returns for a resource that is no more: an empty id and no outputs (None raises in the SDK)."""

ONE_BY_ONE: Final = "one by one"
"""With a project's id, what a program declares that has a `ProjectGrant` there."""
PROJECT_NAME: Final = "project_name"
"""The hint with the name of the project that an id is meant for."""
AS_A_WHOLE: Final = "as a whole"
"""With a project's id, what a program declares that has a `ProjectAccess` there."""


def known(value: Any) -> bool:
    """Whether a value is known: at preview, another resource's output may not be."""
    return not (isinstance(value, str) and value == rpc.UNKNOWN)


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


_EXPONENT_FROM: Final = 1_000_000
"""The numbers that the engine shows with an exponent."""


class Problems:
    """Collects what is wrong with one resource's inputs, so that everything is told at once."""

    def __init__(self) -> None:
        self.failures: list[CheckFailure] = []

    def add(self, field: str, reason: str) -> None:
        """Note a problem of one field."""
        self.failures.append(CheckFailure(field, reason))

    def __bool__(self) -> bool:
        return bool(self.failures)


class AccessProvider(ResourceProvider):
    """The base of every resource provider.

    Subclasses name their inputs and implement `inspect`, `compare`, `make`, `look`, `change` and `unmake`; this class
    turns those into the engine's verbs.
    """

    serialize_as_secret_always = False  # the pickle holds no secret; as one it would multiply the state's size

    INPUTS: ClassVar[tuple[str, ...]] = ()
    """The resource's own inputs; the metadata fields come on top."""
    ACCESS_INPUTS: ClassVar[tuple[str, ...]] = ()
    """Those of them whose change touches the organization."""
    HINTS: ClassVar[tuple[str, ...]] = ()
    """What a program may say beside them to be checked by it; it is in no state, and no change of it shows."""
    REPEATS: ClassVar[Mapping[str, str]] = {}
    """Output -> the input of another name that it repeats, in whole or in part: it is as secret as that."""

    JUDGES: ClassVar[bool] = False
    """Whether the resource itself judges all removals of a `destroy`."""

    _session: Session | None = None
    _problem: ConfigurationError | None = None

    def __getstate__(self) -> None:
        # What is pickled lands in the state of every resource: nothing. Not even an empty dict: with each resource the
        # SDK wraps how dicts are pickled once more, and the thousandth of a program would recurse too deeply.
        return None

    def configure(self, req: ConfigureRequest) -> None:
        """Take the stack's configuration. What is wrong with it is told by the verbs, which can say it in one line."""
        quiet_errors()
        try:
            self.use(shared_session(lambda key: req.config.get(f"{NAMESPACE}:{key}"), _keys(req)))
        except ConfigurationError as error:
            self._problem = error

    def use(self, session: Session) -> None:
        """Work in this session."""
        self._session = session

    @property
    def all_inputs(self) -> tuple[str, ...]:
        """The resource's own inputs and the fields for tracker and policies."""
        return (*self.INPUTS, *POLICY_FIELDS)

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

    # What subclasses say

    def whom(self, props: Properties) -> str:
        """Whom or what the resource is about, for a line to the user."""
        return str(props.get("email"))

    @abstractmethod
    def subject(self, props: Properties) -> Hashable:
        """What in Mixpanel the resource stands for: two resources of one subject are one there. None for nothing."""

    def people(self, props: Properties) -> Iterable[str]:
        """The addresses of the people without whom a refresh would drop the resource, or take them out of it."""
        return (str(props["email"]),) if props.get("email") else ()

    def subjects(self, props: Properties) -> Iterable[Hashable]:
        """All that the program declares with the resource: none of it is taken away with another one."""
        return (self.subject(props),)

    def note(self, hints: Properties, inputs: Properties) -> None:
        """Keep what the program says beside the inputs."""

    def is_declared_elsewhere(self, id_: str, props: Properties) -> bool:
        """Whether the program declares the same under another name than the resource that goes."""
        subject = self.subject(props)
        if subject is None:
            return False
        if self.session.declares(subject, type(self).__name__) or self._stays(subject):
            return True
        now = self._subject_now(id_, props)
        return now != subject and (self.session.declares(now, type(self).__name__) or self._stays(now))

    def stacks_that_give(self, id_: str, props: Properties) -> Sequence[str]:  # noqa: ARG002  # most are one stack's
        """The other stacks of the project that have the same in their states and give it today."""
        return ()

    def inspect_beside(self, inputs: Properties, problems: Problems) -> None:
        """Judge the inputs beside what else the program declares, this resource included.

        Resources are checked in any order and several at once: of two that cannot be together, the later one is told.
        """

    @abstractmethod
    def inspect(self, inputs: Properties, problems: Problems) -> None:
        """Judge and normalize known inputs in place; only what can be known without a request."""

    @abstractmethod
    def inspect_online(self, inputs: Properties, problems: Problems, olds: Properties) -> None:
        """Judge inputs that are all known, and differ from the old ones, against the organization."""

    @abstractmethod
    def compare(self, olds: Properties, news: Properties) -> DiffResult:
        """Tell what changes, apart from the metadata."""

    @abstractmethod
    def make(self, inputs: Properties) -> CreateResult:
        """Create or adopt."""

    @abstractmethod
    def look(self, id_: str, props: Properties) -> ReadResult:
        """Read what the server says."""

    @abstractmethod
    def change(self, id_: str, olds: Properties, news: Properties) -> Properties:
        """Change what differs and return the outputs."""

    @abstractmethod
    def unmake(self, id_: str, props: Properties) -> None:
        """Take away."""

    # The engine's verbs

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Judge the inputs; every problem of the resource is told, each in one line."""
        inputs = {key: value for key, value in _own(news).items() if value is not None}
        hints = {key: inputs.pop(key) for key in self.HINTS if key in inputs}
        problems = Problems()
        try:
            self._check(_own(_olds), inputs, hints, problems)
        except AccessError as error:
            problems.add("", str(error))  # no one field is to blame
        return CheckResult(inputs, [_legible(failure, inputs) for failure in problems.failures])

    def _check(self, olds: Properties, inputs: Properties, hints: Properties, problems: Problems) -> None:
        for key in sorted(inputs.keys() - set(self.all_inputs)):
            problems.add(key, f"there is no such input; there are {', '.join((*self.all_inputs, *self.HINTS))}")
        self.inspect(inputs, problems)
        for field, reason in problems_with_metadata({k: v for k, v in inputs.items() if known(v)}).items():
            problems.add(field, reason)
        if not problems:
            self._inspect_project_name(hints.get(PROJECT_NAME), olds, inputs, problems)
        if problems or not all(known(value) for value in inputs.values()):
            return
        self.note(hints, inputs)
        self._identify(olds)
        self.session.declared.update(self.subjects(inputs))
        self.inspect_beside(inputs, problems)
        self._inspect_role(olds, inputs, problems)
        self._inspect_spelling(inputs, problems)
        self._inspect_person(olds, inputs, problems)
        if problems:
            return
        if changed(self.ACCESS_INPUTS, olds, inputs):  # what the organization has accepted is not asked about again
            self.inspect_online(inputs, problems, olds)

    def _inspect_project_name(self, name: Any, olds: Properties, inputs: Properties, problems: Problems) -> None:
        """Hold the id of another project than the one that is meant; one that is in the state was accepted."""
        project = inputs.get("project_id")
        if not isinstance(name, str) or not known(name) or not known(project) or olds.get("project_id") == project:
            return
        if words := another_project(project, name, self.session.directory.projects()):
            problems.add("project_id", f"project {words}; check the id of {self.whom(inputs)}, or correct the name")

    def _inspect_role(self, olds: Properties, inputs: Properties, problems: Problems) -> None:
        """Hold a second role for what the program declares with another one: they would overwrite each other.

        A resource is checked with its program's inputs, and so with one role, however often. With `ignoreChanges` the
        engine keeps the old one, but not where it replaces: what becomes another subject is judged when it is checked
        once more, as new.
        """
        subject, role = self.subject(inputs), inputs.get("role")
        if subject is None or role is None or (olds and self.subject(olds) != subject):
            return
        first = self.session.roles.setdefault(subject, role)
        if first != role:
            problems.add(
                "role", f"the program declares {self.whom(inputs)} twice, as {first} and as {role}; make them one"
            )

    def _inspect_spelling(self, inputs: Properties, problems: Problems) -> None:
        """Hold a second spelling of one mailbox for one thing: the two would be two resources of one person."""
        subject, email = self.subject(inputs), inputs.get("email")
        if subject is None or not isinstance(email, str):
            return
        first = self.session.spellings.setdefault(subject, email)
        if first != email:
            problems.add(
                "email",
                f"{email} and {first} are one mailbox, and the program declares both; make them one, or write the "
                f"address the same",
            )

    def _inspect_person(self, olds: Properties, inputs: Properties, problems: Problems) -> None:
        """Hold two addresses of one person, whose address has changed in the product: each would overwrite the other.

        Nobody asks Mixpanel for it as long as nothing changes. A run that gives nothing takes both as the state has
        them.
        """
        waiting = self.session.unsettled
        if isinstance(inputs.get("email"), str) and self.subject(inputs) is not None:
            waiting.append((self, inputs))
        if self.session.takes_only:
            return
        if not changed(self.ACCESS_INPUTS, olds, inputs) and not self.session.directory.has_read_people():
            return
        while waiting:
            provider, one = waiting.pop()
            email = str(one["email"])
            now = self.session.directory.renamed(email) or email
            first = self.session.persons.setdefault(provider.subject({**one, "email": now}), email)
            if same_key(first) != same_key(email):
                old, new = (email, first) if same_key(now) == same_key(first) else (first, email)
                problems.add(
                    "",
                    f"{old} is {now} in Mixpanel by now, and the program declares {new} too: they are one person. "
                    f"Remove {old}. If somebody else has it since, run `pulumi up` without it first, then declare it",
                )

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Tell what changes; a change of metadata alone is an update that sends no request."""
        olds, news = _own(_olds), _own(_news)
        self._identify(olds)
        result = self.compare(olds, news)
        result.changes = bool(result.changes or result.replaces or changed(POLICY_FIELDS, olds, news))
        return result

    def create(self, props: Properties) -> CreateResult:
        """Create or adopt: one idempotent upsert, since a create that fails leaves nothing in the state."""
        use_more_threads()
        return self.make(_own(props))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Read what the server says; inputs come back too, else every field would show as changed.

        Where nothing has changed, the engine is left with the inputs that it has: to write the same ones again takes
        as long as the outputs.
        """
        held = _own(props)
        if folder := os.environ.get(NOTES_VARIABLE):
            return _noted(id_, held, _notes(folder).get(id_, Note()))
        with self._remembered_secret():
            self._identify(held)
            ours = id_.startswith(f"{self.session.organization}:")
            if ours and self.session.vanished.keep(self.session, self.people(held), held):
                return ReadResult(id_, held)
            result = self.look(id_, dict(held))
        if result.id == id_ and result.outs == held:
            result.inputs = None
        return result

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Change what differs."""
        use_more_threads()
        olds = _own(_olds)
        self._identify(olds)
        return UpdateResult(self.change(_id, olds, _own(_news)))

    def delete(self, _id: str, _props: Properties) -> None:
        """Take away, unless the program declares the same under another name: then only the name has gone."""
        use_more_threads()
        with self._remembered_secret():
            self._take_away(_id, _own(_props))

    def _take_away(self, _id: str, props: Properties) -> None:
        self._identify(props, surely=_id.startswith(f"{self.session.organization}:"))
        if self.is_declared_elsewhere(_id, props):
            # For the other one, if it is created after this.
            self.session.handed_over[self._subject_now(_id, props)] = props
            self.session.say(f"{self.whom(props)}: declared under another name too; nothing is taken away")
            return
        if stacks := self.stacks_that_give(_id, props):
            self.session.say(f"{self.whom(props)}: nothing is taken away, as {given_by(stacks)}")
            return
        hold_run(self.session, by_brake=self.JUDGES)
        self.session.brakes.hold_kept(props.get("email"))
        self.unmake(_id, props)

    @contextmanager
    def _remembered_secret(self) -> Iterator[None]:
        """Say, of a login that Mixpanel refuses, that it may be the one of the last `pulumi up`."""
        try:
            yield
        except Unauthorized as error:
            if self.session.run.fresh():
                raise
            raise Unauthorized(
                error.what,
                whom=error.whom,
                why=error.why,
                next_step="The engine used the secret of the last `pulumi up`. If there is a new one since, add "
                "--run-program to this command, or run `pulumi up` once without --refresh. Otherwise: "
                f"{error.next_step}",
            ) from None

    def _stays(self, subject: Hashable) -> bool:
        """Whether a `destroy` with --target or --exclude leaves another resource of the stack for the same."""
        scope = self.session.scope
        if not (scope.partial and scope.destroys) or scope.deleted is None:
            return False
        kind = f"dynamic/mixpanel:{type(self).__name__.removesuffix('Provider')}"
        return any(
            self.subject(_own(one.get("outputs") or {})) == subject
            for one in scope.resources or ()
            if one["urn"] not in scope.deleted and str(one.get("type", "")).endswith(kind)
        )

    def _identify(self, props: Properties, *, surely: bool = False) -> None:
        """Have the people whom a state is about found, though their addresses have changed in the product."""
        for email in self.people(props):
            self.session.identify(email, props.get("user_id"), surely=surely)

    def _subject_now(self, id_: str, props: Properties) -> Hashable:
        """The subject by the address that the person has now: the program may declare them by that."""
        email = props.get("email")
        if not isinstance(email, str) or not id_.startswith(f"{self.session.organization}:"):
            return self.subject(props)
        return self.subject({**props, "email": self.session.directory.renamed(email) or email})

    # Helpers for subclasses

    def inspect_project(self, project: int, problems: Problems, purpose: str = "") -> bool:
        """Judge whether the organization has a project that we see; `purpose` is what the id was given for."""
        if project in self.session.directory.projects():
            return True
        problems.add(
            "project_id",
            f"organization {self.session.organization} has no project {project} that the service account sees; "
            f"check the id{purpose}",
        )
        return False

    def inspect_project_reach(self, whom: str, role: str, problems: Problems) -> None:
        """Judge whether our own organization role is high enough to give this role in a project."""
        own = self.session.directory.own_role()
        if own in roles.MANAGING_ROLES and not roles.may_assign_in_project(own, role):
            inspect_reach(whom, role, own, problems)

    def inspect_right(self, permission: Permission, what: str, problems: Problems, field: str) -> None:
        """Judge whether our own account may do something that gives access; what is not told is left to Mixpanel."""
        rights = self.session.directory.own_rights()
        if rights.listed and not rights.may(permission):
            problems.add(
                field,
                f"this service account cannot {what}: Mixpanel lists what it may do, without {permission}; use an "
                f"account that has this permission",
            )

    def inspect_invitation(self, email: str, problems: Problems, field: str = "email") -> None:
        """Judge whether somebody who is not in the organization can come in, and count an invitation to them."""
        provisioning = self.session.directory.provisioning
        if provisioning.handles(email):
            return
        if provisioning.keeps_out(email):
            problems.add(
                field,
                f"{email} is of a claimed domain, and the identity provider says who is in: nobody there is invited "
                f"by e-mail; have it add them, or set mixpanel:scimToken",
            )
        else:
            self.inspect_right(Permission.ADD_USER, f"invite {email}", problems, field)
            self.session.invitations.plan(email)

    def not_shown(self, what: str, whom: str, shows: str, page: str) -> NotApplied:
        """The error of a write that Mixpanel accepted and does not show; `what` follows "cannot"."""
        return not_shown(f"cannot {what}", whom, shows, self.session.settings.read_back_seconds, page)

    def let_in(self, email: str, *, again: bool = False) -> None:
        """Have somebody who comes by SCIM be a member; nothing for anybody else.

        Args:
            email: the address.
            again: also activate somebody who is deactivated; else that is the identity provider's to do.
        """
        provisioning = self.session.directory.provisioning
        email = self.session.directory.spelled(email)
        if not provisioning.handles(email) or provisioning.is_in(email):
            return
        if again or provisioning.user(email) is None:
            provisioning.let_in(email)

    def own_organization(self, organization: int, whom: str) -> None:
        """Hold an operation on state that belongs to another organization than the stack is configured for.

        Raises:
            InputError: it does.
        """
        if organization != self.session.organization:
            raise InputError(
                "cannot use this resource's state",
                whom=whom,
                why=f"it belongs to organization {organization}, and the stack is configured for "
                f"{self.session.organization}",
                next_step="Set mixpanel:organizationId back, or use a stack of its own for the other organization.",
            )


@cache
def _notes(folder: str) -> Notes:
    """What a command of ours has this refresh write; all else of the state stays as it is."""
    return read_notes(Path(folder))


def _noted(id_: str, held: Properties, note: Note) -> ReadResult:
    if note.gone:
        return GONE
    outputs = dict(note.outputs or {})
    if note.inputs is None:
        return ReadResult(id_, {**held, **outputs})
    return ReadResult(id_, outputs, dict(note.inputs))


def _legible(failure: CheckFailure, inputs: Properties) -> CheckFailure:
    """A failure whose value the engine would show as 1.234567e+06: told as the resource's, with the value in words."""
    value = inputs.get(failure.property)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= _EXPONENT_FROM:
        words = failure.reason if str(value) in failure.reason else f"{failure.property} {value}: {failure.reason}"
        return CheckFailure("", words)
    return failure


def _keys(req: ConfigureRequest) -> list[str]:
    """The keys of ours that are set; none where the SDK shows none, as its public side does not."""
    own = f"{NAMESPACE}:"
    return [key.removeprefix(own) for key in getattr(req.config, "_props", ()) if key.startswith(own)]


def inspect_email(inputs: Properties, problems: Problems) -> None:
    """Judge the e-mail address of a resource."""
    email = inputs.get("email")
    if known(email):
        reason = "it is missing" if email is None else problem_with(email)
        if reason:
            problems.add("email", f"{email!r} is no e-mail address ({reason})" if email is not None else reason)


def inspect_reach(email: str, role: str, own: str, problems: Problems) -> None:
    """Note that our own organization role is too low to give this role."""
    problems.add(
        "role",
        f"{role!r} cannot be given to {email} by this service account, whose own organization role is {own!r}; use an "
        f"account with a role at or above it, or lower the role",
    )


def inspect_id(field: str, what: str, inputs: Properties, problems: Problems) -> None:
    """Judge an id of Mixpanel's; configuration values are texts, and the wire wants numbers."""
    value = inputs.get(field)
    if not known(value):
        return
    if isinstance(value, str) and (number := number_in(value.strip())) is not None:
        value = inputs[field] = number
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        problems.add(field, f"{value!r} is no {what} id, which is a positive whole number")


def inspect_project_role(inputs: Properties, problems: Problems) -> None:
    """Judge the word of a project role, and write it as Mixpanel does."""
    role = inputs.get("role")
    if not known(role):
        return
    word = roles.normalized(role) if isinstance(role, str) else ""
    if roles.is_project_role(word):
        inputs["role"] = word
    else:
        words = ", ".join(roles.PROJECT_ROLES)
        problems.add("role", f"{role!r} is no project role; there are {words}, or a custom role's id (a UUID)")


def kept_in_project(email: str, role: str, ours: str, project: int) -> str:
    """What is said of somebody who got a higher role by another hand while we were about to invite them."""
    return (
        f"{email} has just been invited by somebody else, as {role} in project {project}, which is more than {ours}: "
        f"it is kept; the next refresh shows it, and `pulumi up` then puts ours back"
    )


def inspect_environment(
    own: str | None, whom: object, inputs: Properties, problems: Problems, what: str = "the grant to"
) -> None:
    """Hold a grant to a project of another environment than the stack's, which is the default."""
    environment = inputs.setdefault("environment", own) if own else inputs.get("environment")
    if own and known(environment) and environment != own:
        problems.add(
            "environment",
            f"the project is {environment!r} and this stack is {own!r}; declare {what} "
            f"{whom} in project {inputs.get('project_id')} in the stack of its own environment",
        )


def another_person(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Whether the address is known to be somebody else's; another spelling of it is not."""
    return known(news["email"]) and same_key(str(olds["email"])) != same_key(str(news["email"]))


def changed(fields: Iterable[str], olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Whether any of the fields differs; an unknown value counts as another."""
    return any(olds.get(field) != news.get(field) for field in fields)


def select(props: Mapping[str, Any], fields: Iterable[str]) -> Properties:
    """The fields that have a value."""
    return {field: props[field] for field in fields if props.get(field) is not None}


def _own(props: Properties) -> Properties:
    """The resource's own properties, without the pickled provider."""
    return {key: _plain(value) for key, value in props.items() if key != PROVIDER_KEY}


def _plain(value: Any) -> Any:
    """A value as we think of it: the engine's numbers are all floating-point, its unknowns are objects of their own."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return rpc.UNKNOWN if isinstance(value, Unknown) else value
