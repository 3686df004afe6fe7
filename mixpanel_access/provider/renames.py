"""Names that change hands in one run: whoever is renamed, and whoever is to be made under the name that this leaves.

Resources of one run come in any order. One that is made before the other is renamed would find the old object by its
name and adopt it: one object, two owners. So the two are told apart, at preview, and held where it comes to that.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable

from mixpanel_access.model.errors import Refused


class Renames:
    """The renames of one operation, and what is new in it.

    A note is of an object by its id and of its name, so that one of a run before this one, in the same process, holds
    nothing: the object has another name by then. Notes may come twice.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._renamed: dict[tuple[Hashable, Hashable], str] = {}
        self._wanted: set[Hashable] = set()
        self._adopted: set[tuple[Hashable, Hashable]] = set()

    def rename(self, subject: Hashable, whom: str, id_: Hashable, name: str) -> str | None:
        """Note that an object gets another name.

        Args:
            subject: what it is called so far, as `AccessProvider.subject` has it.
            whom: the same in words.
            id_: its id.
            name: what it is to be called.

        Returns:
            What is wrong with it: a new resource is to have what is called so, or has adopted it; else None.
        """
        with self._lock:
            self._renamed[subject, id_] = name
            held = subject in self._wanted or (subject, id_) in self._adopted
        return _in_two_runs(whom, name) if held else None

    def want(self, subject: Hashable, whom: str, id_: Hashable | None) -> str | None:
        """Note that a new resource is to have what is called so.

        Args:
            subject: what it is called.
            whom: the same in words.
            id_: the id of what is called so now; None for nothing.

        Returns:
            What is wrong with it: another resource gives that another name; else None.
        """
        with self._lock:
            self._wanted.add(subject)
            name = self._renamed.get((subject, id_))
        return _in_two_runs(whom, name) if name else None

    def made(self, subject: Hashable, whom: str, adopted: Hashable | None) -> None:
        """Note that a new resource has come to what it is to have, before anything of that is changed.

        Args:
            subject: what it is called.
            whom: the same in words.
            adopted: the id of what was there, or None for what is new.

        Raises:
            Refused: it is another resource's, which gives it another name.
        """
        with self._lock:
            self._wanted.discard(subject)
            name = self._renamed.get((subject, adopted))
            if adopted is not None and name is None:
                self._adopted.add((subject, adopted))
        if name is not None:
            raise Refused(
                "cannot adopt",
                whom=whom,
                why=f"another resource renames it to {name} in this run",
                next_step="Run again: the name is free then, and what is to have it is made.",
            )


def _in_two_runs(whom: str, name: str) -> str:
    return (
        f"{whom} is being renamed to {name} in this run, and a new one is to have its name: declare the rename alone, "
        f"and make the new one in a second `pulumi up`"
    )
