"""The project of a program in another language must name our server of the resources."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pytest

from demo.sandbox import ROOT
from mixpanel_access.component.own_server import must_name_our_server

NAMED = "plugins: { providers: [{ name: pulumi-python, path: plugins/pulumi-python }] }"
OTHER = "plugins: { providers: [{ name: mixpanel-access, path: plugins/mixpanel-access }] }"


@pytest.mark.parametrize("text", [OTHER, "plugins: {}", "plugins: [pulumi-python]", "name: x", "{", ""])
def test_a_project_without_it_is_refused(tmp_path: Path, text: str) -> None:
    """With one line that names the file and says what to add, in whatever way it is missing."""
    (tmp_path / "Pulumi.yaml").write_text(text)
    with pytest.raises(pulumi.RunError) as refused:
        must_name_our_server(tmp_path, "this")
    file = tmp_path / "Pulumi.yaml"
    assert f"{file} does not name the server of the resources, which this needs" in str(refused.value)
    assert "Add `name: pulumi-python`" in str(refused.value)


def test_a_project_with_it_is_taken(tmp_path: Path) -> None:
    """From the program's folder too, which may be below; and if Automation API keeps the project elsewhere."""
    (tmp_path / "Pulumi.yaml").write_text(NAMED)
    (tmp_path / "stacks").mkdir()
    must_name_our_server(tmp_path / "stacks", "this")
    (tmp_path / "Pulumi.yaml").unlink()
    must_name_our_server(tmp_path, "this")
    must_name_our_server(ROOT, "this")
