"""The runner of the Pulumi command line captures, judges and never leaves a process behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import url2pathname

import pytest

from mixpanel_access.engine import Completed, Engine, Pulumi, local_backend
from mixpanel_access.engine.process import run_child
from mixpanel_access.engine.runner import meaningful
from mixpanel_access.model.errors import EngineError

from .engine_fakes import SYSTEM, alive, write_engine

pytestmark = pytest.mark.timeout(120)


def fake(tmp_path: Path, body: str) -> Pulumi:
    """A Pulumi whose command is a shell script."""
    project = tmp_path / "a project"
    project.mkdir()
    return Pulumi(Engine(write_engine(tmp_path / "bin", body), "3.259.0", "path"), project, {"PATH": SYSTEM})


def test_both_streams_are_captured(tmp_path: Path) -> None:
    """A run gives both streams, its exit code and the arguments as they were given."""
    pulumi = fake(tmp_path, "pwd; echo warn >&2; exit 0")
    assert pulumi.run("stack", "ls") == Completed(("stack", "ls"), 0, f"{tmp_path}/a project\n", "warn\n")


def test_much_output_on_both_streams_does_not_block(tmp_path: Path) -> None:
    """More output than a pipe holds comes through whole, on both streams."""
    completed = fake(tmp_path, "seq 60000; seq 60000 >&2").run("up")
    assert completed.stdout == completed.stderr == "".join(f"{n}\n" for n in range(1, 60001))


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        pytest.param(["up", "--yes"], "--non-interactive --color=never up --yes", id="added"),
        pytest.param(["up", "--color", "always"], "--non-interactive up --color always", id="own-colour"),
        pytest.param(["up", "--color=always"], "--non-interactive up --color=always", id="own-colour-joined"),
        pytest.param(["--non-interactive", "up"], "--color=never --non-interactive up", id="own-non-interactive"),
        pytest.param(["x", "--", "--color"], "--non-interactive --color=never x -- --color", id="after-a-separator"),
    ],
)
def test_options_are_added_where_they_are_missing(tmp_path: Path, args: list[str], expected: str) -> None:
    """No question and no colour, unless the arguments say otherwise."""
    assert fake(tmp_path, 'echo "$*"').run(*args).stdout.strip() == expected


def test_a_failure_tells_the_lines_that_matter(tmp_path: Path) -> None:
    """A failed run raises with the engine's own error, not with the words around it."""
    pulumi = fake(
        tmp_path,
        "echo 'Updating (dev):'; echo 'error: the stack is locked'; echo ' by me'; echo; "
        "echo 'Resources:'; echo '    1 errored'; exit 255",
    )
    with pytest.raises(EngineError) as caught:
        pulumi.run("up", "--yes")
    assert "pulumi up failed" in str(caught.value)
    assert "exit code 255: error: the stack is locked / by me." in str(caught.value)
    assert pulumi.run("up", check=False).returncode == 255


def test_who_is_not_logged_in_is_told_both_ways(tmp_path: Path) -> None:
    """The engine asks for a token alone; a state of one's own needs none."""
    told = "echo 'error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions' >&2; exit 3"
    with pytest.raises(EngineError, match=r"`pulumi login`, or PULUMI_BACKEND_URL\. Then run it again\."):
        fake(tmp_path, told).run("stack", "ls")


def test_a_secret_argument_is_not_in_the_error(tmp_path: Path) -> None:
    """An error names the command and never a value given to it."""
    with pytest.raises(EngineError) as caught:
        fake(tmp_path, "exit 1").run("config", "set", "--secret", "key", "hunter2")
    assert "pulumi config set" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("stdout", "stderr", "told"),
    [
        pytest.param("", "", "it printed nothing", id="silent"),
        pytest.param("a\nb\nc\nd\n", "", "b / c / d", id="last-lines"),
        pytest.param("noise\n", "error: no stack\n", "error: no stack", id="on-stderr"),
        pytest.param("error: x\n  why\n\nResources:\n  1\n", "", "error: x / why", id="without-the-summary"),
        pytest.param("error: Exception calling application: why\n", "", "error: why", id="from-an-older-sdk"),
        pytest.param("error: mixpanel_access.model.errors.Invalid: why\n", "", "error: why", id="from-a-newer-sdk"),
    ],
)
def test_the_lines_that_matter(stdout: str, stderr: str, told: str) -> None:
    """The engine's error lines are told, or else the last lines."""
    assert meaningful(stdout, stderr) == told


