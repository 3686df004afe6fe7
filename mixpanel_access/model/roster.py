"""The roster: the YAML file of one stack, with its projects and who has what.

`parse` is pure: it takes the text, and every problem that it finds is told at once, with file and line.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema, model_validator
from pydantic.alias_generators import to_camel
from rapidfuzz import fuzz, process
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError, YAMLWarning

from mixpanel_access.model import roles
from mixpanel_access.model.access import REMOVALS
from mixpanel_access.model.address import problem_with, same_key
from mixpanel_access.model.dates import day
from mixpanel_access.model.engagements import STANDARD_ROLES
from mixpanel_access.model.errors import RosterError
from mixpanel_access.model.metadata import METADATA_FIELDS, problems_with_metadata

_CLOSE_ENOUGH: Final = 70
"""Likeness, of 100, from which a word is offered as what was meant."""

Path = tuple[str | int, ...]
"""Where in the document something stands: keys and positions from the top."""


def _iso(value: object) -> object:
    """YAML reads an unquoted 2026-05-01 as a date; the rest of the project keeps dates as ISO texts."""
    return value.isoformat() if type(value) is date else value


def _role(value: object) -> object:
    return roles.normalized(value) if isinstance(value, str) else value


def _or(empty: object) -> BeforeValidator:
    """A key with nothing behind it, as is left when the last entry goes, is empty."""
    return BeforeValidator(lambda value: empty if value is None else value)


def _offered(*words: str) -> Any:
    """What an editor offers; other words are judged by `parse` or by the policies."""
    return Field(examples=list(words))


_ROLES_SCHEMA: Final = WithJsonSchema(
    {
        "type": "object",
        "additionalProperties": {"anyOf": [{"type": "string", "examples": [*roles.PROJECT_ROLES]}, {"type": "null"}]},
    }
)


IsoDate = Annotated[str | None, BeforeValidator(_iso)]
RoleWord = Annotated[str, BeforeValidator(_role)]


class _Entry(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, alias_generator=to_camel, use_attribute_docstrings=True
    )


class RosterProject(_Entry):
    """One project."""

    id: Annotated[int, Field(gt=0)]
    """Mixpanel's id of the project."""
    name: str | None = None
    """Its name, for people."""
    environment: str
    """Its environment, which must be the roster's."""


class RosterPerson(_Entry):
    """One person and what they have."""

    email: str
    """The address; compared without regard to case."""
    name: str | None = None
    """The name, for people."""
    organization_role: Annotated[RoleWord | None, _offered(*roles.ORGANIZATION_ROLES)] = None
    """The organization role; only in the one roster that owns them."""
    removal: Annotated[str | None, _offered(*REMOVALS)] = None
    """What becomes of the person when the entry goes: when_unused (the default), always or never."""
    projects: Annotated[Mapping[str, RoleWord], _or({}), _ROLES_SCHEMA] = {}
    """Project key -> project role: owner, admin, analyst, consumer, a custom role's id, or nothing for the standard of
    the engagement's type."""
    engagement: str | None = None
    """The engagement's name."""
    engagement_type: Annotated[str | None, _offered(*STANDARD_ROLES)] = None
    """The engagement's type: its standard roles are what the policies allow."""
    sow: str | None = None
    """The statement of work."""
    ticket: str | None = None
    """The ticket that asked for the access."""
    approver: str | None = None
    """The address of who approved it."""
    justification: str | None = None
    """Why the access is needed."""
    starts: IsoDate = None
    """The first day (UTC): before it, the entry declares nothing."""
    ends: IsoDate = None
    """The last day (UTC): after it, the entry declares nothing, and the next `pulumi up` takes the access away."""
    reviewed: IsoDate = None
    """The day of the last access review."""
    notes: str | None = None
    """Anything else."""

    @property
    def key(self) -> str:
        """The address in the form in which two spellings are the same."""
        return same_key(self.email)

    def current(self, today: date) -> bool:
        """Whether the entry declares anything on a day (UTC): from `starts` to `ends`, both days included."""
        begun = self.starts is None or day(self.starts) <= today
        return begun and (self.ends is None or today <= day(self.ends))

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata fields that have a value."""
        values = {field: getattr(self, field) for field in METADATA_FIELDS}
        return {field: value for field, value in values.items() if value is not None}


class RosterException(_Entry):
    """Somebody's word that a policy rule does not hold, until a day."""

    rule: str
    """The rule's id."""
    email: str | None = None
    """Whom it concerns; left out, the stack as a whole."""
    project: str | None = None
    """A project's key; left out, all that the person has."""
    reason: str
    """Why."""
    approver: str
    """Who says so."""
    ends: Annotated[str, BeforeValidator(_iso)]
    """The last day (UTC)."""


