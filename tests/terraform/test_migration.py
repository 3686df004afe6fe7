"""From Mixpanel's own Terraform provider to this tool, without a change to anybody's access."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mixpanel_access.emulator.server import demo_document
from mixpanel_access.engine import Engine, ensure_engine
from tests.engine.conftest import workspace_on

from .command import Terraform, environment
from .conftest import PROJECT, RESOURCES

pytestmark = pytest.mark.engine

BO = "bo@example.com"
FILES = ("custom_role", "service_account", "team", "twofactor_settings", "user_project_role_nested")
HELD = {
    "mixpanel_custom_role.this": "Support",
    "mixpanel_service_account.this": "report-bot",
    "mixpanel_team.this": "Editors",
    "mixpanel_twofactor_settings.this": "twofactor_auth_required = true",
    "mixpanel_user_project_role.this": BO,
}
"""What the state holds, with a word that `terraform state show` tells of it."""
ROSTER = """environment: production
organizationRoles: true
projects:
  shop: { id: 1234567, name: Shop (production), environment: production }
people: []
teams:
  editors: { name: Editors }
serviceAccounts:
  report-bot: { purpose: Reports, contact: ana@example.com, role: analyst, projects: { shop: consumer } }
customRoles:
  support: { name: Support, project: shop, description: read and export, permissions: [export_reports_csv] }
security: { twoFactorRequired: true }
"""


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine; `make test` has it ready."""
    return ensure_engine(lambda _: None)


def test_what_terraform_holds_comes_under_code(provider_folder: Path, engine: Engine, tmp_path: Path) -> None:
    """Imported here, forgotten there; from then on a role changes in place, and the person stays a member."""
    for folder in ("terraform", "pulumi"):
        (tmp_path / folder).mkdir()
    with workspace_on(demo_document(), engine, tmp_path / "pulumi") as workspace:
        workspace.as_a_user()
        environ = environment(provider_folder, tmp_path, workspace.emulator.environment)
        terraform = Terraform(tmp_path / "terraform", environ)
        for file in ("provider", *FILES):
            shutil.copy(RESOURCES / f"{file}.tf", terraform.folder)
        terraform.apply(word="teamNames")
        workspace.emulator.control("POST", "invitations/accept", {"email": BO})
        before = workspace.dump()

        addresses = terraform.run("state", "list", "-no-color").stdout.split()
        assert [address for address in addresses if not address.startswith("data.")] == sorted(HELD)
        for address, word in HELD.items():
            assert word in terraform.run("state", "show", "-no-color", address).stdout
        roster = workspace.stacks / "production.yaml"
        roster.write_text(ROSTER)
        imported = workspace.command("import", "--stack", "production", "--email", BO)
        assert imported.returncode == 0, imported.stdout + imported.stderr
        assert (
            "Imported 1 member and 1 individual grant, 1 service account, 1 team, 1 custom role, the security settings "
            "into stack production; its preview shows no change." in imported.stdout
        )

        terraform.run("state", "rm", *addresses)
        for file in FILES:
            (terraform.folder / f"{file}.tf").unlink()
        assert terraform.changes() == {}
        after = workspace.dump()
        for document in (before, after):
            del document["now"]
            for row in document["service_accounts"]:
                del row["last_used"]
        assert after == before
        workspace.unchanged()

        text = roster.read_text()
        assert text.count("shop: analyst") == 1, text
        roster.write_text(text.replace("shop: analyst", "shop: consumer"))
        workspace.up()
        assert workspace.grants(BO) == {PROJECT: "consumer"}
        (member,) = [row for row in workspace.dump()["members"] if row["email"] == BO]
        assert member["invited_at"] is None
        assert workspace.mails(BO) == 1
