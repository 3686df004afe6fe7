"""What the jobs that change something promise, as rules: updates, revocations, and the look for drift."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .documents import STACKS, github_jobs, gitlab_jobs, load, script_of
from .rules import Rule

_LIMIT = re.compile(r"timeout --foreground --signal=INT --kill-after=(\d+)m (\d+)m \\\n *pulumi up ")
_SET_UP = 20
"""Minutes that the steps before an update may take, at least."""


def _runs(job: Any) -> list[str]:
    return [step.get("run", "") for step in job["steps"]]


def _index(runs: list[str], words: str) -> int:
    """The first step with a command of these words; past the end if there is none."""
    return next((i for i, run in enumerate(runs) if re.search(rf"^ *{words}", run, re.MULTILINE)), len(runs))


def production_is_last(text: str) -> Iterator[str]:
    """A merge changes production once staging is done."""
    if github_jobs(text)["up-production"].get("needs") != "up-staging":
        yield "up-production does not wait for up-staging"


def old_commits_change_nothing(text: str) -> Iterator[str]:
    """Updates and drift check right before that main has no newer commit; `revoke` takes the newest, or only ends."""
    for name, job in github_jobs(text).items():
        steps, runs = job["steps"], _runs(job)
        for words in ("pulumi up ", "mixpanel-access drift "):
            at = _index(runs, words)
            check = runs[at - 1] if 0 < at < len(runs) else 'commits/main" != "$newest" exit 1'
            if not ('commits/main"' in check and '!= "$newest"' in check and "exit 1" in check):
                yield f"{name} runs an old commit"
        if "mixpanel-access revoke" in "".join(runs):
            before = runs[_index(runs, "mixpanel-access revoke") - 1]
            if "fetch -q --depth=1 origin main; then\n  git checkout -q --detach FETCH_HEAD" not in before:
                yield f"{name} takes by an old roster"
            if "ENDED_ONLY=--ended-only" not in before or "--yes ${ENDED_ONLY:-}" not in "".join(runs):
                yield f"{name} takes by a roster that may be old"
        refs = {str(step.get("with", {}).get("ref")) for step in steps if "actions/checkout@" in step.get("uses", "")}
        if name.startswith(("revoke", "drift", "refresh")) and refs != {"main"}:
            yield f"{name} does not check out main"


def what_gives_waits_for_reviewers(text: str) -> Iterator[str]:
    """An update is in the environment of its stack, which may have reviewers; what only takes or reads is in none."""
    for name, job in github_jobs(text).items():
        runs, stack = "\n".join(_runs(job)), job.get("env", {}).get("STACK")
        if re.search(r"^ *pulumi up ", runs, re.MULTILINE) and job.get("environment") != stack:
            yield f"{name} updates in the environment {job.get('environment')}"
        if (
            re.search(r"^ *mixpanel-access (revoke|drift) ", runs, re.MULTILINE)
            and job.get("environment") != f"{stack}-nightly"
        ):
            yield f"{name} takes or reads in the environment {job.get('environment')}"


def revoke_waits_for_nobody(text: str) -> Iterator[str]:
    """Ended access goes first, in each stack by itself, and what is left fails the job; drift and updates follow."""
    jobs = github_jobs(text)
    revoke, runs = jobs["revoke"], _runs(jobs["revoke"])
    script = runs[_index(runs, "mixpanel-access revoke")]
    if "needs" in revoke or "max-parallel" in revoke["strategy"] or revoke["strategy"]["fail-fast"]:
        yield "ended access waits for something else"
    if any(step.get("if") for step in revoke["steps"][: _index(runs, "mixpanel-access revoke") + 1]):
        yield "a step of the revocation waits for another"
    shared = [name for name, job in jobs.items() if job.get("concurrency", {}).get("group") == _group(revoke)]
    if shared != ["revoke"]:
        yield f"revoke waits for {', '.join(shared)}"
    if 'exit "$code"' not in script or "has locked the stack" not in script:
        yield "what is left does not fail the night"
    for name, needed in (("drift", "revoke"), ("refresh-staging", "drift"), ("refresh-production", "drift")):
        if jobs[name].get("needs") != needed or "!cancelled()" not in jobs[name].get("if", ""):
            yield f"{name} does not follow {needed}"


def a_merge_takes_away_first(text: str) -> Iterator[str]:
    """What a merge takes away goes before its update, which a finding about somebody else may stop."""
    jobs = github_jobs(text)
    revoke, staging, production = jobs["revoke"], jobs["up-staging"], jobs["up-production"]
    if "github.event_name == 'push'" not in revoke["if"]:
        yield "a merge takes nothing away by itself"
    if staging.get("needs") != "revoke" or "!cancelled()" not in staging["if"]:
        yield "up-staging does not follow revoke"
    if "needs.up-staging.result == 'success'" not in production["if"] or "!cancelled()" not in production["if"]:
        yield "what is left keeps up-production from running"
    if "github.event_name != 'push'" not in jobs["drift"]["if"]:
        yield "a merge runs the nightly update"


def _group(job: Any) -> str:
    return str(job["concurrency"]["group"])


def updates_are_not_cancelled(text: str) -> Iterator[str]:
    """No update is cancelled by a later job of its group, and a nightly one that waits does not hold up a merge."""
    jobs = github_jobs(text)
    for stack in sorted(STACKS):
        up, refresh = jobs[f"up-{stack}"], jobs[f"refresh-{stack}"]
        if up["concurrency"].get("queue") != "max":
            yield f"up-{stack} is cancelled by a later job"
        if _group(up) == _group(refresh):
            yield f"up-{stack} waits for refresh-{stack}"
    for name, job in jobs.items():
        if job.get("concurrency", {}).get("queue", "max") != "max":
            yield f"{name} has an unknown queue"


def updates_end_in_order(text: str) -> Iterator[str]:
    """Before a job's time is over, Pulumi is told to end what it has begun; and a step says what to do then."""
    for name, job in github_jobs(text).items():
        runs = _runs(job)
        at = _index(runs, "pulumi up ")
        if at == len(runs):
            continue
        limit = _LIMIT.search(runs[at])
        if limit is None or sum(map(int, limit.groups())) + _SET_UP > job["timeout-minutes"]:
            yield f"{name} is killed in an update"
        if "STOPPED=true" not in runs[at] or "pulumi cancel --stack" not in "".join(runs[at + 1 :]):
            yield f"{name} does not say what to do"


