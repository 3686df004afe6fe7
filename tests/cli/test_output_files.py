"""The file that an option names: an earlier output is replaced, a record of the project never."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mixpanel_access.cli.app import app
from mixpanel_access.cli.output import write_file
from mixpanel_access.model.errors import UsageError

RECORDS = (
    "tracker.jsonl", "reviews/2026-Q2/evidence.jsonl", "reviews/2026-Q2/ana@example.com.yaml", "stacks/production.yaml",
    "stacks/common.YML", "stacks/__main__.py", "Pulumi.yaml", "pyproject.toml", "onboarding.json",
    "policies/config/production.json",
)  # fmt: skip
OUTPUTS = ("evidence.json", "log.csv", "log.xlsx", "report.html", "access.ics", "log.md", "import.json")


def _write(file: Path) -> None:
    write_file(file, b"new", "the table", "Name another file.")


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_of_the_project_is_not_replaced(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever one stands, and however the file is named; what is in it stays."""
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("old")
    monkeypatch.chdir(file.parent)
    for named in (file, Path(file.name), file.parent / "." / file.name):
        with pytest.raises(UsageError, match=r"cannot write the table for .*would replace this file of the project"):
            _write(named)
    assert file.read_text() == "old"


@pytest.mark.parametrize("name", OUTPUTS)
def test_an_earlier_output_is_replaced(name: str, tmp_path: Path) -> None:
    """As a nightly job does it."""
    file = tmp_path / name
    for _ in range(2):
        _write(file)
    assert file.read_text() == "new"


@pytest.mark.parametrize("name", RECORDS)
def test_a_new_file_may_have_any_name(name: str, tmp_path: Path) -> None:
    """Nothing is lost by it."""
    file = tmp_path / Path(name).name
    _write(file)
    assert file.read_text() == "new"


@pytest.mark.parametrize("option", ["--to", "--output"])
def test_a_dash_prints(option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As without the option; no file is named so."""
    monkeypatch.chdir(tmp_path)
    Path("log.jsonl").touch()
    export = ["tracker", "export", "--file", "log.jsonl"]
    named, plain = (CliRunner().invoke(app, [*export, *more]) for more in ([option, "-"], []))
    assert (named.exit_code, named.stdout) == (0, plain.stdout)
    assert named.stdout_bytes.decode("utf-8-sig").startswith("date,")
    assert [file.name for file in tmp_path.iterdir()] == ["log.jsonl"]
