"""The roster as its file says it: plain data in, the same plain data out."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from mixpanel_access.model.dates import FIRST_YEAR, LAST_YEAR
from mixpanel_access.model.engagements import STANDARD_ROLES
from mixpanel_access.model.roster.json_schema import json_schema
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.roster.schema import Common, Roster

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\x85"), max_size=12)
DATE = st.dates(date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)).map(str)
ADDRESS = st.sampled_from(["ana@example.com", "Omar@Example.com"])


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of some fields."""
    return st.fixed_dictionaries({}, optional=fields)


def ordered(entry: dict[str, Any]) -> dict[str, Any]:
    """With dates that are in order."""
    dates = sorted(entry[name] for name in ("starts", "ends") if name in entry)
    return {**entry, "starts": dates[0], "ends": dates[1]} if len(dates) == 2 else entry


ENGAGEMENT = some(
    type=st.sampled_from([*STANDARD_ROLES]), sow=TEXT, ticket=TEXT, approver=ADDRESS, sponsor=TEXT,
    justification=TEXT, starts=DATE, ends=DATE, notes=TEXT,
).map(ordered)  # fmt: skip
ORGANIZATION = some(
    name=TEXT, url=st.just("https://mixpanel.com/organization/7"), contacts=st.dictionaries(TEXT, ADDRESS, max_size=2),
    login=some(
        ssoRequired=st.booleans(), identityProvider=TEXT, mfaRequired=st.booleans(), vpn=TEXT, passwordRules=TEXT,
        ipAllowlist=st.lists(st.ip_addresses().map(str), max_size=2),
    ),
)  # fmt: skip
STANDARDS = st.dictionaries(TEXT, some(production=st.sampled_from(["admin", "consumer"]), longestDays=st.integers(1)))
ACCOUNTS = st.dictionaries(TEXT, some(purpose=TEXT, contact=ADDRESS), max_size=2)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Rosters as plain data."""
    environment = draw(TEXT)
    keys = draw(st.lists(TEXT, max_size=3, unique=True))
    extra = some(
        name=TEXT,
        platform=TEXT,
        needs=st.lists(st.sampled_from(["lexicon", "experiments"]), max_size=2),
        dashboards=st.dictionaries(TEXT, st.just("https://mixpanel.com/s/a"), max_size=2),
    )
    projects = {key: {"id": n, "environment": environment, **draw(extra)} for n, key in enumerate(keys, 1)}
    owns, engagements = draw(st.booleans()), draw(st.dictionaries(TEXT, ENGAGEMENT, max_size=3))
    role = st.sampled_from(["owner", "analyst", "5b0c0c3e-0000-4000-8000-000000000001"])
    team = some(
        standard=st.sampled_from(["audit", "training"]), ticket=TEXT, approver=TEXT, justification=TEXT,
        projects=st.dictionaries(st.sampled_from(keys), role) if keys else st.just({}), removal=st.just("never"),
    )  # fmt: skip
    teams = {f"team{n}": {"name": f"Team {n}", **draw(team)} for n in range(draw(st.integers(0, 2)))}
    person = some(
        name=TEXT, removal=st.sampled_from(["always", "never"]), ticket=TEXT, approver=TEXT, justification=TEXT,
        reviewed=DATE, notes=TEXT, projects=st.dictionaries(st.sampled_from(keys), role) if keys else st.just({}),
        **({"engagement": st.sampled_from([*engagements])} if engagements else {}),
        **({"teams": st.lists(st.sampled_from([*teams]), unique=True)} if teams else {}),
        **({"organizationRole": st.sampled_from(["admin", "member"])} if owns else {}),
    )  # fmt: skip
    people = [{"email": f"p{n}@example.com", **draw(person)} for n in range(draw(st.integers(0, 4)))]
    exception = {"rule": draw(TEXT), "reason": draw(TEXT), "approver": draw(TEXT), "ends": draw(DATE)}
    own = some(
        purpose=TEXT, contact=ADDRESS, expires=DATE, rotateAfter=st.integers(1, 3650), ticket=TEXT, approver=TEXT,
        projects=st.dictionaries(st.sampled_from(keys), role) if keys else st.just({}),
    ).map(lambda account: {**account, "role": "consumer"})  # fmt: skip
    robots = st.dictionaries(st.from_regex(r"robot-[a-z]{1,5}", fullmatch=True), own, max_size=2)
    made = st.fixed_dictionaries(
        {"name": st.from_regex(r"Role [a-z]{3,5}", fullmatch=True), "project": st.sampled_from(keys or [""])},
        optional={
            "description": TEXT,
            "permissions": st.lists(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), max_size=3),
        },
    )
    own_roles = st.dictionaries(st.from_regex(r"role-[a-z]{1,5}", fullmatch=True), made, max_size=1)
    settings = some(
        twoFactorRequired=st.booleans(), requestAccess=st.dictionaries(TEXT, st.integers() | TEXT, max_size=2)
    )
    whole = some(
        customRoles=own_roles if keys else st.just({}),
        **({"security": settings} if owns else {}),
        organization=st.just(draw(ORGANIZATION)),
        standardRoles=st.just(draw(STANDARDS)),
        serviceAccounts=st.just({**draw(ACCOUNTS), **draw(robots)}),
        exceptions=st.just([exception]),
        organizationRoles=st.just(owns) if not owns else st.nothing(),
    )
    owned = {"organizationRoles": True} if owns else {}
    parts = {"environment": environment, "projects": projects, "engagements": engagements, "people": people}
    if draw(st.booleans()):  # nobody's: the days of its people would have to meet its own
        teams["pilot"] = {"name": "Pilot", **draw(some(starts=DATE, ends=DATE).map(ordered))}
    parts |= {"teams": teams} if teams else {}
    return {**parts, **owned, **draw(whole)}


@given(document=documents(), block=st.booleans())
def test_a_roster_loses_nothing(document: dict[str, Any], block: bool) -> None:  # drawn
    """Roster -> model -> roster, in JSON and in YAML, and what comes out reads as the same model again."""
    out = io.StringIO()
    if block:
        YAML(typ="safe").dump(document, out)
    else:
        json.dump(document, out, ensure_ascii=False)
    roster = parse(out.getvalue(), RosterSource("r"))
    assert roster.document() == document
    assert parse(json.dumps(roster.document(), ensure_ascii=False), RosterSource("r")) == roster


def test_the_schemas_are_of_what_they_say() -> None:
    """A roster has projects and people; what it includes has neither."""
    assert {"projects", "people", "engagements"} <= json_schema()["properties"].keys()
    assert json_schema(Common)["properties"].keys() == {
        "organization", "standardRoles", "engagements", "serviceAccounts",
    }  # fmt: skip
    assert json_schema(Roster)["title"] == "Roster"


EDITORS = jsonschema.Draft202012Validator(json_schema())


@given(document=documents())
def test_an_editor_accepts_what_is_a_roster(document: dict[str, Any]) -> None:
    """By the published schema."""
    EDITORS.validate(document)


EDITOR = {
    "unknown key": {"environment": "x", "peopel": []},
    "unknown key of a person": {"environment": "x", "people": [{"email": "a@example.com", "engagment": "b"}]},
    "no environment": {"people": []},
    "role that is not a text": {"environment": "x", "people": [{"email": "a@example.com", "projects": {"shop": 1}}]},
    "id that is not a number": {"environment": "x", "projects": {"shop": {"id": "1", "environment": "x"}}},
    "engagement that is a list": {"environment": "x", "engagements": []},
}


@pytest.mark.parametrize("document", EDITOR.values(), ids=EDITOR.keys())
def test_an_editor_marks_what_is_none(document: dict[str, Any]) -> None:
    """Before the roster is ever read."""
    with pytest.raises(jsonschema.ValidationError):
        EDITORS.validate(document)


def test_the_committed_files_fit_their_schemas() -> None:
    """The rosters, and what they share."""
    stacks = Path(__file__).parents[2] / "stacks"
    for name, model in (("production", Roster), ("staging", Roster), ("common", Common)):
        document = YAML(typ="safe").load((stacks / f"{name}.yaml").read_text())
        jsonschema.validate(json.loads(json.dumps(document, default=str)), json_schema(model))
