"""Whatever a SCIM server makes of its pages: everybody, exactly once, or an error; never a part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st

from mixpanel_access.api.scim import ScimEndpoint
from mixpanel_access.api.transport import Transport
from mixpanel_access.model import errors
from mixpanel_access.model.setting_values import Secret
from tests.api.conftest import HOST, NOW
from tests.tally import count

ABSENT = object()
TOTALS: dict[str, Callable[[int, int, int], Any]] = {
    "how many there are": lambda everybody, _before, _rows: everybody,
    "that in text": lambda everybody, _before, _rows: str(everybody),
    "that as a fraction's kind": lambda everybody, _before, _rows: float(everybody),
    "missing": lambda _everybody, _before, _rows: ABSENT,
    "null": lambda _everybody, _before, _rows: None,
    "the page's size": lambda _everybody, _before, rows: rows,
    "the page's size in text": lambda _everybody, _before, rows: str(rows),
    "those so far": lambda _everybody, before, rows: before + rows,
    "one less": lambda everybody, _before, _rows: everybody - 1,
    "one more": lambda everybody, _before, _rows: everybody + 1,
    "negative": lambda _everybody, _before, _rows: -1,
    "words": lambda everybody, _before, _rows: f"{everybody} users",
    "a list": lambda everybody, _before, _rows: [everybody],
}
"""What `totalResults` says, from everybody, those on the pages before, and the rows of this page."""
TOLD = {"how many there are", "that in text", "that as a fraction's kind"}
RIGHT = {*TOLD, "missing", "null"}
SPELLINGS: list[Callable[[str], str]] = [str, str.lower, str.upper, str.swapcase]


@dataclass(frozen=True)
class Server:
    """How a server answers.

    Attributes:
        rows: all that it has.
        size: the most rows of a page.
        total: what it says of all, one of `TOTALS`.
        fault: what it does to a page.
        spelled: how it spells the names of attributes.
    """

    rows: Sequence[dict[str, Any]]
    size: int
    total: str
    fault: str
    spelled: Callable[[str], str]

    @property
    def proper(self) -> bool:
        """Whether it gives everybody to who asks."""
        return self.fault == "none" and (self.total in TOLD or (self.total in RIGHT and bool(self.rows)))

    def answer(self, request: httpx.Request) -> httpx.Response:
        """A page."""
        start = int(request.url.params["startIndex"])
        first = {"the first page again": 0, "it counts from 0": start}.get(self.fault, start - 1)
        rows = list(self.rows[first : first + min(self.size, int(request.url.params["count"]))])
        if rows and self.fault == "a row twice on a page":
            rows.append(rows[0])
        if start > 1 and self.fault == "a row of the page before":
            rows.insert(0, self.rows[start - 2])
        if start > 1 and self.fault == "a row is missing":
            rows = rows[1:]
        if start > 1 and self.fault == "nothing after the first page":
            rows = []
        page = {"totalResults": TOTALS[self.total](len(self.rows), first, len(rows)), "Resources": rows}
        if not rows:
            del page["Resources"]  # RFC 7644, section 3.4.2
        return httpx.Response(200, json=self._spelled({key: part for key, part in page.items() if part is not ABSENT}))

    def _spelled(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._spelled(part) for part in value]
        if isinstance(value, dict):
            return {self.spelled(key): self._spelled(part) for key, part in value.items()}
        return value

    def scim(self) -> ScimEndpoint:
        """The client over it."""
        mock = httpx.MockTransport(self.answer)
        return ScimEndpoint(Transport(HOST, "", Secret("token"), transport=mock, now=lambda: NOW))


SHOWN = ("the first page again", "a row twice on a page", "a row of the page before")
"""Faults that the rows show, whatever the total says."""
COUNTED = ("it counts from 0", "a row is missing", "nothing after the first page")
"""Faults that nothing shows but a total that is right."""


@st.composite
def servers(draw: st.DrawFn, row: Callable[[int], dict[str, Any]]) -> Server:
    """Any number of rows, in pages of any size; at most one of total and rows lies where only the other shows it."""
    total = draw(st.sampled_from([*TOTALS]))
    faults = ["none", *SHOWN, *(COUNTED if total in TOLD else ())]
    rows = [row(number) for number in range(draw(st.integers(0, 12)))]
    spelled = draw(st.sampled_from(SPELLINGS))
    return Server(rows, draw(st.integers(1, 14)), total, draw(st.sampled_from(faults)), spelled)


@given(servers(lambda number: {"id": str(number), "userName": f"p{number}@example.com", "active": True}))
def test_the_list_of_users_is_whole_or_an_error(server: Server) -> None:
    """A server that does as it should is read to the end; of any other, nobody is left out in silence.

    Nobody who is there is absent for who asks for them alone, whether the server takes the filter or not.
    """
    count("inputs of SCIM pages")
    scim = server.scim()
    try:
        found = scim.list_users()
    except errors.Unintelligible:
        assert not server.proper
    else:
        assert [user.id for user in found] == [row["id"] for row in server.rows]
    for row in server.rows[-1:]:
        try:
            one = scim.find_user(row["userName"])
        except errors.Unintelligible:
            assert not server.proper
        else:
            assert one is not None
            assert one.id == row["id"]


@given(
    servers(lambda number: {"id": str(number), "displayName": f"Team {number}", "members": [{"value": "7"}]}),
    st.integers(0, 12),
)
def test_a_group_is_found_on_whatever_page_or_an_error(server: Server, wanted: int) -> None:
    """Where a server ignores the filter, "there is none" needs every page."""
    count("inputs of SCIM pages")
    there = wanted < len(server.rows)
    try:
        found = server.scim().find_group(f"team {wanted}")
    except errors.Unintelligible:
        assert not server.proper
    else:
        assert (found.id if found else None) == (str(wanted) if there else None)
