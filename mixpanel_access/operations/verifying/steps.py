"""The walk as data: each step with what it sends, where that shows, and how it is undone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from mixpanel_access.api.client import Api
from mixpanel_access.api.transport import Transport
from mixpanel_access.model import roles
from mixpanel_access.model.access import GrantType
from mixpanel_access.model.address import same_key
from mixpanel_access.model.settings import BY_HAND, Verb

PERSON, TEAM, ACCOUNT = "person", "team", "account"
"""What the walk makes, and takes away again."""
GRANT, TEAM_GRANT, TEAM_MEMBER, ACCOUNT_GRANT = "grant", "team grant", "team member", "account grant"
"""What goes with one of those."""

NO_SUCH_ROLE: Final = "no such <role> & 'none'"
"""An organization role that nobody has; its characters show whether error texts are escaped."""
NO_PROJECT_OF_OURS: Final = 1
"""The first project that Mixpanel ever made is nobody's who reads this."""

MADE: Final = "mixpanel-access-check-"
"""How the names of what the walk makes begin."""
MADE_NAME: Final = re.compile(f"{MADE}[0-9a-f]{{6}}")
"""What the name of a team or a service account is that the walk makes."""


@dataclass(frozen=True)
class Target:
    """What the walk works on.

    Attributes:
        expires: when that account expires, should all else fail.
        ids: the ids that Mixpanel gave what was made; 0 stands for one that is not known yet.
    """

    organization: int
    project: int
    email: str
    team: str
    account: str
    expires: datetime
    ids: dict[str, int] = field(default_factory=dict)

    def id(self, kind: str) -> int:
        """The id of what was made."""
        return self.ids.get(kind, 0)

    @property
    def renamed(self) -> str:
        """The team's other name."""
        return f"{self.team} renamed"

    @property
    def key(self) -> str:
        """The address in the form in which two spellings are the same."""
        return same_key(self.email)

    @property
    def names(self) -> Mapping[str, str]:
        """What is named in texts for people."""
        return {"email": self.email, "team": self.team, "account": self.account, "project": str(self.project)}

    def owns(self, cell: Any) -> bool:
        """Whether a value of a list, or one within it, is of what the walk works on."""
        if isinstance(cell, tuple):
            return any(map(self.owns, cell))
        own = (self.key, self.team, self.renamed, *self.ids.values())
        return cell in own or (isinstance(cell, str) and cell.startswith(f"{self.account}."))


@dataclass(frozen=True)
class Mixpanel:
    """The API, and the transport under it for what no client sends."""

    api: Api
    transport: Transport


@dataclass(frozen=True)
class WriteStep:
    """One write.

    Attributes:
        shown_in: the list that shows it; "" where none does.
        is_shown: whether the list shows it.
        part: what has to be asked for: people always, teams and accounts by an option.
        needs: what has to be there.
        makes: what is there after it.
        ends: what is gone after it.
        verb: by which name it is allowed, where it is undocumented.
        undone: how it is undone, in words, where that does not follow from the rest.
    """

    name: str
    send: Callable[[Mixpanel, Target], object]
    shown_in: str
    is_shown: Callable[[Any, Target], bool]
    part: str = "people"
    needs: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    verb: Verb | None = None
    undone: str = ""

    @property
    def undo(self) -> str:
        """How it is undone, in words."""
        return self.undone or ("nothing to undo" if self.ends else _UNDOING[self.part])


READS: Final[Mapping[str, Callable[[Mixpanel, Target], Any]]] = {
    "users": lambda m, _: m.api.users.list_users(),
    "granted-users": lambda m, target: m.api.projects.granted_users(target.project),
    "teams": lambda m, _: m.api.teams.list_teams(),
    "service-accounts": lambda m, _: m.api.service_accounts.list_accounts(),
    "project-service-accounts": lambda m, target: m.api.service_accounts.list_of_project(target.project),
}
"""The lists that show what was written."""


