"""The values of settings: secrets, and lists in any form in which Pulumi or a person writes them.

Pulumi hands over every setting as text: a YAML list, or one that was set with `--path`, as JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final, NoReturn

from mixpanel_access.model.address import canonical_domain, problem_with, problem_with_company_domain, same_key
from mixpanel_access.model.resource_ids import number_in

_BETWEEN: Final = re.compile(r"[\s,;]+")
_QUOTES: Final = "\"'"
_BULLETS: Final = frozenset({"-", "*"})
_LABEL: Final = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")
REDACTED: Final = "[secret]"
"""The engine's word for a secret that it cannot decrypt, in a state from a file."""


def setting_text(value: object) -> str | None:
    """A setting as the text that Pulumi's configuration has: a program can give a number or a list."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value)


def organization_in(value: object) -> int | None:
    """An organization's id; None for what is not one, or not known yet."""
    return number_in((setting_text(value) or "").strip()) if isinstance(value, int | float | str) else None


def words_in(value: object) -> list[str]:
    """The words of a list: a list of texts, its JSON, or a text with blanks, commas or semicolons between the words.

    Raises:
        ValueError: it is something else.
    """
    if value is None:
        return []
    if isinstance(value, str):
        return list(_words_in_text(value.strip()))
    if isinstance(value, Sequence):
        return [word for part in value for word in words_in(_text(part))]
    raise ValueError(f"it is {_kind(value)}, not a list of words")


def domains_in(value: object) -> frozenset[str]:
    """The e-mail domains of a list, each as `domain_of` gives the domain of an address.

    "@example.com" and "example.com." are example.com.

    Raises:
        ValueError: it is not a list, or something in it is not a domain.
    """
    return frozenset(_domain(word) for word in words_in(value))


def company_domains_in(value: object) -> frozenset[str]:
    """The e-mail domains of a company, as `domains_in` gives them.

    Raises:
        ValueError: it is not a list, or something in it cannot be a company's domain.
    """
    domains = domains_in(value)
    if problems := list(filter(None, map(problem_with_company_domain, sorted(domains)))):
        raise ValueError("; ".join(problems))
    return domains


def addresses_in(value: object) -> frozenset[str]:
    """The e-mail addresses of a list, each as `same_key` gives them.

    Raises:
        ValueError: it is not a list, or something in it is not an address.
    """
    words = words_in(value)
    if wrong := [(word, reason) for word in words if (reason := problem_with(word))]:
        raise ValueError("; ".join(f"{word!r} is not an e-mail address ({reason})" for word, reason in wrong))
    return frozenset(map(same_key, words))


def chosen_in(value: object, known: Sequence[str]) -> frozenset[str]:
    """Some of the known words, in any case.

    Raises:
        ValueError: it is not a list, or names something else.
    """
    words, by_key = words_in(value), {word.casefold(): word for word in known}
    if unknown := [word for word in words if word.casefold() not in by_key]:
        raise ValueError(f"it names {', '.join(unknown)}, not any of {', '.join(known)}")
    return frozenset(by_key[word.casefold()] for word in words)


def _words_in_text(text: str) -> Iterator[str]:
    if text == REDACTED:
        raise ValueError("it is a secret that cannot be read here; set it without --secret")
    if text.startswith(("[", "{")):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            if not (text.startswith("[") and text.endswith("]")):
                raise ValueError(f"{text!r} is neither a list of words nor JSON") from None
            text = text[1:-1]  # [example.com, example.org], as YAML has it
        else:
            if not isinstance(value, list):
                raise ValueError(f"it is {_kind(value)}, not a list of words")
            yield from words_in(value)
            return
    for word in _BETWEEN.split(text):
        bare = word.strip(_QUOTES)
        if bare and bare not in _BULLETS:
            yield bare


def _text(part: object) -> str:
    if not isinstance(part, str):
        raise ValueError(f"{json.dumps(part, default=str)} in the list is {_kind(part)}, not a word")
    if part.strip().startswith(("[", "{")):
        raise ValueError(f"{part!r} in the list is not a word")
    return part


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else "nothing" if value is None else type(value).__name__


def _domain(word: str) -> str:
    domain = canonical_domain(word.removeprefix("@").removesuffix("."))
    labels = domain.split(".")
    if len(labels) > 1 and all(map(_LABEL.fullmatch, labels)):
        return domain
    after = word.rpartition("@")[2]
    hint = f"; write {after}" if "@" in word.lstrip("@") and after else ""
    raise ValueError(f"{word!r} is not an e-mail domain like example.com{hint}")


class Secret:
    """A secret text that cannot be printed or pickled; only `reveal()` gives it back."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text, for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(****)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is never pickled")
