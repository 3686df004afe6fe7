"""The policy pack through the real engine: at preview, at up, and over states."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from demo.sandbox import ROOT
from mixpanel_access.model import dates
from mixpanel_access.model.resources import COMPONENT_TYPE
from mixpanel_access.operations.new_project import begun_on
from mixpanel_access.rules.catalogue import RULE_IDS, RULES, find
from tests.emulator.conftest import unchanged
from tests.engine.conftest import Workspace
from tests.engine.test_service_accounts import at
from tests.rules.cases import CASES, COMPLIANT, ROBIN, Case
from tests.rules.states import state_of_case

pytestmark = pytest.mark.engine

PACK = ROOT / "policies"


@pytest.fixture
def workspace(workspace: Workspace) -> Workspace:
    """With the rosters as they ship, which the policies pass."""
    for roster in (ROOT / "stacks").glob("[!P]*.yaml"):
        (workspace.stacks / roster.name).write_text(begun_on(roster.read_text(), dates.today(None)))
    return workspace


CONFIGS = {path.stem: path for path in sorted((PACK / "config").glob("*.json"))}


def violations(output: str) -> set[tuple[str, str]]:
    """Level and rule of each violation that the engine shows."""
    return set(re.findall(r"^ +- \[(\w+)\] +(?:\[[^]]*\] +)?([\w-]+) +\(", output, re.MULTILINE))


def analyze(workspace: Workspace, case: Case, config: Path | None = None) -> str:
    """What `pulumi policy analyze` says of a state."""
    file = workspace.folder / "state.json"
    file.write_text(json.dumps(state_of_case(case)))
    options = ("--policy-pack-config", str(config)) if config else ()
    done = workspace.run("policy", "analyze", "--file", str(file), "--policy-pack", str(PACK), *options, check=False)
    assert "Exception calling application" not in done.stderr
    return done.stdout


BY_RESOURCES, BY_ROSTER = "organization-owners", "exceptions-count"
"""Rules about the stack as a whole: one by its resources, one by what the roster says of itself."""


def test_each_rule_about_one_resource_through_the_engine(workspace: Workspace) -> None:
    """All failing cases in one state, all violations in one run; the compliant state has none."""
    together = [rule.id for rule in RULES if rule.types]
    fails = [
        (rule_id, case)
        for rule_id in together
        for case in CASES[rule_id].fails
        if not case.options and case.environment == "production"
    ]
    entries = {}
    for number, (_, case) in enumerate(fails):
        for entry in case.entries:
            entries[f"{number}-{entry.name}"] = entry
    unique = [type(entry)(entry.type, name, "", entry.values, entry.secret_outputs) for name, entry in entries.items()]
    shown = analyze(workspace, Case(unique))
    found = {rule for _, rule in violations(shown)}
    assert set(together) - {"domain-allowed", "naming"} <= found  # the first needs its configuration: see below
    for rule_id, case in fails:
        if rule_id != "naming":  # whose names are made here
            assert all(words in shown for words in case.words), (rule_id, case.words)
    config = workspace.folder / "config.json"
    (case,) = CASES["domain-allowed"].fails
    config.write_text(json.dumps({"domain-allowed": {"enforcementLevel": "advisory", **case.options}}))
    assert ("advisory", "domain-allowed") in violations(analyze(workspace, case, config))
    assert ("advisory", "naming") in violations(analyze(workspace, CASES["naming"].fails[0]))
    shown_owners = {"owners": ["owner0@example.com", "owner1@example.com"]}  # without it, a rule says what it waits for
    assert violations(analyze(workspace, Case(COMPLIANT, roster=shown_owners))) == set()


@pytest.mark.parametrize("rule_id", [BY_RESOURCES, BY_ROSTER])
def test_a_rule_about_the_stack_through_the_engine(workspace: Workspace, rule_id: str) -> None:
    """Its failing case, with its words, its level and how to fix it; tests/rules/test_servicer.py has every rule."""
    case = CASES[rule_id].fails[0]
    shown = analyze(workspace, case)
    assert (find(rule_id).level.value, rule_id) in violations(shown)
    assert all(words in shown for words in case.words)
    assert find(rule_id).fix in shown


@pytest.mark.parametrize("name", CONFIGS)
def test_the_configurations(workspace: Workspace, name: str) -> None:
    """Each has every rule; the engine takes it; the committed stack of that name passes with it."""
    document: Mapping[str, Any] = json.loads(CONFIGS[name].read_text())
    assert list(document) == list(RULE_IDS)
    for rule in RULES:
        assert {"enforcementLevel"} <= document[rule.id].keys() <= {"enforcementLevel", *rule.defaults}
    if name != "production":
        workspace.add(name)
    done = workspace.run(*_preview(name), check=False)
    assert done.returncode == 0, done.stdout
    shown = violations(done.stdout)
    assert (("advisory", "exceptions-in-force") in shown) == (name == "production")
    assert ("EXCEPTION from longest-duration for robin@agency.example.org, until" in done.stdout) == (
        name == "production"
    )
    assert not [rule for level, rule in shown if level == "mandatory"]


def _preview(name: str, *more: str) -> list[str]:
    return ["preview", "--stack", name, "--policy-pack", str(PACK), "--policy-pack-config", str(CONFIGS[name]), *more]


def test_a_bad_roster_is_stopped_with_all_that_is_wrong(workspace: Workspace) -> None:
    """At preview everything in one run; at up, without a preview too, nothing bad is written."""
    roster = workspace.stacks / "production.yaml"
    roster.write_text(roster.read_text().replace(ROBIN, "info@gmial.com").replace("shop: analyst", "shop: admin"))
    shared = workspace.stacks / "common.yaml"
    kept = ("ticket:", "approver:", "justification:")
    lines = shared.read_text().splitlines(keepends=True)
    shared.write_text("".join(line for line in lines if not line.strip().startswith(kept)))
    before = workspace.dump()
    preview = workspace.run(*_preview("production"), check=False)
    assert preview.returncode != 0
    bad = {
        "domain-misspelt",
        "no-shared-mailbox",
        "production-has-paperwork",
        "admin-has-reason",
        "role-within-standard",
    }
    assert {("mandatory", rule) for rule in bad} <= violations(preview.stdout)
    assert "info@gmial.com as admin in project 1234567: access to production needs more than it has: there is no " in (
        preview.stdout
    )
    assert workspace.up("production", "--policy-pack", str(PACK), check=False).returncode != 0
    assert unchanged(before, workspace.dump())


UNKNOWN_VALUES = """\
import pulumi
from mixpanel_access.provider import Member, ProjectGrant

