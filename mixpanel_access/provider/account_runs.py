"""What the resources of one run tell each other of service accounts: replaced ones, and those that a killed run made.

The engine replaces a resource with a `create` and a `delete` that do not know of each other. `diff` sees both sides and
runs before them in the same process, so it notes here what `create` takes over and `delete` leaves. An account that a
killed run made is in no state, so nobody has its token.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import instant, written
from mixpanel_access.model.resource_ids import ServiceAccountId
from mixpanel_access.model.resources import SERVICE_ACCOUNT_TYPE
from mixpanel_access.model.service_accounts import ServiceAccountInfo
from mixpanel_access.provider.states import StackStates

Properties = Mapping[str, Any]


@dataclass(frozen=True)
class Retiring:
    """An account that another one has replaced, and that is deleted later.

    Attributes:
        account: Mixpanel's id of it.
        login: its login name.
        until: when it is deleted.
    """

    account: int
    login: str
    until: datetime

    @classmethod
    def all_of(cls, outputs: Properties) -> list[Retiring]:
        """Those that the outputs of a `ServiceAccount` have; none where they are a secret."""
        rows = outputs.get("retiring")
        if not isinstance(rows, list):
            return []
        return [cls(int(row["account_id"]), str(row["login"]), instant(str(row["until"]))) for row in rows]

    def row(self) -> dict[str, Any]:
        """As the outputs have it."""
        return {"account_id": self.account, "login": self.login, "until": written(self.until)}


class Rotations:
    """What one run knows of rotations."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due: dict[str, list[tuple[Properties, bool]]] = {}
        self._kept: dict[int, tuple[Retiring, int]] = {}

    def note_due(self, inputs: Properties, outputs: Properties, *, may_stay: bool) -> None:
        """Note that one with these inputs is to replace the account with these outputs, and whether that may stay."""
        with self._lock:
            due = self._due.setdefault(_key(inputs), [])
            if all(one.get("account_id") != outputs.get("account_id") for one, _ in due):
                due.append((outputs, may_stay))

    def take_due(self, inputs: Properties) -> tuple[Properties, bool] | None:
        """The outputs of the account that one with these inputs replaces, and whether it may stay; each is taken once.

        Two resources with equal inputs that are replaced in one run may take each other's: they stand for the same.
        """
        with self._lock:
            due = self._due.get(_key(inputs))
            return due.pop(0) if due else None

    def keep(self, retiring: Iterable[Retiring], successor: int) -> None:
        """Note that these accounts stay for now, and which account has replaced them."""
        with self._lock:
            self._kept.update((one.account, (one, successor)) for one in retiring)

    def kept(self, account: int) -> tuple[Retiring, int] | None:
        """An account that stays for now, with the id of the one that has replaced it; None for any other account."""
        with self._lock:
            return self._kept.get(account)

    def replaced_by(self, account: int) -> list[Retiring]:
        """The accounts that this one has replaced and that are still there."""
        with self._lock:
            return [one for one, successor in self._kept.values() if successor == account]


def _key(inputs: Properties) -> str:
    return json.dumps(dict(inputs), sort_keys=True, default=str)


@dataclass(frozen=True)
class Evidence:
    """What is known of the runs of this stack before anything of this one was written.

    Attributes:
        states: the states of the project's stacks.
        stack: the name of this one in them; None where it is unknown.
        ended: when its last run that came to an end did so; None where it is unknown.
        own: the addresses of the account that this runs as, as keys.
    """

    states: StackStates
    stack: str | None
    ended: datetime | None
    own: Collection[str]


class Creations:
    """The service accounts that one operation makes, and what was known before the first of a name was.

    The engine notes each creation in the state as begun before it asks for it. So the states say what a killed run has
    begun only if they are read before this operation may have begun one of the name itself.

    Attributes:
        one_at_a_time: held while what is left of a name is cleared away and an account is made.
        made: the ids of the accounts that were made.
    """

    def __init__(self) -> None:
        self.one_at_a_time = threading.Lock()
        self.made: set[int] = set()
        self._lock = threading.Lock()
        self._before: dict[str, StackStates | None] = {}

    def note(self, name: str, read: Callable[[], StackStates] | None) -> None:
        """Note that an account of a name is to be made; the first time counts.

        `read` reads the states; None where there is nothing that a killed run could have left.
        """
        with self._lock:
            if name not in self._before:
                self._before[name] = read() if read else None

    def states_before(self, name: str) -> StackStates | None:
        """The states as they were before the operation began an account of a name; None if they were not read."""
        with self._lock:
            return self._before.get(name)


def strangers(accounts: Collection[ServiceAccountInfo], states: StackStates) -> list[ServiceAccountInfo]:
    """Those of the accounts that no state of the project has, as far as the states could be read."""
    held = set(_held(states))
    return [account for account in accounts if account.id not in held]


def is_ours(account: ServiceAccountInfo, evidence: Evidence) -> bool:
    """Whether it is certain that a killed run of this stack has made an account and that nobody uses it.

    The engine noted that the creation of an account of this name was interrupted; this account was made by the one that
    we run as, after the last run that came to an end; it was never used; and no state of the project has it.
    """
    states = evidence.states
    if states.why or evidence.stack is None or evidence.ended is None or _hides_some(states):
        return False
    begun = {str(one.outputs.get("username", "")).strip() for one in states.interrupted.get(evidence.stack, ())}
    return (
        account.name in begun
        and account.creator is not None
        and same_key(account.creator) in evidence.own
        and account.created is not None
        and account.created > evidence.ended
        and account.last_used is None
        and account.id not in set(_held(states))
    )


def _held(states: StackStates) -> Iterator[int]:
    for id_, outputs in _accounts(states):
        yield id_
        rows = outputs.get("retiring")
        for row in rows if isinstance(rows, list) else ():
            yield int(row["account_id"])


def _hides_some(states: StackStates) -> bool:
    """Whether the accounts that one has replaced are a secret in its state."""
    return any(isinstance(outputs.get("retiring"), Mapping) for _, outputs in _accounts(states))


def _accounts(states: StackStates) -> Iterator[tuple[int, Mapping[str, Any]]]:
    held = (one for resources in states.stacks.values() for one in resources if one.type == SERVICE_ACCOUNT_TYPE)
    return ((ServiceAccountId.parse(one.id).account, one.outputs) for one in held)
