"""Ways round the rules by another word: of the environment, for a reason, for an end; and by a setting."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from tests.rules.ways_round.externals import COLLEAGUE, keepers, kim, robin
from tests.rules.ways_round.table import AROUND, ENGAGEMENT, ROBIN, Way, roster

IN_LIVE: Final = replace(AROUND, environment="live")
IN_NOTHING: Final = replace(AROUND, environment=None)
LONG: Final = {"funnels": {**ENGAGEMENT, "ends": "2026-12-01"}}
EXCEPTION: Final = {
    "rule": "longest-duration",
    "email": ROBIN["email"],
    "reason": "The agency stays for the summer sale",
    "ticket": "OPS-9",
    "approver": "omar@example.com",
    "starts": "2026-02-10",
    "ends": "2026-05-09",
}


def live(**changes: Any) -> dict[str, Any]:
    """The roster with another word for production."""
    return {**roster(**changes), "environment": "live", "projects": {"shop": {"id": 1234567, "environment": "live"}}}


def excepted(*exceptions: dict[str, Any]) -> dict[str, Any]:
    """The roster with an engagement that is too long, and exceptions."""
    return {**roster(engagements=LONG), "exceptions": [{**EXCEPTION, **one} for one in exceptions]}


def in_team(approver: str) -> dict[str, Any]:
    """Kim in a team of admins, whose role somebody approved."""
    place = {**COLLEAGUE, "projects": {}, "teams": ["keepers"], "reviewed": "2026-05-01"}
    return roster(people=[place], teams={"keepers": {**keepers("admin"), "approver": approver}})


WAYS: Final[dict[str, Way]] = {
    "production by another name": Way("guards-not-loosened", live(), roster(), IN_LIVE, around_control=AROUND),
    "production with a capital letter": Way(
        "guards-not-loosened", roster(), roster(), replace(AROUND, environment="Production"), around_control=AROUND
    ),
    "no environment of the stack": Way("guards-not-loosened", roster(), roster(), IN_NOTHING, around_control=AROUND),
    "a roster of another environment in the stack of production": Way("guards-not-loosened", live(), roster()),
    "the second factor switched off in the roster": Way(
        "guards-not-loosened",
        roster(security={"twoFactorRequired": False}),
        roster(security={"twoFactorRequired": True}),
    ),
    "an external who stays whatever happens": Way(
        "external-access-ends", robin(removal="never"), robin(removal="always")
    ),
    "a dash for a ticket": Way("production-has-paperwork", kim(ticket="-"), kim(ticket="#4")),
    "a ticket that will be written later": Way("production-has-paperwork", kim(ticket="T.B.D."), kim(ticket="TBD-7")),
    "no statement of work, in words": Way(
        "production-has-paperwork", roster(engagements={"funnels": {**ENGAGEMENT, "sow": "n/a"}}), roster()
    ),
    "three dots for a reason": Way("justified", kim(justification="..."), kim(justification="Builds the shop")),
    "three dots for an exception's ticket, as the finding writes it": Way(
        "exceptions-count", excepted({"ticket": "..."}), excepted({})
    ),
    "exceptions in a row, for all projects and for one": Way(
        "exceptions-count",
        excepted({}, {"project": "shop", "starts": "2026-05-10", "ends": "2026-08-07"}),
        excepted({}, {"project": "shop", "starts": "2026-05-01", "ends": "2026-05-08"}),
    ),
    "oneself as the approver of a team of admins": Way(
        "no-mutual-approval", in_team("kim+x@example.com"), in_team("ana@example.com")
    ),
}
