"""YAML from a pull request: it makes no object, and a few lines cannot fill the memory or hold the run for hours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mixpanel_access.files.onboarding import read_checklists
from mixpanel_access.files.roster import read_roster
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.yaml_text import MOST_PARTS, BadYaml, load
from mixpanel_access.operations.project import roster_file
from mixpanel_access.operations.review.files import read_packets

LEVELS = 30
"""Each is the one before it several times: written out, more than any machine holds."""
HOSTILE = {
    "an object": "!!python/object/apply:os.mkdir [made]",
    "a name": "!!python/name:os.system",
    "an object by a tag of its own": "!<tag:yaml.org,2002:python/object/new:os.mkdir> [made]",
    "lists of lists": "\n".join(
        ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, LEVELS))]
    ),
    "mappings of mappings": "\n".join(
        ["a0: &a0 { k0: 1 }", *(f"a{n}: &a{n} {{ k: *a{n - 1}, l: *a{n - 1} }}" for n in range(1, LEVELS))]
    ),
    "merges of merges": "\n".join(
        ["a0: &a0 { k0: 1 }", *(f"a{n}: &a{n} {{ <<: [*a{n - 1}, *a{n - 1}], k{n}: 1 }}" for n in range(1, LEVELS))]
    ),
    "a list in itself": "a: &a [*a]",
    "a mapping in itself": "a: &a { b: *a }",
    "too deep": "[" * 5000,
    "a date that there is not": "a: 2026-13-45",
}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


READ: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "roster": ("production.yaml", lambda folder: read_roster(folder / "production.yaml")),
    "checklists": ("onboarding.yaml", read_checklists),
    "review": ("ana.yaml", read_packets),
    "project": ("Pulumi.yaml", lambda folder: roster_file(folder, "production")),
}
"""Every file that is read as YAML: its name, and who reads it in a folder."""


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize(("name", "read"), READ.values(), ids=READ.keys())
def test_a_hostile_file_is_one_short_error(name: str, read: Callable[[Path], Any], text: str, tmp_path: Path) -> None:
    """Whichever file it is; nothing of it is done."""
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError) as raised:
        read(tmp_path)
    assert len(str(raised.value)) < 500
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("with_lines", [False, True])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_object_is_made(text: str, with_lines: bool, tmp_path: Path) -> None:
    """With lines, where a tag is kept, nor without."""
    try:
        load(text, with_lines=with_lines)
    except BadYaml as error:
        assert "\n" not in str(error)  # noqa: PT017  # whatever it says, it is a line
    assert list(tmp_path.iterdir()) == []


def test_the_limit_is_of_what_is_written_out() -> None:
    """A document may be as large as it is written; with aliases it is counted as if each stood there in full."""
    ten = "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]"  # with its key 11
    fits = f"{ten}\nb: [{', '.join(['*a'] * 1000)}]"
    assert len(load(fits)["b"]) == 1000
    times = MOST_PARTS // 10
    assert len(load("[" + "1," * 10 + "]")) == 10
    with pytest.raises(BadYaml, match="with its aliases written out it has more than 1,000,000 parts"):
        load(f"{ten}\nb: [{', '.join(['*a'] * times)}]")
