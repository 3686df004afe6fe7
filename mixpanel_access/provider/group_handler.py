"""What the grouped resources do alike: they run the handler of the single resource for each of their people.

What fails for one person stops nobody else. The error names everybody for whom it failed, and the state keeps what was
done, so the next `pulumi up` does the rest.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, ClassVar, Final, TypeVar

from mixpanel_access.model.address import few, same_key
from mixpanel_access.model.dates import written
from mixpanel_access.model.errors import AccessError, ConfigurationError, InputError, told_together
from mixpanel_access.model.grants import twice
from mixpanel_access.model.groups import OUTPUTS, part_id, part_properties, unfold
from mixpanel_access.model.resource_ids import ResourceId
from mixpanel_access.provider.checks import check_reasons, refuse_other_server
from mixpanel_access.provider.handler import (
    POLICY_FIELDS,
    Found,
    Handler,
    Id,
    Problems,
    Properties,
    changed,
    known,
    select,
    with_same_reasons,
)
from mixpanel_access.provider.lifecycle import Lifecycle
from mixpanel_access.provider.many import THREADS, at_once
from mixpanel_access.provider.session import Session
from mixpanel_access.provider.taking import UNREAD, is_unread

ADDED: Final = "added"
"""Somebody's output with the instant at which the group first had them."""
_T = TypeVar("_T")
Parts = dict[str, Properties]
"""The key of an address -> the properties of the person's single resource."""


