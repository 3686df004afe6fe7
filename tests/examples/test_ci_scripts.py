"""The scripts in the CI examples do what they say, run against a small GitHub, a small GitLab and made-up commands."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from .documents import GITHUB, GITLAB, github_steps, gitlab_jobs

MARKER = "<!-- mixpanel-access preview production -->"
BOT = {"id": 7, "login": "github-actions[bot]"}
SOMEBODY = {"id": 8, "login": "robin"}

FAKE_GH = f"""#!{sys.executable}
import json, os, pathlib, sys
store = pathlib.Path(os.environ["GH_STORE"])
entries = json.loads(store.read_text())
assert sys.argv[1] == "api" and os.environ["GH_TOKEN"] == "made-up"
path = sys.argv[-3] if sys.argv[-2:] == ["--input", "-"] else sys.argv[-1]
if "--method" not in sys.argv:
    assert "--paginate" in sys.argv and "--slurp" in sys.argv
    print(json.dumps([entries[:1], entries[1:]]))
    sys.exit()
fields = json.load(sys.stdin)
if sys.argv[sys.argv.index("--method") + 1] == "POST":
    entries.append({{"id": 100, "number": 100, "user": {BOT!r}, "path": path, **fields}})
else:
    assert "PATCH" in sys.argv
    key = int(path.rpartition("/")[2])
    next(one for one in entries if key in (one.get("id"), one.get("number"))).update(path=path, **fields)
store.write_text(json.dumps(entries))
print("{{}}")
"""


def program(folder: Path, name: str, text: str) -> None:
    """Put a made-up command into a folder."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)


