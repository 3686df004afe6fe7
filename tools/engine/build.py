"""Build the engine from its Go module, for machines that cannot download a release."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from mixpanel_access.engine.cache import home, publish, staging
from mixpanel_access.engine.found import DYNAMIC, HOST, Engine, StepFailed, check_folder, last_lines
from mixpanel_access.engine.process import Outcome, Watch, run_child
from mixpanel_access.engine.settings import ENGINE_VERSION, EngineSettings
from mixpanel_access.model.similarity import counted
from tools.engine.toolchain import Toolchain, find_toolchain

SOURCE: Final = Path(__file__).parent / "source"
"""The Go module that the engine is built from."""
BUILD_SECONDS: Final = 3600.0
"""The most that a build may take."""

_COMMAND = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_SDK = "github.com/pulumi/pulumi/sdk/v3"
_LINK = f"-s -w -X {_SDK}/go/common/version.Version=v{ENGINE_VERSION}"
_SCRIPTS = (f"python/cmd/{HOST}-exec", f"python/dist/{DYNAMIC}")
"""The scripts that a release contains besides the two programs; they are in the SDK's Go module."""
_PACKAGES: Final = 1_700
"""About how many Go packages the two programs consist of."""
_PACKAGE: Final = re.compile(r"[\w.~/-]+")
"""A line of `go build -v` that names a package."""


def source_digest(source: Path = SOURCE) -> str:
    """The digest of a Go module's files, which names the engine in the cache."""
    digest = hashlib.sha256()
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        digest.update(path.relative_to(source).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def build_engine(settings: EngineSettings, progress: Callable[[str], None], source: Path = SOURCE) -> Engine:
    """Build the engine into the cache. The caller holds the lock.

    Args:
        settings: the surroundings.
        progress: shows a line about what begins or takes long.
        source: the Go module; nothing is written to it.

    Raises:
        StepFailed: there is no toolchain or no connection, a checksum differs, or what was built does not work.
    """
    go = find_toolchain(settings, source, progress)
    run = Build(go, source, settings, progress, _PACKAGES)
    progress(f"building the Pulumi engine {ENGINE_VERSION} with Go {go.version}: 5 to 15 minutes the first time")
    with staging(settings) as staged:
        folder = staged / "bin"
        folder.mkdir()
        build = ["build", "-v", "-mod=readonly", "-trimpath", "-ldflags", _LINK]
        seconds = run.go(*build, "-o", f"{folder}/", _COMMAND, f"./{HOST}").seconds
        module = Path(run.go("list", "-mod=readonly", "-m", "-f", "{{.Dir}}", _SDK).stdout.strip())
        for script in _SCRIPTS:
            copy = folder / Path(script).name
            try:
                shutil.copyfile(module / script, copy)
            except OSError as error:
                raise StepFailed(f"the SDK's Go module has no {script}: {error.strerror or error}") from error
            copy.chmod(0o755)
        engine = check_folder(folder, settings, "build")
        place = home(settings, ENGINE_VERSION)
        publish(staged, place)
    progress(f"  built in {seconds:.0f} s")
    return Engine(place / "bin", engine.version, "build")


def go_environment(environ: Mapping[str, str], go: Toolchain) -> dict[str, str]:
    """The environment of the build: with the user's caches and proxy, without settings that change the result.

    GOFLAGS is set, not removed, since `go env -w` may have stored one: with -mod=mod, go could rewrite go.sum.
    """
    foreign = {"GOOS", "GOARCH", "GOEXPERIMENT", "GONOSUMCHECK", *(("GOROOT",) if go.own else ())}
    return {
        **{name: value for name, value in environ.items() if name not in foreign},
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
        "GOWORK": "off",
        "GO111MODULE": "on",
        # The build then needs no C compiler, and the programs run with any C library.
        "CGO_ENABLED": "0",
    }


class Build:
    """Runs the Go toolchain in the module, and reports how far it is.

    Args:
        toolchain: the Go toolchain.
        source: the Go module.
        settings: the surroundings.
        progress: shows a line.
        packages: about how many Go packages are built, to show how far the build is.
    """

    def __init__(
        self,
        toolchain: Toolchain,
        source: Path,
        settings: EngineSettings,
        progress: Callable[[str], None],
        packages: int,
    ) -> None:
        self._toolchain = toolchain
        self._source = source
        self._environment = go_environment(settings.environ, toolchain)
        self._progress = progress
        self._packages = packages
        self._fetched = 0
        self._compiled = 0

    def go(self, *arguments: str) -> Outcome:
        """Run one command of the toolchain.

        Raises:
            StepFailed: it fails or takes too long.
        """
        outcome = run_child(
            [str(self._toolchain.command), *arguments],
            cwd=self._source,
            env=self._environment,
            timeout=BUILD_SECONDS,
            watch=Watch(self._count, self._report),
        )
        if outcome.timed_out:
            raise StepFailed(f"the build was not done within {BUILD_SECONDS:g} s")
        if outcome.returncode != 0:
            raise StepFailed(f"the build failed: {_reason(outcome.stderr, outcome.returncode)}")
        return outcome

    def _count(self, line: str) -> None:
        self._fetched += line.startswith("go: downloading ")
        self._compiled += _PACKAGE.fullmatch(line.strip()) is not None

    def _report(self, seconds: float) -> None:
        done = [f"{counted(self._fetched, 'module')} downloaded"] if self._fetched else []
        done += [f"{self._compiled:,} of about {self._packages:,} packages compiled"] if self._compiled else []
        shown = f" ({', '.join(done)})" if done else ""
        self._progress(f"  building ... {seconds:.0f} s{shown}")


def _reason(stderr: str, returncode: int) -> str:
    lines = [
        line
        for line in stderr.splitlines()
        if not (line.startswith("go: downloading ") or _PACKAGE.fullmatch(line.strip()))
    ]
    # Go prints a page of advice after this line, which names the module.
    for line in lines:
        if "checksum mismatch" in line or "missing go.sum entry" in line:
            return f"{line.strip().removesuffix('; to add:')} (go.sum pins what the engine is built from)"
    return last_lines("\n".join(lines), returncode)
