"""How what was seen decides the statements of the contract: a function for each kind of statement."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from mixpanel_access.api.transport import PLATFORM_ROOT
from mixpanel_access.model import roles
from mixpanel_access.model.access import Discoverability
from mixpanel_access.model.errors import NotFound, RateLimited
from mixpanel_access.operations.verifying.answers import (
    Row,
    calls,
    exchanges,
    results_of,
    role_in_words,
    role_of,
    row_named,
    row_of,
    rows,
    status_in_words,
    status_of,
    template,
    word_of,
)
from mixpanel_access.operations.verifying.steps import Target
from mixpanel_access.operations.verifying.walk import StepResult, WalkEvidence


class StatementVerdict(StrEnum):
    """What came of a statement."""

    CONFIRMED = "confirmed"
    OTHERWISE = "otherwise"
    NOT_TRIED = "not tried"


@dataclass(frozen=True)
class StatementOutcome:
    """What was seen of one statement.

    Attributes:
        came: what came, in words without names and ids.
        dialect: the fields of the emulator's dialect that make it answer so.
    """

    verdict: StatementVerdict
    came: str = ""
    dialect: Mapping[str, Any] = field(default_factory=dict)


Decide = Callable[[WalkEvidence], StatementOutcome | None]
"""Decides one statement; None where nothing was seen of it."""


def _told(holds: bool, came: str, **dialect: Any) -> StatementOutcome:
    return StatementOutcome(StatementVerdict.CONFIRMED if holds else StatementVerdict.OTHERWISE, came, dialect)


def applied(*names: str) -> Decide:
    """Of writes: the answer is a success, and the list shows it; a limit that was reached says nothing of that."""

    def decide(evidence: WalkEvidence) -> StatementOutcome | None:
        tried = [evidence.done[name] for name in names if name in evidence.done]
        failed = [done for done in tried if not (done.accepted and done.shown)]
        wrong = [f"{done.step.name}: {_came(done)}" for done in failed if not _limited(done)]
        if failed and not wrong:
            return StatementOutcome(StatementVerdict.NOT_TRIED, "status 429, a limit is reached: run again in an hour")
        return _told(not wrong, "; ".join(wrong) or _came(tried[0])) if tried else None

    return decide


def _limited(done: StepResult) -> bool:
    return isinstance(done.sent.error, RateLimited)


def _came(done: StepResult) -> str:
    status = status_in_words(done.sent)
    if not done.accepted:
        return f"{status}, and the list shows it" if done.shown and done.step.shown_in else status
    if done.back is None or done.shown:
        return status
    return f"{status}, and the list does not show it" + (f" ({status_in_words(done.back)})" if done.back.error else "")


def answered(name: str, is_good: Callable[[Any, Target], bool]) -> Decide:
    """Of the `results` with which a write was accepted."""

    def decide(evidence: WalkEvidence) -> StatementOutcome | None:
        done = evidence.done.get(name)
        if done is None or not done.accepted or status_of(done.sent) is None:
            return None
        results = results_of(done.sent)
        kind = "an object" if isinstance(results, dict) else "an array" if isinstance(results, list) else "neither"
        return _told(is_good(results, evidence.target), f"{status_in_words(done.sent)}, {kind}")

    return decide


def has_keys(*names: str) -> Callable[[Any, Target], bool]:
    """Whether `results` is an object with these keys."""
    return lambda results, _: isinstance(results, dict) and set(names) <= results.keys()


def says_created(*, value: bool) -> Callable[[Any, Target], bool]:
    """Whether `results` is an array whose rows say whether something is new."""

    def is_good(results: Any, _: Target) -> bool:
        return isinstance(results, list) and [
            row.get("created") if isinstance(row, dict) else None for row in results
        ] == [value]

    return is_good


def has_suffix(results: Any, target: Target) -> bool:
    """Whether the login name of a new account is its name and what Mixpanel adds."""
    name = str(results.get("username")) if isinstance(results, dict) else ""
    return name.startswith(f"{target.account}.") and name.endswith(".mp-service-account")


def row_after(
    name: str, own: Callable[[WalkEvidence, StepResult], Row | None], judge: Callable[[Row], StatementOutcome]
) -> Decide:
    """Of our row in the list that shows a write."""

    def decide(evidence: WalkEvidence) -> StatementOutcome | None:
        done = evidence.done.get(name)
        row = own(evidence, done) if done else None
        return None if row is None else judge(row)

    return decide


def of_person(name: str, judge: Callable[[Row], StatementOutcome]) -> Decide:
    """Of the row of the throw-away address."""
    return row_after(name, lambda evidence, done: row_of(done.back, evidence.target.email), judge)


def of_team(judge: Callable[[Row], StatementOutcome]) -> Decide:
    """Of the row of the team that was made."""
    return row_after("make a team", lambda evidence, done: row_named(done.back, evidence.target.team), judge)


def of_account(judge: Callable[[Row], StatementOutcome]) -> Decide:
    """Of the row of the service account that was made."""
    name = "make a service account"
    return row_after(name, lambda evidence, done: row_named(done.back, evidence.target.account), judge)


def has_key(key: str, expected: bool = True, dialect: str = "") -> Callable[[Row], StatementOutcome]:
    """Whether a row has a key."""

    def judge(row: Row) -> StatementOutcome:
        has = key in row
        came = f"{'a' if has else 'no'} key `{key}`"
        return _told(has is expected, came, **({dialect: has} if dialect else {}))

    return judge


def is_invited(row: Row) -> StatementOutcome:
    """Whether a row is marked as an invitation."""
    invited = row.get("invited") is True
    return _told(invited, f"`invited` is {'' if invited else 'not '}true")


def member_word(row: Row) -> StatementOutcome:
    """How the role of a Member is written."""
    role = role_of(row)
    if isinstance(role, dict):
        form = "object"
    elif role is None or (isinstance(role, str) and roles.is_no_role(role)):
        form = "no role"
    else:
        form = {"member": "word", "Member": "capitalized"}.get(str(role), "")
    return _told(form == "word", role_in_words(role), **({"organization_role": form} if form else {}))


def account_word(row: Row) -> StatementOutcome:
    """How the organization role of a service account is written."""
    return _told(role_of(row) == roles.MEMBER, role_in_words(role_of(row)))


def grant_row(row: Row) -> StatementOutcome:
    """Whether a row of granted users has what is assumed."""
    role, grant_type = row.get("role"), row.get("target_type")
    came = f"role {role_in_words(role)}, {'without' if grant_type is None else 'with'} `target_type`"
    return _told(role == roles.CONSUMER and grant_type == "individual", came)


def no_token(row: Row) -> StatementOutcome:
    """Whether a row hides the token."""
    return _told(not row.get("token"), f"{'a' if row.get('token') else 'no'} token")


def wrong_body(evidence: WalkEvidence) -> StatementOutcome | None:
    """With which status a wrong body is refused."""
    done = evidence.done.get("wrong body")
    if done is None or _limited(done):
        return None
    status = status_of(done.sent)
    return _told(status == 422, status_in_words(done.sent), **({"wrong_body": status} if status in (400, 422) else {}))


def refused_update(evidence: WalkEvidence) -> StatementOutcome | None:
    """How an update is refused."""
    done = evidence.done.get("change to an unknown role")
    status = status_of(done.sent) if done else None
    if done is None or status is None or isinstance(done.sent.error, NotFound | RateLimited):
        return None  # or the verb is not there
    if status >= 400:
        return _told(holds=True, came=f"status {status}", refused_update="status")
    results = results_of(done.sent)
    if isinstance(results, dict) and results.get("updated") is False:
        return _told(holds=False, came=f"status {status}, updated false", refused_update="updated_false")
    return _told(holds=False, came=f"{status_in_words(done.sent)}: {'accepted' if done.accepted else 'an error in it'}")


_ESCAPE: Final = re.compile(r"&(?:#\d+|#x[0-9a-f]+|lt|gt|amp|quot|apos);", re.IGNORECASE)
_ESCAPED: Final = re.compile(r"[<>&'\"]")
_TEXTS: Final = ("error", "detail", "fail_reason")


def escapes(evidence: WalkEvidence) -> StatementOutcome | None:
    """Whether texts are escaped, where one has what could be."""
    found = [
        row[key] for seen in calls(evidence) for row in rows(seen, lambda *_: True) for key in _TEXTS if key in row
    ]
    texts = [text for text in found if isinstance(text, str)]
    if any(map(_ESCAPE.search, texts)):
        return _told(holds=False, came="escaped", escaped_errors=True)
    return _told(holds=True, came="plain", escaped_errors=False) if any(map(_ESCAPED.search, texts)) else None


def pages(evidence: WalkEvidence) -> StatementOutcome | None:
    """Whether lists come in pages, and how long one is."""
    sizes, count = [], 0
    for name, seen in evidence.reads.items():
        if "audit" in name or not (seen.exchanges and isinstance(seen.value, list)):
            continue  # the audit log comes in pages in any case
        count, answer = count + 1, seen.exchanges[0].answer
        pagination = answer.get("pagination") if isinstance(answer, dict) else None
        if isinstance(pagination, dict) and pagination.get("next_cursor"):
            results = answer.get("results")
            inside = next(iter(results.values()), None) if isinstance(results, dict) else results
            sizes.append(len(inside) if isinstance(inside, list | dict) else 1)
    if sizes:
        return _told(holds=False, came="`pagination.next_cursor`", page_size=max(1, *sizes))
    return _told(holds=True, came=f"{count} lists in one answer each", page_size=None) if count else None


def owner_word(evidence: WalkEvidence) -> StatementOutcome | None:
    """Under which word an owner is listed; an organization always has one."""
    words = {word_of(role_of(row)) for row in rows(evidence.reads["users"], lambda row, _: "email" in row)}
    if roles.OWNER in words:
        return _told(holds=True, came="`owner` is listed", owner_word=roles.OWNER)
    if roles.ADMIN in words:
        return _told(holds=False, came="nobody is an owner, and there are admins", owner_word=roles.ADMIN)
    return None


def known_words(evidence: WalkEvidence) -> StatementOutcome | None:
    """Whether every organization role has a known word."""
    people = evidence.reads["users"].value or []
    unknown = sum(person.role is not None and not roles.is_organization_role(person.role) for person in people)
    return _told(not unknown, f"{unknown} of {len(people)} people have a role of another word") if people else None


def permissions(evidence: WalkEvidence) -> StatementOutcome | None:
    """Whether `me` lists what the account may do."""
    organization = str(evidence.target.organization)
    own = next(rows(evidence.reads["me"], lambda row, key: key == organization and "name" in row), None)
    if own is None:
        return None
    listed = bool(own.get("permissions"))
    return _told(listed, f"{'some are' if listed else 'none is'} listed", me_permissions=listed)


def invited_grants(evidence: WalkEvidence) -> StatementOutcome | None:
    """Whether a project lists the grant of somebody who is invited."""
    done = evidence.done.get("grant")
    if done is None or not done.accepted or done.back is None or done.back.error:
        return None
    came = "the row is there" if done.shown else "there is no row while the invitation is pending"
    return _told(done.shown, came, invited_in_granted_users=done.shown)


def removed_grants(evidence: WalkEvidence) -> StatementOutcome | None:
    """Whether a grant goes with the person."""
    done, after = evidence.done.get("remove with a grant"), evidence.reads.get("grants afterwards")
    if done is None or not done.shown or after is None or after.error:
        return None
    kept = any(grant.key == evidence.target.key for grant in after.value)
    return _told(not kept, f"the grant is {'left' if kept else 'gone'}")


def no_access(evidence: WalkEvidence) -> StatementOutcome | None:
    """How a project without access is answered."""
    seen = evidence.reads["no access"]
    if not seen.exchanges:
        return None
    first = seen.exchanges[0]
    if first.location.startswith("/request_access"):
        return _told(holds=False, came=f"status {first.status} to /request_access/", no_access="redirect")
    if first.status == 404:
        return StatementOutcome(StatementVerdict.NOT_TRIED, "status 404, as for a project that does not exist")
    known = {"no_access": "forbidden"} if first.status == 403 else {}
    return _told(bool(known), status_in_words(seen), **known)


def audit(evidence: WalkEvidence) -> StatementOutcome | None:
    """Which routes of the audit log there are; a refusal for another reason says nothing of them."""
    by_platform = [one.status for one in evidence.reads["audit log"].exchanges if one.path.startswith(PLATFORM_ROOT)]
    statuses = (by_platform[-1] if by_platform else None, status_of(evidence.reads["older audit log"]))
    came = " and ".join("no answer" if status is None else f"status {status}" for status in statuses)
    if not all(status in (200, 404, 405) for status in statuses):
        return StatementOutcome(StatementVerdict.NOT_TRIED, came)
    routes = {(True, True): "both", (True, False): "platform", (False, True): "old", (False, False): "none"}
    there = routes[statuses[0] == 200, statuses[1] == 200]
    return _told(there == "both", came, audit=there)


def discoverability(evidence: WalkEvidence) -> StatementOutcome | None:
    """How the organization's discoverability is written."""
    seen = evidence.reads["discoverability"]
    if isinstance(seen.error, NotFound):
        return _told(holds=False, came=status_in_words(seen), discoverability="none")
    results = results_of(seen)
    word = results.get("discoverability", results) if isinstance(results, dict) else results
    if isinstance(word, dict):
        return _told(holds=False, came="an object", discoverability="object")
    if word in list(Discoverability):
        return _told(holds=True, came=f"`{word}`", discoverability="capitalized")
    if isinstance(word, str) and word.capitalize() in list(Discoverability):
        return _told(holds=False, came=f"`{word}`", discoverability="lower")
    return None if seen.error else _told(holds=False, came="another word")


