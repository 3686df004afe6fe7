"""For each rule the ways to break a file: what is replaced, by what, and what the rule says then."""

from __future__ import annotations

from typing import Final

from . import rules
from .rules import Rule

CASES: Final[list[tuple[Rule, str, str, str]]] = [
    # rule, what is replaced, by what, what the rule says then
    (rules.actions_are_pinned, "@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2", "@v6", "preview uses"),
    (rules.actions_are_pinned, "83dd # v6.0.2", "83dd", "up-staging uses"),
    (rules.actions_are_pinned, "83dd # v6.0.2", "83dd # main", "drift uses"),
    (rules.actions_are_pinned, "37930b1c", "37930b1", "comment uses"),
    (
        rules.actions_are_pinned,
        "    steps: *up",
        "    steps: []\n    uses: a/b/.github/workflows/c.yml@main",
        "another",
    ),
    (rules.permissions_are_least, "permissions: {} #", "permissions: write-all #", "the workflow"),
    (rules.permissions_are_least, "permissions: {} #", "permissions: { contents: read } #", "the workflow"),
    (rules.permissions_are_least, "    permissions: {}\n", "", "no-preview states no"),
    (rules.permissions_are_least, "    permissions: {}\n", "    permissions: write-all\n", "no-preview states no"),
    (
        rules.permissions_are_least,
        "    permissions: {}\n",
        "    permissions: {contents: read}\n",
        "no-preview does not",
    ),
    (rules.permissions_are_least, "pull-requests: write", "contents: write", "comment does not"),
    (rules.permissions_are_least, "issues: write", "pull-requests: write", "drift does not"),
    (
        rules.scripts_hold_no_expression,
        "make setup P",
        "echo ${{ github.event.pull_request.title }}\n          make setup P",
        "title",
    ),
    (rules.scripts_hold_no_expression, "mkdir preview", "mkdir ${{ github.head_ref }}", "preview runs"),
    (rules.scripts_hold_no_expression, "cat drift.txt\n", "echo ${{ matrix.stack }}\n", "drift runs"),
    (
        rules.secrets_reach_only_pulumi,
        "    env:\n      STACK: production\n    steps: *up",
        "    env:\n      A: ${{ secrets.A }}\n      STACK: production\n    steps: *up",
        "1 uses",
    ),
    (rules.secrets_reach_only_pulumi, "role-to-assume: ${{ vars.", "role-to-assume: ${{ secrets.", "uses of secrets"),
    (rules.secrets_reach_only_pulumi, "defaults:", "env:\n  A: ${{ secrets['A'] }}\ndefaults:", "the whole workflow"),
    (rules.forks_get_nothing, "  pull_request:\n", "  pull_request_target:\n", "pull_request_target"),
    (rules.forks_get_nothing, "full_name == github", "full_name != github", "preview runs for forks"),
    (
        rules.forks_get_nothing,
        "environment: ${{ matrix.stack }}-preview",
        "environment: ${{ matrix.stack }}",
        "preview has",
    ),
    (rules.forks_get_nothing, "    if: github.event_name == 'push'\n", "", "up-staging runs on every event"),
    (
        rules.writers_run_no_branch,
        "      - uses: actions/download-artifact",
        "      - uses: actions/checkout@v6\n      - uses: actions/download-artifact",
        "comment checks",
    ),
    (
        rules.writers_run_no_branch,
        "    needs: preview\n",
        "    needs: preview\n    environment: production\n",
        "comment has",
    ),
    (
        rules.one_job_a_stack,
        "group: mixpanel-access-production",
        "group: mixpanel-access-staging",
        "up-production shares",
    ),
    (rules.one_job_a_stack, "cancel-in-progress: false # an", "cancel-in-progress: true # an", "up-staging can"),
    (rules.image_is_pinned, "@sha256:dbbe", "", "the image"),
    (rules.image_is_pinned, "python:3.12.14-", "python:3-", "the image"),
    (rules.image_is_pinned, "no-preview:\n", "no-preview:\n  image: alpine\n", "no-preview has"),
    (
        rules.no_secret_is_written_down,
        "{ STACK: staging }",
        "{ STACK: staging, PULUMI_CONFIG_PASSPHRASE: x }",
        "a value",
    ),
    (
        rules.no_secret_is_written_down,
        "default:\n",
        "variables: { MIXPANEL_SERVICE_ACCOUNT_SECRET: x }\ndefault:\n",
        "a value",
    ),
    (
        rules.no_secret_is_written_down,
        "    - make setup",
        "    - export PULUMI_ACCESS_TOKEN=x\n    - make setup",
        "assigns",
    ),
    (rules.no_secret_is_written_down, "# Copy", "# glpat-" + "a" * 20 + "\n# Copy", "a token"),
    (
        rules.one_gitlab_job_a_stack,
        "resource_group: mixpanel-access-production",
        "resource_group: all",
        "up:production has the resource",
    ),
    (rules.one_gitlab_job_a_stack, "name: preview/production", "name: production", "preview:production of stack"),
    (rules.one_gitlab_job_a_stack, "    STATE_BACKEND_TOKEN:", "    OTHER:", "no identity"),
    (rules.gitlab_forks_get_nothing, "PROJECT_ID == $", "PROJECT_ID != $", "note:staging runs for forks"),
    (rules.every_stack_is_there, "stack: [staging, production]", "stack: [production]", "preview leaves"),
    (rules.every_stack_is_there, "fail-fast: false", "fail-fast: true", "drift leaves"),
    (rules.workflow_asks_the_policies, "--policy-pack policies ", "", "up-production runs pulumi up without"),
    (rules.workflow_asks_the_policies, "config/$STACK.json", "config/staging.json", "preview runs pulumi preview"),
    (rules.workflow_asks_the_policies, " --refresh", "", "refresh-production runs pulumi up without --refresh"),
    (rules.gitlab_asks_the_policies, '--stack "$STACK"', "--stack staging", "preview:production runs"),
    (rules.gitlab_asks_the_policies, " --skip-preview=false", "", "up:staging runs"),
    (rules.gitlab_asks_the_policies, " --refresh", "", "refresh:production runs"),
]
