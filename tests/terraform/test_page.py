"""The page on Terraform shows what the tests here run; without a provider, that much holds all the same."""

from __future__ import annotations

from scripts.blocks import blocks
from scripts.build_site import ROOT

from .command import VERSION
from .conftest import RESOURCES
from .test_migration import HELD, ROSTER

SHOWN = {block.language: block.text for block in blocks(ROOT / "docs" / "terraform.md") if block.language != "console"}


def test_the_roster_is_the_one_that_is_imported() -> None:
    """Word for word."""
    assert SHOWN["yaml"] == ROSTER


def test_the_configuration_is_the_one_that_is_applied() -> None:
    """The same resource under a name of its own, by the release that is asked for."""
    applied = (RESOURCES / "user_project_role_nested.tf").read_text()
    assert SHOWN["hcl"].endswith(applied.replace('" "this" {', '" "bo" {'))
    assert f'version = "{VERSION}"' in SHOWN["hcl"]


def test_what_the_state_lists_is_what_was_applied() -> None:
    """In the order of Terraform."""
    page = (ROOT / "docs" / "terraform.md").read_text()
    assert "".join(f"    {address}\n" for address in sorted(HELD)) in page