def run(command: list[str], folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run it in a folder, with the folder `bin` of that first on PATH and nothing of the surroundings but PATH."""
    environ = {"PATH": os.pathsep.join([str(folder / "bin"), os.environ["PATH"]]), "STACK": "production", **env}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False)


def github_script(job: str, words: str) -> str:
    """The script of the step whose name has these words."""
    return next(str(s["run"]) for name, s in github_steps(GITHUB) if name == job and words in s.get("name", ""))


@dataclass
class GitHub:
    """A folder to run a step in, with a `gh` that keeps comments or issues in a file."""

    folder: Path
    entries: list[dict[str, Any]] = field(default_factory=list)

    def python(self, job: str, words: str, **env: str) -> subprocess.CompletedProcess[str]:
        store = self.folder / "store.json"
        store.write_text(json.dumps(self.entries))
        program(self.folder / "bin", "gh", FAKE_GH)
        given = {"GITHUB_SERVER_URL": "https://git.example.com", "GITHUB_REPOSITORY": "o/r", "GITHUB_RUN_ID": "5"}
        given |= {"GH_TOKEN": "made-up", "GH_STORE": str(store), "PULL_REQUEST": "3", "COMMIT": "abc", "BASE": "def"}
        done = run([sys.executable, "-c", github_script(job, words)], self.folder, **given, **env)
        self.entries = json.loads(store.read_text())
        return done

    def comment(self) -> str:
        """Run the step that comments; the text of the comment."""
        done = self.python("comment", "Write the comment")
        assert done.returncode == 0, done.stderr
        [text] = [e["body"] for e in self.entries if e["body"].startswith(MARKER) and e["user"] == BOT]
        return str(text)

    def report(self, code: str, findings: str) -> subprocess.CompletedProcess[str]:
        """Run the step that reports drift."""
        (self.folder / "drift.txt").write_text(findings)
        return self.python("drift", "Report the drift", CODE=code)


@pytest.fixture
def github(tmp_path: Path) -> GitHub:
    """A GitHub with a comment and an issue that are not ours."""
    return GitHub(tmp_path, [{"id": 1, "number": 1, "user": SOMEBODY, "body": f"{MARKER} hi", "title": "Drift of"}])


def write_plan(folder: Path, text: str, code: int | str) -> None:
    """What the job `preview` hands on."""
    (folder / "preview").mkdir(exist_ok=True)
    (folder / "preview" / "plan.txt").write_text(text)
    (folder / "preview" / "exit-code.txt").write_text(f"{code}\n")
    (folder / "preview" / "base.txt").write_text(f"{'d' * 40}\n")


def test_a_second_preview_updates_the_comment(github: GitHub) -> None:
    """There is one comment a stack; what somebody else wrote with the same beginning is left."""
    write_plan(github.folder, "+ member robin", 0)
    assert "succeeded" in github.comment()
    assert github.entries[1]["path"] == "repos/o/r/issues/3/comments"
    write_plan(github.folder, "- member robin", 255)
    text = github.comment()
    assert "FAILED (exit code 255)" in text
    assert "```text\n- member robin\n```" in text
    assert "+ member" not in text
    assert github.entries[1]["path"] == "repos/o/r/issues/comments/100"
    assert github.entries[0]["body"] == f"{MARKER} hi"
    assert len(github.entries) == 2


def test_a_preview_that_never_began_is_told(github: GitHub) -> None:
    """Without a plan the comment says that there is none."""
    assert "FAILED before it began" in github.comment()


def test_a_preview_that_was_not_made_is_told(github: GitHub) -> None:
    """With the reason, and no word of success; what a preview says whose code it ran."""
    write_plan(github.folder, "- README.md is not a roster", 0)
    text = github.comment()
    assert "succeeded" in text
    assert (
        "Made by the program, the policies and the configuration of def, which is reviewed. Of the branch, only" in text
    )
    (github.folder / "preview" / "exit-code.txt").unlink()
    text = github.comment()
    assert "Preview of stack `production` was NOT made" in text
    assert "Nothing of the branch was run. Its commit is abc." in text
    assert "- README.md is not a roster" in text
    assert "succeeded" not in text


_HEADING = re.compile(
    r"### Preview of stack `production` (FAILED before it began|FAILED \(exit code [0-9]{1,3}\)|was NOT made)"
)
ODD_CODES = [
    "",
    "00",
    "0 0",
    "0\n1",
    "-0",
    "+0",
    "0x0",
    "\N{FULLWIDTH DIGIT ZERO}",
    "\N{SUPERSCRIPT TWO}",
    "1)",
    "<b>0</b>",
    "`0`",
    "9" * 5000,
    "0" + " " * 50 + "1",
]


@pytest.mark.parametrize("code", ODD_CODES)
def test_an_exit_code_is_digits_or_a_failure(github: GitHub, code: str) -> None:
    """Whatever stands in the file, nothing but "0" is a success, and only digits reach the comment."""
    write_plan(github.folder, "plan", code)
    heading = github.comment().splitlines()[1]
    assert _HEADING.fullmatch(heading)


def test_controls_and_marks_of_direction_do_not_reach_the_comment(github: GitHub) -> None:
    """Neither by the plan nor by a link in its place."""
    write_plan(github.folder, "a\x1b[2Jb\u202ec\rd\x00\u2028e\n\tü", 0)
    assert "a\ufffd[2Jb\ufffdc\ufffdd\ufffd\ufffde\n\tü" in github.comment()
    secret = github.folder / "secret"
    secret.write_text("hush")
    (github.folder / "preview" / "plan.txt").unlink()
    (github.folder / "preview" / "plan.txt").symlink_to(secret)
    assert "hush" not in github.comment()


@pytest.mark.parametrize("size", [59_999, 60_000, 60_001, 240_001, 1_000_000])
def test_a_long_plan_keeps_its_end(github: GitHub, size: int) -> None:
    """GitHub takes 65,536 characters; the end, with the errors, is what matters."""
    write_plan(github.folder, "x" * (size - 3) + "end", 0)
    text = github.comment()
    assert len(text) < 65_536
    assert "end\n```" in text
    assert ("The end of it" in text) == (size > 60_000)


def test_a_plan_cannot_leave_its_block(github: GitHub) -> None:
    """Backticks in a plan do not end the block that it is in."""
    write_plan(github.folder, "a\n```\n@everyone\n`````\n", 0)
    assert "\n``````text\na\n```\n@everyone\n`````\n\n``````\n" in github.comment()


def test_drift_is_one_issue(github: GitHub) -> None:
    """The issue is opened, updated, and closed; those of others are left."""
    github.entries.append({"number": 2, "user": BOT, "title": "Drift of stack staging", "body": "of staging"})
    others = list(github.entries)
    assert github.report("1", "unmanaged one").returncode == 0
    assert github.report("1", "unmanaged two").returncode == 0
    [issue] = github.entries[2:]
    assert issue["title"] == "Drift of stack production"
    assert "unmanaged two" in issue["body"]
    assert "state" not in issue
    assert github.report("0", "no drift").returncode == 0
    assert github.entries[2]["state"] == "closed"
    assert github.entries[:2] == others


@pytest.mark.parametrize(("code", "findings"), [("1", ""), ("2", ""), ("3", "half of it")])
def test_a_comparison_that_failed_is_no_drift(github: GitHub, code: str, findings: str) -> None:
    """The job fails, and no issue is opened or closed."""
    github.entries.append({"number": 2, "user": BOT, "title": "Drift of stack production", "body": "before"})
    before = list(github.entries)
    done = github.report(code, findings)
    assert done.returncode == 1
    assert "could not compare" in done.stderr
    assert github.entries == before


@pytest.mark.parametrize("code", [0, 255])
def test_the_preview_hands_on_what_it_said_and_how_it_ended(tmp_path: Path, code: int) -> None:
    """Both streams and the exit code are kept, in either file, and the step ends as the preview did."""
    program(tmp_path / "bin", "pulumi", f'#!/bin/sh\necho "$@"\necho oops >&2\nexit {code}\n')
    program(tmp_path / "bin", "mixpanel-access", "#!/bin/sh\necho copied\n")
    scripts = {
        "github": github_script("preview", "Preview"),
        "gitlab": gitlab_jobs(GITLAB)["preview:production"]["script"][0],
    }
    for name, script in scripts.items():
        folder = tmp_path / name / "reviewed" if name == "gitlab" else tmp_path / name
        folder.mkdir(parents=True)
        (tmp_path / name / "preview").mkdir()
        (folder / "bin").symlink_to(tmp_path / "bin")
        bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", str(script)]
        done = run(bash, folder, CI_COMMIT_SHA="a" * 40)
        assert done.returncode == code, done.stderr
        assert (tmp_path / name / "preview" / "exit-code.txt").read_text() == f"{code}\n"
        plan = (tmp_path / name / "preview" / "plan.txt").read_text()
        assert plan in done.stdout
        assert "--policy-pack-config policies/config/production.json" in plan
        assert "oops" in plan


@pytest.mark.parametrize(
    ("said", "code", "gitlab_code"),
    [
        pytest.param("no drift", 0, 0, id="none"),
        pytest.param("unmanaged robin", 1, 1, id="findings"),
        pytest.param("", 1, 3, id="crash"),
        pytest.param("half", 2, 2, id="usage"),
    ],
)
def test_drift_does_not_end_the_night(tmp_path: Path, said: str, code: int, gitlab_code: int) -> None:
    """On GitHub the step goes on with the code in its outputs; on GitLab findings alone are a warning."""
    program(tmp_path / "bin", "mixpanel-access", f"#!/bin/sh\nprintf '%s' '{said}'\nexit {code}\n")
    bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
    outputs, summary = tmp_path / "outputs", tmp_path / "summary"
    files = {"GITHUB_OUTPUT": str(outputs), "GITHUB_STEP_SUMMARY": str(summary)}
    assert run([*bash, github_script("drift", "Look for drift")], tmp_path, **files).returncode == 0
    assert outputs.read_text() == f"code={code}\n"
    assert said in summary.read_text()
    assert run([*bash, str(gitlab_jobs(GITLAB)["drift:production"]["script"][-1])], tmp_path).returncode == gitlab_code


class GitLab(ThreadingHTTPServer):
    """The notes of one merge request, over HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), GitLabHandler)
        self.notes: list[dict[str, Any]] = [
            {"id": n, "author": {"id": 8}, "body": f"{MARKER} hi" if n == 3 else "hi"} for n in range(150)
        ]


