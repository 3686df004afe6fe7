"""How a dialect is given: as a file, over the control surface, and what is refused of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mixpanel_access.emulator import EmulatorServer, run
from mixpanel_access.emulator.app import ENDPOINTS
from mixpanel_access.emulator.dialect import Dialect, alternatives, read
from mixpanel_access.model.errors import UsageError
from tests.emulator.conftest import Client, organization

WRONG: dict[str, tuple[Any, str]] = {
    "an unknown field": ({"organisation_role": "word"}, "organisation_role: there is no such field"),
    "an unknown word": ({"owner_word": "chief"}, "owner_word: Input should be"),
    "no object": ([], "the dialect: Input should be"),
    "a verb that there is not": ({"missing": ["POST /organizations/{o}/fire/"]}, "there is no POST /organizations/{o}"),
    "no verb": ({"missing": ["add-users"]}, "missing.0: "),
    "no page": ({"page_size": 0}, "page_size: "),
    "a number of reads": ({"stale_reads": {"users": -1}}, "stale_reads.users: "),
    "a report's": ({"statements": [], "dialect": {"plan": 1}}, "plan: there is no such field"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    """Before anything listens; the line names the file, the field, and where the fields are listed."""
    value, why = WRONG[name]
    file = tmp_path / "dialect.json"
    file.write_text(json.dumps(value))
    with pytest.raises(UsageError) as refused:
        run(dialect=file)
    line = str(refused.value)
    assert "\n" not in line
    assert str(file) in line
    assert why in line
    assert "docs/dialects.md" in line


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Or that is no JSON."""
    file = tmp_path / "dialect.json"
    for content in (None, "{", "{}}"):
        if content:
            file.write_text(content)
        with pytest.raises(UsageError, match="cannot use the dialect"):
            run(dialect=file)


@pytest.mark.parametrize("wrap", [lambda d: d, lambda d: {"statements": [], "dialect": d}], ids=["bare", "a report"])
def test_a_dialect_survives_json(wrap: Any) -> None:
    """What /_emulator/dialect shows can be given again."""
    spoken = Dialect(organization_role="no role", page_size=3, stale_reads={"users": 2}, missing=[ENDPOINTS[0].verb])
    assert read(json.loads(json.dumps(wrap(spoken.model_dump())))) == spoken


def test_every_field_says_what_it_is_about() -> None:
    """So that the page has a row for each."""
    assert list(alternatives()) == list(Dialect.model_fields)
    assert all(known.meaning and known.sections and known.standing for known in alternatives().values())


def test_the_control_surface_shows_and_changes_it() -> None:
    """A wrong one changes nothing."""
    with (
        EmulatorServer(organization(), dialect=Dialect(wrong_body=400)) as server,
        Client(base_url=server.url) as client,
    ):
        assert client.get("/_emulator/dialect").json()["wrong_body"] == 400
        assert client.post("/_emulator/dialect", json={"owner_word": "chief"}).status_code == 422
        assert client.post("/_emulator/dialect", json={"missing": ["GET /nowhere"]}).status_code == 422
        assert client.get("/_emulator/dialect").json() == Dialect(wrong_body=400).model_dump()
        assert client.post("/_emulator/dialect", json={"owner_word": "admin"}).json()["wrong_body"] == 422
        assert server.app.dialect == Dialect(owner_word="admin")
