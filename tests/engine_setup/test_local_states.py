"""A state in a folder is read without the engine only if all of it is as the engine writes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mixpanel_access.engine import Engine, LocalStates, Pulumi, local_states
from mixpanel_access.model.resources import SIGNATURE
from mixpanel_access.operations.project import PulumiProject

from .engine_fakes import write_engine

STACK = "production"
ROWS = {"resources": [{"urn": "urn:pulumi:production::access::mixpanel:index:Member::ana"}]}


def pulumi(root: Path, backend: str = "") -> Pulumi:
    """The project `access` with a backend in the folder `root`, whose one state has a resource."""
    project, states = root / "project", root / ".pulumi/stacks/access"
    for folder in (project, states, root / ".pulumi/locks/organization/access"):
        folder.mkdir(parents=True)
    (project / "Pulumi.yaml").write_text('name: "access"\nruntime: python\n')
    (root / ".pulumi/meta.yaml").write_text("version: 1\n")
    checkpoint = {"stack": f"organization/access/{STACK}", "latest": ROWS}
    (states / f"{STACK}.json").write_text(json.dumps({"version": 3, "checkpoint": checkpoint}))
    (states / f"{STACK}.json.bak").write_text("what was there before")
    environ = {"PULUMI_BACKEND_URL": backend or f"file://{root}?metadata=skip"}
    return Pulumi(Engine(root, "3.259.0", "path"), project, environ)


def states(root: Path) -> LocalStates:
    """The states of that project."""
    found = local_states(pulumi(root))
    assert found is not None
    return found


def test_a_state_is_read_as_the_engine_exports_it(tmp_path: Path) -> None:
    """With its version, and each object as the hook returns it."""
    found = states(tmp_path)
    assert found.names() == [STACK]
    assert found.export(STACK, lambda values: values) == {"version": 3, "deployment": ROWS}
    assert found.export(STACK, lambda values: {"seen": True, **values})["deployment"]["seen"]  # type: ignore[index]


@pytest.mark.parametrize(
    "backend",
    [
        "",
        "https://api.pulumi.com",
        "s3://states",
        "file://~",
        "file://states",
        "file:///a%20folder",
        "file:///a?no_tmp_dir=1",
    ],
)
def test_another_backend_is_left_to_the_engine(tmp_path: Path, backend: str) -> None:
    """Only an absolute path means the same to everybody."""
    asked = pulumi(tmp_path, backend or "none")
    assert local_states(Pulumi(asked.engine, asked.project, {"PULUMI_BACKEND_URL": backend})) is None


@pytest.mark.parametrize("text", ["", "name: a/b\n", 'name: "access\n', "  name: access\n", "description: none\n"])
def test_a_project_of_another_name_is_left_to_the_engine(tmp_path: Path, text: str) -> None:
    """No other project's states are taken for those of a project whose name is not understood."""
    asked = pulumi(tmp_path)
    (asked.project / "Pulumi.yaml").write_text(text)
    assert local_states(asked) is None


def replaced(file: str, before: str, after: str) -> Callable[[Path], object]:
    """Replace a text in a file."""

    def change(root: Path) -> None:
        text = (root / file).read_text()
        assert before in text
        (root / file).write_text(text.replace(before, after))

    return change


def written(file: str) -> Callable[[Path], object]:
    """Write another file."""
    return lambda root: (root / file).write_text("{}")


STATE = f".pulumi/stacks/access/{STACK}.json"
LEFT_TO_THE_ENGINE: dict[str, Callable[[Path], object]] = {
    "a run that holds the lock": written(".pulumi/locks/organization/access/1f3a.json"),
    "a secret": replaced(STATE, '"urn"', f'"{SIGNATURE}"'),
    "another version": replaced(STATE, '"version": 3', '"version": 4'),
    "another stack's state": replaced(STATE, f"access/{STACK}", f"other/{STACK}"),
    "a stack without a state": replaced(STATE, "latest", "latter"),
    "no state as such": replaced(STATE, json.dumps(ROWS), "null"),
    "half a file": lambda root: (root / STATE).write_text((root / STATE).read_text()[:-9]),
    "no file": lambda root: (root / STATE).unlink(),
    "no text": lambda root: (root / STATE).write_bytes(b"\xff"),
}
ANOTHER_LAYOUT: dict[str, Callable[[Path], object]] = {
    "another layout": replaced(".pulumi/meta.yaml", "1", "2"),
    "no layout": lambda root: (root / ".pulumi/meta.yaml").unlink(),
    "a compressed state": written(f"{STATE}.gz"),
    "a folder": lambda root: (root / ".pulumi/stacks/access/folder").mkdir(),
    "an odd name": written(".pulumi/stacks/access/a stack.json"),
}


@pytest.mark.parametrize(
    "change", {**LEFT_TO_THE_ENGINE, **ANOTHER_LAYOUT}.values(), ids=LEFT_TO_THE_ENGINE | ANOTHER_LAYOUT
)
def test_what_is_not_as_the_engine_writes_it_is_left_to_the_engine(
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    """A state that may be half written, encrypted, of another form or of another stack."""
    found = states(tmp_path)
    change(tmp_path)
    assert found.export(STACK, lambda values: values) is None


@pytest.mark.parametrize("change", ANOTHER_LAYOUT.values(), ids=ANOTHER_LAYOUT)
def test_the_names_of_another_layout_are_left_to_the_engine(tmp_path: Path, change: Callable[[Path], object]) -> None:
    """A stack that is not seen would be access that nobody manages."""
    found = states(tmp_path)
    change(tmp_path)
    assert found.names() is None


@pytest.mark.parametrize("name", ["staging", "organization/access/production", "../access/production", ""])
def test_a_stack_that_is_not_there_is_left_to_the_engine(tmp_path: Path, name: str) -> None:
    """The engine says why in its own words."""
    assert states(tmp_path).export(name, lambda values: values) is None


def test_a_project_starts_the_engine_only_for_what_the_folder_does_not_say(tmp_path: Path) -> None:
    """Stacks and states come from the folder; secrets, and what a lock is on, from the engine."""
    project = PulumiProject(pulumi(tmp_path))
    write_engine(tmp_path, f"echo $* >> '{tmp_path}/asked'; echo '{{\"deployment\": {{}}}}'")
    assert project.stacks == [STACK]
    assert project.export(STACK)["deployment"] == ROWS
    assert not (tmp_path / "asked").exists()
    written(".pulumi/locks/organization/access/1f3a.json")(tmp_path)
    assert project.export(STACK) == project.export(STACK, show_secrets=True) == {"deployment": {}}
    assert (tmp_path / "asked").read_text().count("stack export") == 2
