"""Draw the pictures of the docs: follow the tutorial, and record what some of its commands print.

Terminals become SVG files that load nothing. The report is a screenshot by Chromium; without it, the
old one stays.
"""

from __future__ import annotations

import base64
import html
import io
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from scripts.build_site import ROOT
from scripts.tutorial import Typed, follow, said
from tests.browser import browsing

FOLDER: Final = ROOT / "docs" / "images"
PICTURES: Final = {
    "pulumi preview": "preview",
    "pulumi preview --policy-pack policies --policy-pack-config policies/config/production.json || echo": "policy",
    "mixpanel-access who --project shop": "who",
    "mixpanel-access status sam@agency.example.org": "status",
}
"""Start of a command, or the whole command -> its picture; the first such command counts."""
REPORT: Final = "mixpanel-access report"
_COLOURS: Final = {"FORCE_COLOR": "1", "PULUMI_OPTION_COLOR": "always"}
_WIDTHS: Final = range(80, 175)
_FONT: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""Where to load a font from; without it, the reader's browser uses its own."""
_SEGMENT: Final = re.compile(r'<text[^>]* x="([^"]+)"[^>]* textLength="([^"]+)"[^>]*-line-(\d+)\)"[^>]*>([^<]*)</text>')


def main() -> int:
    """Draw all pictures again."""
    FOLDER.mkdir(exist_ok=True)
    made = set()
    with tempfile.TemporaryDirectory() as folder:
        for typed in follow(Path(folder), _COLOURS):
            name = picture_of(typed)
            if name and name not in made:
                (FOLDER / f"{name}.svg").write_text(drawn(typed, name), "utf-8")
                made.add(name)
            elif typed.command.text.startswith(REPORT):
                photograph(Path(folder) / "clone" / "access-report.html", FOLDER / "report.png")
    return 0 if made == set(PICTURES.values()) else 1


def picture_of(typed: Typed) -> str | None:
    """The name of the picture of a command, or None."""
    text = typed.command.text
    return next((name for begin, name in PICTURES.items() if text == begin or text.startswith(f'{begin} "')), None)


def drawn(typed: Typed, name: str) -> str:
    """A terminal with a command and its output, as SVG."""
    lines = [
        Text.assemble(("$ ", "bold green"), (typed.command.text, "bold")),
        *map(Text.from_ansi, said(typed.printed)),
    ]
    width = min(max(len(line.plain.rstrip()) for line in lines), max(_WIDTHS))
    console = Console(record=True, width=max(width, min(_WIDTHS)), file=io.StringIO(), force_terminal=True)
    for line in lines:
        line.rstrip()
        console.print(line, soft_wrap=False)
    return _FONT.sub("", console.export_svg(title="", unique_id=name))


def text_in(svg: str) -> str:
    """The text in the picture of a terminal; long lines are folded."""
    text, last, end = "", "", 0.0
    for x, length, line, part in _SEGMENT.findall(svg):
        if line != last:
            text += "\n"
        elif float(x) > end + 1:
            text += " "  # a segment of blanks is not drawn
        text, last, end = text + html.unescape(part), line, float(x) + float(length)
    return text


def photograph(page: Path, to: Path) -> None:
    """Take a screenshot of a page, as wide as a laptop."""
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        print(f"no chromium and chromedriver: {to.name} stays as it is", file=sys.stderr)  # noqa: T201
        return
    with tempfile.TemporaryDirectory() as profile, browsing(Path(profile)) as browser:
        browser.media(prefers_color_scheme="light", prefers_reduced_motion="reduce")
        browser.wide(1280, 860)
        browser.open(page.as_uri())
        shot = browser.devtools("Page.captureScreenshot", format="png")
    to.write_bytes(base64.b64decode(shot["data"]))


if __name__ == "__main__":
    sys.exit(main())
