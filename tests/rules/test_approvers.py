"""Who may approve."""

from __future__ import annotations

from datetime import date

import pytest

from mixpanel_access.rules.addresses import is_shared, may_be_shared
from mixpanel_access.rules.facts import Context

CONTEXT = Context(date(2026, 5, 4), company_domains=frozenset({"example.com", "münchen.example"}))
LISTED = Context(CONTEXT.today, company_domains=CONTEXT.company_domains, approvers=frozenset({"ana@example.com"}))
KIM = "kim@example.com"

REFUSED: dict[str, tuple[str, str]] = {
    "no address": ("the boss", "is not an e-mail address"),
    "oneself": (KIM, "the person themselves"),
    "oneself in capitals": ("KIM@Example.com", "the person themselves"),
    "oneself with a tag": ("kim+approvals@example.com", "the person themselves"),
    "oneself in full-width letters": ("\uff4b\uff49\uff4d@example.com", "the person themselves"),
    "a shared mailbox": ("it-support@example.com", "shared mailbox"),
    "another company": ("ana@agency.example.org", "agency.example.org is none of its domains"),
    "a subdomain": ("ana@ext.example.com", "ext.example.com is none of its domains"),
    "an external's address at the company": ("ext-ana@example.com", "the name before the @ is that of an external"),
}


@pytest.mark.parametrize(("approver", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_who_may_not_approve(approver: str, words: str) -> None:
    """Not oneself in any spelling, no mailbox of several people, nobody from outside."""
    assert words in (CONTEXT.problem_with_approver(approver, KIM) or "")


def test_one_person_is_the_same_however_the_domain_is_written() -> None:
    """In Unicode or in punycode, on either side."""
    for one, other in (("kim@münchen.example", "kim@xn--mnchen-3ya.example"), ("kim@xn--mnchen-3ya.example",) * 2):
        for approver, person in ((one, other), (other, one)):
            assert CONTEXT.problem_with_approver(approver, person) == "the approver is the person themselves"
    assert CONTEXT.problem_with_approver("ana@xn--mnchen-3ya.example", KIM) is None


def test_who_may_approve() -> None:
    """Everybody of the company; where approvers are listed, one of them, who does not approve their own."""
    assert CONTEXT.problem_with_approver("dev.patel@example.com", KIM) is None
    assert LISTED.problem_with_approver("Ana@example.com", KIM) is None
    assert LISTED.problem_with_approver("Ana@example.com", "") is None
    assert "none of those who may approve" in (LISTED.problem_with_approver("omar@example.com", KIM) or "")
    assert "themselves" in (LISTED.problem_with_approver("ana@example.com", "ana+2@example.com") or "")


@pytest.mark.parametrize(
    "name",
    ["info", "info1", "2info", "it-support", "support.emea", "shop_support", "no-reply", "noreply", "data.team",
     "data-team2", "itsupport", "devteam", "sales", "root", "data", "hr", "deploy-bot", "ci.2"],
)  # fmt: skip
def test_a_mailbox_of_several(name: str) -> None:
    """Words are parted by signs and digits; what can only be a surname beside a first name is one by itself."""
    assert is_shared(name)
    assert not may_be_shared(name)


@pytest.mark.parametrize(
    "name", ["robin", "kim.sales", "joe.root", "will.bot", "infanta", "steamer", "h.all", "helga", "teamer", "adminah"]
)
def test_a_mailbox_of_one(name: str) -> None:
    """A name that has such a word as a part of another word, or as a surname, is a person's."""
    assert not is_shared(name)
    assert not may_be_shared(name)


@pytest.mark.parametrize("name", ["dev", "dev2", "bot", "dev.bot", "page"])
def test_a_mailbox_that_may_be_either(name: str) -> None:
    """Dev is a name."""
    assert not is_shared(name)
    assert may_be_shared(name)