def last_logins(evidence: WalkEvidence) -> StatementOutcome | None:
    """Whether the users list has everybody's last login."""
    people = list(rows(evidence.reads["users"], lambda row, _: "email" in row))
    without = sum("last_login" not in row for row in people)
    return _told(not without, f"{without} of {len(people)} rows without it") if people else None


def plan(evidence: WalkEvidence) -> StatementOutcome | None:
    """How the plan's refusal of custom roles is answered, where it refuses them."""
    status = status_of(evidence.reads["custom-roles"])
    return _told(status == 403, f"status {status}", plan_refusal=status) if status in (402, 403) else None


def stale(evidence: WalkEvidence) -> StatementOutcome | None:
    """How many readings of each list showed what was before a write."""
    shown = [done for done in evidence.done.values() if done.accepted and done.shown and done.back]
    late: dict[str, int] = {}
    for done in shown:
        if done.stale:
            late[done.step.shown_in] = max(done.stale, late.get(done.step.shown_in, 0))
    came = ", ".join(f"{name}: {number} readings too early" for name, number in late.items())
    if not shown:
        return None
    longest = max(done.seconds for done in shown)
    return _told(not late, f"{came or 'at the first reading'}, {longest:.1f} s at most", stale_reads=late)


def verbs(evidence: WalkEvidence) -> StatementOutcome | None:
    """Which verbs are not there; some reads have a statement of their own."""
    apart = [evidence.reads[name] for name in ("no access", "audit log", "older audit log", "discoverability")]
    absent = sorted(
        {
            f"{seen.exchanges[-1].method} {template(seen.exchanges[-1].path)}"
            for seen in calls(evidence)
            if seen.exchanges and seen.exchanges[-1].is_no_verb and not any(seen is one for one in apart)
        }
    )
    came = ", ".join(absent) or f"{len(evidence.done)} writes were tried"
    return _told(not absent, came, missing=absent) if evidence.done else None


def envelopes(evidence: WalkEvidence) -> StatementOutcome | None:
    """Whether each success has the envelope, which the Platform API never has."""
    good = [
        one.answer for one in exchanges(evidence) if one.status in (200, 201) and not one.path.startswith(PLATFORM_ROOT)
    ]
    bare = sum(not (isinstance(answer, dict) and answer.get("status") == "ok") for answer in good)
    return _told(not bare, f"{bare} of {len(good)} successes without it") if good else None


def never(_: WalkEvidence) -> None:
    """For what no walk can try without harm."""
