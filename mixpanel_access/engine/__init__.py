"""The Pulumi engine: found, downloaded or built once into the user's cache, and run.

The Python SDK carries no engine. `ensure_engine` gives a folder that holds one; `Pulumi` runs its command line.
"""

from __future__ import annotations

from mixpanel_access.engine.ensure import ensure_engine
from mixpanel_access.engine.found import Engine
from mixpanel_access.engine.local_states import LocalStates, local_states
from mixpanel_access.engine.runner import Completed, Pulumi, local_backend

__all__ = ["Completed", "Engine", "LocalStates", "Pulumi", "ensure_engine", "local_backend", "local_states"]
