"""Start-up: no command waits for what it does not need. How long it takes is in the bench."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.invocations import APART, INVOCATIONS
from tests.cli.test_help import ALL

PROBE = """
import sys
sys.argv[0] = "mixpanel-access"
from mixpanel_access.cli import main
try:
    main()
except SystemExit as end:
    print(end.code or 0, *sys.modules, file=sys.stderr)
"""

FORKS = """
import json, os, sys, tempfile, traceback
import pydantic, ruamel.yaml, typer.main
import mixpanel_access.cli.app, mixpanel_access.model.roster.reading, mixpanel_access.operations.project
from mixpanel_access.cli import main
for words in json.load(sys.stdin):
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as said:
        if not (child := os.fork()):
            try:
                os.chdir(folder)
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                os.dup2(said.fileno(), 2)
                sys.argv = ["mixpanel-access", *words]
                main()
            except SystemExit as end:
                print(end.code or 0, *sys.modules, file=sys.stderr, flush=True)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        said.seek(0)
        print(json.dumps(said.read()))
"""
"""Starts each command in a process that has what all of them import, which is none of what they bring later."""

pytestmark = pytest.mark.slow

LATER = {
    *("pulumi", "pulumi_policy", "starlette", "click", "pygments", "openpyxl", "httpx", "stamina", "jinja2"),
    *("markdown_it", "icalendar", "rapidfuzz", "http.client", "mixpanel_access.api.client"),
}
"""What a command brings only when it does the work for it; each takes 10 to 100 ms to come."""


SHARED = {f"mixpanel_access.cli.{name}" for name in ("app", "streams", "options", "output")}
"""What several commands have in common."""
MOST_FILES = 3
"""Files with commands of which one command may be."""


Start = tuple[int, set[str], str]
"""The exit code of a command in an empty folder, the modules that it has brought, and its standard error."""


def modules(tmp_path: Path, *args: str) -> Start:
    """The start of a command in a process of its own."""
    shown = subprocess.run(
        [sys.executable, "-c", PROBE, *args], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    return _start(shown.stderr)


@pytest.fixture(scope="module")
def started() -> dict[str, Start]:
    """The start of each command."""
    words = [[*command.split(), *INVOCATIONS[command]] for command in INVOCATIONS]
    shown = subprocess.run(
        [sys.executable, "-c", FORKS], input=json.dumps(words), capture_output=True, text=True, timeout=200, check=True
    )
    said = [json.loads(line) for line in shown.stdout.splitlines()]
    return dict(zip(INVOCATIONS, map(_start, said), strict=True))


def _start(shown: str) -> Start:
    *said, last = shown.splitlines()
    code, *found = last.split()
    return int(code), set(found), "\n".join(said)


def test_every_command_is_started() -> None:
    """None is left out."""
    leaves = {" ".join(path) for path in ALL if path and not any(other[: len(path)] == path != other for other in ALL)}
    assert leaves == {*INVOCATIONS, *APART}


@pytest.mark.parametrize("command", INVOCATIONS)
def test_a_command_brings_what_it_needs_when_it_needs_it(command: str, started: dict[str, Start]) -> None:
    """Nothing is a project yet here: so no SDK, no HTTP, no templates, no workbook, no calendar."""
    code, found, said = started[command]
    assert code in (0, 2), said
    assert said.count("\n") == 0, said
    assert found & LATER <= ({"jinja2"} if command == "new" else set())  # which is done there and then
    assert len(files_of_commands(found)) in range(1, MOST_FILES + 1)


def test_help_brings_next_to_nothing(tmp_path: Path) -> None:
    """One looks something up, and waits for no library."""
    code, found, _ = modules(tmp_path, "--help")
    assert code == 0
    assert not {"pydantic", "httpx", "ruamel.yaml", "rich", "jinja2", "pulumi"} & found
    assert not [name for name in found if name.startswith("mixpanel_access.operations")]
    assert files_of_commands(found) == set()


def files_of_commands(found: set[str]) -> set[str]:
    """The files of commands among some modules."""
    return {name for name in found if name.startswith("mixpanel_access.cli.")} - SHARED


@pytest.mark.parametrize("line", ["", "re", "review ", "status --stack ", "offboard ", "tracker export --format "])
def test_completion_brings_next_to_nothing(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine, no network, no YAML parser: somebody waits for it."""
    words = f"mixpanel-access {line}"
    monkeypatch.setenv("_MIXPANEL_ACCESS_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
    code, found, said = modules(tmp_path)
    assert (code, said) == (0, "")
    assert not {"httpx", "ruamel.yaml", "rich", "jinja2", "pulumi"} & found
    assert not [name for name in found if name.startswith(("mixpanel_access.operations", "mixpanel_access.engine"))]
    assert len(files_of_commands(found)) <= (line not in ("", "re", "review "))


def test_a_provider_brings_no_command_line() -> None:
    """Each `pulumi` command starts one; httpx would take its own command line along."""
    probe = "import sys, mixpanel_access.provider, mixpanel_access.api.client; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=True)
    assert "httpx" in found.stdout.split()
    assert not {"click", "pygments", "rich", "typer"} & {*found.stdout.split()}


def test_the_removed_command_names_its_successor(tmp_path: Path) -> None:
    """In one line, whatever its arguments were, and no list of commands has it."""
    code, _, said = modules(tmp_path, "expire", "--days", "14", "--stack", "production")
    assert (code, said) == (2, "error: `expire` was removed; use `mixpanel-access revoke --within 14`")
    assert ("expire",) not in ALL
