"""A GitHub runner and a GitLab runner, as far as a preview needs them, and a listener for what they let out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.engine import quick_python
from tests.repositories import FILES, Repository

from .documents import github_jobs, gitlab_jobs

SECRETS = {
    "MIXPANEL_SERVICE_ACCOUNT_SECRET": "canary-account",
    "PULUMI_CONFIG_PASSPHRASE": "canary-passphrase",
    "AWS_SECRET_ACCESS_KEY": "canary-state",
}
"""What a preview is given; the last one is what the cloud gives for the job's identity."""
_BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
_COMMAND = re.compile(r"^\s*::([\w-]+)[^\n]*?::|##\[([\w-]+)")

SENDS = """\
import os, urllib.request
names = ("MIXPANEL_SERVICE_ACCOUNT_SECRET", "PULUMI_CONFIG_PASSPHRASE", "AWS_SECRET_ACCESS_KEY", "STATE_BACKEND_TOKEN")
found = " ".join(os.environ.get(name, "") for name in names)
urllib.request.build_opener(urllib.request.ProxyHandler({})).open("URL", found.encode(), timeout=20).read()
"""
"""A program that sends what it finds."""
PULUMI = f"""#!{sys.executable}
import os, pathlib, re, subprocess, sys
stack = os.environ["STACK"]
config = pathlib.Path("stacks", f"Pulumi.{{stack}}.yaml").read_text()
url = re.search("mixpanel:apiUrl: '([^']*)'", config)[1]
subprocess.run([sys.executable, "-c", {SENDS!r}.replace("URL", url)], check=True)
for program in ("policies/__main__.py", "plugins/pulumi-python/__main__.py", "stacks/__main__.py"):
    subprocess.run([sys.executable, program, stack], check=True)
"""
"""Does what the engine does: pack, server and program run, and the credentials go where the configuration says."""
PROGRAM = """\
import sys
from pathlib import Path
from mixpanel_access.files.roster import read_roster
for person in read_roster(Path(__file__).with_name(f"{sys.argv[1]}.yaml")).people:
    print("+", person.email, person.justification or "")
"""
MAKEFILE = """\
mkdir -p .venv/bin
cat > .venv/bin/mixpanel-access <<'END'
#!/bin/sh
if [ "$1" = engine ]; then echo "$PWD/.venv/bin"; else exec COMMAND "$@"; fi
END
chmod +x .venv/bin/mixpanel-access
"""
"""The set-up; COMMAND stands for what starts the command line."""


