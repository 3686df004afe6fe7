"""Organization roles as they are read from anywhere: one meaning a word, and unknown words as they are."""

from __future__ import annotations

import pytest

from mixpanel_access.model import roles

MEANT = {
    "no role": "member", "No Role": "member", "no-role": "member", "no_role": "member", "": "member", "  ": "member",
    "member": "member", "Member": "member", "owner": "owner", "Owner": "owner", "ADMIN": "admin",
    "Billing Admin": "billing_admin", "superuser": "superuser", "Super User": "super_user", "none of it": "none_of_it",
}  # fmt: skip


@pytest.mark.parametrize(("word", "role"), [*MEANT.items(), (None, "member")])
def test_a_word_has_one_meaning(word: str | None, role: str) -> None:
    """No role is `member`; every other word is itself, without case, blanks and hyphens."""
    assert roles.organization_role(word) == role
    assert roles.organization_role(roles.organization_role(word)) == role


OVERWRITTEN = {
    "the same": ("member", "member", None, False),
    "another one, by hand": ("member", "admin", "member", True),
    "another one, found": ("admin", "member", None, True),
    "unknown, found": ("member", "superuser", None, False),
    "unknown, and the declaration is as before": ("admin", "superuser", "admin", False),
    "unknown, and another role is declared": ("member", "superuser", "admin", True),
    "unknown, since it was seen to change": ("member", "superuser", "superuser", True),
    "declared by the unknown word": ("superuser", "superuser", "superuser", False),
}


@pytest.mark.parametrize(("role", "shown", "before", "expected"), OVERWRITTEN.values(), ids=OVERWRITTEN.keys())
def test_an_unknown_word_is_written_over_only_by_another_declaration(
    role: str, shown: str, before: str | None, expected: bool
) -> None:
    """It may be Mixpanel's own word for what is declared."""
    assert roles.overwrites(role, shown, before) is expected
