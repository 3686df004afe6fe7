"""The pins of the engine cannot drift apart."""

from __future__ import annotations

import io
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from mixpanel_access.engine.download import RELEASES
from mixpanel_access.engine.found import parse_version
from mixpanel_access.engine.settings import ENGINE_VERSION, MINIMUM, RELEASES_VERSION, SOURCE_DIGEST
from scripts.other_sdk import LOWEST, bounds_of
from tools.engine.__main__ import show_on
from tools.engine.build import SOURCE, source_digest
from tools.engine.toolchain import needed_go, pinned_go

ROOT = Path(__file__).parents[2]


def test_the_engine_is_built_in_its_version() -> None:
    """Both Go modules name it."""
    modules = re.findall(
        r"^\tgithub\.com/pulumi/pulumi/(?:pkg|sdk)/v3 v(\S+)$", (SOURCE / "go.mod").read_text(), re.MULTILINE
    )
    assert modules == [ENGINE_VERSION] * 2


@pytest.mark.parametrize("package", ["pulumi", "pulumi-policy"])
def test_the_lock_has_a_version_of_the_sdks_range(package: str) -> None:
    """The package takes every version of the line from the lowest that is tested on; the lock has one of these."""
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    (wanted,) = (one for one in map(Requirement, dependencies) if one.name == package)
    assert {bound.operator for bound in wanted.specifier} == {">=", "<"}
    (lowest,) = (one.specifier for one in map(Requirement, bounds_of(LOWEST)) if one.name == package)
    assert str(lowest).replace("==", ">=") in str(wanted.specifier).split(",")
    for lock in ("requirements.lock", "policies/requirements.txt"):
        (locked,) = re.findall(rf"^{package}==(\S+) ", (ROOT / lock).read_text(), re.MULTILINE)
        assert locked in wanted.specifier


def test_the_checksums_are_those_of_the_engine() -> None:
    """A newer engine needs the values of its own release: each archive has its version and a digest of its own."""
    assert MINIMUM <= parse_version(RELEASES_VERSION)[0] <= parse_version(ENGINE_VERSION)[0]
    platforms = {"darwin-amd64": "darwin-x64", "linux-amd64": "linux-x64"}
    for platform, release in RELEASES.items():
        name = f"pulumi-v{RELEASES_VERSION}-{platforms.get(platform, platform)}.tar.gz"
        assert release.url == f"https://github.com/pulumi/pulumi/releases/download/v{RELEASES_VERSION}/{name}"
    digests = [release.sha256 for release in RELEASES.values()]
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in digests)
    assert len(set(digests)) == len(digests) == 4


@pytest.mark.parametrize("module", ["pkg", "sdk"])
def test_the_sources_are_pinned_by_checksum(module: str) -> None:
    """go.sum holds the checksum of the engine's own modules, not only of their go.mod files."""
    wanted = f"github.com/pulumi/pulumi/{module}/v3 v{ENGINE_VERSION} h1:"
    assert any(line.startswith(wanted) for line in (SOURCE / "go.sum").read_text().splitlines())


def test_the_toolchain_is_new_enough_and_pinned_by_checksum() -> None:
    """The Go toolchain that is installed satisfies go.mod, and pip checks its hash."""
    assert tuple(map(int, pinned_go(SOURCE).split("."))) >= needed_go(SOURCE)
    assert "--hash=sha256:" in (SOURCE / "go-toolchain.txt").read_text()


def test_other_sources_make_another_engine(tmp_path: Path) -> None:
    """The cache never serves an engine of other sources: its folder has the digest of what is built from."""
    assert source_digest() == SOURCE_DIGEST
    (tmp_path / "main.go").write_text("package main\n", encoding="utf-8")
    before = source_digest(tmp_path)
    (tmp_path / "main.go").rename(tmp_path / "host.go")
    assert len({before, source_digest(tmp_path), SOURCE_DIGEST}) == 3


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "shown"),
    [
        pytest.param(io.StringIO(), "building\n  building ... 2 s\n  building ... 10 s\n  built\n", id="file"),
        pytest.param(
            Terminal(),
            "building\n  building ... 2 s\r\x1b[K  building ... 10 s\r\x1b[K  built\n",
            id="terminal",
        ),
    ],
)
def test_progress_overwrites_itself_on_a_terminal_only(stream: io.StringIO, shown: str) -> None:
    """A wait takes one line of a terminal, and plain lines of a log."""
    show = show_on(stream)
    for line in ("building", "  building ... 2 s", "  building ... 10 s", "  built"):
        show(line)
    assert stream.getvalue() == shown
