"""What the CI examples promise, as rules: a rule takes the text of a file and returns what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Protocol

from .documents import STACKS, github_jobs, github_steps, gitlab_jobs, load, script_of


class Rule(Protocol):
    """What is wrong with a file, if anything."""

    @property
    def __name__(self) -> str: ...

    def __call__(self, text: str) -> Iterator[str]: ...


_PINNED = re.compile(r"uses: [\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
_NEEDED_FOR = {
    # permission: what a step of the job has that needs it
    ("contents", "read"): lambda step: "actions/checkout@" in step.get("uses", ""),
    ("id-token", "write"): lambda step: "aws-actions/configure-aws-credentials@" in step.get("uses", ""),
    ("pull-requests", "write"): lambda step: "PULL_REQUEST" in step.get("env", {}),
    ("issues", "write"): lambda step: "/issues" in step.get("run", "") and "PULL_REQUEST" not in step.get("env", {}),
}
_TOKENS = re.compile(r"AKIA[0-9A-Z]{16}|gh[opsu]_\w{20}|github_pat_\w{20}|glpat-[\w-]{20}|pul-[0-9a-f]{40}|-----BEGIN")
_SECRET_NAMES = re.compile(r"SECRET|TOKEN|PASSPHRASE|PASSWORD|ACCESS_KEY|CREDENTIAL")


def actions_are_pinned(text: str) -> Iterator[str]:
    """Every action is pinned by the digest of a commit, with its version beside it."""
    lines = text.splitlines()
    for job, step in github_steps(text):
        if "uses" in step and not _PINNED.search(lines[step.lc.value("uses")[0]]):
            yield f"{job} uses {step['uses']}"
    for job, definition in github_jobs(text).items():
        if "uses" in definition:
            yield f"{job} is another workflow"


def permissions_are_least(text: str) -> Iterator[str]:
    """Nothing is permitted to the workflow, and to each job what a step of it needs."""
    if load(text).get("permissions") != {}:
        yield "the workflow has permissions of its own"
    for name, job in github_jobs(text).items():
        permissions = job.get("permissions")
        if not isinstance(permissions, dict):
            yield f"{name} states no permissions of its own: {permissions}"
            continue
        for permission in permissions.items():
            if permission not in _NEEDED_FOR or not any(map(_NEEDED_FOR[permission], job["steps"])):
                yield f"{name} does not need {permission}"


def scripts_hold_no_expression(text: str) -> Iterator[str]:
    """No expression is put into a script, where a branch's name would be run; values come by the environment."""
    for job, step in github_steps(text):
        for script in (step.get("run", ""), step.get("with", {}).get("script", "")):
            for expression in re.findall(r"\$\{\{.*?\}\}", script):
                yield f"{job} runs {expression}"


def secrets_reach_only_pulumi(text: str) -> Iterator[str]:
    """A secret is in the environment of a step that runs Pulumi, and nowhere else."""
    allowed = 0
    for _, step in github_steps(text):
        if re.search(r"^ *(pulumi|mixpanel-access (?:drift|revoke|post)) ", step.get("run", ""), re.MULTILINE):
            allowed += str(dict(step.get("env", {}))).count("secrets.")
    everywhere = sum(_count(job) for job in github_jobs(text).values())
    if everywhere != allowed:
        yield f"{everywhere - allowed} uses of secrets outside the steps that run Pulumi"
    if _count({key: value for key, value in load(text).items() if key != "jobs"}):
        yield "a secret for the whole workflow"


def _count(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(_count, value.values()))
    if isinstance(value, list):
        return sum(map(_count, value))
    return len(re.findall(r"\bsecrets\b", value)) if isinstance(value, str) and "${{" in value else 0


def forks_get_nothing(text: str) -> Iterator[str]:
    """A pull request gets an environment if it comes from the repository itself, into the default branch."""
    jobs = github_jobs(text)
    for name, job in jobs.items():
        condition = job.get("if", "")
        environment = job.get("environment")
        if "event_name == 'pull_request" not in condition or environment is None:
            continue
        for wanted in (
            "head.repo.full_name == github.repository",
            "base.ref == github.event.repository.default_branch",
        ):
            if wanted not in condition:
                yield f"{name} runs without {wanted}"
        if not str(environment).endswith("-preview"):
            yield f"{name} has the environment {environment}"
    for name, job in jobs.items():
        first = _first(jobs, name)
        if job.get("environment") and not re.search(r"event_name == '|github\.ref == ", jobs[first].get("if", "")):
            yield f"{name} runs on every event"


