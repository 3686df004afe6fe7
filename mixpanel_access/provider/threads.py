"""More threads than the SDK runs a provider in: writes that wait together are one request, and one reading back.

The engine asks for four resources a core at once, or for as many as `--parallel` says; the SDK answers four of them and
offers no setting (`ThreadPoolExecutor(max_workers=4)` in `pulumi/dynamic/__main__.py`). A thread that waits for a batch
costs nothing, and the transport holds the requests back.
"""

from __future__ import annotations

import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final

THREADS: Final = 32
"""What the engine asks for on eight cores."""


@cache
def use_more_threads() -> None:
    """Let the pool grow that the calling thread belongs to; once a process, and nothing where it is in none.

    The thread refers to it by what CPython has called that since 3.9. Where it is called otherwise, the four stay. To
    search all objects for it would take hold of what other threads are making, which fails there.
    """
    reference = next(iter(getattr(threading.current_thread(), "_args", ())), None)
    pool = reference() if isinstance(reference, weakref.ref) else None
    if type(pool) is ThreadPoolExecutor:
        pool._max_workers = max(THREADS, pool._max_workers)  # there is no other way
