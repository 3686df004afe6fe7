"""Whatever a server makes of the pages of a list or of the audit log: all of it, exactly, or an error; never a part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixpanel_access.api.answers import COUNTS
from mixpanel_access.api.client import Api
from mixpanel_access.model import errors
from mixpanel_access.model.audit import PAGE_SIZE
from tests.api.conftest import NOW, transport
from tests.api.test_lists import LISTS, ORG
from tests.tally import count

TOTALS: dict[str, Callable[[int, int], Any]] = {
    "none": lambda _everything, _page: None,
    "right": lambda everything, _page: everything,
    "right, in text": lambda everything, _page: str(everything),
    "the page's size": lambda _everything, page: page,
    "one less": lambda everything, _page: everything - 1,
    "one more": lambda everything, _page: everything + 1,
    "words": lambda everything, _page: f"{everything} rows",
}
"""What the answer says of the number of rows, from all of them and those of the page."""
TOLD = {"right", "right, in text"}
SHOWN = ("the first page again", "a row twice on a page", "a row of the page before", "more, without a cursor")
"""Faults that show, whatever the total says."""
COUNTED = ("a row is missing", "no page after the first")
"""Faults that nothing shows but a total that is right."""


@dataclass(frozen=True)
class Server:
    """How a server answers: so many rows, in pages of a size, with a total by a word, a kind of cursor and a fault."""

    rows: int
    size: int
    total: str
    word: str
    cursor: Callable[[int], str | int]
    fault: str

    @property
    def proper(self) -> bool:
        """Whether it gives everything to who asks."""
        return self.fault == "none" and self.total in {*TOLD, "none"}

    def answer(self, request: httpx.Request, shape: Callable[..., Any]) -> httpx.Response:
        """A page, in the shape of the list."""
        asked = request.url.params.get("cursor", "")
        start = int(asked.strip("c/ ")) if asked and self.fault != "the first page again" else 0
        page, end = [*range(self.rows)[start : start + self.size]], start + self.size
        if page and self.fault == "a row twice on a page":
            page.append(page[0])
        if start and self.fault == "a row of the page before":
            page.insert(0, start - 1)
        if start and self.fault == "a row is missing":
            page = page[1:]
        more = end < self.rows
        told: dict[str, Any] = {self.word: TOTALS[self.total](self.rows, len(page))}
        if more and self.fault == "more, without a cursor":
            told["has_more"] = True
        elif self.fault != "no page after the first":
            told["next_cursor"] = self.cursor(end) if more else None
        return httpx.Response(200, json={"status": "ok", "results": shape(*page), "pagination": told})


@st.composite
def servers(draw: st.DrawFn) -> Server:
    """At most one of total and rows lies, where only the other shows it."""
    total = draw(st.sampled_from([*TOTALS]))
    faults = ["none", *SHOWN, *(COUNTED if total in TOLD else ())]
    rows, size = draw(st.integers(1, 12)), draw(st.integers(1, 14))
    cursors: list[Callable[[int], str | int]] = [str, int, "c{}".format, "c/ {}".format]
    cursor = draw(st.sampled_from(cursors))
    return Server(rows, size, total, draw(st.sampled_from(COUNTS)), cursor, draw(st.sampled_from(faults)))


LISTED = ["users", "users without ids", "projects", "teams", "service accounts", "custom roles"]


@pytest.mark.parametrize("name", LISTED)
@given(server=servers())
def test_a_list_is_whole_or_an_error(name: str, server: Server) -> None:
    """A server that does as it should is read to the end; of any other, no row is left out in silence or twice."""
    count("inputs of list pages")
    read, shape = LISTS[name]

    def everything(*answers: Any) -> Any:
        left = iter(answers)
        return read(Api(transport(lambda request: next(left, None) or server.answer(request, shape)), ORG))

    try:
        found = everything()
    except errors.Unintelligible:
        assert not server.proper
        return
    whole = httpx.Response(200, json={"status": "ok", "results": shape(*range(server.rows))})
    assert found == everything(whole)


@given(
    events=st.integers(0, 3 * PAGE_SIZE + 1),
    fault=st.sampled_from(["none", "an event twice", "the first page again", "no word of the next page"]),
)
def test_the_audit_log_is_whole_or_an_error(events: int, fault: str) -> None:
    """Its pages are of the size that is asked for, so that a full one which ends in silence is noticed."""
    count("inputs of list pages")

    def answer(request: httpx.Request) -> httpx.Response:
        start = 0 if fault == "the first page again" else int(request.url.params.get("cursor", "0"))
        end = start + int(request.url.params["page_size"])
        numbers = [*range(events)[start:end]]
        if start and fault == "an event twice":
            numbers[0] = start - 1
        rows = [
            {"id": str(n), "created": (NOW - timedelta(seconds=n)).isoformat(), "entity": {"type": "invitation.sent"}}
            for n in numbers
        ]
        told = {} if fault == "no word of the next page" else {"next_cursor": str(end) if end < events else None}
        return httpx.Response(200, json={"results": rows, "pagination": told})

    try:
        found = Api(transport(answer), ORG).audit_log.events(["invitation.sent"], NOW - timedelta(days=1), NOW)
    except errors.Unintelligible:
        assert fault != "none"
        assert events >= PAGE_SIZE
    else:
        assert [event.id for event in found] == [str(n) for n in range(events)]
