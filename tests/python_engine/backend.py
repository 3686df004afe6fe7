"""A stack's state, history and lock in a folder, in the shape in which the engine (3.259) keeps them."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import shutil
import socket
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.python_engine.unknown import Unknown

State = dict[str, Any]
"""A resource as a state has it."""
KEYS = (
    "urn", "custom", "delete", "id", "type", "inputs", "outputs", "parent", "protect", "dependencies", "provider",
    "propertyDependencies", "aliases", "retainOnDelete", "created", "modified", "sourcePosition", "stackTrace",
    "ignoreChanges",
)  # fmt: skip
"""What a resource has in a state, in the engine's order; with anything else it is left to the engine."""
_ALWAYS = ("urn", "custom", "type")
SECRET = "4dabf18193072939515e22adb298388d"
"""The signature of a special value in a state; a secret is one."""


def instant(nanoseconds: int) -> str:
    """An instant (ns since 1970), as the engine writes it."""
    at = datetime.fromtimestamp(nanoseconds // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{nanoseconds % 10**9:09d}".rstrip("0")
    return f"{at}.{fraction}Z" if fraction else f"{at}Z"


def written(state: State) -> State:
    """A resource as a state has it: in order, without what is empty."""
    return {key: state[key] for key in KEYS if key in _ALWAYS or state.get(key) not in (None, False, "", [], {})}


class Backend:
    """The files of one stack.

    Args:
        url: the backend's address.
        project: the project's name.
        stack: the stack's name.
        version: the engine's version.
        clock: gives the present instant (ns since 1970).
        copies: whether the state is kept after each update, as the engine does.

    Raises:
        Unknown: it is no folder as `local_backend` makes it, or the state has something that only the engine knows.
    """

    def __init__(
        self,
        url: str,
        project: str,
        stack: str,
        version: str,
        *,
        clock: Callable[[], int] = time.time_ns,
        copies: bool = True,
    ) -> None:
        self._clock, self._copies = clock, copies
        address, _, query = url.partition("?")
        if not address.startswith("file:///") or "%" in address or query != "metadata=skip":
            raise Unknown("another backend")
        self._folder = Path(address.removeprefix("file://")) / ".pulumi"
        self._project, self._stack, self._version = project, stack, f"v{version}"
        self._file = self._folder / "stacks" / project / f"{stack}.json"
        try:
            text = self._file.read_text(encoding="utf-8")
            found = json.loads(text)
        except (OSError, ValueError):
            raise Unknown("no stack, or no state") from None
        latest = found["checkpoint"].get("latest")
        if SECRET in text or found["version"] != 3 or not isinstance(latest, dict):
            raise Unknown("a secret in the state, or a state of another form")
        if latest.keys() - {"manifest", "secrets_providers", "resources", "metadata"} or latest["metadata"]:
            raise Unknown("pending operations, or another part of the state")
        self._rest = {key: latest[key] for key in ("secrets_providers", "metadata") if key in latest}
        self.resources: list[State] = latest.get("resources") or []
        for resource in self.resources:
            if resource.keys() - set(KEYS):
                raise Unknown(f"{resource['urn']} has {', '.join(resource.keys() - set(KEYS))}")

    def save(self, resources: Iterable[State], operations: Iterable[tuple[str, State]] = ()) -> None:
        """Write the state in one step, and keep the one before as the engine does."""
        manifest = {
            "time": instant(self._clock()),
            "magic": hashlib.sha256(self._version.encode()).hexdigest(),
            "version": self._version,
        }
        latest: dict[str, Any] = {"manifest": manifest}
        latest["secrets_providers"] = self._rest["secrets_providers"]
        if kept := [written(resource) for resource in resources]:
            latest["resources"] = kept
        if pending := [{"resource": written(resource), "type": type_} for type_, resource in operations]:
            latest["pending_operations"] = pending
        latest["metadata"] = self._rest["metadata"]
        stack = f"organization/{self._project}/{self._stack}"
        document = {"version": 3, "checkpoint": {"stack": stack, "latest": latest}}
        if self._copies:
            shutil.copyfile(self._file, f"{self._file}.bak")
        new = self._file.with_name(f".{self._file.name}.new")
        new.write_text(json.dumps(document, separators=(",", ":"), ensure_ascii=False), encoding="utf-8")
        new.replace(self._file)

    def end(self, update: Mapping[str, Any]) -> None:
        """Write how an update went, with the state that it has left.

        Args:
            update: its kind, start, environment, configuration, result and changes.
        """
        at = self._clock()
        ended = {**update, "version": 0, "endTime": at // 10**9}
        order = ("kind", "startTime", "message", "environment", "config", "version", "result", "endTime")
        info = {key: ended[key] for key in (*order, "resourceChanges")}
        history = self._folder / "history" / self._project / self._stack
        backups = self._folder / "backups" / self._project / self._stack
        for folder in (history, backups):
            folder.mkdir(parents=True, exist_ok=True)
        (history / f"{self._stack}-{at}.history.json").write_text(json.dumps(info, separators=(",", ":")))
        if self._copies:
            shutil.copyfile(self._file, history / f"{self._stack}-{at}.checkpoint.json")
            shutil.copyfile(self._file, backups / f"{self._stack}.{at}.json")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the stack's lock.

        Raises:
            Unknown: somebody has it; the engine says who.
        """
        folder = self._folder / "locks" / "organization" / self._project / self._stack
        folder.mkdir(parents=True, exist_ok=True)
        own = folder / f"{uuid.uuid4()}.json"
        if any(folder.iterdir()):
            raise Unknown("the stack is locked")
        content = {
            "pid": os.getpid(), "username": getpass.getuser(), "hostname": socket.gethostname(),
            "timestamp": instant(self._clock()),
        }  # fmt: skip
        own.write_text(json.dumps(content))
        try:
            if list(folder.iterdir()) != [own]:
                raise Unknown("the stack is locked")
            yield
        finally:
            own.unlink(missing_ok=True)
