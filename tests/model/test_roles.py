"""Organization roles as they are read from anywhere: one meaning a word, and unknown words as they are."""

from __future__ import annotations

import pytest

from mixpanel_access.model import roles
from mixpanel_access.model.roles import RoleChange

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


CHANGES = {
    "the same": ("member", "member", None, RoleChange.NONE),
    "another one, by hand": ("member", "admin", "member", RoleChange.WRITE),
    "another one, found": ("admin", "member", None, RoleChange.WRITE),
    "unknown, found": ("member", "superuser", None, RoleChange.KEEP),
    "unknown, and the declaration is as before": ("admin", "superuser", "admin", RoleChange.KEEP),
    "unknown, and member is declared now": ("member", "superuser", "admin", RoleChange.WRITE),
    "unknown, and another role is declared now": ("admin", "superuser", "member", RoleChange.REFUSE),
    "unknown, since it was seen to change": ("member", "superuser", "superuser", RoleChange.WRITE),
    "declared by the unknown word": ("superuser", "superuser", "superuser", RoleChange.NONE),
}


@pytest.mark.parametrize(("role", "shown", "before", "expected"), CHANGES.values(), ids=CHANGES.keys())
def test_only_another_declaration_replaces_an_unknown_word(
    role: str, shown: str, before: str | None, expected: RoleChange
) -> None:
    """An unknown word may be Mixpanel's own word for what is declared."""
    assert roles.role_change(role, shown, before) is expected
    assert roles.role_change(role, shown, before).replaces is (expected in (RoleChange.WRITE, RoleChange.REFUSE))


CONTRADICTIONS = {
    "the same": ("admin", "admin", False),
    "another one": ("admin", "member", True),
    "an unknown word": ("admin", "superuser", False),
    "Mixpanel does not tell": ("admin", None, False),
    "none declared": (None, "admin", False),
}


@pytest.mark.parametrize(("role", "shown", "expected"), CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_only_a_known_role_contradicts_a_declared_one(role: str | None, shown: str | None, expected: bool) -> None:
    """A write is missing in Mixpanel only if Mixpanel shows another known role."""
    assert roles.contradicts(role, shown) is expected


KEPT = {
    "the unknown word of before": ("superuser", "superuser", True),
    "another unknown word": ("superuser", "overseer", False),
    "a known role": ("admin", "admin", False),
    "no role then, and none now": (None, None, False),
}


@pytest.mark.parametrize(("shown", "before", "expected"), KEPT.values(), ids=KEPT.keys())
def test_an_unknown_word_that_stays_is_no_drift(shown: str | None, before: str | None, expected: bool) -> None:
    """A word that appears later is drift, and so is a known role."""
    assert roles.is_kept_word(shown, before) is expected
