"""A new project is this one's, and goes over nothing that is there."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import re
import resource
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import Distribution
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from mixpanel_access import __version__
from mixpanel_access.cli.app import app
from mixpanel_access.files.roster import read_roster
from mixpanel_access.model.declaration import declaration
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.new_project import CI, NAME, Backend
from mixpanel_access.operations.new_project import (
    CHANGED,
    COPIED,
    EXAMPLE_DAY,
    ROSTERS,
    WHEEL,
    new_project,
    project_files,
    wheel_of,
    without_exception,
)
from mixpanel_access.operations.policy_check import read_policy_config, violations
from mixpanel_access.rules.catalogue import EXCEPTABLE
from mixpanel_access.rules.facts import Context
from mixpanel_access.rules.rule import Level
from tests.examples.linter import find_actionlint, lint
from tests.examples.rules import actions_are_pinned

ROOT = Path(__file__).parents[2]
CONTENT = b"a wheel"


def files_of(name: str = NAME, ci: CI = CI.GITHUB) -> dict[str, str]:
    """The files of a new project that are text."""
    return {file: text for file, text in project_files(CONTENT, name, ci).items() if isinstance(text, str)}


def test_what_this_project_has_is_copied() -> None:
    """No file of this project's own program, rosters and policies is left out, and none differs."""
    folders = ("stacks", "plugins", "policies")
    own = {str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()}
    assert {file for file in own if "__pycache__" not in file} == {f for f in COPIED if f.startswith(folders)}
    made = files_of()
    theirs = {file: (ROOT / file).read_text() for file in COPIED}
    theirs |= {file: without_exception(theirs[file]) for file in ROSTERS}
    assert {file: made[file] for file in COPIED} == theirs
    assert made["Pulumi.yaml"] == (ROOT / "Pulumi.yaml").read_text()
    assert f"version: {__version__}\n" in made["policies/PulumiPolicy.yaml"]


def test_what_is_copied_is_in_the_wheel() -> None:
    """The build takes exactly these files along."""
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {f: f"mixpanel_access/templates/project/{f}" for f in (*COPIED, *CHANGED)}


def test_the_engagements_of_a_new_project_begin_on_its_day(tmp_path: Path) -> None:
    """All days of the rosters move together, and nothing else does."""
    new_project(tmp_path, CONTENT, today=EXAMPLE_DAY + timedelta(days=300))
    new_project(tmp_path / "before", CONTENT, today=EXAMPLE_DAY)
    before, after = (read_roster(folder / "stacks" / "production.yaml") for folder in (tmp_path / "before", tmp_path))
    for old, new in zip(before.engagements.values(), after.engagements.values(), strict=True):
        for name in ("starts", "ends"):
            moved = date.fromisoformat(getattr(new, name)) - date.fromisoformat(getattr(old, name))
            assert moved == timedelta(days=300)
    assert [one.sow for one in after.engagements.values()] == [one.sow for one in before.engagements.values()]
    assert after.people == before.people


@pytest.mark.parametrize("stack", ["production", "staging"])
def test_the_rosters_that_ship_pass_the_policies_that_ship(stack: str) -> None:
    """On the day on which their engagements begin, and when the first exception is about to end."""
    config = read_policy_config(ROOT / "policies" / "config" / f"{stack}.json")
    roster = read_roster(ROOT / "stacks" / f"{stack}.yaml")
    settings = YAML(typ="safe").load(ROOT / "stacks" / f"Pulumi.{stack}.yaml")["config"]
    approvers = frozenset(settings["mixpanel:approvers"].split(","))
    for day in (EXAMPLE_DAY, EXAMPLE_DAY + timedelta(days=89)):
        around = Context(day, stack, frozenset({"example.com"}), rules=EXCEPTABLE, approvers=approvers)
        found = list(violations(declaration(roster, day), around, config))
        assert [one.text for one in found if one.level is Level.MANDATORY] == []
        assert ("exceptions-in-force" in {one.rule.id for one in found}) == (stack == "production")


@pytest.mark.parametrize("stack", ["production", "staging"])
def test_the_first_run_of_a_new_project_has_no_finding(tmp_path: Path, stack: str) -> None:
    """Not even advice, on the day on which it is made, with its own configuration of the policies."""
    today = date(2031, 2, 3)
    new_project(tmp_path, CONTENT, today=today)
    config = read_policy_config(tmp_path / "policies" / "config" / f"{stack}.json")
    approvers = frozenset({"ana@example.com", "omar@example.com"})
    around = Context(today, stack, frozenset({"example.com"}), rules=EXCEPTABLE, approvers=approvers)
    roster = read_roster(tmp_path / "stacks" / f"{stack}.yaml")
    assert roster.people
    assert [one.text for one in violations(declaration(roster, today), around, config)] == []


