"""The engine's verbs for a grouped resource: each person passes what their single resource would pass."""

from __future__ import annotations

from mixpanel_access.model.resource_ids import ResourceId
from mixpanel_access.model.resources import BY_NAME
from mixpanel_access.provider.group_handler import GroupHandler, Parts, at
from mixpanel_access.provider.handler import Problems, Properties, known
from mixpanel_access.provider.leaving import hold_run
from mixpanel_access.provider.lifecycle import Lifecycle
from mixpanel_access.provider.moving import say_moves
from mixpanel_access.provider.session import RESOURCE


class GroupLifecycle(Lifecycle):
    """The verbs of one kind of grouped resource."""

    handler: GroupHandler[ResourceId]

    def _identify(self, *properties: Properties, surely: bool = False) -> None:
        for props in properties:
            for part in self.handler.parts(props).values():
                self._session.identify(str(part["email"]), part.get("user_id"), surely=surely)

    def _check_known(self, olds: Properties, inputs: Properties, hints: Properties, problems: Problems) -> None:
        handler, before, after = self.handler, self.handler.parts(olds), self.handler.parts(inputs)
        for part in (*before.values(), *after.values()):
            self._session.identify(str(part["email"]), part.get("user_id"))
        self._session.declare(map(handler.single.identity, after.values()))
        self._check_owner(after, problems)
        handler.check_together(inputs, problems)
        for key, part in after.items():
            if not all(map(known, part.values())):
                continue
            found = Problems()
            handler.each.check_one(before.get(key, {}), part, found)
            handler.tell(str(part["email"]), found, problems)
            self._session.judged_people.add(handler.single.identity(part))
            inputs.update({name: part[name] for name in handler.SHOWN if name in part})
        if not problems:
            handler.check_leaving([part for key, part in before.items() if key not in after], problems)
        if not (olds or problems):
            say_moves(self._session, handler.kind, inputs)

    def _check_owner(self, parts: Parts, problems: Problems) -> None:
        """Refuse somebody who has a single resource in the program too, or is in another group.

        A group may be checked several times: it is known by its name, or else by its people.
        """
        owner, single = RESOURCE.get() or hash(frozenset(parts)), self.handler.single
        for part in parts.values():
            first = self._session.owner_of(single.identity(part), owner)
            if first != owner:
                other = f"a {first}" if first in BY_NAME else f"another {self.handler.kind.name}"
                problems.add(
                    "", f"{at(part['email'])}: the program declares them with {other} too; take one of the two"
                )

    def _delete(self, id_: str, props: Properties) -> None:
        ref = self.handler.parse(id_)
        self._identify(props, surely=id_.startswith(f"{self._session.organization}:"))
        self._hold_other_organization(ref, props)
        hold_run(self._session, by_brake=False)
        self.handler.delete(ref, props)
