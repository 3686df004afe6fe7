"""Shell completion: it installs, and completes commands, options, stacks, addresses, roles, rules and formats."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.typed import Typed, typed

COMMAND = Path(sys.executable).with_name("mixpanel-access")


def run(home: Path, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The installed command, with a home of its own."""
    clean = {"HOME": str(home), "PATH": os.environ["PATH"], **environ}
    return subprocess.run([COMMAND, *args], env=clean, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("shell", "script"), [("bash", ".bash_completions/mixpanel-access.sh"), ("zsh", ".zfunc/_mixpanel-access")]
)
def test_it_installs(tmp_path: Path, shell: str, script: str) -> None:
    """Into the home of who asks for it, for the shell that is named."""
    done = run(tmp_path, "--install-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert done.returncode == 0, done.stderr
    assert "mixpanel-access" in (tmp_path / script).read_text()


LINES = {
    "mixpanel-access di": {"diagnose"},
    "mixpanel-access review st": {"start", "status"},
    "mixpanel-access status --wa": {"--watch"},
}


@pytest.mark.parametrize(("words", "found"), LINES.items())
def test_it_completes(tmp_path: Path, words: str, found: set[str]) -> None:
    """Commands, commands of groups, and options."""
    count = str(len(words.split()) - 1)
    done = run(tmp_path, _MIXPANEL_ACCESS_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=count)
    assert set(done.stdout.split()) == found


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in a project with two stacks."""
    (tmp_path / "Pulumi.yaml").write_text("name: access\nruntime: python\nmain: stacks/\nstackConfigDir: stacks\n")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "Pulumi.production.yaml").write_text("config: {}\n")
    roster = "environment: x\npeople:\n  - email: %s\n  - { email: 'kim@example.com', projects: { shop: admin } }\n"
    (tmp_path / "stacks" / "production.yaml").write_text(roster % "robin@agency.example.org")
    (tmp_path / "stacks" / "staging.yaml").write_text(roster % "noor@example.com  # for a week")
    (tmp_path / "stacks" / "common.yaml").write_text("engagements: {}\n")
    monkeypatch.chdir(tmp_path / "stacks")
    return tmp_path


def completed(line: str, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """What the shell gets for a line whose last word is not complete."""
    words = f"mixpanel-access {line}"
    monkeypatch.setenv("_MIXPANEL_ACCESS_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
    return typed()


STACKS = {"production", "staging"}
PEOPLE = {"robin@agency.example.org", "kim@example.com", "noor@example.com"}
IN_A_PROJECT = {
    "status --stack ": STACKS,
    "import -s st": {"staging"},
    "review decide kim@example.com keep --stack p": {"production"},
    "ownership --stack ": STACKS,
    "offboard ": PEOPLE,
    "status kim@example.com r": {"robin@agency.example.org"},
    "release --email n": {"noor@example.com"},
    "onboard kim@example.com --by ": PEOPLE,
}
ANYWHERE = {
    "policy explain domain-a": {"domain-allowed"},
    "evidence --format ": {"json", "csv", "xlsx"},
    "tracker export --format ": {"csv", "xlsx", "markdown", "json"},
    "welcome kim@example.com --format h": {"html"},
    "invite --organization-role ": {"owner", "admin", "billing_admin", "member"},
    "invite --project shop=a": {"shop=admin", "shop=analyst"},
    "review decide kim@example.com lower=c": {"lower=consumer"},
    "review start --reviewer-by s": {"sponsor"},
    "new access --ci git": {"github", "gitlab"},
}


@pytest.mark.parametrize(("line", "found"), {**IN_A_PROJECT, **ANYWHERE}.items())
@pytest.mark.usefixtures("project")
def test_values_are_completed(line: str, found: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """From the project's files and from what we know, wherever in the project one is."""
    came = completed(line, monkeypatch)
    assert (came.code, set(came.out.split()), came.err, came.error) == (0, found, "", None)


def test_another_project_can_be_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By --cwd, as for the command itself."""
    monkeypatch.chdir("/")
    assert set(completed(f"status --cwd {project} --stack ", monkeypatch).out.split()) == STACKS


BROKEN = {
    "no project": lambda folder: (folder / "Pulumi.yaml").unlink(),
    "a project that is not UTF-8": lambda folder: (folder / "Pulumi.yaml").write_bytes(b"main: \xff"),
    "a roster that is not UTF-8": lambda folder: (folder / "stacks" / "staging.yaml").write_bytes(b"email: \xff"),
    "no program": lambda folder: (folder / "Pulumi.yaml").write_text("main: elsewhere/__main__.py\n"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_where_nothing_can_be_read_nothing_is_offered(
    name: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No error, and no traceback in the line that somebody types."""
    BROKEN[name](project)
    for line in ("offboard ", "release --email r"):
        came = completed(line, monkeypatch)
        assert (came.code, came.out.strip(), came.err, came.error) == (0, "", "", None)


def test_the_shell_gets_them(project: Path) -> None:
    """From the installed command, with what bash sets."""
    words = f"mixpanel-access revoke --cwd {project} --stack "
    done = run(project, _MIXPANEL_ACCESS_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD="5")
    assert (set(done.stdout.split()), done.stderr) == (STACKS, "")
