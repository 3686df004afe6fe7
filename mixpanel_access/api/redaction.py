"""Makes a server's words fit to print: no secrets, no invitation links, no lists of people, one short line."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

LONGEST: Final = 300
"""Characters of a server's words that are shown."""

_MANY: Final = 3
_LINK: Final = re.compile(r"https?://[^\s\"'<>]+", re.IGNORECASE)
_AUTHORIZATION: Final = re.compile(r"\b(basic|bearer)\s+[^\s\"',;]{6,}", re.IGNORECASE)
_TOKEN: Final = re.compile(
    r"(?P<name>[\"']?\b(?:token|secret|api_key|api_secret|password)[\"']?\s*[:=]\s*)[\"']?[^\s\"',;}]+[\"']?",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(r"[\w.+%'\-]+@[\w\-]+(?:\.[\w\-]+)+")


class Redactor:
    """Redacts the texts of one transport.

    It hides the username and secret in every form in which they travel.
    """

    def __init__(self, credentials: Iterable[str] = ()) -> None:
        known = [text for text in credentials if text]
        if len(known) > 1:
            secret, username = known[0], known[1]
            known = [base64.b64encode(f"{username}:{secret}".encode()).decode(), f"{username}:{secret}", secret]
        self._known = sorted({*known, *map(html.escape, known)}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text with what must not be shown replaced, on one line, shortened.

        Mixpanel escapes some of its errors as HTML (contract, section 1): that is undone once.
        """
        text = self._hidden(html.unescape(self._hidden(text)))
        text = _AUTHORIZATION.sub(r"\1 [credential]", text)
        text = _TOKEN.sub(r"\g<name>[secret]", text)
        text = _LINK.sub("[link]", text)
        if len(_ADDRESS.findall(text)) > _MANY:
            text = _ADDRESS.sub("[address]", text)
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"

    def _hidden(self, text: str) -> str:
        for known in self._known:
            text = text.replace(known, "[credential]")
        return text

    def words_of(self, content: bytes, content_type: str) -> str:
        """What an answer says to people: its `error` text, or what kind of thing it is."""
        text = content.decode("utf-8", "replace").strip()
        if not text:
            return "no explanation"
        try:
            answer = json.loads(text)
        except (ValueError, RecursionError):
            is_page = "html" in content_type.lower() or text[:200].lower().lstrip().startswith(("<!doctype", "<html"))
            return "an HTML page, perhaps from a proxy" if is_page else self(text)
        if isinstance(answer, dict):
            for field in ("error", "detail", "message", "fail_reason", "title"):
                if isinstance(answer.get(field), str) and answer[field].strip():
                    return self("; ".join([answer[field], *_details(answer.get("errors"))]))
        return "no explanation"


def _details(errors: object) -> Iterator[str]:
    """The problems of a body, one by one, as problem details list them (contract, section 16; RFC 9457)."""
    for error in errors if isinstance(errors, list) else ():
        words = error if isinstance(error, dict) else {"detail": error}
        detail = next((words[key] for key in ("detail", "message", "msg", "title") if words.get(key)), "")
        where = next((words[key] for key in ("pointer", "parameter", "field", "loc") if words.get(key)), "")
        if text := ": ".join(str(part) for part in (where, detail) if part):
            yield text