def _person(role: str | None = None, *, there: bool = True) -> Callable[[Any, Target], bool]:
    def is_shown(people: Any, target: Target) -> bool:
        found = [person for person in people if person.key == target.key]
        return bool(found) is there and all(role in (None, person.role or roles.MEMBER) for person in found)

    return is_shown


def _grant(role: str | None) -> Callable[[Any, Target], bool]:
    def is_shown(grants: Any, target: Target) -> bool:
        own = [g.role for g in grants if g.key == target.key and g.grant_type is GrantType.INDIVIDUAL]
        return own == ([role] if role else [])

    return is_shown


def _account_grant(role: str | None) -> Callable[[Any, Target], bool]:
    def is_shown(rows: Any, target: Target) -> bool:
        own = [r.role for r in rows if r.account == target.id(ACCOUNT) and r.grant_type is GrantType.INDIVIDUAL]
        return own == ([role] if role else [])

    return is_shown


def _made_teams(teams: Any, target: Target) -> list[Any]:
    return [team for team in teams if team.name in (target.team, target.renamed)]


def _made_accounts(accounts: Any, target: Target) -> list[Any]:
    return [account for account in accounts if account.name == target.account]


_UNDOING: Final = {
    "people": "the address is removed from the organization at the end, with all its access",
    "teams": "the team is deleted at the end",
    "accounts": "the service account is deleted at the end; it expires after a day in any case",
}
_MAIL: Final = f"{_UNDOING['people']}; the e-mail cannot be taken back"
_Send = Callable[[Mixpanel, Target], object]


def _invites(name: str, role: str, shown: str | None = None, **more: Any) -> WriteStep:
    return WriteStep(
        name, lambda m, t: m.api.users.invite({t.email: role}), "users", _person(shown),
        verb=Verb.INVITE, undone=_MAIL, **more,
    )  # fmt: skip


def _grants(role: str) -> _Send:
    return lambda m, t: m.api.users.grant({(t.project, t.email): role})


def _changes(name: str, role: str, undone: str = "", shown: str | None = None) -> WriteStep:
    return WriteStep(
        name, lambda m, t: m.api.users.change_role(t.email, role), "users", _person(shown or role),
        needs=(PERSON,), verb=Verb.CHANGE_ROLE, undone=undone,
    )  # fmt: skip


def _of_team(name: str, send: _Send, test: Callable[[Any, Target], bool], **more: Any) -> WriteStep:
    def is_shown(teams: Any, target: Target) -> bool:
        return any(test(team, target) for team in teams if team.id == target.id(TEAM))

    return WriteStep(name, send, "teams", is_shown, "teams", **more)


def _grants_team(name: str, role: str, **more: Any) -> WriteStep:
    return _of_team(
        name, lambda m, t: m.api.teams.grant({(t.id(TEAM), t.project): role}),
        lambda team, t: team.projects.get(t.project) == role, **more,
    )  # fmt: skip


def _grants_account(name: str, role: str, **more: Any) -> WriteStep:
    return WriteStep(
        name, lambda m, t: m.api.service_accounts.add_to_project(t.id(ACCOUNT), t.project, role),
        "project-service-accounts", _account_grant(role), "accounts", **more,
    )  # fmt: skip


def _leaves(name: str) -> WriteStep:
    return WriteStep(
        name, lambda m, t: m.api.users.remove([t.email]), "users", _person(there=False),
        needs=(PERSON,), ends=(PERSON, GRANT), verb=Verb.REMOVE_MEMBERS,
    )  # fmt: skip


