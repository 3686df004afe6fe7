"""What all resources of one operation share: the settings, the directory, and a voice. One a process, built lazily."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Final

from mixpanel_access.directory import connect
from mixpanel_access.directory.brakes import Brakes
from mixpanel_access.directory.directory import Directory
from mixpanel_access.directory.invitations import Invitations
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import Limits
from mixpanel_access.model.dates import written
from mixpanel_access.model.errors import DEBUG_VARIABLE, Refused
from mixpanel_access.model.settings import (
    KEPT_VARIABLE,
    LEAVING_VARIABLE,
    NAMESPACE,
    Settings,
    input_name,
    load_settings,
    warning_of_now,
)
from mixpanel_access.provider.account_runs import Creations, Rotations
from mixpanel_access.provider.command import Resources, engine_command
from mixpanel_access.provider.exported_states import project_states
from mixpanel_access.provider.other_providers import OtherProviders, run_name
from mixpanel_access.provider.renames import Renames
from mixpanel_access.provider.run import EngineRun, Run, Scope, engine_address, engine_scope
from mixpanel_access.provider.states import States

WARNING: Final = "warning: "
"""What a line begins with that is a warning."""

RESOURCE: Final = ContextVar("resource", default="")
"""The resource that this thread works on, by its name in the engine; "" where the server does not say."""
_show: Callable[[str], object] = partial(print, flush=True)


def show_by(show: Callable[[str], object]) -> None:
    """Have another server than the SDK's show the lines of this process."""
    global _show  # noqa: PLW0603  # one a process, as its standard output is
    _show = show


def say(line: str) -> None:
    """Show a line to the user. By default it is printed, and stands under the operation's diagnostics."""
    _show(line)


_ADVICE: Final = (
    (re.compile(rf"`?pulumi config set (?:--secret )?{NAMESPACE}:(\w+) ([^\s;.`]+)`?"), "set {} to {}"),
    (re.compile(rf"`?pulumi config set (?:--secret )?{NAMESPACE}:(\w+)`?"), "set {}"),
    (re.compile(rf"`?pulumi config rm {NAMESPACE}:(\w+)`?"), "take {} out again"),
    (re.compile(rf"{NAMESPACE}:(\w+)(?: \(MIXPANEL_\w+\))?"), "{}"),
)
"""What an advice says of a key of the configuration, and what it says of the input of an `Organization`."""


def in_program(text: str, provider: str) -> str:
    """A text about the stack's configuration, for an `Organization`, whose settings are in the program."""
    if not provider or f"{NAMESPACE}:" not in text:
        return text
    for pattern, words in _ADVICE:
        text = pattern.sub(partial(_named, words), text)
    end = "These are inputs of the Organization {}." if text.endswith(".") else "(inputs of the Organization {})"
    return f"{text} {end.format(provider)}"


def _named(words: str, found: re.Match[str]) -> str:
    key, *value = found.groups()
    return words.format(input_name(key), *value)


