"""What YAML reads otherwise than it looks is told, with its line; what looks odd and is read as it looks, passes."""

from __future__ import annotations

import pytest

from mixpanel_access.model.errors import RosterError
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.roster.salvage import NOTHING, Unread, salvage
from mixpanel_access.model.roster.yaml_text import BadYaml, slips

ROSTER = """\
environment: production
projects:
  shop: { id: 1234567, environment: production }
people:
  - email: kim@example.com
    ticket: OPS-1
    notes: Nothing
    projects:
      shop: analyst
"""
TOLD: dict[str, tuple[str, str, int, str]] = {
    "a leading zero": ("1234567", "0123", 3, "id: 0123 is read as the number 123; write 123, or '0123' in quotes"),
    "no octal number": ("1234567", "089", 3, "id: 089 is read as the number 89"),
    "octal": ("1234567", "0o123", 3, "id: 0o123 is read as the number 83"),
    "hexadecimal": ("1234567", "0x12D687", 3, "id: 0x12D687 is read as the number 1234567"),
    "binary": ("1234567", "0b101", 3, "id: 0b101 is read as the number 5"),
    "underscores": ("1234567", "1_234_567", 3, "id: 1_234_567 is read as the number 1234567"),
    "a plus sign": ("1234567", "+123", 3, "id: +123 is read as the number 123"),
    "an exponent": ("1234567", "1.234567e6", 3, "id: 1.234567e6 is read as the number 1234567"),
    "no point": ("1234567", "1e6", 3, "id: 1e6 is read as the number 1000000"),
    "a fraction": ("1234567", ".5", 3, "id: .5 is read as the number 0.5"),
    "a number for a text": ("OPS-1", "0012", 6, "ticket: 0012 is read as the number 12; write 12, or '0012' in quotes"),
    "a key": ("      shop: analyst", "      0123: analyst", 9, "a key: 0123 is read as the number 123"),
    "a comment": ("OPS-1", "#4711", 6, "ticket: #4711 is a comment, so that there is no value; write '#4711'"),
    "a word as a comment": ("Nothing", "#later", 7, "notes: #later is a comment, so that there is no value"),
    "half a comment": ("OPS-1", "OPS #4711", 6, "ticket: #4711 is a comment, so that only 'OPS' is read"),
    "a comment in a list": (
        "      shop: analyst", "      shop: analyst\n    teams:\n      - #core", 11, "teams: #core is a comment",
    ),
    "a comment in braces": (
        "    projects:\n      shop: analyst", "    projects: { shop: #admin\n    }", 8, "shop: #admin is a comment",
    ),
    "in Windows lines": ("OPS-1", "#4711\r", 6, "ticket: #4711 is a comment"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "words"), TOLD.values(), ids=TOLD)
def test_it_is_told_with_file_and_line(old: str, new: str, line: int, words: str) -> None:
    """Once, and with what to write; nothing is said of it a second time for its type."""
    with pytest.raises(RosterError) as told:
        parse(ROSTER.replace(old, new), RosterSource("production.yaml"))
    assert f"production.yaml:{line}: {words}" in str(told.value)
    assert str(told.value).count(f"production.yaml:{line}:") == 1


PASSES = [
    "ticket: OPS-4711 # a comment",
    "ticket: OPS-4711 #a comment without a blank",
    "ticket: '#4711'",
    'ticket: "OPS #4711"',
    "ticket: OPS#4711",
    "ticket: # nothing yet",
    "ticket: ##########",
    "ticket:\n    #4711 was the old one",
    "starts: 2026-05-01",
    "notes: from 08:30 on, 007 and 1_000 in words",
    "notes: |\n      0123\n      #4711",
    "justification: version 1.0",
    "name: 0123-team",
]


@pytest.mark.parametrize("line", PASSES)
def test_what_is_read_as_it_looks_passes(line: str) -> None:
    """Quoted texts, comments that look like comments, dates, and text with numbers in it."""
    parse(ROSTER.replace("    ticket: OPS-1\n    notes: Nothing", f"    {line}"), RosterSource("production.yaml"))


def test_every_slip_is_told_beside_the_other_problems() -> None:
    """All at once, in an included file by its own name."""
    text = ROSTER.replace("1234567", "0123").replace("Nothing", "#later").replace("email:", "mail:")
    with pytest.raises(RosterError) as told:
        parse(text, RosterSource("production.yaml"))
    assert [f":{line}: " in str(told.value) for line in (3, 5, 7)] == [True] * 3
    shared = RosterSource("production.yaml", lambda _: "engagements:\n  e: { ticket: 0012 }\n")
    with pytest.raises(RosterError, match=r"common\.yaml:2: ticket: 0012 is read as the number 12"):
        parse(f"include: common.yaml\n{ROSTER}", shared)


def test_no_slip_keeps_ended_access() -> None:
    """What takes access away reads such a roster as YAML does, an included file too."""
    shared = RosterSource("production.yaml", lambda _: "engagements:\n  e: { ticket: #4711\n  }\n")
    text = f"include: common.yaml\n{ROSTER}".replace("OPS-1", "#4711")
    salvaged = salvage(text, shared)
    assert (len(salvaged.roster.people), salvaged.unread) == (1, NOTHING)
    assert "#4711 is a comment" in salvaged.problem


