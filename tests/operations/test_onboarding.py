"""The checklist of a new person: the right tasks, done by what Mixpanel shows or ticked by hand, and kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mixpanel_access.files.onboarding import (
    EVERYBODY,
    AutomaticCheck,
    Checklists,
    Task,
    TaskCondition,
    Tick,
    Ticks,
    read_checklists,
    read_ticks,
    write_ticks,
)
from mixpanel_access.model.access import SingleSignOn
from mixpanel_access.model.engagements import STANDARD_ROLES, TRACKS
from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations.onboarding import Onboarding, onboarding, ticked, tracks_of
from tests.fakes import NOW, PRODUCTION, FakeApi
from tests.operations.overviews import BO, overview, person

BUILT_IN = read_checklists(None)
FACTS = """\
organization:
  url: https://mixpanel.com
  login: { ssoRequired: false, mfaRequired: false }
"""


def joined(role: str = "analyst") -> FakeApi:
    """An organization in which Bo is, has logged in and has a role in the shop."""
    api = FakeApi(two_factor_={})
    api.put(BO)
    api.people[BO] = replace(api.people[BO], last_login=NOW)
    api.give(PRODUCTION, BO, role)
    return api


def of(
    api: FakeApi,
    entry: str = person(),
    *,
    more: str = FACTS,
    checklists: Checklists = BUILT_IN,
    ticks: Ticks | None = None,
) -> Onboarding:
    """How far Bo is."""
    looked = overview(api, entry, more=more)
    return onboarding(looked.anybody(BO), looked, checklists, ticks or {})


def keys(one: Onboarding) -> list[str]:
    """The tasks."""
    return [step.key for step in one.steps]


ROLES = {
    "consumer": ("projects: { shop: consumer }", ["consumer"]),
    "analyst": ("projects: { shop: analyst }", ["analyst"]),
    "admin": ("projects: { shop: admin, warehouse: consumer }", ["project_admin"]),
    "owner": ("projects: { shop: owner }", ["project_admin"]),
    "a custom role": ("projects: { shop: 5b0c0c3e-0000-4000-8000-000000000001 }", ["analyst"]),
    "no project": ("projects: {}", ["consumer"]),
    "the engagement's type": ("engagement: review, projects: { shop: admin }", ["consumer"]),
}


@pytest.mark.parametrize(("entry", "tracks"), ROLES.values(), ids=ROLES.keys())
def test_the_track_is_of_the_engagement_or_the_highest_role(entry: str, tracks: list[str]) -> None:
    """An audit's people are consumers, whatever their role."""
    looked = overview(FakeApi(), person(more=entry))
    assert tracks_of(looked.anybody(BO), looked) == tracks


def test_an_organization_admin_has_a_track_more() -> None:
    """Beside that of the projects, where there are any."""
    for projects, tracks in (("{ shop: analyst }", ["organization_admin", "analyst"]), ("{}", ["organization_admin"])):
        looked = overview(FakeApi(), f"  - {{ email: {BO}, organizationRole: admin, projects: {projects} }}")
        assert tracks_of(looked.anybody(BO), looked) == tracks


def test_every_track_has_a_checklist() -> None:
    """The built-in ones, and those that the standard roles name."""
    assert set(BUILT_IN) == {EVERYBODY, *TRACKS}
    assert {row.onboarding for row in STANDARD_ROLES.values()} == set(TRACKS)


def test_every_check_and_condition_is_of_use() -> None:
    """None is left that no task has."""
    tasks = [task for tasks in BUILT_IN.values() for task in tasks]
    assert {task.check for task in tasks if task.check} == set(AutomaticCheck)
    assert {task.when for task in tasks if task.when} == set(TaskCondition)


def seen(one: Onboarding) -> list[str]:
    """The tasks that are done by what Mixpanel shows."""
    return [step.key for step in one.steps if step.done and step.check]


def test_what_mixpanel_shows_is_done() -> None:
    """The rest is ticked by hand."""
    one = of(joined())
    assert one.tracks == ["analyst"]
    assert seen(one) == ["invited", "accepted", "logged-in", "roles"]
    assert [step.key for step in one.left] == ["welcome", "rules", "first-report", "exports"]
    assert one.steps[1].text == f"Write to them: mixpanel-access welcome {BO}"


SPOILED = {
    "not there": (lambda api: api.people.pop(BO), []),
    "invited": (lambda api: api.put(BO, invited=True), ["invited"]),
    "not logged in": (lambda api: api.put(BO), ["invited", "accepted", "roles"]),
    "another role": (lambda api: api.give(PRODUCTION, BO, "consumer"), ["invited", "accepted", "logged-in"]),
}


@pytest.mark.parametrize(("spoil", "done"), SPOILED.values(), ids=SPOILED.keys())
def test_what_mixpanel_does_not_show_is_open(spoil: object, done: list[str]) -> None:
    """Each check fails on its own."""
    api = joined()
    spoil(api)  # type: ignore[operator]
    assert seen(of(api)) == done


