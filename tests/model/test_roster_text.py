"""Edits of a roster's text."""

from __future__ import annotations

import json
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mixpanel_access.model.errors import RosterError
from mixpanel_access.model.roster import editing
from mixpanel_access.model.roster.draft import NewPerson
from mixpanel_access.model.roster.reading import RosterSource, parse

R = RosterSource("r.yaml")

BLOCK = """\
# Our roster, by hand.
environment: production   # the strict one

projects:
  shop: { id: 1, environment: production } # the shop
  # below: not ready yet

people:
  # the founders
  - email: Ana@example.com  # has been here for ever
    projects:
      shop: owner
  - { email: "bo@example.com", projects: { shop: 'analyst' } }
  - email: cy@example.com
    justification: |
      Two lines
      of text.

# the end
"""
ADDED = NewPerson(
    {"email": "dee@example.com", "name": "Dee: the #1", "projects": {"shop": "consumer"}}, "to do: ticket"
)

SHAPES = {
    "block": BLOCK,
    "no people": "environment: production\nprojects:\n  shop: {id: 1, environment: production}\n",
    "no people, no last newline": "environment: production\nprojects: {shop: {id: 1, environment: production}}",
    "empty list": "environment: production\nprojects: {shop: {id: 1, environment: production}}\npeople: [] # nobody\n",
    "flow": json.dumps(
        {
            "environment": "production",
            "projects": {"shop": {"id": 1, "environment": "production"}},
            "people": [{"email": "ana@example.com", "projects": {}}, {"email": "bo@example.com"}],
        }
    ),
    "dashes at the margin": (
        "environment: production\nprojects:\n  shop:\n    id: 1\n    environment: production\npeople:\n"
        "- email: ana@example.com\n\n- email: bo@example.com\n\n# end\n"
    ),
    "windows": BLOCK.replace("\n", "\r\n"),
    "byte order mark": "\ufeff" + BLOCK,
    "people first": (
        "people:\n  - email: ana@example.com # x\n\n# the projects\nenvironment: production\n"
        "projects: {shop: {id: 1, environment: production}}\n"
    ),
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES.keys())
def test_what_is_added_is_read_back_and_every_line_that_was_there_stays(text: str) -> None:
    """A person, a project and a grant are added to any shape of a roster; no other line changes, nor their order."""
    before = parse(text, R)
    after = editing.add_projects(text, R, {"web": {"id": 2, "name": "Web: EU", "environment": "production"}})
    after = editing.add_people(after, R, [ADDED])
    after = editing.add_grants(after, R, {index: {"web": "admin"} for index in range(len(before.people))})
    roster = parse(after, R)
    assert roster.projects["web"].name == "Web: EU"
    assert [person.email for person in roster.people] == [*(one.email for one in before.people), "dee@example.com"]
    assert roster.people[-1].name == "Dee: the #1"
    for old, new in zip(before.people, roster.people, strict=False):
        assert new == old.model_copy(update={"projects": {**old.projects, "web": "admin"}})
    if text is not SHAPES["flow"]:
        lines = after.splitlines()
        left = [line for line in text.splitlines() if line in lines]
        changed = [line for line in text.splitlines() if line not in lines]
        assert [line for line in lines if line in left and lines.count(line) == 1] == [
            line for line in left if lines.count(line) == 1
        ]
        assert all("{" in line or "[]" in line for line in changed), changed  # one-line mappings that have grown
        assert "# to do: ticket" in after


def test_the_text_of_an_edit() -> None:
    """What is added looks like what stands there, and a comment stays above what it was above."""
    after = editing.add_people(BLOCK, R, [ADDED])
    assert after == BLOCK.replace(
        "      of text.\n",
        "      of text.\n"
        "  - email: dee@example.com\n    name: 'Dee: the #1'\n"
        "    projects:\n      shop: consumer\n    # to do: ticket\n",
    )


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES.keys())
def test_adding_and_removing_gives_the_text_back(text: str) -> None:
    """What was added can be taken out without a trace, where there is a list already."""
    added = editing.add_people(text, R, [ADDED])
    removed = editing.remove_people(added, R, {"dee@example.com"})
    before = parse(text, R)
    assert parse(removed, R) == before.model_copy(update={"people": list(before.people)})
    if parse(text, R).people:
        assert removed.replace(", ", ",") == text.replace(", ", ",")


def test_a_removal_takes_the_entry_and_leaves_the_comments_of_others() -> None:
    """The comment above the next entry stays, and so does a heading."""
    text = BLOCK.replace("  - { email", "  # the agency\n  - { email")
    assert editing.remove_people(text, R, {"ana@example.com"}) == text.replace(
        "  - email: Ana@example.com  # has been here for ever\n    projects:\n      shop: owner\n", ""
    )
    last = editing.remove_people(text, R, {"cy@example.com"})
    assert last.endswith("'analyst' } }\n\n# the end\n")


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES.keys())
def test_everybody_can_be_removed(text: str) -> None:
    """An empty list is left, which is a roster like any other."""
    roster = parse(text, R)
    emptied = editing.remove_people(text, R, {person.key for person in roster.people})
    assert parse(emptied, R) == roster.model_copy(update={"people": parse(emptied, R).people})
    assert not parse(emptied, R).people
    assert parse(editing.add_people(emptied, R, [ADDED]), R).people


