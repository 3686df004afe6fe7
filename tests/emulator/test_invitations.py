"""Invitations at their boundaries, on a clock that stands still: seven days, and ten e-mails an hour to a domain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.emulator.conftest import ORG, Client, Frozen, P, Q, organization, unchanged

BO, DOMAIN = "bo@agency.example.org", "agency.example.org"
WEEK, TICK = timedelta(days=7), timedelta(microseconds=1)
VERBS = ["resend-invites/", "regenerate-invite-url/"]


def accept(client: Client, email: str) -> int:
    """The status of an acceptance."""
    return client.post("/_emulator/invitations/accept", json={"email": email}).status_code


AGES = {"a second before": (WEEK - timedelta(seconds=1), True), "a microsecond before": (WEEK - TICK, True)}
AGES |= {"at": (WEEK, False), "a microsecond after": (WEEK + TICK, False), "a second after": (WEEK * 2, False)}


@pytest.mark.parametrize(("age", "alive"), AGES.values(), ids=AGES.keys())
@pytest.mark.parametrize("how", ["invite", "grant"])
def test_it_ends_at_the_very_instant(client: Client, clock: Frozen, how: str, age: timedelta, alive: bool) -> None:
    """Seven days after the invitation nobody accepts it (409) or sends it again (404); before, everybody may."""
    assert (client.invite(BO) if how == "invite" else client.grant(BO, "analyst")).status_code == 200
    clock.at += age
    before = client.control("GET", "dump")
    for verb in VERBS:
        if not alive:
            assert client.users(verb, {"emails": [BO]}).status_code == 404
    assert unchanged(before, client.control("GET", "dump"))
    assert accept(client, BO) == (200 if alive else 409)
    row = client.get(f"/organizations/{ORG}/users/").json()["results"][-1]
    assert (row["email"], row["invited"], row["id"] is None) == (BO, not alive, not alive)
    assert accept(client, BO) == (404 if alive else 409)


@pytest.mark.parametrize("days", [0.5, 1, 14])
def test_its_life_is_a_setting(client: Client, clock: Frozen, days: float) -> None:
    """Nobody states Mixpanel's, so a document may."""
    client.control("POST", "seed", organization(invitation_life_days=days))
    client.invite(BO, "cy@example.net")
    clock.at += timedelta(days=days) - TICK
    assert accept(client, BO) == 200
    clock.at += TICK
    assert accept(client, "cy@example.net") == 409


@pytest.mark.parametrize("again", ["resend-invites/", "regenerate-invite-url/", "add-users/"])
def test_sent_again_it_lives_anew(client: Client, clock: Frozen, again: str) -> None:
    """From then on seven days, to the instant; role and grants stay, and one more e-mail is noted."""
    client.invite(BO, projects=[{"id": P, "role": "analyst"}])
    clock.at += WEEK - TICK
    user = {"email": BO.upper(), "role": "member"}
    assert client.users(again, {"users": [user]} if again == "add-users/" else {"emails": [BO.upper()]}).is_success
    clock.at += WEEK - TICK
    dump = client.control("GET", "dump")
    assert [member["email"] for member in dump["members"]].count(BO) == 1
    assert client.grants_of(BO) == {P: "analyst"}
    kinds = {"resend-invites/": "resend", "regenerate-invite-url/": "link", "add-users/": "invitation"}
    assert [mail["kind"] for mail in dump["mails"]] == ["invitation", kinds[again]]
    assert accept(client, BO) == 200


def test_an_expired_one_is_invited_again(client: Client, clock: Frozen) -> None:
    """With the role of the new invitation, and can then be accepted."""
    client.invite(BO)
    clock.at += WEEK
    assert client.users("add-users/", {"users": [{"email": BO, "role": "admin"}]}).json()["results"]["invited"] == [BO]
    assert accept(client, BO) == 200
    assert client.role_of(BO) == "admin"


def test_a_grant_or_a_role_does_not_extend_it(client: Client, clock: Frozen) -> None:
    """They change the invitation and send nothing."""
    client.invite(BO)
    clock.at += WEEK - TICK
    assert client.grant(BO, "analyst").is_success
    assert client.users(f"users/{BO}/update/", {"role": "admin"}).is_success
    clock.at += TICK
    assert accept(client, BO) == 409
    assert len(client.control("GET", "mails")) == 1


def test_it_is_cancelled_by_removing_the_address(client: Client, clock: Frozen) -> None:
    """Pending or expired, with whatever role; its grants go along, and no e-mail comes back to the limit."""
    client.invite(BO, projects=[{"id": P, "role": "analyst"}])
    assert client.users("delete-users/", {"emails": [BO.upper(), BO]}).json()["results"] == {"deleted": [BO]}
    assert (client.role_of(BO), client.grants_of(BO), accept(client, BO)) == (None, {}, 404)
    client.invite(BO)
    clock.at += WEEK
    assert client.users("delete-users/", {"emails": [BO]}).json()["results"] == {"deleted": [BO]}
    assert len(client.control("GET", "mails")) == 2


def test_an_admin_cancels_but_does_not_change_an_owners_invitation(client: Client, owner: Client) -> None:
    """To invite an invited owner again as a member would demote them: 403, as a change of role is."""
    body = {"users": [{"email": BO, "role": "owner"}]}
    assert owner.users("add-users/", body).is_success
    assert client.invite(BO).status_code == 403
    assert client.users(f"users/{BO}/update/", {"role": "member"}).status_code == 403
    assert client.role_of(BO) == "owner"
    assert client.users("delete-users/", {"emails": [BO]}).json()["results"] == {"deleted": [BO]}


