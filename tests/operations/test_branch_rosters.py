"""Of a branch that nobody has reviewed, a checkout of the reviewed code takes rosters alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mixpanel_access.cli.app import app
from mixpanel_access.files.roster import read_roster
from mixpanel_access.model.errors import RosterError, UsageError
from mixpanel_access.operations.branch_rosters import LARGEST, copy_rosters
from tests.repositories import FILES, MORE, PRODUCTION, STAGING, Edit, Repository, appended, both, linked, written

ROSTER = appended("stacks/production.yaml", MORE)
"""What a branch may change; each attack comes with it."""
CONTACT = "engagements: { audit: { type: audit } }\n"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with a project, and `main` checked out."""
    return Repository.made(tmp_path / "access")


def tree(folder: Path) -> dict[str, bytes | str]:
    """Every file of a checkout with its content, a link with its target."""
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if ".git" not in path.parts and not path.is_dir()
    }


@pytest.mark.parametrize(
    ("edit", "copied"),
    [
        pytest.param(ROSTER, {"stacks/production.yaml": PRODUCTION + MORE}, id="a person more"),
        pytest.param(
            both(ROSTER, appended("stacks/staging.yaml", MORE)),
            {"stacks/production.yaml": PRODUCTION + MORE, "stacks/staging.yaml": STAGING + MORE},
            id="two rosters",
        ),
        pytest.param(written("stacks/common.yaml", CONTACT), {"stacks/common.yaml": CONTACT}, id="what both include"),
        pytest.param(
            both(
                written("stacks/production.yaml", PRODUCTION.replace("common.yaml", "./shared/new.yml")),
                written("stacks/shared/new.yml", CONTACT),
            ),
            {
                "stacks/production.yaml": PRODUCTION.replace("common.yaml", "./shared/new.yml"),
                "stacks/shared/new.yml": CONTACT,
            },
            id="a new file to include",
        ),
        pytest.param(
            written("stacks/qa.yaml", "environment: qa\n"), {"stacks/qa.yaml": "environment: qa\n"}, id="a new roster"
        ),
        pytest.param(lambda folder: None, {}, id="nothing"),
    ],
)
def test_rosters_and_what_they_include_are_copied(repository: Repository, edit: Edit, copied: dict[str, str]) -> None:
    """They are as they would be after a merge; nothing else of the checkout changes."""
    before, commit = tree(repository.folder), repository.branch(edit)
    found = copy_rosters(repository.folder, commit)
    assert (set(found.copied), found.refused) == (set(copied), {})
    assert tree(repository.folder) == before | {name: text.encode() for name, text in copied.items()}
    assert read_roster(repository.folder / "stacks" / "production.yaml").people


def test_a_branch_that_is_behind_takes_nothing_back(repository: Repository) -> None:
    """What `main` got meanwhile stays: the rosters are those of the merge."""
    commit = repository.branch(ROSTER)
    appended("README.md", "More.\n")(repository.folder)
    ana = PRODUCTION.replace("environment: production\npro", "environment: production\norganizationRoles: true\npro")
    written("stacks/production.yaml", ana)(repository.folder)
    repository.commit()
    assert copy_rosters(repository.folder, commit).copied == ("stacks/production.yaml",)
    assert (repository.folder / "stacks" / "production.yaml").read_text() == ana + MORE


