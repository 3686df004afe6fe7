"""The checklists of new people, and the file with the tasks that were ticked by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter, ValidationError, field_validator
from pydantic.dataclasses import dataclass as pydantic_dataclass

from mixpanel_access.files import whole
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import instant
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.roster.yaml_text import BadYaml, load
from mixpanel_access.model.similarity import unknown

EVERYBODY: Final = "everybody"
"""The checklist that everybody gets before their track's."""
_NAME: Final = "onboarding.yaml"


class AutomaticCheck(StrEnum):
    """What Mixpanel must show for a task to be done."""

    INVITED = "invited"
    ACCEPTED = "accepted"
    LOGGED_IN = "logged_in"
    ROLES = "roles"
    OWNERS = "owners"


class TaskCondition(StrEnum):
    """A condition for a task."""

    SSO = "sso"
    MFA = "mfa"
    NETWORK = "network"
    DATA_WAREHOUSE = "data_warehouse"
    LEXICON = "lexicon"
    EXPERIMENTS = "experiments"
    DASHBOARDS = "dashboards"


class Task(BaseModel):
    """One task.

    Attributes:
        key: the key that `--done` takes.
        text: what to do; `{email}`, `{provider}` and `{dashboards}` are replaced by the person's.
        check: what Mixpanel must show for the task to be done, or None for a task that is ticked by hand.
        when: the condition for a person to get the task, or None for everybody.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    text: str
    check: AutomaticCheck | None = None
    when: TaskCondition | None = None

    @field_validator("key")
    @classmethod
    def _one_word(cls, key: str) -> str:
        if not key or key != "".join(key.split()):
            raise ValueError("a key is one word")
        return key


Checklists = Mapping[str, Sequence[Task]]
"""Track -> tasks."""
_CHECKLISTS: Final = TypeAdapter(dict[str, list[Task]])


def _known(at: str) -> str:
    instant(at)
    return at


@pydantic_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Tick:
    """When (ISO 8601, UTC) and by whose address, or "", a task was ticked."""

    at: Annotated[str, AfterValidator(_known)]
    by: str = ""


Ticks = Mapping[str, Mapping[str, Tick]]
"""Key of the address -> task -> tick."""


def read_checklists(folder: Path | None) -> Checklists:
    """The organization's own checklists in a folder, or else the built-in ones; UsageError if they cannot be used."""
    own = folder / _NAME if folder else None
    text = whole.text_of(own, "the checklists") if own else None
    if text is None:
        own = None
        text = files("mixpanel_access").joinpath("templates", _NAME).read_text("utf-8")
    try:
        found = _CHECKLISTS.validate_python(load(text) or {})
    except BadYaml as error:
        raise _bad(own, f"line {error.line}: {error}") from None
    except ValidationError as error:
        raise _bad(own, _first_problem(error)) from None
    for track, tasks in found.items():
        keys = [task.key for task in tasks]
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise _bad(own, f"{track} has {', '.join(twice)} twice")
        for task in tasks:
            _fill(own, task, dict.fromkeys(PLACES, ""))
    return found


def _first_problem(error: ValidationError) -> str:
    """The place and the reason of the first problem in a file."""
    first = error.errors(include_url=False)[0]
    place = ".".join(map(str, first["loc"])) or "the file"
    return f"{place}: {first['msg'].removeprefix('Value error, ')}"


_PLACE: Final = re.compile(r"\{(\w+)\}")
PLACES: Final = ("email", "provider", "dashboards")
"""The names that a task's text may have in braces."""


def filled(task: Task, places: Mapping[str, str]) -> str:
    """A task's text for one person."""
    return _fill(None, task, places)


def _fill(file: Path | None, task: Task, places: Mapping[str, str]) -> str:
    def value(place: re.Match[str]) -> str:
        if place[1] not in places:
            raise _bad(file, f"{task.key}: {unknown(place[1], 'place', PLACES)}")
        return places[place[1]]

    if "{" in _PLACE.sub("", task.text) or "}" in _PLACE.sub("", task.text):
        raise _bad(file, f"{task.key}: there is a brace without one of {', '.join(PLACES)}")
    return _PLACE.sub(value, task.text)


def read_ticks(file: Path) -> tuple[str | None, Ticks]:
    """The file's text, or None without a file, and the ticks in it; raises UsageError if it cannot be used."""
    text = whole.text_of(file, "what is done")
    try:
        found = TypeAdapter(dict[str, dict[str, Tick]]).validate_json(text or "{}")
    except ValidationError as error:
        raise UsageError(
            "cannot read what is done",
            subject=str(file),
            why=_first_problem(error),
            next_step="Take the file back from version control; nothing was changed.",
        ) from None
    joined: dict[str, dict[str, Tick]] = {}
    for email, done in found.items():
        joined.setdefault(same_key(email), {}).update(done)
    return text, joined


def write_ticks(file: Path, before: str | None, ticks: Ticks) -> None:
    """Write the ticks; raises as `whole.write_text` does."""
    document: dict[str, Any] = {
        email: {key: {"at": tick.at, "by": tick.by} for key, tick in sorted(done.items())}
        for email, done in sorted(ticks.items())
        if done
    }
    whole.write_text(file, before, json.dumps(document, indent=2, ensure_ascii=False) + "\n", "what is done")


def _bad(file: Path | None, why: str) -> UsageError:
    return UsageError(
        "cannot use the checklists",
        subject=str(file or _NAME),
        why=why,
        next_step="Fix it; docs/operators.md of mixpanel-access has what a checklist may hold.",
    )
