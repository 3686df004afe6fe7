"""`doctor --writes` from its settings to its report: the plan, what must hold first, the walk; and `--undo`."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from mixpanel_access.api.client import Api
from mixpanel_access.api.observed import Observer, Rehearsal
from mixpanel_access.files.roster import read_roster, rosters_in
from mixpanel_access.model import roles
from mixpanel_access.model.address import problem_with
from mixpanel_access.model.audit import ACCESS_EVENTS
from mixpanel_access.model.errors import MixpanelError, Refused, UsageError
from mixpanel_access.model.settings import Settings
from mixpanel_access.operations.verifying.deciding import StatementOutcome
from mixpanel_access.operations.verifying.journal import Journal, journal_file
from mixpanel_access.operations.verifying.statements import Statement, document, outcomes
from mixpanel_access.operations.verifying.steps import (
    MADE,
    NO_PROJECT_OF_OURS,
    READS,
    Mixpanel,
    Target,
    WriteStep,
    steps_of,
    verbs_of,
)
from mixpanel_access.operations.verifying.walk import Patience, Walk, WalkEvidence

_PRODUCTION: Final = re.compile(r"(?<![a-z])prod(uction)?(?![a-z])", re.IGNORECASE)
_LIFE: Final = timedelta(days=1)
"""After which the service account expires."""
_AUDITED: Final = timedelta(days=1)
"""How far back the audit log is read."""


FIRST: Final[Mapping[str, Callable[[Mixpanel, Target], Any]]] = {
    "me": lambda m, _: m.api.me.read(),
    "projects": lambda m, _: m.api.projects.list_projects(),
    **READS,
    "custom-roles": lambda m, target: m.api.custom_roles.list_roles(target.project),
    "no access": lambda m, _: m.api.projects.granted_users(NO_PROJECT_OF_OURS),
    "discoverability": lambda m, _: m.api.organization_settings.discoverability(),
    "audit log": lambda m, _: m.api.audit_log.events(ACCESS_EVENTS, (now := datetime.now(UTC)) - _AUDITED, now),
    "older audit log": lambda m, target: m.transport.query(
        f"/api/app/organizations/{target.organization}/audit-logs", {}, {}, "read the audit log by the older route"
    ),
}
"""What is read before the first write."""


@dataclass(frozen=True)
class WritesReport:
    """What came of a walk.

    Attributes:
        found: each statement, and whether it holds.
        document: the report as JSON, which has no names in it.
    """

    evidence: WalkEvidence
    found: list[tuple[Statement, StatementOutcome]]
    document: dict[str, Any]


@dataclass(frozen=True)
class WritesPlan:
    """What a walk will send, and to which organization.

    Attributes:
        settings: the organization's, with the gate open for these steps and what undoes them, for this run alone.
    """

    settings: Settings
    target: Target
    steps: tuple[WriteStep, ...]

    def lines(self) -> Iterator[str]:
        """Each request before it is sent, and how it is undone."""
        yield "It reads:"
        observer = Rehearsal()
        with _connected(self.settings, observer) as mixpanel:
            for read in FIRST.values():
                _rehearse(lambda read=read: read(mixpanel, self.target))  # type: ignore[misc]
            yield from (f"  {line}" for line in dict.fromkeys(f"{one.method} {one.path}" for one in observer.exchanges))
            yield "It writes, in this order, and reads after each (0 stands for an id that Mixpanel gives):"
            for number, step in enumerate(self.steps, 1):
                mark = len(observer.exchanges)
                _rehearse(lambda step=step: step.send(mixpanel, self.target))  # type: ignore[misc]
                for one in observer.since(mark):
                    body = "" if one.body is None else f" {json.dumps(one.body)}"
                    yield f"  {number}. {step.name}: {one.method} {one.path}{body}"
                yield f"     undo: {step.undo}"


def make_plan(settings: Settings, email: str, project: int, parts: frozenset[str]) -> WritesPlan:
    """The plan for one organization.

    Raises:
        UsageError: the address cannot be used.
    """
    if reason := problem_with(email):
        raise UsageError("cannot invite the address", subject=email, why=reason, next_step="Correct it.")
    steps = steps_of(parts)
    name = f"{MADE}{secrets.token_hex(3)}"
    expires = settings.clock().replace(microsecond=0) + _LIFE
    target = Target(settings.organization_id, project, email.strip(), name, name, expires)
    return WritesPlan(replace(settings, allow_undocumented=verbs_of(steps)), target, steps)


def must_not_be_production(folder: Path, project: int) -> None:
    """See that no roster in a folder names the project as production.

    Raises:
        Refused: one does.
        RosterError: one cannot be read, so that nobody knows.
    """
    for file in rosters_in(folder):
        for key, one in read_roster(file).projects.items():
            if one.id == project and any(_PRODUCTION.search(word or "") for word in (key, one.name, one.environment)):
                raise _refused(
                    f"{file.name} names project {project} as production", "Choose a project for tests, or make one."
                )


@dataclass(frozen=True)
class Means:
    """What a walk works with.

    Attributes:
        patience: how long a write is looked for; None for as long as the settings say.
        folder: where the journal is kept, if not in the user's cache.
        observer: makes the transports.
    """

    progress: Callable[[str], None]
    patience: Patience | None = None
    folder: Path | None = None
    observer: Observer = field(default_factory=Observer)

    def walk(self, mixpanel: Mixpanel, settings: Settings, journal: Journal) -> Walk:
        """A walk with these means."""
        patience = self.patience or Patience(settings.read_back_seconds)
        return Walk(mixpanel, self.observer, journal, patience, self.progress)


def walk_through(plan: WritesPlan, means: Means) -> WritesReport:
    """See that the walk may begin, walk, undo, and say what was seen.

    Raises:
        Refused: something that must hold does not; nothing was written.
        UsageError: a killed run is to be undone first.
        MixpanelError: what must be known cannot be read; nothing was written.
    """
    file = journal_file(plan.settings, means.folder)
    if Journal.read(file):
        raise UsageError(
            "cannot try the writes",
            subject=f"organization {plan.settings.organization_id}",
            why="an earlier run has not undone everything: it was stopped, or is still under way",
            next_step="Let it end if it is under way; else run mixpanel-access doctor --undo first.",
        )
    with _connected(plan.settings, means.observer) as mixpanel:
        walk = means.walk(mixpanel, plan.settings, Journal(file, plan.target))
        evidence = WalkEvidence(plan.target, {name: walk.read(read) for name, read in FIRST.items()})
        _must_hold(plan, evidence)
        walk.run(plan.steps, evidence)
        evidence.reads["grants afterwards"] = walk.read(READS["granted-users"])
    found = outcomes(evidence)
    return WritesReport(evidence, found, document(evidence, found, plan.settings.api_url))


def finish(settings: Settings, means: Means) -> list[str] | None:
    """Undo what a killed run has left.

    Returns:
        What is left, with what to do by hand; None where there is nothing to undo.
    """
    journal = Journal.read(journal_file(settings, means.folder))
    if journal is None:
        return None
    opened = replace(settings, allow_undocumented=verbs_of(()))
    with _connected(opened, means.observer) as mixpanel:
        return means.walk(mixpanel, settings, journal).undo()


def _must_hold(plan: WritesPlan, evidence: WalkEvidence) -> None:
    target = plan.target
    for name in ("me", "users", "projects"):
        if error := evidence.reads[name].error:
            raise error
    people, projects = evidence.reads["users"].value, evidence.reads["projects"].value
    if any(person.key == target.key for person in people):
        raise _refused(f"{target.email} is in the organization", "Name an address that is not, and that you can read.")
    own = evidence.reads["me"].value.rights(target.organization).role
    owners = [person for person in people if person.role == roles.OWNER and not person.invited]
    if own == roles.OWNER and not owners:
        raise _refused("our account is the last owner of the organization", "Use a service account that is an admin.")
    named = next((project.name for project in projects if project.id == target.project), None)
    if named is None:
        raise _refused(f"the organization has no project {target.project}", "Check the id.")
    if _PRODUCTION.search(named):
        raise _refused(f"project {target.project} is called {named}", "Choose a project for tests, or make one.")


def _refused(why: str, next_step: str) -> Refused:
    return Refused("cannot try the writes", why=f"{why}; nothing was written", next_step=next_step)


def _rehearse(call: Callable[[], object]) -> None:
    with suppress(MixpanelError):  # nothing is answered
        call()


@contextmanager
def _connected(settings: Settings, observer: Observer) -> Iterator[Mixpanel]:
    api = Api.connect(settings, make=observer.transport)
    try:
        yield Mixpanel(api, observer.main)
    finally:
        api.close()
