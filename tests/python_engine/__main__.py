"""A process that is the engine for one command: the folder of the real one, its version, and the command line."""

from __future__ import annotations

import sys

from tests.python_engine.run import main

sys.exit(main(sys.argv[3:], *sys.argv[1:3]))
