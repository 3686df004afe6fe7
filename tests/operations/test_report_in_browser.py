"""The report's page in a real Chromium: it reads, filters, prints and is worked by keyboard."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from mixpanel_access.operations.report.page import page
from tests.browser import RIGHT, SHIFT, SPACE, TAB, Browser, browsing
from tests.operations.reports import HOSTILE, called, crowd, report, tenfold
from tests.operations.test_welcome import written

pytestmark = pytest.mark.slow

CONTRASTS = (Path(__file__).parent / "contrasts.js").read_text()
FOCUSED = "const one = document.activeElement; return one.id || one.getAttribute('href') || one.tagName"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all of these."""
    with browsing(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report with something of everything, as a file."""
    file = tmp_path_factory.mktemp("page") / "access-report.html"
    file.write_text(page(report()))
    return file.as_uri()


@pytest.fixture
def shown(browser: Browser, url: str) -> Browser:
    """The page, freshly opened in a wide window."""
    browser.media(prefers_color_scheme="light", prefers_reduced_motion="reduce")
    browser.wide(1280)
    browser.open(url)
    return browser


def search(browser: Browser, text: str) -> str:
    """Write into the search box, and what the page says of it."""
    browser.run("document.getElementById('search').focus(); document.getElementById('search').select()")
    browser.press(*text)
    browser.until("document.getElementById('count').textContent.endsWith(arguments[0])", f"for “{text}”")
    return str(browser.run("return document.getElementById('count').textContent"))


def visible(browser: Browser, selector: str) -> list[str]:
    """The text of the elements that are to be seen."""
    script = (
        "return [...document.querySelectorAll(arguments[0])].filter(e => e.checkVisibility()).map(e => e.textContent)"
    )
    texts: list[str] = browser.run(script, selector)
    return texts


def background(browser: Browser) -> str:
    """The colour behind the page."""
    return str(browser.run("return getComputedStyle(document.body).backgroundColor"))


LIGHT, DARK = "rgb(245, 246, 248)", "rgb(17, 20, 26)"


def test_it_asks_for_nothing_and_complains_of_nothing(shown: Browser, url: str) -> None:
    """One request, its own; no word in the console, none of the page's policy either."""
    assert shown.run("return getComputedStyle(document.querySelector('.tiles')).display") == "grid"
    assert shown.run("return document.documentElement.className") == "script"
    assert shown.requests() == {url: ""}
    assert shown.complaints() == []


def test_its_policy_holds(shown: Browser) -> None:
    """What is put into the page does not run, and what would be loaded is not."""
    shown.run(
        "const one = document.createElement('div'); document.body.append(one); window.ran = [];"
        "one.innerHTML = `<img src='https://example.com/x.png' onerror='ran.push(1)'>"
        "<a href='javascript:ran.push(2)'>x</a>`; one.querySelector('a').click();"
        "const more = document.createElement('script'); more.textContent = 'ran.push(3)'; one.append(more);"
    )
    shown.until("document.querySelector('img').complete")
    assert shown.run("return window.ran") == []
    assert shown.requests()["https://example.com/x.png"] == "csp"
    assert any("Content Security Policy" in line for line in shown.complaints())


@pytest.mark.parametrize("width", [320, 360, 768, 1280, 1920])
def test_the_page_is_as_wide_as_the_window(shown: Browser, width: int) -> None:
    """Nothing of it is to the right; tables scroll in frames of their own."""
    shown.wide(width)
    assert shown.run("return document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("width", [320, 390])
def test_the_person_stays_while_the_matrix_scrolls(shown: Browser, width: int) -> None:
    """In a column that leaves room for the roles, on a phone; the heads of the columns scroll with them."""
    shown.wide(width)
    frame, scrolled, left, wide, head = shown.run(
        "const frame = document.querySelector('#matrix .scroll'), box = frame.getBoundingClientRect();"
        "frame.scrollLeft = 200;"
        "const own = [...document.querySelectorAll('#matrix tbody th, #matrix thead th:first-child')].slice(0, 12)"
        ".map(e => e.getBoundingClientRect());"
        "const first = own.filter(e => Math.abs(e.left - box.left - 1) < 1);"
        "return [box.width, frame.scrollLeft, first.length, Math.max(...first.map(e => e.width)),"
        "document.querySelector('#matrix thead .project').getBoundingClientRect().left]"
    )
    assert (scrolled, left >= 11, wide / frame < 0.5) == (200, True, True), (scrolled, left, wide, frame)
    assert head < 0


def test_the_search_filters_every_section(shown: Browser) -> None:
    """By all words, wherever they stand; it says how many, and that nothing is found."""
    assert visible(shown, "#count") == ["13 people"]
    assert search(shown, "robin") == "1 of 13 people for “robin”"
    assert len(visible(shown, "#matrix tbody tr")) == 1
    assert len(visible(shown, ".people > li")) == 1
    assert visible(shown, "#endings .who") == ["robin@agency.example.org"] * 2
    assert len(visible(shown, "#invitations tbody tr")) == 1
    assert visible(shown, "#unmanaged [data-nothing]") == ["Nothing here is found."]
    assert all("robin" in text for text in visible(shown, "#policies li"))
    assert search(shown, "OPS-4711 lee") == "1 of 13 people for “OPS-4711 lee”"
    assert search(shown, "ITO") == "1 of 13 people for “ITO”"
    assert search(shown, "zebra") == "0 of 13 people for “zebra”"
    assert len(visible(shown, "[data-nothing]")) == 7
    assert shown.run("const one = document.getElementById('count'); return one.tagName") == "OUTPUT"  # told politely
    shown.run("const box = document.getElementById('search'); box.value = ''; box.dispatchEvent(new Event('input'))")
    shown.until("document.getElementById('count').textContent === '13 people'")
    assert len(visible(shown, "#matrix tbody tr")) == 13


def test_everything_is_reached_by_keyboard(shown: Browser) -> None:
    """The skip link first; then search, colours, tiles; nothing focused is hidden under what is sticky."""
    order = []
    for _ in range(10):
        shown.press(TAB)
        order.append(shown.run(FOCUSED))
    assert order == [
        "#main", "search", "theme-system", "#matrix", "#risk", "#endings", "#invitations", "#unmanaged", "#other",
        "#policies",
    ]  # fmt: skip
    stops = int(
        shown.run("return document.querySelectorAll('a[href], button, input, summary, [tabindex=\"0\"]').length")
    )
    seen = set()
    for _ in range(stops):
        shown.press(TAB)
        seen.add(shown.run(FOCUSED))
        assert shown.run(
            "const one = document.activeElement; if (one === document.body) return true;"
            "const box = one.getBoundingClientRect();"
            "const at = document.elementFromPoint(box.left + Math.min(box.width, 40) / 2, "
            "Math.min(Math.max(box.top + Math.min(box.height, 20) / 2, 0), innerHeight - 1));"
            "return box.width > 0 && (one.contains(at) || at.contains(one) || at.closest('label')?.contains(one))"
        ), shown.run("return document.activeElement.outerHTML.slice(0, 200)")
        width = shown.run("return getComputedStyle(document.activeElement).outlineStyle")
        assert width != "none" or shown.run(
            "return document.activeElement.name === 'theme' || document.activeElement === document.body"
        )
    assert {"SUMMARY", "#p-1", "#rule"} <= seen
    shown.press(TAB, holding=SHIFT)
    assert shown.run("return document.activeElement !== document.body")


def test_details_and_ways_open_by_keyboard(shown: Browser) -> None:
    """A summary by space; the ways in the matrix by their button, which says how it stands."""
    shown.run("document.querySelector('summary').focus()")
    shown.press(SPACE)
    assert "ticket OPS-4800" in visible(shown, ".access")[0]
    assert len(visible(shown, ".ways")) > 20
    shown.run("document.getElementById('show-ways').focus()")
    shown.press(SPACE)
    assert (shown.run("return document.activeElement.ariaPressed"), visible(shown, ".ways")) == ("false", [])
    shown.press(SPACE)
    assert shown.run("return document.activeElement.ariaPressed") == "true"
    assert len(visible(shown, ".ways")) > 20


def test_colours_follow_the_system_and_the_switch(shown: Browser) -> None:
    """Dark where the system is; the arrow keys choose, and the choice counts more."""
    assert background(shown) == LIGHT
    shown.media(prefers_color_scheme="dark")
    assert background(shown) == DARK
    shown.run("document.getElementById('theme-system').focus()")
    shown.press(RIGHT)
    assert (shown.run(FOCUSED), background(shown)) == ("theme-light", LIGHT)
    shown.media(prefers_color_scheme="light")
    shown.press(RIGHT)
    assert (shown.run(FOCUSED), background(shown)) == ("theme-dark", DARK)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("hostile", [False, True], ids=["plain", "searched"])
def test_every_text_stands_out_as_it_is_drawn(shown: Browser, scheme: str, hostile: bool) -> None:
    """By 4.5 to 1 of what is really behind it, everything opened (WCAG 2.2, 1.4.3)."""
    shown.media(prefers_color_scheme=scheme)
    if hostile:
        search(shown, "zebra")
    found = shown.run(CONTRASTS)
    assert found["texts"] > (20 if hostile else 300)
    assert found["weak"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(shown: Browser, url: str, tmp_path: Path, scheme: str) -> None:
    """In the report and in the welcome, on a phone, in both themes; and what it should find, it finds."""
    (tmp_path / "welcome.html").write_text(written().html)
    shown.wide(390)
    shown.media(prefers_color_scheme=scheme)
    for page_url in (url, (tmp_path / "welcome.html").as_uri()):
        shown.open(page_url)
        assert shown.violations() == []
    shown.run("document.querySelector('h1').outerHTML = '<img src=\"data:,\">'")
    assert {one.partition(":")[0] for one in shown.violations()} >= {"image-alt"}


@pytest.mark.parametrize("width", [320, 390])
def test_a_welcome_is_as_wide_as_the_window(shown: Browser, tmp_path: Path, width: int) -> None:
    """Its longest link is broken."""
    (tmp_path / "welcome.html").write_text(written().html)
    shown.wide(width)
    shown.open((tmp_path / "welcome.html").as_uri())
    assert shown.run("return document.documentElement.scrollWidth") == width


def test_it_prints_all_of_it_light_and_without_controls(shown: Browser) -> None:
    """Every access opened, frames without an edge, on white; a printed page is made."""
    shown.media("print", prefers_color_scheme="dark")
    assert shown.run("return getComputedStyle(document.documentElement).colorScheme") == "light"
    assert shown.run("return getComputedStyle(document.body).color") == "rgb(26, 31, 41)"
    for control in ("#search", ".theme", "#show-ways", ".skip", "#count"):
        assert visible(shown, control) == [], control
    assert shown.run(
        "return [...document.querySelectorAll('.scroll')].every(e => e.scrollHeight <= e.clientHeight + 1)"
    )
    assert len(visible(shown, "details:not([open]) .access")) == 11
    shown.media(prefers_color_scheme="light")
    printed = base64.b64decode(shown.devtools("Page.printToPDF", preferCSSPageSize=True)["data"])
    assert printed.startswith(b"%PDF-")
    assert not shown.run("return document.querySelectorAll('details[open]').length")


def test_without_script_everything_is_there(shown: Browser, url: str) -> None:
    """Every row, every way; no control that would do nothing; the colours are still switched."""
    shown.devtools("Emulation.setScriptExecutionDisabled", value=True)
    try:
        shown.open(url)
        assert shown.run("return document.documentElement.className") == ""
        assert len(visible(shown, "#matrix tbody tr")) == 13
        assert len(visible(shown, ".ways")) > 20
        assert visible(shown, "#search") == visible(shown, "#show-ways") == visible(shown, "[data-nothing]") == []
        shown.run("document.getElementById('theme-dark').click()")
        assert background(shown) == DARK
    finally:
        shown.devtools("Emulation.setScriptExecutionDisabled", value=False)


def test_whatever_somebody_is_called_does_nothing(shown: Browser, tmp_path: Path) -> None:
    """All the hostile names at once: no element of theirs, no request, no complaint, no dialog."""
    file = tmp_path / "hostile.html"
    file.write_text(page(called(" ".join(HOSTILE))))
    shown.open(file.as_uri())
    assert shown.run("return document.querySelectorAll('img, svg[onload], [autofocus], b > script').length") == 0
    assert "<script>alert(1)</script>" in visible(shown, ".who")[0]
    assert (shown.requests(), shown.complaints()) == ({file.as_uri(): ""}, [])


def test_a_thousand_people_in_ten_projects(shown: Browser, tmp_path: Path) -> None:
    """The page stays under 8 MB, is searched in a moment, and keeps its width."""
    file = tmp_path / "crowd.html"
    file.write_text(page(tenfold(crowd(10))))
    assert file.stat().st_size < 8_000_000
    shown.open(file.as_uri())
    assert search(shown, "person0007") == "1 of 1000 people for “person0007”"
    assert len(visible(shown, "#matrix tbody tr")) == 1
    assert shown.run("return document.documentElement.scrollWidth") == 1280
    shown.run("document.getElementById('matrix').querySelector('a').click()")
    shown.until(
        "(box => box.width > 0 && box.top >= 0 && box.bottom <= innerHeight)"
        "(document.querySelector(location.hash || '#rule').getBoundingClientRect())"
    )
    assert shown.run("return location.hash").startswith("#p-")
    top = "const head = document.querySelector('.matrix thead').getBoundingClientRect().top;"
    shown.run("const box = document.getElementById('search'); box.value = ''; box.dispatchEvent(new Event('input'))")
    shown.until("document.getElementById('count').textContent === '1000 people'")
    frame = "const frame = document.querySelector('#matrix .scroll'); frame.scrollTop = 5000;"
    assert shown.run(f"{frame} {top} return Math.abs(head - frame.getBoundingClientRect().top) <= 2")
