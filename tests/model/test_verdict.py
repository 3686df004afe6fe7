"""The verdict: what is most likely wrong, from all that a command has found."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixpanel_access.model import errors
from mixpanel_access.model.verdict import TABLE, Cause, Sign, Symptom, Verdict, symptoms_of, verdict_of

CONTEXT = {Sign.PROXY_SET, Sign.KNOWN_ELSEWHERE, Sign.CERTIFICATE_DATES, Sign.CERTIFICATE_ISSUER}
"""What says something only together with something else."""


def verdict(*signs: Sign) -> Verdict:
    """The verdict on these."""
    return verdict_of([Symptom(sign, f"saw {sign.name}", f"Fix {sign.name}.") for sign in signs], "production")


def test_nothing_found_is_nothing_wrong() -> None:
    """A proxy that is set is nothing wrong by itself."""
    assert verdict().cause is verdict(Sign.PROXY_SET).cause is Cause.NOTHING
    assert verdict().sentences == ("Nothing is wrong.",)


@pytest.mark.parametrize("sign", [sign for sign in Sign if sign not in CONTEXT])
def test_whatever_is_wrong_has_a_cause_and_a_next_step(sign: Sign) -> None:
    """And what is unknown stays unknown."""
    found = verdict(sign)
    assert found.next_step
    assert "{" not in found.text + found.next_step
    assert (found.cause is Cause.UNKNOWN) is (sign is Sign.UNKNOWN)
    assert found.sentences[0].startswith("The cause is not known" if sign is Sign.UNKNOWN else "Most likely: ")


@pytest.mark.parametrize("sign", sorted(CONTEXT - {Sign.PROXY_SET}))
def test_what_says_something_only_with_something_else_is_unknown_alone(sign: Sign) -> None:
    """No cause is guessed from it."""
    assert verdict(sign).cause is Cause.UNKNOWN


TOGETHER: dict[str, tuple[Sequence[Sign], Cause]] = {
    "another region knows the login that every call refuses": (
        (Sign.UNAUTHORIZED, Sign.REFUSED, Sign.KNOWN_ELSEWHERE), Cause.REGION,
    ),
    "this region fails, and another one knows the login": ((Sign.FAULT, Sign.KNOWN_ELSEWHERE), Cause.REGION),
    "nobody knows the login, and the clock is wrong": ((Sign.UNAUTHORIZED, Sign.CLOCK), Cause.CREDENTIALS),
    "a foreign organization refuses every other call": (
        (Sign.OTHER_ORGANIZATION, Sign.REFUSED, Sign.MISSING), Cause.ORGANIZATION,
    ),
    "a member is refused every other call": ((Sign.ROLE, Sign.REFUSED, Sign.NO_PROJECTS), Cause.ROLE),
    "no connection through a proxy": ((Sign.UNREACHABLE, Sign.PROXY_SET), Cause.PROXY),
    "no connection": ((Sign.UNREACHABLE,), Cause.NETWORK),
    "a certificate of the proxy's own": (
        (Sign.UNREACHABLE, Sign.PROXY_SET, Sign.CERTIFICATE_ISSUER), Cause.PROXY,
    ),
    "a certificate that is not valid yet": (
        (Sign.UNREACHABLE, Sign.PROXY_SET, Sign.CERTIFICATE_DATES), Cause.CLOCK,
    ),
    "an answer that is not Mixpanel's, with a proxy": ((Sign.ODD, Sign.PROXY_SET), Cause.PROXY),
    "an answer that is not Mixpanel's": ((Sign.ODD,), Cause.MIXPANEL),
    "no seat, and a call refused": ((Sign.REFUSED, Sign.PLAN), Cause.PLAN),
    "the passphrase, and a roster with a mistake": ((Sign.ROSTER, Sign.PASSPHRASE), Cause.PASSPHRASE),
    "the network, and mistakes in files": ((Sign.POLICIES, Sign.ROSTER, Sign.UNREACHABLE), Cause.NETWORK),
    "a roster and the policies": ((Sign.POLICIES, Sign.ROSTER), Cause.ROSTER),
    "the packages before all": (tuple(Sign), Cause.PACKAGES),
    "the engine before the stack": ((Sign.NO_STACK, Sign.NO_ENGINE), Cause.ENGINE),
    "something else, and a wrong clock": ((Sign.UNKNOWN, Sign.CLOCK), Cause.CLOCK),
}  # fmt: skip


@pytest.mark.parametrize(("signs", "cause"), TOGETHER.values(), ids=TOGETHER.keys())
def test_what_keeps_the_rest_from_being_read_is_the_cause(signs: Sequence[Sign], cause: Cause) -> None:
    """Of all that was found, in whatever order."""
    assert verdict(*signs).cause is verdict(*reversed(signs)).cause is cause


@given(st.lists(st.sampled_from(Sign), unique=True, min_size=1))
def test_every_combination_has_one_verdict(signs: list[Sign]) -> None:
    """It does not depend on the order, and is that of a pair or of one of them."""
    found = verdict(*signs)
    assert found == verdict(*sorted(signs))
    singles, pairs = combinations(signs, 1), combinations(signs, 2)
    assert found in [verdict(*few) for few in (*singles, *pairs)]


def test_no_row_of_the_table_is_out_of_reach() -> None:
    """None stands below one that always comes first."""
    for signs, cause, text, _ in TABLE:
        assert verdict(*signs).cause is cause
        assert verdict(*signs).text.startswith(text.partition("{")[0])


def test_a_command_in_the_next_step_names_the_stack() -> None:
    """So that it can be copied."""
    step = "then `pulumi config set --secret mixpanel:serviceAccountSecret --stack production`"
    assert verdict(Sign.UNAUTHORIZED).next_step.endswith(step)
    assert "--stack" not in verdict_of([Symptom(Sign.UNAUTHORIZED)]).next_step


SAID: dict[str, tuple[errors.AccessError, bool, Cause]] = {
    "no answer": (errors.Unreachable("cannot log in", why="no answer within 5 seconds"), False, Cause.NETWORK),
    "no answer through a proxy": (errors.Unreachable("cannot log in", why="refused"), True, Cause.PROXY),
    "a certificate of tomorrow": (
        errors.Unreachable("cannot log in", why="certificate verify failed: certificate is not yet valid"),
        True, Cause.CLOCK,
    ),
    "a certificate of a proxy": (
        errors.Unreachable("cannot log in", why="certificate verify failed: unable to get local issuer certificate"),
        False, Cause.PROXY,
    ),
    "401": (errors.Unauthorized("cannot log in"), True, Cause.CREDENTIALS),
    "402": (errors.PlanRefusal("cannot invite"), False, Cause.PLAN),
    "403 about seats": (errors.Forbidden("cannot invite", why="no seats are left"), False, Cause.PLAN),
    "403": (errors.Forbidden("cannot list teams", why="no permission"), False, Cause.ROLE),
    "429": (errors.RateLimited("cannot list"), False, Cause.MIXPANEL),
    "503": (errors.ServerFault("cannot list"), True, Cause.MIXPANEL),
    "a page of a proxy": (errors.Unintelligible("cannot list"), True, Cause.PROXY),
    "a roster": (errors.RosterError("cannot use the roster"), False, Cause.ROSTER),
    "what nobody has foreseen": (errors.UsageError("cannot look at all stacks together"), True, Cause.UNKNOWN),
    "what a brake holds": (errors.Refused("cannot remove"), True, Cause.UNKNOWN),
}  # fmt: skip


@pytest.mark.parametrize(("error", "proxy", "cause"), SAID.values(), ids=SAID.keys())
def test_an_error_is_a_sign(error: errors.AccessError, proxy: bool, cause: Cause) -> None:
    """By its class and its words."""
    assert verdict_of(symptoms_of(error, proxy=proxy)).cause is cause
