"""Whether a project names our server of the resources, without which some programs cannot run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi

from mixpanel_access.files.whole import nearest_project
from mixpanel_access.model.resources import PACKAGE
from mixpanel_access.model.roster.yaml_text import BadYaml, load


def names_our_server(project: Path) -> bool:
    """Whether the Pulumi.yaml in a folder names our server of the resources."""
    try:
        document: Any = load((project / "Pulumi.yaml").read_text(encoding="utf-8"))
        return PACKAGE in {provider["name"] for provider in document["plugins"]["providers"]}
    except (OSError, UnicodeDecodeError, BadYaml, KeyError, TypeError):
        return False


def must_name_our_server(folder: Path, user: str) -> None:
    """Refuse a project whose resources the SDK's server would serve.

    Args:
        folder: the program's folder.
        user: what needs our server, in words.

    Raises:
        pulumi.RunError: the project does not name our server.
    """
    found = nearest_project(folder)  # none where Automation API keeps the project elsewhere
    if found is not None and not names_our_server(found):
        raise pulumi.RunError(
            f"{found / 'Pulumi.yaml'} does not name the server of the resources, which {user} needs. Add "
            f"`name: {PACKAGE}` and its `path` to `plugins.providers`, as `mixpanel-access new` writes them."
        )
