"""JSON for scripts: docs/json.md has every command with `--json`, each key, its type and its meaning."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path

import jsonschema
import pytest

from mixpanel_access.cli.output import json_text
from mixpanel_access.operations.new_project import WHEEL
from scripts import json_page
from scripts.json_page import DOCUMENTS, document_of, validator
from tests.cli.json_output import must_be_documented
from tests.cli.test_help import ALL, at
from tests.cli.typed import typed


def test_the_page_is_made_of_the_records() -> None:
    """`make reference` was run after the last change."""
    assert json_page.PAGE.read_text() == json_page.page()


def test_every_command_with_json_is_on_the_page() -> None:
    """And no other one is."""
    takes = {" ".join(path) for path in ALL if path and any("--json" in one.opts for one in at(path).params)}
    assert {command.partition(" --")[0] for command in DOCUMENTS} == takes


def test_every_key_is_in_camel_case_and_has_a_meaning() -> None:
    """In every record, however deep."""
    rows = re.findall(r"^\| `(.*?)` \| (.*?) \| (.*) \|$", json_page.page(), re.MULTILINE)
    assert len(rows) > 300
    assert [path for path, _, _ in rows if not re.fullmatch(r"[a-z]\w*", re.sub(r".*\.|\[\]|\{…\}", "", path))] == []
    assert [path for path, _, _ in rows if "_" in path] == []
    assert [path for path, type_, meaning in rows if not type_ or not meaning.strip()] == []


PRINTED = {
    "policy list": ("policy", "list", "--json"),
    "policy explain": ("policy", "explain", "domain-allowed", "--json"),
    "roster": ("roster", "stacks/production.yaml", "--json"),
    "new": ("new", "{folder}", "--wheel", "{wheel}", "--json"),
}


@pytest.mark.parametrize("command", PRINTED)
def test_what_needs_no_engine_prints_what_the_page_says(command: str, tmp_path: Path) -> None:
    """What needs one is checked in tests/engine, by every test that runs it."""
    (tmp_path / WHEEL).write_bytes(b"a wheel")
    words = [word.format(folder=tmp_path / "access", wheel=tmp_path / WHEEL) for word in PRINTED[command]]
    came = typed(*words)
    assert must_be_documented(words, came.code, came.out) == command, came.err


CHECKED = {
    "operations/test_merging.py": ("tracker merge",),
    "engine/test_verify.py": ("doctor --writes", "doctor --undo"),
    "engine/test_import.py": ("import", "release"),
    "engine/test_states_of_0_1_0.py": ("ownership",),
    "engine/test_invite.py": ("invite", "roster"),
    "engine/test_revoke.py": ("revoke",),
    "engine/test_temporary.py": ("revoke --within",),
    "engine/test_offboard.py": ("offboard",),
    "engine/test_status.py": ("status", "resend", "who", "welcome", "doctor", "preflight"),
    "engine/test_troubles.py": ("diagnose",),
    "engine/test_drift.py": ("drift",),
    "engine/test_report.py": ("report",),
    "engine/test_evidence.py": ("evidence",),
    "engine/test_review.py": ("review decide", "review status", "review apply"),
    "engine/test_tracker.py": ("tracker update", "tracker verify"),
    "engine/test_secrets.py": (
        *("token", "onboard", "remind", "review start", "review evidence", "review verify"),
        *("tracker export", "tracker prune"),
    ),
    "package/test_policy_pack.py": ("policy pack",),
    "cli/test_json.py": ("new", "policy list", "policy explain"),
}
"""Test file, in which a command's real output is held against the page -> what it prints."""


def test_every_command_is_printed_in_some_test() -> None:
    """And the tests that run commands hold each output against the page."""
    assert sorted(command for commands in CHECKED.values() for command in commands) == sorted(DOCUMENTS)
    for file, commands in CHECKED.items():
        text = (Path(__file__).parents[1] / file).read_text()
        words = {word for command in commands for word in command.split()}
        assert [word for word in words if word not in text] == [], file
        assert "must_be_documented(" in text or "workspace" in text, file


def test_a_key_that_the_page_does_not_have_is_found() -> None:
    """And one that is missing, or of another type."""
    good = {"stack": "production", "name": "etl", "login": "etl.1", "token": "x"}
    validator("token").validate(good)
    for bad in ({**good, "more": 1}, {"stack": "production"}, {**good, "token": 1}):
        with pytest.raises(jsonschema.ValidationError):
            validator("token").validate(bad)


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("revoke --json", "revoke"),
        ("revoke --within 3 --json", "revoke --within"),
        ("doctor --undo --json", "doctor --undo"),
        ("review status --json --stack production", "review status"),
        ("tracker export --format json", "tracker export"),
        ("status --watch 1 --json", None),
        ("status", None),
    ],
)
def test_the_words_of_a_command_name_its_document(words: str, command: str | None) -> None:
    """With the option that makes it print another one."""
    assert document_of(words.split()) == command


class Kind(StrEnum):
    """A word."""

    ONE_WORD = "one word"


@dataclass(frozen=True)
class Record:
    """A record."""

    some_key: Kind
    by_address: dict[str, int]
    on: date
    at: datetime
    file: Path


def test_one_encoder_writes_all_of_it() -> None:
    """Fields in camelCase, keys of maps as they are, days and instants as ISO 8601."""
    record = Record(
        some_key=Kind.ONE_WORD,
        by_address={"some_body@example.com": 1},
        on=date(2026, 5, 4),
        at=datetime(2026, 5, 4, 12, tzinfo=UTC),
        file=Path("a/b"),
    )
    assert json.loads(json_text([record])) == [
        {
            "someKey": "one word",
            "byAddress": {"some_body@example.com": 1},
            "on": "2026-05-04",
            "at": "2026-05-04T12:00:00Z",
            "file": "a/b",
        }
    ]
