"""Runs at the same time make the engine once, and a killed run leaves nothing half made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .engine_fakes import HOST, SYSTEM, World, alive

pytestmark = pytest.mark.timeout(120)


def start(world: World, *steps: str) -> subprocess.Popen[str]:
    """Start `python -m tools.engine` in a world of its own process."""
    program = f"""
import signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job in the background ignores it
from mixpanel_access.engine.settings import EngineSettings
from tools.engine import __main__ as command
root = Path({str(world.root)!r})
settings = EngineSettings(environ={{"PATH": f"{{root}}/bin:{SYSTEM}"}}, cache=root / "cache", steps={steps!r},
                    python=str(root / "python"))
sys.exit(command.main(settings, root / "source"))
"""
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(path: Path) -> None:
    """Wait until a file is there."""
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.02)


def test_two_runs_at_once_make_it_once(world: World) -> None:
    """The second run waits, says so, and finds the engine of the first."""
    world.go(build=f"touch '{world.root}/begun'; while [ ! -e '{world.root}/go-on' ]; do sleep 0.05; done")
    first = start(world, "cache", "build")
    wait_for(world.root / "begun")
    second = start(world, "cache", "build")
    assert second.stderr is not None
    lines = [second.stderr.readline(), second.stderr.readline()]
    assert lines[1] == "another run is making the engine: waiting for it\n"
    (world.root / "go-on").touch()
    outputs = [first.communicate()[0], second.communicate()[0]]
    assert (first.returncode, second.returncode) == (0, 0)
    assert outputs[0] == outputs[1]
    assert Path(outputs[0].strip(), "pulumi").is_file()
    assert (world.root / "go.log").read_text().count("build ") == 1


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGINT, 130, id="interrupt"),
        pytest.param(signal.SIGTERM, 143, id="terminate"),
    ],
)
def test_a_stopped_run_takes_its_children_along(world: World, number: int, code: int) -> None:
    """Ctrl-C and SIGTERM end the build's processes, and leave neither staging nor engine."""
    world.go(
        build=f"sleep 600 & echo $$ $! > '{world.root}/pids.new'; mv '{world.root}/pids.new' '{world.root}/pids'; wait"
    )
    run = start(world, "cache", "build")
    wait_for(world.root / "pids")
    run.send_signal(number)
    run.communicate(timeout=60)
    assert run.returncode == code
    assert not any(alive(int(pid)) for pid in (world.root / "pids").read_text().split())
    assert [path.name for path in world.engines.iterdir()] == [".lock"]


def test_a_killed_run_leaves_only_rubbish_that_the_next_one_clears(world: World) -> None:
    """After SIGKILL no engine is found, and the next run clears the staging folder and makes a whole one."""
    world.go(build=f"echo $$ > '{world.root}/pids.new'; mv '{world.root}/pids.new' '{world.root}/pids'; sleep 600")
    run = start(world, "cache", "build")
    wait_for(world.root / "pids")
    run.kill()
    run.communicate()
    os.killpg(int((world.root / "pids").read_text()), signal.SIGKILL)  # nothing can do that for a killed parent
    assert len(world.leftovers()) == 1
    assert not list(world.engines.glob("3.*"))
    world.go()
    again = start(world, "cache", "build")
    output, errors = again.communicate(timeout=60)
    assert again.returncode == 0, errors
    assert Path(output.strip(), HOST).is_file()
    assert world.leftovers() == []


def test_the_folder_alone_goes_to_stdout(world: World) -> None:
    """The command prints the folder to stdout and everything else to stderr."""
    world.go()
    run = start(world, "cache", "build")
    output, errors = run.communicate(timeout=60)
    (folder,) = output.splitlines()
    assert Path(folder).is_dir()
    assert "building the Pulumi engine" in errors


def test_a_failure_is_one_line_and_exit_code_2(world: World) -> None:
    """The command ends with 2 and one line when there is no engine to be had."""
    run = start(world, "path", "cache")
    output, errors = run.communicate(timeout=60)
    assert (run.returncode, output) == (2, "")
    (line,) = errors.splitlines()
    assert line.startswith("error: cannot find or make the Pulumi engine: path: ")
