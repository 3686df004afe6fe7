"""Mixpanel's own Terraform provider against an emulator of its own for each test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo.sandbox import Emulator
from mixpanel_access.emulator.server import EmulatorServer, demo_document

from .command import PROVIDER, NoProviderError, Terraform, environment, found_provider

ORGANIZATION, PROJECT = 7654321, 1234567
RESOURCES = Path(__file__).parent / "resources"


@dataclass(frozen=True)
class World:
    """An organization, and the provider that works on it."""

    emulator: Emulator
    terraform: Terraform

    def configure(self, name: str) -> None:
        """Take `resources/NAME.tf` for the configuration, beside the provider's own settings."""
        for file in ("provider", name):
            shutil.copy(RESOURCES / f"{file}.tf", self.terraform.folder)

    def dump(self) -> dict[str, Any]:
        document: dict[str, Any] = self.emulator.control("GET", "dump")
        return document

    def by_hand(self, email: str, project: int, role: str | None) -> None:
        """Somebody gives or takes a role in the product."""
        self.emulator.control("POST", "grants", {"email": email, "project": project, "role": role})

    def roles_of(self, email: str) -> dict[int, str] | None:
        """The person's grants by project, or None: not in the organization."""
        document = self.dump()
        if email not in [row["email"] for row in document["members"]]:
            return None
        return {row["project"]: row["role"] for row in document["grants"] if row["email"] == email}


@pytest.fixture(scope="session")
def provider_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the provider's binary; without one the test is skipped, or fails if one was asked for."""
    asked = os.environ.get(PROVIDER, "")
    try:
        return found_provider(asked, tmp_path_factory.mktemp("init"))
    except NoProviderError as error:
        if asked:
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture
def world(provider_folder: Path, tmp_path: Path) -> Iterator[World]:
    """The demo organization, with the leniencies that the provider needs."""
    with EmulatorServer(demo_document(), provider_compat=True) as server:
        emulator = Emulator(server.url)
        (tmp_path / "work").mkdir()
        environ = environment(provider_folder, tmp_path, emulator.environment)
        yield World(emulator, Terraform(tmp_path / "work", environ))
