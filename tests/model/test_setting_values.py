"""Settings that are lists, however Pulumi or a person wrote them down."""

from __future__ import annotations

from typing import Any

import pytest

from mixpanel_access.model.address import domain_of
from mixpanel_access.model.setting_values import chosen_in, domains_in, words_in

A, B, MUNICH = "a.example", "b.example", "münchen.example"
SPELLINGS: dict[str, tuple[Any, set[str]]] = {
    "nothing": (None, set()),
    "blanks": (" \n ", set()),
    "one": (A, {A}),
    "commas": ("a.example,b.example", {A, B}),
    "commas and blanks": (" a.example , b.example ,", {A, B}),
    "blanks between": ("a.example b.example", {A, B}),
    "lines": ("a.example\nb.example\n", {A, B}),
    "bullets": ("- a.example\n- b.example\n", {A, B}),
    "semicolons": ("a.example;b.example; ", {A, B}),
    "quotes": ("\"a.example\", 'b.example'", {A, B}),
    "a YAML list, as Pulumi hands it over": ('["a.example","b.example"]', {A, B}),
    "a list set with --path": ('["a.example"]', {A}),
    "an empty list": ("[]", set()),
    "a list as a text": ("[a.example, b.example]", {A, B}),
    "commas in a list": ('["a.example, b.example"]', {A, B}),
    "a list": (["a.example", "@b.example"], {A, B}),
    "at": ("@a.example,@b.example", {A, B}),
    "a trailing dot": ("a.example.", {A}),
    "upper case": ("A.Example,B.EXAMPLE", {A, B}),
    "everything": ('["@A.EXAMPLE.; b.example"]', {A, B}),
    "in letters": ("München.example", {MUNICH}),
    "decomposed": ("mu\u0308nchen.example", {MUNICH}),
    "punycode": ("XN--mnchen-3ya.example", {MUNICH}),
    "sharp s": ("straße.example", {"straße.example"}),
}


@pytest.mark.parametrize(("value", "domains"), SPELLINGS.values(), ids=SPELLINGS)
def test_a_list_of_domains_is_read_in_every_spelling(value: Any, domains: set[str]) -> None:
    """Whichever way it is written, it is the same domains, in the form that an address's domain has."""
    assert domains_in(value) == domains
    assert {domain_of(f"kim@{domain}") for domain in domains} == domains


REFUSED: dict[str, tuple[Any, str]] = {
    "an address": ("kim@a.example", "'kim@a.example' is not an e-mail domain like example.com; write a.example"),
    "an address in a list": ('["kim@a.example"]', "'kim@a.example' is not an e-mail domain"),
    "a wildcard": ("*.a.example", "'*.a.example' is not an e-mail domain"),
    "a URL": ("https://a.example", "'https://a.example' is not an e-mail domain"),
    "one label": ("example", "'example' is not an e-mail domain"),
    "only an at": ("@", "'@' is not an e-mail domain"),
    "two dots": ("a..example", "'a..example' is not an e-mail domain"),
    "another separator": ("a.example|b.example", "'a.example|b.example' is not an e-mail domain"),
    "a mapping": ('{"a.example": true}', "it is a mapping, not a list of words"),
    "a broken list": ('["a.example"', "neither a list of words nor JSON"),
    "a number in a list": ('["a.example", 7]', "7 in the list is a number, not a word"),
    "a truth in a list": ("[true]", "true in the list is true or false, not a word"),
    "null in a list": ("[null]", "null in the list is nothing, not a word"),
    "a list in a list": ('[["a.example"]]', "in the list is a list, not a word"),
    "a mapping in a list": ('[{"secure": "v1:x"}]', "in the list is a mapping, not a word"),
    "a list as a text in a list": ('["[\\"a.example\\"]"]', "in the list is not a word"),
    "a number": (7, "it is a number, not a list of words"),
    "a secret without its key": ("[secret]", "it is a secret that cannot be read here"),
}


@pytest.mark.parametrize(("value", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_domain_is_refused_by_its_name(value: Any, words: str) -> None:
    """Nothing is taken for a domain that no address can have: the rules would judge everybody as external."""
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # the text is the point
        domains_in(value)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("value", ["lastOwner,grantShare", "LASTOWNER; grantshare", '["lastOwner","grantShare"]'])
def test_names_are_known_in_any_case(value: str) -> None:
    """They come back as they are documented."""
    assert chosen_in(value, ["lastOwner", "grantShare", "ownIdentity"]) == {"lastOwner", "grantShare"}


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    """As it was written."""
    with pytest.raises(ValueError, match="it names Lastowners, not any of lastOwner"):
        chosen_in('["Lastowners"]', ["lastOwner"])


def test_words_keep_their_order() -> None:
    """And their case."""
    assert words_in("b; A, c") == ["b", "A", "c"]
