"""The world in which a life is lived: rosters in files, an engine and an emulator, each with a settable clock."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import httpx

from mixpanel_access.emulator.server import EmulatorServer
from mixpanel_access.engine import Engine, Pulumi
from mixpanel_access.model.resources import BRAKE_NAME, DYNAMIC_TYPE
from mixpanel_access.operations.project import PulumiProject
from mixpanel_access.operations.revoking.run import revoke
from tests.in_process import InProcess
from tests.lives.organization import Organization, from_dump
from tests.lives.script import HANDS, OWNERS, STACKS, Event
from tests.python_engine.in_process import PROJECT, Clock, InProcessPulumi, LivedProject, Shared, new_stack

ORGANIZATION = 7654321
SECRET = "s3cret"
AUTHOR = "ci@example.com"
"""The author of the commits by which the stacks run."""


def document_of(organization: Organization) -> dict[str, Any]:
    """The organization with which a life begins, as the emulator takes it."""
    return {
        "organization": {"id": ORGANIZATION, "name": "Example"},
        "members": [{"email": email, "role": one.role} for email, one in organization.people.items()],
        "projects": [{"id": id_, "name": f"Project {id_}"} for id_ in organization.projects],
        "grants": [
            {"project": project, "email": email, "role": role}
            for (project, email), role in organization.grants.items()
        ],
        "teams": [
            {
                "id": number, "name": team.name, "members": sorted(team.members),
                "projects": [{"id": id_, "role": role} for id_, role in team.projects.items()],
            }
            for number, team in enumerate(organization.teams, 7)
        ],
        "service_accounts": [
            {"username": name, "secret": SECRET, "role": "owner", "id": id_, "user_id": 9000 + id_}
            for id_, name in enumerate(("bot", HANDS), 1)
        ],
    }  # fmt: skip


def credentials() -> dict[str, str]:
    """The variables of a run: the service account, and the author of the commit."""
    return {"MIXPANEL_SERVICE_ACCOUNT": "bot", "MIXPANEL_SERVICE_ACCOUNT_SECRET": SECRET, "GIT_AUTHOR": AUTHOR}


def settings_of(stack: str, url: str) -> dict[str, str]:
    """The configuration of a stack."""
    return {
        "organizationId": str(ORGANIZATION), "environment": stack, "removalMinimum": "1000", "apiUrl": url,
        "companyDomains": "example.com", "readBackSeconds": "1", "approvers": ",".join(OWNERS),
    }  # fmt: skip


class World:
    """Two stacks on an emulator, to which the events of a script happen."""

    def __init__(self, now: datetime, folder: Path, server: EmulatorServer, transport: InProcess) -> None:
        self.server, self.folder = server, folder
        self.client = httpx.Client(base_url=server.url, timeout=30, transport=transport)
        self.said: list[str] = []
        self.stacks = folder / "project" / "stacks"
        self.stacks.mkdir(parents=True)
        (folder / "project" / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\nmain: stacks\n")
        self.shared = Shared(folder, self.stacks, transport, Clock(now))
        engine = Engine(folder, "3.259.0", "test")
        self.pulumi: Pulumi = InProcessPulumi(engine, folder / "project", credentials(), self.shared)
        for stack in STACKS:
            config = settings_of(stack, server.url)
            new_stack(self.shared, stack, {f"mixpanel:{key}": value for key, value in config.items()})
            lines = [f'  mixpanel:{key}: "{value}"' for key, value in config.items()]
            (folder / "project" / f"Pulumi.{stack}.yaml").write_text("\n".join(["config:", *lines, ""]))

    @property
    def project(self) -> PulumiProject:
        """The project, as a command opens it."""
        return LivedProject(self.pulumi)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def happen(self, event: Event) -> None:
        """Have an event happen at its instant."""
        self.set_clock(event.at)
        getattr(self, event.what)(*event.arguments)

    def set_clock(self, now: datetime) -> None:
        """Have it be this instant."""
        self.shared.clock.now = now
        self.server.store.clock.set(now)

    def dump(self) -> dict[str, Any]:
        """The organization as the emulator has it."""
        document: dict[str, Any] = self.server.store.dump()
        return document

    def seen(self) -> dict[str, set[Any]]:
        """What the emulator has."""
        return from_dump(self.dump())

    def team_ids(self) -> dict[str, int]:
        """Mixpanel's ids of the teams, by their names."""
        return {team["name"]: team["id"] for team in self.dump()["teams"]}

    def control(self, method: str, path: str, body: Any = None) -> None:
        """Do what only an emulator can."""
        answer = self.client.request(method, f"/_emulator/{path}", json=body)
        assert answer.is_success, answer.text

    def preview(self, stack: str) -> set[tuple[str, str]]:
        """What the next `pulumi up` does, but for the brake's list: the step and the resource's name."""
        done = self.pulumi.run("preview", "--json", "--stack", stack)
        steps = json.loads(done.stdout).get("steps", ())
        return {
            (str(step["op"]), str(step["urn"]).rpartition("::")[2])
            for step in steps
            if step["op"] != "same" and DYNAMIC_TYPE in step["urn"] and BRAKE_NAME not in step["urn"]
        }

    # Events

    def write(self, stack: str, text: str) -> None:
        (self.stacks / f"{stack}.yaml").write_text(text)

    def accept(self, email: str) -> None:
        self.control("POST", "invitations/accept", {"email": email})

    def up(self, stack: str, refresh: bool) -> None:
        command = ("up", "--yes", "--skip-preview", "--stack", stack, *(["--refresh"] if refresh else []))
        done = self.pulumi.run(*command, check=False)
        self.said.append(done.stdout + done.stderr)
        assert done.returncode == 0, done.stdout + done.stderr

    def revoke(self, stack: str) -> None:
        found = revoke(self.project, [stack], self.said.append, now=None, act=True)
        assert all(one.complete for one in found), found

    def hand_removes(self, email: str) -> None:
        self.control("DELETE", f"members/{email}")

    def hand_grants(self, project: int, email: str, role: str | None) -> None:
        self.control("POST", "grants", {"project": project, "email": email, "role": role})

    def hand_gives_role(self, email: str, role: str) -> None:
        self.control("POST", "members", {"email": email, "role": role})

    def hand_invites(self, email: str) -> None:
        self._call("add-users/", {"users": [{"email": email, "role": "member"}]})

    def hand_changes_team(self, name: str, project: int, role: str | None) -> None:
        id_ = self._team(name)
        if role is None:
            self._call(f"teams/{id_}/delete-projects/", {"projectIds": [project]})
        else:
            self._call("add-projects-to-teams/", {"teams": [{"id": id_, "projects": [{"id": project, "role": role}]}]})

    def hand_takes_out(self, name: str, email: str) -> None:
        self._call(f"teams/{self._team(name)}/delete-users/", {"emails": [email]})

    def hand_puts_in(self, name: str, email: str) -> None:
        body = {"teams": [{"id": self._team(name), "users": [{"email": email}]}]}
        self._call("add-users-to-teams/", body)

    def hand_renames_team(self, name: str, new: str) -> None:
        self._call(f"teams/{self._team(name)}/update/", {"name": new})

    def hand_changes_address(self, email: str, address: str) -> None:
        document = self.dump()
        for part in ("members", "grants"):
            document[part] = [{**row, "email": address} if row["email"] == email else row for row in document[part]]
        for team in document["teams"]:
            team["members"] = [address if one == email else one for one in team["members"]]
        self.control("POST", "seed", document)

    def _team(self, name: str) -> int:
        return next(int(team["id"]) for team in self.dump()["teams"] if team["name"] == name)

    def _call(self, path: str, body: Any) -> None:
        """A call of the API by somebody else."""
        answer = self.client.post(f"/organizations/{ORGANIZATION}/{path}", json=body, auth=(HANDS, SECRET))
        assert answer.is_success, answer.text
