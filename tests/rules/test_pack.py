"""What the engine hands to the pack, where a part of it is not known before the update."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi_policy import (
    PolicyProviderResource,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.policy import _NotApplicableError as NOT_APPLICABLE
from pulumi_policy.proxy import UNKNOWN_ARRAY_VALUE, UNKNOWN_STRING_VALUE, UnknownValueError, unknown_checking_proxy

from mixpanel_access.model.errors import ConfigurationError, UsageError
from mixpanel_access.model.resources import (
    COMPONENT_TYPE,
    CUSTOM_ROLE_TYPE,
    GRANT_TYPE,
    MEMBER_TYPE,
    MEMBERS_TYPE,
    PROJECT_ACCESS_TYPE,
    SERVICE_ACCOUNT_TYPE,
    TEAM_GRANT_TYPE,
    TEAM_MEMBER_TYPE,
    TEAM_MEMBERS_TYPE,
    TEAM_TYPE,
)
from mixpanel_access.rules.catalogue import RULE_IDS
from mixpanel_access.rules.pack_policies import ResourceArgs, StackArgs, policies

RULE = "admin-has-reason"
OPTIONS = PolicyResourceOptions(False, [], False, [], None, [], {})  # type: ignore[arg-type]
BO, CY = "bo@example.com", "cy@example.com"


def judged(props: dict[str, Any], rule: str = RULE, config: dict[str, Any] | None = None) -> list[str]:
    """What the rule finds in a `ProjectAccess` by itself."""
    args = ResourceValidationArgs(
        PROJECT_ACCESS_TYPE, unknown_checking_proxy(props), "urn", "whole", OPTIONS, None, config or {}, {}
    )
    found: list[str] = []
    policy(rule).validate(ResourceArgs.of(args).configured(config), lambda message, _urn=None: found.append(message))
    return found


def policy(rule_id: str) -> Any:
    """The rule as the engine gets it."""
    (found,) = (one for one in policies() if one.name == rule_id)
    return found


def resource(
    kind: str, name: str, props: dict[str, Any], provider: Any = None, parent: Any = None, **sources: list[Any]
) -> PolicyResource:
    """A resource as the engine tells it of a whole stack."""
    made = PolicyResource(
        kind, unknown_checking_proxy(props), f"urn:pulumi:s::p::{kind}::{name}", name, OPTIONS, provider, parent, [], {}
    )
    made.property_dependencies.update(sources)
    return made


def judged_with_stack(rule_id: str, resources: list[PolicyResource]) -> tuple[list[str], str]:
    """What a rule says of a stack: with each resource, then of all of them; and what it will judge later."""
    rule, found = policy(rule_id), list[str]()

    def report(message: str, _urn: str | None = None) -> None:
        found.append(message)

    for one in resources if isinstance(rule, ResourceValidationPolicy) else ():
        alone = ResourceValidationArgs(one.resource_type, one.props, one.urn, one.name, OPTIONS, one.provider, {}, {})
        rule.validate(ResourceArgs.of(alone), report)
    try:
        if isinstance(rule, StackValidationPolicy):
            rule.validate(StackArgs.of(StackValidationArgs(resources)), report)
    except UnknownValueError as later:
        return found, later.message
    except NOT_APPLICABLE as reason:
        return found, f"not applicable: {reason.reason}"
    return found, ""


def provider(name: str = "default", **settings: Any) -> PolicyProviderResource:
    """A provider of dynamic resources with settings of ours."""
    props = {f"mixpanel:{key}": value for key, value in settings.items()}
    kind = "pulumi:providers:pulumi-python"
    return PolicyProviderResource(kind, unknown_checking_proxy(props), f"urn:pulumi:s::p::{kind}::{name}", name)


def as_resource(one: PolicyProviderResource) -> PolicyResource:
    """The provider among the resources of the stack."""
    return PolicyResource(one.resource_type, one.props, one.urn, one.name, OPTIONS, None, None, [], {})


def test_one_role_that_is_not_known_leaves_the_others_judged() -> None:
    """A custom role that is yet to be made hides nobody else's grant, and is one whose reason is judged."""
    role = resource(CUSTOM_ROLE_TYPE, "custom-role/x", {"name": "x"})
    grants = {BO: "admin", CY: UNKNOWN_STRING_VALUE}
    props = {"project_id": 7.0, "environment": "production", "grants": grants}
    found, _ = judged_with_stack(RULE, [role, resource(PROJECT_ACCESS_TYPE, "whole", props, grants=[role])])
    assert len(found) == 1
    assert BO in found[0]
    found, _ = judged_with_stack(RULE, [role, resource(PROJECT_ACCESS_TYPE, "whole", props)])
    assert len(found) == 2
    assert found[1].startswith(f"cannot be judged: role of whole:{CY} is not known before the update. Write")
    found, _ = judged_with_stack("justified", [role, resource(PROJECT_ACCESS_TYPE, "whole", props, grants=[role])])
    assert [CY in one and "need a justification" in one for one in found] == [False, True]