def posts_fail_nothing(text: str) -> Iterator[str]:
    """What changes something tells the chat afterwards, and a chat that does not answer is a warning."""
    for name, job in github_jobs(text).items():
        runs, steps = _runs(job), job["steps"]
        changed = min(_index(runs, "pulumi up "), _index(runs, "mixpanel-access revoke"))
        if changed == len(runs):
            continue
        at = _index(runs, "mixpanel-access post")
        if at <= changed or at == len(runs) or steps[at].get("if") != "${{ !cancelled() }}":
            yield f"{name} does not tell the chat"
        elif "|| echo" not in runs[at]:
            yield f"{name} fails with the chat"


def drift_hides_nothing(text: str) -> Iterator[str]:
    """Findings are reported by the step after them."""
    steps = github_jobs(text)["drift"]["steps"]
    drift = _index(_runs({"steps": steps}), "mixpanel-access drift")
    if "|| code=$?" not in steps[drift].get("run", ""):
        yield "findings keep the report from running"
    if "GH_TOKEN" not in steps[-1].get("env", {}) or "/issues" not in steps[-1].get("run", ""):
        yield "findings are not reported"


def gitlab_revoke_comes_first(text: str) -> Iterator[str]:
    """Ended access is taken away before anything else of the night, and nothing that fails keeps the rest from it."""
    jobs = gitlab_jobs(text)
    for stack in sorted(STACKS):
        revoke, drift, refresh = (jobs[f"{name}:{stack}"] for name in ("revoke", "drift", "refresh"))
        if 'mixpanel-access revoke --stack "$STACK" --yes' not in script_of(revoke) or "allow_failure" in revoke:
            yield f"what has ended in {stack} is not taken away"
        if drift["needs"] != [f"revoke:{stack}"] or "needs" in revoke:
            yield f"ended access of {stack} waits for something else"
        if refresh["needs"] != [f"drift:{stack}"] or any(
            job["rules"][0].get("when") != "always" for job in (revoke, drift, refresh)
        ):
            yield f"findings of {stack} keep the update from running"


