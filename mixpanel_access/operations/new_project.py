"""Folders made of what the package brings along, its own files and its wheel: a new project, and a policy pack."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from datetime import date
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from mixpanel_access import __version__
from mixpanel_access.files.whole import create_files, reason
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.new_project import CI, NAME, Backend

TEMPLATES: Final = Path(__file__).parents[1] / "templates" / "project"
WHEEL: Final = f"mixpanel_access-{__version__}-py3-none-any.whl"
"""The name of the wheel of this version."""
_RECORD: Final = f"mixpanel_access-{__version__}.dist-info/RECORD"


def own_file(file: str) -> str:
    """A file of this project: of an installed package, in the templates' folder; in a clone, at its root."""
    packaged = TEMPLATES / file
    return (packaged if packaged.is_file() else TEMPLATES.parents[2] / file).read_text("utf-8")


def installed_wheel() -> Path | None:
    """The wheel that this package was installed from, if it is still there and has the files that are installed."""
    try:
        package = distribution("mixpanel-access")
    except PackageNotFoundError:
        return None
    return wheel_of(package)


def wheel_of(package: Distribution) -> Path | None:
    """The wheel that an installed package comes from, by the note that its installer leaves (PEP 610)."""
    url = urlsplit(str(json.loads(package.read_text("direct_url.json") or "{}").get("url", "")))
    file = Path(unquote(url.path))
    if url.scheme != "file" or file.name != WHEEL or not file.is_file():
        return None
    try:
        with zipfile.ZipFile(file) as wheel:
            brought = wheel.read(_RECORD).decode().splitlines()
    except (zipfile.BadZipFile, KeyError, OSError):
        return None
    installed = (package.read_text("RECORD") or "").splitlines()
    return file if {line for line in brought if not line.startswith(_RECORD)} <= set(installed) else None


LOCK: Final = "policies/requirements.txt"
"""The packages that this one requires, in one version each, with hashes; this one is not in it."""


def with_wheel(wheel: bytes) -> str:
    """The requirements of a folder that has the wheel in it, all with their hashes: the wheel's too."""
    return f"./{WHEEL} --hash=sha256:{hashlib.sha256(wheel).hexdigest()}\n{own_file(LOCK)}"


def read_wheel(file: Path | None) -> bytes:
    """The wheel of this version.

    Args:
        file: where; None for the one that this package was installed from.

    Raises:
        UsageError: there is none, it is another file, or it cannot be read.
    """
    step = "`make package` builds it in a clone, as dist/" + WHEEL
    file = file or installed_wheel()
    if file is None:
        raise UsageError(
            "cannot find the wheel of mixpanel-access",
            why="this one was not installed from a wheel that is still there",
            next_step=f"Name it with --wheel: {step}.",
        )
    if file.name != WHEEL:
        raise UsageError(
            "cannot take the wheel", subject=str(file), why=f"the wheel of this version is {WHEEL}", next_step=step
        )
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError("cannot read the wheel", subject=str(file), why=reason(error), next_step=step) from None


_COPIED: Final = ("__main__.py", "config/production.json", "config/staging.json")
_RUNTIME: Final = "runtime: python\n"
_OWN_RUNTIME: Final = "runtime:\n  name: python\n  options:\n    toolchain: pip\n    virtualenv: venv\n"
"""A virtualenv in the folder itself, which `pulumi install` makes of its requirements."""


def write_pack(folder: Path, wheel: Path) -> list[str]:
    """Write the pack with the package's wheel and hashed requirements, over no file that is there.

    Returns:
        The files, relative to the folder.

    Raises:
        UsageError: the wheel is not that of this version, or a file is there already or cannot be written.
    """
    content = read_wheel(wheel)
    files: dict[str, str | bytes] = {
        "PulumiPolicy.yaml": own_file("policies/PulumiPolicy.yaml").replace(_RUNTIME, _OWN_RUNTIME),
        **{name: own_file(f"policies/{name}") for name in _COPIED},
        "requirements.txt": with_wheel(content),
        WHEEL: content,
    }
    create_files(folder, files, "policy pack")
    return list(files)


