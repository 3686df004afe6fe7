"""Transports for `doctor --writes`: one keeps each answer as it came, one sends nothing and keeps the requests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from mixpanel_access.api.answers import Json, Page
from mixpanel_access.api.transport import Transport


@dataclass(frozen=True)
class Exchange:
    """A request, and the answer to it where one came.

    Attributes:
        method: the HTTP method.
        path: the path, quoted, without the query.
        body: what was sent; None for nothing.
        status: the status of the answer; None where none came.
        location: where a redirect leads, without its query; "" if it is not a redirect.
        answer: the JSON of the answer; None if it is not JSON. It may hold addresses, names and secrets.
    """

    method: str
    path: str
    body: Json = field(default=None, repr=False)
    status: int | None = None
    location: str = ""
    answer: Json = field(default=None, repr=False)

    @property
    def is_no_verb(self) -> bool:
        """Whether the verb is not there: a 404 that says more than "Not found: …" is about a person or a thing."""
        words = self.answer.get("error") if isinstance(self.answer, dict) else None
        says_what = isinstance(words, str) and not words.startswith("Not found:")
        return self.status == HTTPStatus.METHOD_NOT_ALLOWED or (self.status == HTTPStatus.NOT_FOUND and not says_what)


class Observer:
    """Makes transports that keep what they exchange, in the order in which it came.

    Attributes:
        exchanges: what was exchanged so far.
        made: the transports.
    """

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.made: list[Transport] = []

    @property
    def main(self) -> Transport:
        """The transport that was made first, which is the one of the API."""
        return self.made[0]

    def transport(self, *args: Any, **options: Any) -> Transport:
        """A transport that sends, and keeps each answer: redirects too."""
        made = Transport(*args, **options)
        made.answered = self._keep
        self.made.append(made)
        return made

    def since(self, mark: int) -> Sequence[Exchange]:
        """What was exchanged after so many."""
        return self.exchanges[mark:]

    def _keep(self, method: str, url: str, sent: bytes, status: int, location: str, content: bytes) -> None:
        self.exchanges.append(
            Exchange(method, urlsplit(url).path, _json(sent), status, urlsplit(location).path, _json(content))
        )


class Rehearsal(Observer):
    """Makes transports that send nothing and keep each request."""

    def transport(self, *args: Any, **options: Any) -> Transport:
        """A transport that keeps each request."""
        made = _Rehearsing(self, *args, **options)
        self.made.append(made)
        return made


class _Rehearsing(Transport):
    """Shows each request to the observer and sends none."""

    def __init__(self, observer: Observer, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._observer = observer

    def _exchange(self, method: str, path: str, body: Json, what: str, under_way: object = None) -> Page:  # noqa: ARG002
        self._observer.exchanges.append(Exchange(method, urlsplit(path).path, body))
        return Page(None)


def _json(content: bytes) -> Json:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
