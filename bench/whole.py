"""What thousands of grants cost as one `ProjectAccess` a project."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bench.lifecycle import DESTROY, PREVIEW, REFRESH, UP, Figure
from bench.workspaces import PROJECTS, email_of, organization, workspace
from mixpanel_access.engine import Engine

PROGRAM: Final = """
from mixpanel_access.provider import ProjectAccess

for project, grants in {wholes}.items():
    ProjectAccess(f"project-{{project}}", project_id=project, grants=grants, environment="production")
"""


def measure_whole(engine: Engine, grants: int) -> Iterator[Figure]:
    """The commands of one lifecycle over so many grants, of people who are in the organization already."""
    emails = [email_of(number) for number in range(grants)]
    with workspace(engine, organization(emails)) as ours:
        program = ours.pulumi.project / "stacks" / "__main__.py"

        def declare(roles: tuple[str, str]) -> None:
            wholes: dict[int, dict[str, str]] = {id_: {} for id_ in PROJECTS}
            for number, email in enumerate(emails):
                wholes[PROJECTS[number % len(PROJECTS)]][email] = roles[number // len(PROJECTS) % 2]
            program.write_text(PROGRAM.format(wholes=wholes))

        def run(name: str, *args: str) -> Figure:
            return Figure(grants, ours.checkpoints, f"{name}, ProjectAccess", ours.run(*args), None)

        declare(("analyst", "analyst"))
        yield run("preview (create)", "preview")
        yield run("up (create)", *UP)
        yield run("preview (unchanged)", *PREVIEW)
        yield run("refresh", *REFRESH)
        declare(("analyst", "consumer"))
        yield run("up (half changed)", *UP)
        yield run("destroy", *DESTROY)