def _first(jobs: dict[str, Any], name: str) -> str:
    """The job whose condition decides whether this one runs: the one that it needs, if it is skipped with that."""
    needed = jobs[name].get("needs")
    skipped = isinstance(needed, str) and f"needs.{needed}.result != 'skipped'" in jobs[name].get("if", "")
    return _first(jobs, needed) if skipped else name


_COPIES = "mixpanel-access copy-rosters "


def previews_run_reviewed_code(text: str) -> Iterator[str]:
    """A pull request runs the workflow and the code of the default branch, and the branch is a commit's id to it.

    Its rosters are copied before any credential is there, and no step has one if anything else was changed.
    """
    if "pull_request" in load(text)["on"]:
        yield "pull_request runs the workflow of the branch"
    for name, job in github_jobs(text).items():
        if "event_name == 'pull_request" not in job.get("if", ""):
            continue
        copied = False
        for step in job["steps"]:
            options, script = step.get("with", {}), step.get("run", "")
            if "actions/checkout@" in step.get("uses", "") and {"ref", "repository"} & set(options):
                yield f"{name} checks out something else than the default branch"
            if any(str(value).count("head") for value in options.values()):
                yield f"{name} gives the branch to an action"
            copied = copied or _COPIES in script
            if "head" in str(dict(step.get("env", {}))) and _COPIES not in script:
                yield f"{name} gives the branch to another step"
            handed = "role-to-assume" in options or _count(step.get("env", {}))
            if handed and (not copied or step.get("if") != "${{ steps.rosters.outputs.code == '0' }}"):
                yield f"{name} hands out credentials whatever the branch changes"


def writers_run_no_branch(text: str) -> Iterator[str]:
    """What may write to the pull request checks nothing out and has no environment with secrets."""
    for name, job in github_jobs(text).items():
        if "pull-requests" in (job.get("permissions") or {}):
            if any("checkout" in step.get("uses", "") for step in job["steps"]):
                yield f"{name} checks out code"
            if "environment" in job:
                yield f"{name} has the secrets of an environment"


def one_job_a_stack(text: str) -> Iterator[str]:
    """A job with an environment waits for others of its stack, and is not cut off."""
    for name, job in github_jobs(text).items():
        if "environment" not in job:
            continue
        concurrency = job.get("concurrency", {})
        stack = job["env"]["STACK"]
        if not str(concurrency.get("group", "")).startswith("mixpanel-access-") or stack not in concurrency["group"]:
            yield f"{name} shares no group with the jobs of {stack}"
        if concurrency.get("cancel-in-progress") is not False:
            yield f"{name} can be cut off"


def every_stack_is_there(text: str) -> Iterator[str]:
    """Where a job is there for several stacks, it is there for all."""
    for name, job in github_jobs(text).items():
        if "strategy" in job and (set(job["strategy"]["matrix"]["stack"]) != STACKS or job["strategy"]["fail-fast"]):
            yield f"{name} leaves a stack out"


def workflow_asks_the_policies(text: str) -> Iterator[str]:
    """Every preview and update is of one stack, asks nothing but the policy pack, and the nightly one refreshes."""
    for job, step in github_steps(text):
        yield from _doubtful_commands(job, step.get("run", ""), refresh=job.startswith("refresh-"))


def _doubtful_commands(job: str, script: str, *, refresh: bool) -> Iterator[str]:
    """The calls of Pulumi in a script that lack something."""
    wanted = ['--stack "$STACK"', "--policy-pack policies", '--policy-pack-config "policies/config/$STACK.json"']
    wanted += ["--non-interactive", "--color never"]
    for command, options in re.findall(r"^ *pulumi (\w+)((?:[^\n]|(?<=\\)\n)*)", script, re.MULTILINE):
        yours = {"preview": [], "up": ["--yes", "--refresh" if refresh else "--skip-preview=false"]}[command]
        for option in (*wanted, *yours):
            if f" {option} " not in f"{options.replace(chr(10), ' ')} ":
                yield f"{job} runs pulumi {command} without {option}"


def image_is_pinned(text: str) -> Iterator[str]:
    """The image is pinned by its digest, and no job has another."""
    image = load(text)["default"]["image"]
    if not re.fullmatch(r"python:3\.12\.\d+-[a-z]+@sha256:[0-9a-f]{64}", image):
        yield f"the image {image}"
    for name, job in gitlab_jobs(text).items():
        if "image" in job or "services" in job:
            yield f"{name} has an image of its own"


