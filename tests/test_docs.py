"""The pages tell what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mixpanel_access.model.metadata import METADATA_FIELDS
from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.project_grant import ProjectGrantProvider

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Each relative link is a file, each anchor a heading of it."""
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text()):
        name, _, anchor = target.partition("#")
        linked = (page.parent / name) if name else page
        assert linked.is_file(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_examples_are_python(page: Path) -> None:
    """They compile, and import what there is."""
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        compile(block, str(page), "exec")
        for line in re.findall(r"^from mixpanel_access.*$", block, re.MULTILINE):
            exec(line, {})


def test_every_input_has_a_row() -> None:
    """The resources page has each input and metadata field."""
    page = (ROOT / "docs" / "resources.md").read_text()
    for field in (*MemberProvider.INPUTS, *ProjectGrantProvider.INPUTS, *METADATA_FIELDS):
        assert f"`{field}`" in page