@pytest.mark.parametrize("ci", [CI.GITHUB, CI.GITLAB])
def test_the_project_stands_alone(tmp_path: Path, ci: CI) -> None:
    """Its rosters read, its workflow installs the pinned package, and its page says what to set."""
    new_project(tmp_path / "deep" / "access", CONTENT, "our-access", ci)
    folder = tmp_path / "deep" / "access"
    assert YAML(typ="safe").load(folder / "Pulumi.yaml")["name"] == "our-access"
    for stack in ("production", "staging"):
        assert read_roster(folder / "stacks" / f"{stack}.yaml").people
    workflow = {CI.GITHUB: ".github/workflows/mixpanel-access.yml", CI.GITLAB: ".gitlab-ci.yml"}[ci]
    text = (folder / workflow).read_text()
    assert "make " not in text
    assert ".venv/bin/pip install -q --require-hashes --no-deps -r requirements.txt" in text
    assert "docs/ci.md" in text.splitlines()[0]
    page = (folder / "docs" / "ci.md").read_text()
    assert "`MIXPANEL_SERVICE_ACCOUNT_SECRET`" in page
    assert "](" not in page  # links would lead out of the project
    readme = (folder / "README.md").read_text()
    assert readme.startswith("# our-access\n")
    assert f"`{workflow}`" in readme


def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    """The workflow is one for GitHub still."""
    new_project(tmp_path, CONTENT)
    outcome = lint(find_actionlint(), tmp_path / ".github" / "workflows" / "mixpanel-access.yml")
    assert (outcome.stdout, outcome.stderr, outcome.returncode) == ("", "", 0)


REMOTE = [Backend.PULUMI_CLOUD, Backend.S3, Backend.GCS, Backend.AZBLOB]


@pytest.mark.parametrize("backend", REMOTE)
def test_each_backend_has_its_step_in_the_workflow(tmp_path: Path, backend: Backend) -> None:
    """In the preview and in the other jobs, with what is to be set on its page; nothing of another cloud is left."""
    new_project(tmp_path, CONTENT, backend=backend)
    workflow = tmp_path / ".github" / "workflows" / "mixpanel-access.yml"
    outcome = lint(find_actionlint(), workflow)
    assert (outcome.stdout, outcome.stderr, outcome.returncode) == ("", "", 0)
    uses = {
        Backend.PULUMI_CLOUD: "pulumi/auth-actions",
        Backend.S3: "aws-actions/configure-aws-credentials",
        Backend.GCS: "google-github-actions/auth",
        Backend.AZBLOB: "azure/login",
    }
    text = workflow.read_text()
    assert {backend: text.count(f"uses: {action}@") for backend, action in uses.items()} == {
        one: 2 if one is backend else 0 for one in uses
    }
    assert list(actions_are_pinned(text)) == []
    page = (tmp_path / "docs" / "ci.md").read_text()
    assert ("`AWS_ROLE_TO_ASSUME`" in page) == (backend is Backend.S3)
    assert "](" not in page
    assert "```" not in page.partition("## What a branch can do")[2] or backend is Backend.S3
    assert "pulumi login" in (tmp_path / "README.md").read_text()


def test_a_project_without_ci_says_what_must_run_each_night(tmp_path: Path) -> None:
    """It has no workflow, no reviewers and no page about CI, and its README has no hole where they were."""
    written = new_project(tmp_path, CONTENT, ci=CI.NONE, backend=Backend.FILE)
    assert set(files_of()) - set(written) == {
        ".github/workflows/mixpanel-access.yml",
        ".github/CODEOWNERS",
        ".github/pull_request_template.md",
        "docs/ci.md",
    }
    readme = (tmp_path / "README.md").read_text()
    assert "``" not in readme.replace("```", "")
    assert "mixpanel-access revoke --yes" in readme
    assert 'pulumi login "file://$PWD?metadata=skip"' in readme


@pytest.mark.parametrize(
    ("ci", "backend"),
    [*((ci, Backend.FILE) for ci in (CI.GITHUB, CI.GITLAB)), *((CI.GITLAB, one) for one in REMOTE if one != "s3")],
)
def test_a_workflow_that_could_not_reach_the_states_is_refused(tmp_path: Path, ci: CI, backend: Backend) -> None:
    """Before anything is written, with what to choose."""
    with pytest.raises(UsageError, match=r"cannot make the CI workflow: .* --ci none"):
        new_project(tmp_path / "access", CONTENT, ci=ci, backend=backend)
    assert not (tmp_path / "access").exists()


