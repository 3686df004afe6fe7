"""A review in a folder, of a roster on the disk, a state and a fake organization."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from mixpanel_access.files.lines import read_lines
from mixpanel_access.files.roster import read_roster
from mixpanel_access.model.access import GrantType
from mixpanel_access.model.declaration import declaration
from mixpanel_access.operations.overview import Overview, overview_of
from mixpanel_access.operations.review.applying import ReviewPlan, carry_out, plan
from mixpanel_access.operations.review.deciding import Wish, decide, verify
from mixpanel_access.operations.review.files import read_packets
from mixpanel_access.operations.review.packet import Item, ReviewLine, evidence_file
from mixpanel_access.operations.review.progress import ReviewProgress, progress_of
from mixpanel_access.operations.review.record import read_record
from mixpanel_access.operations.review.starting import Begun, begin
from tests.fakes import NOW, PRODUCTION, FakeApi
from tests.operations.overviews import BO, ROSTER, overview, person

CY, ANA = "cy@agency.example.org", "ana@example.com"
MORE = "exceptions:\n  - { rule: naming, email: bo@example.com, reason: r, approver: a, ends: 2030-01-01 }"


def people(*more: str) -> tuple[str, ...]:
    """Bo with two projects for an audit, Cy of an agency without an engagement."""
    bo = person(more="engagement: review, projects: { shop: admin, warehouse: consumer }")
    return bo, person(CY, f"projects: {{ shop: analyst }}, approver: {ANA}"), *more


class Review:
    """A review in a folder, of a roster on the disk."""

    def __init__(self, folder: Path, *entries: str, api: FakeApi | None = None, more: str = MORE) -> None:
        self.more = more
        self.file = folder / "production.yaml"
        self.folder = folder / "reviews" / "2026-Q2"
        self.api = api or FakeApi()
        self.write(*(entries or people()))
        for email in (BO, CY):
            self.api.put(email)
            self.api.give(PRODUCTION, email, "admin" if email == BO else "analyst")

    def write(self, *entries: str) -> None:
        """A roster that `pulumi up` has applied, as far as the state goes."""
        self.state = ROSTER.format(people="\n".join(entries), more=self.more)
        self.file.write_text(self.state)

    def edit(self, old: str, new: str) -> None:
        """Somebody changes the roster by hand, and no `up` follows."""
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def up(self) -> None:
        """The state, and the individual grants in Mixpanel, become those of the roster."""
        self.state = self.file.read_text()
        declared = declaration(read_roster(self.file), NOW.date())
        self.api.rows = [row for row in self.api.rows if row.grant_type is not GrantType.INDIVIDUAL]
        for (project, key), values in declared.grants.items():
            self.api.give(project, key, values["role"])

    def overview(self, now: datetime = NOW) -> Overview:
        """The roster as it stands in the file, beside the state."""
        found = overview(self.api, text=self.state, now=now)
        (view,) = found.stacks.values()
        return overview_of({"production": replace(view, roster=read_roster(self.file))}, found.directory, now)

    def apply(self, now: datetime = NOW) -> ReviewPlan:
        made = self.plan(now=now)
        carry_out(made)
        return made

    def begin(self, by: str = "approver", now: datetime = NOW, existing: Collection[str] | None = None) -> Begun:
        return begin(self.overview(now), by, self.folder, existing)

    def items(self) -> list[Item]:
        return [item for one in read_packets(self.folder) for item in one.packet.items]

    def decide(self, email: str, word: str, project: str | None = None, **more: str | None) -> Item:
        decision, _, role = word.partition("=")
        wish = Wish(email, decision, role or None, project=project, comment="so", **more)  # type: ignore[arg-type]
        return decide(self.folder, wish, NOW.date())

    def plan(self, stacks: Sequence[str] = (), now: datetime = NOW) -> ReviewPlan:
        return plan(self.folder, lambda stack: self.file.with_name(f"{stack}.yaml"), stacks, now)

    def status(self, now: datetime = NOW) -> ReviewProgress:
        return progress_of(self.folder, self.overview(now), [])

    def lines(self) -> list[ReviewLine]:
        return read_lines(evidence_file(self.folder), ReviewLine)

    def verify(self) -> list[str]:
        return list(verify(self.folder, read_record(self.folder)))

    def once(self) -> Sequence[ReviewLine]:
        """The evidence as `review evidence` writes it."""
        return read_record(self.folder).counted
