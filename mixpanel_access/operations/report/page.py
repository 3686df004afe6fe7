"""The access report as one HTML page that needs no network, no server and no script.

Every value is escaped by the template. The page's policy (Content Security Policy, level 3) lets the browser run and
apply nothing but its own script and style, known by their hashes, and load nothing.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mixpanel_access import __version__
from mixpanel_access.model import roles
from mixpanel_access.model.access import GrantType, Invitation
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import written
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.similarity import counted, in_days, in_words
from mixpanel_access.operations.next_steps import hours
from mixpanel_access.operations.report.model import (
    QUARTER,
    AccessEnding,
    Cell,
    EndsIn,
    PolicyFinding,
    Report,
    ReportPerson,
    RoleSource,
)
from mixpanel_access.operations.report.risk import LEVELS, RiskLevel, points_table
from mixpanel_access.rules.rule import Level

MONTHS: Final = 12
"""Months that the endings' chart shows, this one first."""
LONG: Final = 30
"""Rows above which a list gets a frame of its own to scroll in."""
CROWD: Final = 100
"""People above which the matrix starts without the sources, and sections out of sight are not laid out."""
_WORDS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


_BACKTICKS: Final = re.compile(r"`([^`]+)`")
_BEFORE_BREAKS: Final = re.compile("(?<=.)(?=[@.])")
_BREAKS: Final = Markup("<wbr>")
_CODE: Final = Markup("<code>{}</code>")
_FACT: Final = Markup('<span class="fact">{}</span>')
_CELL: Final = Markup('<td{}><b>{}</b><span class="ways">{}</span></td>')
_CLASSES: Final = {
    (False, False): Markup(""),
    (False, True): Markup(' class="writes"'),
    (True, False): Markup(' class="first"'),
    (True, True): Markup(' class="first writes"'),
}


@dataclass(frozen=True)
class Tile:
    """A number at the top of the page.

    Attributes:
        section: the section that the number is about.
        number: the number.
        what: what it counts.
        more: what else there is, and what is not known.
        alarm: whether somebody should act if it is not zero.
        known: whether zero means that there is none; otherwise there may be some that nobody knows.
    """

    section: str
    number: int
    what: str
    more: str
    alarm: bool = True
    known: bool = True


@dataclass(frozen=True)
class Month:
    """A bar of the endings' chart; its height is in hundredths of the highest one."""

    label: str
    year: int
    count: int
    height: int