cy = Member("cy", email="cy@example.com", ticket="OPS-1", approver="ana@example.com", sow="SOW-2026-001")
ProjectGrant(
    "cy-shop", project_id=1234567, email=cy.organization_role.apply(lambda _: "cy@example.com"), role="analyst",
    justification=cy.organization_role.apply(lambda role: f"as {role}"), ticket="OPS-1", approver="ana@example.com",
    sow="SOW-2026-001", opts=pulumi.ResourceOptions(depends_on=[cy]),
)
"""


def test_what_is_not_known_is_a_violation_at_preview(workspace: Workspace) -> None:
    """Another resource's output: each rule that needs it says so, at its own level; at up, none does."""
    workspace.program(UNKNOWN_VALUES)
    preview = workspace.run("preview", "--stack", "production", "--policy-pack", str(PACK), check=False)
    assert preview.returncode != 0
    assert {("mandatory", "justified"), ("mandatory", "grant-has-member")} <= violations(preview.stdout)
    assert "justification of cy-shop is not known before the update (it comes from cy). Write the v" in preview.stdout
    up = workspace.up("production", "--policy-pack", str(PACK))
    assert "justified" not in {rule for _, rule in violations(up.stdout)}


NEW_TEAM = """\
teams:
  boss:
    name: Boss
    projects: { shop: admin }
    ticket: OPS-1
    approver: ana@example.com
    justification: It is needed
customRoles:
  support: { name: Support, project: shop, permissions: [export_reports_csv] }

exceptions:"""


def test_a_new_team_is_judged_before_anybody_gets_its_role(workspace: Workspace) -> None:
    """With the person in it in one change; a new custom role, whose id is not known either, is judged as one."""
    roster = workspace.stacks / "production.yaml"
    text = roster.read_text().replace("shop: analyst", "shop: support").replace("exceptions:", NEW_TEAM)
    roster.write_text(text.replace("    engagement: funnel-review", "    engagement: funnel-review\n    teams: [boss]"))
    shown = workspace.run(*_preview("production"), check=False).stdout
    assert [rule for level, rule in violations(shown) if level == "mandatory"] == ["team-within-standard"]
    assert f"{ROBIN} as admin in project 1234567, through a team: an engagement of type analytics_review needs" in shown
    roster.write_text(roster.read_text().replace("shop: admin", "shop: analyst"))
    assert not [found for found in violations(workspace.run(*_preview("production")).stdout) if found[0] == "mandatory"]