@pytest.mark.parametrize("file", project_files(CONTENT))
def test_no_file_is_touched(tmp_path: Path, file: str) -> None:
    """Where one is there already, nothing at all is written, and one line says so."""
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).symlink_to("nowhere")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match=f"it has {file} already. Nothing was written"):
        new_project(tmp_path, CONTENT)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_with_other_files_is_taken(tmp_path: Path) -> None:
    """A repository that was just made has some."""
    (tmp_path / "LICENSE").write_text("ours")
    assert set(new_project(tmp_path, CONTENT)) == {*files_of(), WHEEL}
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
        new_project(tmp_path / "access" / "deep", CONTENT)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_name_too_long_is_told(tmp_path: Path) -> None:
    """As what it is, and with what helps."""
    with pytest.raises(UsageError, match=r"for .*aaa: File name too long. Name a shorter one"):
        new_project(tmp_path / ("a" * 300), CONTENT)


@pytest.mark.parametrize("mode", [0o000, 0o500], ids=["not to be entered", "not to be written"])
def test_a_folder_that_is_not_ours_is_told(tmp_path: Path, mode: int) -> None:
    """As what it is, and with what helps."""
    folder = tmp_path / "theirs"
    folder.mkdir(mode=mode)
    if os.access(folder, os.W_OK):
        pytest.skip("root may write into every folder")
    with pytest.raises(UsageError, match=r"for .*theirs.*: Permission denied. Make the folder writable"):
        new_project(folder, CONTENT)


def test_half_a_project_is_not_left(tmp_path: Path, largest_file: Callable[[int], None]) -> None:
    """What was written before one that cannot be goes again, with the folders; the rerun then passes."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "LICENSE").write_text("ours")
    most = max(len(text.encode()) for text in files_of().values())
    largest_file(most - 1)
    with pytest.raises(UsageError, match=rf"^cannot make the project for {tmp_path}: File too large"):
        new_project(tmp_path, CONTENT)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["LICENSE", "docs"]
    largest_file(most)
    assert set(new_project(tmp_path, CONTENT)) == {*files_of(), WHEEL}


@pytest.fixture
def largest_file() -> Iterator[Callable[[int], None]]:
    """Sets the size in bytes over which no file may grow, as a quota does."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


@pytest.mark.parametrize("name", ["123", "null", "true", "yes", "-", "1.5", "2024-01-01", "0x1F", "1e3", ".a"])
def test_a_name_is_a_text_whatever_it_looks_like(name: str) -> None:
    """Pulumi takes no number, truth value or day for a name, and this project's own file stays the source."""
    made, own = files_of(name)["Pulumi.yaml"], (ROOT / "Pulumi.yaml").read_text()
    read = YAML(typ="safe").load(made)
    assert read == {**YAML(typ="safe").load(own), "name": name}
    assert made.splitlines()[1:] == own.splitlines()[1:]


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "a" * 101, "a\nb", "a\n", "~", '"', "\\", ".", ".."])
def test_a_name_that_pulumi_refuses_is_refused(tmp_path: Path, name: str) -> None:
    """Before anything is written."""
    with pytest.raises(UsageError, match="cannot name the project"):
        new_project(tmp_path, CONTENT, name)
    assert list(tmp_path.iterdir()) == []


def test_the_command_lists_every_file(tmp_path: Path) -> None:
    """As lines and as JSON."""
    wheel = tmp_path / WHEEL
    wheel.write_bytes(CONTENT)
    shown = CliRunner().invoke(app, ["new", str(tmp_path / "one"), "--wheel", str(wheel)])
    assert shown.exit_code == 0, shown.output
    assert all(f"  {file}\n" in shown.output for file in project_files(CONTENT))
    more = ("--ci", "gitlab", "--json", "--wheel", str(wheel))
    shown = CliRunner().invoke(app, ["new", str(tmp_path / "two"), *more])
    assert '".gitlab-ci.yml"' in shown.output
    assert (tmp_path / "two" / WHEEL).read_bytes() == CONTENT


