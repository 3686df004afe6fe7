"""What the same grants cost with Mixpanel's own Terraform provider, which is found as `make terraform` finds it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from bench.workspaces import GRANTS_EACH, Cost, cost_of, email_of, organization, projects_of
from demo.sandbox import Emulator
from mixpanel_access.emulator.server import EmulatorServer
from tests.terraform.command import PROVIDER, Terraform, environment, found_provider

COMMANDS: Final = {
    "preview (create)": ("plan",),
    "up (create)": ("apply", "-auto-approve"),
    "preview (unchanged)": ("plan",),
    "refresh": ("apply", "-refresh-only", "-auto-approve"),
    "destroy": ("destroy", "-auto-approve"),
}
"""Our command -> Terraform's for the same work."""
_CONFIGURATION: Final = """\
terraform {{
  required_providers {{
    mixpanel = {{ source = "mixpanel/mixpanel" }}
  }}
}}

provider "mixpanel" {{
  organization_id = "{organization}"
}}

"""
_GRANT: Final = """
resource "mixpanel_user_project_role" "grant{number}" {{
  key     = "{email}"
  payload = jsonencode({{ projects = [{{ id = {project}, users = [{{ email = "{email}", role = "analyst" }}] }}] }})
}}
"""
"""A block for each grant: with `for_each`, a plan of Terraform takes a fifth longer."""
_SECONDS: Final = 3600


@dataclass(frozen=True)
class Peer:
    """The provider on this machine.

    Attributes:
        folder: of its binary.
        versions: of the provider, as far as its file says, and of Terraform.
    """

    folder: Path
    versions: str


@contextmanager
def installed_peer() -> Iterator[Peer]:
    """The provider, as `make terraform` finds it.

    Raises:
        NoProviderError: there is none, or no Terraform; the text says what to do.
    """
    with tempfile.TemporaryDirectory(prefix="mixpanel-access-bench-") as name:
        empty = Path(name)
        folder = found_provider(os.environ.get(PROVIDER) or "init", empty)
        binary = next(folder.glob("terraform-provider-mixpanel*"))
        release = binary.name.partition("_v")[2] or "built from source"
        told = json.loads(Terraform(empty, environment(folder, empty, {})).run("version", "-json").stdout)
        yield Peer(folder, f"{release}, Terraform {told['terraform_version']}")


def measure_peer(peer: Peer, grants: int) -> Iterator[tuple[str, Cost]]:
    """Each command with its cost, over as many grants as the roster of `workspaces` has, of people who are new."""
    document = organization()
    with (
        tempfile.TemporaryDirectory(prefix="mixpanel-access-bench-") as name,
        EmulatorServer(document, provider_compat=True, limit_invitations=False) as server,
    ):
        folder, emulator = Path(name), Emulator(server.url)
        configuration = _CONFIGURATION.format(organization=document["organization"]["id"])
        (folder / "main.tf").write_text(configuration + "".join(_blocks(grants)))
        terraform = Terraform(folder, environment(peer.folder, folder, emulator.environment), _SECONDS)
        for command, arguments in COMMANDS.items():
            run = partial(terraform.run, *arguments, "-input=false", "-no-color")
            yield command, cost_of(emulator, run)
            if command == "up (create)":
                _must_hold(emulator, grants)


def _blocks(grants: int) -> Iterator[str]:
    """The same grants as in `workspaces.roster`."""
    people = range(grants // GRANTS_EACH)
    held = ((email_of(person), project) for person in people for project in projects_of(person))
    for number, (email, project) in enumerate(held):
        yield _GRANT.format(number=number, email=email, project=project)


def _must_hold(emulator: Emulator, grants: int) -> None:
    """Check that the grants were made, so that nothing else is measured."""
    if (held := len(emulator.control("GET", "dump")["grants"])) != grants:
        raise RuntimeError(f"the provider made {held} of {grants} grants")
