"""What the other providers of the engine's run declare: each is a process of its own.

If a resource gets another provider and another name in one step, the old provider's process deletes it, and does not
know what the program now declares elsewhere. So each process writes what is declared with it to a file of this run, as
digests, without an address. Two providers that declare something for one organization are refused: the brakes of each
would know a part.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import Final

from mixpanel_access.model.errors import ConfigurationError, InputError, Refused
from mixpanel_access.provider import declaring
from mixpanel_access.provider.command import engine_command
from mixpanel_access.provider.declaring import digest

_PREFIX: Final = "providers"


def run_name(address: str | None) -> str | None:
    """The name of the engine's run among the files; None if this process was started by no engine."""
    if address is None:
        return None
    command = engine_command()
    return "-".join(
        digest(part)[:16] for part in (address, *((command.pid, command.started) if command is not None else ()))
    )


_TICK_NS: Final = 50_000_000
"""How exact the time of a folder's last change may be."""


class OtherProviders:
    """The providers of one run, by their files.

    Args:
        organization: the organization of this one.
        name: the name of its `Organization`; "" for the provider of the stack's configuration.
        run: the name of the run; None for a process that no engine has started, which is alone.
        folder: gives the folder of the files.
    """

    def __init__(
        self,
        organization: int,
        name: str = "",
        run: str | None = None,
        folder: Callable[[], Path] = declaring.own_folder,
    ) -> None:
        self._organization, self._name, self._folder = organization, name, folder
        self._start = "" if run is None else f"{_PREFIX}-{run}-{organization}-"
        self._declares = False
        self._read: dict[Path, tuple[int, frozenset[str]]] = {}
        self._listed: tuple[int, Sequence[Path]] | None = None
        self._lock = threading.Lock()

    def declare(self, identities: Iterable[Hashable]) -> None:
        """Write down what this one declares.

        Raises:
            InputError: another one declares something for the same organization.
            Refused: it cannot be written, and there are several providers.
        """
        if not self._start:
            return
        with self._lock:
            first, self._declares = not self._declares, True
            lines = "".join(f"{digest(identity, self._organization)}\n" for identity in identities)
            try:
                if first:
                    declaring.tidy(self._folder())
                with self._file(self._name).open("a", encoding="ascii") as file:
                    file.write(lines)
            except (OSError, ConfigurationError) as error:
                self._hold(error)
            if first and self._others():
                raise self._two()

    def declares(self, identities: Iterable[Hashable]) -> set[Hashable]:
        """Those of some identities that another one declares; the files are read once for all of them.

        Raises:
            InputError: this one and another one declare something for the same organization.
            Refused: it cannot be read, and there are several providers.
        """
        if not self._start:
            return set()
        with self._lock:
            others = self._others()
            if others and self._declares:
                raise self._two()
            try:
                told = frozenset[str]().union(*map(self._lines, others))
            except OSError as error:
                raise self._unknown(error) from None
        return {one for one in identities if digest(one, self._organization) in told} if told else set()

    def _file(self, name: str) -> Path:
        return self._folder() / f"{self._start}{digest(name)[:16]}"

    def _others(self) -> Sequence[Path]:
        try:
            own = self._file(self._name)
            changed = own.parent.stat().st_mtime_ns
            if self._listed is not None and self._listed[0] == changed:
                return self._listed[1]
            found = [file for file in own.parent.iterdir() if file.name.startswith(self._start) and file != own]
            # A file that comes in the same tick of the clock as the last change is not seen by the time of that.
            self._listed = (changed, found) if time.time_ns() - changed > _TICK_NS else None
            return found
        except (OSError, ConfigurationError) as error:
            self._hold(error)
            return ()

    def _hold(self, error: Exception) -> None:
        """Hold the run if the files are needed: without an `Organization`, there is no other provider.

        Raises:
            Refused: they are.
        """
        if self._name:
            raise self._unknown(error)

    def _lines(self, file: Path) -> frozenset[str]:
        size = file.stat().st_size
        if file not in self._read or self._read[file][0] != size:
            self._read[file] = size, frozenset(file.read_text(encoding="ascii").split())
        return self._read[file][1]

    def _two(self) -> InputError:
        this = f"the Organization {self._name}" if self._name else "the stack's own"
        return InputError(
            "cannot use two providers for one organization",
            subject=f"organization {self._organization}",
            why=f"the program has resources with {this} and with another, and each knows a part of what is declared",
            next_step="Give all resources of the organization one provider.",
        )

    def _unknown(self, error: Exception) -> Refused:
        return Refused(
            "cannot tell whether another provider of the program declares it",
            why=f"the providers of a run share it by files, which cannot be used ({error})",
            next_step="Set TMPDIR to a folder of your own.",
        )