def _environment() -> Environment:
    """The template's folder, with the filters of the template."""
    environment = Environment(
        loader=PackageLoader("mixpanel_access", "templates/report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "written": written,
        "role": role_in_words,
        "address": with_break,
        "code": with_code,
        "cell": cell_in_matrix,
        "way_in_full": in_full,
        "about": about,
        "counted": counted,
        "days": in_days,
        "hours": lambda number: hours(timedelta(hours=number)),
        "by_nearness": lambda groups: sorted(groups, key=lambda group: list(EndsIn).index(group[0])),
    }
    return environment


def page(report: Report) -> str:
    """The page of a report."""
    environment = _environment()
    style, script = (_source(environment, name) for name in ("page.css", "page.js"))
    numbered = enumerate(report.people, 1)
    return environment.get_template("page.html.j2").render(
        report=report,
        policy=_policy(style, script),
        style=style,
        script=script,
        tiles=tiles(report),
        findings=by_person(report),
        rules=rules_of(report.findings),
        by_address=sorted(numbered, key=lambda pair: pair[1].email.casefold()),
        names={project.id: project.name for one in report.environments for project in one.projects},
        columns=[(each.id, each is one.projects[0]) for one in report.environments for each in one.projects],
        shown=any(one.projects for one in report.environments),
        crowd=len(report.people) > CROWD,
        long=LONG,
        months=months(report.endings, report.now.date()),
        levels={level.value: least for level, least in LEVELS.items()},
        factors=points_table(),
        version=__version__,
    )


def _source(environment: Environment, name: str) -> str:
    """A file in the template's folder, as it is."""
    assert environment.loader is not None  # noqa: S101  # it was just given
    return environment.loader.get_source(environment, name)[0]


def _policy(style: str, script: str) -> str:
    """What the browser may do with the page."""

    def own(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; style-src {own(style)}; script-src {own(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def tiles(report: Report) -> list[Tile]:
    """The numbers at the top."""
    people, high = len(report.people), len(report.at(RiskLevel.HIGH))
    outside, untold = (sum(1 for one in report.people if one.outside is word) for word in (True, None))
    company = (
        f"{outside} outside the company" if untold < people or not people else "who is outside the company is not known"
    )
    if outside and untold:
        company += f", and {untold} of whom that is not known"
    over, later = len(report.ending(EndsIn.OVER)), len(report.ending(EndsIn.QUARTER))
    endless = sum(1 for one in report.people if one.stacks and one.ends is None)
    expired = sum(1 for one in report.invitations if one.state is Invitation.EXPIRED)
    asked = sum(1 for one in report.invitations if one.steps)
    unmanaged = sum(1 for one in report.differences if one.kind.unmanaged)
    other = sum(1 for one in report.other_access if one.known)
    kinds = len({one.source for one in report.other_access if not one.known})
    advisory = len(report.findings) - len(report.held_up)
    changed, missed = len(report.differences) - unmanaged, counted(len(report.unknown), "thing")
    return [
        Tile("matrix", people, "person" if people == 1 else "people", company, alarm=False),
        Tile("risk", high, "at high risk",
             f"of {counted(people, 'person', 'people')}; {len(report.at(RiskLevel.MEDIUM))} medium, "
             f"{len(report.at(RiskLevel.LOW))} low", known=not untold),
        Tile("endings", len(report.ending(EndsIn.OVER, EndsIn.SOON)), "endings, past or soon",
             f"{over} ended and still there; {later} more within {QUARTER} days; "
             f"{counted(endless, 'person', 'people')} without an end"),
        Tile("invitations", len(report.invitations), "open invitation" + "s" * (len(report.invitations) != 1),
             f"{expired} expired, {asked} to follow up", alarm=asked > 0),
        Tile("unmanaged", unmanaged, "unmanaged",
             f"in Mixpanel, but in no stack; {changed} missing or changed"
             + (f"; {missed} not known" if report.unknown else ""), known=not report.unknown),
        Tile("other", other, "other access",
             "outside roles, teams and grants" + (f"; {counted(kinds, 'kind')} not known" if kinds else ""),
             alarm=False, known=not kinds),
        Tile("policies", len(report.held_up), "mandatory finding" + "s" * (len(report.held_up) != 1),
             f"of policy rules; {advisory} advisory"),
    ]  # fmt: skip


def months(endings: Iterable[AccessEnding], today: date) -> list[Month]:
    """How many endings there are in each of the coming months; what is over or later is not there."""
    first = today.year * 12 + today.month - 1
    counts = [0] * MONTHS
    for one in endings:
        place = one.on.year * 12 + one.on.month - 1 - first
        if one.days >= 0 and place < MONTHS:
            counts[place] += 1
    most = max(counts)
    return [
        Month(_WORDS[(first + place) % 12], (first + place) // 12, count, round(100 * count / most) if most else 0)
        for place, count in enumerate(counts)
    ]


def role_in_words(role: str) -> str:
    """A role as people say it."""
    return "custom role" if roles.is_custom(role) else role.replace("_", " ")


@lru_cache(maxsize=1 << 16)
def with_break(email: str) -> Markup:
    """An address that may be broken before the @ and before a dot."""
    return _BREAKS.join(_BEFORE_BREAKS.split(email))


def with_code(text: str) -> Markup:
    """Words in which a command stands in backticks."""
    parts = enumerate(_BACKTICKS.split(text))
    return Markup().join(_CODE.format(part) if number % 2 else part for number, part in parts)


def cell_in_matrix(cell: Cell, first: bool) -> Markup:
    """A cell of the matrix: the highest role, and the sources of it; `first` in the columns of its environment."""
    return _cell(first, cell.role, tuple((one.role, one.through) for one in cell.sources))


@lru_cache(maxsize=1024)
def _cell(first: bool, role: str, sources: Sequence[tuple[str, str]]) -> Markup:
    """The same; thousands of people have the same role through the same sources."""
    attribute = _CLASSES[first, role in (roles.OWNER, roles.ADMIN)]
    return _CELL.format(attribute, role_in_words(role), in_short(role, sources))


def in_short(role: str, sources: Sequence[tuple[str, str]]) -> str:
    """The sources of a role in a project: `team Data`; with the role of each if they differ."""
    alike = all(own == role for own, _ in sources)
    words = {own: "custom role" if roles.is_custom(own) else own for own, _ in sources}
    return ", ".join(through if alike else f"{words[own]} by {through}" for own, through in sources)


def in_full(source: RoleSource) -> str:
    """One source of a role in a project, with what its stack says of it."""
    held = f", stack {source.stack}" if source.stack else ""
    if not source.stack and source.grant_type is GrantType.INDIVIDUAL:
        held = ", no stack"
    why = "".join(f"; {name} {text}" for name, text in source.why.items())
    role = f"custom role {source.role}" if roles.is_custom(source.role) else role_in_words(source.role)
    return f"{role} by {source.through}{held}{why}"


def about(person: ReportPerson) -> Markup:
    """What the page says of a person besides their projects."""
    role = person.organization_role
    known = [f"organization {role_in_words(role)}" if role else "organization role not known"]
    if person.invitation is None:
        known = ["not in the organization"]
    known.append(f"stack{'s' * (len(person.stacks) > 1)} {in_words(person.stacks)}" if person.stacks else "in no stack")
    if person.outside:
        known.append("outside the company")
    if person.stacks:
        known.append(f"until {person.ends}" if person.ends else "without an end")
    if person.last_login:
        known.append(f"last login {person.last_login:%Y-%m-%d}")
    return _facts(tuple(known))


@lru_cache(maxsize=1024)
def _facts(known: Sequence[str]) -> Markup:
    """Facts in a line; those of thousands of people are often the same."""
    return Markup(" · ").join(_FACT.format(one) for one in known)


@dataclass(frozen=True)
class PersonFindings:
    """The findings about one person, the mandatory ones first.

    Attributes:
        email: the address; "" for what is not about one person.
        place: the person's position among the people by risk, from 1; None if they are not there.
        findings: the findings.
    """

    email: str
    place: int | None
    findings: Sequence[PolicyFinding]


def by_person(report: Report) -> list[PersonFindings]:
    """The findings of each person, those with the most mandatory ones first; what is about nobody is last."""
    places = {same_key(person.email): place for place, person in enumerate(report.people, 1)}
    groups = grouped((same_key(one.email) if one.email else "", one) for one in report.findings)

    def order(key: str) -> tuple[bool, int, int, str]:
        mandatory = sum(1 for one in groups[key] if one.level is Level.MANDATORY)
        return not key, -mandatory, -len(groups[key]), key

    return [
        PersonFindings(
            groups[key][0].email,
            places.get(key),
            sorted(groups[key], key=lambda one: (one.level is not Level.MANDATORY, one.rule, one.stack)),
        )
        for key in sorted(groups, key=order)
    ]


def rules_of(findings: Sequence[PolicyFinding]) -> dict[str, tuple[int, PolicyFinding, int]]:
    """The rules that find something, by id: the position from 1, one finding, and how many there are."""
    counts = Counter(one.rule for one in findings)
    first = {one.rule: one for one in reversed(findings)}
    return {rule: (place, first[rule], counts[rule]) for place, rule in enumerate(sorted(counts), 1)}
