"""Writes whose shape Mixpanel does not document, by the names that `mixpanel:allowUndocumented` takes."""

from __future__ import annotations

from enum import StrEnum


class Verb(StrEnum):
    """One undocumented write."""

    INVITE = "inviteMembers"
    CHANGE_ROLE = "changeOrganizationRole"
    REMOVE_GRANTS = "removeProjectGrants"
    REMOVE_MEMBERS = "removeMembers"
    RESEND = "resendInvitations"
    ADD_TO_TEAMS = "addTeamMembers"
    REMOVE_FROM_TEAMS = "removeTeamMembers"


BY_HAND: dict[Verb, str] = {
    Verb.INVITE: "invite them in Organization Settings > Users & Teams",
    Verb.CHANGE_ROLE: "change the role in Organization Settings > Users & Teams",
    Verb.REMOVE_GRANTS: "remove the person from the project in Project Settings > Users & Teams",
    Verb.REMOVE_MEMBERS: "remove the person in Organization Settings > Users & Teams",
    Verb.RESEND: "resend the invitation in Organization Settings > Users & Teams",
    Verb.ADD_TO_TEAMS: "add the person to the team in Organization Settings > Users & Teams",
    Verb.REMOVE_FROM_TEAMS: "take the person out of the team in Organization Settings > Users & Teams",
}
"""What to do in the product instead."""
