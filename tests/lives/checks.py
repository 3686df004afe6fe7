"""What the commands say on a day, as sets for each person, against what the script says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from mixpanel_access.model import audit
from mixpanel_access.model.access import Invitation
from mixpanel_access.model.audit import LOOK_BACK
from mixpanel_access.operations.diagnosing import Case, KnownFailure, Likelihood, diagnose
from mixpanel_access.operations.drift import AccessDifference
from mixpanel_access.operations.overview import Overview, load_overview
from mixpanel_access.operations.pending.change import PendingChange, PendingEvent
from mixpanel_access.operations.pending.find import pending_changes, renamed_in
from mixpanel_access.operations.reminding import ReminderKind, reminders
from mixpanel_access.operations.report.build import make_report
from mixpanel_access.operations.report.model import EndsIn
from mixpanel_access.operations.revoking.run import revoke
from mixpanel_access.operations.status import statuses
from mixpanel_access.operations.who import of_person
from tests.lives.draft import STACKS
from tests.lives.expected import Fact
from tests.lives.groups import removed_name
from tests.lives.rosters import Roster
from tests.lives.steps import reasons_in
from tests.lives.truth import Truth
from tests.lives.world import World
from tests.tally import count

_EVENTS = (*audit.ACCESS_EVENTS, *audit.SESSION_EVENTS)
_UNDONE = (PendingEvent.OVERDUE, PendingEvent.REMOVED, PendingEvent.LATE)
_WAITING = (Invitation.PENDING, Invitation.EXPIRED)
_REPORTS = 0.5
"""On how many of the days the report is checked."""
_FINE = 3
"""Of how many people who need no action `diagnose` is asked."""
AHEAD = 30
"""How many days the commands look ahead."""


@dataclass(frozen=True)
class Disagreement:
    """What one command says, and the script does not, or the other way round."""

    command: str
    about: str
    fact: Any
    said: bool

    def __str__(self) -> str:
        return f"{self.command} {'says' if self.said else 'does not say'} {self.about} {self.fact}"


def compared(command: str, about: str, said: set[Any], true: set[Any]) -> Iterator[Disagreement]:
    """The disagreements of two sets."""
    count("comparisons of scripted lives")
    yield from (Disagreement(command, about, fact, True) for fact in sorted(said - true, key=str))
    yield from (Disagreement(command, about, fact, False) for fact in sorted(true - said, key=str))


def _parts(change: PendingChange, roster: Roster) -> set[Any]:
    """What of somebody changes."""
    role, membership = change.organization_role, change.membership
    return {
        *(roster.projects[key] for key in change.projects), *(f"team {key}" for key in change.teams),
        *(["membership"] if membership else []), *(["role"] if role else []),
    }  # fmt: skip


class Day:
    """One day's checks.

    Args:
        world: the world.
        truth: what the script says.
        draw: draws of whom `diagnose` is asked, of those who need no action, and what is checked on this day of what
            takes long: the report, and the next runs of one stack.
    """

    def __init__(self, world: World, truth: Truth, draw: Random) -> None:
        self.world, self.truth, self.draw = world, truth, draw
        self.today = truth.today

    def disagreements(
        self, more: Callable[[Overview], Iterator[Disagreement]] = lambda overview: iter(())
    ) -> list[Disagreement]:
        """All that any command says otherwise than the script, and what `more` finds."""
        self.world.set_clock(self.truth.now)
        with load_overview(self.world.project, [], self.truth.now, lambda line: None) as overview:
            checks: Sequence[Callable[[Overview], Iterator[Disagreement]]] = (
                self.within, self.status, self.remind, self.drift, self.who, self.diagnose, more,
                *([self.report] if self.draw.random() < _REPORTS else ()),
            )  # fmt: skip
            found = [one for check in checks for one in check(overview)]
        return [*found, *self.next_runs()]

    def _first(self, email: str) -> str:
        """The first address of somebody, by which the script has them."""
        return self.truth.organization.first_address(email)

    def _word(self, role: str | None) -> str | None:
        """A role of Mixpanel as the script has it; of several custom roles, it has any of them as the highest."""
        return self.world.word(role)

    # What the clock does

    def within(self, overview: Overview) -> Iterator[Disagreement]:
        """`revoke --within`: what is left undone, and what ends or begins."""
        truth = self.truth
        undone, ends, begins, teams_undone, teams_end = (set[Fact]() for _ in range(5))
        of_accounts, accounts_end = set[Fact](), set[Fact]()
        for name, view in overview.stacks.items():
            assert view.roster is not None
            roster = truth.landscape.stacks[name].roster
            for one in pending_changes(
                view.roster, view.state, self.today, AHEAD, renamed=renamed_in(view.state, overview.directory)
            ):
                if one.account and one.event is PendingEvent.ENDS:
                    accounts_end.add((name, one.account, one.day))
                elif one.account:
                    ids: list[int | None] = [roster.projects[key] for key in one.projects] or [None]
                    how = "refused" if one.refused else one.event.value
                    of_accounts |= {(how, name, one.account, id_) for id_ in ids}
                elif one.event in _UNDONE and one.email:
                    undone |= {(one.event.value, name, self._first(one.email), part) for part in _parts(one, roster)}
                elif one.event in _UNDONE:
                    teams_undone |= {(one.event.value, name, key) for key in one.teams}
                elif one.event is PendingEvent.ENDS and one.email:
                    ends.add((name, self._first(one.email), one.day))
                elif one.event is PendingEvent.ENDS:
                    teams_end |= {(name, key, one.day) for key in one.teams}
                elif one.email:
                    begins.add((name, self._first(one.email), one.on))
        yield from compared("within", "undone", undone, truth.undone)
        yield from compared("within", "undone team", teams_undone, truth.undone_teams)
        yield from compared("within", "ending", ends, truth.endings)
        yield from compared("within", "ending team", teams_end, truth.ending_teams)
        yield from compared("within", "beginning", begins, truth.beginnings)
        yield from compared("within", "undone service account", of_accounts, truth.undone_accounts)
        yield from compared("within", "ending service account", accounts_end, truth.ending_accounts)

    def remind(self, overview: Overview) -> Iterator[Disagreement]:
        """`remind`: what ends, and who waits."""
        found = [one for one in reminders(overview) if (one.on - self.today).days < AHEAD]
        ends = {
            (one.stack, self._first(one.email), one.on) for one in found if one.kind is ReminderKind.ENDS and one.email
        }
        yield from compared("remind", "ending", ends, self.truth.endings)
        pending = {self._first(one.email) for one in found if one.kind is ReminderKind.PENDING}
        sent = {email for email, (_, at, _) in self.truth.waiting.items() if at and self.truth.is_wanted(email)}
        yield from compared("remind", "waiting", pending, sent)

    # Person by person

    def status(self, overview: Overview) -> Iterator[Disagreement]:
        """`status`: who waits, who has which role, who needs action."""
        found, organization = statuses(overview), self.truth.organization
        known = {self._first(one.email) for one in found}
        said = {(self._first(one.email), one.invitation.value) for one in found if one.invitation in _WAITING}
        waits = {(email, how) for email, (how, _, _) in self.truth.waiting.items() if email in known}
        yield from compared("status", "waiting", said, waits)
        roles = {(self._first(one.email), one.organization_role.actual) for one in found}
        true = {(email, there.role if (there := organization.people.get(email)) else None) for email in known}
        yield from compared("status", "organization role", roles, true)
        here = {
            (self._first(one.email), role.project, self._word(role.actual), self._word(role.effective))
            for one in found
            for role in one.projects
            if role.effective
        }
        want = {
            (email, project, organization.grants.get((project, email)), role)
            for email, project, role in self.truth.effective
            if email in known
        }
        yield from compared("status", "role", here, want)
        due = {(email, *reason) for email, reasons in self.truth.troubled.items() for reason in reasons}
        problems = {
            (self._first(one.email), *reason)
            for one in found
            for reason in reasons_in(step.text for step in one.problems)
        }
        yield from compared("status", "something to do", problems, due)

    def diagnose(self, overview: Overview) -> Iterator[Disagreement]:
        """`diagnose`: who is not declared, not invited, has not accepted, and has less than is declared."""
        truth = self.truth
        events = overview.directory.audit_events(_EVENTS, truth.now - LOOK_BACK, truth.now)
        fine = [someone for someone in overview.people if self._first(someone.email) not in truth.troubled]
        fine = self.draw.sample(fine, min(len(fine), _FINE))
        for someone in (
            *fine,
            *(someone for someone in overview.people if self._first(someone.email) in truth.troubled),
        ):
            email = self._first(someone.email)
            case = Case(overview.anybody(someone.email), overview, [one for one in events if one.concerns(someone.key)])
            verdicts = {one.failure: one.verdict for one in diagnose(case)}
            true = {
                KnownFailure.NOT_DECLARED: not truth.is_declared(email),
                KnownFailure.NOT_INVITED: email not in truth.organization.people,
                KnownFailure.NOT_ACCEPTED: email in truth.waiting,
                KnownFailure.ROLE_TOO_LOW: truth.has_less(email),
            }
            for failure, holds in true.items():
                said = verdicts[failure] is not Likelihood.RULED_OUT
                if said != holds:
                    yield Disagreement("diagnose", failure.value, (email, verdicts[failure].value), said)

    # The organization

    def drift(self, overview: Overview) -> Iterator[Disagreement]:
        """`drift`: what is there and not in a state, and the other way round."""
        yield from compared("drift", "difference", self._in_short(overview.differences), self.truth.drift)

    def who(self, overview: Overview) -> Iterator[Disagreement]:
        """`who`: everybody's access, by every source."""
        rows = [one for key in overview.directory.people() for one in of_person(overview, key)]
        said = {
            (self._first(one.email), one.project, self._word(one.role), one.grant_type.value, one.team) for one in rows
        }
        yield from compared("who", "access", said, self.truth.access)

    def report(self, overview: Overview) -> Iterator[Disagreement]:
        """`report`: endings, invitations, differences and everybody's roles."""
        found, truth = make_report(overview), self.truth
        people = [one for one in found.endings if one.email]
        over = [one for one in people if one.when is EndsIn.OVER]
        near = {(one.stack, self._first(one.email), one.on) for one in people if one not in over and one.days < AHEAD}
        yield from compared("report", "ending", near, truth.endings)
        yield from compared("report", "overdue", {(one.stack, self._first(one.email)) for one in over}, truth.overdue)
        waits = {(email, how) for email, (how, _, _) in truth.waiting.items()}
        yield from compared(
            "report", "waiting", {(self._first(one.email), one.state.value) for one in found.invitations}, waits
        )
        yield from compared("report", "difference", self._in_short(found.differences), truth.drift)
        roles = {
            (self._first(one.email), project, self._word(cell.role))
            for one in found.people
            for project, cell in one.projects.items()
        }
        yield from compared("report", "role", roles, truth.effective)

    # What comes next

    def next_runs(self) -> Iterator[Disagreement]:
        """The preview, and `revoke` without `--yes`, of one stack each."""
        stack, other = self.draw.choices(STACKS, k=2)
        yield from compared(f"preview of {stack}", "step", self.world.preview(stack), self.truth.next_up(stack))
        for found in revoke(self.world.project, [other], lambda line: None, now=None, act=False):
            whole = self.truth.landscape.stacks[found.stack].roster.whole
            takes = {
                (
                    "update" if one.lowers else "delete",
                    one.urn.rpartition("::")[2] if one.project in whole else removed_name(one),
                )
                for one in found.takes
            }
            yield from compared(f"revoke in {found.stack}", "removal", takes, self.truth.next_revoke(found.stack))
            for held in found.held:
                yield Disagreement("revoke", "held", (held.taking.email, held.taking.what, held.reason), said=True)
            for problem in found.problems:
                yield Disagreement("revoke", "problem", problem, said=True)

    def _in_short(self, differences: Iterable[AccessDifference]) -> set[Fact]:
        return {(one.kind.value, self._first(one.email), one.project, one.team) for one in differences}
