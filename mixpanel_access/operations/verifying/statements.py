"""What the contract says of Mixpanel, statement by statement; and the report of a walk, with nobody's name in it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mixpanel_access import __version__
from mixpanel_access.model.hosts import region_of
from mixpanel_access.operations.verifying import deciding as by
from mixpanel_access.operations.verifying.answers import exchanges, template
from mixpanel_access.operations.verifying.deciding import Decide, StatementOutcome, StatementVerdict
from mixpanel_access.operations.verifying.steps import Target
from mixpanel_access.operations.verifying.walk import CallResult, StepResult, WalkEvidence


@dataclass(frozen=True)
class Statement:
    """One statement of the contract.

    Attributes:
        id: a short name, unique.
        section: where the contract has it.
        decide: what was seen of it; None where nothing was.
    """

    id: str
    section: int
    text: str
    decide: Decide


STATEMENTS: Final = (
    Statement("envelope", 1, 'A success is {"status": "ok"}, with `results` where there are any.', by.envelopes),
    Statement("wrong-body", 1, "A body in a wrong shape is answered with 422.", by.wrong_body),
    Statement("refused-update", 1, "An update that is refused has the status of a refusal.", by.refused_update),
    Statement("lists-whole", 3, "Lists come whole, not in pages.", by.pages),
    Statement("member-word", 2, "The users list has a Member's role as `member`.",
              by.of_person("invite", by.member_word)),
    Statement("owner-word", 2, "The users list has an owner as `owner`.", by.owner_word),
    Statement("known-words", 2, "Every organization role has a known word.", by.known_words),
    Statement("last-login", 3, "The users list has `last_login`.", by.last_logins),
    Statement("permissions", 9, "`me` lists the permissions of the account.", by.permissions),
    Statement("invite", 3, "`add-users` takes addresses, each with an organization role.", by.applied("invite")),
    Statement("invite-answer", 3, "It answers `invited`, `added` and `failed`.",
              by.answered("invite", by.has_keys("invited", "added", "failed"))),
    Statement("invited-mark", 3, "The users list marks invited people with `invited`.",
              by.of_person("invite", by.is_invited)),
    Statement(
        "user-projects", 3, "The users list says nothing about projects.",
        by.of_person("change the organization role", by.has_key("projects", expected=False, dialect="user_projects")),
    ),
    Statement("grant", 3, "`add-users-to-projects` takes the nested body.", by.applied("grant")),
    Statement("grant-again", 3, "A second grant changes the role in place.", by.applied("change the grant")),
    Statement("invited-grants", 3, "`granted-users` lists the grants of invited people.", by.invited_grants),
    Statement("grant-rows", 3, "A row of `granted-users` has the role's word and `target_type`.",
              by.of_person("grant", by.grant_row)),
    Statement("take-grant", 3, "`users/{email}/delete-projects` takes one grant away.",
              by.applied("take the grant away")),
    Statement("change-role", 3, "`users/{email}/update` changes the organization role.",
              by.applied("change the organization role", "change the organization role back")),
    Statement("change-role-answer", 3, "It answers `updated`.",
              by.answered("change the organization role", by.has_keys("updated"))),
    Statement("invite-pending", 3, "An invited person who is invited again gets the new role.",
              by.applied("invite while invited")),
    Statement(
        "invite-existing", 3, "Somebody who has joined and is invited again keeps the role. The address of the walk "
        "never joins.", by.never,
    ),
    Statement("resend", 3, "`resend-invites` takes addresses.", by.applied("resend")),
    Statement("cancel", 3, "`delete-users` cancels an invitation.", by.applied("cancel the invitation")),
    Statement("invite-again", 3, "A cancelled person can be invited again.", by.applied("invite again")),
    Statement("remove", 3, "`delete-users` takes addresses.", by.applied("remove")),
    Statement("grant-invites", 3, "A grant to a new address invites it as a member.", by.applied("invite by a grant")),
    Statement("removal-takes-grants", 13, "A removed person has no grant left.", by.removed_grants),
    Statement("team", 4, "`add-teams` takes names.", by.applied("make a team")),
    Statement("team-answer", 4, "It answers `created: true`.", by.answered("make a team", by.says_created(value=True))),
    Statement("team-again", 4, "For a name that exists it answers `created: false`.",
              by.answered("make the same team", by.says_created(value=False))),
    Statement("team-people", 4, "The list of teams has their people.", by.of_team(by.has_key("users"))),
    Statement("team-role", 4, "The list of teams has their organization role.", by.of_team(by.has_key("org_role"))),
    Statement("team-grant", 4, "`add-projects-to-teams` gives a role, and changes it in place.",
              by.applied("grant to the team", "change the team's grant")),
    Statement("team-join", 4, "`add-users-to-teams` takes teams with addresses.", by.applied("add to the team")),
    Statement("team-leave", 4, "`teams/{t}/delete-users` takes addresses.", by.applied("take out of the team")),
    Statement("team-take-grant", 4, "`teams/{t}/delete-projects` takes a role away.",
              by.applied("take the team's grant away")),
    Statement("team-rename", 4, "`teams/{t}/update` renames a team.", by.applied("rename the team")),
    Statement("team-delete", 4, "`delete-teams` takes ids.", by.applied("delete the team")),
    Statement("account", 6, "A service account can be created with a name, a role and an end.",
              by.applied("make a service account")),
    Statement("account-name", 6, "Its login name is the name with a suffix.",
              by.answered("make a service account", by.has_suffix)),
    Statement("account-token", 6, "No list has its token.", by.of_account(by.no_token)),
    Statement("account-role", 6, "The list has `org_role`, `member` for a consumer.", by.of_account(by.account_word)),
    Statement("account-grant", 6, "`add-to-project` gives a role, and changes it in place.",
              by.applied("grant to the account", "change the account's grant")),
    Statement("account-take-grant", 6, "`remove-from-project` takes a role away.",
              by.applied("take the account's grant away")),
    Statement("account-delete", 6, "A service account can be deleted.", by.applied("delete the service account")),
    Statement("no-access", 1, "A project without access is answered with 403.", by.no_access),
    Statement("audit", 16, "The audit log is answered by the Platform API and by the older route.", by.audit),
    Statement("discoverability", 8, "Discoverability is `Closed`, `Request` or `Open`.", by.discoverability),
    Statement("plan", 13, "A feature that the plan lacks is answered with 403.", by.plan),
    Statement("stale", 1, "Lists show a write at the first reading after it.", by.stale),
    Statement("escapes", 1, "Error texts are not escaped for HTML.", by.escapes),
    Statement("verbs", 0, "Every verb that the walk sends exists.", by.verbs),
    Statement(
        "invitation-limit", 13, "More than about 10 invitations an hour are answered with 429. The walk sends fewer.",
        by.never,
    ),
    Statement("invitation-life", 3, "An invitation expires after 7 days. No walk waits for it.", by.never),
    Statement("last-owner", 13, "The last owner cannot be removed. No walk tries it.", by.never),
)  # fmt: skip
"""Every statement that a walk can decide, and those that none can."""


def outcomes(evidence: WalkEvidence) -> list[tuple[Statement, StatementOutcome]]:
    """Each statement with what was seen of it."""
    return [(one, one.decide(evidence) or StatementOutcome(StatementVerdict.NOT_TRIED)) for one in STATEMENTS]


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