_PEOPLE: Final = (
    WriteStep(
        "wrong body",
        lambda m, t: m.transport.write(f"/organizations/{t.organization}/add-users/", {}, "send a wrong body"), "",
        lambda *_: True, verb=Verb.INVITE, undone="nothing to undo: the body names nobody",
    ),
    _invites("invite", roles.MEMBER, roles.MEMBER, makes=(PERSON,)),
    WriteStep("grant", _grants(roles.CONSUMER), "granted-users", _grant(roles.CONSUMER), makes=(PERSON, GRANT)),
    WriteStep("change the grant", _grants(roles.ANALYST), "granted-users", _grant(roles.ANALYST), needs=(GRANT,)),
    WriteStep("take the grant away", lambda m, t: m.api.users.remove_grants(t.email, [t.project]), "granted-users",
              _grant(None), needs=(GRANT,), ends=(GRANT,), verb=Verb.REMOVE_GRANTS),
    _changes("change the organization role", roles.BILLING_ADMIN, "the next steps change it back"),
    _changes("change to an unknown role", NO_SUCH_ROLE,
             "Mixpanel should refuse it; the next step changes the role in any case", roles.BILLING_ADMIN),
    _changes("change the organization role back", roles.MEMBER),
    _invites("invite while invited", roles.BILLING_ADMIN, roles.BILLING_ADMIN, needs=(PERSON,)),
    WriteStep(
        "resend", lambda m, t: m.api.users.resend([t.email]), "users", _person(), needs=(PERSON,), verb=Verb.RESEND,
        undone="the e-mail cannot be taken back",
    ),
)  # fmt: skip
_TEAMS: Final = (
    WriteStep("make a team", lambda m, t: m.api.teams.create(t.team), "teams", lambda v, t: bool(_made_teams(v, t)),
              "teams", makes=(TEAM,)),
    WriteStep("make the same team", lambda m, t: m.api.teams.create(t.team), "teams",
              lambda v, t: len(_made_teams(v, t)) == 1, "teams", needs=(TEAM,)),
    _grants_team("grant to the team", roles.CONSUMER, needs=(TEAM,), makes=(TEAM_GRANT,)),
    _grants_team("change the team's grant", roles.ANALYST, needs=(TEAM_GRANT,)),
    _of_team("add to the team", lambda m, t: m.api.teams.add_members([(t.id(TEAM), t.email)]),
             lambda team, t: t.key in (team.members or ()), needs=(TEAM, PERSON), makes=(TEAM_MEMBER,),
             verb=Verb.ADD_TO_TEAMS),
    _of_team("take out of the team", lambda m, t: m.api.teams.remove_member(t.id(TEAM), t.email),
             lambda team, t: team.members is not None and t.key not in team.members, needs=(TEAM_MEMBER,),
             ends=(TEAM_MEMBER,), verb=Verb.REMOVE_FROM_TEAMS),
    _of_team("take the team's grant away", lambda m, t: m.api.teams.remove_grant(t.id(TEAM), t.project),
             lambda team, t: t.project not in team.projects, needs=(TEAM_GRANT,), ends=(TEAM_GRANT,)),
    _of_team("rename the team", lambda m, t: m.api.teams.rename(t.id(TEAM), t.renamed),
             lambda team, t: team.name == t.renamed, needs=(TEAM,)),
    WriteStep("delete the team", lambda m, t: m.api.teams.delete(t.id(TEAM)), "teams",
              lambda v, t: not _made_teams(v, t), "teams", needs=(TEAM,), ends=(TEAM, TEAM_GRANT, TEAM_MEMBER)),
)  # fmt: skip
_ACCOUNTS: Final = (
    WriteStep(
        "make a service account", lambda m, t: m.api.service_accounts.create(t.account, roles.CONSUMER, t.expires),
        "service-accounts", lambda v, t: bool(_made_accounts(v, t)), "accounts", makes=(ACCOUNT,),
    ),
    _grants_account("grant to the account", roles.CONSUMER, needs=(ACCOUNT,), makes=(ACCOUNT_GRANT,)),
    _grants_account("change the account's grant", roles.ANALYST, needs=(ACCOUNT_GRANT,)),
    WriteStep(
        "take the account's grant away",
        lambda m, t: m.api.service_accounts.remove_from_project(t.id(ACCOUNT), t.project), "project-service-accounts",
        _account_grant(None), "accounts", needs=(ACCOUNT_GRANT,), ends=(ACCOUNT_GRANT,),
    ),
    WriteStep(
        "delete the service account", lambda m, t: m.api.service_accounts.delete(t.id(ACCOUNT)), "service-accounts",
        lambda v, t: not _made_accounts(v, t), "accounts", needs=(ACCOUNT,), ends=(ACCOUNT, ACCOUNT_GRANT),
    ),
)  # fmt: skip
_LEAVING: Final = (
    _leaves("cancel the invitation"),
    _invites("invite again", roles.MEMBER, makes=(PERSON,)),
    _leaves("remove"),
    WriteStep("invite by a grant", _grants(roles.CONSUMER), "users", _person(roles.MEMBER), makes=(PERSON, GRANT),
              undone=_MAIL),
    _leaves("remove with a grant"),
)  # fmt: skip

