"""The rosters of one project lie side by side: no two of them claim the same of one organization."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mixpanel_access.files.roster import read_other_rosters, read_roster
from mixpanel_access.model.declaration import declaration
from mixpanel_access.model.resources import TEAM_GRANT_TYPE, TEAM_MEMBER_TYPE

OWN = """\
environment: production
organizationRoles: true
projects:
  shop:
    id: 1234567
    name: Shop (production)
"""
OTHER = """\
environment: staging
projects:
  shop: { id: 2345678 }
"""


def folder(tmp_path: Path, own: str = OWN, **others: str) -> Path:
    """A program's folder with the roster production.yaml and others; that roster's file."""
    file = tmp_path / "production.yaml"
    file.write_text(own)
    for name, text in others.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    return file


def configure(tmp_path: Path, stack: str, organization: Any) -> None:
    """The configuration file of a stack."""
    document = {"config": {"mixpanel:organizationId": organization}}
    (tmp_path / f"Pulumi.{stack}.yaml").write_text(json.dumps(document))


def test_rosters_of_their_own_projects_are_fine(tmp_path: Path) -> None:
    """The usual case says nothing; nor does what is no roster."""
    file = folder(tmp_path, staging=OTHER, common="organization: { name: Example }\n", notes="- 1234567\n")
    (tmp_path / ".production.yaml").write_text(OWN)
    configure(tmp_path, "production", 1)
    found = read_other_rosters(file)
    assert (found.error, found.warnings, found.claims) == (None, [], [])


PROJECT_TWICE = {
    "in one line": OTHER.replace("2345678", "1234567"),
    "as JSON": json.dumps({"environment": "staging", "projects": {"x": {"id": 1234567}}}),
    "under another key, beside broken people": OTHER.replace("shop: { id: 2345678", "b: { id: 1234567") + "people: 7\n",
}


@pytest.mark.parametrize("other", PROJECT_TWICE.values(), ids=PROJECT_TWICE.keys())
@pytest.mark.parametrize("organizations", [(), (7, 7), (None, 7), (7, None), (7, {"secure": "x"})], ids=str)
def test_one_project_id_in_two_rosters_is_refused(tmp_path: Path, other: str, organizations: tuple[Any, ...]) -> None:
    """With file and line of both, wherever it cannot be another organization's."""
    file = folder(tmp_path, staging=other)
    for stack, organization in zip(("production", "staging"), organizations, strict=False):
        if organization is not None:
            configure(tmp_path, stack, organization)
    error = str(read_other_rosters(file).error)
    line = 1 if other.startswith("{") else 3
    assert "production.yaml:5 (project shop) has the id 1234567, and so has staging.yaml:" in error
    assert f"staging.yaml:{line} (project " in error


def test_stacks_of_different_organizations_share_nothing(tmp_path: Path) -> None:
    """They may have the same ids and both declare organization roles."""
    other = OTHER.replace("2345678", "1234567") + "organizationRoles: true\n"
    configure(tmp_path, "production", 7)
    configure(tmp_path, "staging", "8")
    found = read_other_rosters(folder(tmp_path, staging=other))
    assert (found.error, found.warnings, found.claims) == (None, [], [])
    assert read_other_rosters(tmp_path / "production.yaml", organization=8).error
    (tmp_path / "config").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: x\nstackConfigDir: config\n")
    for stack in ("production", "staging"):
        (tmp_path / f"Pulumi.{stack}.yaml").rename(tmp_path / "config" / f"Pulumi.{stack}.yaml")
    assert read_other_rosters(tmp_path / "production.yaml").error is None


def test_two_rosters_that_declare_organization_roles_are_named(tmp_path: Path) -> None:
    """A warning, with both places."""
    found = read_other_rosters(folder(tmp_path, staging=OTHER + "organizationRoles: true\n"))
    assert found.error is None
    (words,) = found.warnings
    assert words.startswith("production.yaml:2 has organizationRoles: true, and so has staging.yaml:4")
    assert found.claims == [words]