class Roster(_Entry):
    """One stack's projects and people."""

    environment: str
    """The environment of every project here."""
    organization_roles: bool = False
    """Whether this roster, and no other, declares organization roles."""
    projects: Annotated[Mapping[str, RosterProject], _or({})] = {}
    """Short key -> project."""
    people: Annotated[Sequence[RosterPerson], _or(())] = ()
    """Who has what."""
    exceptions: Annotated[Sequence[RosterException], _or(())] = ()
    """Where policy rules do not hold."""

    @model_validator(mode="before")
    @classmethod
    def _standard_roles(cls, document: Any) -> Any:
        """Fill in the standard role where a project has none; what cannot be filled in is told as what it is."""
        if not isinstance(document, dict) or not isinstance(document.get("people"), list):
            return document
        environment = document.get("environment")
        return {**document, "people": [_with_standard_roles(person, environment) for person in document["people"]]}


def _with_standard_roles(person: Any, environment: Any) -> Any:
    if not isinstance(person, dict) or not isinstance(person.get("projects"), dict):
        return person
    kind = person.get("engagementType")
    standard = STANDARD_ROLES.get(kind) if isinstance(kind, str) else None
    if standard is None or None not in person["projects"].values():
        return person
    role = standard.project_role(environment if isinstance(environment, str) else None)
    return {**person, "projects": {key: role if value is None else value for key, value in person["projects"].items()}}


def json_schema() -> dict[str, Any]:
    """The JSON schema of a roster, for editors; what concerns several parts of it is only checked by `parse`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Roster.model_json_schema(by_alias=True),
        "title": "Roster",
    }


def parse(text: str, file: str) -> Roster:
    """Read a roster.

    Args:
        text: the YAML document.
        file: its name, for messages.

    Raises:
        RosterError: it cannot be used; every problem is listed, each with its line.
    """
    try:
        document = _load(text, "safe")
    except RecursionError:
        raise _error([(1, "it is nested too deeply")], file) from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _error([(line, str(error.problem or error.context or error))], file) from None
    except (YAMLError, ValueError) as error:
        raise _error([(1, str(error))], file) from None
    if not isinstance(document, dict):
        raise _error([(1, "a roster is a mapping with environment, projects and people")], file)
    try:
        roster = Roster.model_validate(document)
    except ValidationError as error:
        problems = [(_place(item["loc"]), _words(item)) for item in error.errors(include_url=False)]
    else:
        problems = list(_problems(roster))
        if not problems:
            return roster
    lines = _Lines(text)
    raise _error([(lines.of(path), words) for path, words in problems], file)


def _load(text: str, kind: str) -> Any:
    """The YAML document; an anchor that is defined anew is legal, and no reason for a warning of the library's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", YAMLWarning)
        return YAML(typ=kind).load(text)


def _problems(roster: Roster) -> Iterator[tuple[Path, str]]:
    """What is wrong with a well-formed roster: where, and in words."""
    for key, project in roster.projects.items():
        if project.environment != roster.environment:
            where: Path = ("projects", key, "environment")
            yield where, f"project {key} is {project.environment!r}, and this roster is {roster.environment!r}"
    ids: dict[int, str] = {}
    for key, project in roster.projects.items():
        if project.id in ids:
            yield ("projects", key, "id"), f"project {key} has the id of project {ids[project.id]}, {project.id}"
        ids.setdefault(project.id, key)
    seen: dict[str, str] = {}
    for index, person in enumerate(roster.people):
        at: Path = ("people", index)
        reason = problem_with(person.email)
        if reason:
            yield (*at, "email"), f"{person.email!r} is no e-mail address ({reason})"
        if person.key in seen:
            yield (*at, "email"), f"{person.email} stands here twice (first as {seen[person.key]})"
        seen.setdefault(person.key, person.email)
        yield from _role_problems(roster, person, at)
        if person.removal is not None and person.removal not in REMOVALS:
            yield (*at, "removal"), f"{person.email}: {_unknown(person.removal, 'choice', REMOVALS)}"
        for field, words in problems_with_metadata(person.metadata).items():
            yield (*at, field), f"{person.email}: {words}"
    yield from _exception_problems(roster, set(seen))


