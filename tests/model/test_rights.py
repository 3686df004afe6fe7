"""What our own account may do: every role word, with and without a list of permissions; and what a 403 asks for."""

from __future__ import annotations

import pytest

from mixpanel_access.model.rights import OF_OWNERS, PEOPLE, OwnRights, Permission, what_is_needed

ADMINS = frozenset(Permission) - OF_OWNERS
WORDS = ("owner", "admin", "billing_admin", "member", "superuser", None)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("permission", Permission)
def test_a_list_of_permissions_counts_whatever_the_role_is_called(word: str | None, permission: Permission) -> None:
    """Each code alone: that one is allowed, and no other one is."""
    rights = OwnRights(word, frozenset({permission, "a_code_of_tomorrow"}))
    assert {other for other in Permission if rights.may(other)} == {permission}
    assert all(rights.may(other) is not None for other in Permission)


@pytest.mark.parametrize("permissions", [frozenset[str](), frozenset({"a_code_of_tomorrow"})], ids=["none", "unknown"])
@pytest.mark.parametrize("word", WORDS)
def test_the_role_counts_where_no_permission_is_told(word: str | None, permissions: frozenset[str]) -> None:
    """An owner may all, an admin all but an owner's; of a role that we do not know, nothing is known."""
    rights = OwnRights(word, permissions)
    expected = {
        "owner": set(Permission), "admin": ADMINS, "billing_admin": set(), "member": set(),
    }.get(word or "")  # fmt: skip
    for permission in Permission:
        assert rights.may(permission) is (None if expected is None else permission in expected)
    assert (rights.listed, rights.lacking(PEOPLE), rights.role) == (False, [], word)


ACTS_AS = {
    "an owner who is called admin": ("admin", {"delete_org"}, "owner"),
    "an owner by another right of owners": ("admin", {"add_user", "transfer_project"}, "owner"),
    "an owner of an unknown word": ("superuser", {"delete_project"}, "owner"),
    "an admin": ("admin", ADMINS, "admin"),
    "somebody of an unknown word who manages people": ("superuser", {"add_user"}, "admin"),
    "a member who only looks": ("member", {"view_audit_logs"}, "member"),
    "an owner without an owner's rights": ("owner", {"add_user"}, "owner"),
}


@pytest.mark.parametrize(("word", "permissions", "role"), ACTS_AS.values(), ids=ACTS_AS.keys())
def test_the_role_that_an_account_acts_with(word: str, permissions: set[str], role: str) -> None:
    """An owner is told by what only owners may do."""
    assert OwnRights(word, frozenset(permissions)).role == role


def test_what_is_listed_is_said_by_its_codes() -> None:
    """Both the answers and the codes, for the one who has to ask for them."""
    rights = OwnRights("admin", frozenset({"add_user"}))
    assert rights.in_words({"invite": Permission.ADD_USER, "remove": Permission.DELETE_MEMBERS}) == (
        "may invite: add_user yes; may remove: delete_members no"
    )
    assert rights.lacking(PEOPLE) == ["change organization roles (edit_userroles)", "remove (delete_members)"]


NEEDED = {
    "a permission": ("edit_userroles", "needs the permission edit_userroles"),
    "two": ("You need add_user or create_team.", "needs the permission add_user, create_team"),
    "one that is new": ('Missing permission "manage_widgets"', "needs the permission manage_widgets"),
    "an owner's": ("missing: transfer_project", "Only an organization owner may do this (transfer_project)"),
    "an owner's among others": ("needs add_user and delete_org", "Only an organization owner may do this (delete_org)"),
    "the plan": ("Your plan does not support SAML", "plan does not include this"),
    "owners": ("Only owners can do this", "may need an organization owner"),
    "owners or admins": ("Only owners and admins can do this", "most calls need an organization admin, some an owner"),
    "a role and no permission": ("the role billing_admin may not", "most calls need an organization admin"),
    "another word with an underscore": ("the field user_name is odd", "most calls need an organization admin"),
    "nothing": ("no explanation", "`mixpanel-access doctor` shows what the account may do"),
}


@pytest.mark.parametrize(("words", "expected"), NEEDED.values(), ids=NEEDED.keys())
def test_a_refusal_says_what_is_needed(words: str, expected: str) -> None:
    """By Mixpanel's words: the permission, an owner, the plan; and admin rights only where nothing says otherwise."""
    step = what_is_needed(words)
    assert expected in step
    assert ("admin" in step) is ("most calls" in expected or "doctor" in expected)
