"""Shell completion: it installs, and completes commands and options."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
