"""What every resource does alike, around its handler: unknown values, metadata, what the program declares twice.

It is called for each of the engine's verbs, with plain values: whoever serves the verbs unpacks them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from mixpanel_access.files.notes import NOTES_VARIABLE, Note, Notes, read_notes
from mixpanel_access.model.access import another_project
from mixpanel_access.model.address import problem_with, same_key
from mixpanel_access.model.engagements import problems_with_metadata
from mixpanel_access.model.errors import AccessError, InputError, Unauthorized
from mixpanel_access.model.resource_ids import ResourceId, number_in
from mixpanel_access.model.resources import MEMBER, MEMBERS, PROVIDER_KEY, TEAM_MEMBERS
from mixpanel_access.provider import vanished
from mixpanel_access.provider.elsewhere import given_by
from mixpanel_access.provider.handler import (
    POLICY_FIELDS,
    PROJECT_NAME,
    Created,
    Failure,
    Found,
    Handler,
    Problems,
    Properties,
    changed,
    known,
    own,
)
from mixpanel_access.provider.leaving import hold_run
from mixpanel_access.provider.moving import say_moves
from mixpanel_access.provider.session import Session
from mixpanel_access.provider.taking import is_unread

GROUP_OF: Final = {kind.parts.kind: kind.name for kind in (MEMBERS, TEAM_MEMBERS) if kind.parts}
"""The single kind -> the group of several such, of those of which a program may have both."""
_EXPONENT_FROM: Final = 1_000_000
"""The engine shows numbers from here on with an exponent."""


class Checked(NamedTuple):
    """What `check` finds: the normalized inputs, and their problems."""

    inputs: Properties
    failures: list[Failure]


class Difference(NamedTuple):
    """What `diff` finds.

    Attributes:
        changes: whether an update is needed.
        replaces: the inputs whose change needs another resource, which is created before the old one is deleted.
    """

    changes: bool
    replaces: Sequence[str]


class Lifecycle:
    """The engine's verbs for one kind of resource."""

    def __init__(self, handler: Handler[Any]) -> None:
        self.handler = handler

    @property
    def _session(self) -> Session:
        return self.handler.session

    # The engine's verbs

    def check(self, olds: Properties, news: Properties) -> Checked:
        """Judge the inputs; every problem of the resource is reported, each in one line."""
        inputs = {key: value for key, value in own(news).items() if value is not None}
        hints = {key: inputs.pop(key) for key in self.handler.hints if key in inputs}
        problems = Problems()
        try:
            if not olds and self.handler.kind in (MEMBER, MEMBERS):
                self._session.read_ahead()
            self._check(own(olds), inputs, hints, problems)
        except AccessError as error:
            problems.add("", str(error))  # no one field is to blame
        failures = [_legible(failure, inputs) for failure in problems.failures]
        return Checked(inputs, [Failure(field, self.handler.worded(reason)) for field, reason in failures])

    def diff(self, id_: str, olds: Properties, news: Properties) -> Difference:
        """Find out what changes; a change of metadata alone is an update that sends no request."""
        olds, news = own(olds), own(news)
        if number_in(id_.partition(":")[0]) not in (None, self._session.organization):
            self._hold_other_organization(self.handler.parse(id_), olds)
        self._identify(olds)
        changes = self.handler.diff(olds, news) or is_unread(olds)
        replaces = self.handler.replaced(olds, news)
        if not replaces:
            self.handler.note_update(id_, news)
        return Difference(bool(changes or replaces or changed(POLICY_FIELDS, olds, news)), replaces)

    def create(self, inputs: Properties) -> Created:
        """Create or adopt: one idempotent upsert, since a create that fails leaves nothing in the state."""
        inputs = own(inputs)
        self._identify(inputs)  # another stack's state may know somebody whose address has changed
        return self.handler.create(inputs)

    def read(self, id_: str, props: Properties) -> Found | None:
        """Read what Mixpanel has; None if the resource no longer exists.

        Without properties, it is an import by id, or a program reads it without managing it.

        The inputs come back too, else every field would show as changed. Where nothing has changed, there are none,
        and the engine keeps those that it has: to write the same ones again takes as long as the outputs.
        """
        held = own(props)
        if not held:
            return self._by_id(id_, "read" if PROVIDER_KEY in props else "import")  # which does not know it yet
        if folder := os.environ.get(NOTES_VARIABLE):
            return _noted(held, _notes(folder).get(id_, Note()))
        with self._remembered_secret():
            self._identify(held)
            ours = id_.startswith(f"{self._session.organization}:")
            if ours and vanished.keep(self._session, self.handler.people(held), held):
                return Found(held, None)
            found = self.refresh(id_, dict(held))
        return found._replace(inputs=None) if found and found.outputs == held else found

    def _by_id(self, id_: str, verb: str) -> Found:
        """Read a resource by its id alone, with all inputs that Mixpanel knows, and the defaults of the others.

        Raises:
            InputError: the id is malformed, or nothing has it.
        """
        handler, organization = self.handler, self._session.organization
        ref = handler.parse(id_)
        form = f"The id has the form {ref.FORM}."
        if ref.organization != organization:
            why = self._our_organization()
            raise InputError(f"cannot {verb} {id_}", why=why, next_step=form)
        wrong = None if ref.person is None else problem_with(ref.person)
        if wrong or id_ != str(ref):  # the state keeps an id as it is written, and later runs compare it
            raise InputError(f"cannot {verb} {id_!r}", why=wrong or f"its usual spelling is {ref}", next_step=form)
        if verb == "read" and (managed := self._managed_as(ref)):
            why = f"the stack has it as {managed}, and would delete that"
            raise InputError(f"cannot read {id_}", why=why, next_step="Write the id like that to manage it no longer.")
        found = handler.read(ref, handler.not_read(ref))
        if found is None:
            why = f"organization {organization} does not have {ref.IS_OF} with this id, as far as we see it"
            raise InputError(f"cannot {verb} {id_}", why=why, next_step=form)
        inputs = dict(found.inputs or {})
        handler.check(inputs, Problems())
        return Found({**found.outputs, **inputs}, inputs)

    def _managed_as(self, ref: ResourceId) -> str | None:
        """The id of what the stack manages, if another spelling of the address is read: the engine compares the texts.

        It would take the two for two resources and, if they have one name, delete the one that was managed.
        """
        held = () if ref.person is None else self._session.scope.resources or ()
        for other in (one.id for one in held if one.type == self.handler.kind.type):
            if other != str(ref) and _by_key(self.handler.parse(other)) == _by_key(ref):
                return other
        return None

    def refresh(self, id_: str, props: Properties) -> Found | None:
        """Read what Mixpanel has now, with the inputs; None if the resource no longer exists."""
        ref = self.handler.parse(id_)
        self._hold_other_organization(ref, props)
        return self.handler.read(ref, props)

    def update(self, id_: str, olds: Properties, news: Properties) -> Properties:
        """Change what differs, and return the outputs."""
        olds, news = own(olds), own(news)
        self._identify(olds, news)
        ref = self.handler.parse(id_)
        self._hold_other_organization(ref, news)
        return self.handler.update(ref, olds, news)

    def delete(self, id_: str, props: Properties) -> None:
        """Take away, unless the program declares the same under another name: then only the name is gone."""
        with self._remembered_secret():
            self._delete(id_, own(props))

    def _delete(self, id_: str, props: Properties) -> None:
        session, handler = self._session, self.handler
        self._identify(props, surely=id_.startswith(f"{session.organization}:"))
        ref = handler.parse(id_)
        self._hold_other_organization(ref, props)
        if handler.is_declared_elsewhere(ref, props):
            # For the other one, if it is created after this.
            session.handed_over[handler.identity_now(ref, props)] = props
            session.say(f"{handler.label(props)}: declared under another name too; nothing is taken away")
            return
        if stacks := handler.stacks_that_give(ref, props):
            session.say(f"{handler.label(props)}: nothing is taken away, as {given_by(stacks)}")
            return
        hold_run(session, by_brake=handler.JUDGES)
        session.brakes.hold_kept(props.get("email"))
        handler.delete(ref, props)

    # The steps of a check

    def _check(self, olds: Properties, inputs: Properties, hints: Properties, problems: Problems) -> None:
        handler = self.handler
        for name in handler.SHOWN:  # an import has the engine check what it has read, these included
            if name in inputs and inputs[name] == olds.get(name):
                del inputs[name]
        handler.prepare(olds, inputs)
        for key in sorted(inputs.keys() - set(handler.all_inputs)):
            problems.add(
                key, f"this is not an input; the inputs are {', '.join((*handler.all_inputs, *handler.hints))}"
            )
        handler.check(inputs, problems)
        for field, reason in problems_with_metadata({k: v for k, v in inputs.items() if known(v)}).items():
            problems.add(field, reason)
        if not problems:
            self._check_project_name(hints.get(PROJECT_NAME), olds, inputs, problems)
        if not problems and all(known(value) for value in inputs.values()):
            self._check_known(olds, inputs, hints, problems)
        handler.keep_shown(olds, inputs)
        handler.check_ends(olds, inputs, problems)

    def _check_known(self, olds: Properties, inputs: Properties, hints: Properties, problems: Problems) -> None:
        """Judge inputs that are all known, each good by itself."""
        handler = self.handler
        handler.note(hints, inputs)
        self._identify(olds, inputs)
        self._session.declare(handler.identities(inputs))
        self._check_once(inputs, problems)
        handler.check_together(inputs, problems)
        self.check_one(olds, inputs, problems)
        if not (olds or problems):
            say_moves(self._session, handler.kind, inputs)

    def check_one(self, olds: Properties, inputs: Properties, problems: Problems) -> None:
        """Judge what one resource, or one person of a group, is to have."""
        self._check_role(olds, inputs, problems)
        self._check_spelling(inputs, problems)
        self._check_person(olds, inputs, problems)
        # What the organization has accepted before is not judged again.
        if not problems and changed(self.handler.access_inputs, olds, inputs):
            self.handler.check_live(inputs, problems, olds)

    def _check_once(self, inputs: Properties, problems: Problems) -> None:
        """Refuse somebody whom a group of the program declares too: the two would be two resources of one person."""
        group = GROUP_OF.get(self.handler.kind.name)
        identity = self.handler.identity(inputs)
        if group is None or identity is None:
            return
        if self._session.owner_of(identity, self.handler.kind.name) != self.handler.kind.name:
            label = self.handler.label(inputs)
            problems.add("email", f"the program declares {label} by themselves, and in a {group}; take one of the two")

    def _check_project_name(self, name: Any, olds: Properties, inputs: Properties, problems: Problems) -> None:
        """Refuse the id of another project than the one that is meant; an id in the state was accepted before."""
        project = inputs.get("project_id")
        if not isinstance(name, str) or not known(name) or not known(project) or olds.get("project_id") == project:
            return
        if words := another_project(project, name, self._session.directory.projects()):
            label = self.handler.label(inputs)
            problems.add("project_id", f"project {words}; check the id of {label}, or correct the name")

    def _check_role(self, olds: Properties, inputs: Properties, problems: Problems) -> None:
        """Refuse a second role for what the program declares with another one: they would overwrite each other.

        A resource is checked with its program's inputs, and so with one role, however often. With `ignoreChanges` the
        engine keeps the old one, except in a replacement: a resource that gets another identity is judged when it is
        checked once more, as new.
        """
        identity, role = self.handler.identity(inputs), inputs.get("role")
        if identity is None or role is None or (olds and self.handler.identity(olds) != identity):
            return
        first = self._session.roles.setdefault(identity, role)
        if first != role:
            label = self.handler.label(inputs)
            problems.add("role", f"the program declares {label} twice, as {first} and as {role}; make them one")

    def _check_spelling(self, inputs: Properties, problems: Problems) -> None:
        """Refuse a second spelling of one mailbox for one thing: the two would be two resources of one person."""
        identity, email = self.handler.identity(inputs), inputs.get("email")
        if identity is None or not isinstance(email, str):
            return
        first = self._session.spellings.setdefault(identity, email)
        if first != email:
            problems.add(
                "email",
                f"{email} and {first} are one mailbox, and the program declares both; make them one, or write the "
                f"address the same",
            )

    def _check_person(self, olds: Properties, inputs: Properties, problems: Problems) -> None:
        """Refuse two addresses of one person, whose address has changed in the product: each would undo the other.

        This asks Mixpanel only where something changes. A run that gives nothing accepts both as the state has them.
        """
        session, waiting = self._session, self._session.unsettled
        if isinstance(inputs.get("email"), str) and self.handler.identity(inputs) is not None:
            waiting.append((self.handler, inputs))
        if session.takes_only:
            return
        if not changed(self.handler.access_inputs, olds, inputs) and not session.directory.has_read_people():
            return
        while waiting:
            handler, declared = waiting.pop()
            email = str(declared["email"])
            now = session.directory.renamed(email) or email
            first = session.persons.setdefault(handler.identity({**declared, "email": now}), email)
            if same_key(first) != same_key(email):
                old, new = (email, first) if same_key(now) == same_key(first) else (first, email)
                problems.add(
                    "",
                    f"{old} is {now} in Mixpanel by now, and the program declares {new} too: they are one person. "
                    f"Remove {old}. If somebody else has it since, run `pulumi up` without it first, then declare it",
                )

    # Around the verbs

    def _identify(self, *properties: Properties, surely: bool = False) -> None:
        """Make the directory find the people of a state or a program even if their addresses have changed since."""
        for props in properties:
            for email in self.handler.people(props):
                self._session.identify(email, props.get("user_id"), surely=surely)

    def _hold_other_organization(self, ref: ResourceId, props: Properties) -> None:
        """Refuse a state that belongs to another organization than the stack is configured for.

        Raises:
            InputError: it does.
        """
        if ref.organization != self._session.organization:
            name, own = self._session.settings.provider, "use a stack of its own for the other organization"
            explicit = f"Set the organization_id of {name} back, or give the resource the provider of its organization"
            raise InputError(
                "cannot use this resource's state",
                subject=ref.person or self.handler.label(props),
                why=f"it belongs to organization {ref.organization}, and {self._our_organization()}",
                next_step=f"{explicit if name else 'Set mixpanel:organizationId back'}, or {own}.",
            )

    def _our_organization(self) -> str:
        name = self._session.settings.provider
        ours = f"the Organization {name} is" if name else "the stack is configured for"
        return f"{ours} organization {self._session.organization}"

    @contextmanager
    def _remembered_secret(self) -> Iterator[None]:
        """Say, of a login that Mixpanel refuses, that it may be the one of the last `pulumi up`."""
        try:
            yield
        except Unauthorized as error:
            if self._session.run.fresh():
                raise
            raise Unauthorized(
                error.what,
                subject=error.subject,
                why=error.why,
                next_step="The engine used the secret of the last `pulumi up`. If there is a new one since, add "
                "--run-program to this command, or run `pulumi up` once without --refresh. Otherwise: "
                f"{error.next_step}",
            ) from None


def _by_key(ref: ResourceId) -> tuple[int | str, ...]:
    """An id of a person's resource, whatever the spelling of the address."""
    return (*ref.parts[:-1], same_key(ref.person or ""))


@cache
def _notes(folder: str) -> Notes:
    """What a command of ours makes this refresh write; all else of the state stays as it is."""
    return read_notes(Path(folder))


def _noted(held: Properties, note: Note) -> Found | None:
    if note.gone:
        return None
    outputs = dict(note.outputs or {})
    return Found({**held, **outputs}, None) if note.inputs is None else Found(outputs, dict(note.inputs))


def _legible(failure: Failure, inputs: Properties) -> Failure:
    """A failure whose value the engine would show as 1.234567e+06: it has no field then, and the value in words."""
    value = inputs.get(failure.field)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= _EXPONENT_FROM:
        words = failure.reason if str(value) in failure.reason else f"{failure.field} {value}: {failure.reason}"
        return Failure("", words)
    return failure