def _exception_problems(roster: Roster, people: set[str]) -> Iterator[tuple[Path, str]]:
    for index, one in enumerate(roster.exceptions):
        at: Path = ("exceptions", index)
        if one.email is not None and same_key(one.email) not in people:
            yield (*at, "email"), f"{one.email} is nobody of this roster{did_you_mean(one.email, sorted(people))}"
        if one.project is not None and one.project not in roster.projects:
            yield (*at, "project"), _unknown(one.project, "project of this roster", roster.projects)
        if one.project is not None and one.email is None:
            yield (*at, "project"), "an exception for a project names the person too"
        for field, words in problems_with_metadata({"ends": one.ends}).items():
            yield (*at, field), words


def _role_problems(roster: Roster, person: RosterPerson, at: Path) -> Iterator[tuple[Path, str]]:
    role = person.organization_role
    if role is not None and not roster.organization_roles:
        yield (
            (*at, "organizationRole"),
            f"{person.email} has an organization role here; only the one roster with organizationRoles: true has those",
        )
    if role is not None and role not in roles.ORGANIZATION_ROLES:
        yield (
            (*at, "organizationRole"),
            f"{person.email}: {_unknown(role, 'organization role', roles.ORGANIZATION_ROLES)}",
        )
    for key, project_role in person.projects.items():
        if key not in roster.projects:
            yield (*at, "projects", key), f"{person.email}: {_unknown(key, 'project of this roster', roster.projects)}"
        if not roles.is_project_role(project_role):
            words = _unknown(project_role, "project role", roles.PROJECT_ROLES)
            yield (*at, "projects", key), f"{person.email}: {words}"


def _unknown(word: str, kind: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    return f"{word!r} is no {kind}{did_you_mean(word, known)}; there are {', '.join(known) or 'none'}"


def did_you_mean(word: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    """`, did you mean 'analyst'?` where a known word is like the given one, else nothing."""
    match = process.extractOne(word, list(known), scorer=fuzz.ratio, score_cutoff=_CLOSE_ENOUGH)
    return f" (did you mean {match[0]!r}?)" if match else ""


def _place(loc: Sequence[str | int]) -> Path:
    return tuple(part for part in loc if part != "[key]")


def _words(item: Any) -> str:
    loc = item["loc"]
    if item["input"] is None and "projects" in loc[1:-1]:
        return (
            f"{loc[-1]}: there is no role, and no engagementType that has a standard one ({', '.join(STANDARD_ROLES)})"
        )
    field = str(loc[-1]) if loc else "the roster"
    if item["type"] == "extra_forbidden":
        known = _fields_at(loc)
        return f"{field!r} is unknown here{did_you_mean(field, known)}; there are {', '.join(known)}"
    if item["type"] == "missing":
        return f"{field!r} is missing"
    return f"{field}: {item['input']!r} cannot be used ({item['msg'][0].lower()}{item['msg'][1:]})"


def _fields_at(loc: Sequence[str | int]) -> list[str]:
    model: type[BaseModel] = Roster
    if loc and loc[0] == "projects" and len(loc) > 2:  # projects, KEY, field
        model = RosterProject
    elif loc and loc[0] == "people" and len(loc) > 2:  # people, INDEX, field
        model = RosterPerson
    elif loc and loc[0] == "exceptions" and len(loc) > 2:  # exceptions, INDEX, field
        model = RosterException
    return [field.alias or name for name, field in model.model_fields.items()]


class _Lines:
    """Finds the line of a path; reads the document again with positions, which is slow and only done for errors."""

    def __init__(self, text: str) -> None:
        self._document = _load(text, "rt")

    def of(self, path: Path) -> int:
        """The line of the deepest part of the path that stands in the document, from 1."""
        node, line = self._document, 0
        for part in path:
            try:
                if isinstance(node, CommentedMap):
                    line = node.lc.key(part)[0]
                elif isinstance(node, CommentedSeq) and isinstance(part, int):
                    line = node.lc.item(part)[0]
                else:
                    break
                node = node[part]
            except (KeyError, IndexError, TypeError):
                break
        return int(line) + 1


def _error(problems: Sequence[tuple[int, str]], file: str) -> RosterError:
    shown = [f"{file}:{line}: {words}" for line, words in sorted(problems)]
    return RosterError("cannot use the roster", why="; ".join(shown), next_step="Mend it and run again.")
