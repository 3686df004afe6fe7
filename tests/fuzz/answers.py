"""Answers as nobody promised them: any JSON in the words of the API, any bytes, statuses and headers."""

from __future__ import annotations

import json
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import httpx
from hypothesis import strategies as st
from pydantic import AliasChoices, BaseModel

import mixpanel_access.api
from mixpanel_access.api.answers import Wire

MODULES: list[ModuleType] = [
    import_module(f"mixpanel_access.api.{module.name}") for module in iter_modules(mixpanel_access.api.__path__)
]
ENVELOPE = ("status", "results", "error", "pagination", "next_cursor", "updated", "success", "total", "count")
SCIM = ("Resources", "totalResults")


def _fields(model: type[BaseModel]) -> set[str]:
    found: set[str] = set()
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        found |= {name} | {str(one) for one in (alias.choices if isinstance(alias, AliasChoices) else [alias or name])}
    return found


def _shapes(model: type[Wire]) -> set[type[Wire]]:
    return {model} | {shape for below in model.__subclasses__() for shape in _shapes(below)}


_READ = {field for shape in _shapes(Wire) for field in _fields(shape)}
FIELDS = sorted({*_READ, *ENVELOPE, *SCIM, "a@example.com", "7"})
"""Every name that some shape of the API reads."""

_ANY_TEXT = st.text() | st.text(st.characters(categories=["Cs", "Cc"]), max_size=3)  # halves of characters, controls
_INSTANTS = ("2026-05-04T12:00:00Z", "9999-12-31T23:59:59-14:00")
_WORDS = st.sampled_from(["bo@example.com", "admin", "ok", "error", *_INSTANTS])
_NUMBERS = st.integers() | st.floats() | st.sampled_from([-1, 0, 7, 10**30])
JSON = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _WORDS | _ANY_TEXT,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=20,
)
"""Any JSON, NaN and half characters too, mostly in the words that are read."""

_VISIBLE = st.binary(max_size=12).map(lambda raw: bytes(c for c in raw if c > 31 and c != 127))
"""What may stand in a header (RFC 9110, 5.5)."""
_HEADERS = st.fixed_dictionaries(
    {},
    optional={
        b"location": st.sampled_from(
            [b"http://[", b"https://mixpanel.com:x/", b"/request_access/", b"//x", b"/%zz", b"\xb2"]
        )
        | _VISIBLE,
        b"retry-after": st.sampled_from([b"\xb2", b"1e5", b"Mon, 99 Foo 0000 25:61:61", b"9" * 400]) | _VISIBLE,
        b"ratelimit": st.sampled_from([b'"d";r=0;t=9', b"remaining=0, reset=1e9", b'"', b";;=,"]) | _VISIBLE,
        b"ratelimit-policy": st.sampled_from([b'"d";q=1;w=60', b"1;w=-1"]) | _VISIBLE,
        b"content-type": st.sampled_from([b"text/html", b"application/json; charset=x"]) | _VISIBLE,
        b"content-encoding": st.sampled_from([b"gzip", b"deflate", b"identity"]),
    },
)
_STATUSES = st.just(200) | st.sampled_from(
    [201, 204, 301, 302, 303, 304, 307, 400, 401, 402, 403, 404, 422, 429, 500, 503, 599]
)
_CONTENTS = (
    JSON.map(lambda value: json.dumps(value).encode())
    | st.fixed_dictionaries({"status": st.just("ok"), "results": JSON}).map(lambda value: json.dumps(value).encode())
    | st.binary()
    | st.sampled_from([b"[" * 100_000, b'{"results":' * 100_000, b"1" * 5000, b"\xff\xfe[\x00]\x00", b"<html>"])
)


@st.composite
def responses(draw: st.DrawFn) -> httpx.Response:
    """An answer with any status, headers and content."""
    stream = httpx.ByteStream(draw(_CONTENTS))  # read by the client, not here
    return httpx.Response(draw(_STATUSES), headers=list(draw(_HEADERS).items()), stream=stream)


def no_more() -> httpx.Response:
    """The answer after the last one, so that every list of pages ends."""
    return httpx.Response(200, json=[])