ROSTERS: Final = ("stacks/common.yaml", "stacks/production.yaml", "stacks/staging.yaml")
"""The rosters, and what they include; their days are moved, and they need no exception."""
COPIED: Final = (
    "stacks/__main__.py",
    *ROSTERS,
    "stacks/Pulumi.production.yaml",
    "stacks/Pulumi.staging.yaml",
    "plugins/mixpanel-access/PulumiPlugin.yaml",
    "plugins/mixpanel-access/__main__.py",
    "plugins/pulumi-python/PulumiPlugin.yaml",
    "plugins/pulumi-python/__main__.py",
    "policies/PulumiPolicy.yaml",
    "policies/__main__.py",
    "policies/requirements.txt",
    "policies/config/production.json",
    "policies/config/staging.json",
    "docs/roster.schema.json",
    "docs/common.schema.json",
)
"""The files that are as they are in this project, but for the days and the exception of the rosters."""
CHANGED: Final = (
    "Pulumi.yaml",
    "examples/ci/README.md",
    "examples/ci/backends.md",
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


_EXCEPTION: Final = "\nexceptions:"
"""From here to its end, the roster of production has the exception that makes its engagement longer."""
_LONGER: Final = "ends: 2026-07-27"
_STANDARD: Final = "ends: 2026-07-13"


def without_exception(text: str) -> str:
    """An example roster without the example of an exception: its engagement ends as its type allows."""
    return text.partition(_EXCEPTION)[0].rstrip("\n").replace(_LONGER, _STANDARD) + "\n"


def begun_on(text: str, today: date) -> str:
    """An example roster with all its days moved, so that its engagements begin on a day."""
    moved = today - EXAMPLE_DAY
    return _DATE.sub(lambda found: (date.fromisoformat(found[0]) + moved).isoformat(), text)


_LOGINS: Final = {
    Backend.PULUMI_CLOUD: "pulumi login",
    Backend.S3: "pulumi login 's3://example-state?region=eu-central-1'",
    Backend.GCS: "pulumi login gs://example-state",
    Backend.AZBLOB: "pulumi login 'azblob://example-state?storage_account=example'",
    Backend.FILE: 'pulumi login "file://$PWD?metadata=skip"',
}
"""How the engine is told where the states are; the names are examples."""
_SECTIONS: Final = {
    Backend.PULUMI_CLOUD: "## Pulumi Cloud\n",
    Backend.GCS: "## Google Cloud Storage\n",
    Backend.AZBLOB: "## Azure Blob Storage\n",
}
"""Where the page of the backends has the step of each; S3 is in the workflow."""
_STEP: Final = re.compile(r"uses: aws-actions/configure-aws-credentials@.*\n( +)with:\n(?:\1 +.*\n)+")
_ONLY_S3: Final = re.compile(r"\| `(?:AWS_|STATE_BACKEND_).*\n")
_FENCE: Final = "```yaml\n"


def new_project(
    folder: Path,
    wheel: bytes,
    name: str = NAME,
    ci: CI = CI.GITHUB,
    today: date = EXAMPLE_DAY,
    backend: Backend = Backend.S3,
) -> list[str]:
    """Write a new project, over no file that is there; all of it, or nothing.

    Args:
        folder: where; made if it is not there.
        wheel: the wheel of this version, which its requirements name.
        name: the project's name for Pulumi.
        ci: whose workflow it gets.
        today: the day on which the engagements of its rosters begin.
        backend: where it keeps its states.

    Returns:
        The files, relative to the folder.

    Raises:
        UsageError: the name is none, the CI system cannot reach the backend, a file is there already, or one cannot be
            written.
    """
    files = project_files(wheel, name, ci, today, backend)
    create_files(folder, files, "project")
    return list(files)


def project_files(
    wheel: bytes,
    name: str = NAME,
    ci: CI = CI.GITHUB,
    today: date = EXAMPLE_DAY,
    backend: Backend = Backend.S3,
) -> dict[str, str | bytes]:
    """The files of a new project, with what is in them.

    Args: see `new_project`.

    Raises:
        UsageError: the name is none, or the CI system cannot reach the backend.
    """
    if not _NAMED.fullmatch(name):
        raise UsageError(
            "cannot name the project",
            subject=repr(name),
            why="it takes 1 to 100 letters, digits, dots, hyphens and underscores, and more than dots",
            next_step="Give another --name.",
        )
    copied = {file: own_file(file) for file in COPIED}
    return {
        "README.md": _readme(name, ci, backend),
        ".gitignore": (TEMPLATES / "gitignore").read_text("utf-8"),
        ".gitattributes": (TEMPLATES / "gitattributes").read_text("utf-8"),
        "requirements.txt": with_wheel(wheel),
        WHEEL: wheel,
        "Pulumi.yaml": own_file("Pulumi.yaml").replace(f'name: "{NAME}"\n', f'name: "{name}"\n'),
        **copied,
        **{file: begun_on(without_exception(copied[file]), today) for file in ROSTERS},
        **_ci_files(ci, backend),
    }


def _ci_files(ci: CI, backend: Backend) -> dict[str, str]:
    """The workflow, who reviews what, and the page of what to set.

    Raises:
        UsageError: the CI system cannot reach the backend.
    """
    if ci is CI.NONE:
        return {}
    if backend is Backend.FILE:
        raise UsageError(
            "cannot make the CI workflow",
            why="with --backend file the states are in a folder of one machine, which CI cannot reach",
            next_step="Add --ci none, or choose another --backend.",
        )
    if ci is CI.GITLAB and backend is not Backend.S3:
        raise UsageError(
            "cannot make the CI workflow",
            why="the example for GitLab has the credentials of S3 alone",
            next_step="Take --backend s3 and change the lines of `.pulumi` in .gitlab-ci.yml, or add --ci none.",
        )
    example, workflow = _WORKFLOWS[ci]
    owners, template = _REVIEW[ci]
    page, text = own_file("examples/ci/README.md").partition(_SETTINGS)[2], own_file(example)
    if section := _SECTIONS.get(backend):
        about = own_file("examples/ci/backends.md").partition(section)[2].partition("\n## ")[0]
        step, _, about = about.partition(_FENCE)[2].partition("```\n")
        uses = step[step.index("uses:") :].replace("\n", "\n      ").rstrip(" ")
        text = _STEP.sub(lambda _: uses, text)
        page = f"{_ONLY_S3.sub('', page)}\n{section}{about}"
    return {
        workflow: _workflow(text),
        owners: own_file("examples/ci/CODEOWNERS"),
        template: own_file("examples/ci/pull_request_template.md"),
        "docs/ci.md": f"# What CI needs\n{page}",
    }


def _readme(name: str, ci: CI, backend: Backend) -> str:
    owners, template = _REVIEW.get(ci, ("", ""))
    workflow = _WORKFLOWS[ci][1] if ci in _WORKFLOWS else ""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701 - Markdown
    return templates.get_template("README.md.j2").render(
        name=name,
        version=__version__,
        ci=workflow,
        wheel=WHEEL,
        owners=owners,
        template=template,
        login=_LOGINS[backend],
    )


def _workflow(text: str) -> str:
    """The example, for a project that has the package and not its source."""
    _, _, body = text.partition("\n")  # the first line says where to copy it
    install = "python3.12 -m venv .venv && .venv/bin/pip install -q --require-hashes --no-deps -r requirements.txt"
    return f"# What to set first: docs/ci.md.\n{body.replace('make setup PYTHON=python3.12', install)}"
