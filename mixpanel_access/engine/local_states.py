"""The states of a backend in a folder, read without the engine, which takes seconds and half a gigabyte to print one.

Pulumi documents the folder (https://www.pulumi.com/docs/iac/operations/stack-management/using-a-diy-backend/), and its
file of a state has what `pulumi stack export` prints. Where anything is not as this version of the engine writes it,
and while a run may be writing, the answer is None, and the engine must be asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mixpanel_access.engine.runner import Pulumi
from mixpanel_access.model.resources import SIGNATURE

_BACKEND: Final = re.compile(r"file://(/[^%?]+?)/?(\?metadata=skip)?")
"""The address of a backend in a folder, with its absolute path."""
_PROJECT: Final = re.compile(r"""^name: *(["']?)([A-Za-z0-9_.-]+)\1$""", re.MULTILINE)
"""The project's name in Pulumi.yaml."""
_STACK: Final = re.compile(r"[A-Za-z0-9_.-]+")
"""A stack without the names of an organization and a project in front of it."""
_LAYOUT: Final = "version: 1"
"""All of `meta.yaml`: a project's states are in a folder of their own."""
_VERSION: Final = 3
"""The version of a state's file."""
_STATE: Final = ".json"
_COPIES: Final = (".json.bak", ".json.attrs", ".json.bak.attrs", ".pulumi-tags")
"""The endings of files next to a state."""


@dataclass(frozen=True)
class LocalStates:
    """The states of one project.

    Attributes:
        folder: `.pulumi`.
        project: the project's name.
    """

    folder: Path
    project: str

    def names(self) -> list[str] | None:
        """The names of the project's stacks."""
        try:
            layout = (self.folder / "meta.yaml").read_text(encoding="utf-8").strip()
            files = sorted(file.name for file in self._states.iterdir() if not file.name.endswith(_COPIES))
        except (OSError, ValueError):
            return None
        names = [name.removesuffix(_STATE) for name in files if name.endswith(_STATE)]
        known = layout == _LAYOUT and len(names) == len(files) and all(map(_STACK.fullmatch, names))
        return names if known else None

    def export(self, stack: str, hook: Callable[[dict[str, Any]], Any]) -> dict[str, Any] | None:
        """A stack's state as `pulumi stack export` prints it, each object as the hook returns it."""
        if stack not in (self.names() or ()) or any((self.folder / "locks").rglob(f"*{_STATE}")):
            return None
        try:
            text = (self._states / f"{stack}{_STATE}").read_text(encoding="utf-8")
            if SIGNATURE in text:  # the engine decrypts and encrypts a secret
                return None
            document = json.loads(text, object_hook=hook)
            checkpoint, version = document["checkpoint"], document["version"]
            deployment, name = checkpoint["latest"], checkpoint["stack"]
        except (OSError, ValueError, LookupError, TypeError):
            return None
        known = version == _VERSION and name == f"organization/{self.project}/{stack}" and isinstance(deployment, dict)
        return {"version": version, "deployment": deployment} if known else None

    @property
    def _states(self) -> Path:
        return self.folder / "stacks" / self.project


def local_states(pulumi: Pulumi) -> LocalStates | None:
    """The states of a project, if its environment names a backend in a folder."""
    backend = _BACKEND.fullmatch(pulumi.environ.get("PULUMI_BACKEND_URL", ""))
    if backend is None:
        return None
    try:
        project = _PROJECT.search((pulumi.project / "Pulumi.yaml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return LocalStates(Path(backend[1]) / ".pulumi", project[2]) if project else None
