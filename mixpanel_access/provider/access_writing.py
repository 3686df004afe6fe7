"""How the changes of a project's grants are written: for many people at once, and for each whatever comes of others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from mixpanel_access.directory.grants import Failures, ProjectGrants
from mixpanel_access.model.address import few, same_key
from mixpanel_access.model.errors import AccessError, InvitationLimit, told_together
from mixpanel_access.model.grants import GrantChanges
from mixpanel_access.model.similarity import counted
from mixpanel_access.provider import vanished
from mixpanel_access.provider.checks import kept_role
from mixpanel_access.provider.handler import Handler, Properties
from mixpanel_access.provider.project_access_state import without_waiting
from mixpanel_access.provider.taking import Taken

Unfinished = Callable[[Mapping[str, str], Iterable[str]], Properties]
"""The outputs to keep of a change that was not finished: by the grants as they are, and who may have one unseen."""


@dataclass(frozen=True)
class GrantWrites:
    """The changes of one project's grants, as one verb makes them.

    A failure for some stops nobody else: access ends as declared, though an invitation waits. That an invitation waits
    for Mixpanel's hourly limit is no failure: a line says so, and the state does not have the grant.

    Attributes:
        handler: whose verb it is.
        there: the grants before the first write.
        changes: what changes, which no brake holds.
        grants: the declared roles, by address.
        leavers: the properties of a `ProjectGrant` of each who is no longer declared, by the key of the address.
        unchanged: the roles that the state keeps, whatever Mixpanel shows, by the key of the address.
        failures: address -> why it was not done, so far.
        waiting: the addresses whose invitation waits for Mixpanel's hourly limit, as it was found in the end.
    """

    handler: Handler[Any]
    there: ProjectGrants
    changes: GrantChanges
    grants: Mapping[str, str]
    leavers: Mapping[str, Properties] = field(default_factory=dict)
    unchanged: Mapping[str, str] = field(default_factory=dict)
    failures: Failures = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)

    def carry_out(self, taken: Taken, unfinished: Unfinished | None = None) -> ProjectGrants:
        """Write the changes, and read back once; the grants as they are then.

        `unfinished` gives the outputs that are kept if some of it fails.
        """
        there, session = self.there, self.handler.session
        there.have |= self.unchanged
        missed = self._missed()
        if not self.changes and not missed:
            return there
        directory, project = session.directory, there.project
        give = {email: role for email, role in self.grants.items() if same_key(email) in self.changes.give}
        for email in give:
            self._try(email, self.handler.let_in)
        give = {email: role for email, role in give.items() if email not in self.failures}
        new = {email: role for email, role in give.items() if directory.person(email) is None}
        for email in new:
            self._try(email, self._hold_waiting)
        give, new = (
            {email: role for email, role in some.items() if email not in self.failures} for some in (give, new)
        )
        wanted = list(there.spelled(self.changes.remove))
        for email in wanted:
            self._try(email, session.brakes.hold_kept)
        take = [email for email in wanted if email not in self.failures]
        written = directory.remove_grants(project, take, session.say)
        written |= directory.grant_many(project, {one: role for one, role in give.items() if one not in new})
        refused, kept = session.invitations.grant(project, new)
        written |= refused
        for email, role in kept.items():
            session.say(kept_role(email, f"{role} in project {project}", give.pop(email)))
        if done := len(give) + len(take) - len(written):
            gone = {same_key(email) for email in take if email not in written}
            held = {**there.spelled(there.have.keys() - gone), **{e: r for e, r in give.items() if e not in written}}
            request = f"change who has project {project}, for {counted(done, 'person', 'people')},"
            waiting = _waiting({**self.failures, **written})
            taken.add(request, unfinished and without_waiting(unfinished(held, missed), waiting))
        gone = set(map(same_key, take))
        after = ProjectGrants(directory, project, {**there.spelled(there.have.keys() - gone), **give}, self.grants)
        after.have |= {**{same_key(email): new[email] for email in kept}, **self.unchanged}
        undone = {**self.failures, **after.undone(give, take, written)}
        done = len(self.changes.give) + len(wanted) + len(missed) - len(undone)
        waiting = _waiting(undone)
        self.waiting.update(waiting)
        if waiting:
            number, opens = counted(len(waiting), "grant"), max(one.opens for one in waiting.values())
            words = f"{number} {'waits' if len(waiting) == 1 else 'wait'} for Mixpanel's hourly limit on invitations"
            session.say(f"warning: project {project}: {words} ({few(waiting)}). Run `pulumi up` again from {opens}.")
        if failed := {email: error for email, error in undone.items() if email not in waiting}:
            if taken and unfinished:
                left = unfinished(after.spelled(after.have.keys(), self.grants), missed)
                taken.outputs = without_waiting(left, self.waiting)
            raise told_together(f"cannot change who has project {project}", failed, done)
        if remains := after.remains(take):
            session.say(remains)
        return after

    def _missed(self) -> list[str]:
        """The leavers whom Mixpanel lists neither in the organization nor in the project.

        If there are too many of them, the lists are probably wrong, and they are not let go. Leavers whom only the
        project lists are noted: the list of people lacks them.
        """
        session = self.handler.session
        missing = {key: props for key, props in self.leavers.items() if session.directory.person(key) is None}
        listed = missing.keys() & self.there.have.keys()
        for key in listed:
            vanished.note_listed(session, key)
        unseen = {key: props for key, props in missing.items() if key not in listed}
        vanished.note_missed(session, unseen)
        holds = {key: partial(vanished.hold, session, props=props) for key, props in unseen.items()}
        return [key for key, hold in holds.items() if not self._try(str(unseen[key]["email"]), hold)]

    def _hold_waiting(self, email: str) -> None:
        """Leave somebody alone whom the program declares as a member, and who waits for Mixpanel's hourly limit.

        Raises:
            InvitationLimit: so it is.
        """
        session = self.handler.session
        if same_key(email) in session.declared and (opens := session.invitations.opens(email)):
            error = InvitationLimit("cannot give the grant")
            error.opens = f"{opens:%Y-%m-%d %H:%M} UTC"
            raise error

    def _try(self, email: str, step: Callable[[str], object]) -> bool:
        """Take a step for one person; whether it went well: the others go on in any case."""
        try:
            step(email)
        except AccessError as error:
            self.failures[email] = error
            return False
        return True


def _waiting(failures: Failures) -> dict[str, InvitationLimit]:
    """Those of them whose invitation waits for Mixpanel's hourly limit."""
    return {email: error for email, error in failures.items() if isinstance(error, InvitationLimit)}
