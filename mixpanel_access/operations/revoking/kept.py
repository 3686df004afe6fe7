"""The declaration of what a stack keeps: what its state has, without what is taken away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mixpanel_access.model import resources as kinds
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import DeclaredPerson
from mixpanel_access.model.declaration import Declaration
from mixpanel_access.model.grants import single_grants
from mixpanel_access.operations.revoking.removals import Removal, StateRow, _Made, _with_words


def declaration_without(
    rows: Sequence[StateRow], taken: Sequence[Removal], facts: Mapping[str, Any], given: Declaration
) -> Declaration:
    """The declaration of everything that the state has below the component, without what is taken away.

    Args:
        rows: the resources below the component.
        taken: what goes.
        facts: the outputs of the component.
        given: what the roster gives today.
    """
    live = [row for row in rows if not row.going]
    going = {one.urn for one in taken if not one.lowers and one.type != kinds.PROJECT_ACCESS_TYPE}
    lowered = {one.urn: one.inputs for one in taken if one.inputs is not None and one.type != kinds.PROJECT_ACCESS_TYPE}
    words = {id_: word for word, id_ in _Made(rows).role_ids.items()}
    stay = [
        replace(row, inputs=_with_words(lowered.get(row.urn) or row.inputs, words))
        for row in live
        if row.urn not in going
    ]
    members = {row.name: row.inputs for row in stay if row.type == kinds.MEMBER_TYPE}
    teams = {row.name.removeprefix(kinds.TEAM.prefix): row.inputs for row in stay if row.type == kinds.TEAM_TYPE}
    grants: dict[tuple[int, str], Mapping[str, Any]] = {}
    project_access: dict[int, Mapping[str, Any]] = {}
    account_grants, team_grants, team_members = {}, {}, {}
    for row in stay:
        project, _, holder = row.name.partition(":")
        match row.type:
            case kinds.GRANT_TYPE:
                grants[int(row.inputs["project_id"]), holder] = row.inputs
            case kinds.PROJECT_ACCESS_TYPE:
                inputs = _whole(row, [one for one in taken if one.urn == row.urn], words)
                if inputs is not None:
                    project_access[int(row.inputs["project_id"])] = inputs
                    by_key = {same_key(email): email for email in inputs["grants"]}
                    grants |= {
                        (int(row.inputs["project_id"]), name): {} for name in members if same_key(name) in by_key
                    }
            case kinds.SERVICE_ACCOUNT_GRANT_TYPE:
                inputs = _without(row.inputs, "service_account_id")
                account_grants[int(project), holder.removeprefix(kinds.SERVICE_ACCOUNT.prefix)] = inputs
            case kinds.TEAM_GRANT_TYPE:
                team_grants[int(project), holder.removeprefix(kinds.TEAM.prefix)] = _without(row.inputs, "team_id")
            case kinds.TEAM_MEMBER_TYPE:
                place = row.name.removeprefix(kinds.TEAM.prefix)
                team = max((key for key in teams if place.startswith(f"{key}:")), key=len, default="")
                team_members[team, place.removeprefix(f"{team}:")] = _without(row.inputs, "team_id")
    return Declaration(
        members=members,
        grants=grants,
        people=_people(live, taken),
        facts={name: value for name, value in facts.items() if name not in ("people", "grants")},
        keys={project: given.keys.get(project, str(project)) for project, _ in grants},
        overlaps=(),
        accounts={
            row.name.removeprefix(kinds.SERVICE_ACCOUNT.prefix): row.inputs
            for row in stay
            if row.type == kinds.SERVICE_ACCOUNT_TYPE
        },
        account_grants=account_grants,
        project_access=project_access,
        teams=teams,
        team_grants=team_grants,
        team_members=team_members,
        custom_roles={
            row.name.removeprefix(kinds.CUSTOM_ROLE.prefix): row.inputs
            for row in stay
            if row.type == kinds.CUSTOM_ROLE_TYPE
        },
        security=next(
            (
                row.inputs
                for row in stay
                if row.name == kinds.ORGANIZATION_SECURITY.prefix and row.type == kinds.ORGANIZATION_SECURITY_TYPE
            ),
            None,
        ),
    )


def _whole(row: StateRow, taken: Sequence[Removal], words: Mapping[str, str]) -> dict[str, Any] | None:
    """The inputs of a `ProjectAccess` without what goes; None where it goes as a whole, since whose it is is a secret.

    One that nobody is left in stays: to delete it is for `pulumi up`, once the roster no longer has the project so.
    """
    goes = {one.key for one in taken if not one.lowers}
    lower = {one.key: one.inputs["role"] for one in taken if one.inputs is not None}
    grants = {}
    for one in single_grants(row.outputs):
        key = same_key(str(one["email"]))
        if key not in goes:
            role = lower.get(key, one["role"])
            grants[one["email"]] = words.get(role, role)
    if "" in goes:
        return None
    keys = {same_key(email) for email in grants}
    reasons = []
    for reason in row.inputs.get("reasons") or ():
        people = [email for email in reason.get("people") or () if same_key(email) in keys]
        if people:
            reasons.append({**reason, "people": people})
    given = {**row.inputs, "grants": grants}
    return {**given, "reasons": reasons} if "reasons" in row.inputs else given


def _people(rows: Sequence[StateRow], taken: Sequence[Removal]) -> list[DeclaredPerson]:
    """Everybody whom the brake knows, but for those who leave the stack, with what they keep."""
    of_person: dict[str, list[Removal]] = {}
    for one in taken:
        of_person.setdefault(one.key, []).append(one)
    found: list[DeclaredPerson] = []
    for row in rows:
        for person in row.inputs.get("people") or () if row.type == kinds.BRAKE_TYPE else ():
            key = same_key(person["email"])
            theirs = of_person.get(key, ()) if key else ()
            if not any(one.type == kinds.MEMBER_TYPE and not one.lowers for one in theirs):
                known = _what_stays(person, theirs) if theirs else person
                found.append(DeclaredPerson(**known))  # type: ignore[typeddict-item]  # as the state has them
    return found


def _what_stays(person: Mapping[str, Any], taken: Sequence[Removal]) -> dict[str, Any]:
    """Somebody as the brake knows them, without what goes."""
    gone = [one for one in taken if not one.lowers]
    projects, teams = {one.project for one in gone}, {one.team for one in gone}
    known = {**person, "projects": [one for one in person.get("projects") or () if one not in projects]}
    if "teams" in known:
        known["teams"] = [team for team in known["teams"] if team not in teams]
        known = known if known["teams"] else _without(known, "teams")
    role = next((one.inputs.get("role", "") for one in taken if one.type == kinds.MEMBER_TYPE and one.inputs), None)
    return known if role is None else {**_without(known, "role"), **({"role": role} if role else {})}


def _without(inputs: Mapping[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in inputs.items() if name != field}