def test_nobody_and_nothing_to_do_change_nothing() -> None:
    """An edit without content is the same text."""
    assert editing.remove_people(BLOCK, R, {"nobody@example.com"}) == BLOCK
    assert editing.add_people(BLOCK, R, []) == BLOCK
    assert editing.add_grants(BLOCK, R, {}) == BLOCK
    assert editing.add_projects(BLOCK, R, {}) == BLOCK


JOINED = {
    "no list": ("{ email: bo@example.com }", '{ email: bo@example.com, "teams": ["ops", "it"] }'),
    "an empty list": ("{ email: bo@example.com, teams: [] }", '{ email: bo@example.com, teams: ["ops", "it"] }'),
    "nothing": ("{ email: bo@example.com, teams: }", '{ email: bo@example.com, teams: ["ops", "it"] }'),
    "one line": ("{ email: bo@example.com, teams: [data] }", '{ email: bo@example.com, teams: [data, "ops", "it"] }'),
    "lines": (
        "email: bo@example.com\n    teams: # ours\n      - data # first\n    name: Bo",
        "email: bo@example.com\n    teams: # ours\n      - data # first\n      - ops\n      - it\n    name: Bo",
    ),
    "lines without an indent": (
        "email: bo@example.com\n    teams:\n    - data\n    name: Bo",
        "email: bo@example.com\n    teams:\n    - data\n    - ops\n    - it\n    name: Bo",
    ),
    "lines and no list": (
        "email: bo@example.com\n    name: Bo",
        "email: bo@example.com\n    name: Bo\n    teams:\n      - ops\n      - it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("ending", ["", "\n", "\n  - email: cy@example.com\n"])
@pytest.mark.parametrize(("before", "after"), JOINED.values(), ids=JOINED.keys())
def test_places_in_teams_are_added_to_an_entry(before: str, after: str, ending: str) -> None:
    """In the form of the list that stands there; all else stays."""
    head = "environment: production\nteams: { data: { name: D }, ops: { name: O }, it: { name: I } }\npeople:\n  - "
    text = head + before + ending
    assert editing.add_teams(text, R, {0: ["ops", "it"]}) == head + after + ending
    assert editing.add_teams(text, R, {}) == text


ALIASED = (
    "environment: production\nprojects: {shop: {id: 1, environment: production}}\npeople:\n"
    "  - email: ana@example.com\n    projects: &all {shop: analyst}\n  - email: bo@example.com\n    projects: *all\n"
)


def test_an_alias_is_not_edited_behind_the_back_of_the_others() -> None:
    """Who shares a mapping cannot get a grant alone; the error says where, and nothing is changed."""
    with pytest.raises(RosterError, match=r"cannot edit the roster for r.yaml: line 7: projects is an alias"):
        editing.add_grants(
            editing.add_projects(ALIASED, R, {"web": {"id": 2, "environment": "production"}}),
            R,
            {1: {"web": "admin"}},
        )
    with pytest.raises(RosterError, match="found undefined alias"):
        editing.remove_people(ALIASED, R, {"ana@example.com"})
    after = editing.add_people(ALIASED, R, [ADDED])
    assert after.startswith(ALIASED)


def test_a_roster_with_errors_is_not_edited() -> None:
    """The error names file and line, as ever."""
    with pytest.raises(RosterError, match=r"r.yaml:2: "):
        editing.add_people("environment: production\nfoo: 1\n", R, [ADDED])


def test_a_new_roster_is_one() -> None:
    """Its text reads as a roster, whatever the environment is called."""
    for environment in ("production", "yes", "a: b", "1"):
        for owns in (True, False):
            roster = parse(editing.new_roster(environment, organization_roles=owns), R)
            assert (roster.environment, roster.organization_roles) == (environment, owns)


@settings(max_examples=80, deadline=None)
@given(
    names=st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20), max_size=6),
    drop=st.sets(st.integers(0, 5)),
    shape=st.sampled_from([*SHAPES.values()]),
)
@example(names=["\xa0", "\u2028"], drop=set(), shape=BLOCK)
def test_any_name_survives(shape: str, names: list[str], drop: set[int]) -> None:
    """Whatever a name holds, what is added reads back, and what is dropped is gone."""
    people = [NewPerson({"email": f"p{n}@example.com", "name": name}) for n, name in enumerate(names)]
    there = len(parse(shape, R).people)
    text = editing.add_people(shape, R, people)
    text = editing.remove_people(text, R, {f"p{n}@example.com" for n in drop})
    assert [person.name for person in parse(text, R).people[there:]] == [
        name for n, name in enumerate(names) if n not in drop
    ]


