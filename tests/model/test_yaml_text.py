"""YAML from a pull request: it makes no object, and a few lines cannot fill the memory or hold the run for hours."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from mixpanel_access.files.onboarding import read_checklists
from mixpanel_access.files.roster import read_roster
from mixpanel_access.model.errors import RosterError, UsageError
from mixpanel_access.model.roster.draft import Draft
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.roster.yaml_text import MOST_PARTS, BadYaml, load, nodes, with_lines
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


@pytest.mark.parametrize("read", [load, with_lines, nodes])
@pytest.mark.parametrize("tag", ["!!python/object/apply:os.mkdir", "!<tag:yaml.org,2002:python/object/new:os.mkdir>"])
def test_no_object_is_made(read: Callable[[str], Any], tag: str, tmp_path: Path) -> None:
    """However it is read, also where a tag is kept for the lines."""
    with contextlib.suppress(BadYaml):
        read(f"a: {tag} [made]")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        pytest.param("a: 1\nb:\n  - {c: 2030-02-31}\n", 3, "'2030-02-31' cannot be read: day ", id="a-day"),
        pytest.param("a: &a [1]\nb: *a\nc: 2030-13-01\n", 3, "'2030-13-01' cannot be read: month ", id="a-month"),
        pytest.param("2030-02-31: x\n", 1, "'2030-02-31' cannot be read: day ", id="a-key"),
        pytest.param("a: '2030-02-31'\nb: |\n  2030-02-31\nc: 2030-02-31\n", 4, "'2030-02-31' cannot", id="not-a-text"),
    ],
)
def test_a_date_that_there_is_not_is_found(text: str, line: int, why: str) -> None:
    """The parser tells neither the line nor the text."""
    with pytest.raises(BadYaml, match=why) as raised:
        load(text)
    assert raised.value.line == line


def test_what_the_parser_with_lines_does_not_read_has_no_lines() -> None:
    """The two parsers differ in a few odd characters: an error is then on line 1, an edit for somebody's hand."""
    text = "environment: x\npeople: [1]\nprojects:\n\ufeff"
    assert load(text)["projects"] is None
    assert with_lines(text) is None
    with pytest.raises(RosterError, match="r:1: "):
        parse(text, RosterSource("r"))
    with pytest.raises(RosterError, match="cannot edit the roster for r: line "):
        Draft(text, "r")


def test_the_limit_is_of_what_is_written_out() -> None:
    """A document may be as large as it is written; with aliases it is counted as if each stood there in full."""
    ten = "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]"  # with its key 11
    fits = f"{ten}\nb: [{', '.join(['*a'] * 1000)}]"
    assert len(load(fits)["b"]) == 1000
    times = MOST_PARTS // 10
    assert len(load("[" + "1," * 10 + "]")) == 10
    with pytest.raises(BadYaml, match="with its aliases written out it has more than 1,000,000 parts"):
        load(f"{ten}\nb: [{', '.join(['*a'] * times)}]")


@pytest.mark.parametrize(
    "style", ["<<<<<<< main\n{a}=======\n{b}>>>>>>> branch\n", "<<<<<<< a\n{a}||||||| c\n=======\n{b}>>>>>>> b\n"]
)
@pytest.mark.parametrize("before", ["", "a: 1\n", "people:\n  - { email: kim@example.com }\n"])
def test_a_conflict_of_git_is_named_with_its_line(style: str, before: str) -> None:
    """Whatever is in conflict: no message about what the parser makes of it."""
    text = before + style.format(a="  - { email: bo@example.com }\n", b="  - { email: cy@example.com }\n")
    with pytest.raises(BadYaml, match="it is a conflict marker of git; keep what is right of both branches") as told:
        load(text)
    assert told.value.line == before.count("\n") + 1


AS_THE_LIBRARY = {
    "plain values": "[a, 7, 07, 0o17, 1.5, 1e3, ~, '', yes, on, true, 2026-05-04]",
    "times": "- 2026-05-04T08:00:00Z\n- 12:30:45\n- 12:30\n",
    "quoted values": "['7', \"true\", '2026-05-04', \"\\u00e9\"]",
    "tags": "[!!str 7, !!int '7', !!float 7, !!null '', ! 7]",
    "keys": "{7: a, true: b, ~: c, '7': d, 2026-05-04: e}",
    "blocks": "a: |\n  one\n  two\nb: >\n  one\n  two\n",
    "an anchor and a merge": "a: &a {x: 1, y: text}\nb: {<<: *a, y: other}\nc: *a\n",
    "an older version": "%YAML 1.1\n---\n- yes\n- 017\n- 12:30\n",
    "nothing": "",
}


@pytest.mark.parametrize("text", AS_THE_LIBRARY.values(), ids=AS_THE_LIBRARY)
def test_a_document_is_read_as_the_library_reads_it(text: str) -> None:
    """With less work for each value."""
    assert repr(load(text)) == repr(YAML(typ="safe").load(text))
