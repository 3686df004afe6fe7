"""What `revoke` prints: what goes, who stays, and nothing about a stack that could not be read."""

from __future__ import annotations

import pytest

from mixpanel_access.cli.revoke import _document, _print
from mixpanel_access.model import resources as kinds
from mixpanel_access.operations.revoking.removals import Removal
from mixpanel_access.operations.revoking.run import Revocation

LEE = Removal(
    "u", kinds.MEMBER_TYPE, "the membership in the organization", "lee@example.com", stays="stays as a plain member"
)
GRANT = Removal("g", kinds.GRANT_TYPE, "analyst in shop", "lee@example.com")


@pytest.mark.parametrize("done", [False, True])
def test_somebody_who_stays_is_not_counted_as_taken(capsys: pytest.CaptureFixture[str], *, done: bool) -> None:
    """With and without --yes, and in the document."""
    one = Revocation("production", [LEE, GRANT], done=done)
    _print([one], done=done)
    text = capsys.readouterr().out
    assert "stays as a plain member" in text
    assert ("1 thing taken away." in text) is done
    document = _document(one)
    assert [row["what"] for row in document["takes"]] == ["analyst in shop"]
    assert [(row["email"], row["reason"]) for row in document["stays"]] == [
        ("lee@example.com", "stays as a plain member")
    ]


@pytest.mark.parametrize(
    ("found", "last"),
    [
        ([Revocation("nope", problems=["cannot find the stack"])], "stack nope: cannot find the stack"),
        ([Revocation("a", problems=["x"]), Revocation("b")], "Nothing has ended in b."),
        ([Revocation("a"), Revocation("b")], "Nothing has ended in a and b."),
    ],
)
def test_nothing_is_said_to_have_ended_only_of_stacks_that_were_read(
    capsys: pytest.CaptureFixture[str], found: list[Revocation], last: str
) -> None:
    """A stack that could not be read may have anything."""
    _print(found, done=False)
    assert capsys.readouterr().out.splitlines()[-1] == last