def test_a_person_goes_with_their_exceptions() -> None:
    """An exception of nobody would be no roster; the others stay, comments and all."""
    exceptions = """\
exceptions: # for now
  - { rule: naming, email: BO@example.com, reason: r, approver: a, ends: 2030-01-01 }
  # the next one is for all
  - { rule: naming, reason: r, approver: a, ends: 2030-01-01 }
"""
    text = BLOCK + exceptions
    gone = editing.remove_people(text, R, ["bo@example.com"])
    assert gone == "".join(line for line in text.splitlines(keepends=True) if "bo@example" not in line.lower())
    assert [one.email for one in parse(gone, R).exceptions] == [None]


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES.keys())
def test_an_engagement_is_added_to_any_shape(text: str) -> None:
    """The first and the second; dates stand without quotes, and no line that was there changes."""
    values = {"type": "audit", "sow": "SOW: 1", "starts": date(2026, 5, 1)}
    once = editing.add_engagement(text, R, "look", values)
    twice = editing.add_engagement(once, R, "look: again", {"type": "audit"})
    before, after = parse(text, R), parse(twice, R)
    assert after.engagements["look"].model_dump(exclude_none=True) == {**values, "starts": "2026-05-01"}
    assert set(after.engagements) == {*before.engagements, "look", "look: again"}
    assert after.model_copy(update={"engagements": before.engagements}) == before
    assert "'2026-05-01'" not in once


COMMENTED = """\
# Ours.
environment: production
# what we measure
projects:
  # the shops
  shop: { id: 1, environment: production } # the shop
  # no other shop yet
teams:
  crew: { name: Crew }
people:
  - email: ana@example.com # since 2020
    projects:
      shop: owner
      # why an owner
    teams:
      - crew
      # and no other team
    # ask Bo first

    # and then Cy
  # - email: old@example.com
"""
ENDS = ("", "\n# The end, by Bo.\n", "# The end, by Bo.", "\n\n  # Bo\n# and Cy\n", "# Why:\nexceptions: []\n")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ENDS)
def test_no_comment_moves_from_what_it_stands_under(end: str, newline: str) -> None:
    """Whatever is added, nothing comes between a line and a comment below it that is not further to the left."""
    text = (COMMENTED + end).replace("\n", newline)
    after = editing.add_engagement(text, R, "look", {"type": "audit"})
    after = editing.add_engagement(after, R, "more", {"type": "audit"})
    after = editing.add_projects(after, R, {"web": {"id": 2, "environment": "production"}})
    after = editing.add_people(after, R, [ADDED])
    after = editing.add_grants(after, R, {0: {"web": "admin"}})
    after = editing.add_teams(after, R, {1: ["crew"]})
    after = editing.set_ownership(after, R, {"ana@example.com": "ours"})
    above = above_comments(after)
    for comment, line in above_comments(text).items():
        assert above[comment] == line or indentation(above[comment]) > indentation(comment)
    assert set(parse(after, R).engagements) == {"look", "more"}


def indentation(line: str) -> int:
    """The blanks at the beginning of a line."""
    return len(line) - len(line.lstrip())


def above_comments(text: str) -> dict[str, str]:
    """Each comment that has a line of its own -> the nearest line above it that is not blank."""
    lines = [line for line in text.splitlines() if line.strip()]
    return {line: above for above, line in pairwise(["", *lines]) if line.lstrip().startswith("#")}


@pytest.mark.parametrize("empty", ["engagements:\n", "engagements: {}\n", "engagements: null # none\n"])
def test_an_empty_section_takes_an_engagement(empty: str) -> None:
    """Wherever it stands."""
    for text in (empty + BLOCK, BLOCK + empty):
        after = editing.add_engagement(text, R, "look", {"type": "audit"})
        assert parse(after, R).engagements["look"].type == "audit"


@pytest.mark.parametrize("end", ["", " # none yet", " null", " {}", " # so: far"])
def test_sections_with_nothing_behind_them_are_filled_where_they_stand(end: str) -> None:
    """Whatever comes after them: nothing of it moves."""
    nobody = end.replace("{}", "[]")
    text = f"projects:{end}\npeople:{nobody}\n\n# where\nenvironment: production # really\nexceptions:\n"
    after = editing.add_projects(text, R, {"shop": {"id": 1, "environment": "production"}})
    after = editing.add_people(after, R, [ADDED])
    assert [person.email for person in parse(after, R).people] == ["dee@example.com"]
    assert set(parse(after, R).projects) == {"shop"}
    assert after.index("shop:") < after.index("people:") < after.index("dee@") < after.index("# where")
    assert after.endswith("\n\n# where\nenvironment: production # really\nexceptions:\n")


def test_an_engagement_that_stands_in_an_included_file_is_not_added_twice() -> None:
    """The edit is refused, with the reason."""
    source = RosterSource("r.yaml", lambda _: "engagements: { look: {} }\n")
    with pytest.raises(RosterError, match=r"look is in r.yaml too"):
        editing.add_engagement(f"include: common.yaml\n{BLOCK}", source, "look", {"type": "audit"})
