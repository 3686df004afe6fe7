"""A new project is this one's, and goes over nothing that is there."""

from __future__ import annotations

import os
import resource
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from mixpanel_access import __version__
from mixpanel_access.cli.app import app
from mixpanel_access.files.roster import read_roster
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.new_project import CI
from mixpanel_access.operations.scaffolding import CHANGED, COPIED, new_project, project_files
from tests.examples.linter import find_actionlint, lint

ROOT = Path(__file__).parents[2]


def test_what_this_project_has_is_copied() -> None:
    """No file of this project's own program, rosters and policies is left out, and none differs."""
    folders = ("stacks", "policies")
    own = {str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()}
    assert {file for file in own if "__pycache__" not in file} == {f for f in COPIED if f.startswith(folders)}
    made = project_files()
    assert {file: made[file] for file in COPIED} == {file: (ROOT / file).read_text() for file in COPIED}
    assert made["Pulumi.yaml"] == (ROOT / "Pulumi.yaml").read_text()
    assert f"version: {__version__}\n" in made["policies/PulumiPolicy.yaml"]


def test_what_is_copied_is_in_the_wheel() -> None:
    """The build takes exactly these files along."""
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {f: f"mixpanel_access/templates/project/{f}" for f in (*COPIED, *CHANGED)}


@pytest.mark.parametrize("ci", CI)
def test_the_project_stands_alone(tmp_path: Path, ci: CI) -> None:
    """Its rosters read, its workflow installs the pinned package, and its page says what to set."""
    new_project(tmp_path / "deep" / "access", "our-access", ci)
    folder = tmp_path / "deep" / "access"
    assert YAML(typ="safe").load(folder / "Pulumi.yaml")["name"] == "our-access"
    assert (folder / "requirements.txt").read_text() == f"mixpanel-access=={__version__}\n"
    for stack in ("production", "staging"):
        assert read_roster(folder / "stacks" / f"{stack}.yaml").people
    workflow = {CI.GITHUB: ".github/workflows/mixpanel-access.yml", CI.GITLAB: ".gitlab-ci.yml"}[ci]
    text = (folder / workflow).read_text()
    assert "make " not in text
    assert ".venv/bin/pip install -q -r requirements.txt" in text
    assert "docs/ci.md" in text.splitlines()[0]
    page = (folder / "docs" / "ci.md").read_text()
    assert "`MIXPANEL_SERVICE_ACCOUNT_SECRET`" in page
    assert "](" not in page  # links would lead out of the project
    readme = (folder / "README.md").read_text()
    assert readme.startswith("# our-access\n")
    assert f"`{workflow}`" in readme


def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    """The workflow is one for GitHub still."""
    new_project(tmp_path)
    outcome = lint(find_actionlint(), tmp_path / ".github" / "workflows" / "mixpanel-access.yml")
    assert (outcome.stdout, outcome.stderr, outcome.returncode) == ("", "", 0)


@pytest.mark.parametrize("file", project_files())
def test_no_file_is_touched(tmp_path: Path, file: str) -> None:
    """Where one is there already, nothing at all is written, and one line says so."""
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).symlink_to("nowhere")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match=f"it has {file} already. Nothing was written"):
        new_project(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_with_other_files_is_taken(tmp_path: Path) -> None:
    """A repository that was just made has some."""
    (tmp_path / "LICENSE").write_text("ours")
    assert set(new_project(tmp_path)) == set(project_files())
    assert (tmp_path / "LICENSE").read_text() == "ours"


@pytest.mark.parametrize("link", [False, True], ids=["a file", "a link to nowhere"])
@pytest.mark.parametrize("way", ["access", "access/deep", "access/deep/docs", "access/deep/.github/workflows"])
def test_a_file_is_no_folder(tmp_path: Path, way: str, link: bool) -> None:
    """Wherever it is in the way, one clear error names it, and nothing at all is written."""
    file = tmp_path / way
    file.parent.mkdir(parents=True, exist_ok=True)
    file.symlink_to("nowhere") if link else file.write_text("")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match=rf"^cannot make the project for {file}: Not a directory. Move that away, or"):
        new_project(tmp_path / "access" / "deep")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_name_too_long_is_told(tmp_path: Path) -> None:
    """As what it is, and with what helps."""
    with pytest.raises(UsageError, match=r"for .*aaa: File name too long. Name a shorter one"):
        new_project(tmp_path / ("a" * 300))


@pytest.mark.parametrize("mode", [0o000, 0o500], ids=["not to be entered", "not to be written"])
def test_a_folder_that_is_not_ours_is_told(tmp_path: Path, mode: int) -> None:
    """As what it is, and with what helps."""
    folder = tmp_path / "theirs"
    folder.mkdir(mode=mode)
    if os.access(folder, os.W_OK):
        pytest.skip("root may write into every folder")
    with pytest.raises(UsageError, match=r"for .*theirs.*: Permission denied. Make the folder writable"):
        new_project(folder)


def test_half_a_project_is_not_left(tmp_path: Path, largest_file: Callable[[int], None]) -> None:
    """What was written before one that cannot be goes again, with the folders; the rerun then passes."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "LICENSE").write_text("ours")
    most = max(len(text.encode()) for text in project_files().values())
    largest_file(most - 1)
    with pytest.raises(UsageError, match=rf"^cannot make the project for {tmp_path}: File too large"):
        new_project(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["LICENSE", "docs"]
    largest_file(most)
    assert set(new_project(tmp_path)) == set(project_files())


@pytest.fixture
def largest_file() -> Iterator[Callable[[int], None]]:
    """Sets the size in bytes over which no file may grow, as a quota does."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


@pytest.mark.parametrize("name", ["123", "null", "true", "yes", "-", "1.5", "2024-01-01", "0x1F", "1e3", ".a"])
def test_a_name_is_a_text_whatever_it_looks_like(name: str) -> None:
    """Pulumi takes no number, truth value or day for a name, and this project's own file stays the source."""
    made, own = project_files(name)["Pulumi.yaml"], (ROOT / "Pulumi.yaml").read_text()
    read = YAML(typ="safe").load(made)
    assert read == {**YAML(typ="safe").load(own), "name": name}
    assert made.splitlines()[1:] == own.splitlines()[1:]


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "a" * 101, "a\nb", "a\n", "~", '"', "\\", ".", ".."])
def test_a_name_that_pulumi_refuses_is_refused(tmp_path: Path, name: str) -> None:
    """Before anything is written."""
    with pytest.raises(UsageError, match="cannot name the project"):
        new_project(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_the_command_tells_every_file(tmp_path: Path) -> None:
    """As lines and as JSON."""
    folder = str(tmp_path / "one")
    shown = CliRunner().invoke(app, ["new", folder])
    assert shown.exit_code == 0
    assert all(f"  {file}\n" in shown.output for file in project_files())
    shown = CliRunner().invoke(app, ["new", str(tmp_path / "two"), "--ci", "gitlab", "--json"])
    assert '".gitlab-ci.yml"' in shown.output