def test_lines_come_as_they_are_written(tmp_path: Path) -> None:
    """The listener hears a line while the command still runs."""
    gate = tmp_path / "gate"
    body = f"echo first; while [ ! -e '{gate}' ]; do sleep 0.02; done; echo second >&2"
    heard: list[str] = []

    def listen(line: str) -> None:
        heard.append(line)
        gate.touch()

    fake(tmp_path, body).run("up", timeout=60, on_line=listen)
    assert heard == ["first", "second"]


def test_a_time_out_kills_plugins_in_groups_of_their_own(tmp_path: Path) -> None:
    """A time-out ends the command, its children, and those in another process group, even if they ignore a signal."""
    engine = "trap '' INT; set -m; sleep 600 & echo $$ $! $(cut -d' ' -f5 /proc/$!/stat) > pids; wait"
    outcome = run_child(["bash", "-c", engine], env={"PATH": SYSTEM}, cwd=tmp_path, timeout=1, grace=0.2)
    assert outcome.timed_out
    command, plugin, group = map(int, (tmp_path / "pids").read_text().split())
    assert group == plugin
    assert not any(map(alive, (command, plugin)))


def test_the_engine_may_release_its_lock_before_it_is_killed(tmp_path: Path) -> None:
    """On a time-out the engine is asked first, so that it does not leave the stack locked."""
    body = f"trap \"touch '{tmp_path}/released'; exit 1\" INT; while :; do sleep 0.05; done"
    with pytest.raises(EngineError, match=r"pulumi up was stopped .* not done within 0.5 s"):
        fake(tmp_path, body).run("up", timeout=0.5)
    assert (tmp_path / "released").exists()


def test_an_exception_of_the_listener_stops_the_run(tmp_path: Path) -> None:
    """When the listener fails, the command ends with it."""

    def fail(line: str) -> None:
        raise LookupError(line)

    with pytest.raises(LookupError) as caught:
        fake(tmp_path, "echo $$; exec sleep 600").run("up", on_line=fail)
    assert not alive(int(str(caught.value)))


def test_an_output_held_open_does_not_hold_the_run(tmp_path: Path) -> None:
    """A process that outlives the command and keeps its output open is ended, not waited for."""
    started = time.monotonic()
    completed = fake(tmp_path, "sleep 600 & echo $!").run("up")
    assert time.monotonic() - started < 30
    assert not alive(int(completed.stdout))


def test_ctrl_c_ends_the_command_and_its_children(tmp_path: Path) -> None:
    """An interrupt reaches the command and everything it started."""
    pulumi = fake(tmp_path, f"sleep 600 & echo $$ $! > '{tmp_path}/new'; mv '{tmp_path}/new' '{tmp_path}/pids'; wait")
    program = f"""
import signal
from pathlib import Path
from mixpanel_access.engine import Engine, Pulumi
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job in the background ignores it
engine = Engine(Path({str(pulumi.engine.folder)!r}), "3.259.0", "path")
Pulumi(engine, Path({str(pulumi.project)!r}), {{"PATH": {SYSTEM!r}}}).run("up")
"""
    run = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not (tmp_path / "pids").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    assert b"KeyboardInterrupt" in run.communicate(timeout=60)[1]
    assert not any(alive(int(pid)) for pid in (tmp_path / "pids").read_text().split())


def test_a_missing_engine_or_project_is_told(tmp_path: Path) -> None:
    """What cannot be started is an engine error with the path."""
    engine = Engine(tmp_path / "nowhere", "3.259.0", "path")
    with pytest.raises(EngineError, match=r"cannot run pulumi up .*nowhere"):
        Pulumi(engine, tmp_path, {}).run("up")


def test_a_local_backend_lies_in_its_folder(tmp_path: Path) -> None:
    """A local backend needs no account and keeps everything in its folder, also in one with a space in its name."""
    folder = tmp_path / "a backend"
    environment = local_backend(folder, "a passphrase")
    url, _, options = environment.pop("PULUMI_BACKEND_URL").partition("?")
    assert options == "metadata=skip"
    assert url2pathname(url.removeprefix("file://")) == str(folder / "state")
    assert environment == {
        "PULUMI_CONFIG_PASSPHRASE": "a passphrase",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
    assert sorted(path.name for path in folder.iterdir()) == ["home", "state"]
    assert local_backend(folder, "x")["PULUMI_BACKEND_URL"] == f"{url}?{options}"
