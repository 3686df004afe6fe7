"""The world in which a life is lived: rosters in files, an engine and an emulator, each with a settable clock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from uuid import NAMESPACE_OID, uuid5

import httpx

from mixpanel_access.emulator.server import EmulatorServer
from mixpanel_access.engine import Engine, Pulumi
from mixpanel_access.model.resource_ids import BRAKE_NAME
from mixpanel_access.model.resources import DYNAMIC_TYPE
from mixpanel_access.operations.project import PulumiProject
from mixpanel_access.operations.revoking.run import revoke
from tests.emulator.conftest import Frozen
from tests.in_process import InProcess
from tests.lives.draft import CLAIMED, HANDS, OWNERS, STACKS, Event
from tests.lives.groups import steps_of
from tests.lives.organization import EVERY_ROLE_HAS, CustomRole, Organization, from_dump
from tests.lives.rosters import RANK
from tests.lives.script import Script
from tests.lives.stacks import Op
from tests.lives.truth import REFUSED
from tests.python_engine.in_process import PROJECT, Clock, InProcessPulumi, LivedProject, Shared, new_stack

ORGANIZATION = 7654321
SECRET = "s3cret"
TOKEN = "t0ken"
_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
_PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
AUTHOR = "ci@example.com"
"""The author of the commits by which the stacks run."""


def document_of(organization: Organization) -> dict[str, Any]:
    """The organization with which a life begins, as the emulator takes it."""
    return {
        "organization": {"id": ORGANIZATION, "name": "Example"},
        "members": [{"email": email, "role": one.role} for email, one in organization.people.items()],
        "projects": [
            {
                "id": id_, "name": f"Project {id_}",
                "custom_roles": [_of_role(role) for role in organization.custom_roles if role.project == id_],
            }
            for id_ in organization.projects
        ],
        "grants": [
            {"project": project, "email": email, "role": _id_of(role)}
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
        "security": {"sso": {"domains": [{"name": CLAIMED}]}, "scim_token": TOKEN} if organization.claimed else {},
    }  # fmt: skip


def _id_of(role: str) -> str:
    """Mixpanel's id of a custom role that is there in the beginning; of another role, its word."""
    return role if role in RANK else str(uuid5(NAMESPACE_OID, role))


def _of_role(role: CustomRole) -> dict[str, Any]:
    return {"role_id": _id_of(role.word), "name": role.name, "permissions": [EVERY_ROLE_HAS, *sorted(role.permissions)]}


def credentials(organization: Organization) -> dict[str, str]:
    """The variables of a run: the service account, the author of the commit, and the token of SCIM if there is one."""
    token = {"MIXPANEL_SCIM_TOKEN": TOKEN} if organization.claimed else {}
    account = {"MIXPANEL_SERVICE_ACCOUNT": "bot", "MIXPANEL_SERVICE_ACCOUNT_SECRET": SECRET}
    return {**account, **token, "GIT_AUTHOR": AUTHOR}


def settings_of(stack: str, url: str) -> dict[str, str]:
    """The configuration of a stack."""
    return {
        "organizationId": str(ORGANIZATION), "environment": stack, "removalMinimum": "1000", "apiUrl": url,
        "companyDomains": "example.com", "readBackSeconds": "1", "approvers": ",".join(OWNERS),
    }  # fmt: skip


