"""Processes of one machine that read who is in an organization and invite whoever is not: one at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

LONGEST: Final = 30.0
"""Seconds for which a process waits for another one: then it goes on, for it has read people afresh all the same."""


@contextmanager
def one_at_a_time(host: str, organization: int, longest: float = LONGEST) -> Iterator[None]:
    """Hold the other processes of this user that work on the same organization, as well as that can be done.

    Mixpanel sends an e-mail to whoever is invited, however often: between a process's reading and its invitation there
    is time for another one's. A lock that cannot be had, for whatever reason, holds nothing up.

    Args:
        host: the Mixpanel host.
        organization: the organization's id.
        longest: seconds to wait at most.
    """
    from filelock import FileLock, Timeout  # which most commands do not need
    from platformdirs import user_cache_path

    name = hashlib.sha256(f"{host} {organization}".encode()).hexdigest()[:16]
    lock: FileLock | None = None
    try:
        folder = user_cache_path("mixpanel-access") / "inviting"
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{name}.lock", timeout=longest, thread_local=False)
        lock.acquire()
    except (Timeout, OSError, NotImplementedError, RuntimeError):
        lock = None
    try:
        yield
    finally:
        if lock is not None:
            with suppress(OSError):
                lock.release(force=True)
