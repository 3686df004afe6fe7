"""Which stacks declare today what a difference is about: what only a state still has, nobody declares."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from mixpanel_access.model.address import same_key
from mixpanel_access.model.declaration import declaration
from mixpanel_access.model.teams import same_name
from mixpanel_access.operations.drift import AccessDifference, DriftKind
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.person_overview import PersonOverview
from mixpanel_access.operations.stack_view import StackView
from mixpanel_access.operations.state import StateResource, role_words


def declaring(found: AccessDifference, someone: PersonOverview, overview: Overview) -> list[str]:
    """The stacks whose roster gives it today as their state has it, or whose program declares it.

    Of what no state has, those whose roster gives it in any form: their next update adopts it.
    """
    stacks, today = overview.stacks, overview.today
    if found.kind.unmanaged:
        return [name for name, view in stacks.items() if _gives(found, someone, view, today, None)]
    return [
        name
        for name, held in _held(found, someone, overview)
        if _is_outside(stacks[name], held) or _gives(found, someone, stacks[name], today, held)
    ]


def _held(found: AccessDifference, someone: PersonOverview, overview: Overview) -> Iterator[tuple[str, StateResource]]:
    """What the states have of what a difference is about, by stack."""
    if found.team is not None and not found.email:  # the name may be a secret, and "" then
        for stack, view in overview.stacks.items():
            ids = [id_ for id_, team in view.state.teams.items() if same_name(team.name, found.team)]
            keys = [(found.project, id_) for id_ in ids] if found.project else ids
            held = view.state.team_grants if found.project else view.state.teams
            yield from ((stack, held[key]) for key in keys if key in held)
    elif found.team is not None:
        yield from ((stack, held) for (stack, name), held in someone.teams.items() if same_name(name, found.team))
    elif found.project:
        yield from ((stack, held) for (stack, project), held in someone.grants.items() if project == found.project)
    elif found.kind is DriftKind.CHANGED_ADDRESS:
        yield from (
            (stack, held) for stack, held in someone.members.items() if same_key(held.email) == same_key(found.email)
        )
    else:  # only the stack that gave the role can put it back
        giving = [stack for stack, held in someone.members.items() if held.role == (found.declared or "")]
        others = someone.members.keys() - set(giving) if found.kind is DriftKind.MISSING_MEMBER else ()
        yield from ((stack, someone.members[stack]) for stack in (*giving, *sorted(others)))


def _is_outside(view: StackView, held: StateResource) -> bool:
    """Whether the program declares it, and not the roster."""
    return view.roster is None or held.parent != view.state.component


def _gives(
    found: AccessDifference, someone: PersonOverview, view: StackView, today: date, held: StateResource | None
) -> bool:
    """Whether a roster gives it today, with the role that the state has of it."""
    if view.roster is None:
        return False
    given = declaration(view.roster, today)
    key = own[0].person.key if (own := someone.entries.get(view.name)) else ""
    team = view.team_keys.get(held.team) if held else None
    named = [name for name, inputs in given.teams.items() if same_name(inputs["name"], found.team or "")]
    teams = [team] if team else named
    match found.kind:
        case DriftKind.MISSING_TEAM | DriftKind.CHANGED_TEAM:
            return any(name in given.teams for name in teams)
        case DriftKind.MISSING_PLACE | DriftKind.UNMANAGED_PLACE:
            return any((name, key) in given.team_members for name in teams)
        case DriftKind.MISSING_MEMBER | DriftKind.CHANGED_ADDRESS | DriftKind.UNMANAGED_MEMBER:
            return key in given.members
        case DriftKind.CHANGED_MEMBER:
            inputs = given.members.get(key)
        case _ if found.team is not None:
            inputs = next(filter(None, (given.team_grants.get((found.project or 0, name)) for name in teams)), None)
        case _:
            inputs = given.grants.get((found.project or 0, key))
    role = role_words(view.state).get((found.project or 0, held.role), held.role) if held else ""
    return inputs is not None and role in ("", inputs.get("role"))
