"""A review's folder: a packet a reviewer, to fill in (YAML) and to read (Markdown)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from hashlib import sha256
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from ruamel.yaml import YAML

from mixpanel_access.files import whole
from mixpanel_access.model.address import same_key
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.roster.yaml_text import BadYaml, load, with_lines
from mixpanel_access.model.similarity import counted
from mixpanel_access.operations.review.packet import FILLED_IN, ORGANIZATION, Item, Packet
from mixpanel_access.operations.tables import cell, markdown

FOLDER: Final = "reviews"
"""Where reviews are in a project, one folder a quarter."""
UNASSIGNED: Final = "unassigned"
"""The name of the packet of what has no reviewer."""
_QUARTER: Final = re.compile(r"\d{4}-Q[1-4]")
_MADE: Final = re.compile(r"""made:\s*['"]?(\d{4}-\d{2}-\d{2})""")
_WHAT: Final = "the packet"
_HEAD: Final = """\
# The access review {review}: what {whose}.
# Fill in each `decision`: keep, lower (with `newRole`) or remove; then run `mixpanel-access review apply`.
# `comment` is kept as evidence. Set `reviewer` if somebody else decides, and `decided` if it is not the day on which
# you apply it. Comments like these are not kept.
"""


@dataclass(frozen=True)
class PacketFile:
    """A packet in its file."""

    file: Path
    packet: Packet
    _text: str = field(default="", repr=False, compare=False)

    @cached_property
    def _lines(self) -> Any:
        return with_lines(self._text)  # slow, and only needed for errors

    def line(self, item: int, name: str) -> int:
        """The line of a field of an item, or of the item where it does not have the field, from 1."""
        return _line(self._lines, ("items", item, Item.model_fields[name].alias or name))


def quarter(today: date) -> str:
    """The name of a quarter's review: `2026-Q2`."""
    return f"{today.year}-Q{(today.month + 2) // 3}"


def newest(project: Path) -> Path:
    """The folder of a project's newest review: the latest quarter; if some have other names, the last one started."""
    found = sorted(path for path in (project / FOLDER).glob("*") if any(path.glob("*.yaml")))
    if not all(_QUARTER.fullmatch(path.name) for path in found):
        found.sort(key=_started)
    if not found:
        raise UsageError(
            "cannot find a review",
            subject=str(project / FOLDER),
            why="there is none",
            next_step="Start one: mixpanel-access review start",
        )
    return found[-1]


def _started(folder: Path) -> str:
    """The day on which a review was started, as its first packet says above all items, or ""."""
    with min(folder.glob("*.yaml")).open(encoding="utf-8", errors="replace") as lines:
        head = takewhile(lambda line: not line.startswith("items:"), lines)
        return next((said[1] for line in head if (said := _MADE.match(line))), "")


def file_name(reviewer: str | None) -> str:
    """The name of a reviewer's packet, without its ending."""
    if reviewer is None:
        return UNASSIGNED
    key = same_key(reviewer)
    plain = re.sub(r"[^a-z0-9@._+-]", "-", key)
    return plain if plain == key else f"{plain}-{sha256(key.encode()).hexdigest()[:8]}"


def read_packets(folder: Path) -> list[PacketFile]:
    """The packets of a review, by the name of the file; none where there is no folder.

    Raises:
        UsageError: some cannot be read; it lists every problem, with file and line.
    """
    found, problems = [], []
    for file in sorted(folder.glob("*.yaml")):
        try:
            found.append(_read(file))
        except UsageError as error:
            problems.append(error.why)
    if problems:
        raise unusable(problems)
    return found


def unusable(problems: Sequence[str]) -> UsageError:
    """The error that says what is wrong in packets."""
    return UsageError("cannot use the review", why="; ".join(problems), next_step="Nothing was changed. Correct them.")


def _read(file: Path) -> PacketFile:
    try:
        text = file.read_text(encoding="utf-8")
        document = load(text)
    except BadYaml as error:
        raise unusable([f"{file.name}:{error.line}: {error}"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise unusable([f"{file.name}:1: {error}"]) from None
    try:
        return PacketFile(file, Packet.model_validate(document), text)
    except ValidationError as error:
        lines = with_lines(text)
        raise unusable([f"{file.name}:{_line(lines, one['loc'])}: {_words(one)}" for one in error.errors()]) from None


def make_folder(folder: Path) -> None:
    """Make a review's folder where it is missing; raises UsageError if that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot write {_WHAT}", subject=str(folder), why=error.strerror or str(error), next_step="Fix that."
        ) from None


def _line(node: Any, path: Sequence[str | int]) -> int:
    line = 0
    for part in path:
        try:
            line = int((node.lc.item(part) if isinstance(part, int) else node.lc.key(part))[0])
            node = node[part]
        except (KeyError, IndexError, TypeError, AttributeError):
            break
    return line + 1


def _words(error: Any) -> str:
    name = str(error["loc"][-1]) if error["loc"] else "the packet"
    if error["type"] == "extra_forbidden":
        return f"{name!r} is unknown here"
    if error["type"] == "missing":
        return f"{name!r} is missing"
    return f"{name}: {error['input']!r} cannot be used ({error['msg'][0].lower()}{error['msg'][1:]})"


def text_of(packet: Packet) -> str:
    """The text of a packet's file."""
    values = packet.model_dump(by_alias=True, exclude={"items", "unmanaged", *([] if packet.unknown else ["unknown"])})
    whose = f"{packet.reviewer} decides" if packet.reviewer else "has no reviewer yet"
    text = f"{_HEAD.format(review=packet.review, whose=whose)}{_dumped(values)}items:{'' if packet.items else ' []'}\n"
    filled_in = {Item.model_fields[name].alias for name in FILLED_IN}
    for item in packet.items:
        row = item.model_dump(mode="json", by_alias=True, exclude={"listing"} if item.listing == 1 else None)
        row = {name: value for name, value in row.items() if name in filled_in or value not in (None, [])}
        lines = _dumped(row).splitlines()
        text += "\n" + "".join(f"  {' ' if number else '-'} {line}\n" for number, line in enumerate(lines))
    if packet.unmanaged:
        rows = [one.model_dump(by_alias=True) for one in packet.unmanaged]
        text += f"\n# You do not decide on these: no roster gives them.\n{_dumped({'unmanaged': rows})}"
    return text


def write_packet(folder: Path, packet: Packet) -> Path:
    """Write a packet and its page, each whole or not at all; what says the same already is left as it is.

    Raises:
        UsageError: it cannot be written.
    """
    file = folder / f"{file_name(packet.reviewer)}.yaml"
    text, shown, paper = text_of(packet), page(packet), file.with_suffix(".md")
    whole.encoded(shown, file, _WHAT)  # YAML writes what is no character in a way that it does not read
    make_folder(folder)
    before = whole.text_of(file, _WHAT)
    if before is None or _read(file).packet.model_dump(mode="json") != packet.model_dump(mode="json"):
        whole.write_text(file, before, text, _WHAT)
    whole.write_text(paper, whole.text_of(paper, "the packet's page"), shown, "the packet's page")
    return file


def _dumped(values: dict[str, Any]) -> str:
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 10_000
    out = io.StringIO()
    yaml.dump(values, out)
    return out.getvalue()


def page(packet: Packet) -> str:
    """A packet as a page in Markdown, to read before deciding."""
    return "\n".join(_lines(packet)) + "\n"


def _lines(packet: Packet) -> Iterator[str]:
    reviewer = packet.reviewer or "without a reviewer"
    undecided = sum(item.decision is None for item in packet.items)
    yield f"# Access review {packet.review}: {reviewer}"
    yield ""
    yield f"Started on {packet.made}. {undecided} of {counted(len(packet.items), 'role')} undecided."
    if packet.items:
        yield ""
        yield markdown(
            ("who", "stack", "project", "role", "since", "last login", "engagement", "suggestion", "decision"),
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
        yield "## Grants that no roster gives"
        yield ""
        yield markdown(
            ("who", "stack", "project", "role", "note"),
            [(one.email, one.stack, one.project, one.role, one.note) for one in packet.unmanaged],
        )


def _row(item: Item) -> tuple[str, ...]:
    return (
        item.email,
        item.stack,
        item.project or ORGANIZATION,
        item.role,
        item.since or "",
        _login(item),
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
    yield "sponsor", item.sponsor or ""
    yield "from", item.starts or ""
    yield "until", f"{item.ends} ({item.state})" if item.ends else "no end"
    yield "organization role", item.organization_role or ""
    yield "teams", "; ".join(item.teams)
    yield "permissions of the role", ", ".join(item.permissions)
    yield "in the stack since", item.since or "not yet"
    yield "changed", item.changed or ""
    yield "last login", _login(item)
    yield "last reviewed", item.reviewed or "never"
    yield "custom roles of the project", ", ".join(item.custom_roles)
    yield "as Mixpanel shows it", "; ".join(item.sources) or "nothing"
    yield "managed by no stack", "; ".join(item.other_access)
    yield "suggestion", f"{_to(item.suggestion, item.suggested_role)}: {item.reason}"
    yield "decision", _to(item.decision or "", item.new_role)
    yield "replaces", item.replaces or ""
    yield "comment", item.comment or ""


def _login(item: Item) -> str:
    return {"invited": "none, the invitation is not accepted yet"}.get(item.last_active, item.last_active)


def _to(what: str, role: str | None) -> str:
    return f"{what} to {role}" if what and role else what
