"""The problems of a roster that has the right form: its values, and what its parts say about each other."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator

from mixpanel_access.model import roles
from mixpanel_access.model.address import problem_with, same_key
from mixpanel_access.model.effective_access import RosterEntry, days_of, entry_of
from mixpanel_access.model.engagements import problems_with_metadata
from mixpanel_access.model.ownership import OWNERSHIPS, REMOVALS
from mixpanel_access.model.roles import MOST_CUSTOM_ROLES, problem_with_permissions, problem_with_role_name
from mixpanel_access.model.roster.schema import (
    NEEDS,
    Engagement,
    OwnServiceAccount,
    Roster,
    RosterPerson,
    RosterServiceAccount,
    RosterTeam,
)
from mixpanel_access.model.service_accounts import problem_with_account_name
from mixpanel_access.model.similarity import counted, meant_address, unknown
from mixpanel_access.model.teams import problem_with_team_name

Path = tuple[str | int, ...]
"""A place in a roster: keys and positions from the top."""
Problems = Iterator[tuple[Path, str]]


def problems_with(roster: Roster) -> Problems:
    """Every problem: its place, and in words."""
    yield from _organization(roster)
    yield from _standard_roles(roster)
    yield from _engagements(roster)
    yield from _projects(roster)
    yield from _teams(roster)
    yield from _people(roster)
    yield from _service_accounts(roster)
    yield from _custom_roles(roster)
    yield from _security(roster)
    yield from _exceptions(roster)


def _organization(roster: Roster) -> Problems:
    facts = roster.organization
    if facts.url is not None and not _is_url(facts.url):
        yield ("organization", "url"), _no_url(facts.url)
    for topic, address in facts.contacts.items():
        if reason := problem_with(address):
            yield ("organization", "contacts", topic), f"{address!r} is not an e-mail address ({reason})"
    for index, network in enumerate(facts.login.ip_allowlist):
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError:
            yield (
                ("organization", "login", "ipAllowlist", index),
                f"{network!r} is not a network such as 203.0.113.0/24",
            )


def _service_accounts(roster: Roster) -> Problems:
    names: dict[str, str] = {}
    for name, account in roster.service_accounts.items():
        at: Path = ("serviceAccounts", name)
        first = names.setdefault(name.strip(), name)
        if first != name:
            yield at, f"{name!r} and {first!r} are one name, since blanks around it do not count; make them one"
            yield ("serviceAccounts", first), f"{first!r} and {name!r}, further down, are one name; make them one"
        if account.role is not None and (reason := problem_with_account_name(name)):
            yield at, reason
        if account.contact is not None and (reason := problem_with(account.contact)):
            yield (*at, "contact"), f"{account.contact!r} is not an e-mail address ({reason})"
        yield from _own_account(roster, account, at)


def _own_account(roster: Roster, account: OwnServiceAccount, at: Path) -> Problems:
    name = at[-1]
    if account.role is None:
        needless = sorted(account.model_fields_set - set(RosterServiceAccount.model_fields) - {"role"})
        if needless:
            fields = ", ".join(OwnServiceAccount.model_fields[field].alias or field for field in needless)
            yield (
                at,
                f"{name} has {fields} and no role: with a role, this stack makes it; without one, it is only known",
            )
    elif account.role not in roles.SERVICE_ACCOUNT_ROLES:
        words = unknown(account.role, "role of a service account", roles.SERVICE_ACCOUNT_ROLES)
        yield (*at, "role"), f"{name}: {words}"
    if account.overlap is not None and account.rotate_after is not None and account.overlap >= account.rotate_after:
        overlap, rotate_after = counted(account.overlap, "day"), counted(account.rotate_after, "day")
        words = f"{name}: `overlap` ({overlap}) must be shorter than `rotateAfter` ({rotate_after})"
        yield (*at, "overlap"), words
    for field, words in problems_with_metadata({"ends": account.expires} if account.expires else {}).items():
        yield (*at, "expires"), f"{name}: {words.replace(field, 'expires')}"
    for key, role in account.projects.items():
        if key not in roster.projects:
            yield (*at, "projects", key), f"{name}: {unknown(key, 'project of this roster', roster.projects)}"
        if not is_role(roster, key, role):
            yield (*at, "projects", key), f"{name}: {no_role(roster, key, role)}"


def _standard_roles(roster: Roster) -> Problems:
    for kind, change in roster.standard_roles.items():
        at: Path = ("standardRoles", kind)
        if change.organization not in (None, *roles.ORGANIZATION_ROLES):
            yield (*at, "organization"), unknown(change.organization, "organization role", roles.ORGANIZATION_ROLES)
        for where, role in (("production", change.production), ("elsewhere", change.elsewhere)):
            if role is not None and not roles.is_project_role(role):
                yield (*at, where), unknown(role, "project role", roles.PROJECT_ROLES)


def _engagements(roster: Roster) -> Problems:
    for key, engagement in roster.engagements.items():
        at: Path = ("engagements", key)
        if engagement.type is not None and engagement.type not in roster.standards:
            yield (*at, "type"), unknown(engagement.type, "engagement type", roster.standards)
        if engagement.manager is not None and (reason := problem_with(engagement.manager)):
            yield (*at, "manager"), f"{engagement.manager!r} is not an e-mail address ({reason})"
        for field, words in problems_with_metadata(engagement.model_dump(exclude_none=True)).items():
            yield (*at, field), f"engagement {key}: {words}"


def _projects(roster: Roster) -> Problems:
    ids: dict[int, str] = {}
    for key, project in roster.projects.items():
        at: Path = ("projects", key)
        if project.environment != roster.environment:
            words = f"project {key} is {project.environment!r}, and this roster is {roster.environment!r}"
            yield (*at, "environment"), words
        if project.id in ids:
            yield (*at, "id"), f"project {key} has the id of project {ids[project.id]}, {project.id}"
        ids.setdefault(project.id, key)
        for index, need in enumerate(project.needs):
            if need not in NEEDS:
                yield (*at, "needs", index), unknown(need, "need of a project", NEEDS)
        for title, url in project.dashboards.items():
            if not _is_url(url):
                yield (*at, "dashboards", title), _no_url(url)


def _teams(roster: Roster) -> Problems:
    names: dict[str, str] = {}
    for key, team in roster.teams.items():
        at: Path = ("teams", key)
        if reason := problem_with_team_name(team.name):
            yield (*at, "name"), reason
        first = names.setdefault(same_key(team.name), key)
        if first != key:
            yield (*at, "name"), f"team {key} has the name of team {first}, {team.name}"
        if team.standard is not None and team.standard not in roster.standards:
            yield (*at, "standard"), f"team {key}: {unknown(team.standard, 'engagement type', roster.standards)}"
        if team.removal is not None and team.removal not in REMOVALS:
            yield (*at, "removal"), f"team {key}: {unknown(team.removal, 'choice', REMOVALS)}"
        for field, words in problems_with_metadata(_metadata(team)).items():
            yield (*at, field), f"team {key}: {words.replace('the engagement', 'it')}"
        for project, role in team.projects.items():
            where: Path = (*at, "projects", project)
            if project not in roster.projects:
                yield where, f"team {key}: {unknown(project, 'project of this roster', roster.projects)}"
            if role is None and team.standard is None:
                yield where, f"team {key}: {project} has no role, and the team no standard that has one"
            elif role is not None and not is_role(roster, project, role):
                yield where, f"team {key}: {no_role(roster, project, role)}"


def _people(roster: Roster) -> Problems:
    seen: dict[str, list[tuple[RosterEntry, Path]]] = {}
    for index, person in enumerate(roster.people):
        at: Path = ("people", index)
        if reason := problem_with(person.email):
            yield (*at, "email"), f"{person.email!r} is not an e-mail address ({reason})"
        yield from _roles(roster, person, at)
        if person.removal is not None and person.removal not in REMOVALS:
            yield (*at, "removal"), f"{person.email}: {unknown(person.removal, 'choice', REMOVALS)}"
        if person.ownership is not None and person.ownership not in OWNERSHIPS:
            yield (*at, "ownership"), f"{person.email}: {unknown(person.ownership, 'choice', OWNERSHIPS)}"
        if person.engagement is not None and person.engagement not in roster.engagements:
            words = unknown(person.engagement, "engagement", roster.engagements)
            yield (*at, "engagement"), f"{person.email}: {words}"
        for place, team in enumerate(person.teams):
            if team not in roster.teams:
                yield (*at, "teams", place), f"{person.email}: {unknown(team, 'team of this roster', roster.teams)}"
        wrong = problems_with_metadata(_metadata(person))
        for field, words in wrong.items():
            yield (*at, field), f"{person.email}: {words}"
        try:
            entry = entry_of(roster, person)
        except ValueError:  # a date is not valid, which is reported already
            continue
        if not wrong:
            yield from _beyond(roster, entry, at)
            yield from _on_no_day(roster, entry, at)
        before = seen.setdefault(person.key, [])
        for other, its in before:
            yield from _together(entry, other, at, its)
        before.append((entry, at))


def _beyond(roster: Roster, entry: RosterEntry, at: Path) -> Problems:
    """Access on days outside of the engagement."""
    engagement = roster.engagements.get(entry.engagement or "")
    if engagement is None:
        return
    person, its = entry.person, f"its engagement {entry.engagement}"
    if engagement.starts and engagement.ends and engagement.ends < engagement.starts:
        return  # reported already
    if person.starts and engagement.starts and person.starts < engagement.starts:
        yield (*at, "starts"), f"{person.email}: starts on {person.starts}, before {its} starts ({engagement.starts})"
    if person.ends and engagement.ends and person.ends > engagement.ends:
        yield (*at, "ends"), f"{person.email}: ends on {person.ends}, after {its} ends ({engagement.ends})"
    if (person.starts or person.ends) and entry.starts and entry.ends and entry.ends < entry.starts:
        field = "ends" if person.ends else "starts"
        yield (*at, field), f"{person.email}: the access ends on {entry.ends}, before it starts on {entry.starts}"


def _on_no_day(roster: Roster, entry: RosterEntry, at: Path) -> Problems:
    """A membership in a team that does not exist on any day of the entry."""
    for index, key in enumerate(entry.person.teams):
        if key in entry.memberships and not entry.days.meets(days_of(roster.teams[key])):
            yield (*at, "teams", index), f"{entry.person.email}: no day of the entry is one of the team {key}"


def _metadata(part: RosterPerson | RosterTeam) -> dict[str, str]:
    names = ("kind", "starts", "ends", "reviewed")
    return {name: value for name in names if (value := getattr(part, name, None)) is not None}


def _together(entry: RosterEntry, other: RosterEntry, at: Path, place: Path) -> Problems:
    """Problems of two entries of one person; the first path is that of the later one."""
    email, first = entry.person.email, other.person.email
    if email != first:
        words = f"{email} is the same mailbox as {first}, in an entry above; spell the address the same in all entries"
        yield (*place, "email"), f"{first} is the same mailbox as {email}, in an entry below"
        yield (*at, "email"), words
        return
    if not entry.days.meets(other.days):
        return
    if entry.engagement == other.engagement:
        yield (*at, "email"), f"{email} has two entries with {entry} for the same days; make them one entry"
        return
    if entry.person.removal and other.person.removal and entry.person.removal != other.person.removal:
        words = f"{email}: removal is {entry.person.removal} here and {other.person.removal} with {other}"
        yield (*at, "removal"), words
    if entry.person.ownership and other.person.ownership and entry.person.ownership != other.person.ownership:
        words = f"{email}: ownership is {entry.person.ownership} here and {other.person.ownership} with {other}"
        yield (*at, "ownership"), words
    if entry.person.kind and other.person.kind and entry.person.kind != other.person.kind:
        yield (*at, "kind"), f"{email}: kind is {entry.person.kind} here and {other.person.kind} with {other}"
    for key in entry.projects.keys() & other.projects.keys():
        here, there = entry.projects[key], other.projects[key]
        if here != there and any(roles.is_custom(role) for role in (here, there)):
            words = f"{email}: nobody can tell which is higher, {here} or {there} with {other} in the same days"
            yield (*at, "projects", key), words


def _roles(roster: Roster, person: RosterPerson, at: Path) -> Problems:
    role = person.organization_role
    if role is not None and not roster.organization_roles:
        yield (
            (*at, "organizationRole"),
            f"{person.email} has an organization role here; only the one roster with organizationRoles: true has those",
        )
    if role is not None and role not in roles.ORGANIZATION_ROLES:
        words = unknown(role, "organization role", roles.ORGANIZATION_ROLES)
        yield (*at, "organizationRole"), f"{person.email}: {words}"
    engagement = roster.engagements.get(person.engagement) if person.engagement else Engagement()
    untyped = engagement is not None and engagement.type is None  # an unknown one is reported already
    for key, project_role in person.projects.items():
        where: Path = (*at, "projects", key)
        if key not in roster.projects:
            yield where, f"{person.email}: {unknown(key, 'project of this roster', roster.projects)}"
        if project_role is None:
            if untyped:
                yield (
                    where,
                    f"{person.email}: {key} has no role, and there is no engagement whose type has a standard one",
                )
        elif not is_role(roster, key, project_role):
            yield where, f"{person.email}: {no_role(roster, key, project_role)}"


def _exceptions(roster: Roster) -> Problems:
    people = {person.key for person in roster.people}
    for index, one in enumerate(roster.exceptions):
        at: Path = ("exceptions", index)
        if one.email is not None and same_key(one.email) not in people:
            yield (
                (*at, "email"),
                f"nobody in this roster has the address {one.email}{meant_address(one.email, sorted(people))}",
            )
        if one.project is not None and one.project not in roster.projects:
            yield (*at, "project"), unknown(one.project, "project of this roster", roster.projects)
        if one.project is not None and one.email is None:
            yield (*at, "project"), "an exception for a project names the person too"
        for field, value in (("starts", one.starts), ("ends", one.ends)):
            for words in problems_with_metadata({field: value}).values():  # policies compare the two
                yield (*at, field), words


def _is_url(text: str) -> bool:
    return text.startswith(("https://", "http://")) and not any(part.isspace() for part in text)


def _no_url(text: str) -> str:
    return f"{text!r} is not a URL that begins with https://"


def is_role(roster: Roster, project: str, role: str) -> bool:
    """Whether a word is a role in a project: one of the four, an id, or the key of the roster's own custom role."""
    return roles.is_project_role(role) or roles.declared_role(role) in roster.own_roles(project)