KIM, LEE = "kim@example.com", "lee@example.com"
_TWO = f"{ROSTER}  - email: {LEE}\n    projects:\n      shop: consumer\n"
_TEAMS = f"teams:\n  core: {{ name: Core, projects: {{ shop: analyst }} }}\n{_TWO}"
_STANDARD = "engagements: { e: { type: agency } }\n" + _TWO.replace(
    "    ticket: OPS-1\n", "    engagement: e\n"
).replace("shop: analyst", "shop:")
SALVAGED: dict[str, tuple[str, list[str], Unread]] = {
    # the roster, who is left in it, what is unread
    "a role": (_TWO.replace("shop: analyst", "shop: #admin"), [LEE], Unread(frozenset({KIM}))),
    "a role by the standard": (
        _STANDARD.replace("shop:\n", "shop: #admin\n"), [LEE], Unread(frozenset({KIM})),
    ),
    "all roles": (
        _TWO.replace("projects:\n      shop: analyst", "projects: #{shop: admin}"), [LEE], Unread(frozenset({KIM})),
    ),
    "half a role": (_TWO.replace("shop: analyst", "shop: analyst #1"), [LEE], Unread(frozenset({KIM}))),
    "a project's key": (_TWO.replace("shop: analyst", "0123: analyst"), [LEE], Unread(frozenset({KIM}))),
    "a team": (_TWO.replace("    notes: Nothing\n", "    teams: #[core]\n"), [LEE], Unread(frozenset({KIM}))),
    "the end": (_TWO.replace("    notes: Nothing\n", "    ends: #2026-06-30\n"), [LEE], Unread(frozenset({KIM}))),
    "whose it is": (_TWO.replace(KIM, f"#{KIM}"), [LEE], Unread(anybody=True)),
    "two people": (
        _TWO.replace("shop: analyst", "shop: #admin").replace("shop: consumer", "shop: #admin"),
        [], Unread(frozenset({KIM, LEE})),
    ),
    "repeated by an alias": (
        _TWO.replace("projects:\n      shop: analyst", "projects: &same\n      shop: #admin").replace(
            "projects:\n      shop: consumer", "projects: *same"
        ),
        [], Unread(frozenset({KIM, LEE})),
    ),
    "repeated by a merge": (
        _TWO.replace("email: kim", "<<: &same { organizationRole: #admin\n      }\n    email: kim").replace(
            "email: lee", "<<: *same\n    email: lee"
        ),
        [], Unread(frozenset({KIM, LEE})),
    ),
    "a team's role": (
        _TEAMS.replace("{ shop: analyst }", "{ shop: #admin\n  }"), [KIM, LEE], Unread(teams=frozenset({"core"})),
    ),
    "the project": (_TWO.replace("1234567", "0123"), [], Unread(frozenset({KIM, LEE}))),
    "the type of an engagement": (
        _STANDARD.replace("type: agency }", "type: #agency\n}"), [LEE], Unread(frozenset({KIM})),
    ),
    "a ticket": (_TWO.replace("OPS-1", "#4711"), [KIM, LEE], NOTHING),
    "notes": (_TWO.replace("Nothing", "See #1"), [KIM, LEE], NOTHING),
}  # fmt: skip


@pytest.mark.parametrize(("text", "people", "unread"), SALVAGED.values(), ids=SALVAGED)
def test_whose_access_is_read_otherwise_than_it_looks_keeps_it(text: str, people: list[str], unread: Unread) -> None:
    """The part with the slip is left out and known to be unread; one in words that give nothing changes nothing."""
    salvaged = salvage(text, RosterSource("production.yaml"))
    assert [person.email for person in salvaged.roster.people] == people
    assert salvaged.unread == unread
    assert salvaged.problem


@pytest.mark.parametrize(
    ("common", "unread"),
    [
        ("standardRoles:\n  agency: { production: #admin\n  }\n", Unread(roles=True)),
        ("engagements:\n  e: { type: #agency\n  }\n", Unread()),
    ],
)
def test_a_slip_in_the_access_of_an_included_file_is_left_out_as_one_of_the_rosters_own(
    common: str, unread: Unread
) -> None:
    """The part with the slip gives nothing, what depends on it is known to be unread, and the slip is told."""
    salvaged = salvage(f"include: common.yaml\n{ROSTER}", RosterSource("production.yaml", lambda _: common))
    assert salvaged.unread == unread
    assert "is a comment, so that there is no value" in salvaged.problem
    assert not salvaged.roster.standard_roles
    assert not salvaged.roster.engagements


def test_a_document_without_suspects_is_not_read_twice() -> None:
    """Of a roster of thousands that would take as long as everything else: what is not YAML is not noticed here."""
    assert slips(f"{ROSTER}\n]") == []
    with pytest.raises(BadYaml):
        slips(f"{ROSTER}\n] 0123")
