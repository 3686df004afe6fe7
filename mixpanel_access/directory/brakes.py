"""The brakes of one operation: every removal and role change passes here before its write, from whichever thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager

from mixpanel_access.directory.directory import Directory
from mixpanel_access.model.address import few, same_key
from mixpanel_access.model.brakes import (
    Brake,
    BrakeFinding,
    Everybody,
    Limits,
    PlannedChanges,
    judge,
    judge_grants,
)
from mixpanel_access.model.errors import (
    ConfigurationError,
    Forbidden,
    Invalid,
    NotApplied,
    NotFound,
    RateLimited,
    Refused,
    Unauthorized,
)
from mixpanel_access.model.grants import GrantChanges
from mixpanel_access.model.roles import OWNER

_SHARES = {Brake.REMOVAL_SHARE, Brake.GRANT_SHARE}
"""Those that a higher share releases too."""

_NOT_APPLIED = (Invalid, Unauthorized, Forbidden, NotFound, RateLimited, NotApplied, Refused, ConfigurationError)
"""Errors that say that nothing was done; after any other, the write may have been applied and counts.

The last two come before anything is sent: a call that is not documented is not switched on, or a token is missing.
"""


class Brakes:
    """Adds up what one operation does to people, and holds what would be too much.

    The organization is taken as it was when the operation began, so that what one worker has removed still counts
    when another asks.

    Args:
        directory: the organization.
        limits: how far the operation may go.
        say: shows a line to the user.
        username: our login name, if Mixpanel does not report who we are.
        fresh: whether the limits are today's, and not what the state remembers.
        present: what the stack's configuration says today, where they are not; None if it cannot be read.
    """

    def __init__(
        self,
        directory: Directory,
        limits: Limits,
        say: Callable[[str], None],
        username: str = "",
        fresh: Callable[[], bool] = lambda: True,
        present: Callable[[], Limits | None] = lambda: None,
    ) -> None:
        self._username = username
        self._directory = directory
        self._limits = limits
        self._fresh = fresh
        self._present = present
        self._say = say
        self._lock = threading.Lock()
        self._people: Everybody | None = None
        self._removals: set[str] = set()
        self._planned: set[str] = set()
        self._counted: set[str] = set()
        self._said: set[str] = set()
        self._roles: dict[str, str] = {}
        self._warned: set[BrakeFinding] = set()
        self._kept: dict[str, Refused] = {}
        self._demotions: dict[str, str] = {}

    @property
    def limits(self) -> Limits:
        """How far the operation may go."""
        return self._limits if self._fresh() else self._limits.remembered(self._present())

    @contextmanager
    def removing(self, email: str, *, planned: bool = False) -> Iterator[None]:
        """Pass for the removal of one person; it counts unless the body raises.

        A planned end, which was in the stack before today, does not count against the share.

        Raises:
            Refused: a brake holds it.
        """
        self._hold_for_unknown(email)
        keys = frozenset({same_key(email)})
        with self._passing(f"cannot remove {email}", PlannedChanges(keys, planned=keys if planned else frozenset())):
            yield

    def _hold_for_unknown(self, email: str) -> None:
        """Hold a removal while the organization's list has rows that may be anybody: the brakes judge by that list."""
        with self._lock:
            self._before()
        if unknown := self._directory.unknown_people():
            rows = f"{len(unknown)} row{'s' * (len(unknown) > 1)} without an address ({few(unknown)})"
            words = f"Mixpanel lists {rows}, and nobody can tell whose access that is"
            holds = Brake.UNKNOWN_PEOPLE not in self.limits.released
            with self._lock:
                self._tell(f"cannot remove {email}", [BrakeFinding(Brake.UNKNOWN_PEOPLE, (email,), words, holds)])

    @contextmanager
    def changing(self, email: str, role: str) -> Iterator[None]:
        """Pass for one person's organization role; it counts unless the body raises.

        Raises:
            Refused: a brake holds it.
        """
        with self._passing(f"cannot make {email} {role}", PlannedChanges(roles={same_key(email): role})):
            yield

    def hold(self, what: str, plan: PlannedChanges) -> None:
        """Hold a whole plan before its first write, and say what is only a warning.

        Raises:
            Refused: a brake holds it; the text names everyone concerned and how to release it.
        """
        with self._lock:
            try:
                self._hold(what, plan)
                self._hold_demotions(what, plan)
            except Refused as held:
                self._kept.update(dict.fromkeys(plan.removals - plan.planned, held))
                raise

    def hold_demotion(self, email: str, role: str) -> None:
        """Hold, before the first write, that an owner becomes less, together with those who were asked about before.

        Raises:
            Refused: a brake holds it.
        """
        with self._lock:
            self._demotions[same_key(email)] = role
            self._hold(f"cannot make {email} {role}", PlannedChanges(roles=dict(self._demotions)))

    def _hold_demotions(self, what: str, plan: PlannedChanges) -> None:
        """Hold demotions that need a promotion first: the engine changes both at once, in any order.

        Removals come last. By then, the people that the same run makes owners are owners.
        """
        lower = {key: role for key, role in plan.roles.items() if role != OWNER}
        if len(lower) < len(plan.roles):
            self._tell(
                what, [found for found in self._judge(PlannedChanges(roles=lower)) if found.brake is Brake.LAST_OWNER]
            )

    def hold_kept(self, email: object) -> None:
        """Hold what takes something from somebody whose removal was held in this operation, with others'.

        With `--continue-on-error`, the engine goes on after a plan was held: nobody in it loses a part.

        Raises:
            Refused: it was held.
        """
        held = self._kept.get(same_key(email)) if isinstance(email, str) else None
        if held is not None:
            raise held

    def hold_share(self, what: str, plan: PlannedChanges) -> None:
        """Hold a plan for the share of people alone: what has no other harm until its day comes.

        Raises:
            Refused: the brake holds it.
        """
        with self._lock:
            self._tell(what, [finding for finding in self._judge(plan) if finding.brake is Brake.REMOVAL_SHARE])

    def hold_grants(
        self,
        project: int,
        have: Mapping[str, str],
        changes: GrantChanges,
        planned: AbstractSet[str] = frozenset(),
    ) -> None:
        """Hold what would be done to the individual grants of one project before its first write.

        `have` are the grants that are there, and `planned` those whose end was in the stack before today, by the key of
        the address.

        Raises:
            Refused: a brake holds it.
        """
        findings = judge_grants(
            have, changes, project=project, own_address=self.own_address(), limits=self.limits, planned=planned
        )
        with self._lock:
            self._tell(f"cannot change who has project {project}", findings)

    def how_to_release(self, *brakes: Brake) -> str:
        """What a user does who means it, in sentences; nothing for no brake."""
        names = ",".join(dict.fromkeys(brake.value for brake in brakes))
        if not names:
            return ""
        wider = " (or raise mixpanel:removalPercent)" if _SHARES & set(brakes) else ""
        fresh = self._fresh()
        advice = (
            f"If it is meant, release it for one run: pulumi config set mixpanel:releaseBrakes {names}{wider}; "
            f"{'run it again' if fresh else 'pulumi destroy --run-program'}; pulumi config rm mixpanel:releaseBrakes."
        )
        if fresh:
            return advice
        return f"{advice} Without --run-program, the engine uses the configuration of the last `pulumi up`."

    def own_address(self) -> str:
        """The identity that the provider runs as."""
        return self._directory.identity().email or self._username

    @contextmanager
    def _passing(self, what: str, plan: PlannedChanges) -> Iterator[None]:
        with self._lock:
            self._hold(what, plan)
            new = plan.removals - self._removals  # who may have gone before counts, whatever comes of another try
            self._removals |= plan.removals
            self._planned |= plan.planned
            self._counted |= (plan.removals - self._planned) & self._before().keys()
            self._counted -= plan.planned
            # A new owner counts from when they are one: nobody else is to go on the strength of a promise.
            self._roles.update({key: role for key, role in plan.roles.items() if role != OWNER})
        try:
            yield
        except _NOT_APPLIED:
            with self._lock:
                self._removals -= new
                self._counted -= new
                for key in plan.roles:
                    self._roles.pop(key, None)
            raise
        with self._lock:
            self._roles.update(plan.roles)

    def _hold(self, what: str, plan: PlannedChanges) -> None:
        self._tell(what, self._judge(plan))

    def _tell(self, what: str, findings: Sequence[BrakeFinding]) -> None:
        for finding in findings:
            if not finding.holds and not self._is_said(finding):
                self._warned.add(finding)
                if finding.brake is Brake.REMOVAL_SHARE:
                    self._said = set(map(same_key, finding.people))
                self._say(f"warning: {_warning(finding)}")
        held = [finding for finding in findings if finding.holds]
        if held:
            release = self.how_to_release(*(finding.brake for finding in held if not finding.advice))
            raise Refused(
                what,
                why="; ".join(f"{finding} [{finding.brake}]" for finding in held),
                next_step=" ".join(filter(None, (*dict.fromkeys(finding.advice for finding in held), release))),
            )

    def _is_said(self, finding: BrakeFinding) -> bool:
        """Whether a warning about these people, or about more people including them, has been shown."""
        if finding.brake is not Brake.REMOVAL_SHARE:
            return finding in self._warned
        people = set(finding.people)
        return any(one.brake is finding.brake and people <= set(one.people) for one in self._warned)

    def _before(self) -> Everybody:
        """Everybody, as they were before the first write. The lock is held: the base is set once."""
        if self._people is None:
            self._people = Everybody(self._directory.people())
        return self._people

    def _judge(self, plan: PlannedChanges) -> list[BrakeFinding]:
        people, limits, planned = self._before(), self.limits, plan.planned | self._planned
        counted = (self._counted | ((plan.removals - planned) & people.keys())) - plan.planned
        if Brake.REMOVAL_SHARE in limits.released and counted <= self._said:
            counted = set()  # the warning has named them: thousands are not listed again with each of them
        return judge(
            people,
            PlannedChanges(plan.removals | self._removals, {**self._roles, **plan.roles}, planned, counted),
            own_address=self.own_address(),
            own_role=self._directory.own_role(),
            limits=limits,
        )


def _warning(finding: BrakeFinding) -> str:
    """What a released brake says."""
    if finding.brake is Brake.REMOVAL_SHARE:
        return f"[{finding.brake}] is released: this removes {len(finding.people)}: {', '.join(finding.people)}"
    return str(finding)
