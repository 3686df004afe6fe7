"""Build the docs as a site: build_site.py FOLDER. A broken link or anchor is an error.

A page may link to any file of the clone. The pages and the files that they link to are copied to `pages` in FOLDER,
with their paths in the clone, so that links need no change. mkdocs.yml has the order of the pages.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
_LINK: Final = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


class Broken(Exception):
    """The site cannot be built; the text is the reason."""


def main(folder: Path) -> int:
    """Build the site in `site` of a folder; return the exit code: 0 for done, 2 for failed."""
    try:
        build(folder.resolve())
    except Broken as broken:
        print(f"error: {broken}", file=sys.stderr)  # noqa: T201  # a script prints
        return 2
    return 0


def build(folder: Path) -> Path:
    """Build the site, and return its folder.

    Args:
        folder: `pages` and `site` are created in it; those of an earlier run are deleted.

    Raises:
        Broken: a link or an anchor is broken, or the navigation names a page that does not exist.
    """
    for name in ("pages", "site"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for path in linked(ROOT):
        for link, target in _links(path):
            if not _is_in(ROOT, target):
                raise Broken(f"{path.relative_to(ROOT)} links to {link}, which is not a file of this clone")
        target = folder / "pages" / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    shutil.copyfile(ROOT / "mkdocs.yml", folder / "mkdocs.yml")
    program = Path(sys.executable).with_name("zensical")
    command = [str(program), "build", "--clean", "--strict", "--config-file", "mkdocs.yml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        said = re.sub(r"\x1b\[[\d;]*m", "", done.stdout + done.stderr)
        raise Broken(f"the site cannot be built:\n{said.partition('Traceback')[0]}")
    _search_without_server(folder / "site")
    return folder / "site"


def _search_without_server(built: Path) -> None:
    """Write the script that lets the search work in a page that is opened from a folder.

    A browser starts no worker from a file. This script starts the site's only worker, the search, from its own text.
    """
    (worker,) = built.glob("assets/javascripts/workers/search.*.js")
    source = json.dumps(worker.read_text("utf-8"))
    script = (
        'if (location.protocol === "file:") {\n'
        "  const Served = Worker;\n"
        f'  const url = URL.createObjectURL(new Blob([{source}], {{ type: "text/javascript" }}));\n'
        "  window.Worker = class extends Served {\n"
        "    constructor() {\n"
        "      super(url);\n"
        "    }\n"
        "  };\n"
        "}\n"
    )
    (built / "iframe-worker.js").write_text(script, "utf-8")


def linked(root: Path) -> list[Path]:
    """The pages, and all files that they link to."""
    found: list[Path] = []
    waiting = [root / "README.md", root / "CHANGELOG.md", *sorted((root / "docs").rglob("*.*"))]
    while waiting:
        path = waiting.pop(0)
        if path not in found:
            found.append(path)
            waiting += [target for _, target in _links(path) if _is_in(root, target)]
    return found


def _links(page: Path) -> Iterator[tuple[str, Path]]:
    """The relative links of a page, each with the file that it leads to."""
    for link in _LINK.findall(page.read_text("utf-8")) if page.suffix == ".md" else ():
        yield link, (page.parent / link).resolve()


def _is_in(root: Path, target: Path) -> bool:
    return target.is_file() and target.is_relative_to(root)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