def no_role(roster: Roster, project: str, role: str) -> str:
    """Why a word is not a role in a project."""
    for key, one in roster.custom_roles.items():
        if roles.declared_role(key) == roles.declared_role(role):
            return f"{key} is a custom role of project {one.project}, and not of {project}"
    ours = map(roles.normalized, roster.own_roles(project).values())
    return unknown(role, "project role", [*roles.PROJECT_ROLES, *ours])


def _custom_roles(roster: Roster) -> Problems:
    keys: dict[str, str] = {}
    names: dict[tuple[str, str], str] = {}
    for key, one in roster.custom_roles.items():
        at: Path = ("customRoles", key)
        word = roles.normalized(key)
        if not word or roles.is_project_role(word):
            yield at, f"{key!r} can be no custom role's key: it is a role that every project has, or no word"
        if word in keys:
            yield at, f"{key} and {keys[word]} are the same to a person's projects; give one of them another key"
        keys.setdefault(word, key)
        if reason := problem_with_role_name(one.name):
            yield (*at, "name"), f"{key}: {reason}"
        if one.project not in roster.projects:
            yield (*at, "project"), f"{key}: {unknown(one.project, 'project of this roster', roster.projects)}"
        if reason := problem_with_permissions(one.permissions):
            yield (*at, "permissions"), f"{key}: {reason}"
        place = (one.project, same_key(one.name))
        if place in names:
            yield (*at, "name"), f"{key}: {names[place]} is a custom role {one.name} of project {one.project} already"
        names.setdefault(place, key)
        ours = [other for other, its in roster.custom_roles.items() if its.project == one.project]
        if ours.index(key) == MOST_CUSTOM_ROLES:
            words = f"a project has at most {MOST_CUSTOM_ROLES} custom roles, and {one.project} has {len(ours)} here"
            yield (*at, "project"), f"{key}: {words}"


def _security(roster: Roster) -> Problems:
    if roster.security is None:
        return
    if not roster.organization_roles:
        yield (
            ("security",),
            "security settings are the organization's; only the one roster with organizationRoles: true has those",
        )
    for key, value in roster.security.request_access.items():
        if value is None:
            yield ("security", "requestAccess", key), f"{key} has no value; leave out what is to stay as it is"
        elif not _is_plain(value):
            yield ("security", "requestAccess", key), f"{key}: {value} cannot be sent; put it in quotation marks"


def _is_plain(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True
