"""The audit and the bill of materials are of every locked package, and do not pass for more than they are."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.supply_chain import FOUND, LOCK, UNKNOWN, judged, locked, missing_in

WANTED = {"idna": "3.20", "ruamel-yaml": "0.19.1"}
GOOD = {"name": "idna", "version": "3.20", "vulns": []}
OTHER = {"name": "ruamel.yaml", "version": "0.19.1", "vulns": []}
SKIPPED = {"name": "ruamel.yaml", "skip_reason": "not found"}
BAD = {"name": "Idna", "version": "3.20", "vulns": [{"id": "CVE-1"}, {"id": "CVE-2"}]}
REPORTS: dict[str, tuple[list[dict[str, Any]], int, int, str]] = {
    "all known": ([GOOD, OTHER], 0, 0, "2 locked packages, none with a known vulnerability."),
    "one found": ([BAD, OTHER], 1, FOUND, "idna 3.20: CVE-1, CVE-2"),
    "one found, one unknown": ([BAD, SKIPPED], 1, FOUND, "1 of 2 locked packages have known vulnerabilities."),
    "one unknown": (
        [GOOD, SKIPPED],
        0,
        UNKNOWN,
        "No audit: 1 of 2 locked packages could not be asked for (ruamel",
    ),
    "one left out": ([GOOD], 0, UNKNOWN, "No audit: 1 of 2"),
    "no service": ([], 1, UNKNOWN, "No audit: 2 of 2"),
    "failed at the end": ([GOOD, OTHER], 1, UNKNOWN, "No audit: 0 of 2"),
}


@pytest.mark.parametrize(("rows", "code", "ends", "words"), REPORTS.values(), ids=REPORTS.keys())
def test_what_nobody_could_be_asked_for_is_not_fine(
    rows: list[dict[str, Any]], code: int, ends: int, words: str
) -> None:
    """Whatever the auditor's own exit code says."""
    said, found = judged({"dependencies": rows}, WANTED, code)
    assert found == ends
    assert words in "\n".join(said)


def component(name: str, version: str, **more: Any) -> dict[str, Any]:
    """A package of a bill."""
    hashes = [{"hashes": [{"alg": "SHA-256", "content": "0"}]}]
    return {
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
        "externalReferences": hashes,
        **more,
    }


def test_a_bill_has_every_package_in_its_version_with_a_hash() -> None:
    """By whatever spelling of its name."""
    whole = [component("idna", "3.20"), component("ruamel.yaml", "0.19.1")]
    assert missing_in({"components": whole}, WANTED) == []
    for spoiled in ([], [component("idna", "3.19")], [component("idna", "3.20", externalReferences=[])]):
        assert missing_in({"components": [*spoiled, whole[1]]}, WANTED) == ["idna==3.20"]


def test_the_lock_is_read_whole() -> None:
    """Every line that pins something is a package."""
    text = LOCK.read_text()
    assert len(locked(text)) == sum("==" in line for line in text.splitlines() if line[:1].isalnum())
    assert {"httpx", "pulumi", "ruamel-yaml"} <= locked(text).keys()