NEW_ACCOUNT = """\
serviceAccounts:
  etl:
    purpose: Loads events
    contact: cleo@example.com
    ticket: OPS-1
    role: consumer
    expires: 2026-12-31
    projects: { shop: admin }

exceptions:"""


def test_a_new_service_account_is_judged_before_it_is_made(workspace: Workspace) -> None:
    """With its grant and with who is in the roster beside; later by what Mixpanel shows of its use."""
    roster, beside = workspace.stacks / "production.yaml", workspace.stacks / "staging.yaml"
    roster.write_text(roster.read_text().replace("exceptions:", NEW_ACCOUNT))
    workspace.run("config", "set", "mixpanel:apiUrl", workspace.emulator.url, "--stack", "production")
    at(workspace, "2026-05-04T12:00:00Z")
    shown = workspace.run(*_preview("production"), check=False).stdout
    assert sorted(rule for level, rule in violations(shown) if level == "mandatory") == [
        "service-account-approved", "service-account-contact-known", "service-account-has-paperwork",
    ]  # fmt: skip
    roster.write_text(roster.read_text().replace("ticket: OPS-1\n", "ticket: OPS-1\n    approver: omar@example.com\n"))
    beside.write_text(beside.read_text().replace("people:\n", "people:\n  - { email: Cleo@example.com }\n"))
    workspace.up("production", "--policy-pack", str(PACK), "--policy-pack-config", str(CONFIGS["production"]))
    at(workspace, "2026-09-04T12:00:00Z")
    later = workspace.run(*_preview("production", "--refresh")).stdout
    assert ("advisory", "dormant-account") in violations(later)
    assert "no use of it is known since it was made on 2026-05-04, 123 days ago" in later
    beside.write_text(beside.read_text().replace("  - { email: Cleo@example.com }\n", ""))
    assert ("advisory", "service-account-contact-left") in violations(workspace.run(*_preview("production")).stdout)
    roster.write_text(roster.read_text().replace("cleo@example.com", "clea@example.com"))
    changed = workspace.run(*_preview("production"), check=False).stdout
    assert ("mandatory", "service-account-contact-known") in violations(changed)


def test_a_team_and_an_engagement_are_judged_over_both_stacks_at_the_first_preview(workspace: Workspace) -> None:
    """By what Mixpanel shows of a team that is to be adopted, and what the roster of staging gives; nothing is written.

    The owners are Mixpanel's, and so is whether everybody has the project; once it is up, the state says the same.
    """
    document = workspace.dump()
    document["teams"] = [{"id": 77, "name": "Data", "projects": [{"id": 2345678, "role": "admin"}]}]
    document["projects"][0]["all_users"] = "consumer"
    document["members"][1]["role"] = "member"  # one owner is left
    workspace.emulator.control("POST", "seed", document)
    for file in workspace.stacks.glob("*.yaml"):
        file.write_text(file.read_text().replace("engagement: tracking-plan", "engagement: funnel-review"))
    roster = workspace.stacks / "production.yaml"
    team = "teams: { data: { name: data, projects: {}, ticket: OPS-1, approver: ana@example.com } }\n\nexceptions:"
    text = roster.read_text().replace("exceptions:", team)
    roster.write_text(text.replace("    engagement: funnel-review", "    engagement: funnel-review\n    teams: [data]"))
    before = workspace.dump()
    found = {
        "external-in-one-environment", "no-all-users-in-production", "organization-owners", "team-within-standard",
    }  # fmt: skip
    shown = workspace.run(*_preview("production"), check=False).stdout
    assert {rule for level, rule in violations(shown) if level == "mandatory"} == found
    for words in (
        f"{ROBIN} as admin in project 2345678, through a team (Mixpanel shows it): an engagement",
        "reaches production and staging through the engagement 'funnel-review'",
        "there are 1 organization owners (ana@example.com, not declared here)",
        "project 1234567: everybody in the organization has access",
    ):
        assert words in shown
    assert unchanged(before, workspace.dump())
    workspace.up("production")
    again = workspace.run(*_preview("production"), check=False).stdout
    assert found <= {rule for level, rule in violations(again) if level == "mandatory"}


