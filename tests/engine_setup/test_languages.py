"""What the tests of YAML and TypeScript programs need is built and installed once, or there is a reason why not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mixpanel_access.engine import Engine
from mixpanel_access.engine.found import StepFailed
from tools.engine.languages import (
    ACCESSIBILITY,
    GENERATOR,
    LANGUAGES_SOURCE,
    REQUIRED_VARIABLE,
    TYPESCRIPT,
    YAML_HOST,
    build_programs,
    find_generator,
    find_node_modules,
    find_yaml_host,
    install_node_modules,
    yaml_version,
)

from .engine_fakes import World, write_script

GO = f"""case "$1" in
version) echo "go version go1.26.8 linux/amd64" ;;
build) while [ "$1" != -o ]; do shift; done; mkdir "$2"; touch "$2/{YAML_HOST}" "$2/{GENERATOR}" ;;
esac"""


def test_they_are_kept_in_the_cache(world: World) -> None:
    """Both programs and the packages are there for the next run, and nothing half made."""
    settings = world.settings()
    write_script(world.bin / "go", GO)
    write_script(world.bin / "npm", 'test -f package-lock.json && mkdir node_modules && echo "$*" > node_modules/asked')
    engine = Engine(world.root / "engine", "3.259.0", "cache")
    assert (find_yaml_host(engine, settings), find_generator(settings), find_node_modules(settings)) == (None,) * 3
    build_programs(settings, world.told.append)
    install_node_modules(settings, world.told.append)
    host, generator, modules = find_yaml_host(engine, settings), find_generator(settings), find_node_modules(settings)
    assert (host, generator) == (generator.parent if generator else None, host / GENERATOR if host else None)
    assert modules is not None
    assert (modules / "asked").read_text() == "ci --ignore-scripts --no-audit --no-fund\n"
    assert find_node_modules(settings, ACCESSIBILITY) is None
    install_node_modules(settings, world.told.append, ACCESSIBILITY)
    assert find_node_modules(settings, ACCESSIBILITY) not in (None, modules)
    assert world.leftovers() == []


def test_those_of_a_release_or_of_the_user_come_first(world: World) -> None:
    """A release of the engine has the language host of its own version."""
    engine = Engine(world.root / "engine", "3.259.0", "path")
    write_script(world.bin / YAML_HOST, "exit 0")
    assert find_yaml_host(engine, world.settings()) == world.bin
    write_script(engine.folder / YAML_HOST, "exit 0")
    assert find_yaml_host(engine, world.settings()) == engine.folder


def test_a_reason_is_given_for_each_failure(world: World) -> None:
    """There is no Go or npm, or npm fails; nothing half made is kept."""
    nothing = replace(world.settings(), environ={"PATH": str(world.bin)})
    with pytest.raises(StepFailed, match="no go on PATH"):
        build_programs(nothing, world.told.append)
    with pytest.raises(StepFailed, match="no npm on PATH"):
        install_node_modules(nothing, world.told.append)
    required = replace(nothing, environ={**nothing.environ, REQUIRED_VARIABLE: "required"})
    with pytest.raises(StepFailed, match="the Go toolchain cannot be installed: no index"):
        build_programs(required, world.told.append)
    write_script(world.bin / "npm", "mkdir node_modules; echo 'npm error code EINTEGRITY' >&2; exit 1")
    with pytest.raises(StepFailed, match="npm ci failed: npm error code EINTEGRITY"):
        install_node_modules(world.settings(), world.told.append)
    assert find_node_modules(world.settings()) is None
    assert world.leftovers() == []


def test_the_host_is_pinned_by_checksum() -> None:
    """go.sum holds the checksum of the module itself, and the lock of npm that of each package."""
    wanted = f"github.com/pulumi/pulumi-yaml v{yaml_version()} h1:"
    assert any(line.startswith(wanted) for line in (LANGUAGES_SOURCE / "go.sum").read_text().splitlines())
    for source, packages in ((TYPESCRIPT, 100), (ACCESSIBILITY, 1)):
        text = (source / "package-lock.json").read_text()
        assert text.count('"integrity": "sha512-') == text.count('"version": "') >= packages
