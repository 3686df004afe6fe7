"""The questions of `invite`: what is checked at once, what is offered, and what becomes of the answers."""

from __future__ import annotations

import io
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pytest
import typer

from mixpanel_access.cli.invite_questions import KeptAnswers, Known, Questions, ask_for_missing
from mixpanel_access.files.kept_answers import FOLDER, read_answers, write_answers
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.operations.invite_entry import InviteRequest, text_with

TODAY = date(2026, 5, 4)
R = RosterSource("production.yaml")
TEXT = """\
environment: production
projects:
  shop: { id: 1, environment: production }
  lake: { id: 2, environment: production }
engagements:
  review: { type: analytics_review, starts: 2026-04-01, ends: 2026-06-30 }
  past: { type: audit, ends: 2026-05-03 }
people:
  - { email: robin@agency.example.org, engagement: review, projects: { shop: analyst } }
"""
ROSTER = parse(TEXT, R)
KNOWN = Known(ROSTER, "production.yaml", TODAY, [one.email for one in ROSTER.people], ["ana@example.com"])
DI = "di@agency.example.org"


@dataclass
class Asked:
    """What came of an interview."""

    request: InviteRequest
    questions: Questions
    said: str = field(repr=False)

    @property
    def refused(self) -> list[str]:
        return [line.removeprefix("Error: ") for line in self.said.splitlines() if line.startswith("Error: ")]


@dataclass
class Terminal:
    """Somebody who gives answers."""

    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]

    def __call__(
        self, *answers: str, given: InviteRequest | None = None, kept: Mapping[str, str] | None = None
    ) -> Asked:
        questions = Questions(kept or {})
        self.patch.setattr("sys.stdin", io.StringIO("".join(f"{answer}\n" for answer in answers)))
        request = ask_for_missing(given or InviteRequest("production", ""), KNOWN, questions)
        # without a terminal, nobody ends the lines of the questions
        said = self.capture.readouterr().out.replace(": Error: ", ":\nError: ")
        return Asked(request, questions, said)


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """Somebody who gives these answers."""
    return Terminal(monkeypatch, capsys)


