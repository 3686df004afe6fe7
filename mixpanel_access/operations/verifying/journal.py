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
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.settings import Settings
from mixpanel_access.operations.verifying.steps import Target

_WHAT: Final = "the note of what is to be undone"


def journal_file(settings: Settings, folder: Path | None = None) -> Path:
    """Where the journal of an organization is: in this user's cache, as the other notes of the commands are.

    Args:
        settings: name the host and the organization.
        folder: another folder.
    """
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
        self.opened = opened
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

    @classmethod
    def read(cls, file: Path) -> Journal | None:
        """The journal that a killed run has left; None where there is none.

        Raises:
            UsageError: it cannot be read.
        """
        content = content_of(file, _WHAT)
        if content is None:
            return None
        try:
            document: dict[str, Any] = json.loads(content)
            opened = document.pop("opened")
            expires = datetime.fromisoformat(document.pop("expires"))
            journal = cls(file, Target(**document, expires=expires), opened)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise UsageError(
                f"cannot read {_WHAT}",
                whom=str(file),
                why=reason(error),
                next_step="Look in the organization for what the walk had made, then delete the file.",
            ) from None
        journal._text = content.decode()
        return journal