class Listener(ThreadingHTTPServer):
    """Keeps what is sent to it, by path: `/mixpanel` stands for Mixpanel, everything else for somebody else."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Keeps)
        self.received: list[tuple[str, str]] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"

    def let_out(self, path: str) -> list[str]:
        """The secrets that came to a path."""
        sent = " ".join(body for where, body in self.received if where == f"/{path}")
        return [secret for secret in SECRETS.values() if secret in sent]


class _Keeps(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.received.append((self.path, body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def listening() -> Iterator[Listener]:
    """A listener in a thread."""
    with Listener() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@contextmanager
def quick_command(folder: Path) -> Iterator[str]:
    """What starts the command line in a process that has its imports."""
    address, python = str(folder / "socket"), str(folder / "python")
    quick_python.installed(address, python)
    modules = ("typer._adapters", "mixpanel_access.cli.app", "mixpanel_access.operations.branch_rosters")
    command = [sys.executable, quick_python.__file__, address, *modules]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        yield f"{python} -u -m mixpanel_access"


def project(folder: Path, listener: Listener, command: str) -> Repository:
    """A repository whose program, pack and set-up are made up, and whose configuration names the listener."""
    url = listener.url("mixpanel")
    config = {
        f"stacks/Pulumi.{stack}.yaml": f"config:\n  mixpanel:apiUrl: '{url}'\n" for stack in ("staging", "production")
    }
    own = {"stacks/__main__.py": PROGRAM, "Makefile": MAKEFILE.replace("COMMAND", command)}
    return Repository.made(folder, {**FILES, **config, **own})


@dataclass
class Ran:
    """How a job ended: whether it failed, what stands in its log, and the commands that the runner took from it."""

    failed: bool = False
    log: str = ""
    commands: list[str] = field(default_factory=list)


def run_github(text: str, job: str, workspace: Path, repository: Repository, head: str) -> Ran:
    """Run the steps of a job of a workflow for the stack `production`, in an empty folder."""
    ran, tools = Ran(), _tools(workspace.parent)
    environ = _environ([tools], STACK="production", GITHUB_REPOSITORY="o/r")
    outputs: dict[str, str] = {}
    workspace.mkdir()
    for step in github_jobs(text)[job]["steps"]:
        condition = step.get("if", "")
        if (ran.failed and "!cancelled()" not in condition) or not _holds(condition, outputs):
            continue
        uses, options = step.get("uses", ""), step.get("with", {})
        if "actions/checkout@" in uses:
            ref = _expanded(str(options.get("ref", "main")), head)
            subprocess.run(["git", "clone", "-q", str(repository.folder), str(workspace)], check=True)
            subprocess.run(["git", "checkout", "-q", ref], cwd=workspace, check=True)
        elif "configure-aws-credentials@" in uses:
            environ["AWS_SECRET_ACCESS_KEY"] = SECRETS["AWS_SECRET_ACCESS_KEY"]
        elif "run" in step:
            files = {name: workspace.parent / name for name in ("GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_ENV")}
            for file in files.values():
                file.write_text("")
            given = {name: _expanded(str(value), head) for name, value in step.get("env", {}).items()}
            given |= {name: str(file) for name, file in files.items()}
            done = subprocess.run(
                [*_BASH, str(step["run"])],
                cwd=workspace,
                env=environ | given,
                capture_output=True,
                text=True,
                check=False,
            )
            ran.log += done.stdout + done.stderr
            ran.commands += _commands(done.stdout)
            ran.failed = ran.failed or done.returncode != 0
            assert not files["GITHUB_ENV"].read_text()
            outputs |= {f"{step.get('id')}.{k}": v for k, _, v in _pairs(files["GITHUB_OUTPUT"])}
            environ["PATH"] = os.pathsep.join([*files["GITHUB_PATH"].read_text().split(), environ["PATH"]])
    return ran


def run_gitlab(text: str, workspace: Path, repository: Repository, head: str, **variables: str) -> Ran:
    """Run the script of `preview:production` in an empty folder; its variables are there from the beginning."""
    job = gitlab_jobs(text)["preview:production"]
    environ = _environ([_tools(workspace.parent)], **SECRETS, STATE_BACKEND_TOKEN="canary-state")
    environ |= {str(name): str(value) for name, value in job["variables"].items()}
    environ |= {"CI_CONFIG_PATH": ".gitlab-ci.yml@o/r", "CI_PROJECT_PATH": "o/r", "CI_COMMIT_SHA": head}
    environ |= {"CI_DEFAULT_BRANCH": "main", "CI_REPOSITORY_URL": str(repository.folder), **variables}
    assert job["variables"]["GIT_STRATEGY"] == "none"  # so the runner checks nothing out
    workspace.mkdir()
    script = "\n".join(map(str, _flat([job["before_script"], job["script"]])))
    done = subprocess.run([*_BASH, script], cwd=workspace, env=environ, capture_output=True, text=True, check=False)
    return Ran(done.returncode != 0, done.stdout + done.stderr)


def _tools(folder: Path) -> Path:
    """A folder with a `make` that runs the Makefile, whoever wrote it, and a made-up `pulumi`."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    for name, text in (("make", "#!/bin/sh\nexec sh ./Makefile\n"), ("pulumi", PULUMI)):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    (tools / "python3").unlink(missing_ok=True)
    (tools / "python3").symlink_to(sys.executable)
    return tools


def _environ(first: list[Path], **more: str) -> dict[str, str]:
    path = os.pathsep.join([*map(str, first), os.environ["PATH"]])
    return {"PATH": path, "HOME": str(first[0].parent), "no_proxy": "127.0.0.1", **more}


def _expanded(value: str, head: str) -> str:
    """A value with its expressions written out."""

    def of(match: re.Match[str]) -> str:
        name = match[1]
        if name == "github.event.pull_request.head.sha":
            return head
        kind, _, key = name.partition(".")
        return SECRETS[key] if kind == "secrets" else f"{kind}-{key}"

    return re.sub(r"\$\{\{ ([\w.]+) \}\}", of, value)


def _holds(condition: str, outputs: dict[str, str]) -> bool:
    match = re.fullmatch(r"\$\{\{ steps\.(\w+)\.outputs\.(\w+) == '(\w+)' \}\}", condition)
    assert match or condition in ("", "${{ !cancelled() }}"), condition
    return not match or outputs.get(f"{match[1]}.{match[2]}") == match[3]


def _pairs(file: Path) -> list[tuple[str, str, str]]:
    return [line.partition("=") for line in file.read_text().splitlines()]


def _commands(said: str) -> list[str]:
    """The workflow commands that a runner takes from a log; between two marks it takes none."""
    taken, mark = [], ""
    for line in said.splitlines():
        if mark:
            mark = "" if line.strip() == f"::{mark}::" else mark
        elif found := re.match(r"\s*::stop-commands::(\S+)", line):
            mark = found[1]
        elif _COMMAND.search(line):
            taken.append(line.strip())
    return taken


def _flat(lines: Any) -> Iterator[str]:
    for line in lines:
        if isinstance(line, str):
            yield line
        else:
            yield from _flat(line)