def gitlab_a_merge_takes_away_first(text: str) -> Iterator[str]:
    """As on GitHub: the stage comes before those of the updates, and what it leaves does not stop the first of them."""
    jobs, stages = gitlab_jobs(text), load(text)["stages"]
    for stack in sorted(STACKS):
        revoke, up = jobs[f"revoke:{stack}"], jobs[f"up:{stack}"]
        if "push" not in revoke["rules"][0]["if"] or stages.index(revoke["stage"]) > stages.index(up["stage"]):
            yield f"a merge takes nothing of {stack} away first"
    if jobs["up:staging"]["rules"][0].get("when") != "always":
        yield "what is left keeps up:staging from running"


def gitlab_old_commits_change_nothing(text: str) -> Iterator[str]:
    """As on GitHub: an update and the look for drift check, and `revoke` takes the newest rosters, or only ends."""
    for name, job in gitlab_jobs(text).items():
        script = script_of(job)
        check, _, rest = script.partition('"$CI_COMMIT_SHA" != "$newest"')
        if re.search(r"pulumi up |mixpanel-access drift ", script) and not (
            "git ls-remote" in check and "exit 4" in rest and "pulumi up" not in check
        ):
            yield f"{name} runs an old commit"
        fetched, _, rest = script.partition("git checkout -q --detach FETCH_HEAD")
        if "mixpanel-access revoke " in script and not (
            'git fetch -q --depth=1 "$CI_REPOSITORY_URL" "$CI_DEFAULT_BRANCH"; then' in fetched
            and "ended_only=--ended-only" in rest
            and "--yes $ended_only" in rest
        ):
            yield f"{name} takes by an old roster"


def gitlab_updates_end_in_order(text: str) -> Iterator[str]:
    """As on GitHub."""
    for name, job in gitlab_jobs(text).items():
        script = script_of(job)
        if "pulumi up " in script:
            limit = _LIMIT.search(script)
            if limit is None or sum(map(int, limit.groups())) + _SET_UP > 90 or "timeout: 90 minutes" not in text:
                yield f"{name} is killed in an update"
            if "pulumi cancel --stack" not in "".join(job.get("after_script", [])):
                yield f"{name} does not say what to do"


def gitlab_posts_fail_nothing(text: str) -> Iterator[str]:
    """As on GitHub: it is after the script, where a failure does not count."""
    for name, job in gitlab_jobs(text).items():
        script, after = script_of(job), "".join(job.get("after_script", []))
        if re.search(r"pulumi up |mixpanel-access revoke ", script):
            if "mixpanel-access post run.txt" not in after or "tee run.txt" not in script:
                yield f"{name} does not tell the chat"
            if "mixpanel-access post" in script:
                yield f"{name} fails with the chat"


def gitlab_drift_hides_nothing(text: str) -> Iterator[str]:
    """Findings are a warning."""
    jobs = gitlab_jobs(text)
    for stack in sorted(STACKS):
        if jobs[f"drift:{stack}"].get("allow_failure") != {"exit_codes": [1]}:
            yield f"findings of {stack} are no warning"
    if jobs["up:production"].get("needs") != ["up:staging"]:
        yield "up:production does not wait for up:staging"


GITHUB_RULES: tuple[Rule, ...] = (
    production_is_last,
    old_commits_change_nothing,
    what_gives_waits_for_reviewers,
    revoke_waits_for_nobody,
    a_merge_takes_away_first,
    updates_are_not_cancelled,
    updates_end_in_order,
    posts_fail_nothing,
    drift_hides_nothing,
)
GITLAB_RULES: tuple[Rule, ...] = (
    gitlab_revoke_comes_first,
    gitlab_a_merge_takes_away_first,
    gitlab_old_commits_change_nothing,
    gitlab_updates_end_in_order,
    gitlab_posts_fail_nothing,
    gitlab_drift_hides_nothing,
)
