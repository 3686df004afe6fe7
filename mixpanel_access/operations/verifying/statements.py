"""What the contract says of Mixpanel, statement by statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mixpanel_access.operations.verifying import deciding as by
from mixpanel_access.operations.verifying.deciding import Decide, StatementOutcome, StatementVerdict
from mixpanel_access.operations.verifying.walk import WalkEvidence


@dataclass(frozen=True)
class Statement:
    """One statement of the contract.

    Attributes:
        id: a short name, unique.
        section: where the contract has it.
        text: what it says.
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
    Statement(
        "member-word", 2, "The users list has a Member's role as `member`.", by.of_person("invite", by.member_word)
    ),
    Statement("owner-word", 2, "The users list has an owner as `owner`.", by.owner_word),
    Statement("known-words", 2, "Every organization role has a known word.", by.known_words),
    Statement("last-login", 3, "The users list has `last_login`.", by.last_logins),
    Statement("permissions", 9, "`me` lists the permissions of the account.", by.permissions),
    Statement("invite", 3, "`add-users` takes addresses, each with an organization role.", by.applied("invite")),
    Statement(
        "invite-answer", 3, "It answers `invited`, `added` and `failed`.",
        by.answered("invite", by.has_keys("invited", "added", "failed")),
    ),
    Statement(
        "invited-mark", 3, "The users list marks invited people with `invited`.", by.of_person("invite", by.is_invited)
    ),
    Statement(
        "user-projects", 3, "The users list says nothing about projects.",
        by.of_person("change the organization role", by.has_key("projects", expected=False, dialect="user_projects")),
    ),
    Statement("grant", 3, "`add-users-to-projects` takes the nested body.", by.applied("grant")),
    Statement("grant-again", 3, "A second grant changes the role in place.", by.applied("change the grant")),
    Statement("invited-grants", 3, "`granted-users` lists the grants of invited people.", by.invited_grants),
    Statement(
        "grant-rows", 3, "A row of `granted-users` has the role's word and `target_type`.",
        by.of_person("grant", by.grant_row),
    ),
    Statement(
        "take-grant", 3, "`users/{email}/delete-projects` takes one grant away.", by.applied("take the grant away")
    ),
    Statement(
        "change-role", 3, "`users/{email}/update` changes the organization role.",
        by.applied("change the organization role", "change the organization role back"),
    ),
    Statement(
        "change-role-answer", 3, "It answers `updated`.",
        by.answered("change the organization role", by.has_keys("updated")),
    ),
    Statement(
        "invite-pending", 3, "An invited person who is invited again gets the new role.",
        by.applied("invite while invited"),
    ),
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
    Statement(
        "team-again", 4, "For a name that exists it answers `created: false`.",
        by.answered("make the same team", by.says_created(value=False)),
    ),
    Statement("team-people", 4, "The list of teams has their people.", by.of_team(by.has_key("users"))),
    Statement("team-role", 4, "The list of teams has their organization role.", by.of_team(by.has_key("org_role"))),
    Statement(
        "team-grant", 4, "`add-projects-to-teams` gives a role, and changes it in place.",
        by.applied("grant to the team", "change the team's grant"),
    ),
    Statement("team-join", 4, "`add-users-to-teams` takes teams with addresses.", by.applied("add to the team")),
    Statement("team-leave", 4, "`teams/{t}/delete-users` takes addresses.", by.applied("take out of the team")),
    Statement(
        "team-take-grant", 4, "`teams/{t}/delete-projects` takes a role away.", by.applied("take the team's grant away")
    ),
    Statement("team-rename", 4, "`teams/{t}/update` renames a team.", by.applied("rename the team")),
    Statement("team-delete", 4, "`delete-teams` takes ids.", by.applied("delete the team")),
    Statement(
        "account", 6, "A service account can be created with a name, a role and an end.",
        by.applied("make a service account"),
    ),
    Statement(
        "account-name", 6, "Its login name is the name with a suffix.",
        by.answered("make a service account", by.has_suffix),
    ),
    Statement("account-token", 6, "No list has its token.", by.of_account(by.no_token)),
    Statement("account-role", 6, "The list has `org_role`, `member` for a consumer.", by.of_account(by.account_word)),
    Statement(
        "account-grant", 6, "`add-to-project` gives a role, and changes it in place.",
        by.applied("grant to the account", "change the account's grant"),
    ),
    Statement(
        "account-take-grant", 6, "`remove-from-project` takes a role away.", by.applied("take the account's grant away")
    ),
    Statement("account-delete", 6, "A service account can be deleted.", by.applied("delete the service account")),
    Statement("no-access", 1, "A project without access is answered with 403.", by.no_access),
    Statement("audit", 16, "The audit log is answered by the Platform API and by the older route.", by.audit),
    Statement(
        "discoverability", 8, "Discoverability is `Closed`, `Request` or `Open`.", by.discoverability
    ),
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