REFUSED: dict[str, tuple[Edit, str, str]] = {
    "the program": (appended("stacks/__main__.py", "print(1)\n"), "stacks/__main__.py", "is not a roster"),
    "a module beside it": (written("stacks/pulumi.py", ""), "stacks/pulumi.py", "is not a roster"),
    "the configuration": (
        appended("stacks/Pulumi.production.yaml", "# x\n"),
        "stacks/Pulumi.production.yaml",
        "is not a roster",
    ),
    "a configuration in other letters": (
        written("stacks/pulumi.Staging.yaml", "environment: x\n"),
        "stacks/pulumi.Staging.yaml",
        "is not a roster",
    ),
    "a policy pack's file": (
        both(
            written("stacks/PulumiPolicy.yaml", "{}\n"),
            written("stacks/qa.yaml", "include: PulumiPolicy.yaml\nenvironment: qa\n"),
        ),
        "stacks/PulumiPolicy.yaml",
        "is not a roster",
    ),
    "the project": (appended("Pulumi.yaml", "backend: { url: s3://x }\n"), "Pulumi.yaml", "is not a roster"),
    "the pack": (appended("policies/__main__.py", "print(1)\n"), "policies/__main__.py", "is not a roster"),
    "the requirements": (written("requirements.txt", "evil\n"), "requirements.txt", "is not a roster"),
    "the workflow": (written(".github/workflows/x.yml", "on: push\n"), ".github/workflows/x.yml", "is not a roster"),
    "the attributes": (written("stacks/.gitattributes", "* filter=x\n"), "stacks/.gitattributes", "is not a roster"),
    "a page": (appended("README.md", "More.\n"), "README.md", "is not a roster"),
    "a roster elsewhere": (written("production.yaml", PRODUCTION), "production.yaml", "is not a roster"),
    "a file that no roster includes": (written("stacks/other.yaml", CONTACT), "stacks/other.yaml", "is not a roster"),
    "a roster in a folder": (written("stacks/x/qa.yaml", STAGING), "stacks/x/qa.yaml", "is not a roster"),
    "an odd name": (written("stacks/a\nb.yaml", STAGING), "stacks/a\nb.yaml", "is not a roster"),
    "a deleted roster": (lambda f: (f / "stacks/staging.yaml").unlink(), "stacks/staging.yaml", "is deleted"),
    "a link to the configuration": (
        linked("stacks/staging.yaml", "Pulumi.production.yaml"),
        "stacks/staging.yaml",
        "is a link",
    ),
    "a link to the process": (linked("stacks/common.yaml", "/proc/self/environ"), "stacks/common.yaml", "is a link"),
    "a new link": (linked("stacks/new.yaml", "production.yaml"), "stacks/new.yaml", "is a link"),
    "a large roster": (
        appended("stacks/staging.yaml", "#" * LARGEST),
        "stacks/staging.yaml",
        f"is larger than {LARGEST} bytes",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_anything_else_is_refused(repository: Repository, name: str) -> None:
    """Beside a change of a roster too; then nothing at all is copied."""
    edit, path, why = REFUSED[name]
    before, commit = tree(repository.folder), repository.branch(both(ROSTER, edit))
    found = copy_rosters(repository.folder, commit)
    assert (found.copied, found.refused) == ((), {path: why})
    assert tree(repository.folder) == before


def test_a_folder_that_becomes_a_link_is_refused(repository: Repository) -> None:
    """The program's folder is no way out either."""

    def edit(folder: Path) -> None:
        for file in (folder / "stacks").iterdir():
            file.unlink()
        (folder / "stacks").rmdir()
        (folder / "stacks").symlink_to("policies")

    found = copy_rosters(repository.folder, repository.branch(edit))
    assert found.copied == ()
    assert found.refused["stacks"] == "is not a roster"


def test_a_link_of_the_checkout_is_not_followed(repository: Repository) -> None:
    """Where the reviewed code has a link, a branch that puts a file there does not write through it."""
    linked("stacks/common.yaml", "../README.md")(repository.folder)
    repository.commit()
    found = copy_rosters(repository.folder, repository.branch(written("stacks/common.yaml", CONTACT)))
    assert found.refused == {"stacks/common.yaml": "is a link"}
    assert (repository.folder / "README.md").read_text() == FILES["README.md"]


@pytest.mark.parametrize(
    ("included", "why"),
    [
        ("../README.yaml", "YAML files of its own folder alone"),
        ("shared/../common.yaml", "YAML files of its own folder alone"),
        ("/etc/passwd", "YAML files of its own folder alone"),
        ("/proc/self/environ", "YAML files of its own folder alone"),
        ("Pulumi.production.yaml", "YAML files of its own folder alone"),
        ("PULUMI.production.yaml", "YAML files of its own folder alone"),
        ("__main__.py", "YAML files of its own folder alone"),
        ("none.yaml", "the file does not exist"),
        ("ours.yaml", "not a regular file"),
    ],
)
def test_a_roster_includes_files_of_its_folder_alone(repository: Repository, included: str, why: str) -> None:
    """No include leads out of it, to Pulumi's files, or through a link, even one of the reviewed code."""
    linked("stacks/ours.yaml", "/etc/hostname")(repository.folder)
    repository.commit()
    before = tree(repository.folder)
    commit = repository.branch(written("stacks/production.yaml", PRODUCTION.replace("common.yaml", included)))
    with pytest.raises(RosterError, match=rf"production\.yaml:1: .* cannot be included: .*{why}"):
        copy_rosters(repository.folder, commit)
    assert tree(repository.folder) == before


@pytest.mark.parametrize(
    ("text", "words"),
    [("environment: [", "production.yaml:2"), ("- x\n", "is not a roster"), (PRODUCTION + "  - {}\n", "'email'")],
)
def test_a_roster_that_cannot_be_read_is_not_copied(repository: Repository, text: str, words: str) -> None:
    """A broken one is told with its line, and what is none is refused."""
    before, commit = tree(repository.folder), repository.branch(written("stacks/production.yaml", text))
    try:
        said = str(copy_rosters(repository.folder, commit).refused)
    except RosterError as error:
        said = str(error)
    assert words in said
    assert tree(repository.folder) == before


def test_a_checkout_with_changes_is_refused(repository: Repository) -> None:
    """What runs then would not be what was reviewed."""
    commit = repository.branch(ROSTER)
    appended("stacks/__main__.py", "print(1)\n")(repository.folder)
    with pytest.raises(UsageError, match="has changes of its own"):
        copy_rosters(repository.folder, commit)


def test_a_conflict_is_told(repository: Repository) -> None:
    """With what to do."""
    commit = repository.branch(ROSTER)
    appended("stacks/production.yaml", MORE.replace("robin", "cy"))(repository.folder)
    repository.commit()
    with pytest.raises(UsageError, match=r"conflicts with the commit that is checked out\. Merge"):
        copy_rosters(repository.folder, commit)


@pytest.mark.parametrize("commit", ["0" * 40, "main", "--help", "", "HEAD~1", "a" * 39, "0" * 40 + "\n"])
def test_what_is_no_commit_is_told(repository: Repository, commit: str) -> None:
    """As one line; no option of git can be given in its place."""
    with pytest.raises(UsageError, match="cannot copy the rosters of the branch"):
        copy_rosters(repository.folder, commit)


def test_outside_a_repository_is_told(tmp_path: Path) -> None:
    """With git's own words."""
    with pytest.raises(UsageError, match="not a git repository"):
        copy_rosters(tmp_path, "0" * 40)


def test_the_project_may_be_a_folder_of_the_repository(tmp_path: Path) -> None:
    """The program may be the project's folder itself, too."""
    files = {f"mixpanel/{name.removeprefix('stacks/')}": text for name, text in FILES.items()}
    files["mixpanel/Pulumi.yaml"] = "name: access\nruntime: python\n"
    repository = Repository.made(tmp_path / "all", files)
    commit = repository.branch(appended("mixpanel/production.yaml", MORE))
    assert copy_rosters(repository.folder / "mixpanel", commit).copied == ("mixpanel/production.yaml",)
    commit = repository.branch(appended("mixpanel/Pulumi.yaml", "description: x\n"), "other")
    repository.git("checkout", "-q", "--", ".")
    assert copy_rosters(repository.folder / "mixpanel", commit).refused == {"mixpanel/Pulumi.yaml": "is not a roster"}


def test_the_command_says_what_it_did(repository: Repository) -> None:
    """Exit code 0 and the files, or 4 and each path on one line, with no character that steers a log."""
    good, bad = repository.branch(ROSTER), repository.branch(written("a\n::x::\x1b[2J", ""), "bad")
    shown = CliRunner().invoke(app, ["copy-rosters", bad, "-C", str(repository.folder)])
    assert shown.exit_code == 4
    assert "\n- a\\x0a::x::\\x1b[2J is not a roster\n" in shown.output
    shown = CliRunner().invoke(app, ["copy-rosters", good, "-C", str(repository.folder)])
    assert shown.exit_code == 0
    assert shown.output.splitlines()[0] == "copied stacks/production.yaml"
