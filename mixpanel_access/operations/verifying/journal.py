"""What a walk has made and not yet taken away: written down before each write, so that a killed run can be finished."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from mixpanel_access.files.whole import content_of, reason, write_text
from mixpanel_access.model.address import problem_with
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.settings import Settings
from mixpanel_access.operations.verifying.steps import ACCOUNT, MADE_NAME, PERSON, TEAM, Target

_WHAT: Final = "the note of what is to be undone"


def journal_file(settings: Settings, folder: Path | None = None) -> Path:
    """Where the journal of an organization is: in this user's cache, as the other notes of the commands are."""
    from platformdirs import user_cache_path

    name = hashlib.sha256(f"{settings.api_url} {settings.organization_id}".encode()).hexdigest()[:16]
    return (folder or user_cache_path("mixpanel-access") / "verifying") / f"{name}.json"


class Journal:
    """The journal of one walk: the address and the names, and what is open; no secret.

    Args:
        file: where it is.
        target: what the walk works on.
        opened: what is open.

    Attributes:
        opened: what may be there and is not undone.
    """

    def __init__(self, file: Path, target: Target, opened: Iterable[str] = ()) -> None:
        self.file, self.target = file, target
        self.opened = set(opened)
        self._text: str | None = None

    def open(self, kinds: Iterable[str]) -> None:
        """Note what the next write may make; returns when it is on the disk."""
        self._put(self.opened | set(kinds))

    def close(self, kinds: Iterable[str]) -> None:
        """Note what is gone."""
        self._put(self.opened - set(kinds))

    def _put(self, opened: set[str]) -> None:
        if opened == self.opened:
            return
        target = replace(self.target, ids={})
        document = {**vars(target), "expires": target.expires.isoformat(), "opened": sorted(opened)}
        del document["ids"]
        text = json.dumps(document, indent=2) + "\n"
        self.file.parent.mkdir(parents=True, exist_ok=True)
        if opened:
            write_text(self.file, self._text, text, _WHAT)
            self._text = text
        else:
            self.file.unlink(missing_ok=True)
            self._text = None
        self.opened = opened  # not before: what another run has noted is neither ours to undo nor to delete

    @classmethod
    def read(cls, file: Path) -> Journal | None:
        """The journal that a killed run has left; None where there is none.

        Raises:
            UsageError: it cannot be read, or has what no walk notes: then nothing in it is taken away.
        """
        content = content_of(file, _WHAT)
        if content is None:
            return None
        try:
            document: dict[str, Any] = json.loads(content)
            opened = document.pop("opened")
            expires = datetime.fromisoformat(document.pop("expires"))
            journal = cls(file, Target(**document, expires=expires), opened)
            _must_be_of_a_walk(journal.target, opened)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise UsageError(
                f"cannot read {_WHAT}",
                subject=str(file),
                why=reason(error),
                next_step="Look in the organization for what the walk had made, then delete the file.",
            ) from None
        journal._text = content.decode()
        return journal


def _must_be_of_a_walk(target: Target, opened: object) -> None:
    """See that a note is as a walk writes it.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(opened, list) or not opened or not {PERSON, TEAM, ACCOUNT}.issuperset(opened):
        raise ValueError("`opened` is not a list of what a walk makes")
    if not isinstance(target.email, str) or problem_with(target.email):
        raise ValueError("`email` is not an address")
    if not all(isinstance(name, str) and MADE_NAME.fullmatch(name) for name in (target.team, target.account)):
        raise ValueError("`team` or `account` is not a name that a walk gives")
    if not all(type(id_) is int for id_ in (target.organization, target.project)):
        raise ValueError("`organization` or `project` is not an id")
