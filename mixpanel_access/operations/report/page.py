"""The access report as one HTML page that needs no network, no server and no script.

Every value is escaped by the template. The page's policy (Content Security Policy, level 3) lets the browser run and
apply nothing but its own script and style, known by their hashes, and load nothing.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mixpanel_access import __version__
from mixpanel_access.model import roles
from mixpanel_access.model.access import GrantType, Invitation
from mixpanel_access.model.dates import written
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

MONTHS: Final = 12
"""Months that the endings' chart shows, this one first."""
LONG: Final = 30
"""Rows above which a list gets a frame of its own to scroll in."""
CROWD: Final = 100
"""People above which the matrix starts without the sources, and sections out of sight are not laid out."""
_WORDS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


_BACKTICKS: Final = re.compile(r"`([^`]+)`")
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
    """A number at the top of the page."""

    section: str
    number: int
    what: str
    more: str
    alarm: bool


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
        "by_rule": by_rule,
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
    outside = sum(1 for one in report.people if one.outside)
    known = any(one.outside is not None for one in report.people)
    over, later = len(report.ending(EndsIn.OVER)), report.ending(EndsIn.QUARTER)
    near = report.ending(EndsIn.OVER, EndsIn.SOON)
    expired = sum(1 for one in report.invitations if one.state is Invitation.EXPIRED)
    asked = sum(1 for one in report.invitations if one.steps)
    unmanaged = sum(1 for one in report.differences if one.kind.unmanaged)
    people, invitations, high = len(report.people), len(report.invitations), len(report.at(RiskLevel.HIGH))
    rows = (
        ("matrix", people, "person" if people == 1 else "people",
         f"{outside} outside the company" if known else "company domains not set"),
        ("risk", high, "high risk", f"{len(report.at(RiskLevel.MEDIUM))} medium, {len(report.at(RiskLevel.LOW))} low"),
        ("endings", len(near), "ending soon", f"{over} ended, {len(later)} more within {QUARTER} days"),
        ("invitations", invitations, "invited" if invitations == 1 else "invitations",
         f"{expired} expired, {asked} to follow up"),
        ("unmanaged", unmanaged, "unmanaged", f"{len(report.differences) - unmanaged} missing or changed"),
        ("policies", len(report.held_up), "policy findings",
         f"mandatory; {len(report.findings) - len(report.held_up)} advisory"),
    )  # fmt: skip
    alarms = {"matrix": False, "invitations": asked > 0}
    return [Tile(*row, alarm=alarms.get(row[0], True)) for row in rows]


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
    """An address that may be broken before the @."""
    return Markup("<wbr>@").join(email.split("@"))


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


def by_rule(findings: Sequence[PolicyFinding]) -> list[tuple[tuple[str, str], list[PolicyFinding]]]:
    """The findings of each rule at each level, mandatory ones first."""

    def key(one: PolicyFinding) -> tuple[str, str]:
        return one.level.value, one.rule

    ordered = sorted(findings, key=lambda one: (one.level.value != "mandatory", one.rule))
    return [(place, list(own)) for place, own in groupby(ordered, key)]