def test_levels_and_options_come_from_the_configuration(workspace: Workspace) -> None:
    """Disabled, advisory, mandatory, for all and for one; an option of the wrong type is the engine's one error."""
    case = Case([COMPLIANT[3], CASES["justified"].fails[0].entries[0]])
    config = workspace.folder / "config.json"
    for level, expected in {"disabled": [], "advisory": ["advisory"], "mandatory": ["mandatory"]}.items():
        config.write_text(json.dumps({"justified": level}))
        shown = violations(analyze(workspace, case, config))
        assert [found for found, rule in shown if rule == "justified"] == expected
    off = {"all": "disabled", "guards-not-loosened": "advisory", "justified": {"lowest": "consumer"}}
    config.write_text(json.dumps(off))
    assert violations(analyze(workspace, case, config)) == {("advisory", "guards-not-loosened")}
    config.write_text(json.dumps({"justified": {"lowest": "admin"}}))
    assert "justified" not in {rule for _, rule in violations(analyze(workspace, case, config))}
    config.write_text(json.dumps({"longest-duration": {"days": "many"}}))
    done = workspace.run(
        *("policy", "analyze", "--file", str(workspace.folder / "state.json"), "--policy-pack", str(PACK)),
        *("--policy-pack-config", str(config)),
        check=False,
    )
    assert done.returncode != 0
    assert "longest-duration" in done.stdout + done.stderr


def test_an_option_that_the_pack_refuses_is_one_clear_line(workspace: Workspace) -> None:
    """A misspelt option stops the preview before any rule uses it; tests/rules/test_configuration.py has the others."""
    config = workspace.folder / "config.json"
    words = (
        "longest-duration: 'dayz' is not an option of it (did you mean 'days'?); there are days, totalDays, standards"
    )
    bad = {"enforcementLevel": "advisory", "dayz": 60}
    config.write_text(json.dumps({"all": "advisory", "longest-duration": bad}))
    given = ("--policy-pack", str(PACK), "--policy-pack-config", str(config))
    done = workspace.run("preview", "--stack", "production", *given, check=False)
    assert done.returncode != 0
    assert f"cannot use the policies' configuration: {words}. Correct the file" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_real_state_is_judged_like_its_program(workspace: Workspace) -> None:
    """Exported after up, or as the stack itself: the same findings but for what is known only now."""
    workspace.up("production")
    file = workspace.folder / "export.json"
    file.write_text(workspace.run("stack", "export", "--stack", "production").stdout)
    assert COMPONENT_TYPE in file.read_text()
    config = ("--policy-pack", str(PACK), "--policy-pack-config", str(CONFIGS["production"]))
    shown = violations(workspace.run("policy", "analyze", "--file", str(file), *config).stdout)
    live = violations(workspace.run("policy", "analyze", "--stack", "production", *config).stdout)
    previewed = violations(workspace.run(*_preview("production")).stdout)
    assert shown == live == previewed
    assert ("advisory", "exceptions-in-force") in shown


def test_a_loosened_guard_stops_the_preview(workspace: Workspace) -> None:
    """Even where all rules are disabled, with the file and the key of each; and the run says which rules are off."""
    config = workspace.folder / "config.json"
    config.write_text('{"all": "disabled"}')
    for key, value in (("removalPercent", "50"), ("serviceAccountSecret", "demo-secret")):
        workspace.run("config", "set", "--plaintext", f"mixpanel:{key}", value, "--stack", "production")
    judged = ("preview", "--stack", "production", "--policy-pack", str(PACK), "--policy-pack-config", str(config))
    done = workspace.run(*judged, check=False)
    assert done.returncode != 0
    assert violations(done.stdout) >= {("mandatory", "guards-not-loosened")}
    assert "Pulumi.production.yaml, mixpanel:removalPercent: 50 is more than 10" in done.stdout
    assert "Pulumi.production.yaml, mixpanel:serviceAccountSecret: a secret in plain text" in done.stdout
    assert "the file of --policy-pack-config disables external-not-privileged, " in done.stdout
    config.write_text('{"naming": "disabled"}')
    workspace.run("config", "rm", "mixpanel:removalPercent", "--stack", "production")
    secret = ("mixpanel:serviceAccountSecret", "demo-secret")
    workspace.run("config", "set", "--secret", *secret, "--stack", "production")
    done = workspace.run(*judged, check=False)
    assert ("mandatory", "guards-not-loosened") not in violations(done.stdout)
    assert "disabled in the policies' configuration: naming" in done.stdout
