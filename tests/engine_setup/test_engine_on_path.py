"""The engine on PATH is used when it works, and its fault is told when it does not."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mixpanel_access.engine import Engine
from mixpanel_access.model.errors import EngineError

from .engine_fakes import ALL, DYNAMIC, HOST, World, alive, write_engine, write_script


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        pytest.param("v3.259.0", "3.259.0", id="with-v"),
        pytest.param("3.259.0", "3.259.0", id="without-v"),
        pytest.param("v3.254.0", "3.254.0", id="the-oldest"),
        pytest.param("v3.260.1", "3.260.1", id="newer"),
        pytest.param("v3.259.0-alpha.1719+dirty", "3.259.0-alpha.1719+dirty", id="development"),
        pytest.param("warning: something\nv3.300.0", "3.300.0", id="after-a-warning"),
    ],
)
def test_a_working_engine_on_path_is_used(world: World, answer: str, version: str) -> None:
    """A new enough engine on PATH is taken as it is, and nothing is made."""
    write_engine(world.bin, f"printf '{answer}\\n'")
    assert world.ensure(world.settings()) == Engine(world.bin, version, "path")
    assert world.told == []
    assert not world.engines.exists()


@pytest.mark.parametrize(
    ("pulumi", "reason"),
    [
        pytest.param("echo v3.253.9", "3.253.9, older than 3.254.0", id="too-old"),
        pytest.param("echo v2.999.0", "2.999.0, older than 3.254.0", id="far-too-old"),
        pytest.param("echo v4.0.0", "4.0.0; the Python SDK needs a 3.x", id="next-major"),
        pytest.param("echo hello", "answered 'hello', which is not a version", id="no-version"),
        pytest.param("exit 0", "answered '', which is not a version", id="no-answer"),
        pytest.param("echo 'bad library' >&2; exit 127", "is broken: bad library", id="broken"),
        pytest.param("exit 3", "is broken: exit code 3, with no output", id="broken-and-silent"),
    ],
)
def test_an_unusable_engine_on_path_is_told_and_passed_over(world: World, pulumi: str, reason: str) -> None:
    """An engine that is too old, too new or broken is not used; the reason and the next step are told."""
    write_engine(world.bin, pulumi)
    world.copy_engine_as_download()
    engine = world.ensure(world.settings())
    assert engine.source == "download"
    assert reason in world.told[0]
    assert world.told[0].endswith("; looking in the cache")


def asked(world: World, *, size: int = 1 << 20, name: str = "pulumi") -> int:
    """How often three searches run an engine of this size and file name, which changes before the last one."""
    write_engine(world.bin, f"echo v3.259.0; echo >> '{world.root}/asked'; exit; {'x' * size}")
    if name != "pulumi":
        (world.bin / "pulumi").rename(world.bin / name)
        (world.bin / "pulumi").symlink_to(world.bin / name)
    for _ in range(2):
        assert world.ensure(world.settings()).version == "3.259.0"
    with (world.bin / name).open("a") as file:
        file.write("x")
    assert world.ensure(world.settings()).version == "3.259.0"
    return len((world.root / "asked").read_text())


def test_an_engine_is_asked_for_its_version_once(world: World) -> None:
    """Until its file changes."""
    assert asked(world) == 2


@pytest.mark.parametrize("kept", ["", "[]", "7", '["v3.1.0", "/elsewhere", 1, 2]'])
def test_an_answer_in_the_cache_that_is_not_of_this_engine_is_not_used(world: World, kept: str) -> None:
    """Half a file, another form, another engine."""
    world.engines.parent.mkdir()
    (world.engines.parent / "version.json").write_text(kept)
    assert asked(world) == 2


@pytest.mark.parametrize("other", [{"size": 10}, {"name": "shim"}], ids=str)
def test_what_may_start_another_engine_is_asked_each_time(world: World, other: dict[str, Any]) -> None:
    """A script, and a link to a program that starts the engine of a folder."""
    assert asked(world, **other) == 3


def test_a_cache_that_cannot_be_written_to_is_not_needed(world: World) -> None:
    """The engine is asked each time."""
    world.engines.parent.write_text("a file")
    assert asked(world) == 3


def test_a_hanging_engine_is_stopped_and_passed_over(world: World) -> None:
    """An engine that does not answer is stopped, and everything that it started with it."""
    write_engine(world.bin, f"sleep 600 & echo $$ $! > '{world.root}/pids'; sleep 600")
    started = time.monotonic()
    with pytest.raises(EngineError, match=r"did not print its version within 0\.5 s"):
        world.ensure(world.settings("path", probe_timeout=0.5))
    assert time.monotonic() - started < 15
    assert not any(alive(int(pid)) for pid in (world.root / "pids").read_text().split())


@pytest.mark.parametrize("missing", [HOST, DYNAMIC])
def test_an_engine_without_its_python_parts_is_not_used(world: World, missing: str) -> None:
    """An engine that cannot run Python programs or dynamic providers is not used."""
    write_engine(world.bin, leave_out=missing)
    with pytest.raises(EngineError, match=f"no {missing} next to it, and there is none on PATH"):
        world.ensure(world.settings("path"))


def test_the_language_host_may_lie_elsewhere_on_path(world: World, tmp_path: Path) -> None:
    """The Python parts are also found in another folder of PATH."""
    other = write_engine(tmp_path / "other", leave_out="pulumi")
    write_script(world.bin / "pulumi", "echo v3.259.0")
    settings = world.settings("path")
    settings = type(settings)(**{**vars(settings), "environ": {"PATH": f"{world.bin}:{other}:/usr/bin:/bin"}})
    assert world.ensure(settings).folder == world.bin


def test_a_link_on_path_leads_to_the_folder_of_the_release(world: World, tmp_path: Path) -> None:
    """When only `pulumi` is linked into PATH, the folder that the link leads to is the engine's."""
    release = write_engine(tmp_path / "release")
    (world.bin / "pulumi").symlink_to(release / "pulumi")
    assert world.ensure(world.settings("path")).folder == release


def test_a_file_that_is_no_program_is_told(world: World) -> None:
    """A `pulumi` that the operating system cannot start is a reason, not a crash."""
    write_engine(world.bin)
    (world.bin / "pulumi").write_bytes(b"\x7fELF nonsense")
    with pytest.raises(EngineError, match=r"does not start|is broken"):
        world.ensure(world.settings("path"))


def test_the_environment_puts_the_engine_first() -> None:
    """The engine's folder comes first on PATH, once, and everything else of the environment stays."""
    engine = Engine(Path("/engine/bin"), "3.259.0", "cache")
    base = {"PATH": "/usr/bin:/engine/bin:/bin", "KEPT": "1"}
    environment = engine.environment(base)
    added = {"PULUMI_SKIP_UPDATE_CHECK": "1", "PULUMI_PYTHON_CMD": sys.executable}
    assert environment == {"PATH": "/engine/bin:/usr/bin:/bin", "KEPT": "1", **added}
    assert engine.environment({})["PATH"] == "/engine/bin"
    assert engine.environment({"PULUMI_PYTHON_CMD": "pypy"})["PULUMI_PYTHON_CMD"] == "pypy"
    assert base["PATH"].startswith("/usr/bin")


def test_every_part_of_an_engine_is_needed_in_the_cache(world: World) -> None:
    """An engine in the cache that lacks any of its files is made anew."""
    world.copy_engine_as_download()
    folder = world.ensure(world.settings("cache", "download")).folder
    for part in ALL:
        (folder / part).unlink()
        assert world.ensure(world.settings("cache", "download")).source == "download", part
        assert world.ensure(world.settings("cache")).source == "cache", part
