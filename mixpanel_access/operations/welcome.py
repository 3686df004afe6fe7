"""The message for a new collaborator: how to log in, what they have, and who can help.

It is written in Markdown by a jinja2 template that an organization may replace; text and HTML are made of that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Any, Final
from unicodedata import category

from jinja2 import BaseLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined, TemplateError
from markdown_it import MarkdownIt
from markupsafe import Markup

from mixpanel_access.model import roles
from mixpanel_access.model.access import Invitation
from mixpanel_access.model.address import same_key
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.roster.schema import Engagement, OrganizationFacts
from mixpanel_access.model.similarity import meant_address
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.person_overview import PersonOverview

WELCOME: Final = "welcome"
"""The message with everything that one has to know."""
REMINDER: Final = "reminder"
"""The message to somebody whose invitation waits."""
MEANINGS: Final[Mapping[str, str]] = {
    roles.OWNER: "You manage all of it, and can delete it.",
    roles.ADMIN: "You manage its settings, data and people.",
    roles.ANALYST: "You make and share reports, dashboards and cohorts.",
    roles.CONSUMER: "You see what others have made and shared.",
}
"""What a project role lets one do, in plain words."""
_CUSTOM: Final = "A role of the organization's own."
_MARKS: Final = re.compile(r"([\\`*_\[\]<>#|])")


@dataclass(frozen=True)
class Message:
    """A message in three forms.

    Attributes:
        to: the address of the person.
        cc: the addresses of those who get a copy.
        subject: the subject.
        markdown: the text as Markdown.
        text: the text.
        html: the text as HTML.
        sent: whether it was sent.
    """

    to: str
    cc: tuple[str, ...]
    subject: str
    markdown: str
    text: str
    html: str
    sent: bool = False

    def mail(self, sender: str, at: datetime, *, draft: bool) -> EmailMessage:
        """The message as mail programs and servers take it: as text and as HTML (RFC 5322, RFC 2046).

        Raises:
            UsageError: an address cannot be written in ASCII.
        """
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = _wired(sender), _wired(self.to), self.subject
        if self.cc:
            mail["Cc"] = ", ".join(map(_wired, self.cc))
        mail["Date"] = format_datetime(at)
        mail["Message-ID"] = make_msgid(domain=_wired(sender).rpartition("@")[2])
        if draft:
            mail["X-Unsent"] = "1"  # mail programs then open it to be sent
        mail.set_content(self.text)
        mail.add_alternative(self.html, subtype="html")
        return mail


def compose(overview: Overview, email: str, template: str, folder: Path | None) -> Message:
    """Write to somebody what their access is.

    Raises:
        UsageError: nobody declares them today, they need no reminder, a fact is missing (each is named), or the
            template cannot be used.
    """
    someone = overview.get(same_key(email))
    if someone is None or not someone.effective:
        meant = "" if someone else meant_address(email, [one.email for one in overview.people if one.effective])
        raise UsageError(
            "cannot write the message",
            subject=email,
            why=f"no roster gives them anything today{meant}",
            next_step="Add an entry, or check the address.",
        )
    if template == REMINDER and someone.invitation(overview.now) is Invitation.ACCEPTED:
        raise UsageError(
            "cannot remind",
            subject=email,
            why="they have accepted their invitation",
            next_step="Write the first message, without --reminder, or ask `status` who has not come.",
        )
    subject, body = _rendered(f"{template}.md.j2", folder, _facts(someone, overview))
    html = _page(subject, MarkdownIt("commonmark", {"html": False}).render(body))
    cc = tuple(dict.fromkeys(one.manager for one in _engagements(someone, overview) if one.manager))
    return Message(someone.email, cc, subject, body, _plain(body), html)


def _rendered(name: str, folder: Path | None, facts: Mapping[str, Any]) -> tuple[str, str]:
    """The subject and the body that a template makes of the facts, in Markdown.

    Raises:
        UsageError: the template cannot be used.
    """

    def bad(why: str) -> UsageError:
        more = f"it may use {', '.join(sorted(facts))}; docs/operators.md of mixpanel-access tells what they are."
        return UsageError("cannot use the template", subject=name, why=why, next_step=f"Fix it; {more}")

    loader: BaseLoader = PackageLoader("mixpanel_access")
    if folder and (folder / name).exists():
        if not (folder / name).is_file():
            raise bad(f"{folder / name} is not a file")
        loader = FileSystemLoader(folder)
    # The result is Markdown, in which every value is escaped; the HTML is made of it with raw HTML switched off.
    environment = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, autoescape=False)  # noqa: S701
    try:
        written = environment.get_template(name).render(facts)
    except TemplateError as error:
        line = f" (line {error.lineno})" if hasattr(error, "lineno") else ""
        raise bad(f"{error.message}{line}") from None
    except Exception as error:  # noqa: BLE001  # a template may do anything: divide by nothing, add a name to a number
        raise bad(f"{type(error).__name__}: {error}") from None
    head, _, body = written.strip().partition("\n")
    subject = _unescaped(head.removeprefix("Subject:").strip())
    if not head.startswith("Subject:") or not subject or not body.strip():
        raise bad("its first line is not `Subject: ...`, or nothing follows it")
    return subject, re.sub(r"\n{2,}|\n(?=#)", "\n\n", body.strip()) + "\n"


def _page(subject: str, body: str) -> str:
    """The message as a page: with a title and one heading, whichever template it is from."""
    environment = Environment(loader=PackageLoader("mixpanel_access"), autoescape=True, trim_blocks=True)
    return environment.get_template("message.html.j2").render(subject=subject, body=Markup(body)) + "\n"  # noqa: S704


def _facts(someone: PersonOverview, overview: Overview) -> dict[str, Any]:
    """What a template may use; every text is escaped for Markdown, and links are URLs that the roster has checked."""
    organization = _organization(someone, overview)
    facts = organization.model_dump(mode="json", by_alias=True)
    projects = list(_projects(someone, overview))
    current = [entry for _, entry in someone.current(overview.today)]
    ends = [entry.ends for entry in current]
    names = [entry.person.name for entry in current if entry.person.name]
    pending = someone.invitation(overview.now) is not Invitation.ACCEPTED
    expires = someone.expires_at if pending else None
    return {
        "email": _escaped(someone.email),
        "name": _escaped(names[0] if names else someone.email),
        "organization": {"name": _escaped(facts["name"]), "url": facts["url"]},
        "login": {key: _escaped(value) if isinstance(value, str) else value for key, value in facts["login"].items()},
        "contacts": {_escaped(topic): _escaped(address) for topic, address in facts["contacts"].items()},
        "reasons": list(dict.fromkeys(_escaped(one.engagement).replace("-", " ") for one in current if one.engagement)),
        "ends": None if None in ends else str(max(end for end in ends if end)),
        "pending": pending,
        "expires": f"{expires:%Y-%m-%d %H:%M} UTC" if expires else None,
        "projects": projects,
        "dashboards": [one for project in projects for one in project["dashboards"]],
    }


def _organization(someone: PersonOverview, overview: Overview) -> OrganizationFacts:
    """The facts of the person's stacks, with all that a message needs.

    Raises:
        UsageError: something is not said; all of it is named.
    """
    facts = overview.facts_for(someone)
    login = facts.login
    missing = [
        name
        for name, value in (
            ("organization.name", facts.name),
            ("organization.url", facts.url),
            ("organization.login.ssoRequired", login.sso_required),
            ("organization.login.mfaRequired", login.mfa_required),
            ("organization.login.identityProvider", login.identity_provider if login.sso_required else "none"),
            ("organization.contacts", facts.contacts or None),
        )
        if value is None
    ]
    if missing:
        files = ", ".join(overview.stacks[stack].file.name for stack in sorted(someone.effective))
        raise UsageError(
            "cannot write the message",
            subject=someone.email,
            why=f"{files} {'does' if len(someone.effective) == 1 else 'do'} not say {', '.join(missing)}",
            next_step="Fill that in, or in a file that the rosters include.",
        )
    return facts


def _projects(someone: PersonOverview, overview: Overview) -> Iterator[dict[str, Any]]:
    for key, project, held in overview.effective_projects(someone):
        yield {
            "name": _escaped(project.name or key),
            "environment": _escaped(project.environment),
            "platform": _escaped(project.platform or ""),
            "role": "a custom role" if roles.is_custom(held.role) else held.role,
            "meaning": MEANINGS.get(held.role, _CUSTOM),
            "needs": [need.replace("_", " ") for need in project.needs],
            "dashboards": [{"title": _escaped(title), "url": url} for title, url in project.dashboards.items()],
        }


def _engagements(someone: PersonOverview, overview: Overview) -> Iterator[Engagement]:
    for stack, entry in someone.current(overview.today):
        roster = overview.stacks[stack].roster
        if roster and entry.engagement:
            yield roster.engagements[entry.engagement]


def _wired(address: str) -> str:
    """An address as every mail server takes it: its domain in ASCII (IDNA 2008, RFC 5891).

    Raises:
        UsageError: what stands before the "@" is not ASCII, which few servers take (RFC 6531), or it is no address.
    """
    if address.isascii():
        return address
    from email_validator import EmailNotValidError, validate_email

    try:
        plain = validate_email(address, check_deliverability=False, test_environment=True).ascii_email
        why = "its name has letters beyond ASCII, which not every mail server takes"
    except EmailNotValidError as error:
        plain, why = None, str(error).rstrip(".")
    if plain is None:
        raise UsageError("cannot write a mail", subject=address, why=why, next_step="Write to them by --format text.")
    return plain


def _escaped(text: str) -> str:
    """A value that says in Markdown what it says: no mark of its own, on one line."""
    shown = "".join(c for c in text if c.isspace() or category(c) not in ("Cc", "Cf"))
    return _MARKS.sub(r"\\\1", " ".join(shown.split()))


def _unescaped(text: str) -> str:
    return re.sub(r"\\([\\`*_\[\]<>#|])", r"\1", text)


def _plain(markdown: str) -> str:
    """The Markdown of a message as text."""
    lines, number = [], 0
    for line in markdown.splitlines():
        shown = re.sub(r"\*\*(.*?)\*\*", r"\1", re.sub(r"\[((?:\\.|[^\]])*)\]\(<(.*?)>\)", r"\1: \2", line))
        shown = _unescaped(re.sub(r"(?<!\\)<(https?://[^>]*)>", r"\1", shown))
        if line.startswith("#"):
            number, shown = 0, shown.lstrip("# ")
            shown = f"{shown}\n{'-' * len(shown)}"
        elif line.startswith("1. "):
            number += 1
            shown = f"{number}{shown[1:]}"
        lines.append(shown)
    return "\n".join(lines) + "\n"
