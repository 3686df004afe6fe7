"""For each rule of the jobs that change something the ways to break a file, as in cases.py."""

from __future__ import annotations

from typing import Final

from . import update_rules as rules
from .rules import Rule

CASES: Final[list[tuple[Rule, str, str, str]]] = [
    # rule, what is replaced, by what, what the rule says then
    (rules.production_is_last, "    needs: up-staging\n", "", "does not wait"),
    (rules.old_commits_change_nothing, '!= "$newest"', '= "$newest"', "up-production runs an old commit"),
    (rules.old_commits_change_nothing, "      - *newest\n", "", "drift runs an old commit"),
    (rules.old_commits_change_nothing, "commits/main", "commits/old", "refresh-staging runs an old commit"),
    (rules.old_commits_change_nothing, "          ref: main #", "          #", "revoke does not check out main"),
    (rules.old_commits_change_nothing, "origin main; then", "origin main || true; then", "by an old roster"),
    (rules.old_commits_change_nothing, " ${ENDED_ONLY:-}", "", "that may be old"),
    (rules.old_commits_change_nothing, "ENDED_ONLY=--ended-only", "ENDED_ONLY=", "that may be old"),
    (
        rules.what_gives_waits_for_reviewers,
        "    environment: production\n",
        "    environment: production-nightly\n",
        "refresh-production updates",
    ),
    (rules.what_gives_waits_for_reviewers, "{ matrix.stack }}-nightly", "{ matrix.stack }}", "revoke takes or reads"),
    (rules.revoke_waits_for_nobody, "      fail-fast: false\n", "      fail-fast: true\n", "waits for something"),
    (
        rules.revoke_waits_for_nobody,
        "      fail-fast: false\n",
        "      fail-fast: false\n      max-parallel: 1\n",
        "waits for something",
    ),
    (
        rules.revoke_waits_for_nobody,
        "      - name: Take away ended access\n",
        "      - name: X\n        if: true\n",
        "waits for another",
    ),
    (
        rules.revoke_waits_for_nobody,
        "group: mixpanel-access-drift-",
        "group: mixpanel-access-revoke-",
        "revoke waits for revoke, drift",
    ),
    (rules.revoke_waits_for_nobody, '          exit "$code"\n', "", "does not fail"),
    (rules.revoke_waits_for_nobody, "    needs: drift\n", "    needs: revoke\n", "refresh-production does not follow"),
    (rules.revoke_waits_for_nobody, "!cancelled() && needs.drift", "needs.drift", "refresh-staging does not follow"),
    (rules.a_merge_takes_away_first, "(github.event_name == 'push' || ", "(", "takes nothing away"),
    (rules.a_merge_takes_away_first, "    needs: revoke # it", "    # it", "does not follow revoke"),
    (rules.a_merge_takes_away_first, "needs.up-staging.result == 'success' && ", "", "keeps up-production"),
    (rules.a_merge_takes_away_first, " && github.event_name != 'push'", "", "runs the nightly update"),
    (rules.updates_are_not_cancelled, "      queue: max #", "      #", "up-staging is cancelled"),
    (rules.updates_are_not_cancelled, "      queue: max\n", "      queue: maxx\n", "up-production has an unknown"),
    (rules.updates_are_not_cancelled, "access-refresh-production", "access-production", "waits for refresh-production"),
    (rules.updates_end_in_order, "timeout-minutes: 90", "timeout-minutes: 60", "refresh-production is killed"),
    (rules.updates_end_in_order, "--signal=INT ", "", "up-staging is killed"),
    (rules.updates_end_in_order, "      - *what-to-do\n", "", "refresh-staging does not say"),
    (rules.updates_end_in_order, "STOPPED=true", "STOPPED=", "up-production does not say"),
    (rules.posts_fail_nothing, "      - *post\n", "", "revoke does not tell"),
    (
        rules.posts_fail_nothing,
        '            || echo "::warning title=Not',
        '            && echo "::warning title=Not',
        "fails with",
    ),
    (rules.gitlab_posts_fail_nothing, "  after_script:\n    - *post\n", "", "revoke:staging does not tell"),
    (
        rules.gitlab_posts_fail_nothing,
        "$ended_only 2>&1",
        "$ended_only; mixpanel-access post run.txt 2>&1",
        "fails with",
    ),
    (rules.drift_hides_nothing, '--stack "$STACK" > drift.txt || code=$?', '--stack "$STACK" > drift.txt', "keep"),
    (rules.drift_hides_nothing, "GH_TOKEN:", "TOKEN:", "not reported"),
    (rules.gitlab_drift_hides_nothing, "    exit_codes: [1] #", "    exit_codes: [1, 2] #", "no warning"),
    (rules.gitlab_drift_hides_nothing, '  needs: ["up:staging"]\n', "", "does not wait"),
    (rules.gitlab_revoke_comes_first, "      when: always # a finding", "      # a finding", "keep the update"),
    (rules.gitlab_revoke_comes_first, '  needs: ["revoke:staging"]\n', "  needs: []\n", "of staging waits"),
    (rules.gitlab_revoke_comes_first, '--stack "$STACK" --yes $', '--stack "$STACK" $', "is not taken away"),
    (rules.gitlab_a_merge_takes_away_first, "^(push|schedule|web)$", "^(schedule|web)$", "of staging away first"),
    (
        rules.gitlab_a_merge_takes_away_first,
        "preview, note, revoke, drift, staging",
        "preview, note, staging, revoke",
        "first",
    ),
    (rules.gitlab_a_merge_takes_away_first, "      when: always # even if", "      # even if", "keeps up:staging"),
    (rules.gitlab_old_commits_change_nothing, "    - *newest\n", "", "refresh:production runs an old commit"),
    (rules.gitlab_old_commits_change_nothing, "exit 4", "exit 0", "up:staging runs an old commit"),
    (rules.gitlab_old_commits_change_nothing, '"$CI_DEFAULT_BRANCH"; then', '"$CI_COMMIT_SHA"; then', "an old roster"),
    (rules.gitlab_old_commits_change_nothing, "--yes $ended_only", "--yes", "by an old roster"),
    (rules.gitlab_updates_end_in_order, "--kill-after=15m 40m", "--kill-after=15m 80m", "up:production is killed"),
    (rules.gitlab_updates_end_in_order, "  timeout: 90", "  timeout: 60", "refresh:staging is killed"),
    (rules.gitlab_updates_end_in_order, "  after_script: *what-to-do\n", "", "refresh:staging does not say"),
]
