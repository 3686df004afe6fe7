"""Service accounts that a killed run has left: made, and in no state, so nobody has their token."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mixpanel_access.model.address import same_key
from mixpanel_access.model.resources import SERVICE_ACCOUNT_TYPE, ServiceAccountId
from mixpanel_access.model.service_accounts import ServiceAccountInfo
from mixpanel_access.provider.states import StackStates


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

        Args:
            name: the name.
            read: reads the states; None where there is nothing that a killed run could have left.
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
    if states.why or evidence.stack is None or evidence.ended is None or any(map(_is_hidden, _accounts(states))):
        return False
    begun = {str(one.outputs.get("username", "")).strip() for one in states.interrupted.get(evidence.stack, ())}
    return (
        account.name in begun
        and account.creator is not None
        and same_key(account.creator) in evidence.own
        and account.created is not None
        and account.created > evidence.ended
        and account.last_used is None
        and not _is_held(account, states)
    )


def _is_held(account: ServiceAccountInfo, states: StackStates) -> bool:
    return account.id in set(_held(states))


def _held(states: StackStates) -> Iterator[int]:
    for id_, outputs in _accounts(states):
        yield id_
        rows = outputs.get("retiring")
        for row in rows if isinstance(rows, list) else ():
            yield int(row["account_id"])


def _is_hidden(one: tuple[int, Mapping[str, Any]]) -> bool:
    """Whether the accounts that this one has replaced are a secret in its state."""
    return isinstance(one[1].get("retiring"), Mapping)


def _accounts(states: StackStates) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for held in states.stacks.values():
        for one in held:
            if one.type == SERVICE_ACCOUNT_TYPE:
                yield ServiceAccountId.parse(one.id).account, one.outputs