class GitLabHandler(BaseHTTPRequestHandler):
    server: GitLab

    def do_GET(self) -> None:
        if self.path == "/api/v4/user":
            self.answer({"id": 7})
        else:
            match = re.fullmatch(r"/api/v4/projects/11/merge_requests/3/notes\?per_page=100&page=(\d+)", self.path)
            assert match, self.path
            first = (int(match[1]) - 1) * 100
            self.answer(self.server.notes[first : first + 100])

    def do_POST(self) -> None:
        assert self.path == "/api/v4/projects/11/merge_requests/3/notes"
        self.server.notes.append({"id": 900, "author": {"id": 7}, **self.fields()})
        self.answer({})

    def do_PUT(self) -> None:
        assert self.path == "/api/v4/projects/11/merge_requests/3/notes/900"
        self.server.notes[150].update(self.fields())
        self.answer({})

    def fields(self) -> dict[str, Any]:
        return dict(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def answer(self, document: object) -> None:
        self.send_response(200 if self.headers["PRIVATE-TOKEN"] == "made-up" else 401)
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[GitLab]:
    """A GitLab with two pages of notes that are not ours."""
    with GitLab() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    """The same for a test."""
    with serving() as server:
        yield server


def note(gitlab: GitLab, folder: Path) -> str:
    """Run the script that writes the note; the text of the note."""
    script = str(gitlab_jobs(GITLAB)["note:production"]["script"][0])
    env = {
        "CI_API_V4_URL": f"http://127.0.0.1:{gitlab.server_port}/api/v4",
        "CI_PROJECT_ID": "11",
        "CI_MERGE_REQUEST_IID": "3",
        "CI_PIPELINE_URL": "https://git.example.com/p/1",
        "CI_COMMIT_SHA": "abc",
        "MERGE_REQUEST_TOKEN": "made-up",
        "no_proxy": "127.0.0.1",
    }
    done = run(["bash", "-e", "-c", script], folder, **env)
    assert done.returncode == 0, done.stderr
    assert len(gitlab.notes) == 151
    body = str(gitlab.notes[150]["body"])
    assert body.startswith(MARKER)
    return body


def test_a_second_preview_updates_the_note(gitlab: GitLab, tmp_path: Path) -> None:
    """There is one note a stack, also on the second page, in a merge request where others write."""
    for text, code, verdict in (("+ robin", 0, "succeeded"), ("- robin", 255, "FAILED (exit code 255)")):
        write_plan(tmp_path, text, code)
        body = note(gitlab, tmp_path)
        assert verdict in body
        assert f"```text\n{text}\n```" in body
        assert f"the configuration of {'d' * 40}, which is reviewed" in body
    assert gitlab.notes[3]["body"] == f"{MARKER} hi"


@pytest.mark.parametrize("code", ODD_CODES)
def test_an_odd_exit_code_is_no_success_on_gitlab(gitlab: GitLab, tmp_path: Path, code: str) -> None:
    """The two scripts judge alike."""
    write_plan(tmp_path, "pl\x1ban", code)
    (tmp_path / "preview" / "base.txt").write_text("<b>main</b>")
    body = note(gitlab, tmp_path)
    assert _HEADING.fullmatch(body.splitlines()[1])
    assert "pl\ufffdan" in body
    assert "<b>" not in body
