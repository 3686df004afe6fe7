"""`doctor --undo` and the undoing of `doctor --writes`, where the note or the lists are not as one expects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from mixpanel_access.emulator.dialect import Dialect
from mixpanel_access.emulator.server import EmulatorServer
from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations.verifying.journal import Journal, journal_file
from mixpanel_access.operations.verifying.verify import WritesPlan, finish, walk_through
from tests.emulator.conftest import organization
from tests.operations.verifying.conftest import EMAIL, Dying, Here, Killed, dump, means, plan_of, seed, speak


def note_of(plan: WritesPlan) -> dict[str, Any]:
    """The note of a walk that has made all it can."""
    target = {name: value for name, value in vars(plan.target).items() if name != "ids"}
    return {**target, "expires": plan.target.expires.isoformat(), "opened": ["account", "person", "team"]}


@pytest.mark.parametrize(
    "change",
    [
        {"opened": "person"}, {"opened": []}, {"opened": ["people"]}, {"opened": {"person": 1}}, {"opened": [["team"]]},
        {"email": 5}, {"email": None}, {"email": ""}, {"email": "ana"},
        {"team": "Data"}, {"team": ""}, {"team": None}, {"account": "admin-bot"}, {"account": ""},
        {"project": "1"}, {"project": None}, {"organization": True}, {"expires": None}, {"more": 1},
    ],
    ids=json.dumps,
)  # fmt: skip
def test_what_no_walk_notes_is_not_undone(server: EmulatorServer, tmp_path: Path, change: dict[str, Any]) -> None:
    """A note that somebody has changed takes nothing away, is no success, and says what to do."""
    plan, before = plan_of(server), dump(server)
    file = journal_file(plan.settings, tmp_path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(note_of(plan) | change))
    with pytest.raises(UsageError, match=r"(?s)cannot read the note .* then delete the file"):
        finish(plan.settings, means(server, tmp_path))
    assert (dump(server), file.exists()) == (before, True)
    file.write_text(json.dumps(note_of(plan)))
    assert finish(plan.settings, means(server, tmp_path)) == []


def test_a_second_run_leaves_the_note_of_the_first(server: EmulatorServer, tmp_path: Path) -> None:
    """Two that began at once: whoever is later notes nothing, and neither undoes nor deletes what the other noted."""
    plan = plan_of(server)
    file = journal_file(plan.settings, tmp_path)
    first, second = (Journal(file, plan_of(server, email=one).target) for one in (EMAIL, "second@example.net"))
    first.open(["person"])
    noted = file.read_text()
    with pytest.raises(UsageError, match="changed while this ran"):
        second.open(["person"])
    second.close(["person"])
    assert (second.opened, file.read_text()) == (set(), noted)
    first.close(["person"])
    assert (first.opened, file.exists()) == (set(), False)


class Unlisted(Here):
    """Makes transports to a Mixpanel whose users list has nobody who is invited.

    Args:
        at: the write at which something goes wrong; 0 for none.
        what: what does; see `Dying`.
    """

    def __init__(self, at: int = 0, what: str = "killed after") -> None:
        super().__init__()
        self._at, self._what = at, what

    def inner(self) -> httpx.BaseTransport:
        return _Hiding(super().inner(), self._at, self._what)


class _Hiding(Dying):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if request.method != "GET" or not request.url.path.endswith("/users/"):
            return response
        response.read()
        answer = response.json()
        rows = [row for row in answer["results"] if not row["invited"]]
        return httpx.Response(200, json={**answer, "results": rows})


@pytest.mark.parametrize("at", [2, 3, 7])
def test_who_is_invited_and_not_listed_is_removed(server: EmulatorServer, tmp_path: Path, at: int) -> None:
    """That a list does not show them is no proof that they are not there."""
    plan, before = plan_of(server), dump(server)
    with pytest.raises(Killed):
        walk_through(plan, means(server, tmp_path, observer=Unlisted(at)))
    assert dump(server) != before
    assert finish(plan.settings, means(server, tmp_path, observer=Unlisted())) == []
    assert (dump(server), journal_file(plan.settings, tmp_path).exists()) == (before, False)


def test_a_refused_removal_of_who_is_not_listed_is_said(server: EmulatorServer, tmp_path: Path) -> None:
    """And the note stays, so that it can be tried again."""
    seed(server, organization(), Dialect(missing=["POST /organizations/{o}/delete-users/"]))
    plan = plan_of(server)
    with pytest.raises(Killed):
        walk_through(plan, means(server, tmp_path, observer=Unlisted(2)))
    left = finish(plan.settings, means(server, tmp_path, observer=Unlisted())) or [""]
    assert EMAIL in left[0]
    assert journal_file(plan.settings, tmp_path).exists()
    speak(server, Dialect())
    assert finish(plan.settings, means(server, tmp_path, observer=Unlisted())) == []


def test_a_refused_removal_in_a_walk_is_said(server: EmulatorServer, tmp_path: Path) -> None:
    """Whoever is not listed is not gone because Mixpanel has no verb to remove them."""
    seed(server, organization(), Dialect(missing=["POST /organizations/{o}/delete-users/"]))
    before = dump(server)
    report = walk_through(plan_of(server), means(server, tmp_path, observer=Unlisted()))
    assert dump(server) != before
    assert report.document["asBefore"] is False


def test_a_lost_note_does_not_stop_the_undoing(server: EmulatorServer, tmp_path: Path) -> None:
    """Somebody runs --undo, or empties the cache, while a walk is under way: everything goes all the same."""
    plan, before = plan_of(server), dump(server)
    said: list[str] = []

    def emptied(line: str) -> None:
        said.append(line)
        if line.startswith("grant to the account"):
            journal_file(plan.settings, tmp_path).unlink()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        walk_through(plan, means(server, tmp_path, emptied))
    assert dump(server) == before
    assert any("it was changed while this ran" in line for line in said)


def test_what_an_interrupted_run_leaves_is_said(server: EmulatorServer, tmp_path: Path) -> None:
    """There is no report then, and so the lines by hand come before the end."""
    seed(server, organization(), Dialect(missing=["POST /organizations/{o}/delete-users/"]))
    plan = plan_of(server)
    said: list[str] = []

    def interrupted(line: str) -> None:
        said.append(line)
        if line.startswith("invite: "):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        walk_through(plan, means(server, tmp_path, interrupted))
    assert any(line.startswith("left, to be done by hand: remove the person") and EMAIL in line for line in said)
    assert journal_file(plan.settings, tmp_path).exists()
