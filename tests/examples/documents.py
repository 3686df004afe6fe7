"""The CI examples as YAML, and what their keywords make of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FOLDER = Path(__file__).parents[2] / "examples" / "ci"
GITHUB = (FOLDER / "github-actions.yml").read_text("utf-8")
GITLAB = (FOLDER / "gitlab-ci.yml").read_text("utf-8")
README = (FOLDER / "README.md").read_text("utf-8")
STACKS = {"staging", "production"}

_GITLAB_KEYWORDS = {"default", "include", "stages", "variables", "workflow"}


@cache
def load(text: str) -> Any:
    """Parse YAML, once; mappings know the lines of their keys."""
    return YAML().load(text)


def github_jobs(text: str) -> dict[str, Any]:
    """The jobs of a workflow."""
    return dict(load(text)["jobs"])


def github_steps(text: str) -> Iterator[tuple[str, Any]]:
    """Each step of each job, with the name of the job; a step that jobs share comes once for each."""
    for name, job in github_jobs(text).items():
        for step in job["steps"]:
            yield name, step


def gitlab_jobs(text: str) -> dict[str, dict[str, Any]]:
    """The jobs of a pipeline that are run, with all that they extend."""
    document = load(text)
    return {
        name: _extended(document, name)
        for name, value in document.items()
        if isinstance(value, dict) and name not in _GITLAB_KEYWORDS and not name.startswith(".")
    }


def _extended(document: Any, name: str) -> dict[str, Any]:
    own = dict(document[name])
    bases = own.pop("extends", [])
    merged: dict[str, Any] = {}
    for base in [bases] if isinstance(bases, str) else bases:
        merged = _merge(merged, _extended(document, base))
    return _merge(merged, own)


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """As `extends` does it: mappings are merged, anything else is replaced."""
    both = {
        key: _merge(dict(below[key]), dict(value))
        for key, value in above.items()
        if isinstance(value, dict) and isinstance(below.get(key), dict)
    }
    return {**below, **above, **both}


def script_of(job: dict[str, Any]) -> str:
    """All lines that a job of GitLab runs."""
    return "\n".join(_flat([job.get("before_script", []), job["script"]]))


def _flat(lines: Any) -> Iterator[str]:
    """The lines of a script; GitLab takes lists in it for what they hold."""
    for line in lines:
        if isinstance(line, str):
            yield line
        else:
            yield from _flat(line)