@pytest.mark.parametrize("ci", [CI.GITHUB, CI.GITLAB])
def test_nothing_is_installed_without_a_hash(tmp_path: Path, ci: CI) -> None:
    """Nor by a name that nobody has registered: the wheel lies in the project, and another one does not fit."""
    new_project(tmp_path, CONTENT, ci=ci)
    requirements = (tmp_path / "requirements.txt").read_text()
    first, *rest = re.split(r"\n(?=\S)", requirements.replace("\\\n", " ").strip())
    assert first == f"./{WHEEL} --hash=sha256:{hashlib.sha256(CONTENT).hexdigest()}"
    assert len(rest) > 40
    assert all(re.match(r"[a-z0-9-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line) for line in rest)
    for file in (path for path in tmp_path.rglob("*") if path.is_file() and path.name != WHEEL):
        for command in re.findall(r"pip install .*", file.read_text()):
            assert "--require-hashes --no-deps -r requirements.txt" in command or f"./{WHEEL}[emulator]" in command
        assert not re.search(r"mixpanel-access(\[\w+\])?==", file.read_text())


@pytest.mark.parametrize(("ci", "folder"), [(CI.GITHUB, ".github"), (CI.GITLAB, ".gitlab")])
def test_what_runs_with_credentials_has_owners(tmp_path: Path, ci: CI, folder: str) -> None:
    """Each file of a project but its rosters is the platform team's, by the last line that fits."""
    new_project(tmp_path, CONTENT, ci=ci)
    lines = [
        line.split() for line in (tmp_path / folder / "CODEOWNERS").read_text().splitlines() if line[:1] not in "# "
    ]
    rosters = {"stacks/common.yaml", "stacks/production.yaml", "stacks/staging.yaml"}
    docs = {"README.md", "docs/ci.md", "docs/common.schema.json", "docs/roster.schema.json"}
    free = rosters | docs | {".gitignore", ".gitattributes"}
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        file = str(path.relative_to(tmp_path))
        owner = next(owner for pattern, owner in reversed(lines) if _fits(file, pattern))
        assert (owner == "@example/access-owners") == (file in free), file


def _fits(file: str, pattern: str) -> bool:
    """As .gitignore has it: a leading slash is the root, a closing one a folder, else a name anywhere."""
    if pattern.startswith("/"):
        return file.startswith(pattern[1:]) if pattern.endswith("/") else file == pattern[1:]
    return fnmatch.fnmatch(Path(file).name, pattern)


@dataclass
class Installed(Distribution):
    """An installed package with the notes of its installer."""

    notes: dict[str, str]

    def read_text(self, filename: str) -> str | None:
        return self.notes.get(filename)

    def locate_file(self, path: object) -> NoReturn:
        raise NotImplementedError


RECORD = "mixpanel_access/a.py,sha256=aa,1\n"
NOTE = f"mixpanel_access-{__version__}.dist-info/RECORD,,\n"


@pytest.mark.parametrize(
    ("url", "record", "found"),
    [
        pytest.param("file://{wheel}", RECORD + "../../bin/x,sha256=bb,2\n" + NOTE, True, id="the same"),
        pytest.param("file://{wheel}", RECORD.replace("aa", "cc") + NOTE, False, id="another build"),
        pytest.param("file://{folder}/gone/{name}", RECORD + NOTE, False, id="gone"),
        pytest.param("file://{folder}", RECORD + NOTE, False, id="a clone"),
        pytest.param("https://pypi.example.com/{name}", RECORD + NOTE, False, id="an address"),
        pytest.param("", RECORD + NOTE, False, id="an index"),
    ],
)
def test_the_installed_wheel_is_found_and_no_other(tmp_path: Path, url: str, record: str, found: bool) -> None:
    """By the note of the installer, and only with the files that are installed."""
    wheel = tmp_path / "a folder" / WHEEL
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"mixpanel_access-{__version__}.dist-info/RECORD", RECORD + NOTE)
    note = url.format(wheel=quote(str(wheel)), folder=quote(str(tmp_path)), name=WHEEL)
    notes = {"RECORD": record, **({"direct_url.json": json.dumps({"url": note})} if note else {})}
    assert wheel_of(Installed(notes)) == (wheel if found else None)


def test_without_a_wheel_nothing_is_written(tmp_path: Path) -> None:
    """One line says where to get it: a clone, as here, is no wheel; nor is a file of another name."""
    shown = CliRunner().invoke(app, ["new", str(tmp_path / "one")])
    assert isinstance(shown.exception, UsageError)
    assert "Name it with --wheel: `make package` builds it" in str(shown.exception)
    other = tmp_path / "mixpanel_access-0.0.1-py3-none-any.whl"
    other.write_bytes(CONTENT)
    shown = CliRunner().invoke(app, ["new", str(tmp_path / "one"), "--wheel", str(other)])
    assert f"the wheel of this version is {WHEEL}" in str(shown.exception)
    assert list(tmp_path.iterdir()) == [other]
