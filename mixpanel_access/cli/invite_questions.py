"""The questions of `invite`: each answer is checked at once, and asked again with the reason and the form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import typer

from mixpanel_access.model.address import problem_with, same_key
from mixpanel_access.model.dates import LAST_YEAR
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.similarity import did_you_mean, in_words, similar, similar_addresses, unknown
from mixpanel_access.operations.invite_entry import InviteRequest, part_of_project, problems_of, standard_of

if TYPE_CHECKING:
    from mixpanel_access.model.roster.schema import Roster

NONE: Final = "-"
"""The answer that takes an offered one back."""
_DAYS: Final = 90
"""The days of access without an engagement type, as the policy `longest-duration` has it."""
_TERMS: Final = {
    "sow": "Statement of work",
    "ticket": "Ticket",
    "approver": "Address of the approver",
    "justification": "Why the access is needed",
    "sponsor": "Sponsor, who wants it and answers for it",
}
_WITHOUT_ENGAGEMENT: Final = ("ticket", "approver", "justification")

Check = Callable[[str], str | None]
"""Why an answer cannot be used, or None; "" is no answer."""


class Questions:
    """Asks, and remembers the answers.

    Attributes:
        answers: the answers so far, by the question's key.
    """

    def __init__(self, offered: Mapping[str, str], *, err: bool = False) -> None:
        self.answers: dict[str, str] = {}
        self._offered = dict(offered)
        self._err = err

    def offers(self, key: str) -> str | None:
        """The answer of an earlier call."""
        return self._offered.get(key)

    def offer_nothing(self) -> None:
        """Forget the answers of an earlier call."""
        self._offered.clear()

    def ask(self, key: str, text: str, check: Check, *, usual: str = "", optional: bool = False) -> str | None:
        """An answer that the check accepts, or None where it is optional; a kept one is offered if it still holds."""
        kept = self._offered.get(key)
        offered = kept if kept and check(kept) is None else usual
        if optional:
            text = f"{text} (optional; {NONE} for none)" if offered else f"{text} (optional)"

        def checked(answer: str) -> str:
            answer = "" if optional and answer.strip() == NONE else answer.strip()
            if reason := check(answer) if answer or optional else "an answer is needed":
                raise typer.BadParameter(reason)
            return answer

        shown = bool(offered)
        answer: str = typer.prompt(text, default=offered, show_default=shown, value_proc=checked, err=self._err)
        if answer:
            self.answers[key] = answer
        return answer or None

    def choose(self, key: str, text: str, among: Sequence[str], usual: str) -> str:
        """One of some words."""

        def check(answer: str) -> str | None:
            return None if answer in among else unknown(answer, text.lower(), among)

        return str(self.ask(key, f"{text} ({', '.join(among)})", check, usual=usual))

    def confirm(self, text: str, *, usual: bool = False) -> bool:
        """A yes or a no."""
        return typer.confirm(text, default=usual, err=self._err)


@dataclass(frozen=True)
class Known:
    """What the checks of the answers know.

    Attributes:
        file: the roster's name.
        today: the day (UTC).
        addresses: the addresses in the rosters of all stacks.
        approvers: who may approve, or nobody if the stack does not say.
    """

    roster: Roster
    file: str
    today: date
    addresses: Sequence[str]
    approvers: Iterable[str] = ()


def ask_for_missing(request: InviteRequest, known: Known, questions: Questions) -> InviteRequest:
    """The request, with the answers to what was missing.

    Raises:
        UsageError: what was given with the command cannot be used.
        typer.Abort: somebody stopped it, or there are no more answers.
    """
    return _Interview(request, known, questions).complete()


class _Interview:
    def __init__(self, request: InviteRequest, known: Known, questions: Questions) -> None:
        self.request, self.known, self.questions, self.roster = request, known, questions, known.roster

    def complete(self) -> InviteRequest:
        given = self.request
        if not given.email:
            self._ask_address()
        self.questions.answers["email"] = self.request.email
        if self.questions.offers("email") != self.request.email:
            self.questions.offer_nothing()  # they are about somebody else
        self._must_hold(given)
        if given.name is None:
            self._set(name=self.questions.ask("name", "Name", lambda _: None, optional=True))
        if given.engagement not in self.roster.engagements:
            self._ask_engagement(given.engagement)
        if self.request.engagement not in self.roster.engagements:
            self._ask_terms()
        self._ask_days()
        if not given.projects:
            self._ask_projects()
        return self.request

    def _set(self, **changes: object) -> None:
        self.request = replace(self.request, **changes)  # type: ignore[arg-type]

    def _wrong(self, request: InviteRequest, part: str) -> str | None:
        """What is wrong with one part of a request."""
        found = (one.why for one in problems_of(request, self.roster, self.known.file) if one.part == part)
        return next(found, None)

    def _must_hold(self, given: InviteRequest) -> None:
        """Refuse what the command's options gave, before more is asked."""
        parts = ["email", *given.terms, *map(part_of_project, given.projects)]
        open_roles = [part_of_project(key) for key, role in given.projects.items() if role is None]
        for one in problems_of(self.request, self.roster, self.known.file):
            if one.part in parts and (one.next_step or one.part not in open_roles):
                step = f"{one.next_step or 'Correct that.'} Nothing was written."
                raise UsageError("cannot invite", subject=self.request.email, why=one.why, next_step=step)

    def _ask_address(self) -> None:
        def check(answer: str) -> str | None:
            reason = self._wrong(replace(self.request, email=answer), "email")
            form = "; write it as name@example.com" if problem_with(answer) else ""
            return f"{reason}{form}" if reason else None

        email = None
        while email is None:
            email = self.questions.ask("email", "E-mail address", check)
            alike = similar_addresses(str(email), self.known.addresses)
            if alike and not self.questions.confirm(f"The rosters have {in_words(alike)}. Is {email} another person?"):
                email = None
        self._set(email=email)

    def _ask_engagement(self, given: str | None) -> None:
        keys = self.roster.engagements

        def check(answer: str) -> str | None:
            engagement = keys.get(answer)
            if engagement and engagement.ends and engagement.ends < str(self.known.today):
                return f"{answer} ended on {engagement.ends}; name another one, or first move its end in the roster"
            return self._wrong(replace(self.request, engagement=answer or None), "engagement")

        choices = f" ({', '.join(keys)}, or the key of a new one)" if keys else ""
        answer = given
        while answer is None or not self._is_meant(answer):
            answer = self.questions.ask("engagement", f"Engagement{choices}", check, optional=True)
            if answer is None:
                break
        self._set(engagement=answer)

    def _is_meant(self, key: str) -> bool:
        """Whether an engagement is in the roster, or is to be a new one."""
        keys = self.roster.engagements
        text = f"There is no engagement {key!r}{did_you_mean(key, keys)}. Make a new one?"
        return key in keys or self.questions.confirm(text, usual=similar(key, keys) is None)

    def _ask_terms(self) -> None:
        """The terms of a new engagement, or of access without one."""
        names: Iterable[str] = _WITHOUT_ENGAGEMENT
        if self.request.engagement is not None:
            names = _TERMS
            if "type" not in self.request.terms:
                types = list(self.roster.standards)
                self._set_term("type", self.questions.choose("type", "Engagement type", types, types[0]))
        for name in names:
            if name not in self.request.terms:
                hint = ", ".join(sorted(self.known.approvers)) if name == "approver" else ""
                text = f"{_TERMS[name]} ({hint})" if hint else _TERMS[name]
                self._set_term(name, self.questions.ask(name, text, self._check_of(name), optional=True))

    def _set_term(self, name: str, value: str | None) -> None:
        if value:
            self._set(terms={**self.request.terms, name: value})

    def _check_of(self, name: str) -> Check:
        def check(answer: str) -> str | None:
            if not answer:
                return None
            if name == "approver" and (reason := problem_with(answer)):
                return f"{answer!r} is not an e-mail address ({reason}); write it as name@example.com"
            if name == "approver" and same_key(answer) == same_key(self.request.email):
                return "nobody approves their own access; name somebody else"
            request = replace(self.request, terms={**self.request.terms, name: answer})
            return self._wrong(request, name)

        return check

    def _ask_days(self) -> None:
        today = self.known.today
        engagement = self.roster.engagements.get(self.request.engagement or "")
        begins, ends = (engagement.starts, engagement.ends) if engagement else (None, None)
        if "starts" not in self.request.terms:
            usual = max(str(today), begins or "")
            first = self.questions.ask("starts", "First day, UTC (YYYY-MM-DD)", self._check_of("starts"), usual=usual)
            self._set_term("starts", None if first == begins else first)
        if "ends" not in self.request.terms:
            standard = standard_of(self.request, self.roster)
            longest = standard.longest_days if standard else _DAYS
            first_day = date.fromisoformat(self.request.terms.get("starts") or begins or str(today))
            days = min(longest - 1, (date.max - first_day).days)
            last = min(str(first_day + timedelta(days)), ends or f"{LAST_YEAR}-12-31")
            check = self._check_of("ends")

            def not_over(answer: str) -> str | None:
                over = f"{answer} is before today, {today}" if answer and answer < str(today) else None
                return check(answer) or over

            text = f"Last day, UTC (YYYY-MM-DD; at most {longest} days)"
            none = self.request.engagement is None
            given = self.questions.ask("ends", text, not_over, usual=max(last, str(today)), optional=none)
            self._set_term("ends", None if given == ends else given)

    def _ask_projects(self) -> None:
        """The projects, each with the standard role unless another is given."""
        standard = standard_of(self.request, self.roster)
        usual = standard.project_role(self.roster.environment) if standard else None
        for key, project in self.roster.projects.items():
            name = f"{key} ({project.name})" if project.name else key
            question = part_of_project(key)
            if not self.questions.confirm(f"Project {name}?", usual=self.questions.offers(question) is not None):
                continue

            def check(answer: str, key: str = key, question: str = question) -> str | None:
                return self._wrong(replace(self.request, projects={key: answer}), question)

            role = self.questions.ask(question, f"Role in {key}", check, usual=usual or "consumer")
            self._set(projects={**self.request.projects, key: None if role == usual else role})


class KeptAnswers:
    """A block that keeps the answers for the next call unless the roster was written."""

    def __init__(self, project: Path, questions: Questions) -> None:
        self._project = project
        self._questions = questions
        self.used = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        from mixpanel_access.files.kept_answers import drop_answers, write_answers
        from mixpanel_access.files.whole import reason

        try:
            if self.used:
                drop_answers(self._project)
            elif "email" in self._questions.answers:
                file = write_answers(self._project, self._questions.answers)
                typer.echo(
                    f"\nThe roster is unchanged. {file} keeps your answers: only you can read it, and Git ignores it. "
                    "The next `mixpanel-access invite` offers them again. Delete the file if you do not want that.",
                    err=True,
                )
        except OSError as error:
            verb = "deleted" if self.used else "kept"
            typer.echo(f"\nThe answers cannot be {verb}: {reason(error)}.", err=True)
