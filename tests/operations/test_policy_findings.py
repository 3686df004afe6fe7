"""What a policy run has found, read from its output and grouped by person."""

from __future__ import annotations

import pytest

from mixpanel_access.operations.policy_check import findings_in, shows_a_pack

PLAIN = """\
Previewing update (production):
 +  pulumi-python:dynamic/mixpanel:Member kim@gmail.com create
Policies:
    ❌ mixpanel-access@v0.2.0 (local: policies)
        - [mandatory] [severity: high]  no-consumer-mail  (pulumi-python:dynamic/mixpanel:Member: kim@gmail.com)
          Nobody has access through a consumer mail provider.
          kim@gmail.com as organization member: gmail.com is a consumer mail provider. Ask for another.
        - [mandatory] [severity: high]  service-account-expires  (pulumi-python:dynamic/mixpanel:ServiceAccount: etl)
          A service account expires, and soon enough.
          etl: it never expires. Set expires.
        - [advisory] [severity: critical]  no-all-users-in-production  (pulumi:pulumi:Stack: access-production)
          can't run policy 'no-all-users-in-production' from policy pack 'mixpanel-access@v0.2.0' during preview: later
        - [advisory] [severity: low]  metadata-well-formed  (pulumi-python:dynamic/mixpanel:ProjectGrant: 7:bo@example.com)
          Tickets are written so that they can be found.
          bo@example.com as analyst in project 7: ticket 'x' is odd. Write it.
        - [advisory] [severity: low]  metadata-well-formed  (pulumi-python:dynamic/mixpanel:Member: bo@example.com)
          Tickets are written so that they can be found.
          Bo@example.com as organization member: ticket 'x' is odd. Write it.
        - [advisory] [severity: low]  metadata-well-formed  (pulumi-python:dynamic/mixpanel:TeamMember: team/a:bo@example.com)
          Tickets are written so that they can be found.
          bo@example.com in team/a:bo@example.com: ticket 'x' is odd. Write it.
        - [advisory] [severity: low]  exceptions-in-force  (pulumi-python:dynamic/mixpanel:Member: bo@example.com)
          Exceptions are shown for as long as they are in force.
          EXCEPTION from naming for bo@example.com, until 2026-06-01: why (approver: ana@example.com). Nothing.

Outputs:
"""
DIFF = """\
        + pulumi-python:dynamic/mixpanel:Member: (create)
            email        : "kim@gmail.com"
    mixpanel-access@v0.2.0 [mandatory] [severity: high]  no-consumer-mail  (pulumi-python:dynamic/mixpanel:Member: kim@gmail.com)Nobody has access through a consumer mail provider.
kim@gmail.com as organization member: gmail.com is a consumer mail provider. Ask for another.
        + pulumi-python:dynamic/mixpanel:ServiceAccount: (create)
    mixpanel-access@v0.2.0 [mandatory] [severity: high]  service-account-expires  (pulumi-python:dynamic/mixpanel:ServiceAccount: etl)A service account expires, and soon enough.
etl: it never expires. Set expires.
    mixpanel-access@v0.2.0 [advisory] [severity: critical]  no-all-users-in-production  (pulumi:pulumi:Stack: access-production)can't run policy 'no-all-users-in-production' from policy pack 'mixpanel-access@v0.2.0' during preview: later
    mixpanel-access@v0.2.0 [advisory] [severity: low]  metadata-well-formed  (pulumi-python:dynamic/mixpanel:Member: bo@example.com)Tickets are written so that they can be found.
Bo@example.com as organization member: ticket 'x' is odd. Write it.
    mixpanel-access@v0.2.0 [advisory] [severity: low]  metadata-well-formed  (pulumi-python:dynamic/mixpanel:TeamMember: team/a:bo@example.com)Tickets are written so that they can be found.
bo@example.com in team/a:bo@example.com: ticket 'x' is odd. Write it.
    mixpanel-access@v0.2.0 [advisory] [severity: low]  metadata-well-formed  (pulumi-python:dynamic/mixpanel:ProjectGrant: 7:bo@example.com)Tickets are written so that they can be found.
bo@example.com as analyst in project 7: ticket 'x' is odd. Write it.
    mixpanel-access@v0.2.0 [advisory] [severity: low]  exceptions-in-force  (pulumi-python:dynamic/mixpanel:Member: bo@example.com)Exceptions are shown for as long as they are in force.
EXCEPTION from naming for bo@example.com, until 2026-06-01: why (approver: ana@example.com). Nothing.
"""
EXPECTED = """\
Policy findings: 2 mandatory, 5 advisory
kim@gmail.com
  mandatory no-consumer-mail (as organization member): gmail.com is a consumer mail provider. Ask for another.
the stack
  mandatory service-account-expires: etl: it never expires. Set expires.
  advisory no-all-users-in-production: can't run policy 'no-all-users-in-production' from policy pack 'mixpanel-access@v0.2.0' during preview: later
bo@example.com
  advisory exceptions-in-force: EXCEPTION from naming for bo@example.com, until 2026-06-01: why (approver: ana@example.com). Nothing.
  advisory metadata-well-formed (as analyst in project 7, as organization member, in team/a:bo@example.com): ticket 'x' is odd. Write it.
""".splitlines()


@pytest.mark.parametrize("output", [PLAIN, DIFF, PLAIN + PLAIN, DIFF + DIFF], ids=["plain", "diff", "twice", "diffs"])
def test_findings_are_grouped_by_person(output: str) -> None:
    """Mandatory ones first; what is the same for several grants is one line, and what is told twice counts once."""
    lines = list(findings_in(output).lines(100))
    assert [line.replace("Bo@", "bo@") for line in lines] == EXPECTED


@pytest.mark.parametrize(("most", "cut"), [(5, None), (4, "1 more line"), (2, "3 more lines"), (1, "4 more lines")])
def test_what_is_cut_is_said(most: int, cut: str | None) -> None:
    """In the last line; as many findings are shown as asked for, and what stops the run is among them."""
    lines = list(findings_in(PLAIN).lines(most))
    assert sum(line.startswith("  ") for line in lines) == most
    assert lines[2].startswith("  mandatory")
    assert lines[-1] == (f"{cut} cut here; the output of the run has all of it" if cut else EXPECTED[-1])


@pytest.mark.parametrize(
    "output", ["", "error: no\n", "[mandatory] not a violation (of: anything)\n", "- [mandatory]\n"]
)
def test_other_output_has_no_findings(output: str) -> None:
    """An output that ends early too."""
    assert list(findings_in(output).lines(9)) == ["Policy findings: 0 mandatory, 0 advisory"]


@pytest.mark.parametrize(
    ("output", "ran"),
    [
        (PLAIN, True),
        ("Resources:\n    6 unchanged\n\nPolicy Packs run:\n    Name    Version\n", True),
        ("error: could not load the program\n", False),
        ('    reason: "Policies: none"\n', False),
        ("", False),
    ],
)
def test_whether_a_policy_pack_ran(output: str, ran: bool) -> None:
    """A run that failed before its policies is not taken for one without findings."""
    assert shows_a_pack(output) is ran


def test_an_output_that_ends_within_a_violation() -> None:
    """It is told with what there is of it."""
    lines = list(findings_in(PLAIN.partition("          Nobody")[0]).lines(9))
    assert lines == ["Policy findings: 1 mandatory, 0 advisory", "kim@gmail.com", "  mandatory no-consumer-mail: "]
