"""Remove a person whom the stack no longer declares: why they stay, and what ends before SCIM deactivates them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.access import GrantType, Person, ScimUser, remaining_access
from mixpanel_access.model.address import same_key
from mixpanel_access.model.errors import AccessError
from mixpanel_access.model.ownership import ALWAYS, WHEN_UNUSED, holds_others_role, should_remove
from mixpanel_access.provider import ownership
from mixpanel_access.provider.handler import Properties
from mixpanel_access.provider.session import Session

FRESH_SECONDS: Final = 30.0
"""How old the grants may be on which a removal is decided: one reading for those that go together."""
NOW_SECONDS: Final = 2.0
"""How old the list of people may be on which it is decided: no older than a batch that is held may be anyhow."""


def why_staying(session: Session, person: Person, removal: str, props: Properties) -> str:
    """Why a person who is no longer declared stays in the organization; "" if they leave."""
    directory, declared = session.directory, props.get("role")
    key = same_key(str(props.get("email", person.email)))  # as the states know them
    ours = ownership.whose(session, props, key)
    left = directory.reached_projects(person.email) if removal != ALWAYS else {}
    # An invitation of the project's stacks may go: it is no more than an e-mail.
    blind = removal == WHEN_UNUSED and directory.hides_access(person.email)
    blind = blind and (ours is not True or not directory.projects())
    elsewhere = ""

    def others() -> bool:
        nonlocal elsewhere
        elsewhere = ownership.why_held_elsewhere(session, props, key)
        return bool(elsewhere)

    def going() -> bool:
        return should_remove(removal, person, declared, chain(*left.values()), ours=ours, elsewhere=others)

    if not blind and going():
        return ""
    if removal == WHEN_UNUSED and ours is not False and left:
        # Another stack may be ending them too: the one that reads last must see what the other has taken away.
        directory.forget_grants(older_than=0, projects=left)
        left = directory.reached_projects(person.email)
        if not blind and going():
            return ""
    reasons = {
        "they were in the organization before this stack declared them": ours is False and removal == WHEN_UNUSED,
        f"with the organization role {person.role}, which is not this stack's": holds_others_role(person, declared),
        "what they hold cannot be seen (to remove them all the same, set removal: always)": blind,
        elsewhere: bool(elsewhere),
        remaining_access(left): bool(left) or not elsewhere,
    }
    return "; ".join(words for words, true in reasons.items() if true)


def deactivate(session: Session, user: ScimUser, person: Person, removal: str, props: Properties) -> None:
    """Keep somebody out who comes by SCIM, and take away before it what they would come back with.

    What cannot be taken away does not hold the deactivation: access ends, and the next run tries again.

    Raises:
        AccessError: they are deactivated, and something is left.
    """
    trouble: AccessError | None = None
    try:
        strip(session, person, removal, props)
    except AccessError as error:
        trouble = error
    session.directory.provisioning.keep_out(user)
    if trouble is not None:
        trouble.next_step = f"{person.email} is deactivated; run again to take the rest away. {trouble.next_step}"
        raise trouble


def strip(session: Session, person: Person, removal: str, props: Properties) -> None:
    """Take away what somebody who is kept out would regain: our role; with `removal: always`, all that can go.

    Raises:
        AccessError: the first of what could not be taken away; the rest was tried.
    """
    directory, always = session.directory, removal == ALWAYS
    steps: list[Callable[[], None]] = []
    if person.role not in (None, roles.MEMBER) and (always or props.get("role") is not None):
        steps.append(partial(change_role, session, person.email, roles.MEMBER))
    if always:
        steps += [
            partial(directory.remove_grant, project, person.email)
            for project, grants in directory.reached_projects(person.email).items()
            if any(grant.grant_type is GrantType.INDIVIDUAL for grant in grants)
        ]
        steps += [
            partial(directory.teams.remove_member, team.id, person.email)
            for team in directory.teams.all().values()
            if directory.teams.is_member(team, person.email) and not directory.teams.given_by_others(team, person.email)
        ]
    failures: list[AccessError] = []
    for step in steps:
        try:
            step()
        except AccessError as error:
            failures.append(error)
    if failures:
        raise failures[0]


def change_role(session: Session, email: str, role: str) -> None:
    """Change the organization role, unless a brake holds it."""
    with session.brakes.changing(email, role):
        session.directory.change_role(email, role)
