"""A git repository with a project of this program, and branches of it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

COMMON = "organization: { name: Example }\n"
PRODUCTION = """\
include: common.yaml
environment: production
projects:
  shop: { id: 1234567, environment: production }
people:
  - { email: ana@example.com, projects: { shop: analyst }, ends: 2998-12-31 }
"""
STAGING = PRODUCTION.replace("production", "staging").replace("1234567", "1234568")
MORE = "  - { email: robin@agency.example.org, projects: { shop: consumer }, ends: 2998-12-31 }\n"
"""A person more, for the end of a roster."""
FILES: Mapping[str, str] = {
    "Pulumi.yaml": "name: access\nruntime: python\nmain: stacks/\nstackConfigDir: stacks\n",
    "README.md": "Who has access.\n",
    "requirements.txt": "mixpanel-access==0.2.0\n",
    "plugins/pulumi-python/__main__.py": "",
    "policies/__main__.py": "",
    "stacks/__main__.py": "",
    "stacks/Pulumi.production.yaml": "config: { mixpanel:organizationId: '7654321' }\n",
    "stacks/common.yaml": COMMON,
    "stacks/production.yaml": PRODUCTION,
    "stacks/staging.yaml": STAGING,
}

Edit = Callable[[Path], object]


@dataclass(frozen=True)
class Repository:
    """A repository with `main` checked out."""

    folder: Path

    @classmethod
    def made(cls, folder: Path, files: Mapping[str, str] = FILES) -> Repository:
        """One with these files on `main`."""
        folder.mkdir()
        repository = cls(folder)
        repository.git("init", "-q", "-b", "main")
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        repository.commit()
        return repository

    def git(self, *args: str, at: str = "") -> str:
        """What a command of git writes; `at`: the time of its commits."""
        known = {**_WHO, "DATE": at} if at else _WHO
        who = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in known.items()}
        environ = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(self.folder.parent), **who}
        done = subprocess.run(["git", *args], cwd=self.folder, env=environ, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, at: str = "") -> str:
        """Commit all that is there, now or at an instant; the commit's id."""
        self.git("add", "--all", "--force")
        self.git("commit", "-q", "-m", "Change", "--allow-empty", at=at)
        return self.git("rev-parse", "HEAD")

    def branch(self, edit: Edit, name: str = "branch") -> str:
        """Make a branch with a commit that edits the files; `main` is checked out again. The commit's id."""
        self.git("checkout", "-q", "-b", name)
        edit(self.folder)
        commit = self.commit()
        self.git("checkout", "-q", "main")
        return commit


_WHO = {"NAME": "Robin", "EMAIL": "robin@agency.example.org"}


def appended(name: str, text: str) -> Edit:
    """An edit that appends to a file."""

    def edit(folder: Path) -> None:
        (folder / name).write_text((folder / name).read_text() + text)

    return edit


def written(name: str, text: str) -> Edit:
    """An edit that writes a file, in place of what is there, if only a link."""

    def edit(folder: Path) -> None:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_text(text)

    return edit


def linked(name: str, target: str) -> Edit:
    """An edit that puts a link where a file is."""

    def edit(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)

    return edit


def both(*edits: Edit) -> Edit:
    """Several edits."""

    def edit(folder: Path) -> None:
        for one in edits:
            one(folder)

    return edit
