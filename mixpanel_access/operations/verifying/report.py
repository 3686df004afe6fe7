"""The report of a walk, as a document without any address, name, id or token."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mixpanel_access import __version__
from mixpanel_access.model.settings import region_of
from mixpanel_access.operations.verifying.answers import exchanges, template
from mixpanel_access.operations.verifying.deciding import StatementOutcome
from mixpanel_access.operations.verifying.statements import Statement
from mixpanel_access.operations.verifying.steps import Target
from mixpanel_access.operations.verifying.walk import CallResult, StepResult, WalkEvidence

_WIRE_WORD: Final = re.compile(r"[a-z]+(?:_[a-z]+)*|[a-z]+(?:[A-Z][a-z]+)*")
"""How a key of an answer is written, as `creator_name` or `creatorName`, where it is not an id, address or name."""
_PARTS: Final = re.compile(r"[A-Z]?[a-z]+")
_WORDS: Final = """
    accept accepted access account accounts action active add added address admin after all already any api assignable
    at audit before billing body by can cancelled category changed client code codes count created creator current
    cursor custom data date days default deleted description detail details disabled discoverability domain domains
    email emails enabled end ends entity error errors event events expired expires expiry factor fail failed failures
    first full grant granted grants group groups has id ids instance invalid invitation invitations invite invited
    invites ip is joined key kind last level limit link links list login logins managed member members message meta
    method mfa mode modified more name names new next no number object of old on only open order org organization
    organizations other owner page pages pagination parent path payload pending permission permissions plan previous
    project projects provider public query read reason region remaining removed request reset response result results
    role roles row rows schema scim seats secret security seen sensitive sent service session set setting settings
    severity shared size skipped source sso stage start state status success super target team teams time timezone title
    to token total totp two type types unique unknown updated updates url urls used user username users valid value
    values verified version view views visible warning warnings was workspace workspaces write
"""
_KNOWN_PARTS: Final = frozenset(_WORDS.split())
"""Of which words a key is made that says nothing of an organization; any other key may be a name or a token."""
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT")


def document(
    evidence: WalkEvidence, found: Sequence[tuple[Statement, StatementOutcome]], api_url: str
) -> dict[str, Any]:
    """The report as JSON. What the server says is in it as its shape alone: the keys, and the types of the values."""
    hidden = Hidden(evidence)
    dialect = {name: value for _, outcome in found for name, value in outcome.dialect.items()}
    return {
        "report": "mixpanel-access doctor --writes",
        "version": __version__,
        "region": region_of(api_url) or "another host",
        "asBefore": not evidence.left and not evidence.unproven,
        "left": len(evidence.left),
        "changedByOthers": len(evidence.elsewhere),
        "notCompared": evidence.unproven,
        "reads": [{"read": name, **hidden.seen(seen)} for name, seen in evidence.reads.items()],
        "walk": [hidden.done(done) for done in evidence.done.values()],
        "statements": [
            {"id": one.id, "section": one.section, "statement": one.text, "verdict": outcome.verdict.value,
             "came": outcome.came}
            for one, outcome in found
        ],
        "dialect": dialect,
    }  # fmt: skip


class Hidden:
    """Shows requests with placeholders and answers as shapes.

    Args:
        evidence: knows what must not be shown.
    """

    def __init__(self, evidence: WalkEvidence) -> None:
        self._target = evidence.target
        self._personal = _personal(evidence)

    def seen(self, seen: CallResult) -> dict[str, Any]:
        """A call: its requests, the answers' status and shape, and the seconds."""
        first, last = (seen.exchanges[0], seen.exchanges[-1]) if seen.exchanges else (None, None)
        return {
            "request": f"{first.method} {template(first.path)}" if first else None,
            "body": placeholders(first.body, self._target) if first else None,
            "status": last.status if last else None,
            "answer": self.shape(last.answer) if last else None,
            "error": type(seen.error).__name__ if seen.error else None,
            "seconds": round(seen.seconds, 2),
        }

    def done(self, done: StepResult) -> dict[str, Any]:
        """A step: the write, and when the list showed it."""
        back = {} if done.back is None else {
            "shownIn": done.step.shown_in,
            "shown": done.shown,
            "readingsTooEarly": done.stale,
            "shownAfterSeconds": round(done.seconds, 2) if done.shown else None,
        }  # fmt: skip
        return {"step": done.step.name, **self.seen(done.sent), **back}

    def shape(self, part: Any) -> Any:
        """What an answer looks like: keys, and types for values."""
        if isinstance(part, dict):
            shapes = {key: self.shape(inner) for key, inner in part.items()}
            known = {key: shape for key, shape in shapes.items() if self._is_wire_word(key)}
            more = [shape for key, shape in shapes.items() if key not in known]
            return {**known, "<key>": more[0]} if more else known
        if isinstance(part, list):
            return [self.shape(part[0])] if part else []
        if part is None or isinstance(part, bool):
            return part
        return "<text>" if isinstance(part, str) else "<number>"

    def _is_wire_word(self, key: str) -> bool:
        parts = _PARTS.findall(key) if _WIRE_WORD.fullmatch(key) else ()
        return bool(parts) and _KNOWN_PARTS.issuperset(map(str.lower, parts)) and key.casefold() not in self._personal


def placeholders(body: Any, target: Target) -> Any:
    """A body that we sent, with a placeholder for everything that says whose it is; the same one each time."""
    known: Mapping[Any, str] = {
        target.email: "<address>",
        target.team: "<team>",
        target.renamed: "<team renamed>",
        target.account: "<service account>",
        target.organization: "<organization id>",
        target.project: "<project id>",
        **{id_: f"<{kind} id>" for kind, id_ in target.ids.items()},
    }
    if isinstance(body, dict):
        return {key: placeholders(part, target) for key, part in body.items()}
    if isinstance(body, list):
        return [placeholders(part, target) for part in body]
    if isinstance(body, str) and _INSTANT.match(body):
        return "<instant>"
    return known.get(body, body) if isinstance(body, str | int) and not isinstance(body, bool) else body


def _personal(evidence: WalkEvidence) -> frozenset[str]:
    """The short texts in answers that may be a name: those under the keys that hold one."""
    found: set[str] = set()

    def collect(part: Any) -> None:
        if isinstance(part, dict):
            for key, inner in part.items():
                if key in ("name", "email", "username", "creator_name") and isinstance(inner, str):
                    found.update((inner.casefold(), *inner.casefold().split(), inner.casefold().partition("@")[0]))
                collect(inner)
        elif isinstance(part, list):
            for inner in part:
                collect(inner)

    for exchange in exchanges(evidence):
        collect(exchange.answer)
    return frozenset(found)


def as_text(report: Mapping[str, Any]) -> str:
    """The report as its file holds it."""
    return json.dumps(report, indent=2) + "\n"
