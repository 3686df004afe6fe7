"""Roster files: read one, write one, and compare it with the other rosters in its folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final

from mixpanel_access.files import whole
from mixpanel_access.files.whole import reason
from mixpanel_access.model.address import same_key
from mixpanel_access.model.declaration import Declaration, declaration
from mixpanel_access.model.errors import RosterError
from mixpanel_access.model.neighbours import (
    About,
    Claims,
    Conflict,
    Neighbour,
    claims_in,
    conflicts,
    neighbour_facts,
    organization_of_config,
)
from mixpanel_access.model.roster.reading import RosterSource, is_roster, line_of, lines_of_entries, parse
from mixpanel_access.model.roster.salvage import Salvaged, salvage
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.model.roster.yaml_text import BadYaml, load, load_once
from mixpanel_access.model.similarity import counted


def write_roster(file: Path, before: str | None, text: str) -> None:
    """Write a roster, if it is still as it was read; raises as `whole.write_text` does."""
    whole.write_text(file, before, text, "the roster", private=False)


def roster_change(file: Path, before: str, text: str) -> whole.FileChange:
    """A roster's new text, to write together with other files."""
    old, new = (whole.encoded(one, file, "the roster") for one in (before, text))
    return whole.FileChange(file, old, new, "the roster", private=False)


def schema_beside(file: Path) -> str | None:
    """The path from a roster to the JSON schema of its project, for editors; None where the project has none."""
    path = Path("..", "docs", "roster.schema.json")
    return path.as_posix() if (file.parent / path).is_file() else None


def text_of(file: Path) -> str | None:
    """A roster's text with its own line ends, or None without a file; raises as `whole.text_of` does."""
    return whole.text_of(file, "the roster")


def source_of(file: Path) -> RosterSource:
    """The source of a roster's text, which finds included files from the roster's folder."""

    def include(name: str) -> str:
        try:
            return (file.parent / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError, ValueError) as error:  # ValueError: a name with a null character
            raise RosterError("cannot read", subject=name, why=whole.reason(error)) from None

    return RosterSource(file.name, include)


def read_roster(file: Path, text_in: Path | None = None) -> Roster:
    """Read a roster and what it includes; `text_in` is a file to read instead of it, for a draft.

    Raises:
        RosterError: it cannot be read or used.
    """
    return parse(_text(text_in or file), source_of(file))


def read_salvaged(file: Path) -> Salvaged:
    """Read a roster without the entries that have problems.

    Raises:
        RosterError: it cannot be read, or has no readable entry.
    """
    return salvage(_text(file), source_of(file))


def lines_of_person(file: Path, roster: Roster, key: str) -> list[int]:
    """The lines of a person's entries in the file of a roster that was read; none if it cannot be read any more."""
    try:
        lines = _lines_of_people(file.read_text(encoding="utf-8"), len(roster.people))
    except (OSError, UnicodeDecodeError):
        return []
    return [line for line, person in zip(lines, roster.people, strict=True) if person.key == key]


@lru_cache(maxsize=4)
def _lines_of_people(text: str, count: int) -> list[int]:
    return lines_of_entries(text, "people", count)


def _text(text_in: Path) -> str:
    try:
        return text_in.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RosterError(
            "cannot read the roster",
            subject=str(text_in),
            why=whole.reason(error),
            next_step="Save it as UTF-8." if isinstance(error, UnicodeDecodeError) else "Check the path.",
        ) from None


_SHOWN: Final = 5
"""Projects that an error names; the others are counted."""
_ROSTER: Final = re.compile(r"""^[\s{]*["']?environment["']?\s*:""", re.MULTILINE)
"""A line of every roster, and of no file that rosters include."""


def rosters_in(folder: Path) -> list[Path]:
    """The rosters in a folder, and the files there that cannot be read: reading them says what is wrong."""
    files = (path for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))
    return sorted(path for path in files if not path.name.startswith(("Pulumi.", ".")) and _is_roster(path))


def _is_roster(path: Path) -> bool:
    try:
        found = load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, BadYaml):
        return True
    return is_roster(found)


