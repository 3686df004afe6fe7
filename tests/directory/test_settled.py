"""A write is repeated only after reading back shows that it was not applied."""

from __future__ import annotations

import pytest

from mixpanel_access.directory.settled import ATTEMPTS, settle
from mixpanel_access.model import errors

OPEN = [errors.Unreachable, errors.ServerFault, errors.RateLimited, errors.Unintelligible]
DEFINITE = [errors.Invalid, errors.Forbidden, errors.NotFound, errors.Unauthorized, errors.NotApplied]


class Server:
    """Answers with the given errors in turn, then well; applies from the given call on."""

    def __init__(self, *answers: errors.MixpanelError, applies_from: int = 1) -> None:
        self.answers, self.applies_from = list(answers), applies_from
        self.calls, self.waits = 0, list[float]()

    def write(self) -> None:
        self.calls += 1
        if self.answers:
            raise self.answers.pop(0)

    def applied(self) -> bool:
        return self.calls >= self.applies_from

    def run(self) -> None:
        settle(self.write, self.applied, sleep=self.waits.append)


@pytest.mark.parametrize("kind", OPEN)
def test_a_write_whose_answer_was_lost_is_not_repeated(kind: type[errors.MixpanelError]) -> None:
    """Applied, but not heard of: once is enough."""
    server = Server(kind("cannot"), applies_from=1)
    server.run()
    assert (server.calls, server.waits) == (1, [])


@pytest.mark.parametrize("kind", OPEN)
def test_a_write_that_was_not_applied_is_repeated(kind: type[errors.MixpanelError]) -> None:
    """Not applied: it goes out again, after a wait."""
    server = Server(kind("cannot"), applies_from=2)
    server.run()
    assert (server.calls, server.waits) == (2, [0.5])


@pytest.mark.parametrize("kind", DEFINITE)
def test_a_refusal_is_final(kind: type[errors.MixpanelError]) -> None:
    """A clear no is not asked again."""
    server = Server(kind("cannot"), applies_from=9)
    with pytest.raises(kind):
        server.run()
    assert server.calls == 1


def test_after_the_last_attempt_the_last_error_is_told() -> None:
    """It gives up after its attempts, with waits that double."""
    server = Server(*[errors.ServerFault(f"cannot {n}") for n in range(9)], applies_from=99)
    with pytest.raises(errors.ServerFault, match=f"cannot {ATTEMPTS - 1}"):
        server.run()
    assert (server.calls, server.waits) == (ATTEMPTS, [0.5, 1.0, 2.0])


@pytest.mark.parametrize(
    ("seconds", "calls"),
    [(0.0, 2), (errors.LONGEST_WAIT, 2), (errors.LONGEST_WAIT + 1, 1)],
    ids=["now", "longest", "too long"],
)
def test_the_wait_that_the_server_asks_for(seconds: float, calls: int) -> None:
    """Retry-After is kept, unless it asks for more than anybody would sit through."""
    error = errors.RateLimited("cannot")
    error.retry_after = seconds
    server = Server(error, applies_from=2)
    if calls == 2:
        server.run()
        assert server.waits == [seconds]
    else:
        with pytest.raises(errors.RateLimited):
            server.run()
    assert server.calls == calls


UNREAD = [*OPEN, *DEFINITE, errors.ConfigurationError]


@pytest.mark.parametrize("unread", UNREAD)
@pytest.mark.parametrize("kind", OPEN)
def test_where_reading_back_fails_too_the_writes_own_error_is_told(
    kind: type[errors.MixpanelError], unread: type[errors.AccessError]
) -> None:
    """The read's would say something else: that a removal was refused, say. Nothing is repeated blindly."""
    server = Server(kind("cannot remove", next_step="Wait."))

    def applied() -> bool:
        raise unread("cannot list", why="Mixpanel answered 429")

    with pytest.raises(kind, match="cannot remove") as told:
        settle(server.write, applied, sleep=server.waits.append)
    assert server.calls == 1
    done = kind is not errors.RateLimited  # which says clearly that nothing was
    assert told.value.unsettled is done
    assert ("may have been done all the same" in str(told.value)) is done
    assert ("(Mixpanel answered 429). Run again" in str(told.value)) is done
