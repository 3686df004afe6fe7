"""Change what a stack's state holds through the engine, and prove that the stack's program then changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mixpanel_access.engine import Completed, Pulumi
from mixpanel_access.engine.runner import meaningful
from mixpanel_access.files.notes import NOTES_VARIABLE, Notes, write_notes
from mixpanel_access.model.errors import EngineError
from mixpanel_access.operations.project import (
    Progress,
    PulumiProject,
    temporary_folder,
    with_variables,
)

LONGEST: Final = 3600.0
"""Seconds that one run of the engine may take; the file backend gets slow with thousands of resources."""

NOTHING: Final = ("same", "read", "refresh")
"""Steps of a run that change nothing."""
_ONE_WRITE: Final = {"PULUMI_SKIP_CHECKPOINTS": "true"}
"""The engine then writes the state once, not once a resource. Nothing is lost with a run that dies: it only copies."""


def note(project: PulumiProject, stack: str, notes: Mapping[str, Notes]) -> None:
    """Write into the state what resources are from now on; Mixpanel is not asked.

    It is a refresh of these resources alone, since `pulumi state delete` and `pulumi stack import` read and write the
    state without one lock over both, and lose what another run has written between. A note stands under the resource's
    name in the engine and, below that, under its id.

    Raises:
        EngineError: the engine refuses, as where another run holds the stack; the state is as it was.
    """
    rest = dict(notes)
    while rest:
        now: dict[str, Notes] = {}
        for urn, by_id in rest.items():  # a note knows its resource by the id, which others of another kind may have
            if not any(by_id.keys() & other for other in now.values()):
                now[urn] = by_id
        with temporary_folder() as folder:
            write_notes(folder, {id_: one for by_id in now.values() for id_, one in by_id.items()})
            refresh_with_notes(project, stack, list(now), folder)
        rest = {urn: by_id for urn, by_id in rest.items() if urn not in now}


def refresh_with_notes(project: PulumiProject, stack: str, urns: Sequence[str], folder: Path) -> None:
    """Have the engine read these resources, and the provider take them from the notes in a folder."""
    targets = [word for urn in urns for word in ("--target", urn)]
    with_variables(project.pulumi, {**_ONE_WRITE, NOTES_VARIABLE: str(folder)}).run(
        *("refresh", "--yes", "--skip-preview", "--run-program=false", *targets, "--stack", stack), timeout=LONGEST
    )


def count_of(document: Mapping[str, Any]) -> int:
    """How many resources a file for `pulumi import` takes in; their component, which the engine makes, is none."""
    return sum(1 for entry in document["resources"] if not entry.get("component"))


def import_resources(project: PulumiProject, stack: str, document: Mapping[str, Any], progress: Progress) -> None:
    """Take resources into the state, as a file for `pulumi import` describes them.

    Raises:
        EngineError: the engine refuses; what it has taken until then is in the state.
    """
    total = count_of(document)
    done = 0

    def count(line: str) -> None:
        nonlocal done
        if line.rstrip().endswith(")") and " imported " in line:
            done += 1
            if done % max(1, total // 10) == 0:
                progress(f"imported {done} of {total}")

    with temporary_folder() as folder:
        file = folder / "document.json"
        file.write_text(json.dumps(document), encoding="utf-8")
        with_variables(project.pulumi, _ONE_WRITE).run(
            *("import", "--file", str(file), "--generate-code=false", "--protect=false", "--yes", "--stack", stack),
            timeout=LONGEST,
            on_line=count,
        )


def preview_document(pulumi: Pulumi, stack: str, *options: str) -> tuple[Completed, dict[str, Any]]:
    """A preview, and what it says in JSON; an empty document where it says nothing."""
    completed = pulumi.run("preview", "--json", "--stack", stack, *options, timeout=LONGEST, check=False)
    try:
        document = json.loads(completed.stdout)
    except ValueError:
        document = {}
    return completed, document if isinstance(document, dict) else {}


def errors_in(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The errors in a preview's document: each resource, "" for none, with the message on one line."""
    errors = [one for one in document.get("diagnostics") or () if one.get("severity") == "error"]
    return [(str(one.get("urn") or ""), " ".join(str(one["message"]).split())) for one in errors]


def changes_at_preview(project: PulumiProject, stack: str) -> list[str]:
    """What `pulumi preview` would do, one line a resource ("update 1234567:bo@example.com"); nothing is empty."""
    completed, document = preview_document(project.pulumi, stack)
    if completed.returncode != 0 or "steps" not in document:
        said = [message for _, message in errors_in(document)]
        raise EngineError(
            "pulumi preview failed",
            subject=stack,
            why=" / ".join(said) or meaningful(completed.stdout, completed.stderr),
            next_step="Correct that, then run it again.",
        )
    return [
        f"{step['op']} {str(step['urn']).rpartition('::')[2]}"
        for step in document["steps"]
        if step["op"] not in NOTHING
    ]


def prove(project: PulumiProject, stack: str, progress: Progress) -> list[str]:
    """Preview, and when nothing would change, have the engine note what depends on what.

    The change is done before this: where the engine refuses the second, as while another run holds the stack, a
    line says so, and the next `pulumi up` does it.

    Returns:
        what a preview would change; empty when all is well.
    """
    progress("previewing")
    changes = changes_at_preview(project, stack)
    if not changes:
        progress("noting what depends on what")
        # An import does not tell what depends on what, and a program does. On destroy the brake goes first and members
        # after their grants; the engine knows it only from here on.
        words = ("up", "--yes", "--skip-preview", "--expect-no-changes", "--stack", stack)
        try:
            with_variables(project.pulumi, _ONE_WRITE).run(*words, timeout=LONGEST)
        except EngineError as error:
            progress(f"not noted, and the next `pulumi up` notes it: {error}")
    return changes
