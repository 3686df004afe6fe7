"""The scripts of the jobs that change something: by the newest commit, ended access in any case, with a clear end."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from .documents import GITLAB, gitlab_jobs, script_of
from .test_ci_scripts import GitHub, github, github_script, program, run

__all__ = ["github"]  # a fixture

BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]


@dataclass(frozen=True)
class Repository:
    """A main with two commits, and a clone of one of them, as a job has it."""

    folder: Path
    old: str
    new: str

    @property
    def clone(self) -> Path:
        return self.folder / "clone"

    def environment(self, at: str) -> dict[str, str]:
        """What GitHub and GitLab tell a job of a commit."""
        return {
            "GITHUB_REPOSITORY": "o/r",
            "GITHUB_ENV": str(self.folder / "env"),
            "CI_COMMIT_SHA": at,
            "CI_DEFAULT_BRANCH": "main",
            "CI_REPOSITORY_URL": str(self.folder / "main"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOME": str(self.folder),
        }

    def run(self, script: str, at: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        return run([*BASH, script], self.clone, **{**self.environment(at), **env})


def _git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The repository that each test has a copy of; the clone has the old commit checked out."""
    folder = tmp_path_factory.mktemp("repository")
    main = folder / "main"
    main.mkdir()
    _git(main, "init", "-q", "-b", "main")
    commits = []
    for text in ("old", "new"):
        (main / "roster").write_text(text)
        _git(main, "add", "roster")
        _git(main, "commit", "-q", "-m", text)
        commits.append(_git(main, "rev-parse", "HEAD"))
    _git(folder, "clone", "-q", str(main), "clone")
    _git(folder / "clone", "checkout", "-q", "--detach", commits[0])
    answer = f'test "$*" = "api repos/o/r/commits/main --jq .sha" && echo {commits[1]}'
    program(folder / "clone" / "bin", "gh", f"#!/bin/sh\n{answer}\n")
    return Repository(folder, *commits)


@pytest.fixture
def repository(made: Repository, tmp_path: Path) -> Repository:
    """A copy."""
    shutil.copytree(made.folder, tmp_path / "copy")
    return replace(made, folder=tmp_path / "copy")


CHECKS = {
    "github up": github_script("up-production", "newest commit"),
    "github refresh": github_script("refresh-production", "newest commit"),
    "github drift": github_script("drift", "newest commit"),
    "gitlab up": str(gitlab_jobs(GITLAB)["up:production"]["script"][0]),
    "gitlab refresh": str(gitlab_jobs(GITLAB)["refresh:production"]["script"][0]),
    "gitlab drift": str(gitlab_jobs(GITLAB)["drift:production"]["script"][0]),
}


@pytest.mark.parametrize("script", CHECKS.values(), ids=CHECKS.keys())
def test_only_the_newest_commit_is_applied(repository: Repository, script: str) -> None:
    """A run of an old commit fails with what to do; one of the newest goes on."""
    done = repository.run(script, repository.old)
    assert done.returncode != 0
    assert "Nothing was changed" in done.stdout
    _git(repository.clone, "checkout", "-q", "--detach", repository.new)
    assert repository.run(script, repository.new).returncode == 0


@pytest.mark.parametrize("script", CHECKS.values(), ids=CHECKS.keys())
def test_nothing_is_applied_where_the_newest_commit_is_not_known(repository: Repository, script: str) -> None:
    """A GitHub or GitLab that does not answer is not a permission."""
    _git(repository.clone, "checkout", "-q", "--detach", repository.new)
    program(repository.clone / "bin", "gh", "#!/bin/sh\nexit 1\n")
    done = repository.run(script, repository.new, CI_REPOSITORY_URL=str(repository.folder / "nowhere"))
    assert done.returncode != 0


def _revoke(repository: Repository, **env: str) -> dict[str, subprocess.CompletedProcess[str]]:
    """Run the steps of both examples, each in the clone at its old commit; what they call says its arguments."""
    said = '#!/bin/sh\necho "$@"; cat roster\n'
    program(repository.clone / "bin", "mixpanel-access", said)
    found: dict[str, subprocess.CompletedProcess[str]] = {}
    for name in ("github", "gitlab"):
        _git(repository.clone, "checkout", "-q", "--detach", repository.old)
        if name == "github":
            (repository.folder / "env").write_text("")
            assert repository.run(github_script("revoke", "newest commit"), **env).returncode == 0
            lines = (repository.folder / "env").read_text().splitlines()
            more = dict(line.split("=", 1) for line in lines)
            found[name] = repository.run(github_script("revoke", "Take away ended"), **env, **more)
        else:
            found[name] = repository.run(
                script_of({"script": gitlab_jobs(GITLAB)["revoke:production"]["script"]}), **env
            )
    return found


def test_revoke_takes_by_the_newest_roster(repository: Repository) -> None:
    """A run of an old commit fetches main first."""
    for done in _revoke(repository).values():
        assert done.returncode == 0, done.stderr
        assert "revoke --stack production --yes\nnew" in done.stdout