@pytest.mark.parametrize(("owners", "enough"), [(1, False), (2, True), (3, True)])
def test_two_owners_are_enough(owners: int, enough: bool) -> None:
    """Who is only invited does not count."""
    api = joined()
    api.put("waiting@example.com", "owner", invited=True)
    for number in range(owners):
        api.put(f"owner-{number}@example.com", "owner")
    one = of(api, f"  - {{ email: {BO}, organizationRole: admin, projects: {{ shop: analyst }} }}")
    assert ("owners" in seen(one)) is enough


LOGIN = "organization:\n  url: https://mixpanel.com\n  login: { %s }\n"
CONDITIONS: dict[str, tuple[FakeApi, str, str, str, bool]] = {
    "sso by the roster": (joined(), LOGIN % "ssoRequired: true", person(), "provider", True),
    "no sso": (joined(), FACTS, person(), "provider", False),
    "mfa by the roster": (joined(), LOGIN % "mfaRequired: true", person(), "second-factor", True),
    "no mfa": (joined(), FACTS, person(), "second-factor", False),
    "a VPN": (joined(), LOGIN % "vpn: the VPN", person(), "network", True),
    "networks": (joined(), LOGIN % "ipAllowlist: [192.0.2.0/24]", person(), "network", True),
    "from everywhere": (joined(), FACTS, person(), "network", False),
}


@pytest.mark.parametrize(("api", "more", "entry", "key", "there"), CONDITIONS.values(), ids=CONDITIONS.keys())
def test_a_task_that_does_not_concern_them_is_not_there(
    api: FakeApi, more: str, entry: str, key: str, there: bool
) -> None:
    """By how one logs in, as the roster has it."""
    assert (key in keys(of(api, entry, more=more))) is there


def test_what_mixpanel_tells_comes_before_the_roster() -> None:
    """In both directions."""
    api = joined()
    api.security = SingleSignOn(required=False)
    api.two_factor_ = {"twofactor_auth_required": True}
    tasks = keys(of(api, more=LOGIN % "ssoRequired: true, mfaRequired: false"))
    assert ("provider" in tasks, "second-factor" in tasks) == (False, True)
    api.security = SingleSignOn(required=True, idp_name="Okta")
    (step,) = [step for step in of(api).steps if step.key == "provider"]
    assert step.text == "Okta has the Mixpanel application assigned to them"


@pytest.mark.parametrize("need", ["data_warehouse", "lexicon", "experiments"])
def test_what_a_project_needs_brings_its_tasks(need: str) -> None:
    """Only those; dashboards are named."""
    task = {"data_warehouse": "warehouse", "lexicon": "lexicon", "experiments": "experiments"}[need]
    entry = person(more="projects: { shop: admin }")
    looked = overview(joined("admin"), entry, more=FACTS)
    roster = looked.stacks["production"].roster
    assert roster is not None
    shop = roster.projects["shop"].model_copy(update={"needs": [need], "dashboards": {"Start": "https://mixpanel.com"}})
    roster.projects["shop"] = shop  # type: ignore[index]  # a plain dict below
    found = keys(onboarding(looked.anybody(BO), looked, BUILT_IN, {}))
    assert [key for key in ("warehouse", "lexicon", "experiments") if key in found] == [task]
    text = {TaskCondition.DASHBOARDS: "See {dashboards}"}
    own = {
        EVERYBODY: [],
        "project_admin": [Task(key="see", text=text[TaskCondition.DASHBOARDS], when=TaskCondition.DASHBOARDS)],
    }
    (step,) = onboarding(looked.anybody(BO), looked, own, {}).steps
    assert step.text == "See Start"


def test_a_tick_stays_and_can_be_taken_back() -> None:
    """With the day and who; what others have done is untouched; a second tick does not move the first."""
    one, others = of(joined()), {"di@example.com": {"welcome": Tick("2026-05-01T00:00:00Z")}}
    first = ticked(one, others, ["welcome"], [], "ana@example.com", NOW)
    assert first["di@example.com"] == others["di@example.com"]
    assert first[BO]["welcome"] == Tick("2026-05-04T12:00:00Z", "ana@example.com")
    again = of(joined(), ticks=first)
    later = ticked(again, first, ["welcome", "rules"], [], "", NOW + timedelta(days=1))
    assert later[BO]["welcome"] == first[BO]["welcome"]
    assert later[BO]["rules"] == Tick("2026-05-05T12:00:00Z")
    undone = ticked(again, later, [], ["welcome"], "", NOW)
    assert "welcome" in [step.key for step in of(joined(), ticks=undone).left]