def test_what_is_not_known_of_one_person_of_a_group_leaves_the_others_judged() -> None:
    """Their role, or in a list who they are; a rule about the others finds what it finds."""
    people: dict[str, Any] = {BO: {"role": "owner"}, CY: {"role": UNKNOWN_STRING_VALUE}}
    found, _ = judged_with_stack(RULE, [resource(MEMBERS_TYPE, "members", {"people": people})])
    assert [one.split()[0] for one in found] == [BO, "cannot"]
    assert f"role of members:{CY} is not known" in found[1]
    people[CY] = UNKNOWN_STRING_VALUE
    assert judged_with_stack(RULE, [resource(MEMBERS_TYPE, "members", {"people": people})])[0] == found
    team = {"team_id": 7.0, "people": [BO, UNKNOWN_STRING_VALUE], "reasons": [{"people": [BO], "approver": BO}]}
    found, _ = judged_with_stack("approver-is-another", [resource(TEAM_MEMBERS_TYPE, "team-members/a", team)])
    assert [one.split()[0] for one in found] == [BO, "cannot"]


@pytest.mark.parametrize("part", ["grants", "reasons"])
def test_what_is_not_known_as_a_whole_is_a_violation(part: str) -> None:
    """At the end of the preview: before that, nobody knows what it comes from."""
    props = {"project_id": 7.0, "grants": {BO: "admin"}, part: UNKNOWN_ARRAY_VALUE}
    assert judged(props) == []
    found, _ = judged_with_stack(RULE, [resource(PROJECT_ACCESS_TYPE, "whole", props)])
    assert len(found) == 1
    assert "cannot be judged: " in found[0]


def test_one_reason_that_is_not_known_leaves_the_others_judged() -> None:
    """Each part of a reason is known or not by itself; whom it is for hides all of them."""
    reasons = [{"people": [CY], "justification": UNKNOWN_STRING_VALUE, "approver": BO}]
    props = {"project_id": 7.0, "grants": {BO: "admin", CY: "admin"}, "reasons": reasons}
    found, _ = judged_with_stack(RULE, [resource(PROJECT_ACCESS_TYPE, "whole", props)])
    assert [BO in found[0], "justification of whole:cy@example.com is not known" in found[1]] == [True, True]
    reasons[0]["people"] = [UNKNOWN_STRING_VALUE]
    found, _ = judged_with_stack(RULE, [resource(PROJECT_ACCESS_TYPE, "whole", props)])
    assert len(found) == 2
    assert all("is not known before the update" in one for one in found)


def test_a_resource_that_is_known_is_judged_once() -> None:
    """A rule that meets a value that is not known judges again only what it could not judge."""
    known = {"email": BO, "role": "owner", "project_id": 7.0}
    hidden = {"email": CY, "role": UNKNOWN_STRING_VALUE, "project_id": 7.0}
    found, _ = judged_with_stack(RULE, [resource(GRANT_TYPE, "a", known), resource(GRANT_TYPE, "b", hidden)])
    assert [one.split()[0] for one in found] == [BO, "cannot"]


