"""What the tests of faults, random lives, odd inputs and kills have survived, counted while many examples run.

Some minutes, and no part of `make test`. The figures go to bench/results/reliability.json, and from there to
docs/reliability.md. Where a test fails, it says so and writes nothing; a scripted life that fails is a figure itself.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import hypothesis

from bench.machine import measured_on
from bench.reliability_lives import SHAPES, scripted
from bench.reliability_page import page
from mixpanel_access.engine import ensure_engine

ROOT: Final = Path(__file__).resolve().parent.parent
RESULTS: Final = ROOT / "bench" / "results" / "reliability.json"
PAGE: Final = ROOT / "docs" / "reliability.md"
TESTS: Final = ("tests/faults", "tests/fuzz", "tests/emulator/test_odd_values.py", "tests/engine/test_killed.py")
TURNS: Final = 10
"""People of each of the emulator's clients."""
_LONGEST_SECONDS: Final = 3600


def main() -> int:
    """Run the tests, write the figures and the page."""
    parser = argparse.ArgumentParser(prog="make reliability", description=__doc__)
    parser.add_argument("--page", action="store_true", help="only make the page anew from the figures that are there")
    parser.add_argument("--profile", default="many", help="of hypothesis: how many examples")
    parser.add_argument("--only-lives", action="store_true", help="only live the scripted lives anew")
    parser.add_argument("--lives", type=int, default=200, help="how many scripted lives with 8 busy days")
    parser.add_argument("--busy-lives", type=int, default=20, help="how many of which all days are busy")
    parser.add_argument("--minutes", type=float, default=120, help="after how many minutes no scripted life begins")
    given = parser.parse_args()
    if not given.page:
        figures = json.loads(RESULTS.read_text()) if given.only_lives else _without_lives(given.profile)
        if not figures:
            print("a test has failed, so there are no figures; those of the last run are as they were", file=sys.stderr)
            return 1
        numbers = dict(zip(SHAPES, (given.lives, given.busy_lives), strict=True))
        lives = scripted(numbers, given.minutes, lambda line: print(line, flush=True))
        RESULTS.write_text(json.dumps({**figures, "scripted": lives}, indent=2) + "\n")
    PAGE.write_text(page(json.loads(RESULTS.read_text())))
    print(f"the figures are in {RESULTS.relative_to(ROOT)} and {PAGE.relative_to(ROOT)}")
    return 0


def _without_lives(profile: str) -> dict[str, Any]:
    """All figures but those of the scripted lives; none where a test has failed."""
    engine = ensure_engine(print)
    found = survived(profile)
    machine = measured_on(engine=engine.version, hypothesis=hypothesis.__version__)
    return {} if found is None else {**machine, **found, **parallel()}


def survived(profile: str) -> dict[str, Any] | None:
    """What the tests have done, or None where one of them has failed."""
    code, counts, report = _counted(profile, TESTS)
    return None if code else figures_of(counts, report)


def _counted(profile: str, tests: Sequence[str], **environ: str) -> tuple[int, Counter[str], str]:
    """How some tests have ended, what they have counted, and their JUnit report."""
    from tests import tally

    with tempfile.TemporaryDirectory(prefix="mixpanel-access-reliability-") as folder:
        counts, report = Path(folder) / "counts", Path(folder) / "report.xml"
        counts.mkdir()
        pytest = [sys.executable, "-m", "pytest", *tests, "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
        options = [f"--hypothesis-profile={profile}", f"--timeout={_LONGEST_SECONDS}", "--dist", "worksteal"]
        done = subprocess.run(
            [*pytest, *options, "-n", str(max(2, os.cpu_count() or 2))],
            cwd=ROOT,
            env={**os.environ, **environ, tally.FOLDER_VARIABLE: str(counts)},
            check=False,
        )
        return done.returncode, tally.total(counts), report.read_text()


def figures_of(counts: Counter[str], report: str) -> dict[str, Any]:
    """The figures of a run.

    Args:
        counts: what was counted in all of its processes.
        report: its JUnit report.
    """
    suite = next(ET.fromstring(report).iter("testsuite"))  # noqa: S314  # pytest's own
    faults: dict[str, dict[str, int]] = {}
    for name in sorted(counts):
        if name.startswith("faults of ") and counts[name]:
            method, _, kind = name.removeprefix("faults of ").partition(": ")
            faults.setdefault(method, {})[kind] = counts[name]
    inputs = {name.removeprefix("inputs of "): counts[name] for name in sorted(counts) if name.startswith("inputs of ")}
    tests = {name: int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")}
    return {
        "tests": {**tests, "seconds": round(float(suite.get("time", "0")))},
        "faults": faults,
        "lives": {
            "lives": counts["lives"],
            "steps": counts["steps of lives"],
            "lives_together": counts["lives together"],
            "steps_together": counts["steps of lives together"],
        },
        "inputs": inputs,
        "kills": {name: counts[f"kills{more}"] for name, more in KILLS.items()},
    }


KILLS: Final = {"kills": "", "lost": ": lost", "double": ": double"}
"""Figure of the kills -> how the tally goes on after `kills`."""


def parallel() -> dict[str, Any]:
    """What the emulator bears of fifty clients at once."""
    from mixpanel_access.emulator.server import EmulatorServer
    from tests.emulator.conftest import organization
    from tests.emulator.parallel import CLIENTS, crowd

    with EmulatorServer(organization()) as server:
        found = crowd(server.url, TURNS)
    requests = sum(found.statuses.values())
    figures = {
        "clients": CLIENTS,
        "requests": requests,
        "faults": sum(times for status, times in found.statuses.items() if status >= 500),
        "refused": sum(times for status, times in found.statuses.items() if 400 <= status < 500),
        "lost": len(found.lost),
        "double": len(found.double),
        "requests_per_second": round(requests / found.seconds),
    }
    return {"parallel": figures}


if __name__ == "__main__":
    sys.exit(main())
