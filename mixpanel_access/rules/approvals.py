"""Approvals in the whole stack: the approvers are known, and no two people approve each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mixpanel_access.model.address import few, mailbox
from mixpanel_access.rules.entry import PEOPLE, UNKNOWN, Entry, NotJudged, Type, each
from mixpanel_access.rules.facts import HOW_TO_NAME, Context, Stack
from mixpanel_access.rules.rule import Family, Level, Rule, RuleFinding, Severity, controls


def _known(stack: Stack, context: Context) -> Iterator[RuleFinding | NotJudged]:
    """One finding for each approver."""
    members = {mailbox(entry.shown("email")): entry for entry in stack.of(Type.MEMBER)}
    hidden = any(entry.values.get("email") is UNKNOWN for entry in members.values())
    approved: dict[str, list[Entry]] = {}

    def note(entry: Entry) -> Iterator[RuleFinding]:
        approver = entry.text("approver")
        if approver and not context.problem_with_approver(approver, ""):  # which approver-is-another reports
            approved.setdefault(mailbox(approver), []).append(entry)
        yield from ()

    yield from each(stack.of(*PEOPLE, Type.TEAM_GRANT, Type.SERVICE_ACCOUNT), note)

    def judge(key: str) -> Iterator[RuleFinding]:
        member, entries = members.get(key), approved[key]
        approver, what = entries[0].text("approver"), few({entry.shown("email") or str(entry) for entry in entries})
        if member and context.known_external(member):
            kind = member.text("kind")
            yield RuleFinding(f"the approver {approver} (of {what}) is declared as {kind}, and not of the company")
        elif not member and not context.approvers:
            if hidden:
                raise NotJudged(f"a member whose address is not known before the update may be {approver}", entries[0])
            yield RuleFinding(
                f"the approver {approver} (of {what}) is not a member that this stack declares; correct the address, "
                f"or "
                f"name all who may approve: {HOW_TO_NAME} {approver}"
            )

    yield from each(approved, judge)


def _mutual(stack: Stack, _context: Context) -> Iterator[RuleFinding | NotJudged]:
    """For all roles that manage; a membership in a team counts by the team's roles."""
    approvers: dict[str, dict[str, tuple[Entry, bool]]] = {}

    def note(entry: Entry, certain: bool = True) -> None:
        if approver := entry.text("approver"):
            approvers.setdefault(mailbox(entry.email), {}).setdefault(mailbox(approver), (entry, certain))

    def judge(entry: Entry) -> Iterator[RuleFinding]:
        if entry.type != Type.TEAM_MEMBER:
            managing = {True} if entry.is_privileged() else set()
        else:
            team = stack.reference(entry, "team_id")
            same = [(grant, stack.reference(grant, "team_id").same(team)) for grant in stack.of(Type.TEAM_GRANT)]
            managing = {one is True for grant, one in same if one is not False and grant.is_privileged()}
        if managing:
            note(entry, certain=True in managing)
        yield from ()

    yield from each(stack.of(*PEOPLE), judge)
    yield from each(stack.of(Type.TEAM_MEMBER), lambda membership: _own_team(membership, stack))
    for person, theirs in approvers.items():
        for approver, (entry, certain) in theirs.items():
            if person < approver and person in approvers.get(approver, {}):
                other, as_certain = approvers[approver][person]
                words = f"{entry}: approved by {approver}, whose own {other} they approved"
                team = "the team of a place is not known before the update, and may be one that manages"
                yield RuleFinding(words, entry) if certain and as_certain else NotJudged(f"{words}; {team}", entry)


def _own_team(membership: Entry, stack: Stack) -> Iterator[RuleFinding]:
    """Whether a person approved the managing role that a team gives them."""
    team = stack.reference(membership, "team_id")
    for grant in stack.of(Type.TEAM_GRANT):
        same = stack.reference(grant, "team_id").same(team)
        approved = mailbox(grant.text("approver")) == mailbox(membership.email)
        if same is not False and approved and grant.is_privileged():
            words = f"{membership}: approved the team's role {grant.role} in project {grant.shown('project_id')}"
            if not same:
                raise NotJudged(f"{words}, if it is the same team, which is not known before the update", membership)
            yield RuleFinding(f"{words}, and gets it by being in the team", membership)


def _duties(stack: Stack, _context: Context) -> Iterator[RuleFinding | NotJudged]:
    """One finding for each person who sponsors and approves, with the people who got the access."""
    approved: dict[str, dict[str, None]] = {}

    def judge(entry: Entry) -> Iterator[RuleFinding]:
        sponsor, approver = entry.text("sponsor"), entry.text("approver")
        if sponsor and approver and mailbox(sponsor) == mailbox(approver):
            approved.setdefault(mailbox(sponsor), {})[entry.shown("email") or entry.name] = None
        yield from ()

    yield from each(stack.of(*PEOPLE, Type.TEAM_GRANT), judge)
    for sponsor, given in approved.items():
        yield RuleFinding(f"{sponsor} is sponsor and approver of the access of {few(given)}")


APPROVAL_RULES: Final = Family.LEAST_PRIVILEGE.rules(
    Rule(
        "duties-apart",
        "The sponsor, who wants the access for somebody, does not approve it too.",
        Level.ADVISORY,
        Severity.MEDIUM,
        "Have another person approve it, and set `approver:` to their address.",
        _duties,
        controls=controls("iso27001 A.5.3", "soc2 CC6.3"),
    ),
    Rule(
        "approver-known",
        "An approver is a member of the company that the stack declares, or one of mixpanel:approvers.",
        Level.ADVISORY,
        Severity.MEDIUM,
        "Set `approver:` to the address of somebody who can be asked.",
        _known,
        controls=controls("soc2 CC6.2", "iso27001 A.5.3", "cis 6.1"),
    ),
    Rule(
        "no-mutual-approval",
        "Nobody approves a role that manages for a team that they are in, and no two people approve each other's.",
        Level.MANDATORY,
        Severity.HIGH,
        "Have another person approve it (of two who approve each other, one role): set `approver:` to their address.",
        _mutual,
        controls=controls("soc2 CC6.2", "iso27001 A.5.3", "cis 6.1"),
    ),
)
