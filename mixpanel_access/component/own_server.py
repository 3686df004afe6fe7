"""Whether a project names our server of the resources, without which some programs cannot run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi

from mixpanel_access.files.whole import nearest_project
from mixpanel_access.model.resources import PACKAGE
from mixpanel_access.model.roster.yaml_text import BadYaml, load


def must_name_our_server(folder: Path, user: str) -> None:
    """Refuse a project whose resources the SDK's server would serve.

    Args:
        folder: the program's folder.
        user: what needs our server, in words.

    Raises:
        pulumi.RunError: the project does not name our server.
    """
    found = nearest_project(folder)
    if found is None:
        return  # Automation API may keep the project elsewhere
    file = found / "Pulumi.yaml"
    try:
        project: Any = load(file.read_text(encoding="utf-8"))
        named = {provider["name"] for provider in project["plugins"]["providers"]}
    except (OSError, UnicodeDecodeError, BadYaml, KeyError, TypeError):
        named = set()
    if PACKAGE not in named:
        raise pulumi.RunError(
            f"{file} does not name the server of the resources, which {user} needs. Add `name: {PACKAGE}` and its "
            f"`path` to `plugins.providers`, as in the Pulumi.yaml that `mixpanel-access new` writes."
        )