def test_ticks_that_0_1_0_kept_for_what_it_saw_do_not_count() -> None:
    """What Mixpanel no longer shows is open again: a person who left and was invited again has not accepted."""
    ticks = {BO: {key: Tick("2026-04-25T12:00:00Z") for key in ("invited", "accepted", "logged-in", "welcome")}}
    again = joined()
    again.put(BO, invited=True)
    assert [step.key for step in of(again, ticks=ticks).steps if step.done] == ["invited", "welcome"]


def test_what_cannot_be_ticked_or_started() -> None:
    """A key that is not a task of theirs; somebody whom no roster gives anything; a track without a checklist."""
    with pytest.raises(UsageError, match=r"'welcom' is not a task of theirs \(did you mean 'welcome'\?\)"):
        ticked(of(joined()), {}, ["welcom"], [], "", NOW)
    with pytest.raises(UsageError, match="not a task of theirs"):
        ticked(of(joined()), {}, [], ["owners"], "", NOW)
    with pytest.raises(UsageError, match="accepted is ticked by what Mixpanel shows"):
        ticked(of(joined()), {}, ["accepted"], [], "", NOW)
    with pytest.raises(UsageError, match="rules cannot be ticked and opened at once"):
        ticked(of(joined()), {}, ["rules"], ["rules"], "", NOW)
    looked = overview(joined())
    with pytest.raises(UsageError, match="no roster gives them anything today"):
        onboarding(looked.anybody(BO), looked, BUILT_IN, {})
    more = "standardRoles: { audit: { onboarding: helper } }"
    with pytest.raises(UsageError, match="'helper' is not a checklist"):
        of(joined(), person(more="engagement: review, projects: { shop: consumer }"), more=more)


def test_an_organization_has_checklists_of_its_own(tmp_path: Path) -> None:
    """They replace the built-in ones whole."""
    (tmp_path / "onboarding.yaml").write_text("analyst:\n  - { key: tea, text: 'Have tea with {email}' }\n")
    one = of(joined(), checklists=read_checklists(tmp_path))
    assert [(step.key, step.text) for step in one.steps] == [("tea", f"Have tea with {BO}")]
    assert read_checklists(tmp_path / "none") == BUILT_IN


BAD = {
    "no YAML": ("a: [", "line 2: did not find expected node content"),
    "another shape": ("analyst: tea", "analyst: Input should be a valid list"),
    "an unknown field": ("analyst: [{ key: a, text: b, who: c }]", "analyst.0.who: Extra inputs are not permitted"),
    "an unknown check": ("analyst: [{ key: a, text: b, check: tea }]", "analyst.0.check: Input should be 'invited'"),
    "a key twice": ("analyst: [{ key: a, text: b }, { key: a, text: c }]", "analyst has a twice"),
    "an unknown place": ("analyst: [{ key: a, text: '{emial}' }]", "'emial' is not a place (did you mean 'email'?)"),
    "an empty key": ("analyst: [{ key: '', text: a }]", "analyst.0.key: a key is one word"),
    "an endless width": ("analyst: [{ key: a, text: '{email:>99999999999}' }]", "a brace without one of"),
    "an open brace": ("analyst: [{ key: a, text: '{' }]", "a: there is a brace without one of"),
    "an attribute": ("analyst: [{ key: a, text: '{email.x}' }]", "a: there is a brace without one of"),
}


@pytest.mark.parametrize(("text", "why"), BAD.values(), ids=BAD.keys())
def test_checklists_that_cannot_be_used(tmp_path: Path, text: str, why: str) -> None:
    """One error that says where and what."""
    (tmp_path / "onboarding.yaml").write_text(text)
    with pytest.raises(UsageError) as refused:
        read_checklists(tmp_path)
    assert why in str(refused.value)
    assert str(tmp_path) in str(refused.value)


def test_ticks_are_kept_in_a_file(tmp_path: Path) -> None:
    """What is written is read again; a file that is none is left alone."""
    file = tmp_path / "onboarding.json"
    assert read_ticks(file) == (None, {})
    ticks = {BO: {"welcome": Tick("2026-05-04T12:00:00Z", "ana@example.com")}, "di@example.com": {}}
    write_ticks(file, None, ticks)
    text, found = read_ticks(file)
    assert found == {BO: ticks[BO]}
    with pytest.raises(UsageError, match="it was changed while this ran"):
        write_ticks(file, None, {})
    file.write_text('{"bo@example.com": {"welcome": true}}')
    with pytest.raises(UsageError, match=r"bo@example\.com\.welcome: "):
        read_ticks(file)
    assert text != file.read_text()
    file.write_text('{"Bo@Example.com": {"welcome": {"at": "2026-05-04"}}}')
    assert set(read_ticks(file)[1]) == {BO}
    for bad in ('{"at": "banana"}', '{"at": "2026-05-04", "who": "x"}'):
        file.write_text(f'{{"bo@example.com": {{"welcome": {bad}}}}}')
        with pytest.raises(UsageError, match="cannot read what is done"):
            read_ticks(file)