STEPS: Final = (*_PEOPLE, *_TEAMS, *_ACCOUNTS, *_LEAVING)
"""Every step, in the order in which they are taken."""


@dataclass(frozen=True)
class Undo:
    """How one thing that the walk made is taken away.

    Attributes:
        shown_in: the list that shows whether it is there.
        found: what of the list it is.
        does: what it does, in words.
        send: takes one of these away.
        by_hand: what to do in the product where that fails.
        verb: by which name it is allowed, where it is undocumented.
    """

    kind: str
    shown_in: str
    found: Callable[[Any, Target], list[Any]]
    does: str
    send: Callable[[Api, Target, Any], object]
    by_hand: str
    verb: Verb | None = None


UNDOS: Final = (
    Undo(TEAM, "teams", _made_teams, "delete the team {team}", lambda api, _, team: api.teams.delete(team.id),
         "delete the team {team} in Organization Settings > Users & Teams"),
    Undo(ACCOUNT, "service-accounts", _made_accounts, "delete the service account {account}",
         lambda api, _, account: api.service_accounts.delete(account.id),
         "delete the service account {account} in Organization Settings > Service Accounts"),
    Undo(PERSON, "users", lambda people, target: [p for p in people if p.key == target.key],
         "remove {email} from the organization", lambda api, target, _: api.users.remove([target.email]),
         f"{BY_HAND[Verb.REMOVE_MEMBERS]}: {{email}}", Verb.REMOVE_MEMBERS),
)  # fmt: skip
"""In this order: what can be reached through a team or an account goes first."""

LESSER: Final = (
    Undo(GRANT, "granted-users",
         lambda grants, t: [g for g in grants if g.key == t.key and g.grant_type is GrantType.INDIVIDUAL],
         "take the grant of {email} in project {project} away",
         lambda api, target, _: api.users.remove_grants(target.email, [target.project]),
         f"{BY_HAND[Verb.REMOVE_GRANTS]}: {{email}}", Verb.REMOVE_GRANTS),
    Undo("organization role", "users",
         lambda people, t: [p for p in people if p.key == t.key and p.role not in (None, roles.MEMBER)],
         "make {email} a member", lambda api, target, _: api.users.change_role(target.email, roles.MEMBER),
         f"{BY_HAND[Verb.CHANGE_ROLE]} to member: {{email}}", Verb.CHANGE_ROLE),
)  # fmt: skip
"""What is taken away where the person cannot be removed."""


def steps_of(parts: frozenset[str]) -> tuple[WriteStep, ...]:
    """The steps of some parts; people are always one of them."""
    return tuple(step for step in STEPS if step.part == "people" or step.part in parts)


def verbs_of(steps: tuple[WriteStep, ...]) -> frozenset[str]:
    """The undocumented writes that the steps and their undoing send."""
    verbs = [*(step.verb for step in steps), *(undo.verb for undo in (*UNDOS, *LESSER))]
    return frozenset(verb for verb in verbs if verb is not None)
