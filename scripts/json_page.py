"""docs/json.md: what each command prints with `--json`, from the types and meanings of its records' fields.

The same as a JSON schema is what the tests check the commands' real output against.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import types
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from jsonschema import Draft202012Validator
from pydantic import BaseModel

from mixpanel_access.cli import (
    diagnose,
    doctor,
    doctor_writes,
    drift,
    import_members,
    invite,
    new,
    offboard,
    onboard,
    output,
    ownership,
    policy,
    preflight,
    remind,
    review,
    review_apply,
    revoke,
    status,
    token,
    tracker,
    who,
)
from mixpanel_access.model.roster.json_schema import json_schema
from mixpanel_access.operations.evidence.document import EvidenceDocument
from mixpanel_access.operations.releasing import Released
from mixpanel_access.operations.report.model import Report
from mixpanel_access.operations.resending import Resent
from mixpanel_access.operations.review.packet import Item, ReviewLine
from mixpanel_access.operations.tracker.lines import LogLine
from mixpanel_access.operations.welcome import Message

PAGE: Final = Path(__file__).parents[1] / "docs" / "json.md"
DOCUMENTS: Final[dict[str, Any]] = {
    "new": new.NewDocument,
    "doctor": doctor.DoctorDocument,
    "doctor --writes": "The report, as [Verify the writes](verify.md#read-the-report-and-attach-it) describes it.",
    "doctor --undo": doctor_writes.UndoDocument,
    "preflight": preflight.PreflightDocument,
    "import": import_members.ImportDocument,
    "ownership": ownership.OwnershipDocument,
    "invite": invite.InviteDocument,
    "welcome": Message,
    "onboard": onboard.ChecklistDocument | list[onboard.ChecklistDocument],
    "resend": Resent,
    "token": token.TokenDocument,
    "revoke": revoke.RevokeDocument,
    "revoke --within": revoke.WithinDocument,
    "offboard": offboard.OffboardDocument,
    "release": Released,
    "status": status.StatusDocument,
    "who": list[who.WhoRow],
    "diagnose": diagnose.DiagnoseDocument,
    "drift": drift.DriftDocument,
    "roster": "The roster together with the files that it includes: see [its schema](roster.schema.json).",
    "remind": remind.RemindDocument,
    "report": Report,
    "evidence": EvidenceDocument,
    "review start": review.StartDocument,
    "review decide": Item,
    "review status": review.ReviewStatusDocument,
    "review apply": review_apply.ApplyDocument,
    "review evidence": list[ReviewLine],
    "review verify": output.VerifiedDocument,
    "tracker update": list[LogLine],
    "tracker export": list[LogLine],
    "tracker verify": output.VerifiedDocument,
    "tracker prune": tracker.PruneDocument,
    "tracker merge": tracker.MergeDocument,
    "policy list": list[policy.RuleDocument],
    "policy explain": policy.RuleDocument,
    "policy pack": new.NewDocument,
}
"""Command, with the option that makes it print something else -> the type of what it prints, or where to find it."""


def schema(kind: Any) -> dict[str, Any]:
    """The JSON schema of a type, as the encoder of the command line writes it."""
    if kind is Any or kind is object:
        return {}
    if kind is None or kind is type(None):
        return {"type": "null"}
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return {"anyOf": [schema(one) for one in args]}
    if origin is Literal:
        return {"enum": list(args)}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": schema(args[1])}
    if origin is not None and issubclass(origin, Collection):
        return {"type": "array", "items": schema(args[0])}
    if isinstance(kind, str):
        return {"type": "object"}
    if members := record(kind):
        return {
            "type": "object",
            "properties": {name: schema(one) for name, (one, _) in members.items()},
            "required": list(members),
            "additionalProperties": False,
        }
    if issubclass(kind, Enum):
        return {"enum": [one.value for one in kind]}
    if issubclass(kind, datetime | date):
        return {"type": "string", "format": "date-time" if issubclass(kind, datetime) else "date"}
    return {"type": {bool: "boolean", int: "integer", float: "number"}.get(kind, "string")}


def record(kind: Any) -> dict[str, tuple[Any, str]]:
    """The keys of a record in JSON, each with its type and its meaning; nothing for another type."""
    said = meanings(kind)
    if inspect.isclass(kind) and issubclass(kind, BaseModel):
        return {
            one.alias or name: (one.annotation, one.description or said.get(name, ""))
            for name, one in kind.model_fields.items()
        }
    if is_dataclass(kind):
        hints = get_type_hints(kind, localns=names(kind))
        return {output.camel_case(one.name): (hints[one.name], said.get(one.name, "")) for one in fields(kind)}
    if is_typeddict(kind):
        hints = get_type_hints(kind, localns=names(kind), include_extras=True)
        return {name: get_args(one) if get_origin(one) is Annotated else (one, "") for name, one in hints.items()}
    return {}


def names(kind: Any) -> dict[str, Any]:
    """What the annotations of a record can name: its module's names, and what that imports for types only."""
    module = sys.modules[kind.__module__]
    found = dict(vars(module))
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            exec(ast.unparse(ast.Module(node.body, [])), found)  # noqa: S102  # imports of our own modules
    return found


