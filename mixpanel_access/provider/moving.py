"""People who move between a resource of their own and a group: a preview shows only what is created and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from mixpanel_access.model.groups import GROUPS, parts
from mixpanel_access.model.resources import MEMBER, PROJECT_GRANT, TEAM_MEMBER, ResourceKind
from mixpanel_access.model.similarity import counted
from mixpanel_access.provider.run import place_of
from mixpanel_access.provider.session import Session

_WHERE: Final = ("project_id", "team_id")
_LOSES_NOTHING: Final = "the move takes nothing away and invites nobody"


def say_moves(session: Session, kind: ResourceKind, inputs: Mapping[str, Any]) -> None:
    """Say of a new resource which people come to it from another form; of a group that ends, say it once.

    The state is read only if one of them is in the organization: else nobody can have moved.
    """
    where = [session.organization, *(inputs[name] for name in _WHERE if name in inputs)]
    group, new_id = GROUPS.get(kind.type), cast("Any", kind.id)
    if group is not None:
        people = [(part.kind, part.ref) for part in parts(group, new_id(*where), inputs)]
    elif kind in (MEMBER, PROJECT_GRANT, TEAM_MEMBER):
        people = [(kind, new_id(*where, inputs["email"]))]
    else:
        return
    if not any(session.directory.person(str(ref.person)) for _, ref in people):
        return
    before = [session.scope.holders.get(place_of(single, ref)) for single, ref in people]
    moved = [one for one in before if one is not None and (one.type in GROUPS) != (group is not None)]
    if moved and group is not None:
        number = counted(len(moved), "person moves", "people move")
        session.say(f"{number} here from resources of their own: {_LOSES_NOTHING}")
    elif moved:
        name = moved[0].urn.rpartition("::")[2]
        session.say_once(
            ("moves", moved[0].urn), f"people move from {name} to resources of their own: {_LOSES_NOTHING}"
        )
