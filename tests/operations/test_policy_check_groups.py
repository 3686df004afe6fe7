"""The rules over a roster or a state with groups: the same violations as over single resources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from mixpanel_access.files.roster import read_roster
from mixpanel_access.model.declaration import declaration
from mixpanel_access.model.groups import GROUPS
from mixpanel_access.model.resources import SIGNATURE, TEAM, ResourceKind
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.policy_check import PolicyConfig, Violation, violations, violations_in
from mixpanel_access.operations.state import State, state_of
from mixpanel_access.rules.catalogue import EXCEPTABLE
from mixpanel_access.rules.facts import Context
from tests.rules.states import state
from tests.rules.test_an_organization import APPROVERS, COMPANY, FOLDER, TODAY

AROUND = Context(TODAY, "production", COMPANY, rules=EXCEPTABLE, approvers=APPROVERS)
HIDDEN = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "canary-cipher"}


def production(*, grouped: bool) -> Roster:
    """A roster of 40 people, some of whose access the rules refuse."""
    return read_roster(FOLDER / "production.yaml").model_copy(update={"grouped": grouped})


def rows(roster: Roster, hidden: Mapping[str, Mapping[str, Any]] | None = None) -> Iterator[dict[str, Any]]:
    """The resources of a roster's stack as a state has them; `hidden` replaces inputs of kinds, by name."""
    teams = {TEAM.named(key): number for number, key in enumerate(roster.teams, 70)}
    for one in declaration(roster, TODAY).resources():
        inputs = {**one.inputs, **{name: teams[holder] for name, holder in one.refers_to.items() if holder in teams}}
        if one.kind is TEAM:
            inputs["team_id"] = teams[one.name]
        if id_ := id_of(one.kind, inputs):
            values = {**inputs, **(hidden or {}).get(one.kind.name, {})}
            urn = f"urn:pulumi:s::p::{one.kind.type}::{one.name}"
            yield {"type": one.kind.type, "urn": urn, "id": id_, "outputs": values}


def id_of(kind: ResourceKind, inputs: Mapping[str, Any]) -> str:
    """The id of a resource of people; "" for one of another kind."""
    if kind.name not in ("Member", "ProjectGrant", "Team", "TeamMember", "TeamGrant") and kind not in GROUPS.values():
        return ""
    names = [str(inputs[name]) for name in ("project_id", "team_id", "email") if name in inputs]
    return ":".join(["7", *(names or ["members"])])


def held(roster: Roster, hidden: Mapping[str, Mapping[str, Any]] | None = None) -> State:
    """The stack's state."""
    found = state([], {})
    found["deployment"]["resources"] += list(rows(roster, hidden))
    return state_of(found, 7)


def counted(found: Iterator[Violation]) -> Counter[tuple[str, str]]:
    """The violations, by rule and person."""
    return Counter((one.rule.id, one.email.casefold()) for one in found)


def test_a_grouped_roster_has_the_violations_of_a_single_one() -> None:
    """As `policy check` and `invite` judge it."""
    alone = list(violations(declaration(production(grouped=False), TODAY), AROUND, PolicyConfig({})))
    assert list(violations(declaration(production(grouped=True), TODAY), AROUND, PolicyConfig({}))) == alone != []


def test_a_grouped_state_has_the_violations_of_a_single_one() -> None:
    """As the report shows them."""
    alone, together = held(production(grouped=False)), held(production(grouped=True))
    assert {kind.name for kind in together.resources} >= {kind.name for kind in GROUPS.values()}
    found = counted(violations_in(alone, AROUND, PolicyConfig({})))
    assert counted(violations_in(together, AROUND, PolicyConfig({}))) == found
    assert len(found) > 10


@pytest.mark.parametrize(
    ("hidden", "what"),
    [
        ({"ProjectAccess": {"reasons": HIDDEN}}, "justification"),
        ({"ProjectAccess": {"grants": HIDDEN}}, "role"),
        ({"Members": {"people": HIDDEN}}, "email"),
        ({"TeamMembers": {"reasons": HIDDEN}}, "approver"),
    ],
)
def test_what_a_group_has_in_a_secret_cannot_be_judged(hidden: Mapping[str, Mapping[str, Any]], what: str) -> None:
    """It is neither absent nor right, and nothing encrypted is shown."""
    found = [one.text for one in violations_in(held(production(grouped=True), hidden), AROUND, PolicyConfig({}))]
    assert any(one.startswith(f"cannot be judged: {what} of ") and "is a secret" in one for one in found)
    assert "canary-cipher" not in repr(found)
