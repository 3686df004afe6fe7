"""Individual grants of one project, many at once: given in batches, taken away a person at a time.

A grant takes any number of people; the only verb that takes grants away is one person's (contract, section 3). What a
batch has come to is read back once, by whoever sent it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from mixpanel_access.directory.calls import Api
from mixpanel_access.directory.empty_lists import EmptyLists
from mixpanel_access.directory.one_by_one import each_alone
from mixpanel_access.directory.shown import has_grant, is_listed
from mixpanel_access.directory.snapshot import PEOPLE, grants_of
from mixpanel_access.directory.writing import Expected, Writing
from mixpanel_access.model import errors
from mixpanel_access.model.address import same_key

AT_ONCE: Final = 200
"""People in one request: some ten kilobytes, and few enough to find one that is refused in some requests more."""
REFUSALS_BORNE: Final = 20
"""Refusals after which a batch stops: so many of them are nobody's in particular."""

NO_SUCH_CALL: Final = (
    "This Mixpanel does not offer the call: take the grant away in Project Settings > Users & Teams, then run `pulumi "
    "refresh`. The person was not removed."
)
"""What to do where the verb that takes grants away is missing; nothing ever falls back to removing a person."""

_ONE_MAY_BE_AT_FAULT: Final = (errors.Invalid, errors.Forbidden, errors.NotFound, errors.NotApplied, errors.ServerFault)

Failures = dict[str, errors.AccessError]
"""Address -> why it was not done; who is not in it was written."""


Inviting = Callable[[Sequence[str]], AbstractContextManager[Collection[str]]]
"""For one request: which of these addresses to leave out, which holds while the context is open."""


class GrantBatches:
    """The writes.

    Args:
        api: the calls to Mixpanel.
        writing: sends writes.
        role_in: a person's individual role in a project as the server has it now, or None.
        hidden: whether a person's grant in a project may be there without being listed.
        invited: the keys of all who are only invited.
        spelled: an address as Mixpanel spells it.
        empty_lists: is told what is taken away.
    """

    def __init__(
        self,
        api: Api,
        writing: Writing,
        role_in: Callable[[int, str], str | None],
        hidden: Callable[[int, str], bool],
        invited: Callable[[], frozenset[str]],
        spelled: Callable[[str], str],
        empty_lists: EmptyLists,
    ) -> None:
        self._api = api
        self._writing = writing
        self._role_in = role_in
        self._hidden = hidden
        self._invited = invited
        self._spelled = spelled
        self._empty_lists = empty_lists

    def give(self, project: int, roles: Mapping[str, str], inviting: Inviting | None = None) -> Failures:
        """Give or change the roles of many people in a project.

        A request that is refused is sent again in halves, down to who is at fault.

        Args:
            project: the project's id.
            roles: address -> project role.
            inviting: where these people are not in the organization, which a grant then invites.

        Returns:
            For whom it was not done. Who is not named may still be read back: an answer is no proof.
        """
        order = sorted(roles, key=lambda email: (roles[email], email))  # a role that is refused is in one piece
        failures: Failures = {}
        refusals = 0
        waiting = list(_chunks(order))
        parts = [grants_of(project), *([PEOPLE] if inviting else [])]
        left_out: set[str] = set()
        invited = self._invited().union(map(same_key, roles) if inviting else ())

        def send(emails: Sequence[str]) -> None:
            def write() -> None:
                with inviting(emails) if inviting else nullcontext(()) as served:
                    left_out.update(served)
                    if orders := {(project, self._spelled(one)): roles[one] for one in emails if one not in left_out}:
                        self._api.users.grant(orders)

            def shows() -> Iterator[Expected]:
                for one in emails:
                    key = same_key(self._spelled(one))
                    if one not in left_out:
                        yield grants_of(project), key, has_grant(key, roles[one], invited)
                    if inviting:
                        yield PEOPLE, key, is_listed(key)

            def arrived(email: str) -> bool:
                hidden = inviting is not None and self._hidden(project, email)
                return self._role_in(project, email) == roles[email] or hidden

            self._writing.settle(
                write,
                lambda: all(map(arrived, (one for one in emails if one not in left_out))),
                parts,
                self._writing.fate_is_known if inviting else lambda _: True,
                shows=shows,
                once=inviting is not None,
            )

        while waiting:
            emails = waiting.pop(0)
            try:
                send(emails)
            except _ONE_MAY_BE_AT_FAULT as error:
                if error.unsettled or isinstance(error, errors.PlanRefusal):
                    return self._not_tried(failures, [emails, *waiting], error)
                refusals += 1
                if len(emails) == 1:
                    failures[emails[0]] = error
                elif refusals < REFUSALS_BORNE:
                    middle = len(emails) // 2
                    waiting[:0] = [emails[:middle], emails[middle:]]
                if refusals >= REFUSALS_BORNE:
                    return self._not_tried(failures, [emails, *waiting], error)
            except errors.AccessError as error:
                return self._not_tried(failures, [emails, *waiting], error)
        return failures

    def take(self, project: int, emails: Sequence[str]) -> Failures:
        """Take the individual grants of many people in a project away, and nothing else; one request a person.

        Returns:
            For whom it was not done.
        """
        for email in emails:
            self._empty_lists.take(grants_of(project), same_key(email))
        refused: list[errors.AccessError] = []
        missing: list[errors.AccessError] = []
        stopped: list[errors.AccessError] = []
        lock = threading.Lock()

        def send(email: str) -> None:
            if stopped:
                raise stopped[0]

            def gone() -> bool:
                return self._role_in(project, email) is None and not self._hidden(project, email)

            spelled = self._spelled(email)
            key = same_key(spelled)
            try:
                self._writing.settle(
                    lambda: self._api.users.remove_grants(spelled, [project]),
                    gone,
                    [grants_of(project)],
                    shows=lambda: [] if missing else [(grants_of(project), key, has_grant(key, None))],
                )
            except errors.AccessError as error:
                if isinstance(error, errors.NotFound):
                    if gone():
                        return
                    error.next_step = NO_SUCH_CALL
                    missing.append(error)
                with lock:
                    refused.append(error)
                    if not isinstance(error, _ONE_MAY_BE_AT_FAULT) or len(refused) >= REFUSALS_BORNE:
                        stopped.append(error)
                raise

        return {email: error for email, error in each_alone(send, emails).items() if error}

    @staticmethod
    def _not_tried(failures: Failures, waiting: Sequence[Sequence[str]], error: errors.AccessError) -> Failures:
        return {**dict.fromkeys((email for emails in waiting for email in emails), error), **failures}


def _chunks(emails: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(emails), AT_ONCE):
        yield emails[start : start + AT_ONCE]