@pytest.mark.parametrize("where", ["own", "other", "both"])
@pytest.mark.parametrize("whole_roster", [True, False])
def test_two_that_are_authoritative_over_one_project_are_refused(
    tmp_path: Path, where: str, whole_roster: bool
) -> None:
    """And it says who takes away what the other gives."""

    def text(*, authoritative: bool) -> str:
        project: dict[str, Any] = {"id": 1234567}
        document: dict[str, Any] = {"environment": "x", "projects": {"shop": project}}
        (document if whole_roster else project).update({"authoritative": authoritative})
        return json.dumps(document)

    own = text(authoritative=where != "other")
    error = str(read_other_rosters(folder(tmp_path, own, staging=text(authoritative=where != "own"))).error)
    assert error.count("(project shop, authoritative)") == (2 if where == "both" else 1)
    assert "each takes away what the other gives" in error


def test_one_name_for_two_projects_is_named(tmp_path: Path) -> None:
    """It may be for people only: a warning, and nothing that a policy counts."""
    other = OTHER.replace("2345678", "2345678, name: ' shop (Production)'")
    found = read_other_rosters(folder(tmp_path, staging=other))
    (words,) = found.warnings
    assert words.startswith(
        "production.yaml:6 calls project 1234567 'Shop (production)', which is what staging.yaml:3 "
    )
    assert (found.error, found.claims) == (None, [])


BROKEN = {
    "no YAML": ("environment: staging\nprojects: {\n", "staging.yaml:3 cannot be read"),
    "as JSON": ('{"environment": "staging", "projects": [}', "staging.yaml:1 cannot be read"),
}