def test_revoke_takes_what_has_ended_where_main_cannot_be_fetched(repository: Repository) -> None:
    """Then no roster is asked, since an old one would take away what a newer one gives."""
    _git(repository.clone, "remote", "set-url", "origin", str(repository.folder / "nowhere"))
    for done in _revoke(repository, CI_REPOSITORY_URL=str(repository.folder / "nowhere")).values():
        assert done.returncode == 0, done.stderr
        assert "revoke --stack production --yes --ended-only\nold" in done.stdout


@pytest.mark.parametrize(
    ("said", "codes", "waits", "ends"),
    [
        pytest.param("Nothing has ended", [0], [], 0, id="done"),
        pytest.param("cannot revoke: another run has locked the stack", [1, 0], ["60"], 0, id="locked once"),
        pytest.param("another run has locked the stack", [1] * 4, ["60", "300", "900"], 1, id="locked for good"),
        pytest.param("STAYS: a brake", [1], [], 1, id="held"),
        pytest.param("", [2], [], 2, id="crash"),
    ],
)
def test_revoke_tries_again_while_an_update_has_the_stack(
    repository: Repository, said: str, codes: list[int], waits: list[str], ends: int
) -> None:
    """It does not wait in the queue of the updates; what is left fails the job, with what to read."""
    folder = repository.clone
    (folder / "codes").write_text("\n".join(map(str, codes)) + "\n")
    program(
        folder / "bin",
        "mixpanel-access",
        f"#!/bin/sh\necho '{said}'\ncode=$(head -n 1 codes); sed -i 1d codes; exit $code\n",
    )
    program(folder / "bin", "sleep", "#!/bin/sh\necho $1 >> waits\n")
    done = repository.run(github_script("revoke", "Take away ended"))
    assert done.returncode == ends
    assert (folder / "codes").read_text() == ""
    assert ((folder / "waits").read_text().split() if waits else []) == waits
    assert ("::error title=Ended access is left in production::" in done.stdout) == (ends != 0)


UPDATES = {
    "up": (github_script("up-production", "Update the stack"), github_script("up-production", "Say what to do")),
    "refresh": (
        github_script("refresh-production", "Update what is due"),
        github_script("refresh-production", "Say what to do"),
    ),
}


@pytest.mark.parametrize(("script", "after"), UPDATES.values(), ids=UPDATES.keys())
@pytest.mark.parametrize(("code", "stopped"), [(0, False), (255, False), (124, True), (137, True)])
def test_an_update_that_takes_too_long_says_what_to_do(
    tmp_path: Path, script: str, after: str, code: int, stopped: bool
) -> None:
    """Pulumi is interrupted, which lets it end in order, and the step after it says how to go on."""
    program(tmp_path / "bin", "timeout", f'#!/bin/sh\necho "$@"\nexit {code}\n')
    environment = tmp_path / "env"
    environment.touch()
    done = run([*BASH, script], tmp_path, GITHUB_ENV=str(environment))
    assert done.returncode == code
    assert done.stdout.startswith("--foreground --signal=INT --kill-after=15m 40m pulumi up --stack production --yes")
    assert environment.read_text() == ("STOPPED=true\n" if stopped else "")
    said = run([*BASH, after], tmp_path).stdout
    assert "Run this job again" in said
    assert "pulumi cancel --stack production" in said


def test_the_interrupt_reaches_pulumi(tmp_path: Path) -> None:
    """The machine's own `timeout` takes the options, and what it interrupts ends by itself."""
    program(tmp_path / "bin", "pulumi", "#!/bin/sh\ntrap 'echo saved; exit 3' INT\nwhile :; do :; done\n")
    script = UPDATES["up"][0].replace("40m", "0.2s").replace("15m", "9s")
    environment = tmp_path / "env"
    done = run([*BASH, script], tmp_path, GITHUB_ENV=str(environment))
    assert (done.stdout, done.returncode, environment.read_text()) == ("saved\n", 124, "STOPPED=true\n")


@pytest.mark.parametrize("name", ["up:production", "refresh:production"])
@pytest.mark.parametrize("status", ["success", "failed", "canceled"])
def test_gitlab_says_what_to_do(tmp_path: Path, name: str, status: str) -> None:
    """After any end but a good one."""
    script = "\n".join(map(str, gitlab_jobs(GITLAB)[name]["after_script"]))
    said = run([*BASH, script], tmp_path, CI_JOB_STATUS=status).stdout
    assert ("pulumi cancel --stack production" in said) == (status != "success")


@pytest.mark.parametrize("findings", ["a ``` b", "`````\n@everyone", "none", "`" * 59_999 + "x" * 9])
def test_findings_cannot_leave_their_block(github: GitHub, findings: str) -> None:
    """Backticks in the findings do not end the block of the issue, however many they are, also where they are cut."""
    assert github.report("1", findings).returncode == 0
    [issue] = [one for one in github.entries if one["title"] == "Drift of stack production"]
    fence = issue["body"].rstrip("\n").rpartition("\n")[2]
    assert set(fence) == {"`"}
    assert len(fence) >= 3
    shown = issue["body"].partition(f"{fence}text\n")[2].removesuffix(f"\n{fence}\n")
    assert shown == findings[:60_000]
    assert fence not in shown
