"""The real `terraform` with Mixpanel's own provider, in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PROVIDER: Final = "MIXPANEL_TERRAFORM_PROVIDER"
VERSION: Final = "0.1.0-alpha6"
"""The release that `terraform init` is asked for: a version before a first release is taken only by its exact name."""

_SOURCE: Final = "mixpanel/mixpanel"
_SECONDS: Final = 120


class NoProviderError(Exception):
    """There is no terraform, or no provider; the text says how to have them."""


@dataclass(frozen=True)
class Terraform:
    """One configuration and its state, in `folder`.

    Args:
        folder: where it works; the configuration is the `*.tf` files in it.
        environ: the variables of every command.
        seconds: how long a command may take.
    """

    folder: Path
    environ: Mapping[str, str]
    seconds: float = _SECONDS

    def run(self, *args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command, `terraform state list` for one."""
        done = subprocess.run(
            ["terraform", *args],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=self.seconds,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def apply(self, **variables: str) -> None:
        self.run("apply", "-auto-approve", "-input=false", "-no-color", *_options(variables))

    def destroy(self, **variables: str) -> None:
        self.run("destroy", "-auto-approve", "-input=false", "-no-color", *_options(variables))

    def changes(self, **variables: str) -> dict[str, tuple[list[str], list[str]]]:
        """What a plan would change: the actions and the fields that force a replacement, by address."""
        plan = self.folder / "plan"
        options = ("-detailed-exitcode", "-input=false", "-no-color", f"-out={plan}")
        done = self.run("plan", *options, *_options(variables), check=False)
        assert done.returncode in {0, 2}, done.stdout + done.stderr
        shown = json.loads(self.run("show", "-json", str(plan)).stdout)
        changes = {
            row["address"]: (
                row["change"]["actions"],
                sorted(str(path[0]) for path in row["change"].get("replace_paths", [])),
            )
            for row in shown.get("resource_changes", [])
            if row["change"]["actions"] != ["no-op"]
        }
        assert bool(changes) == (done.returncode == 2), done.stdout
        return changes

    def values(self, address: str) -> dict[str, Any]:
        """What the state holds of a resource."""
        shown = json.loads(self.run("show", "-json").stdout)
        rows = shown["values"]["root_module"]["resources"]
        (found,) = (row["values"] for row in rows if row["address"] == address)
        assert isinstance(found, dict)
        return found


def _options(variables: Mapping[str, str]) -> list[str]:
    return [f"-var={name}={value}" for name, value in variables.items()]


def found_provider(asked: str, folder: Path) -> Path:
    """The folder of the provider's binary.

    Args:
        asked: a folder that holds the binary at any depth, or `init`: what `terraform init` finds.
        folder: an empty folder, for `init`.

    Raises:
        NoProviderError: with what to do.
    """
    if shutil.which("terraform") is None:
        raise NoProviderError("terraform is not on PATH: install it (1.11.4 is known to do), then run `make terraform`")
    if not asked:
        raise NoProviderError(
            f"{PROVIDER} is not set: `make terraform` lets `terraform init` find the provider; where it cannot, give "
            f"{PROVIDER} the folder of its binary, or of a project's .terraform/providers"
        )
    within = _initialized(folder) if asked == "init" else Path(asked).absolute()
    for place, _, names in os.walk(within, followlinks=True):  # what terraform installs from a mirror is a link
        if any(
            name.startswith("terraform-provider-mixpanel") and os.access(Path(place, name), os.X_OK) for name in names
        ):
            return Path(place)
    raise NoProviderError(f"{PROVIDER}: no file terraform-provider-mixpanel… that can be run in {within}")


def _initialized(folder: Path) -> Path:
    """Have `terraform init` find the provider, by the user's own settings."""
    (folder / "main.tf").write_text(
        f'terraform {{\n  required_providers {{\n    mixpanel = {{\n      source = "{_SOURCE}"\n'
        f'      version = "{VERSION}"\n    }}\n  }}\n}}\n'
    )
    done = subprocess.run(
        ["terraform", "init", "-no-color", "-input=false"],
        cwd=folder,
        env={**os.environ, "CHECKPOINT_DISABLE": "1", "TF_DATA_DIR": str(folder / "data")},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        raise NoProviderError(f"terraform init does not find {_SOURCE} {VERSION}: {done.stderr.strip()}")
    return folder / "data"


def environment(binary: Path, folder: Path, mixpanel: Mapping[str, str]) -> dict[str, str]:
    """Variables with which terraform takes that binary for the provider, and asks nobody else.

    Args:
        binary: the folder of the binary.
        folder: where the settings are written.
        mixpanel: the variables that point the provider at an organization.
    """
    settings = folder / "terraformrc"
    override = f"{json.dumps(_SOURCE)} = {json.dumps(str(binary))}"
    settings.write_text(f"provider_installation {{\n  dev_overrides {{\n    {override}\n  }}\n  direct {{}}\n}}\n")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("MIXPANEL_", "TF_"))}
    return {**clean, "TF_CLI_CONFIG_FILE": str(settings), "CHECKPOINT_DISABLE": "1", **mixpanel}
