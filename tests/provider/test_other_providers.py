"""Several providers in one run: what one declares, another does not take away, and no organization has two."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mixpanel_access.model.errors import AccessError, InputError, Refused
from mixpanel_access.model.settings import PROVIDER
from mixpanel_access.provider.exported_states import project_states
from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.other_providers import OtherProviders
from mixpanel_access.provider.removal_brake import RemovalBrakeProvider
from mixpanel_access.provider.session import in_program, shared_session
from tests.fakes import ORGANIZATION, FakeApi, make_session, organization_of

BO, LEE = "bo@example.com", "lee@example.com"
ELSEWHERE = ORGANIZATION + 1


def provider(
    folder: Path, name: str = "", *, organization: int = ORGANIZATION, run: str | None = "1", api: FakeApi | None = None
) -> MemberProvider:
    """The provider of `Member` in a process of one run."""
    session, _ = make_session(api or organization_of(BO, LEE), provider=name)
    session.others = OtherProviders(organization, name, run, lambda: folder)
    made = MemberProvider()
    made.use(session)
    return made


def check(made: MemberProvider, email: str) -> list[str]:
    """Declare a person; the problems."""
    return [one.reason for one in made.check({}, {"email": email}).failures]


OUTPUTS = {"email": BO, "removal": "always", "adopted": False, "origin": "invited"}
OTHERS: dict[str, tuple[dict[str, Any], str, bool]] = {
    "of the same run": ({}, BO, True),
    "an Organization's, for the stack's own": ({"name": "main"}, BO, True),
    "of somebody else": ({"name": "main"}, LEE, False),
    "of another organization": ({"name": "main", "organization": ELSEWHERE}, BO, False),
    "of another run": ({"name": "main", "run": "2"}, BO, False),
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_another_provider_declares_is_not_taken_away(tmp_path: Path, case: str) -> None:
    """For the same person, organization and run; whichever of the two is the stack's own."""
    options, email, stays = OTHERS[case]
    api = organization_of(BO, LEE)
    name = "" if options.get("name") else "main"
    made = provider(tmp_path, name, api=api)
    assert check(provider(tmp_path, **options), email) == []
    made.delete(f"{ORGANIZATION}:{BO}", dict(OUTPUTS))
    assert (BO in {one.email for one in api.people.values()}) is stays


TWO = {
    "the stack's own and an Organization": (("", ORGANIZATION), ("main", ORGANIZATION), True),
    "two Organizations": (("main", ORGANIZATION), ("more", ORGANIZATION), True),
    "a preview and its update": (("main", ORGANIZATION), ("main", ORGANIZATION), False),
    "two organizations": (("", ORGANIZATION), ("more", ELSEWHERE), False),
}


@pytest.mark.parametrize("case", TWO)
def test_an_organization_has_one_provider(tmp_path: Path, case: str) -> None:
    """The second that declares something is refused in one line, and the first takes nothing more away."""
    (name, organization), (second, other), refused = TWO[case]
    api = organization_of(BO, LEE)
    first = provider(tmp_path, name, organization=organization, api=api)
    assert check(first, LEE) == []
    problems = check(provider(tmp_path, second, organization=other), BO)
    assert [problem.partition(":")[0] for problem in problems] == (
        [f"cannot use two providers for one organization for organization {ORGANIZATION}"] if refused else []
    )
    if refused:
        with pytest.raises(InputError, match="cannot use two providers"):
            first.delete(f"{ORGANIZATION}:{BO}", dict(OUTPUTS))


def test_without_a_folder_only_an_organization_is_held(tmp_path: Path) -> None:
    """A run on a machine without temporary files goes on, unless its program has several providers."""
    nowhere = tmp_path / "no" / "folder"
    own = provider(nowhere)
    assert check(own, LEE) == []
    own.delete(f"{ORGANIZATION}:{BO}", dict(OUTPUTS))
    explicit = provider(nowhere, "main")
    (problem,) = check(explicit, LEE)
    assert "cannot tell whether another provider of the program declares it" in problem
    with pytest.raises(Refused, match="Set TMPDIR"):
        explicit.delete(f"{ORGANIZATION}:{BO}", dict(OUTPUTS))


