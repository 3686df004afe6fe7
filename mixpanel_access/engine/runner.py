"""Run the real Pulumi command line in a project, to its end, with both streams captured."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Final

from mixpanel_access.engine.found import COMMAND, Engine, program
from mixpanel_access.engine.process import Watch, run_child
from mixpanel_access.model.errors import EngineError

_FROM_PROVIDER: Final = re.compile(
    r"Exception calling application: ?|mixpanel_access(?:\.\w+)+: |\d+ errors? occurred:\s+\* "
)
"""What stands in front of a provider's error: from the SDK's server in any version, and of what was made in part."""
_SUMMARY = ("Resources:", "Policies:", "Outputs:")
"""What the engine prints after the errors."""


@dataclass(frozen=True)
class Completed:
    """A run of the engine that has ended.

    Attributes:
        args: the arguments as they were given to `run`.
        returncode: the exit code.
        stdout: what it wrote to standard output.
        stderr: what it wrote to standard error.
    """

    args: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Pulumi:
    """The Pulumi command line in one project.

    Attributes:
        engine: the engine to run.
        project: the folder with Pulumi.yaml.
        environ: the environment, before the engine is put first on its PATH.
    """

    engine: Engine
    project: Path
    environ: Mapping[str, str]

    def run(
        self,
        *args: str,
        timeout: float = 600,
        check: bool = True,
        on_line: Callable[[str], None] | None = None,
    ) -> Completed:
        """Run `pulumi` with these arguments, without prompts, and without colors unless the arguments ask for them.

        On a timeout, an interrupt or an exception in `on_line`, the engine is asked to stop; after five seconds it is
        killed together with its plugins.

        Args:
            args: the command and its options.
            timeout: seconds.
            check: whether an exit code other than 0 is an error.
            on_line: called with each line of either stream, as it comes.

        Raises:
            EngineError: it does not start, fails (with `check`), or takes too long.
        """
        command = [str(self.engine.folder / program(COMMAND)), *_defaults(args), *args]
        name = f"pulumi {_subcommand(args)}".strip()
        try:
            outcome = run_child(
                command,
                cwd=self.project,
                env=self.engine.environment(self.environ),
                timeout=timeout,
                watch=Watch(on_line=on_line) if on_line else Watch(),
            )
        except OSError as error:
            raise EngineError(
                f"cannot run {name}",
                subject=str(self.project),
                why=f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}",
                next_step="Check that the project's folder and the engine are there.",
            ) from error
        if outcome.timed_out:
            raise EngineError(
                f"{name} was stopped",
                subject=str(self.project),
                why=f"it was not done within {timeout:g} s; {meaningful(outcome.stdout, outcome.stderr)}",
                next_step="Look at its last lines, then run it again; `pulumi cancel` frees a stack left locked.",
            )
        if check and outcome.returncode != 0:
            raise EngineError(
                f"{name} failed",
                subject=str(self.project),
                why=f"exit code {outcome.returncode}: {meaningful(outcome.stdout, outcome.stderr)}",
                next_step=_remedy(outcome.stderr),
            )
        return Completed(args, outcome.returncode, outcome.stdout, outcome.stderr)


def local_backend(folder: Path, passphrase: str) -> dict[str, str]:
    """The environment of a backend in a folder, with the state and the engine's home; no account, no plugin downloads.

    The engine replaces a state in one step, but not the `.attrs` file that it writes next to it by default. If it is
    killed at that moment, it can no longer read the stack. `metadata=skip` avoids those files.

    Args:
        folder: created if it does not exist; contains `state` and `home`.
        passphrase: encrypts the stacks' secrets.
    """
    state, own = folder.absolute() / "state", folder.absolute() / "home"
    state.mkdir(parents=True, exist_ok=True)
    own.mkdir(exist_ok=True)
    return {
        "PULUMI_BACKEND_URL": f"{state.as_uri()}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE": passphrase,
        "PULUMI_HOME": str(own),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


def in_own_words(text: str) -> str:
    """What the engine printed, without what stands in front of a provider's error."""
    return _FROM_PROVIDER.sub("", text)


def meaningful(stdout: str, stderr: str) -> str:
    """The lines that say why a run failed: from the first "error:" to the summary, or else the last ones."""
    text = in_own_words(f"{stdout}\n{stderr}")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    start = next((number for number, line in enumerate(lines) if line.startswith("error:")), None)
    kept = lines[-3:] if start is None else list(takewhile(lambda line: line not in _SUMMARY, lines[start:]))[:8]
    return " / ".join(kept) or "it printed nothing"


def _remedy(stderr: str) -> str:
    """What to do after a failed run."""
    if "failed to load checkpoint: EOF" in stderr:
        return (
            "A run was killed while it wrote to the state's folder: delete the empty .attrs files there (the state "
            "itself is intact), then run it again. A backend file://…?metadata=skip writes none."
        )
    if "PULUMI_ACCESS_TOKEN must be set" in stderr:
        return "Say where the stacks are kept: `pulumi login`, or PULUMI_BACKEND_URL. Then run it again."
    if "passphrase" in stderr:
        return "Set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE, to the stack's own, then run it again."
    if "unable to open state directory" in stderr:
        return "Check `pulumi whoami -v` and PULUMI_BACKEND_URL, then run it again."
    return "Fix that, then run it again."


def _defaults(args: Sequence[str]) -> list[str]:
    """The options to put before the command, since a "--" among the arguments ends all options."""
    own = args[: args.index("--")] if "--" in args else args
    options = []
    if not any(arg.split("=")[0] == "--non-interactive" for arg in own):
        options.append("--non-interactive")
    if not any(arg.split("=")[0] == "--color" for arg in own):
        options.append("--color=never")
    return options


def _subcommand(args: Sequence[str]) -> str:
    """The words of the command, at most two, and never a value, which may be a secret."""
    words: list[str] = []
    for arg in args[:2]:
        if not arg.replace("-", "").isalpha() or arg.startswith("-"):
            break
        words.append(arg)
    return " ".join(words)