@dataclass(frozen=True)
class OtherRosters:
    """What is known of the other rosters in a roster's folder.

    Attributes:
        conflicts: where another roster claims the same.
        unread: the rosters that cannot be read, and why.
        people: the entries of the others: the key of the address, and the last day or "".
        own: what the roster itself claims; None if it cannot be read.
        files: the rosters of the same organization, each with the file that has its text.
    """

    conflicts: Sequence[Conflict] = ()
    unread: Sequence[str] = ()
    people: Sequence[tuple[str, str]] = ()
    own: Claims | None = None
    files: Sequence[tuple[Path, Path]] = ()

    def has(self, email: str, today: date) -> bool:
        """Whether another roster has an entry of this person that has not ended."""
        return any(key == same_key(email) and (not ends or ends >= str(today)) for key, ends in self.people)

    @property
    def error(self) -> RosterError | None:
        """Why the roster cannot be used, or None."""
        refused = [conflict.text for conflict in self.conflicts if conflict.about is About.PROJECT]
        if not refused:
            return None
        more = [f"and {counted(len(refused) - _SHOWN, 'project')} more"] if len(refused) > _SHOWN else []
        return RosterError(
            "cannot use the roster", why="; ".join([*refused[:_SHOWN], *more]), next_step="Correct it and run again."
        )

    @property
    def warnings(self) -> list[str]:
        """The problems with which the roster can still be used."""
        return [*(conflict.text for conflict in self.conflicts if conflict.about is not About.PROJECT), *self.unread]

    @property
    def claims(self) -> list[str]:
        """What another stack claims too, for policies."""
        return [conflict.text for conflict in self.conflicts if conflict.about is not About.NAME]

    def facts(self, declared: Declaration, today: date) -> dict[str, Any]:
        """What the other rosters give today to the people and teams that the roster declares, for policies."""
        if self.own is None:
            return {}
        others, unread = [], list(self.unread)
        for file, text_in in self.files:
            try:
                roster = read_roster(file, text_in)
            except RosterError as error:
                unread.append(f"{file.name} cannot be read: {error.why or error.what}")
            else:
                others.append(Neighbour(file.name, roster, declaration(roster, today)))
        environments = {project.id: project.environment for project in self.own.projects if project.environment}
        return neighbour_facts(declared, environments, others, unread)


def read_other_rosters(file: Path, organization: int | None = None, drafts: Path | None = None) -> OtherRosters:
    """Compare a roster with the others in its folder. Another roster that cannot be read is not an error.

    Args:
        file: the roster.
        organization: its stack's organization; None for the one in the stack's configuration file.
        drafts: a folder whose files a preview reads instead of rosters of the same name.
    """
    if organization is None:
        organization = organization_of_roster(file)
    try:
        text = _draft_or(file, drafts).read_text(encoding="utf-8")
        document = load_once(text)
    except (OSError, UnicodeDecodeError, BadYaml):
        return OtherRosters()  # reading the roster itself reports the problem
    if not isinstance(document, dict):
        return OtherRosters()
    own = claims_in(document, file.name, organization, partial(line_of, text))
    others, unread, files = [], [], []
    names = {path.name for folder in (file.parent, drafts) if folder for path in folder.glob("*.yaml")}
    for path in (file.parent / name for name in sorted(names - {file.name})):
        if path.name.startswith(("Pulumi.", ".")):
            continue
        text_in = _draft_or(path, drafts)
        found = _claims(path, text_in)
        if isinstance(found, str):
            unread.append(
                f"{found}, so nobody knows whether it claims what {file.name} has: a project, or organization roles"
            )
        elif found is not None:
            others.append(found)
            files += [(path, text_in)] if own.meets(found) else []
    people = [one for other in others if own.meets(other) for one in other.people]
    return OtherRosters(conflicts(own, others), unread, people, own, files)


def _draft_or(file: Path, drafts: Path | None) -> Path:
    """The draft of a roster, or the roster."""
    draft = drafts / file.name if drafts else file
    return draft if draft.is_file() else file


def _claims(path: Path, text_in: Path) -> Claims | str | None:
    """What a file claims if it is a roster, None if it is not, or why that is not known."""
    try:
        text = text_in.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return f"{path.name} cannot be read ({reason(error)})"
    try:
        document = load_once(text)
    except BadYaml as error:
        return f"{path.name}:{error.line} cannot be read ({error})" if _ROSTER.search(text) else None
    if not is_roster(document):
        return None
    return claims_in(document, path.name, organization_of_roster(path), partial(line_of, text))


def organization_of_roster(roster: Path) -> int | None:
    """The organization of a roster's stack, by the stack's configuration file, if that has one."""
    name = f"Pulumi.{roster.stem}.yaml"
    for folder in _configurations(roster):
        try:
            return organization_of_config(load((folder / name).read_text(encoding="utf-8")))
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError, BadYaml):
            return None
    return None


def _configurations(roster: Path) -> list[Path]:
    """The folders that may hold a stack's configuration."""
    own = roster.absolute().parent
    folder = whole.nearest_project(own)
    if folder is None:
        return [own]
    try:
        project: Any = load((folder / "Pulumi.yaml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, BadYaml):
        return [own]
    named = project.get("stackConfigDir") if isinstance(project, dict) else None
    return [folder / str(named), own] if named else [folder, own]
