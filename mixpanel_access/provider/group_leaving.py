"""The people who leave a `Members` in an update: what the stack gives them goes first, and is judged before.

The engine updates a `Members` before the resources that depend on it, and deletes what is gone from the program last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from mixpanel_access.directory.grants import ProjectGrants
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import has_ended
from mixpanel_access.model.grants import GrantChanges
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.groups import unfold
from mixpanel_access.model.resource_ids import ProjectAccessId
from mixpanel_access.model.resources import (
    MEMBER,
    MEMBERS,
    PROJECT_ACCESS,
    PROJECT_GRANT,
    TEAM_MEMBER,
    TEAM_MEMBERS,
    ResourceKind,
)
from mixpanel_access.provider.handler import Handler, Properties
from mixpanel_access.provider.leaving import removal_plan
from mixpanel_access.provider.lifecycle import Lifecycle
from mixpanel_access.provider.project_grant import ProjectGrantHandler
from mixpanel_access.provider.run import declared_people
from mixpanel_access.provider.session import Session
from mixpanel_access.provider.states import ExportedResource
from mixpanel_access.provider.team_member import TeamMemberHandler

_GIVES: Final[dict[ResourceKind, tuple[type[Handler[Any]], str]]] = {
    PROJECT_GRANT: (ProjectGrantHandler, PROJECT_ACCESS.name),
    TEAM_MEMBER: (TeamMemberHandler, TEAM_MEMBERS.name),
}
"""What is taken away first: its handler, and the kind of its groups."""


def lifecycle(type_: str, session: Session) -> Lifecycle:
    """The verbs of a single resource of this type."""
    handler = next(handler for kind, (handler, _) in _GIVES.items() if kind.type == type_)()
    handler.keeps = True
    handler.use(session)
    return Lifecycle(handler)


def own_state(session: Session) -> Sequence[ExportedResource]:
    """What the stack's state holds; nothing if it cannot be read: then whoever holds something stays."""
    own = session.states.own()
    return (session.scope.resources or ()) if own is None else own


def given_to(session: Session, emails: Iterable[str]) -> dict[str, list[ExportedResource]]:
    """The grants and memberships that the stack's state gives to people, and the program no longer declares.

    They are single resources, by the key of the address; in the state, they may be parts of groups.

    Raises:
        Refused: it is not known what the program declares.
    """
    keys = set(map(same_key, emails))
    found: dict[str, list[ExportedResource]] = {key: [] for key in keys}
    for kind, (class_, group) in _GIVES.items():
        handler = class_()
        handler.use(session)
        for ref, outputs in unfold(own_state(session), kind, session.organization):
            key = same_key(ref.person or "")
            if key in keys and not session.will_declare(handler.identity(dict(outputs)), key, kind.name, group):
                found[key].append(ExportedResource(kind.type, "", str(ref), outputs))
    return found


def hold(session: Session, parts: Sequence[Properties], given: dict[str, list[ExportedResource]]) -> None:
    """Hold what is done to the people who leave, all together, before the first of it is done.

    Raises:
        Refused: a brake holds it.
    """
    organization = session.organization
    rows = [
        ExportedResource(MEMBER.type, "", f"{organization}:{part['email']}", part)
        for part in parts
        if not session.will_declare(key := same_key(str(part["email"])), key, MEMBER.name, MEMBERS.name)
    ]
    if not rows:
        return
    going = [*rows, *(one for some in given.values() for one in some)]
    people = declared_people(going, organization, own_state(session), session.team_name)
    session.brakes.hold("cannot go on", removal_plan(session, list(people.values())))
    whole = {
        ProjectAccessId.parse(one.id).project: one.outputs
        for one in own_state(session)
        if one.type == PROJECT_ACCESS.type and one.id.startswith(f"{organization}:")
    }
    ended = {same_key(str(part["email"])) for part in parts if has_ended(part.get("ends"), session.today())}
    for project, keys in grouped(
        (int(PROJECT_GRANT.id.parse(one.id).parts[1]), key)
        for key, some in given.items()
        for one in some
        if one.type == PROJECT_GRANT.type
    ).items():
        if project in whole and not session.directory.project_is_gone(project):
            have = ProjectGrants(session.directory, project, whole[project].get("grants") or {}).have
            changes = GrantChanges(remove=frozenset(keys) & have.keys())
            session.brakes.hold_grants(project, have, changes, frozenset(ended))