class World:
    """Two stacks on an emulator, to which the events of a script happen.

    Args:
        script: the script, at its beginning.
        folder: an empty folder.

    Attributes:
        words: Mixpanel's ids of the custom roles that are or were there -> the script's words for them.
        teams: the names of the teams -> Mixpanel's ids.
    """

    def __init__(self, script: Script, folder: Path, server: EmulatorServer, transport: InProcess) -> None:
        self.server, self.folder = server, folder
        server.store.clock = Frozen(script.now)  # an event is at its instant, however slow this machine is
        self.client = httpx.Client(base_url=server.url, timeout=30, transport=transport)
        self.said: list[str] = []
        self.words: dict[str, str] = {}
        self.teams = {team["name"]: team["id"] for team in self.dump()["teams"]}
        self.stacks = folder / "project" / "stacks"
        self.stacks.mkdir(parents=True)
        (folder / "project" / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\nmain: stacks\n")
        self.shared = Shared(folder, self.stacks, transport, Clock(script.now))
        engine = Engine(folder, "3.259.0", "test")
        self.pulumi: Pulumi = InProcessPulumi(engine, folder / "project", credentials(script.start), self.shared)
        for stack in STACKS:
            config = settings_of(stack, server.url)
            new_stack(self.shared, stack, {f"mixpanel:{key}": value for key, value in config.items()})
            lines = [f'  mixpanel:{key}: "{value}"' for key, value in config.items()]
            (folder / "project" / f"Pulumi.{stack}.yaml").write_text("\n".join(["config:", *lines, ""]))

    @property
    def project(self) -> PulumiProject:
        """The project, as a command opens it."""
        return LivedProject(self.pulumi)

    @property
    def differing(self) -> Mapping[str, AbstractSet[str]]:
        """The URN of a group -> the keys of the people in it whom the last run changes."""
        return self.shared.differing

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

    def look(self, organization: Organization) -> dict[str, set[Any]]:
        """What the emulator has, after noting its ids of what the script knows by words."""
        document = self.dump()
        self.teams = {team["name"]: team["id"] for team in document["teams"]}
        for project in document["projects"]:
            for one in project["custom_roles"]:
                if role := organization.custom_role(project["id"], one["name"]):
                    role.id = one["role_id"]
                    self.words[role.id] = role.word
        return from_dump(document)

    def word(self, role: str | None) -> str | None:
        """A role of Mixpanel as the script has it."""
        return self.words.get(role or "", role)

    def control(self, method: str, path: str, body: Any = None) -> None:
        """Do what only an emulator can."""
        answer = self.client.request(method, f"/_emulator/{path}", json=body)
        assert answer.is_success, answer.text

    def preview(self, stack: str) -> set[Op]:
        """What the next `pulumi up` does, but for the brake's list: the step and the resource's name."""
        done = self.pulumi.run("preview", "--json", "--stack", stack, check=False)
        if done.returncode and " is past; set a day to come" in done.stdout + done.stderr:
            return {REFUSED}
        assert done.returncode == 0, done.stdout + done.stderr
        steps = json.loads(done.stdout).get("steps", ())
        return {
            op
            for step in steps
            if step["op"] != "same" and DYNAMIC_TYPE in step["urn"] and BRAKE_NAME not in step["urn"]
            for op in steps_of(step, self.differing)
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
        self.control("POST", "grants", {"project": project, "email": email, "role": self._id(role)})

    def hand_gives_role(self, email: str, role: str) -> None:
        self.control("POST", "members", {"email": email, "role": role})

    def hand_invites(self, email: str) -> None:
        self._call("add-users/", {"users": [{"email": email, "role": "member"}]})

    def hand_changes_team(self, name: str, project: int, role: str | None) -> None:
        id_ = self._team(name)
        if role is None:
            self._call(f"teams/{id_}/delete-projects/", {"projectIds": [project]})
        else:
            self._call(
                "add-projects-to-teams/",
                {"teams": [{"id": id_, "projects": [{"id": project, "role": self._id(role)}]}]},
            )

    def hand_takes_out(self, name: str, email: str) -> None:
        self._call(f"teams/{self._team(name)}/delete-users/", {"emails": [email]})

    def hand_puts_in(self, name: str, email: str) -> None:
        body = {"teams": [{"id": self._team(name), "users": [{"email": email}]}]}
        self._call("add-users-to-teams/", body)

    def hand_renames_team(self, name: str, new: str) -> None:
        self._call(f"teams/{self._team(name)}/update/", {"name": new})

    def hand_changes_address(self, email: str, address: str) -> None:
        self.control("POST", "addresses", {"email": email, "address": address})

    def hand_deletes_role(self, project: int, name: str) -> None:
        self._call(f"custom-roles/{self._custom_role(project, name)}", None, project, method="DELETE")

    def hand_changes_role(self, project: int, name: str, new: str, permissions: list[str]) -> None:
        body = {"name": new, "description": "Works on the shop", "permissions": permissions}
        self._call(f"custom-roles/{self._custom_role(project, name)}", body, project, method="PUT")

    def idp_provisions(self, email: str) -> None:
        self._scim("POST", "Users", {"schemas": [_USER], "userName": email})

    def idp_activates(self, email: str, active: bool) -> None:
        member = next(one for one in self.dump()["members"] if one["email"] == email)
        self._patch(f"Users/{member['id']}", {"op": "replace", "path": "active", "value": active})

    def idp_changes_group(self, name: str, email: str, inside: bool) -> None:
        member = next(one for one in self.dump()["members"] if one["email"] == email)
        change = {"op": "add", "path": "members", "value": [{"value": str(member["id"])}]}
        leaves = {"op": "remove", "path": f'members[value eq "{member["id"]}"]'}
        self._patch(f"Groups/{self._team(name)}", change if inside else leaves)

    def _patch(self, path: str, operation: dict[str, Any]) -> None:
        self._scim("PATCH", path, {"schemas": [_PATCH], "Operations": [operation]})

    def _scim(self, method: str, path: str, body: Any) -> None:
        """A call of the identity provider."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = self.client.request(method, f"/api/app/scim/v2/{path}", json=body, headers=headers)
        assert answer.is_success, answer.text

    def _id(self, role: str | None) -> str | None:
        """Mixpanel's id of a custom role; of another role, its word."""
        return next((id_ for id_, word in self.words.items() if word == role), role)

    def _custom_role(self, project: int, name: str) -> str:
        there = next(one for one in self.dump()["projects"] if one["id"] == project)
        return next(str(one["role_id"]) for one in there["custom_roles"] if one["name"] == name)

    def _team(self, name: str) -> int:
        return next(int(team["id"]) for team in self.dump()["teams"] if team["name"] == name)

    def _call(self, path: str, body: Any, project: int | None = None, method: str = "POST") -> None:
        """A call of the API by somebody else."""
        root = f"/organizations/{ORGANIZATION}" if project is None else f"/api/app/projects/{project}"
        answer = self.client.request(method, f"{root}/{path}", json=body, auth=(HANDS, SECRET))
        assert answer.is_success, answer.text