class GroupHandler(Handler[Id]):
    """The base of the handlers of grouped resources."""

    SINGLE: ClassVar[type[Handler[Any]]]
    """What is done for each person."""
    OF_EACH: ClassVar[tuple[str, ...]] = ()
    """The inputs that each person has."""
    PEOPLE_TYPE: ClassVar[type]
    """The type of the input with the people."""
    PEOPLE_WORDS: ClassVar[str]
    """That type, in words."""
    PLAIN: ClassVar[tuple[str, ...]] = ("people",)

    def __init__(self) -> None:
        self.single: Handler[Any] = self.SINGLE()
        self.single.keeps = True
        self.each = Lifecycle(self.single)

    def use(self, session: Session) -> None:
        super().use(session)
        self.single.use(session)

    def refuse(self, problem: ConfigurationError) -> None:
        super().refuse(problem)
        self.single.refuse(problem)

    # What it is

    def identity(self, props: Properties) -> Hashable:  # each of its people is something
        return None

    def identities(self, props: Properties) -> Iterable[Hashable]:
        return [self.single.identity(part) for part in self.parts(props).values()]

    def people(self, props: Properties) -> Iterable[str]:
        return [str(part["email"]) for part in self.parts(props).values()]

    def parts(self, props: Properties) -> Parts:
        """The people with a known address, each as the single resource that they would be."""
        found = part_properties(self.kind, props)
        return {same_key(part["email"]): part for part in found if known(part["email"])}

    # Pulumi's verbs

    def prepare(self, olds: Properties, inputs: Properties) -> None:
        """Prepare each person, as their single resource does."""
        before = self.parts(olds)
        people = inputs.get("people")
        if not isinstance(people, Mapping):
            return
        prepared: dict[str, Any] = {}
        given = self.parts(inputs)
        for email, own in people.items():
            key = same_key(email)
            if key not in given or not isinstance(own, Mapping) or given[key]["email"] != email:
                prepared[email] = own
                continue
            part = {name: value for name, value in given[key].items() if value is not None}
            self.single.prepare(before.get(key, {}), part)
            strange = {name: value for name, value in own.items() if name not in self.OF_EACH}
            prepared[email] = {**strange, **select(part, self.OF_EACH)}
        inputs["people"] = prepared

    def check(self, inputs: Properties, problems: Problems) -> None:
        if not self.keeps:
            refuse_other_server("", self.kind.name, problems)
            return
        self.check_place(inputs, problems)
        people = inputs.get("people")
        if not known(people):
            return
        if not isinstance(people, self.PEOPLE_TYPE):
            problems.add("", f"people: {people!r} is not {self.PEOPLE_WORDS}")
            return
        listed = self.listed(people)
        for email in [email for email, _ in listed if not isinstance(email, str)]:
            problems.add("", f"people: {email!r} is not an e-mail address")
        checked = {
            email: self._checked(inputs, email, own, problems) for email, own in listed if isinstance(email, str)
        }
        for email, first in twice(email for email in checked if known(email)):
            problems.add("", f"{at(email)}: the address is there twice, first as {first}")
        if isinstance(people, Mapping):
            inputs["people"] = checked
        check_reasons(inputs.get("reasons"), set(map(same_key, checked)), problems, "is not one of the people")

    def _checked(self, inputs: Properties, email: Any, own: Any, problems: Problems) -> Properties:
        """Judge one person by themselves; their inputs as the check leaves them."""
        if not known(own):  # nothing can be judged before the update
            return {self.OF_EACH[0]: own}
        if not isinstance(own, Mapping):
            problems.add("", f"{at(email)}: {own!r} is not a mapping of {', '.join(self.OF_EACH)}")
            return {}
        for name in sorted(own.keys() - set(self.OF_EACH)):
            problems.add("", f"{at(email, name)}: this is not an input; there are {', '.join(self.OF_EACH)}")
        found, part = Problems(), {**select(inputs, self.kind.parts.common if self.kind.parts else ()), **own}
        part["email"] = email
        self.single.check(part, found)
        self.tell(email, found, problems)
        return {name: value for name, value in part.items() if name in self.OF_EACH and value is not None}

    def tell(self, email: str, found: Problems, problems: Problems) -> None:
        """Note the problems of one person."""
        known = {one.field for one in problems.failures}
        for field, reason in found.failures:
            if self.kind.parts is None or field not in self.kind.parts.common:
                problems.add("", f"{at(email, field)}: {reason}")
            elif field not in known:  # the same for everybody
                problems.add(field, reason)

    @abstractmethod
    def listed(self, people: Any) -> list[tuple[Any, Any]]:
        """Each address of the input, with the person's own inputs."""

    def check_place(self, inputs: Properties, problems: Problems) -> None:
        """Judge the inputs that say where the people are."""

    def check_leaving(self, leaving: Sequence[Properties], problems: Problems) -> None:
        """Judge together the people who are no longer declared."""

    def check_live(self, inputs: Properties, problems: Problems, olds: Properties) -> None:  # see `GroupLifecycle`
        raise NotImplementedError

    def diff(self, olds: Properties, news: Properties) -> bool:
        if not known(news.get("people")):
            return True
        before, after = self.parts(olds), self.parts(news)
        self._check_rest(before, after)
        # Each of them is asked: somebody's answer may be a line to the user.
        differ = [self._differs(before[key], part) for key, part in after.items() if key in before]
        return before.keys() != after.keys() or any(differ)

    def _differs(self, old: Properties, new: Properties) -> bool:
        return self.single.diff(old, new) or is_unread(old) or changed(POLICY_FIELDS, old, new)

    def _check_rest(self, before: Parts, after: Parts) -> None:
        """Judge people for whom an earlier update has failed: the engine has their inputs, and checks them no more.

        Raises:
            InputError: one of them cannot be given what is declared.
        """
        found = Problems()
        for key, part in after.items():
            if (
                key in before
                or self.single.identity(part) in self.session.judged_people
                or not all(map(known, part.values()))
            ):
                continue
            own = Problems()
            self.single.check_live(dict(part), own, {})
            self.tell(str(part["email"]), own, found)
        if found:
            raise InputError(f"cannot change {self.label({})}", why="; ".join(reason for _, reason in found.failures))

    def compared(self, olds: Properties, news: Properties) -> Properties:
        return with_same_reasons(olds, news)

    def change(self, ref: ResourceId, olds: Properties, news: Properties) -> Properties:
        """Bring everybody to what is declared, those who leave first, and return the outputs.

        Raises:
            AccessError: it failed for some; the others are done.
        """
        before, after = self.parts(olds), self.parts(news)
        gone = [part for key, part in before.items() if key not in after]
        failures = self.leave(ref, gone, early=True)
        kept = {same_key(email): before[same_key(email)] for email in failures}
        if self.session.takes_only:
            after = {key: part for key, part in after.items() if key in before}
        held: Parts = {}
        for some in self.phases(before, after):
            outcomes = self.work(some, lambda key: self._bring(ref, before.get(key), after[key]))
            for key, outcome in outcomes:
                if not isinstance(outcome, AccessError):
                    held[key] = outcome
                    continue
                failures[str(after[key]["email"])] = outcome
                if outcome.kept is not None:
                    held[key] = dict(outcome.kept[1])
                elif key in before:
                    held[key] = before[key]
        self._note_added(before, held)
        outputs = self.outputs(news, {key: held[key] for key in after if key in held}, kept)
        if failures:
            self.report(ref, failures, len(before.keys() | after.keys()), outputs)
        return outputs

    def _note_added(self, before: Parts, held: Parts) -> None:
        """Note since when the group has somebody; of single resources, the engine notes it."""
        new = held.keys() - before.keys()
        single = {same_key(ref.person or "") for ref in self._single_resources()} if new else set()
        for key, part in held.items():
            added = written(self.session.now()) if key in new else before[key].get(ADDED)
            if added and key not in single:
                part[ADDED] = added

    def _single_resources(self) -> Iterator[ResourceId]:
        """The single resources of this kind that the stack's state has."""
        own = [one for one in self.session.states.own() or () if one.type == self.single.kind.type]
        return (ref for ref, _ in unfold(own, self.single.kind, self.session.organization))

    def phases(self, before: Parts, after: Parts) -> Iterable[Sequence[str]]:
        """The keys of the declared people, in the order in which they are brought to what is declared."""
        return [list(after)]

    def _bring(self, ref: ResourceId, old: Properties | None, new: Properties) -> Properties:
        if old is None:
            return self.each.create(new).outputs
        if self.session.takes_only and not self.takes(old, new):
            return dict(old)
        return self.each.update(str(part_id(self.kind, ref, str(old["email"]))), old, new)

    def takes(self, old: Properties, new: Properties) -> bool:
        """Whether a change of somebody who stays takes something away."""
        return False

    def leave(self, ref: ResourceId, parts: Sequence[Properties], *, early: bool = False) -> dict[str, AccessError]:
        """Take away what the group has given to people who are no longer in it.

        With `early`, an update does so before the engine has asked about the rest of the program.

        Returns:
            Address -> why it was not done.
        """
        leaving = {str(part["email"]): part for part in parts}
        declared: list[str] = []

        def let_go(email: str) -> None:
            part, one = leaving[email], part_id(self.kind, ref, email)
            if self._stays_declared(one, part, early=early):
                self.session.handed_over[self.single.identity_now(one, part)] = part
                declared.append(email)
            else:
                self.each.delete(str(one), part)

        outcomes = self.work(list(leaving), let_go)
        failures = {email: outcome for email, outcome in outcomes if isinstance(outcome, AccessError)}
        if declared:
            whose = few(sorted(declared))
            self.session.say(f"{whose}: declared under another name too; nothing is taken away")
        return failures

    def _stays_declared(self, ref: ResourceId, part: Properties, *, early: bool) -> bool:
        if not early:
            return self.single.is_declared_elsewhere(ref, part)
        identities = {self.single.identity(part), self.single.identity_now(ref, part)}
        key, kinds = same_key(str(part["email"])), (self.single.kind.name, self.kind.name)
        return any(self.session.will_declare(one, key, *kinds) for one in identities)

    def report(self, ref: ResourceId, failures: Mapping[str, AccessError], people: int, outputs: Properties) -> None:
        """Raise what failed for some people; the state keeps what the others have.

        Raises:
            AccessError: always.
        """
        error = told_together(f"cannot change {self.label(outputs)}", failures, people - len(failures))
        if outputs["people"]:
            error.kept = str(ref), outputs
        raise error

    def read(self, ref: Id, props: Properties) -> Found | None:
        """Read each person; who is gone is no longer in it."""
        held: Parts = {}
        for key, part in self.parts(props).items():
            found = self.single.read(part_id(self.kind, ref, str(part["email"])), part)
            if found is not None:
                held[key] = {**found.outputs, **select(part, (ADDED,))}
        return self.found(self.outputs(props, held, {}))

    def update(self, ref: Id, olds: Properties, news: Properties) -> Properties:
        return self.change(ref, olds, news)

    def delete(self, ref: Id, props: Properties) -> None:
        """Take away what it gave, each person by the rules of the single resource.

        Raises:
            AccessError: it failed for some; the others are done.
        """
        parts = list(self.parts(props).values())
        if failures := self.leave(ref, parts):
            raise told_together(f"cannot take away {self.label(props)}", failures, len(parts) - len(failures))

    def outputs(self, inputs: Properties, held: Parts, kept: Parts) -> Properties:
        """The outputs, for the people that are `held`, and those that should have left and are `kept`."""
        shown = select(inputs, (*self.all_inputs, *self.SHOWN))
        whole = {**held, **kept}
        of_each = (*(name for name in self.single.OUTPUTS if name not in self.SHOWN), ADDED, UNREAD)
        shown["people"] = self.packed({str(part["email"]): select(part, self.OF_EACH) for part in whole.values()})
        shown[OUTPUTS] = {str(part["email"]): select(part, of_each) for part in whole.values()}
        if why := [{"people": [str(part["email"])], **select(part, POLICY_FIELDS)} for part in kept.values()]:
            shown["reasons"] = [*(shown.get("reasons") or ()), *why]
        for part in held.values():
            return {
                **{name: value for name, value in shown.items() if name not in self.SHOWN},
                **select(part, self.SHOWN),
            }
        return shown

    def packed(self, people: dict[str, Properties]) -> Any:
        """The people with their own inputs, in the form of the input."""
        return people

    def work(self, items: Sequence[_T], do: Callable[[_T], Any]) -> Iterator[tuple[_T, Any]]:
        """Do something for each, many at a time; each with what came of it, an `AccessError` where it failed."""
        with self.session.directory.writer.crowd.of(min(THREADS, len(items))) if items else nullcontext():
            yield from at_once(items, do, lambda line: self.session.say(f"{self.kind.name}: {line}"))


def at(email: Any, field: str = "") -> str:
    """The path of a person, or of one of their inputs."""
    return f'people["{email}"]{f".{field}" if field not in ("", "email") else ""}'