def meanings(kind: Any) -> dict[str, str]:
    """What the docstring of a record, and of those that it extends, says about each field."""
    found: dict[str, str] = {}
    for one in reversed(getattr(kind, "__mro__", ())):
        section = (inspect.cleandoc(one.__doc__ or "")).partition("Attributes:\n")[2].partition("\n\n")[0]
        for name, text in re.findall(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", section, re.MULTILINE):
            found[name] = " ".join(text.split())
    return found


@cache
def validator(command: str) -> Draft202012Validator:
    """What checks the output of a command."""
    return Draft202012Validator(json_schema() if command == "roster" else schema(DOCUMENTS[command]))


def document_of(words: Sequence[str]) -> str | None:
    """Which of the documents a command prints, by its words; None for one that prints no JSON, or a line each look."""
    if ("--json" not in words and "json" not in words) or "--watch" in words:
        return None
    path = [word for word in words[:2] if not word.startswith("-")]
    found = [" ".join(path), *path[:1]]
    options = [f"{one} {word}" for one in found for word in words if word.startswith("--")]
    return next((one for one in (*options, *found) if one in DOCUMENTS), None)


def page() -> str:
    """The page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# JSON"
    yield ""
    yield "For scripts: what the commands print with `--json`. `make reference` makes this page from their records."
    yield ""
    yield (
        "Keys are in camelCase. Every key is always there, with `null` if it has no value. `[]` stands for each item "
        "of a list, and `{…}` for each value of an object whose keys are values too: addresses, projects, stacks. "
        "Instants and days are ISO 8601, in UTC. The exit code is the same as without `--json`; progress and errors go "
        "to standard error. Any version can add keys; the changelog lists keys that change or go."
    )
    before: list[tuple[Any, str]] = []
    for command, kind in DOCUMENTS.items():
        yield ""
        yield f"## `{command} --json`"
        yield ""
        if same := next((other for one, other in before if one == kind), None):
            yield f"The same as `{same} --json`."
            continue
        before.append((kind, command))
        if isinstance(kind, str):
            yield kind
            continue
        if get_origin(kind) is list:
            yield "A list."
            yield ""
        if get_origin(kind) is types.UnionType:
            yield "One of these for a person, or a list of them for everybody."
            yield ""
        yield "| key | type | meaning |"
        yield "| --- | --- | --- |"
        for path, type_, meaning in dict.fromkeys(_rows(kind, "")):
            yield f"| {path} | {type_} | {meaning} |"


def _rows(kind: Any, path: str) -> Iterator[tuple[str, str, str]]:
    """A row for each key in a type, however deep."""
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        for one in args:
            if get_args(one)[:1] not in [(other,) for other in args]:  # a list of another one
                yield from _rows(one, path)
    elif origin is not None and origin is not Literal and issubclass(origin, Mapping):
        yield from _rows(args[1], f"{path}{{…}}")
    elif origin is not None and origin is not Literal and issubclass(origin, Collection):
        yield from _rows(args[0], f"{path}[]")
    else:
        for name, (one, meaning) in record(kind).items():
            below = f"{path}.{name}" if path else name
            yield f"`{below}`", _type_text(one), _in_json(meaning)
            yield from _rows(one, below)


def _in_json(meaning: str) -> str:
    """A meaning with the values as JSON has them."""
    for python, json in (("None", "null"), ("True", "true"), ("False", "false"), (r"\|", r"\\|")):
        meaning = re.sub(rf"\b{python}\b" if python.isalpha() else python, json, meaning)
    return meaning.removesuffix(".")


def _type_text(kind: Any) -> str:
    """A type in words."""
    found = schema(kind)
    return " or ".join(dict.fromkeys(_in_words(one) for one in found.get("anyOf", [found])))


def _in_words(found: Mapping[str, Any]) -> str:
    if "enum" in found:
        return ", ".join(f"`{one}`" for one in found["enum"])
    if "anyOf" in found:
        return " or ".join(_in_words(one) for one in found["anyOf"])
    if found.get("type") == "array":
        return f"list of {_plural(found['items'])}"
    if found.get("format"):
        return {"date-time": "instant", "date": "day"}[found["format"]]
    type_ = str(found.get("type", "anything"))
    return {"integer": "number"}.get(type_, type_)


def _plural(found: Mapping[str, Any]) -> str:
    return _in_words(found) if "enum" in found else f"{_in_words(found)}s"


if __name__ == "__main__":
    PAGE.write_text(page())