def test_an_invited_owner_does_not_count_as_one(owner: Client) -> None:
    """The last owner who has joined stays, however many are invited."""
    owner.users("add-users/", {"users": [{"email": BO, "role": "owner"}]})
    assert owner.users("users/ana@example.com/update/", {"role": "member"}).status_code == 200
    assert owner.users("users/omar@example.com/update/", {"role": "member"}).status_code == 400
    assert owner.users(f"users/{BO}/update/", {"role": "member"}).status_code == 200


def people(count: int, first: int = 0, domain: str = DOMAIN) -> list[str]:
    """So many addresses of a domain."""
    return [f"p{n}@{domain}" for n in range(first, first + count)]


def _invite(client: Client, emails: list[str]) -> Any:
    return client.invite(*emails)


def _grant(client: Client, emails: list[str]) -> Any:
    rows = [{"email": email, "role": "analyst"} for email in emails]
    return client.users("add-users-to-projects/", {"projects": [{"id": P, "users": rows}, {"id": Q, "users": rows}]})


def _resend(client: Client, emails: list[str]) -> Any:
    return client.users("resend-invites/", {"emails": emails})


def _link(client: Client, emails: list[str]) -> Any:
    return client.users("regenerate-invite-url/", {"emails": emails})


@pytest.mark.parametrize("ask", [_invite, _grant, _resend, _link])
def test_the_tenth_passes_and_the_eleventh_waits_out_the_hour(
    client: Client, clock: Frozen, ask: Callable[[Client, list[str]], Any]
) -> None:
    """By every way in which e-mails go out; refused, nothing is applied, and Retry-After is the exact wait."""
    invited = [{"email": email, "invited_at": clock.at.isoformat()} for email in people(2, first=10)]
    client.control("POST", "seed", organization(members=[*organization()["members"], *invited]))
    pending = ask in (_resend, _link)
    assert _invite(client, people(9)).is_success
    clock.at += timedelta(minutes=10)
    assert ask(client, people(1, first=10 if pending else 20)).is_success
    before = client.control("GET", "dump")
    refused = ask(client, people(1, first=11 if pending else 21))
    assert (refused.status_code, refused.json()["status"]) == (429, "error")
    assert refused.headers["retry-after"] == "3000"
    assert unchanged(before, client.control("GET", "dump"))
    clock.at += timedelta(seconds=3000) - TICK
    refused = ask(client, people(1, first=11 if pending else 21))
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    clock.at += TICK
    assert ask(client, people(1, first=11 if pending else 21)).is_success


WAITS = {1: 600, 2: 1200, 3: 1800, 8: 1800, 9: 2400, 10: 2400, 11: 3600, 50: 3600}
"""So many more fit after so many seconds, when 1, 1, 6 and 2 went out 50, 40, 30 and 20 minutes ago."""


@pytest.mark.parametrize(("more", "wait"), WAITS.items())
def test_retry_after_says_when_all_of_the_request_fits(client: Client, clock: Frozen, more: int, wait: int) -> None:
    """Not when the first of them does; what never fits is told a whole hour."""
    for minutes, group in ((10, people(1)), (10, people(1, 1)), (10, people(6, 2)), (20, people(2, 8))):
        assert _invite(client, group).is_success
        clock.at += timedelta(minutes=minutes)
    refused = _invite(client, people(more, 100))
    assert (refused.status_code, refused.headers["retry-after"]) == (429, str(wait))
    clock.at += timedelta(seconds=wait) - TICK
    assert _invite(client, people(more, 100)).status_code == 429
    clock.at += TICK
    assert _invite(client, people(more, 100)).status_code == (200 if more <= 10 else 429)


def test_after_the_clock_is_set_back_the_future_does_not_count(client: Client, clock: Frozen) -> None:
    """What goes out at the new present does, up to the very instant."""
    clock.at += timedelta(days=1)
    assert _invite(client, people(10)).is_success
    clock.at -= TICK
    assert _invite(client, people(10, 20)).is_success
    refused = _invite(client, people(1, 50))
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3600")
    clock.at -= timedelta(days=1)
    assert _invite(client, people(1, 50)).is_success


def test_each_domain_has_its_own_limit(client: Client, clock: Frozen) -> None:
    """A sub-domain is another one, another spelling is not; one full domain refuses the whole request."""
    assert _invite(client, people(10)).is_success
    assert _invite(client, people(10, domain=f"eu.{DOMAIN}")).is_success
    assert _invite(client, people(1, 50, DOMAIN.upper())).status_code == 429
    assert _invite(client, [*people(1, domain="example.net"), *people(1, 50)]).status_code == 429
    assert client.role_of("p0@example.net") is None
    assert _invite(client, people(10, domain="example.net")).is_success


def test_only_e_mails_count(client: Client, clock: Frozen) -> None:
    """One address twice in a request is one e-mail; members, grants to invited people and refusals send none."""
    assert client.invite(*people(9), "P0@AGENCY.example.org").is_success
    assert client.invite("nobody", *people(1, 50)).status_code == 400
    assert client.grant("p0@agency.example.org", "analyst").is_success
    assert accept(client, "p0@agency.example.org") == 200
    assert client.invite("p0@agency.example.org").json()["results"]["added"] == ["p0@agency.example.org"]
    assert len(client.control("GET", "mails")) == 9
    assert client.invite("p9@agency.example.org").is_success


@pytest.mark.parametrize("ask", [_invite, _grant])
def test_switched_off_all_go_out(served: Callable[..., Any], ask: Callable[[Client, list[str]], Any]) -> None:
    """And are still noted."""
    _, client = served(limit_invitations=False)
    assert ask(client, people(30)).is_success
    assert _resend(client, people(30)).is_success
    assert len(client.control("GET", "mails")) == 60