def test_a_state_of_another_organization_is_refused_before_anything_else(tmp_path: Path) -> None:
    """At the preview, and at a delete though the program declares the same address: nothing is forgotten."""
    made = provider(tmp_path, "main")
    assert check(made, BO) == []
    id_ = f"{ELSEWHERE}:{BO}"
    why = (
        f"cannot use this resource's state for {BO}: it belongs to organization {ELSEWHERE}, and the Organization main"
    )
    for verb in (
        lambda: made.diff(id_, dict(OUTPUTS), {"email": BO, "removal": "always"}),
        lambda: made.delete(id_, dict(OUTPUTS)),
        lambda: made.update(id_, dict(OUTPUTS), {"email": BO}),
    ):
        with pytest.raises(AccessError) as refused:
            verb()
        assert str(refused.value).startswith(why)
    brake = RemovalBrakeProvider()
    brake.use(made.session)
    with pytest.raises(InputError, match="this resource's state for the RemovalBrake"):
        brake.diff(f"{ELSEWHERE}:removal-brake", {"people": []}, {"people": []})


INPUTS = " These are inputs of the Organization main."
ADVICE = {
    "a brake": (
        "Release it: pulumi config set mixpanel:releaseBrakes lastOwner; pulumi config rm mixpanel:releaseBrakes.",
        "Release it: set release_brakes to lastOwner; take release_brakes out again." + INPUTS,
    ),
    "a limit": ("raise mixpanel:removalPercent", "raise removal_percent (inputs of the Organization main)"),
    "a token": (
        "Set it: pulumi config set --secret mixpanel:scimToken",
        "Set it: set scim_token (inputs of the Organization main)",
    ),
    "a command in backticks": (
        "to go by the clock, `pulumi config rm mixpanel:now`, then `pulumi up`",
        "to go by the clock, take now out again, then `pulumi up` (inputs of the Organization main)",
    ),
    "what a variable may have, which it does not read": (
        "Check mixpanel:scimToken (MIXPANEL_SCIM_TOKEN), mixpanel:region and more.",
        "Check scim_token, region and more." + INPUTS,
    ),
    "other words": ("Check the address.", "Check the address."),
}


@pytest.mark.parametrize("case", ADVICE)
def test_an_advice_names_the_inputs_of_an_organization(case: str) -> None:
    """The stack's configuration is another organization's: to release its brakes would release the wrong ones."""
    text, expected = ADVICE[case]
    assert (in_program(text, "main"), in_program(text, "")) == (expected, text)


def test_a_brake_names_the_inputs_of_an_organization(tmp_path: Path) -> None:
    """The stack's own would release the brakes of another organization."""
    emails = [f"m{number}@example.com" for number in range(8)]
    judge = RemovalBrakeProvider()
    judge.use(provider(tmp_path, "main", api=organization_of(*emails)).session)
    people = [{"email": email, "removal": "always", "projects": []} for email in emails]
    with pytest.raises(
        Refused, match=r"set release_brakes to removalShare.* These are inputs of the Organization main\."
    ):
        judge.delete(f"{ORGANIZATION}:removal-brake", {"people": people})


ROSTERS = {
    "the stack's own organization": (ORGANIZATION, True, True),
    "an Organization of the same": (ORGANIZATION, False, True),
    "an Organization of another": (ELSEWHERE, False, False),
    "the own organization of another stack": (ELSEWHERE, True, False),
}


@pytest.mark.parametrize("case", ROSTERS)
def test_a_roster_speaks_for_its_own_organization(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    """That of a stack of another one says nothing of what the stack's program declares here besides: it is unknown."""
    organization, configured, speaks = ROSTERS[case]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "staging.yaml").write_text("environment: staging\npeople: [{ email: bo@example.com }]\n")
    (tmp_path / "Pulumi.staging.yaml").write_text(f"config: {{ 'mixpanel:organizationId': {ORGANIZATION} }}\n")
    states = project_states(lambda: "production", {"PATH": ""}, organization, configured=configured)
    assert states.declares("staging", BO, date(2026, 5, 4)) is (True if speaks else None)


def test_limits_of_the_stack_are_not_an_organizations() -> None:
    """They are in its program, which a destroy does not run: the limits of the last `up` count without releases."""
    assert project_states(lambda: "production", {"PATH": ""}, configured=False).present_limits() is None


def test_the_warning_of_a_day_names_the_organization(capsys: pytest.CaptureFixture[str]) -> None:
    """And both places that the day can come from: an `Organization` without a day takes that of the stack."""
    own = {"organizationId": "1", "serviceAccountUsername": "bot", "serviceAccountSecret": "hush", "now": "2026-05-04"}
    shared_session({**own, PROVIDER: "europe"}.get)
    said = capsys.readouterr().out
    assert said.startswith("warning: now of the Organization europe is 2026-05-04T00:00:00Z: access begins and ends by")
    assert "to go by the clock, remove it from the program, or run `pulumi config rm mixpanel:now`, then" in said