ROBIN = {"email": "robin@agency.example.org", "engagement_type": "analytics_review", "team_id": UNKNOWN_STRING_VALUE}


def test_a_new_team_is_judged_with_its_people_before_it_is_there() -> None:
    """The team's id is not known: the resources say which team it is."""
    team = resource(TEAM_TYPE, "team/boss", {"name": "Boss"})
    roles = {"team_id": UNKNOWN_STRING_VALUE, "project_id": 7.0, "role": "admin", "environment": "production"}
    place = resource(TEAM_MEMBER_TYPE, "team/boss:robin", ROBIN, team_id=[team])
    given = resource(TEAM_GRANT_TYPE, "7:team/boss", roles, team_id=[team])
    found, _ = judged_with_stack("team-within-standard", [given, place, team])
    assert len(found) == 1
    assert "robin@agency.example.org as admin in project 7, through a team: an engagement of type" in found[0]


def member(email: str, name: str, of: PolicyProviderResource | None, role: str = "owner") -> PolicyResource:
    """Somebody with an organization role."""
    return resource(MEMBER_TYPE, name, {"email": email, "role": role}, of)


def test_the_settings_are_those_of_our_own_provider() -> None:
    """Other people's dynamic resources have a provider of the same type, which may be the first of the stack."""
    other, own = provider("other"), provider("own", companyDomains="example.com")
    people = [member("kim@example.com", "kim", own)]
    for resources in ([as_resource(other), as_resource(own), *people], [*people, as_resource(own), as_resource(other)]):
        assert judged_with_stack("company-domains-known", resources) == ([], "")
    unset = [as_resource(own), as_resource(other), member("kim@example.com", "kim", other)]
    ((words,), _) = judged_with_stack("company-domains-known", unset)
    assert words.startswith("mixpanel:companyDomains is not set")


def test_each_provider_is_judged_by_its_own_settings() -> None:
    """Two organizations in one program: who is external in one may be of the company in the other."""
    first, second = (
        provider("first", companyDomains="example.com"),
        provider("second", companyDomains='["example.org"]'),
    )
    resources = [member("a@example.com", "a", first), member("a@example.org", "b", second)]
    assert judged_with_stack("external-not-privileged", resources) == ([], "")
    assert judged_with_stack("no-duplicate-person", [member(BO, "a", first), member(BO, "b", second)]) == ([], "")
    swapped = [member("a@example.com", "a", second), member("a@example.org", "b", first)]
    assert len(judged_with_stack("external-not-privileged", swapped)[0]) == 2
    ((one,), _) = judged_with_stack(
        "company-domains-known", [member(BO, "a", first), member(BO, "b", provider("third"))]
    )
    assert "is not set" in one


def test_a_roster_says_of_its_own_organization_whether_it_declares_roles() -> None:
    """With two providers, a roster counts for the resources below it."""
    first, second = provider("first"), provider("second")
    roster = resource(COMPONENT_TYPE, "roster", {"organization_roles": False, "exceptions": []})
    below = resource(MEMBER_TYPE, "a", {"email": BO, "role": "admin"}, first, roster)
    beside = resource(MEMBER_TYPE, "b", {"email": CY, "role": "admin"}, second)
    found, _ = judged_with_stack("organization-roles-in-one-stack", [roster, below, beside])
    assert [BO in one for one in found] == [True]


@pytest.mark.parametrize("rule_id", RULE_IDS)
def test_a_stack_without_resources_of_ours_has_no_violation(rule_id: str) -> None:
    """Its settings are nowhere to be seen, and nobody is judged by them."""
    other = resource("pulumi-python:dynamic:Resource", "x", {"a": UNKNOWN_STRING_VALUE}, provider("other"))
    for resources in ([], [as_resource(provider("other"))], [other, as_resource(provider("other"))]):
        found, words = judged_with_stack(rule_id, resources)
        assert found == []
        assert words in ("", "not applicable: the stack has no Mixpanel resources")


