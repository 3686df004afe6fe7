"""Random lives: declare, change, revoke, hand-made changes, faults, the passing of time; then declared = actual."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.faults.conftest import SHOP, WAREHOUSE, World, organization
from tests.faults.mini_engine import MiniEngine, Name, Program
from tests.tally import count

PEOPLE = st.integers(0, 3).map(lambda n: f"p{n}@example.com")
PROJECTS = st.sampled_from([SHOP, WAREHOUSE])
ROLES = st.sampled_from(["member", "admin", "billing_admin"])
PROJECT_ROLES = st.sampled_from(["admin", "analyst", "consumer"])
FORMS = st.sampled_from(["single", "whole", "shared"])
"""How the grants of the project WAREHOUSE are declared."""
PERMISSIONS = st.sampled_from([["export_reports_csv"], ["create_reports"], [], None])
SUPPORT = "support"
"""Stands for the custom role of the project WAREHOUSE."""
TEAMS = st.sampled_from(["alpha", "beta"])
FAULTS = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "POST"]),
        "path_prefix": st.just("/"),
        "count": st.integers(1, 3),
        "kind": st.sampled_from(["drop_before", "drop_after", "status"]),
        "status": st.sampled_from([429, 500, 502]),
    }
)


def _role(word: str) -> Any:
    """A role as the engine takes it: the custom role by its resource."""
    return ("role", SUPPORT) if word == SUPPORT else word


class Lives(RuleBasedStateMachine):
    """What may happen to an organization between two runs.

    The faults strike while a run is under way; the check brings the stack up to twice without faults, as a user would
    run again, and compares.
    """

    world: World

    def __init__(self) -> None:
        super().__init__()
        count("lives")
        self.world.reset()
        self.engine = MiniEngine(self.world.session)
        self.people: dict[str, dict[str, Any]] = {}
        self.grants: dict[tuple[int, str], str] = {}
        self.teams: dict[str, str] = {}
        self.roles: dict[tuple[int, str], str] = {}
        self.places: set[tuple[str, str]] = set()
        self.form = "single"
        self.permissions: list[str] | None = None
        self.two_factor: bool | None = None

    @property
    def program(self) -> Program:
        """What is declared at the moment."""
        members = {("member", email): inputs for email, inputs in self.people.items()}
        grants = {
            ("grant", f"{project}:{email}"): {"project_id": project, "email": email, "role": _role(role)}
            for (project, email), role in self.grants.items()
            if self.form == "single" or project != WAREHOUSE
        }
        theirs = {email: _role(role) for (project, email), role in self.grants.items() if project == WAREHOUSE}
        shared = {"exclusive": False} if self.form == "shared" else {}
        one = {("whole", "it"): {"project_id": WAREHOUSE, "grants": theirs, **shared}}
        whole: Program = one if self.form != "single" else {}
        made = {"project_id": WAREHOUSE, "name": "Support", "permissions": self.permissions}
        own: dict[Name, dict[str, Any]] = {("role", SUPPORT): made} if self.permissions is not None else {}
        if self.two_factor is not None:
            own["security", "it"] = {"two_factor_required": self.two_factor}
        teams = {("team", key): {"name": name, "removal": "always"} for key, name in self.teams.items()}
        roles = {
            ("team grant", f"{project}:{key}"): {"team_id": ("team", key), "project_id": project, "role": _role(role)}
            for (project, key), role in self.roles.items()
        }
        places = {
            ("team member", f"{key}:{email}"): {"team_id": ("team", key), "email": email} for key, email in self.places
        }
        return {**own, **members, **grants, **whole, **teams, **roles, **places}

    @initialize(form=FORMS, permissions=PERMISSIONS, two_factor=st.booleans() | st.none())
    def begin(self, form: str, permissions: list[str] | None, two_factor: bool | None) -> None:
        """What the stack begins with."""
        self.in_one(form)
        self.permissions, self.two_factor = permissions, two_factor

    def _known(self, email: str) -> None:
        """Have a person declared."""
        self.people.setdefault(email, {"email": email, "role": "member", "removal": "when_unused"})

    @rule(email=PEOPLE, role=ROLES, removal=st.sampled_from(["when_unused", "always"]))
    def declare(self, email: str, role: str, removal: str) -> None:
        """A person is added, or their role changed."""
        self.people[email] = {"email": email, "role": role, "removal": removal}

    @rule(email=PEOPLE, project=PROJECTS, role=PROJECT_ROLES)
    def grant(self, email: str, project: int, role: str) -> None:
        """A person gets a role in a project."""
        self._known(email)
        self.grants[project, email] = role

    @rule(pick=st.integers(0, 7))
    def revoke(self, pick: int) -> None:
        """A grant leaves the roster; the person stays."""
        if self.grants:
            self.grants.pop(sorted(self.grants)[pick % len(self.grants)])

    @rule(form=FORMS)
    def in_one(self, form: str) -> None:
        """The grants of a project are declared as a whole from now on, or one by one, or in a group among others."""
        self.form = form
        self.engine.keeps = self.engine.keeps or form == "shared"

    @rule(permissions=PERMISSIONS)
    def role(self, permissions: list[str] | None) -> None:
        """A custom role is added, changed, or leaves the roster with what gave it."""
        self.permissions = permissions
        if permissions is None:
            self.grants = {place: "analyst" if role == SUPPORT else role for place, role in self.grants.items()}
            self.roles = {place: "analyst" if role == SUPPORT else role for place, role in self.roles.items()}

    @rule(email=PEOPLE, team=TEAMS)
    def give_role(self, email: str, team: str) -> None:
        """A person and a declared team get the custom role."""
        if self.permissions is not None:
            self._known(email)
            self.grants[WAREHOUSE, email] = SUPPORT
        if self.permissions is not None and team in self.teams:
            self.roles[WAREHOUSE, team] = SUPPORT

    @rule(two_factor=st.booleans() | st.none())
    def security(self, two_factor: bool | None) -> None:
        """The second factor is required, or not, or nobody's business here."""
        self.two_factor = two_factor

    @rule()
    def role_deleted_by_hand(self) -> None:
        """Somebody deletes the custom role in the product, which makes consumers of who holds it."""
        for role in self.world.custom_roles(WAREHOUSE):
            self.world.delete_role(WAREHOUSE, role)

    @rule(email=PEOPLE)
    def dismiss(self, email: str) -> None:
        """A person leaves the roster with all they have."""
        self.people.pop(email, None)
        self.grants = {key: role for key, role in self.grants.items() if key[1] != email}
        self.places = {(team, who) for team, who in self.places if who != email}

    @rule(team=TEAMS, name=st.sampled_from(["", " new"]), project=PROJECTS, role=PROJECT_ROLES | st.none())
    def team(self, team: str, name: str, project: int, role: str | None) -> None:
        """A team is added or renamed, and gets a role or loses it."""
        self.teams[team] = f"{team}{name}"
        self.roles.pop((project, team), None)
        if role:
            self.roles[project, team] = role

    @rule(team=TEAMS)
    def dissolve(self, team: str) -> None:
        """A team leaves the roster with all that it has."""
        self.teams.pop(team, None)
        self.roles = {key: role for key, role in self.roles.items() if key[1] != team}
        self.places = {place for place in self.places if place[0] != team}

    @rule(team=TEAMS, email=PEOPLE, inside=st.booleans())
    def place(self, team: str, email: str, inside: bool) -> None:
        """A person comes into a declared team or goes."""
        self.places.discard((team, email))
        if inside and team in self.teams:
            self._known(email)
            self.places.add((team, email))

    @rule(team=TEAMS, email=PEOPLE, what=st.sampled_from(["delete", "rename", "role", "leave"]))
    def team_by_hand(self, team: str, email: str, what: str) -> None:
        """Somebody changes a declared team in the product; what cannot be done is refused there."""
        row = next((one for one in self.world.team_rows() if one["name"] == self.teams.get(team)), None)
        if row is None:
            return
        if what == "delete":
            self.world.by_hand("delete-teams/", {"teamIds": [row["id"]]})
        elif what == "rename":
            self.world.by_hand(f"teams/{row['id']}/update/", {"name": f"{team} by hand"})
        elif what == "leave":
            self.world.by_hand(f"teams/{row['id']}/delete-users/", {"emails": [email]})
        else:
            held = [{"id": project, "role": "owner"} for project, key in self.roles if key == team]
            self.world.by_hand("add-projects-to-teams/", {"teams": [{"id": row["id"], "projects": held}]})

    @rule(email=PEOPLE, role=ROLES)
    def changed_by_hand(self, email: str, role: str) -> None:
        """Somebody changes a role in the product."""
        if email in self.world.members():
            self.world.control("POST", "members", {"email": email, "role": role})

    @rule(email=PEOPLE, project=PROJECTS, role=PROJECT_ROLES | st.none())
    def granted_by_hand(self, email: str, project: int, role: str | None) -> None:
        """Somebody changes a declared grant in the product, or takes it away; where a project is whole, any grant."""
        declared = (project, email) in self.grants or (self.form == "whole" and project == WAREHOUSE)
        if email in self.world.members() and declared:
            self.world.control("POST", "grants", {"project": project, "email": email, "role": role})

    @rule(email=PEOPLE)
    def removed_by_hand(self, email: str) -> None:
        """Somebody removes a person in the product."""
        if email in self.world.members():
            self.world.control("DELETE", f"members/{email}")

    @rule(email=PEOPLE)
    def accepted(self, email: str) -> None:
        """An invited person follows the link, if it is still good."""
        self.world.client.post("/_emulator/invitations/accept", json={"email": email})

    @rule(days=st.sampled_from([0.5, 3, 8]))
    def time_passes(self, days: float) -> None:
        """Invitations expire."""
        self.world.pass_days(days)

    @rule(faults=st.lists(FAULTS, min_size=1, max_size=2))
    def up_under_faults(self, faults: list[dict[str, Any]]) -> None:
        """A run that may fail anywhere."""
        self.world.control("POST", "faults", faults)
        self.engine.up(self.program)
        self.world.control("DELETE", "faults")

    @rule(faults=st.lists(FAULTS, max_size=2))
    def refresh_under_faults(self, faults: list[dict[str, Any]]) -> None:
        """A refresh that may fail anywhere loses nothing that is there."""
        self.world.control("POST", "faults", faults)
        self.engine.refresh()
        self.world.control("DELETE", "faults")

    @rule()
    def run_again(self) -> None:
        """Refresh and up, without faults: declared = actual, nothing left to plan, everybody else untouched."""
        assert self.engine.refresh()
        assert self.engine.up(self.program), self.engine.failures
        members = self.world.members()
        made = self.world.custom_roles(WAREHOUSE)
        assert [set(row["permissions"]) for row in made.values()] == (
            [] if self.permissions is None else [{"view_project", *self.permissions}]
        )
        words = dict.fromkeys(made, SUPPORT)
        grants = {place: words.get(role, role) for place, role in self.world.grants().items()}
        if self.two_factor is not None:
            settings = self.world.dump()["security"]["twofactor"]
            assert settings["twofactor_auth_required"] is self.two_factor
        ours = {email: row for email, row in members.items() if email.startswith("p")}
        assert {email: row["role"] for email, row in ours.items()} == {
            email: inputs["role"] for email, inputs in self.people.items()
        }
        assert {key: role for key, role in grants.items() if key[1].startswith("p")} == self.grants
        teams = {
            name: ({project: words.get(role, role) for project, role in held.items()}, set(inside))
            for name, (held, inside) in self.world.teams().items()
            if name != "Strangers"
        }
        assert teams == {
            name: (
                {project: role for (project, team), role in self.roles.items() if team == key},
                {email for team, email in self.places if team == key},
            )
            for key, name in self.teams.items()
        }
        assert self.engine.plan(self.program) == []
        before = self.world.control("GET", "mails")
        assert self.engine.refresh()
        assert self.engine.up(self.program)
        assert self.world.control("GET", "mails") == before

    def teardown(self) -> None:
        """Every life ends as declared, and so does what is declared of it after one more change."""
        self.run_again()
        self.revoke(0)
        self.run_again()

    @invariant()
    def strangers_are_left_alone(self) -> None:
        """Nobody who is not declared loses or gets anything, at any moment."""
        count("steps of lives")
        members, grants = self.world.members(), self.world.grants()
        others = organization()
        assert [email for email in members if not email.startswith("p")] == [row["email"] for row in others["members"]]
        assert {key for key in grants if not key[1].startswith("p")} == {
            (row["project"], row["email"]) for row in others["grants"]
        }
        assert self.world.teams()["Strangers"] == ({SHOP: "consumer"}, others["teams"][0]["members"])


@pytest.fixture
def lives(world: World) -> Iterator[type[Lives]]:
    """The machine on this module's emulator."""
    Lives.world = world
    yield Lives
    del Lives.world


def test_random_lives_end_as_declared(lives: type[Lives]) -> None:
    """Whatever happens, and in whatever order."""
    examples = settings().max_examples // 4
    run_state_machine_as_test(
        lives,
        settings=settings(
            max_examples=examples, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