def no_secret_is_written_down(text: str) -> Iterator[str]:
    """No variable with a secret's name is given a value, and nothing looks like a token."""
    for token in _TOKENS.findall(text):
        yield f"a token: {token}"
    document = load(text)
    holders: list[Any] = [document, *(value for value in document.values() if isinstance(value, dict))]
    for holder in holders:
        for name in holder.get("variables", {}):
            if _SECRET_NAMES.search(name):
                yield f"a value for {name}"
    for name, job in gitlab_jobs(text).items():
        for assigned in re.findall(r"(\w+)=(?![\"']?\$)", script_of(job)):
            if _SECRET_NAMES.search(assigned):
                yield f"{name} assigns {assigned}"


def one_gitlab_job_a_stack(text: str) -> Iterator[str]:
    """A job that runs Pulumi has credentials by OpenID Connect, and a resource group and environment of its stack."""
    for name, job in gitlab_jobs(text).items():
        if not re.search(r"^\s*(pulumi|mixpanel-access (?:drift|revoke)) ", script_of(job), re.MULTILINE):
            continue
        stack = job["variables"]["STACK"]
        environment = job.get("environment", {})
        environment = environment["name"] if isinstance(environment, dict) and environment else environment
        script = script_of(job)
        wanted = stack if "pulumi up" in script else f"{stack}-nightly"
        wanted = f"preview/{stack}" if "pulumi preview" in script else wanted
        if stack not in STACKS or environment != wanted:
            yield f"{name} of stack {stack} has the environment {environment}"
        group = "mixpanel-access-preview-" if "pulumi preview" in script else "mixpanel-access-"
        if job.get("resource_group") != f"{group}{stack}":
            yield f"{name} has the resource group {job.get('resource_group')}"
        if "STATE_BACKEND_TOKEN" not in job.get("id_tokens", {}):
            yield f"{name} has no identity for the state backend"


def gitlab_forks_get_nothing(text: str) -> Iterator[str]:
    """A job of a merge request with an environment is for branches of the project alone."""
    for name, job in gitlab_jobs(text).items():
        conditions = [rule["if"] for rule in job["rules"]]
        wanted = (
            "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID",
            "$CI_MERGE_REQUEST_TARGET_BRANCH_NAME == $CI_DEFAULT_BRANCH",
        )
        if any(
            "merge_request_event" in condition and "environment" in job and words not in condition
            for condition in conditions
            for words in wanted
        ):
            yield f"{name} runs for forks, or into another branch"


def gitlab_previews_run_reviewed_code(text: str) -> Iterator[str]:
    """A merge request's own files are never checked out where a token is, and its own pipeline file is refused."""
    for name, job in gitlab_jobs(text).items():
        if not any("merge_request_event" in rule["if"] for rule in job["rules"]):
            continue
        if job.get("variables", {}).get("GIT_STRATEGY") != "none":
            yield f"{name} checks out the branch"
        script = script_of(job)
        if "pulumi preview" not in script:
            continue
        steps = (
            'case "$CI_CONFIG_PATH" in',
            'git clone --quiet --branch "$CI_DEFAULT_BRANCH"',
            _COPIES,
            "pulumi preview",
        )
        places = [script.find(step) for step in steps]
        if -1 in places or places != sorted(places):
            yield f"{name} does not refuse, clone, copy and preview in this order"


def gitlab_asks_the_policies(text: str) -> Iterator[str]:
    """Every preview and update is of one stack, asks nothing but the policy pack, and the nightly one refreshes."""
    for name, job in gitlab_jobs(text).items():
        yield from _doubtful_commands(name, script_of(job), refresh=name.startswith("refresh:"))


GITHUB_RULES: tuple[Rule, ...] = (
    actions_are_pinned,
    permissions_are_least,
    scripts_hold_no_expression,
    secrets_reach_only_pulumi,
    forks_get_nothing,
    previews_run_reviewed_code,
    writers_run_no_branch,
    one_job_a_stack,
    every_stack_is_there,
    workflow_asks_the_policies,
)
GITLAB_RULES: tuple[Rule, ...] = (
    image_is_pinned,
    no_secret_is_written_down,
    one_gitlab_job_a_stack,
    gitlab_forks_get_nothing,
    gitlab_previews_run_reviewed_code,
    gitlab_asks_the_policies,
)
