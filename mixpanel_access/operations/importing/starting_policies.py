"""The policy configuration to start with after an import, and the order in which to raise its rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mixpanel_access.files.whole import FileChange, content_of, reason, write_all
from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations.new_project import own_file
from mixpanel_access.operations.policy_check import policy_config_file
from mixpanel_access.rules.configuration import ALL, LEVEL
from mixpanel_access.rules.hygiene import GUARDS
from mixpanel_access.rules.rule import Level

MANDATORY: Final = (GUARDS, "secrets-are-secret", "own-environment")
"""The rules that a clean import cannot break, and that nobody should break later."""

_WHAT: Final = "the policy configuration"
_PAGE: Final = "the page of the policy configuration"


@dataclass(frozen=True)
class Step:
    """Rules to raise to mandatory together.

    Attributes:
        title: what they are about.
        first: what to do before.
        rules: their ids.
    """

    title: str
    first: str
    rules: tuple[str, ...]


STEPS: Final = (
    Step(
        "One roster for each thing",
        "Usually nothing: an import writes rosters that keep these rules.",
        (
            "rosters-apart", "organization-roles-in-one-stack", "no-duplicate-person", "one-kind", "grant-has-member",
            "starts-before-ends", "not-expired", "review-not-ahead", "team-in-own-environment",
            "service-account-own-environment", "service-account-in-one-environment", "service-account-declared",
            "exceptions-count",
        ),
    ),
    Step(
        "Addresses",
        "Set `mixpanel:companyDomains`. Replace shared mailboxes and private addresses by people.",
        ("company-domains-known", "domain-allowed", "no-consumer-mail", "domain-misspelt", "no-shared-mailbox"),
    ),
    Step(
        "People outside the company",
        "Give them engagements of their own, with a type and a last day; lower roles that are too high.",
        (
            "external-not-privileged", "external-within-limit", "collaborator-not-project-owner",
            "external-access-ends", "external-in-one-environment", "no-all-users-in-production",
        ),
    ),
    Step(
        "Reasons and approvals",
        "Fill in the baseline engagement, and set `mixpanel:approvers`.",
        (
            "justified", "admin-has-reason", "approver-known", "approver-is-another", "no-mutual-approval",
            "production-has-paperwork", "classified-data-justified",
        ),
    ),
    Step(
        "Roles",
        "Move people from the baseline engagement to ones with a type, and lower roles above its standard.",
        ("role-within-standard", "team-within-standard", "organization-owners", "organization-admins"),
    ),
    Step(
        "Ends and reviews",
        "Give the engagements last days, and finish a first review.",
        ("longest-duration", "privileged-ends-or-reviewed"),
    ),
    Step(
        "Service accounts",
        "Give each account of the roster a purpose, a contact, an approver and an end.",
        (
            "service-account-owned", "service-account-contact-known", "service-account-approved",
            "service-account-has-paperwork", "service-accounts-privileged", "service-account-expires",
        ),
    ),
)  # fmt: skip
"""The order in which to raise the rules that the configuration of a new project has as mandatory."""


def steps_in_markdown() -> Iterator[str]:
    """The steps as a numbered list."""
    for number, step in enumerate(STEPS, 1):
        yield f"{number}. **{step.title}.** {step.first}"
        yield f"   Then raise {', '.join(f'`{rule}`' for rule in step.rules)}."


def configuration(environment: str | None) -> str:
    """The text of the configuration.

    Args:
        environment: the value of `mixpanel:environment`, to which the guard holds the stack; None if it is not set.
    """
    rules: dict[str, dict[str, str]] = {ALL: {LEVEL: Level.ADVISORY.value}}
    rules |= {rule: {LEVEL: Level.MANDATORY.value} for rule in MANDATORY}
    if environment:
        rules[GUARDS]["environment"] = environment
    lines = ",\n".join(f"  {json.dumps(rule)}: {_on_a_line(entry)}" for rule, entry in rules.items())
    return f"{{\n{lines}\n}}\n"


def _on_a_line(entry: dict[str, str]) -> str:
    return f"{{ {json.dumps(entry)[1:-1]} }}"


@dataclass(frozen=True)
class StartingPolicies:
    """The configuration to write for a stack, and the page about it.

    Attributes:
        before: the file's content as it is, or None where there is none.
    """

    file: Path
    page: Path
    before: bytes | None
    text: str

    def write(self) -> None:
        """Write both.

        Raises:
            UsageError: one cannot be written.
        """
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            why, step = reason(error), "Correct that and run again; nothing was changed."
            raise UsageError(f"cannot write {_WHAT}", subject=str(self.file), why=why, next_step=step) from None
        change = FileChange(self.file, self.before, self.text.encode(), _WHAT, private=False)
        page = FileChange(self.page, content_of(self.page, _PAGE), _page(self.file).encode(), _PAGE, private=False)
        write_all([change, page])


def _page(file: Path) -> str:
    lines = [
        f"# How to raise the rules of {file.name}",
        "",
        f"`{file.name}` is what `mixpanel-access import` starts with: every rule is advisory, except",
        f"{', '.join(f'`{rule}`' for rule in MANDATORY)}. Findings show in each run and stop none.",
        "",
        "Raise the rules in this order: correct what a run finds, then add a line for each rule, such as",
        '`"rosters-apart": { "enforcementLevel": "mandatory" }`.',
        "",
        *steps_in_markdown(),
        "",
        "`mixpanel-access policy explain RULE` says what a rule judges, and how to fix a finding.",
        "",
    ]
    return "\n".join(lines)


def starting_policies(project: Path, roster: Path, environment: str | None) -> StartingPolicies:
    """The configuration to write for the stack with a roster; the one that `new` wrote is replaced.

    Raises:
        UsageError: the stack has a configuration that somebody has changed.
    """
    file, text = policy_config_file(project, roster), configuration(environment)
    before = content_of(file, _WHAT)
    if before not in (None, text.encode(), _of_new(file.name)):
        raise UsageError(
            "cannot write the starting policy configuration",
            subject=str(file),
            why="the file is there, with levels that somebody has chosen",
            next_step="Leave out --starting-policies, or move the file away. Nothing was written.",
        )
    return StartingPolicies(file, file.with_suffix(".md"), before, text)


def _of_new(name: str) -> bytes | None:
    """The file of that name in a new project, if there is one."""
    try:
        return own_file(f"policies/config/{name}").encode()
    except FileNotFoundError:
        return None
