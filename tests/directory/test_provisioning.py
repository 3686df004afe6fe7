"""People of claimed domains, several at once: a request each, and SCIM's list once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from mixpanel_access.model import errors
from mixpanel_access.model.access import SingleSignOn
from tests.fake_scim import FakeScim, with_scim
from tests.fakes import FakeApi, make_directory

PEOPLE = [f"p{n}@example.com" for n in range(4)]


@pytest.fixture
def api() -> FakeApi:
    """A claimed domain, and a token."""
    return with_scim(FakeApi(security=SingleSignOn(domains=frozenset({"example.com"}))))


def test_who_is_let_in_together_is_read_back_once(api: FakeApi) -> None:
    """Four new people: four requests, and two readings of the list."""
    provisioning = make_directory(api, linger=600).provisioning

    def let_in(email: str) -> bool:
        provisioning.let_in(email)
        return provisioning.is_in(email) is True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(let_in, PEOPLE))
    assert api.calls["scim_create"] == 4
    assert api.calls["scim_users"] == 2


def test_who_is_kept_out_together_is_read_back_once(api: FakeApi) -> None:
    """The other way."""
    for email in PEOPLE:
        api.put(email)
    provisioning = make_directory(api, linger=600).provisioning

    def keep_out(email: str) -> bool:
        user = provisioning.user(email)
        assert user is not None
        provisioning.keep_out(user)
        return provisioning.is_in(email) is True

    with ThreadPoolExecutor(4) as pool:
        assert not any(pool.map(keep_out, PEOPLE))
    assert api.calls["scim_active"] == 4
    assert api.calls["scim_users"] == 2


def test_of_those_who_are_let_in_together_each_has_their_own_answer(api: FakeApi) -> None:
    """Whoever is refused is told, and nobody else."""
    api.faults["scim_create"] = [errors.Forbidden("cannot let in")]
    provisioning = make_directory(api, linger=600).provisioning
    with ThreadPoolExecutor(4) as pool:
        done = {email: pool.submit(provisioning.let_in, email) for email in PEOPLE}
        outside = [email for email, future in done.items() if future.exception(60)]
    assert len(outside) == 1
    assert [email for email in PEOPLE if not provisioning.is_in(email)] == outside


def test_a_lost_answer_is_settled_by_what_is_told(api: FakeApi) -> None:
    """Where it is not told whether they are active, a deactivation is sent again; who is listed has been let in."""
    api.put(PEOPLE[0])
    assert isinstance(api.scim, FakeScim)
    api.scim.untold.update(PEOPLE)
    provisioning = make_directory(api).provisioning
    api.applied = True
    api.faults = {verb: [errors.Unreachable("no answer")] for verb in ("scim_active", "scim_create")}
    user = provisioning.user(PEOPLE[0])
    assert user is not None
    provisioning.keep_out(user)
    assert api.writes == ["scim_active"] * 2
    provisioning.let_in(PEOPLE[1])
    assert api.writes == [*["scim_active"] * 2, "scim_create"]
    assert provisioning.is_in(PEOPLE[1]) is None
    assert provisioning.inactive() == frozenset()
