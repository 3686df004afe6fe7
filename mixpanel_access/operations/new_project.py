"""A new project: this one's own program, rosters, policies and workflow, ready to preview on the emulator."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Final

from mixpanel_access import __version__
from mixpanel_access.files.whole import create_files
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.new_project import CI, NAME
from mixpanel_access.operations.packaging import TEMPLATES, WHEEL, own_file, with_wheel

COPIED: Final = (
    "stacks/__main__.py",
    "stacks/common.yaml",
    "stacks/production.yaml",
    "stacks/staging.yaml",
    "stacks/Pulumi.production.yaml",
    "stacks/Pulumi.staging.yaml",
    "policies/PulumiPolicy.yaml",
    "policies/__main__.py",
    "policies/requirements.txt",
    "policies/config/production.json",
    "policies/config/staging.json",
    "docs/roster.schema.json",
    "docs/common.schema.json",
)
"""The files that are as they are in this project."""
CHANGED: Final = (
    "Pulumi.yaml",
    "examples/ci/README.md",
    "examples/ci/github-actions.yml",
    "examples/ci/gitlab-ci.yml",
    "examples/ci/CODEOWNERS",
    "examples/ci/pull_request_template.md",
)
"""The files that are changed on their way."""

EXAMPLE_DAY: Final = date(2026, 4, 15)
"""The day on which the engagements of the rosters in `stacks/` begin."""
_DATE: Final = re.compile(r"(?<![\w-])\d{4}-\d{2}-\d{2}(?![\w-])")
_SETTINGS: Final = "## What to set\n"
_NAMED: Final = re.compile(r"(?!\.+\Z)[A-Za-z0-9_.-]{1,100}")
"""What Pulumi takes as a project's name; it is a folder of the state's too, and dots alone are none."""


_WORKFLOWS: Final = {
    CI.GITHUB: ("examples/ci/github-actions.yml", ".github/workflows/mixpanel-access.yml"),
    CI.GITLAB: ("examples/ci/gitlab-ci.yml", ".gitlab-ci.yml"),
}
_REVIEW: Final = {
    CI.GITHUB: (".github/CODEOWNERS", ".github/pull_request_template.md"),
    CI.GITLAB: (".gitlab/CODEOWNERS", ".gitlab/merge_request_templates/Default.md"),
}
"""Who reviews what, and what a change is to say."""


def begun_on(text: str, today: date) -> str:
    """An example roster with all its days moved, so that its engagements begin on a day."""
    moved = today - EXAMPLE_DAY
    return _DATE.sub(lambda found: (date.fromisoformat(found[0]) + moved).isoformat(), text)


def new_project(
    folder: Path, wheel: bytes, name: str = NAME, ci: CI = CI.GITHUB, today: date = EXAMPLE_DAY
) -> list[str]:
    """Write a new project, over no file that is there; all of it, or nothing.

    Args:
        folder: where; made if it is not there.
        wheel: the wheel of this version, which its requirements name.
        name: the project's name for Pulumi.
        ci: whose workflow it gets.
        today: the day on which the engagements of its rosters begin.

    Returns:
        The files, relative to the folder.

    Raises:
        UsageError: the name is none, a file is there already, or one cannot be written.
    """
    files = project_files(wheel, name, ci, today)
    create_files(folder, files, "project")
    return list(files)


def project_files(
    wheel: bytes, name: str = NAME, ci: CI = CI.GITHUB, today: date = EXAMPLE_DAY
) -> dict[str, str | bytes]:
    """The files of a new project, with what is in them.

    Args: see `new_project`.

    Raises:
        UsageError: the name is none.
    """
    if not _NAMED.fullmatch(name):
        raise UsageError(
            "cannot name the project",
            whom=repr(name),
            why="it takes 1 to 100 letters, digits, dots, hyphens and underscores, and more than dots",
            next_step="Give another --name.",
        )
    example, workflow = _WORKFLOWS[ci]
    owners, template = _REVIEW[ci]
    copied = {file: own_file(file) for file in COPIED}
    return {
        "README.md": _readme(name, ci),
        ".gitignore": (TEMPLATES / "gitignore").read_text("utf-8"),
        "requirements.txt": with_wheel(wheel),
        WHEEL: wheel,
        "Pulumi.yaml": own_file("Pulumi.yaml").replace(f'name: "{NAME}"\n', f'name: "{name}"\n'),
        **{file: begun_on(text, today) if _is_roster(file) else text for file, text in copied.items()},
        workflow: _workflow(own_file(example)),
        owners: own_file("examples/ci/CODEOWNERS"),
        template: own_file("examples/ci/pull_request_template.md"),
        "docs/ci.md": _ci_page(own_file("examples/ci/README.md")),
    }


def _is_roster(file: str) -> bool:
    return file.startswith("stacks/") and file.endswith(".yaml") and "Pulumi." not in file


def _readme(name: str, ci: CI) -> str:
    owners, template = _REVIEW[ci]
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701 - Markdown
    return templates.get_template("README.md.j2").render(
        name=name, version=__version__, ci=_WORKFLOWS[ci][1], wheel=WHEEL, owners=owners, template=template
    )


def _workflow(text: str) -> str:
    """The example, for a project that has the package and not its source."""
    _, _, body = text.partition("\n")  # the first line says where to copy it
    install = "python3.12 -m venv .venv && .venv/bin/pip install -q --require-hashes --no-deps -r requirements.txt"
    return f"# What to set first: docs/ci.md.\n{body.replace('make setup PYTHON=python3.12', install)}"


def _ci_page(text: str) -> str:
    """What to set, of the page of the examples."""
    return f"# What CI needs\n{text.partition(_SETTINGS)[2]}"