@pytest.mark.parametrize("key", ["companyDomains", "environment", "now"])
def test_a_setting_that_is_not_known_is_a_violation(key: str) -> None:
    """Of a provider of one's own: no rule takes it for one that is not set."""
    people = [member("kim@example.com", "kim", provider(**{key: UNKNOWN_STRING_VALUE}))]
    for rule_id in ("external-access-ends", "no-duplicate-person"):
        ((words,), _) = judged_with_stack(rule_id, people)
        assert words.startswith(f"cannot be judged: mixpanel:{key} of the provider is not known")


def test_the_company_domains_are_refused_by_name() -> None:
    """The rules never take what is no domain for one that nobody has."""
    people = [member("kim@example.com", "kim", provider(companyDomains="kim@example.com"))]
    with pytest.raises(ConfigurationError, match=r"'kim@example\.com' is not an e-mail domain"):
        judged_with_stack("external-not-privileged", people)
    for spelling in ("@Example.com.", '["example.com"]', "example.org;example.com"):
        people = [member("kim@example.com", "kim", provider(companyDomains=spelling))]
        assert judged_with_stack("external-not-privileged", people) == ([], "")


@pytest.mark.parametrize(
    ("rule", "options", "words"),
    [
        (
            "metadata-well-formed",
            {"ticket": "["},
            "ticket: '[' is not a pattern (unterminated character set at position 0)",
        ),
        (
            "justified",
            {"lowst": "admin"},
            "'lowst' is not an option of it (did you mean 'lowest'?); there is only lowest",
        ),
    ],
)
def test_a_configuration_that_the_engine_lets_pass_is_refused(rule: str, options: dict[str, Any], words: str) -> None:
    """In one line, and nothing is judged by halves."""
    with pytest.raises(UsageError) as told:
        judged({"project_id": 7.0, "grants": {BO: "admin"}}, rule, options)
    assert str(told.value) == (
        f"cannot use the policies' configuration for {rule}: {words}. "
        "Correct the file of --policy-pack-config and run again."
    )


def of_stack(
    rule_id: str, resources: dict[str, dict[str, Any]], settings: dict[str, Any]
) -> list[tuple[str, str | None]]:
    """What a rule finds in a stack of these resources, by their types: the message and the resource it is shown at."""
    given = [resource(kind, kind, props, provider(**settings)) for kind, props in resources.items()]
    found: list[tuple[str, str | None]] = []
    args = StackArgs.of(StackValidationArgs(given))
    policy(rule_id).validate(args, lambda message, urn=None: found.append((message, urn)))
    return found


def test_what_is_found_about_the_stack_is_shown_at_the_stack() -> None:
    """The number of owners is no single person's, and is excepted by the roster's own exceptions."""
    rule, bo = "organization-owners", {"email": BO, "role": "owner"}
    settings = {"companyDomains": "example.com", "now": "2026-05-04"}
    roster: dict[str, Any] = {"organization_roles": True}
    ((message, urn),) = of_stack(rule, {MEMBER_TYPE: bo, COMPONENT_TYPE: roster}, settings)
    assert urn is None
    given = {"rule": rule, "reason": "r", "ticket": "OPS-1", "approver": "ana@example.com", "starts": "2026-05-01"}
    given |= {"ends": "2026-05-31"}
    excepted = {**bo, "exceptions": [given]}
    assert of_stack(rule, {MEMBER_TYPE: excepted, COMPONENT_TYPE: roster}, settings) == [(message, None)]
    roster["exceptions"] = [given]
    assert of_stack(rule, {MEMBER_TYPE: bo, COMPONENT_TYPE: roster}, settings) == []


