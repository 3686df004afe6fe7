"""A packet as a page to read, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from mixpanel_access.operations.review.packet import ORGANIZATION, Item, Packet
from mixpanel_access.operations.tables import cell, markdown


def page(packet: Packet) -> str:
    """A packet as a page in Markdown, to read before deciding."""
    return "\n".join(_lines(packet)) + "\n"


def _lines(packet: Packet) -> Iterator[str]:
    whom = packet.reviewer or "without a reviewer"
    yield f"# Access review {packet.review}: {whom}"
    yield ""
    yield f"Begun on {packet.made}. {len(packet.items)} to decide, {_undecided(packet)} of them undecided."
    if packet.items:
        yield ""
        yield markdown(
            ("who", "stack", "project", "role", "since", "last active", "engagement", "suggestion", "decision"),
            [_row(item) for item in packet.items],
        )
    for item in packet.items:
        yield ""
        yield f"## {cell(item.email)}: {cell(item.role)} in {cell(item.project or ORGANIZATION)}, {cell(item.stack)}"
        yield ""
        yield from (f"- {name}: {cell(value)}" for name, value in _details(item) if value)
    if packet.unknown:
        yield ""
        yield "## Unknown"
        yield ""
        yield from (f"- {cell(line)}" for line in packet.unknown)
    if packet.unmanaged:
        yield ""
        yield "## Given by no roster"
        yield ""
        yield markdown(
            ("who", "stack", "project", "role", "note"),
            [(one.email, one.stack, one.project, one.role, one.note) for one in packet.unmanaged],
        )


def _undecided(packet: Packet) -> int:
    return sum(item.decision is None for item in packet.items)


def _row(item: Item) -> tuple[str, ...]:
    return (
        item.email,
        item.stack,
        item.project or ORGANIZATION,
        item.role,
        item.since or "",
        item.last_active,
        item.state,
        _to(item.suggestion, item.suggested_role),
        _to(item.decision or "", item.new_role),
    )


def _details(item: Item) -> Iterator[tuple[str, str]]:
    yield "name", item.name or ""
    yield "project", item.project_name or ""
    yield "no reviewer because", item.unassigned or ""
    yield "engagement", item.engagement or "none"
    yield "statement of work", item.sow or ""
    yield "ticket", item.ticket or ""
    yield "why", item.justification or ""
    yield "approved by", item.approver or "nobody on record"
    yield "wanted by", item.sponsor or ""
    yield "from", item.starts or ""
    yield "until", f"{item.ends} ({item.state})" if item.ends else "no end"
    yield "in the stack since", item.since or "not yet"
    yield "changed", item.changed or ""
    yield "last active", item.last_active
    yield "last reviewed", item.reviewed or "never"
    yield "custom roles of the project", ", ".join(item.custom_roles)
    yield "as Mixpanel shows it", "; ".join(item.ways) or "nothing"
    yield "managed by no stack", "; ".join(item.other_access)
    yield "suggestion", f"{_to(item.suggestion, item.suggested_role)}: {item.reason}"
    yield "decision", _to(item.decision or "", item.new_role)
    yield "comment", item.comment or ""


def _to(what: str, role: str | None) -> str:
    return f"{what} to {role}" if what and role else what
