"""What an auditor must be told on a day, as the script of the life alone says: sets for each person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from tests.lives.organization import INVITATION_LIFE, Organization
from tests.lives.rosters import ORGANIZATION_RANK, RANK, Declared, Reasons, Roster, is_custom, is_lower
from tests.lives.stacks import Landscape, Stack

DAY = timedelta(days=1)
Fact = tuple[Any, ...]


def rank(role: str | None) -> int:
    """How high a role in a project is; none is the lowest."""
    return RANK.get(role or "", 0)


# What the clock does


def is_less(before: Declared | None, after: Declared | None) -> bool:
    """Whether somebody loses something from one day to the next."""
    if before is None:
        return False
    if after is None:
        return True
    roles = [(role, after.projects.get(project, ("",))[0]) for project, (role, _) in before.projects.items()]
    lower = any(rank(old) > rank(new) or (old != new and is_custom(old or new)) for old, new in roles)
    lower = lower or any(old != new and is_custom(new) for old, new in roles)
    return lower or bool(before.teams.keys() - after.teams.keys()) or _role_rank(before) > _role_rank(after)


def _role_rank(one: Declared) -> int:
    return max(ORGANIZATION_RANK[one.role], 1)


def ending(roster: Roster, today: date, days: int) -> set[Fact]:
    """Who loses something after which day, by the clock alone: stack, address, last day."""
    return {
        (roster.stack, email, last)
        for email in roster.people
        for last in bounds(roster, email)
        if 0 <= (last - today).days < days
        and is_less(roster.declared_to(email, last), roster.declared_to(email, last + DAY))
    }


def beginning(roster: Roster, today: date, days: int) -> set[Fact]:
    """Who gets something on which day, by the clock alone: stack, address, first day."""
    return {
        (roster.stack, email, first)
        for email in roster.people
        for first in bounds(roster, email)
        if 0 < (first - today).days <= days
        and is_less(roster.declared_to(email, first), roster.declared_to(email, first - DAY))
    }


def bounds(roster: Roster, email: str) -> set[date]:
    """The days on which what somebody has can begin or end."""
    own = roster.entries_of(email)
    days = [day for entry in own for day in (entry.starts, entry.ends)]
    teams = [roster.teams[key] for entry in own for key in entry.teams]
    return {day for day in (*days, *(day for team in teams for day in (team.starts, team.ends))) if day is not None}


def undone(stack: Stack, today: date) -> set[Fact]:
    """What the next update takes and gives: overdue, removed or late, stack, address, and what of theirs.

    What has ended, by an entry that gave it or by the last day in the state, is overdue; what is no longer in the
    roster otherwise is removed; what the state does not have yet is late.
    """
    return set(_undone(stack, today))


def _undone(stack: Stack, today: date) -> Iterator[Fact]:
    roster = stack.roster
    for email in {*stack.people(), *roster.people}:
        now = roster.declared_to(email, today)
        over = [entry for entry in roster.entries_of(email) if entry.is_over(today)]
        member = stack.members.get(email)
        if member and now is None:
            yield _gone(bool(over), member.reasons, today), stack.name, email, "membership"
        elif now and member is None:
            yield "late", stack.name, email, "membership"
        before, after = member.role if member else None, now.role if now else None
        if now and before and max(1, ORGANIZATION_RANK[before]) > max(1, ORGANIZATION_RANK[after]):
            assert member is not None
            yield _gone(any(one.role == before for one in over), member.reasons, today), stack.name, email, "role"
        elif after and after != before:
            yield "late", stack.name, email, "role"
        yield from _undone_grants(stack, email, now, today)
        for key in {key for key, one in stack.places if one == email} - (now.teams.keys() if now else set()):
            ends = [
                roster.place_reasons(one, key)[2]
                for one in roster.entries_of(email)
                if key in one.teams and key in roster.teams
            ]
            late = any(end is not None and end < today for end in ends)
            yield _gone(late, stack.places[key, email].reasons, today), stack.name, email, f"team {key}"
        for key in now.teams if now else ():
            if (key, email) not in stack.places:
                yield "late", stack.name, email, f"team {key}"


def _undone_grants(stack: Stack, email: str, now: Declared | None, today: date) -> Iterator[Fact]:
    roster, given = stack.roster, now.projects if now else {}
    for project in {*given, *(id_ for id_, one in stack.given_or_lost if one == email)}:
        held, declared = stack.given_or_lost.get((project, email)), given.get(project, ("",))[0]
        past, word = held is not None and _is_past(held.reasons[2], today), stack.word(declared)
        unmade = is_custom(declared) and declared not in stack.roles
        if held and (not declared or is_lower(word, held.role, ended=past) or (past and unmade)):
            key = next(key for key, id_ in roster.projects.items() if id_ == project)
            over = (one for one in roster.entries_of(email) if one.is_over(today))
            gave = any(key in one.projects and held.role in ("", stack.word(one.projects[key])) for one in over)
            yield _gone(gave, held.reasons, today), stack.name, email, project
            if unmade:
                yield "late", stack.name, email, project
        elif declared and (held is None or held.role != word):
            yield "late", stack.name, email, project


def _is_past(last: date | None, today: date) -> bool:
    return last is not None and last < today


def _gone(ended: bool, reasons: Reasons, today: date) -> str:
    return "overdue" if ended or _is_past(reasons[2], today) else "removed"


def ending_teams(roster: Roster, today: date, days: int) -> set[Fact]:
    """The teams that end within some days: stack, key, last day."""
    return {
        (roster.stack, key, team.ends)
        for key, team in roster.teams.items()
        if team.ends is not None and 0 <= (team.ends - today).days < days
    }


def undone_teams(stack: Stack, today: date) -> set[Fact]:
    """The teams of which the next update takes or gives something as a whole: how, stack, key."""
    found: set[Fact] = set()
    roster = stack.roster
    current = roster.current_teams(today)
    for key in {*stack.teams, *current}:
        entry = roster.teams.get(key)
        declared = current[key].projects if key in current else {}
        wanted = {roster.projects[project]: role for project, role in declared.items()}
        held = {project: role for (project, one), role in stack.team_grants.items() if one == key}
        ends = entry.ends if entry else stack.teams[key].days[1]
        past = key in stack.teams and _is_past(stack.teams[key].days[1], today)
        changes = _changes_of_roles(stack, held, wanted, ended=past)
        if key not in current or changes["gone"]:
            found.add(("overdue" if _is_past(ends, today) else "removed", stack.name, key))
        if key in current and (key not in stack.teams or changes["late"]):
            found.add(("late", stack.name, key))
    return found


def _changes_of_roles(
    stack: Stack, held: Mapping[int, str], wanted: Mapping[int, str], *, ended: bool
) -> dict[str, set[int]]:
    """The projects in which a team or a service account loses a role or gets a lower one, and gets another one."""
    words = {project: stack.word(role) for project, role in wanted.items()}
    unmade = {project for project, role in wanted.items() if is_custom(role) and role not in stack.roles}
    gone = {
        project
        for project, role in held.items()
        if project not in words or is_lower(words[project], role, ended=ended) or (ended and project in unmade)
    }
    other = {project for project, word in words.items() if held.get(project) != word}
    return {"gone": gone, "late": other - (gone - unmade)}


def undone_accounts(stack: Stack, today: date) -> set[Fact]:
    """What the next update takes from and gives to service accounts: how, stack, name, and project or None.

    `refused` is an account that it cannot create, since its last day has passed; it then does nothing at all.
    """
    found: set[Fact] = set()
    roster = stack.roster
    for name in {*stack.accounts, *roster.accounts}:
        account = roster.accounts.get(name)
        given = {roster.projects[key]: role for key, role in account.projects.items()} if account else {}
        held = {project: role for (project, one), role in stack.account_grants.items() if one == name}
        changes = _changes_of_roles(stack, held, given, ended=False)
        taken, missing = changes["gone"], changes["late"]
        how = "refused" if name not in stack.accounts and account and account.has_expired(today) else "late"
        found |= {("removed", stack.name, name, project) for project in taken}
        found |= {(how, stack.name, name, project) for project in missing}
        if account is None and not taken:
            found.add(("removed", stack.name, name, None))
        if name not in stack.accounts and not missing:
            found.add((how, stack.name, name, None))
    return found


def ending_accounts(roster: Roster, today: date, days: int) -> set[Fact]:
    """The service accounts that expire after which day: stack, name, last day."""
    return {
        (roster.stack, name, account.expires)
        for name, account in roster.accounts.items()
        if account.expires is not None and 0 <= (account.expires - today).days < days
    }


# Who waits


def waiting(landscape: Landscape, now: datetime) -> dict[str, tuple[str, datetime | None, datetime | None]]:
    """Who has not accepted the invitation: address -> pending or expired, when it was sent, and until when it holds.

    A stack that has sent it knows its end; one that found it waiting knows the latest end that it can have.
    """
    found = {}
    for email, person in landscape.organization.people.items():
        if person.invited_at is not None:
            held = [one for stack in landscape.stacks.values() if (one := stack.members.get(email)) is not None]
            sent = max((one.sent for one in held if one.sent), default=None)
            latest = max((one.until for one in held if one.until), default=None)
            until = sent + INVITATION_LIFE if sent else latest
            found[email] = "expired" if until is not None and until <= now else "pending", sent, until
    return found


def is_hidden(organization: Organization, email: str) -> bool:
    """Whether nobody can tell what somebody has: they are invited, and no project lists anybody who is."""
    invited = {one for one, person in organization.people.items() if person.invited_at is not None}
    listed = any(source.kind != "organization_role" for one in invited for source in organization.sources(one))
    return email in invited and not listed


# What differs


def drift(landscape: Landscape) -> set[Fact]:
    """The differences of the organization to the states: kind, address, project, team."""
    organization, stacks = landscape.organization, landscape.stacks.values()
    found: set[Fact] = set()
    active = {email for email, person in organization.people.items() if person.active}
    for email in active:
        if not any(email in stack.members for stack in stacks):
            found.add(("unmanaged member", email, None, None))
    for project, email in organization.grants:
        if email in active and not any((project, email) in stack.all_grants for stack in stacks):
            found.add(("unmanaged grant", email, project, None))
    for stack in stacks:
        found |= set(_missing(organization, stack))
    for team in organization.teams:
        held = {(stack.name, key) for stack in stacks for key, one in stack.teams.items() if one.team is team}
        if not held:
            continue
        mine = [landscape.stacks[name] for name, _ in held]
        keys = {key for _, key in held}
        found |= {
            ("unmanaged team member", email, None, team.name)
            for email in team.members & active
            if not any((key, email) in stack.places for stack in mine for key in keys)
        }
        found |= {
            ("unmanaged team grant", "", project, team.name)
            for project in team.projects
            if not any((project, key) in stack.team_grants for stack in mine for key in keys)
        }
    return found


def _missing(organization: Organization, stack: Stack) -> Iterator[Fact]:
    for email, member in stack.members.items():
        person = organization.people.get(email)
        if person is None:
            yield "missing member", email, None, None
            continue
        if stack.address(email) != organization.address(email):
            yield "changed address", email, None, None
        if member.role and member.role != person.role:
            yield "changed member", email, None, None
    for (project, email), grant in stack.all_grants.items():
        role = organization.grants.get((project, email))
        if role is None and is_hidden(organization, email):
            continue
        if role is None:
            yield "missing grant", email, project, None
        elif role != grant.role:
            yield "changed grant", email, project, None
    for held in stack.teams.values():
        if held.team not in organization.teams:
            yield "missing team", "", None, held.name
        elif held.team.name != held.name:
            yield "changed team", "", None, held.name
    for (project, key), role in stack.team_grants.items():
        held = stack.teams[key]
        actual = held.team.projects.get(project) if held.team in organization.teams else None
        if actual != role:
            yield f"{'changed' if actual else 'missing'} team grant", "", project, held.name
    for key, email in stack.places:
        held = stack.teams[key]
        if held.team not in organization.teams or email not in held.team.members:
            yield "missing team member", email, None, held.name
