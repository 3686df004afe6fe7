"""The program's project, which must name our server of the resources."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pulumi

from mixpanel_access.model.roster.yaml_text import BadYaml, load

_FILE: Final = "Pulumi.yaml"
_SERVER: Final = "pulumi-python"


def must_serve_the_resources(folder: Path) -> None:
    """Refuse a project whose resources the SDK's server would serve: it fails outside of a Python program.

    Args:
        folder: the program's folder.

    Raises:
        pulumi.RunError: the project does not name our server.
    """
    file = next((file for above in (folder, *folder.parents) if (file := above / _FILE).is_file()), None)
    if file is None:
        return  # Automation API may keep the project elsewhere
    try:
        project: Any = load(file.read_text(encoding="utf-8"))
        named = {provider["name"] for provider in project["plugins"]["providers"]}
    except (OSError, UnicodeDecodeError, BadYaml, KeyError, TypeError):
        named = set()
    if _SERVER not in named:
        raise pulumi.RunError(
            f"{file} does not name the server of the resources, which a program in another language than Python "
            f"needs. Add `name: {_SERVER}` and its `path` to `plugins.providers`, as for mixpanel-access."
        )