@pytest.mark.parametrize(("text", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_roster_does_not_stop_this_one(tmp_path: Path, text: str, words: str) -> None:
    """It may have access to take away: a warning says what nobody knows."""
    found = read_other_rosters(folder(tmp_path, staging=text))
    assert found.error is None
    (said,) = found.warnings
    assert said.startswith(words)
    assert "nobody knows whether it claims what production.yaml has" in said


def test_a_roster_that_cannot_be_opened_does_not_stop_this_one(tmp_path: Path) -> None:
    """A folder, or bytes that are no text."""
    file = folder(tmp_path)
    (tmp_path / "staging.yaml").write_bytes(b"environment: \xff\n")
    (tmp_path / "old.yaml").mkdir()
    assert read_other_rosters(file).error is None
    assert [words.partition(" cannot")[0] for words in read_other_rosters(file).warnings] == [
        "old.yaml",
        "staging.yaml",
    ]


def test_a_file_that_is_no_roster_may_be_broken(tmp_path: Path) -> None:
    """Nothing is to be known of it."""
    found = read_other_rosters(folder(tmp_path, notes="a: {\n"))
    assert (found.error, found.warnings) == (None, [])


def test_a_copy_of_a_large_roster_is_one_short_error(tmp_path: Path) -> None:
    """The first projects are named, the others counted; a draft is compared by its own text and lines."""
    text = "environment: x\nprojects:\n" + "".join(f"  p{n}: {{ id: {n} }}\n" for n in range(1, 21))
    file = folder(tmp_path, text, copy=text)
    assert "and 15 projects more" in str(read_other_rosters(file).error)
    (drafts := tmp_path / "drafts").mkdir()
    (drafts / file.name).write_text(f"# draft\n{text}")
    assert "production.yaml:4 (project p1)" in str(read_other_rosters(file, drafts=drafts).error)
    (drafts / file.name).write_text("environment: x\n")
    assert read_other_rosters(file, drafts=drafts).error is None


IN_ANOTHER = {
    "in any spelling": ("Ana@Example.com", "{ email: ana@example.com }", True),
    "until the last day": ("ana@example.com", "{ email: ana@example.com, ends: 2026-05-04 }", True),
    "no longer after it": ("ana@example.com", "{ email: ana@example.com, ends: '2026-05-03' }", False),
    "by another of their entries": (
        "ana@example.com", "{ email: ana@example.com, ends: 2026-05-03 }, { email: ANA@example.com }", True,
    ),
    "not with another address": ("ana@example.com", "{ email: anna@example.com }", False),
    "not of another company": ("ana@example.com", "{ email: ana@example.com, kind: agency }", False),
    "not by a broken entry": ("ana@example.com", "7, { email: 7 }, { name: ana@example.com }", False),
}  # fmt: skip


@pytest.mark.parametrize(("email", "people", "is_there"), IN_ANOTHER.values(), ids=IN_ANOTHER.keys())
def test_who_is_in_another_roster(tmp_path: Path, email: str, people: str, is_there: bool) -> None:
    """Of the same organization, for as long as the entry says; whatever else is wrong there."""
    file = folder(tmp_path, staging=f"{OTHER}people: [{people}]\n")
    assert read_other_rosters(file).has(email, date(2026, 5, 4)) is is_there
    configure(tmp_path, "production", 1)
    configure(tmp_path, "staging", 2)
    assert not read_other_rosters(file).has(email, date(2026, 5, 4))


PEOPLE = """\
teams: { data: { name: Data, projects: { shop: analyst } } }
engagements: { funnels: { sow: SOW-1 } }
people:
  - { email: Robin@agency.example.org, engagement: funnels, projects: { shop: analyst } }
  - { email: kim@example.com, teams: [data] }
  - { email: old@example.com, ends: 2026-01-01, projects: { shop: analyst } }
"""
OWN_PEOPLE = OWN.replace("id: 1", "environment: production\n    id: 1") + PEOPLE
OTHER_PEOPLE = """\
teams: { d: { name: DATA, projects: { shop: admin } }, other: { name: Other, projects: { shop: owner } } }
engagements: { funnels: { sow: SOW-1, type: audit } }
people:
  - { email: robin@agency.example.org, engagement: funnels, projects: { shop: consumer } }
  - { email: kim@example.com, teams: [other] }
  - { email: lee@example.com, teams: [d] }
  - { email: old@example.com, projects: { shop: analyst } }
"""
DAY = date(2026, 5, 4)


def facts(file: Path, drafts: Path | None = None) -> dict[str, Any]:
    """What policies get to know of the rosters beside one."""
    return read_other_rosters(file, drafts=drafts).facts(declaration(read_roster(file), DAY), DAY)


def test_what_other_rosters_give_to_the_same_people_and_teams_is_a_fact(tmp_path: Path) -> None:
    """People and teams that this roster does not declare are left out, and so are entries that have ended."""
    found = facts(folder(tmp_path, OWN_PEOPLE, staging=STAGING))
    assert found["environments"] == {"1234567": "production", "2345678": "staging"}
    where = {"file": "staging.yaml", "environment": "staging"}
    assert found["reach"] == [
        {**where, "engagement": "funnels", "people": ["robin@agency.example.org"]},
        {**where, "engagement": "", "people": ["kim@example.com"]},
    ]
    team = {"team": "DATA", **where}
    assert found["teams"] == [
        {**team, "type": TEAM_GRANT_TYPE, "project_id": 2345678, "role": "admin"},
        {**team, "type": TEAM_MEMBER_TYPE, "email": "lee@example.com"},
    ]
    assert "unread" not in found


STAGING = OTHER.replace("id: 2345678", "id: 2345678, environment: staging") + OTHER_PEOPLE


def test_a_roster_that_cannot_be_read_is_a_fact_too(tmp_path: Path) -> None:
    """Whether it cannot be parsed or has an error in it: what is not known is no absence."""
    for text, words in (("environment: {", "staging.yaml:2 cannot be read"), (STAGING + "peple: []", "staging.yaml")):
        (told,) = facts(folder(tmp_path, OWN_PEOPLE, staging=text))["unread"]
        assert told.startswith(words)
    configure(tmp_path, "production", 1)
    configure(tmp_path, "staging", 2)
    assert facts(folder(tmp_path, OWN_PEOPLE, staging=STAGING)) == {"environments": {"1234567": "production"}}


def test_a_preview_of_drafts_reads_the_drafts_of_the_other_rosters(tmp_path: Path) -> None:
    """A change of both is judged as it would be merged, and a roster that is only a draft counts."""
    file = folder(tmp_path, OWN_PEOPLE, staging=OTHER)
    drafts = tmp_path / "drafts"
    drafts.mkdir()
    (drafts / "staging.yaml").write_text(STAGING)
    (drafts / "test.yaml").write_text(STAGING.replace("2345678", "3456789").replace("staging", "test"))
    assert {one["file"] for one in facts(file, drafts)["reach"]} == {"staging.yaml", "test.yaml"}
