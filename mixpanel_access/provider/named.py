"""What resources have in common whose objects are found by a name: `Team` and `CustomRole`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Iterable, Iterator
from typing import ClassVar

from mixpanel_access.model.address import same_key
from mixpanel_access.model.similarity import in_words
from mixpanel_access.provider.handler import BESIDE, Handler, Id, Problems, Properties, known
from mixpanel_access.provider.renames import Named, Send, temporary
from mixpanel_access.provider.states import ExportedResource, StackStates, of_organization


class NamedHandler(Handler[Id]):
    """The base of their providers: names change hands within a run, or within two."""

    KIND: ClassVar[str]
    """What the object is, in words."""

    # What subclasses say

    @abstractmethod
    def objects(self, props: Properties) -> Named:
        """The objects among which the name of this one is the only one of its kind."""

    # What the program declares

    def note(self, hints: Properties, inputs: Properties) -> None:
        """Keep which other resources of the kind the program has."""
        self.session.renames.set_others(self.identity(inputs), hints.get(BESIDE))

    def note_update(self, id_: str, news: Properties) -> None:
        """Keep which name the program declares for the object of the state."""
        name = news.get("name")
        if isinstance(name, str) and known(name):
            self.session.renames.declare(self.objects(news).space, self.parse(id_).parts[-1], name)

    def is_declared_elsewhere(self, ref: Id, props: Properties) -> bool:
        """Whether the program declares this very object; one that was called so before may have given up its name."""
        space, object_id = self.objects(props).space, ref.parts[-1]
        declared = super().is_declared_elsewhere(ref, props)
        return declared and self.session.renames.is_declared_as(space, object_id, str(props.get("name")))

    # Judging a name

    def check_name(self, inputs: Properties, olds: Properties, problems: Problems) -> None:
        """Judge that the name is free in this run or in the next; `olds` is empty for a new object."""
        objects, renames, name = self.objects(inputs), self.session.renames, inputs["name"]
        there = objects.holder(name)
        if not olds.get("name"):
            if there is None or not self.is_anothers(inputs, there):
                renames.want(self.identity(inputs))
            else:
                self.session.say(
                    f"{self.label(inputs)}: another resource of this stack gives that name up; until then, the new one "
                    f"is called {temporary(name)!r}. If it still is after `pulumi up`, run that again"
                )
            return
        before = objects.holder(str(olds["name"]))
        if before is None or same_key(str(olds["name"])) == same_key(name):
            return  # renamed already by a run that died, or only spelled otherwise
        if there is not None and there != before and not self._waits_at_preview(inputs, olds, there, problems):
            return
        if held := renames.rename(self.identity(olds), self.label(olds), objects.space, before, name):
            problems.add("name", held)

    def _waits_at_preview(self, inputs: Properties, olds: Properties, there: Hashable, problems: Problems) -> bool:
        """Say that the name is free once another object gives it up, or why it cannot be."""
        objects, name = self.objects(inputs), inputs["name"]
        own = self.own_names(there, objects.space)
        actual = objects.name_of(there) or name
        if own or own is None or self.session.renames.declared_for(objects.space, there) is not None:
            whose = f"another {self.KIND} of this stack" if own else f"the {self.KIND} {actual}"
            self.session.say(
                f"{self.label(olds)} will get the name {name} once {whose} gives it up. If the next "
                f"preview still shows the change, run `pulumi up` again"
            )
            return True
        stacks = self.stacks_with(self.session.states.others(), there, objects.space)
        declared = f"which stack {in_words(stacks)} has; give one of them another name" if stacks else ""
        problems.add(
            "name",
            f"{self.label(olds)} cannot be renamed to {name}, since there is a {self.KIND} {actual} already, "
            + (declared or "which no stack has; declare that one as a resource of its own, or delete it first"),
        )
        return False

    def is_anothers(self, inputs: Properties, there: Hashable) -> bool:
        """Whether an object belongs to another resource of the program, which is to give up its name."""
        space, renames = self.objects(inputs).space, self.session.renames
        declared = renames.declared_for(space, there)
        if declared is not None:
            return same_key(declared) != same_key(inputs["name"])
        others = renames.others(self.identity(inputs)) or frozenset()
        return bool(others & (self.own_names(there, space) or frozenset())) if others else False

    # What the states say

    def own_names(self, object_id: Hashable, space: Hashable) -> frozenset[str] | None:
        """The names of the resources that have an object in the stack's own state; None if nobody knows."""
        held = self.session.states.own()
        if held is None:
            return None
        return frozenset(one.urn.rpartition("::")[2] for one in self.resources_of(held, object_id, space))

    def stacks_with(self, states: StackStates, object_id: Hashable, space: Hashable) -> list[str]:
        """The stacks that have an object, of those whose states could be read."""
        return sorted(name for name, held in states.stacks.items() if any(self.resources_of(held, object_id, space)))

    def resources_of(
        self, held: Iterable[ExportedResource], object_id: Hashable, space: Hashable
    ) -> Iterator[ExportedResource]:
        """The resources of a state that have an object."""
        for one in of_organization(held, self.session.organization):
            if one.type != self.kind.type:
                continue
            if self.objects(dict(one.outputs)).space == space and self.parse(one.id).parts[-1] == object_id:
                yield one

    # Bringing a name about

    def give_name(self, object_id: Hashable, inputs: Properties, send: Send) -> bool:
        """Give an object its name, or have it wait for that, and say so; whether it waits.

        Another thread may pass the name on at any time: what is read afterwards may have it all the same.
        """
        objects, name = self.objects(inputs), inputs["name"]
        self.session.renames.give(objects, object_id, name, send)
        if not self.session.renames.waits(objects, object_id):
            return False
        self.session.say(
            f"{self.KIND} {objects.name_of(object_id)} will get the name {name} once another {self.KIND} gives it up. "
            f"If the next preview shows the change, run `pulumi up` again"
        )
        return True
