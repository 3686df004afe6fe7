"""Look up known vulnerabilities of the locked packages (`make audit`), or write a bill of materials (`make sbom`).

Both tools run outside of .venv, by `uv tool run`, in the versions below. Exit code 0: fine; 1: a package has a known
vulnerability, or is missing from the bill; 3: the lookup of some packages failed, so nothing is known of them.
"""
# ruff: noqa: T201 - it prints: that is its job

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
LOCK: Final = ROOT / "requirements.lock"
BILL: Final = ROOT / "build" / "sbom.json"
AUDITOR: Final = ("pip-audit==2.10.1", "pip-audit")
BILLER: Final = ("cyclonedx-bom==7.5.0", "cyclonedx-py")
FOUND, UNKNOWN = 1, 3


def main() -> int:
    """Run one of the two tools."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", choices=("audit", "sbom"))
    parser.add_argument("--lock", type=Path, default=LOCK, help="the locked requirements, with hashes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mixpanel-access-supply-") as folder:
        made = Path(folder) / "made.json"
        return audit(given.lock, made) if given.job == "audit" else bill(given.lock, made)


def audit(lock: Path, made: Path) -> int:
    """Look up the known vulnerabilities of each locked package."""
    options = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json")
    code = _run(AUDITOR, "--requirement", lock, *options, "--output", made)
    report = json.loads(made.read_text()) if made.is_file() else {}
    said, code = judged(report, locked(lock.read_text()), code)
    print("\n".join(said))
    return code


def judged(report: dict[str, Any], wanted: dict[str, str], code: int) -> tuple[list[str], int]:
    """The lines to print for the auditor's report, and the exit code.

    The auditor passes a package that its service does not know; here nothing is known of such a package.

    Args:
        report: its report; empty if it wrote none.
        wanted: the locked packages, name -> version.
        code: its exit code.
    """
    rows = {_name(row["name"]): row for row in report.get("dependencies", [])}
    bad = {name: [one["id"] for one in row.get("vulns", [])] for name, row in sorted(rows.items()) if row.get("vulns")}
    said = [f"{name} {rows[name]['version']}: {', '.join(ids)}" for name, ids in bad.items()]
    if bad:
        return [*said, f"{len(bad)} of {len(wanted)} locked packages have known vulnerabilities."], FOUND
    unknown = sorted(name for name in wanted if name not in rows or "skip_reason" in rows[name])
    if unknown or not wanted or code:
        why = f"No audit: {len(unknown)} of {len(wanted)} locked packages could not be asked for"
        return [f"{why} ({', '.join(unknown[:3]) or 'none'}). The advisory service must be reachable."], UNKNOWN
    return [f"{len(wanted)} locked packages, none with a known vulnerability."], 0


def bill(lock: Path, made: Path) -> int:
    """Write the bill of materials, and check that every locked package is in it."""
    options = ("--of", "JSON", "--output-reproducible", "--pyproject", ROOT / "pyproject.toml", "-o", made)
    if _run(BILLER, "requirements", lock, *options):
        print("No bill: the tool could not be installed, or has failed.")
        return UNKNOWN
    wanted = locked(lock.read_text())
    missing = missing_in(json.loads(made.read_text()), wanted)
    if missing:
        print(f"missing from the bill of materials: {', '.join(missing)}")
        return FOUND
    BILL.parent.mkdir(exist_ok=True)
    BILL.write_text(made.read_text())
    print(f"{BILL.relative_to(ROOT)} has all {len(wanted)} locked packages.")
    return 0


def missing_in(document: dict[str, Any], wanted: dict[str, str]) -> list[str]:
    """The locked packages whose version or hash is missing from a CycloneDX document."""
    there = {
        (_name(component["name"]), component["version"])
        for component in document.get("components", [])
        if component.get("purl", "").startswith("pkg:pypi/")
        and any(reference.get("hashes") for reference in component.get("externalReferences", []))
    }
    return [f"{name}=={version}" for name, version in sorted(wanted.items()) if (name, version) not in there]


def locked(text: str) -> dict[str, str]:
    """Name -> version of the locked packages."""
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", text, re.MULTILINE)
    return {_name(name): version for name, version in found}


def _name(name: str) -> str:
    """A package's name in the form that indexes compare (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _run(tool: tuple[str, str], *args: str | Path) -> int:
    command = [sys.executable, "-m", "uv", "tool", "run", "--quiet", "--from", *tool, *map(str, args)]
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, check=False, env=quiet, stderr=subprocess.PIPE, text=True)  # noqa: S603  # our words
    if done.returncode:  # otherwise it prints that all is well, which we judge ourselves
        sys.stderr.write("".join(done.stderr.splitlines(keepends=True)[-1:]))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