@dataclass
class Missed:
    """The people that one operation has missed in the organization's list while it read resources.

    Attributes:
        people: the keys of their addresses.
        listed: those that a project or a team lists all the same.
        told: whether a resource has reported that too many are missing.
        lock: held by the thread that reads or changes these.
    """

    people: set[str] = field(default_factory=set)
    listed: set[str] = field(default_factory=set)
    told: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class Session:
    """One operation of the engine against one organization.

    Args:
        settings: the stack's configuration.
        directory: the organization.
        say: shows a line to the user, under the operation's diagnostics.
        run: what is known of the engine's run; by default that of a command, which reads the configuration itself.
        scope: which resources the run is about; by default all.

    Attributes:
        brakes: what the operation must pass before it removes or changes people.
        invitations: the operation's invitations, within Mixpanel's limit.
        declared: the identities of all that the operation's program declares; see `Handler.identities`.
        others: what the other providers of the run declare.
        roles: the identity of what the program declares -> the role that it gives there.
        spellings: what the program declares -> how it spells the address there.
        owners: the identity of somebody's single resource -> its kind, or which group of the program has the person.
        judged_people: the identities of the people of groups whom a check of the operation has judged.
        waiting: the keys of the people of a group whose invitation waits for Mixpanel's hourly limit.
        project_access: project id -> the grants that a `ProjectAccess` declares there, by the key of the address.
        renames: the names that change hands in the operation.
        judged: whether all removals of a run that leaves some resources alone have been judged together.
        judged_by_list: whether a `RemovalBrake` that was deleted has judged the people in its list.
        judging_lock: held by the thread that judges those removals.
        rotations: the service accounts that the operation replaces and that stay for a while.
        creations: the service accounts that the operation makes.
        takes_only: whether the operation is one of `mixpanel-access revoke`, which gives nobody anything.
        states: what the project's stacks hold; unknown unless the engine's process says how to read them.
        leaving: the key of the person that `mixpanel-access offboard` ends, found or not; "" for nobody.
        missed: the people that the operation misses in the organization.
        ends: the key of an address -> the last day of the person's `Member` in the state, and in the program.
        begun: the key of an address -> whether a killed run of this stack had begun to make the person's member.
        persons: what the program declares, by the address that the person has now -> the address that is declared.
        unsettled: the resources, each with its provider, of which `persons` does not know yet whose address they have.
        handed_over: what was deleted under one name and is declared under another -> its outputs, by its identity.
    """

    def __init__(
        self,
        settings: Settings,
        directory: Directory,
        say: Callable[[str], None] = say,
        run: Run | None = None,
        scope: Scope | None = None,
    ) -> None:
        self.settings = settings
        self.directory = directory
        self.say = say
        self.run = Run() if run is None else run
        self.scope = Scope() if scope is None else scope
        self.states = States()
        self.brakes = Brakes(directory, settings.limits, say, settings.username, self.run.fresh, self._present_limits)
        self.declared: set[Hashable] = set()
        self.others = OtherProviders(settings.organization_id)
        self.roles: dict[Hashable, str] = {}
        self.spellings: dict[Hashable, str] = {}
        self.owners: dict[Hashable, Hashable] = {}
        self.judged_people: set[Hashable] = set()
        self.waiting: set[str] = set()
        self.project_access: dict[int, Mapping[str, str]] = {}
        self.renames = Renames(self._say)
        self.rotations = Rotations()
        self.creations = Creations()
        self.takes_only = False
        self.leaving = ""
        self.missed = Missed()
        self.ends: dict[str, tuple[str | None, str | None]] = {}
        self.handed_over: dict[Hashable, Mapping[str, Any]] = {}
        self.begun: dict[str, bool] = {}
        self.persons: dict[Hashable, str] = {}
        self.unsettled: list[tuple[Any, Mapping[str, Any]]] = []
        self._topics: set[Hashable] = set()
        self._lock = threading.Lock()
        self.judging_lock = threading.Lock()
        self._changing: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)
        self.judged = False
        self.judged_by_list = False
        self.invitations = Invitations(directory, settings.invitation_wait_seconds, settings.clock, say)

    def _say(self, line: str) -> None:
        self.say(line)

    def _present_limits(self) -> Limits | None:
        return self.states.present_limits()

    @property
    def organization(self) -> int:
        """The id of the organization that the configuration names."""
        return self.settings.organization_id

    def worded(self, text: str) -> str:
        """A text that advises to change the configuration, for whoever has it in a program."""
        return in_program(text, self.settings.provider)

    def team_name(self, team: int) -> str | None:
        """The name of a team, by Mixpanel's id; None where there is none."""
        found = self.directory.teams.get(team)
        return found.name if found else None

    def say_once(self, topic: Hashable, line: str) -> None:
        """Show a line of which the first of its topic is enough."""
        with self._lock:
            known = topic in self._topics
            self._topics.add(topic)
        if not known:
            self.say(line)

    def declare(self, identities: Iterable[Hashable]) -> None:
        """Note what a resource of the program declares.

        Raises:
            InputError: the program has another provider for the organization.
        """
        identities = tuple(identities)
        self.declared.update(identities)
        self.others.declare(identities)

    def owner_of(self, identity: Hashable, owner: Hashable) -> Hashable:
        """What was the first to declare this of a person, which may be this one: only one of them may.

        Args:
            identity: what the person's single resource stands for.
            owner: the kind of that resource, or what names the group.
        """
        return self.owners.setdefault(identity, owner)

    def changing_grants(self, project: int) -> threading.Lock:
        """Held by a group that changes a project's grants: it may take some from people it no longer declares.

        A resource of a person's own reads after it, or the group has seen before that the program declares it.
        """
        with self._lock:
            return self._changing[project]

    def declares(self, identity: Hashable, kind: str = "") -> bool:
        """Whether the operation's program declares this, with any provider, or a resource that the run leaves alone.

        Args:
            identity: what a resource stands for; see `identities`.
            kind: the provider's class that such a resource has.

        Raises:
            Refused: the run leaves some resources alone, and what they declare is unknown.
        """
        return bool(self.declared_of([identity], kind))

    def declared_of(self, identities: Iterable[Hashable], kind: str = "") -> set[Hashable]:
        """Those of some identities of which that is so; see `declares`."""
        asked = set(identities)
        found = asked & self.declared
        found |= self.others.declares(asked - found) if asked - found else set()
        if not self.scope.partial or self.scope.destroys or not self.run.fresh():
            return found  # the engine has asked about all resources of the program, or there is none
        told = self.scope.declared()
        there = {one for one in asked - found if told is not None and told.has(one, self.organization)}
        if (told is None or kind in told.unknown) and asked - found - there:
            raise Refused(
                "cannot tell whether the rest of the program declares it",
                why="with --target or --exclude, the engine asks about a part of the program only",
                next_step="Run it without --target and --exclude.",
            )
        return found | there

    def will_declare(self, identity: Hashable, person: str, *kinds: str) -> bool:
        """Whether the program declares this, though the engine may not have asked about it yet: its process says so.

        Args:
            identity: what a resource stands for.
            person: the key of the address of whom it is about.
            kinds: the provider's classes that such a resource can have.

        Raises:
            Refused: nobody says what the program declares.
        """
        if self.declares(identity, kinds[0]):
            return True
        if self.scope.destroys or not self.run.fresh():
            return False
        told = self.scope.declared()
        if told is None or (told.may_have(person, kinds) and not told.has(identity, self.organization)):
            raise Refused(
                "cannot tell whether the rest of the program declares it",
                why="the program's process has not said what it declares, or that depends on what is not known yet",
                next_step="Run again.",
            )
        return told.has(identity, self.organization)

    def now(self) -> datetime:
        """The instant to take as "now"."""
        return self.settings.clock()

    def identify(self, email: str, user_id: object = None, *, surely: bool = False) -> None:
        """Have somebody found whose address has changed in the product, by the id that a state has of them.

        Args:
            email: the address that a resource knows.
            user_id: what its state has; if it has none, the states of the project's stacks are asked, once nobody has
                the address.
            surely: ask the states also if somebody has the address, who may be another person by now.
        """
        key = same_key(email)
        if surely and not isinstance(user_id, int):
            user_id = self._id_of(key)
        self.directory.remember(key, user_id if isinstance(user_id, int) else partial(self._id_of, key))

    def _id_of(self, key: str) -> int | None:
        """Mixpanel's id of a person, as the stack's own state has it, or else another one's."""
        own = (self.states.own_member(self.organization, key) or {}).get("user_id")
        return int(own) if own else self.states.user_id(self.organization, key)

    def say_renamed(self, email: str, address: str) -> None:
        """Say that somebody has another address by now, and what to change."""
        self.say_once(
            ("renamed", same_key(email)),
            f"{email}: the person is now {address}: change email: {email} in the roster to the new "
            f"address, or the address in the program. Nobody is invited to the old one; its access ends as declared",
        )

    def read_ahead(self) -> None:
        """Begin to read the stacks' states, where a preview, which changes none, is about to ask for them."""
        if self.scope.command is not None and self.scope.command.verb == "preview":
            self.states.read_ahead()

    def today(self) -> date:
        """The day (UTC) by which an end has passed.

        A `mixpanel:now` that only the state remembers can be a day to come, on which more has ended than today.
        """
        now = self.now()
        return (now if self.knows_now() else min(now, datetime.now(UTC))).date()

    def knows_now(self) -> bool:
        """Whether that is so: a `mixpanel:now` that only the state remembers was so at the last `pulumi up`."""
        return self.settings.now is None or self.run.fresh()