NEW = [DI, "", "look", "y", "audit", "", "", "", "", "", "", "", "y", "", "n"]
"""The answers for a new engagement: address, name, key, new, type, five terms, two days, two projects."""
WRONG = {
    "address": (0, "di@agency", "not an e-mail address"),
    "address, in another spelling": (0, "Robin@agency.example.org", "has them as robin@agency.example.org"),
    "nothing": (0, " ", "an answer is needed"),
    "engagement that has ended": (2, "past", "past ended on 2026-05-03"),
    "type": (4, "audits", "did you mean 'audit'?"),
    "approver without an address": (7, "Ana", "write it as name@example.com"),
    "approver of oneself": (7, DI, "nobody approves their own access"),
    "first day": (10, "4 May", "'4 May' is not a date; write it as YYYY-MM-DD"),
    "last day": (11, "2026-13-01", "write it as YYYY-MM-DD"),
    "last day before today": (11, "2026-05-03", "before it starts on 2026-05-04"),
    "role": (13, "analist", "did you mean 'analyst'?"),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_answer_is_asked_again_with_the_reason(ask: Terminal, case: tuple[int, str, str]) -> None:
    """At once: no later question comes in between, and the right answer then counts."""
    position, wrong, reason = case
    asked = ask(*NEW[:position], wrong, *NEW[position:])
    (refused,) = asked.refused
    assert reason in refused
    assert asked.request == ask(*NEW).request


def test_the_last_day_is_asked_whatever_the_reason_for_the_access(ask: Terminal) -> None:
    """It defaults to the longest that the type allows, within the engagement, whose own days stand there alone."""
    new = ask(*NEW).request
    assert (new.terms["starts"], new.terms["ends"]) == ("2026-05-04", "2026-06-02")  # 30 days
    known = ask(DI, "", "review", "", "", "n", "n").request
    assert known.terms == {"starts": "2026-05-04"}  # 90 days would be after its end, which counts
    shorter = ask(DI, "", "review", "", "2026-05-31", "n", "n").request
    assert shorter.terms == {"starts": "2026-05-04", "ends": "2026-05-31"}
    alone = ask(DI, "", "", "OPS-1", "", "", "", "", "n", "n")
    assert alone.request.terms == {"ticket": "OPS-1", "starts": "2026-05-04", "ends": "2026-08-01"}
    assert alone.said.count("(optional") == len(("name", "engagement", "ticket", "approver", "why", "last day"))


def test_the_same_name_at_another_domain_is_pointed_out(ask: Terminal) -> None:
    """Somebody says that it is another person, or gives another address."""
    answers = ["robin@agency.example.com", "n", DI, *NEW[1:]]
    asked = ask(*answers)
    assert "The rosters have robin@agency.example.org. Is robin@agency.example.com another person?" in asked.said
    assert asked.request.email == DI
    assert ask("robin@agency.example.com", "y", *NEW[1:]).request.email == "robin@agency.example.com"


def test_a_new_engagement_needs_a_yes_if_its_key_looks_like_a_known_one(ask: Terminal) -> None:
    """A slip makes no engagement."""
    asked = ask(DI, "", "reveiw", "", "review", "", "", "n", "n")
    assert asked.request.engagement == "review"
    assert "There is no engagement 'reveiw' (did you mean 'review'?). Make a new one? [y/N]" in asked.said


def test_what_was_given_is_not_asked_but_checked_first(ask: Terminal) -> None:
    """A wrong option ends the command before the first question about the rest."""
    given = InviteRequest("production", DI, name="Di", engagement="review", projects={"shop": "admin"})
    assert ask("", "", given=given).request == replace(given, terms={"starts": "2026-05-04"})
    for wrong, reason in (
        (replace(given, email="di@agency"), "is not an e-mail address"),
        (replace(given, projects={"shpo": None}), "did you mean 'shop'"),
        (replace(given, projects={"shop": "analist"}), "did you mean 'analyst'"),
        (replace(given, terms={"ends": "soon"}), "write it as YYYY-MM-DD"),
    ):
        with pytest.raises(UsageError, match=reason):
            ask(given=wrong)


def test_the_answers_make_an_entry_that_the_roster_takes(ask: Terminal) -> None:
    """What was checked one by one holds together."""
    for answers in (NEW, [DI, "Di", "review", "", "", "y", "", "n"], [DI, "", "", "", "", "", "", "-", "y", "", "n"]):
        request = ask(*answers).request
        assert parse(text_with(request, ROSTER, TEXT, R), R).people[-1].email == DI


def test_kept_answers_are_offered_and_taken_with_enter(ask: Terminal) -> None:
    """All of them; those that the roster no longer allows are not offered, nor are those about somebody else."""
    first = ask(
        DI, "Di", "look", "y", "audit", "SOW-1", "OPS-1", "ana@example.com", "Why", "Omar", "", "", "y", "", "n"
    )
    kept = first.questions.answers
    again = ask(*[""] * 15, kept=kept)
    assert again.request == first.request
    assert again.questions.answers == kept

    changed = ask(*[""] * 15, kept={**kept, "type": "retired-type", "starts": "soon", "projects.shop": "retired-role"})
    assert not changed.refused
    assert (changed.request.terms["type"], changed.request.terms["starts"]) == ("analytics_review", "2026-05-04")
    assert changed.request.projects == {"shop": None}

    other = ask("ed@agency.example.org", *NEW[1:], kept=kept)
    assert other.request == replace(ask(*NEW).request, email="ed@agency.example.org")


def test_answers_are_kept_for_the_next_call_unless_they_were_written(ask: Terminal, tmp_path: Path) -> None:
    """After a Ctrl-C or an end of the answers, in a file that nobody else can read and Git ignores; once."""
    questions = Questions({})
    ask.patch.setattr("sys.stdin", io.StringIO(f"{DI}\nDi\n"))
    with pytest.raises(typer.Abort), KeptAnswers(tmp_path, questions):
        ask_for_missing(InviteRequest("production", ""), KNOWN, questions)
    assert read_answers(tmp_path) == {"email": DI, "name": "Di"}
    folder = tmp_path / FOLDER
    assert stat.S_IMODE((folder / "invite.json").stat().st_mode) == 0o600
    assert (folder / ".gitignore").read_text() == "*\n"
    assert str(folder / "invite.json") in ask.capture.readouterr().err

    with KeptAnswers(tmp_path, Questions({})):
        pass  # nothing was answered: what is kept stays
    assert read_answers(tmp_path)
    with KeptAnswers(tmp_path, questions) as kept:
        kept.used = True
    assert not read_answers(tmp_path)


def test_only_a_file_of_ones_own_is_offered(tmp_path: Path) -> None:
    """Not one that came with a branch, none behind a link, and nothing that is not what we write."""
    file = write_answers(tmp_path, {"email": DI})
    file.chmod(0o644)
    assert read_answers(tmp_path) == {}
    file.chmod(0o600)
    assert read_answers(tmp_path) == {"email": DI}
    for text in ("[", "[]", '{"email": 1}', "\udcff"):
        file.write_text(text, errors="surrogateescape")
        assert read_answers(tmp_path) == {}
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("theirs")
    file.unlink()
    file.symlink_to(elsewhere)
    assert read_answers(tmp_path) == {}
    write_answers(tmp_path, {"email": DI})
    assert (elsewhere.read_text(), read_answers(tmp_path)) == ("theirs", {"email": DI})


def test_answers_are_not_kept_behind_a_link(tmp_path: Path) -> None:
    """A branch may have brought it, and it leads anywhere."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / FOLDER).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotADirectoryError):
        write_answers(tmp_path, {"email": DI})
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("used", [True, False])
def test_a_folder_that_cannot_be_used_costs_no_entry(ask: Terminal, tmp_path: Path, used: bool) -> None:
    """It is one line, after the roster has been written too."""
    (tmp_path / FOLDER).write_text("a file")
    questions = Questions({})
    questions.answers["email"] = DI
    with KeptAnswers(tmp_path, questions) as kept:
        kept.used = used
    assert ask.capture.readouterr().err.startswith(f"\nThe answers cannot be {'deleted' if used else 'kept'}: ")


def test_a_type_may_allow_more_days_than_there_are(ask: Terminal) -> None:
    """The last day that is offered is then the last one that a roster takes."""
    roster = parse(TEXT + "standardRoles: { audit: { longestDays: 10000000 } }\n", R)
    request = InviteRequest("production", DI, "Di", "look", {"shop": None}, terms={"type": "audit"})
    ask.patch.setattr("sys.stdin", io.StringIO("y\n" + "\n" * 7))
    asked = ask_for_missing(request, replace(KNOWN, roster=roster), Questions({}))
    assert asked.terms["ends"] == "8999-12-31"
