"""More threads than the SDK runs a provider in: writes that wait together are one request, and one reading back.

The engine asks for four resources a core at once, or for as many as `--parallel` says; the SDK answers four of them and
offers no setting (`ThreadPoolExecutor(max_workers=4)` in `pulumi/dynamic/__main__.py`). A thread that waits for a batch
costs nothing, and the transport holds the requests back.
"""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final

THREADS: Final = 32
"""What the engine asks for on eight cores."""


@cache
def use_more_threads() -> None:
    """Let the pool grow that the calling thread belongs to; once a process, and nothing where it is in none.

    It is found by what CPython has called its attributes since 3.2. Where they are called otherwise, the four stay.
    """
    here = threading.current_thread()
    for pool in gc.get_objects():
        if type(pool) is ThreadPoolExecutor and here in getattr(pool, "_threads", ()):
            pool._max_workers = max(THREADS, pool._max_workers)  # there is no other way