_sessions: dict[Settings, Session] = {}
_lock = threading.Lock()


def shared_session(get: Callable[[str], str | None], keys: Iterable[str] = ()) -> Session:
    """The process's session for this configuration; made at the first call, nothing is sent yet.

    Raises:
        ConfigurationError: something is missing, malformed or mistyped.
    """
    settings = load_settings(get, os.environ, keys)
    with _lock:
        if settings not in _sessions:
            _sessions[settings] = _session(settings)
        return _sessions[settings]


def _named_stack() -> str | None:
    """The stack that the engine's command line names, if no program has."""
    command = engine_command()
    return command.stack.rpartition("/")[2] if command and command.stack else None


def _session(settings: Settings) -> Session:
    address = engine_address()
    run = EngineRun(address)

    def voice(line: str) -> None:
        say(in_program(line, settings.provider))

    def previewed() -> Resources | None:
        return session.states.previewed()

    session = Session(
        settings,
        connect(settings, run.fresh, voice),
        voice,
        run,
        engine_scope(run.stack, previewed),
    )
    session.leaving = same_key(os.environ.get(LEAVING_VARIABLE, ""))
    session.takes_only = bool(os.environ.get(KEPT_VARIABLE))
    if settings.now is not None and not session.takes_only:  # `revoke` has warned already
        say(warning_of_now(written(settings.now), provider=settings.provider))
    session.others = OtherProviders(settings.organization_id, settings.provider, run_name(address))
    if address is not None:
        session.states = project_states(
            lambda: run.stack() or _named_stack(), None, settings.organization_id, configured=not settings.provider
        )
    return session


def quiet_errors() -> None:
    """Have the engine show an error's message without a traceback, unless debugging is asked for."""
    if os.environ.get(DEBUG_VARIABLE) != "1":
        sys.tracebacklimit = 0
