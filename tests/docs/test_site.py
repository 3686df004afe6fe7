"""The docs as a site: it builds, reads as the pages do on a code host, and loads nothing from elsewhere."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from scripts import build_site as site
from tests.browser import browsing

PARTS = ("h1", "h2", "h3", "li", "ol", "ul", "pre", "table", "tr", "img")
"""What a page is counted by, each by how deep in lists it is."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site."""
    return site.build(tmp_path_factory.mktemp("built"))


class Parts(HTMLParser):
    """Counts the elements of a page's text, and what it loads."""

    def __init__(self, *, within: str) -> None:
        super().__init__()
        self.counts: Counter[tuple[str, int]] = Counter()
        self.loads: list[str] = []
        self._within, self._inside, self._lists = within, not within, 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._inside = self._inside or tag == self._within
        if self._inside and tag in PARTS:
            self.counts[tag, self._lists] += 1
            self._lists += tag == "li"
        if tag in ("script", "img", "iframe", "source") and given.get("src"):
            self.loads.append(str(given["src"]))
        if tag == "link" and given.get("href") and given.get("rel") != "canonical":
            self.loads.append(str(given["href"]))

    def handle_endtag(self, tag: str) -> None:
        if self._inside:
            self._lists -= tag == "li"
        if tag == self._within:
            self._inside = False


def page_of(built: Path, source: Path) -> Path:
    """Where the site has a page."""
    path = built / source.relative_to(site.ROOT)
    return path.with_name("index.html") if path.name == "README.md" else path.with_suffix(".html")


PAGES = [path for path in site.linked(site.ROOT) if path.suffix == ".md"]


@pytest.mark.parametrize("source", PAGES, ids=lambda path: str(path.relative_to(site.ROOT)))
def test_a_page_reads_as_on_a_code_host(built: Path, source: Path) -> None:
    """Each heading, list, table and block comes out as what it is; nothing is loaded from elsewhere."""
    here, there = Parts(within=""), Parts(within="article")
    here.feed(MarkdownIt("commonmark").enable("table").render(source.read_text()))
    there.feed(page_of(built, source).read_text())
    assert there.counts == here.counts
    assert [load for load in there.loads if re.match(r"(https?:)?//", load)] == []


@pytest.mark.parametrize("source", PAGES, ids=lambda path: str(path.relative_to(site.ROOT)))
def test_anchors_lead_somewhere_on_a_code_host(source: Path) -> None:
    """Each is a heading of its page as a code host names them; the site's own names are looked at when it is built."""
    for name, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)", source.read_text()):
        page = (source.parent / name) if name else source
        headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
        assert anchor in [re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings]


@pytest.mark.slow
def test_the_search_works_from_a_folder(built: Path, tmp_path: Path) -> None:
    """`make docs` names a file to open; the search finds a page from there and from any folder, and links to it."""
    with browsing(tmp_path) as browser:
        for page in ("index.html", "examples/ci/index.html"):
            browser.open((built / page).as_uri())
            browser.until("typeof __index === 'object'")
            browser.run("document.querySelector('.md-search__button').click()")
            browser.until("document.activeElement.shadowRoot")
            browser.press(*"glossary")
            answer = "document.activeElement.shadowRoot.querySelector('a[href*=glossary]')"
            browser.until(answer)
            assert browser.run(f"return {answer}.href") == (built / "docs" / "glossary.html").as_uri()
            assert browser.complaints() == []


def test_every_page_is_in_the_navigation() -> None:
    """Whoever adds a page adds it to mkdocs.yml, once."""
    named = re.findall(r": (\S+\.md)$", (site.ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(str(path.relative_to(site.ROOT)) for path in PAGES)


def test_every_picture_is_on_a_page() -> None:
    """None is left over; that those on a page are there is looked at when the site is built."""
    pictures = {path.name for path in (site.ROOT / "docs" / "images").iterdir()}
    assert pictures == {name for page in PAGES for name in re.findall(r"!\[[^\]]+\]\(\S*?([^/)]+)\)", page.read_text())}


@pytest.mark.parametrize(
    ("link", "said"),
    [
        pytest.param("none.md", "docs/import.md links to none.md", id="page"),
        pytest.param("images/none.svg", "docs/import.md links to images/none.svg", id="picture"),
        pytest.param("../../outside.md", "docs/import.md links to ../../outside.md", id="outside"),
        pytest.param("roster.md#none) and [this](#none", "2 issues found", id="anchors"),
    ],
)
def test_a_broken_link_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], link: str, said: str
) -> None:
    """Each kind of link that leads nowhere ends the build with 2 and is named."""
    clone = tmp_path / "clone"
    for path in (site.ROOT / "mkdocs.yml", *site.linked(site.ROOT)):
        (clone / path.relative_to(site.ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, clone / path.relative_to(site.ROOT))
    with (clone / "docs" / "import.md").open("a") as page:
        page.write(f"\nSee [this]({link}).\n")
    monkeypatch.setattr(site, "ROOT", clone)
    assert site.main(tmp_path / "built") == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert "links to" in said or "anchor does not exist" in shown