def test_an_exception_is_told_with_its_place() -> None:
    """File and line come from the roster's component; the edit is in the finding."""
    old = {"rule": "justified", "reason": "r", "approver": "ana@example.com", "ends": "2026-05-31"}
    facts = {"exceptions": [old], "exception_places": {"justified for the stack": "production.yaml:7"}}
    settings = {"companyDomains": "example.com", "now": "2026-05-04"}
    ((message, _),) = of_stack("exceptions-count", {COMPONENT_TYPE: facts, MEMBER_TYPE: {"email": BO}}, settings)
    assert message.startswith(
        "production.yaml:7: the exception from justified for the stack does not count: it has no starts, ticket; "
        "add `starts: 2026-05-04` and `ticket: ...`"
    )


GUARDS: dict[str, tuple[dict[str, Any], str]] = {
    "a clock": ({"now": "2026-05-04"}, "Pulumi.s.yaml, mixpanel:now: 2026-05-04 replaces today"),
    "a host of somebody": (
        {"apiUrl": "https://mixpanel.com.example.org"},
        "mixpanel:apiUrl: mixpanel.com.example.org is",
    ),
    "a user before the host": (
        {"apiUrl": "https://mixpanel.com@example.org"},
        "mixpanel:apiUrl: this is not a host of",
    ),
    "another platform": (
        {"platformUrl": "https://platform-us.mixpanel.com.example.org"},
        "mixpanel:platformUrl: platform-us.mixpanel.com.example.org is",
    ),
    "the platform of a region": ({"platformUrl": "https://platform-eu.mixpanel.com"}, ""),
    "a bracket": ({"apiUrl": "https://[mixpanel.com"}, "mixpanel:apiUrl: this is not a host of Mixpanel"),
    "a list": ({"releaseBrakes": '["last_owner"]'}, "mixpanel:releaseBrakes: releases last_owner in every run"),
    "no number": ({"removalPercent": "nan"}, "mixpanel:removalPercent: nan is more than 10"),
    "a number with an exponent": ({"removalMinimum": "1e9"}, "mixpanel:removalMinimum: 1e9 is more than 3"),
    "what is not known": ({"releaseBrakes": UNKNOWN_STRING_VALUE}, "mixpanel:releaseBrakes: the value is encrypted"),
    "a secret": ({"now": {"ciphertext": "x"}}, "Pulumi.s.yaml, mixpanel:now: the value is encrypted, or not known"),
    "a clock here": ({"now": "2026-05-04", "apiUrl": "http://localhost:80"}, ""),
    "nothing": ({"removalPercent": "5", "apiUrl": "https://eu.mixpanel.com", "releaseBrakes": ""}, ""),
}


@pytest.mark.parametrize(("settings", "words"), GUARDS.values(), ids=GUARDS)
def test_a_guard_that_is_loosened_is_a_finding_with_its_file_and_key(settings: dict[str, Any], words: str) -> None:
    """However it is written; what cannot be read is one too."""
    found = of_stack("guards-not-loosened", {MEMBER_TYPE: {"email": BO}}, settings)
    assert [words in message for message, _ in found] == ([True] if words else [])


def test_a_secret_in_plain_text_is_a_finding() -> None:
    """The program sees what is encrypted, and says it to the policies."""
    facts = {"plain_secrets": ["serviceAccountSecret"]}
    ((message, _),) = of_stack("guards-not-loosened", {COMPONENT_TYPE: facts, MEMBER_TYPE: {"email": BO}}, {})
    assert "mixpanel:serviceAccountSecret: a secret in plain text" in message


def test_a_contact_in_another_roster_is_known() -> None:
    """The component says which of them are; who is in none is a finding at the account."""
    account = {"username": "etl", "sponsor": "ana@example.com"}
    rule = "service-account-contact-known"
    ((message, urn),) = of_stack(rule, {SERVICE_ACCOUNT_TYPE: account}, {})
    assert message.startswith(
        "etl: its contact ana@example.com is not a member in this stack or in another roster of its folder"
    )
    assert urn
    known = {"contacts_beside": ["ana@example.com"]}
    assert of_stack(rule, {SERVICE_ACCOUNT_TYPE: account, COMPONENT_TYPE: known}, {}) == []
