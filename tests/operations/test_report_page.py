"""The report's page: one file that loads nothing, escapes everything, and can be read by everybody."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

import mixpanel_access
from mixpanel_access.operations.report.model import Report
from mixpanel_access.operations.report.page import MONTHS, by_person, months, page, tiles, with_code
from mixpanel_access.operations.report.risk import FACTORS
from mixpanel_access.rules.rule import Level
from tests.fakes import PRODUCTION, FakeApi
from tests.operations.reports import HOSTILE, PRODUCTION_ROSTER, called, crowd, organization, report

CSS = (Path(mixpanel_access.__file__).parent / "templates" / "report" / "page.css").read_text()
EMPTY = "environment: production\npeople: []\n"


class Read(HTMLParser):
    """A page's elements, and the text of those that hold text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def of(self, tag: str) -> list[dict[str, str]]:
        """The attributes of the elements of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def html() -> str:
    """The page of the report with something of everything."""
    return page(report())


def empty() -> Report:
    """A report of an organization without anybody, where no rule finds anything."""
    staging = EMPTY.replace("production", "staging")
    return replace(report(FakeApi(projects_={}), production=EMPTY, staging=staging), findings=[])


def test_nothing_is_loaded_and_nothing_foreign_runs(html: str) -> None:
    """Every link stays on the page; style and script are the two whose hashes the policy names; no inline handlers."""
    read = Read(html)
    (policy,) = [one["content"] for one in read.of("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert (rules["default-src"], rules["base-uri"], rules["form-action"]) == ("'none'", "'none'", "'none'")
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"
    assert html.index("Content-Security-Policy") < html.index("<style>")
    links = [attributes["href"] for _, attributes in read.elements if "href" in attributes]
    assert {link for link in links if not link.startswith("#")} == {"data:,"}
    loading = {"src", "srcset", "action", "formaction", "poster", "data", "background", "style"}
    for tag, attributes in read.elements:
        assert not loading & attributes.keys(), tag
        assert not [name for name in attributes if name.startswith("on")], tag
    assert "url(" not in CSS
    assert "@import" not in CSS


def test_every_link_leads_somewhere(html: str) -> None:
    """Anchors, labels and names that refer to an element have one, and no two have the same."""
    read = Read(html)
    ids = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in read.elements:
        for name in ("for", "aria-labelledby", "aria-controls", "data-person"):
            assert attributes.get(name, ids[0]) in ids
        if attributes.get("href", "").startswith("#"):
            assert attributes["href"][1:] in ids


def test_the_page_has_its_landmarks(html: str) -> None:
    """One heading of the first level, a main part, a language, a title; every table a caption and scopes."""
    read = Read(html)
    for tag in ("h1", "main", "title", "nav", "footer"):
        assert len(read.of(tag)) == 1, tag
    assert read.of("html") == [{"lang": "en"}]
    assert len(read.of("caption")) == len(read.of("table")) == 5
    assert all(one.get("scope") in ("col", "row", "colgroup") for one in read.of("th"))
    levels = [int(tag[1]) for tag, _ in read.elements if re.fullmatch(r"h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_all_of_the_report_is_on_it(html: str) -> None:
    """Roles in words, ways, endings, invitations, differences, findings, and the table of the points."""
    text = " ".join(" ".join(Read(html).texts).split())
    for words in (
        "Mixpanel access of Example",
        "All stacks: production, staging.",
        "analyst by individual, consumer by team Data",
        "Shop (production) : owner owner by individual, stack production; engagement audit-2026; ticket OPS-4800",
        "custom role 5b0c0c3e-0000-4000-8000-000000000001 by individual, no stack",
        "Ended, and still there",
        "the invitation is pending for 96 h",
        "unmanaged grant",
        "changed grant",
        "not-expired",
        "unknown data views no known call lists who is in them",
        "the organization discoverability Open: anybody with an address",
        *(factor.rule.replace("`", "") for factor in FACTORS),
    ):
        assert words in text, words


def test_empty_sections_say_so() -> None:
    """Nobody, nothing, and no table without a row."""
    read = Read(page(empty()))
    text = " ".join(" ".join(read.texts).split())
    for words in (
        "Nobody is in the organization",
        "There is nobody.",
        "Nothing that the rosters declare has an end.",
        "Everybody who was invited has accepted.",
        "Everything in Mixpanel is in a stack",
        "unknown MCP no known call shows whether it is on",
        "No rule finds anything.",
    ):
        assert words in text
    assert len(read.of("table")) == 2  # of the points, and of what is unknown
    assert [tile.number for tile in tiles(empty())][:5] == [0, 0, 0, 0, 0]


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_somebody_is_called_is_only_text(text: str, html: str) -> None:
    """Names, addresses, projects, teams, engagements, reasons: no element and no attribute more than without them."""
    plain = page(called("harmless"))
    hostile = page(called(text))
    shape = [(tag, sorted(attributes)) for tag, attributes in Read(plain).elements]
    assert [(tag, sorted(attributes)) for tag, attributes in Read(hostile).elements] == shape
    assert hostile.count("<script") == 1
    assert text in "".join(Read(hostile).texts)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("run `pulumi up --stack a`, then `x`", "run <code>pulumi up --stack a</code>, then <code>x</code>"),
        ("`<b>` & `", "<code>&lt;b&gt;</code> &amp; `"),
        ("nothing to run", "nothing to run"),
    ],
)
def test_a_command_in_words_stands_out(text: str, shown: str) -> None:
    """And what is in it is only text."""
    assert with_code(text) == shown


def test_no_command_is_shown_with_its_backticks(html: str) -> None:
    """A next step names the command to copy."""
    texts = Read(html).texts
    assert "pulumi up --stack production --refresh" in texts
    assert not [text for text in texts if re.search(r"`[^$]*`", text) and "data-row" not in text]


def test_a_dashboard_is_no_link() -> None:
    """The page has no link of anybody's making, whatever the roster's dashboards are."""
    roster = PRODUCTION_ROSTER.replace("https://mixpanel.com/d/1", "https://mixpanel.com/d/2?q=javascript:alert(1)")
    assert "javascript:" not in page(report(production=roster))


def test_months_begin_with_this_one() -> None:
    """Twelve of them; what is over or later is not counted, the highest bar is full."""
    found = report()
    shown = months(found.endings, date(2026, 5, 4))
    assert [(one.label, one.year) for one in shown][::11] == [("May", 2026), ("Apr", 2027)]
    assert [one.count for one in shown] == [1, 2, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0]
    assert [shown[place].height for place in (0, 1, 7)] == [33, 67, 100]
    assert len(months([], date(2026, 12, 31))) == MONTHS
    assert [one.height for one in months([], date(2026, 12, 31))] == [0] * MONTHS


def test_the_tiles_count() -> None:
    """Each leads to its section, and warns where there is something to do."""
    shown = {tile.section: (tile.number, tile.more) for tile in tiles(report())}
    assert shown["matrix"] == (13, "6 outside the company")
    assert shown["risk"] == (8, "of 13 people; 4 medium, 1 low")
    assert shown["endings"] == (2, "1 ended and still there; 2 more within 90 days; 2 people without an end")
    assert shown["invitations"] == (3, "1 expired, 2 to follow up")
    assert shown["unmanaged"] == (8, "in Mixpanel, but in no stack; 1 missing or changed; 1 thing not known")
    assert shown["other"] == (1, "outside roles, teams and grants; 3 kinds not known")
    assert shown["policies"] == (33, "of policy rules; 24 advisory")


def test_no_tile_shows_zero_for_what_is_not_known() -> None:
    """A question mark instead, and in words what is not known; where all is known, zero is zero."""
    sources = empty().other_access
    unknown = replace(empty(), other_access=[one for one in sources if not one.known], unknown=["Who is in a team."])
    shown = {tile.section: tile for tile in tiles(unknown)}
    assert [section for section, tile in shown.items() if not tile.known] == ["unmanaged", "other"]
    assert "1 thing not known" in shown["unmanaged"].more
    text = " ".join(" ".join(Read(page(unknown)).texts).split())
    assert "? none known unmanaged" in text
    assert "? none known other access" in text
    shown = {tile.section: tile for tile in tiles(replace(empty(), other_access=[], unknown=[]))}
    assert all(tile.known and "not known" not in tile.more for tile in shown.values())
    untold = {tile.section: tile for tile in tiles(report(company=frozenset()))}
    assert (untold["risk"].known, untold["matrix"].more) == (False, "who is outside the company is not known")


def test_access_that_mixpanel_does_not_show_is_not_taken_for_none() -> None:
    """The cell of an invited person says so, in projects that list none of them; so does the page, with the reason."""
    api = organization()
    api.rows = [one for one in api.rows if one.email not in ("robin@agency.example.org", "jo@agency.example.org")]
    found = report(api)
    hidden = {one.email: len(one.hidden) for one in found.people if one.hidden}
    assert hidden == {f"{name}@agency.example.org": 5 for name in ("jo", "robin", "uma")}
    html = page(found)
    rows = re.findall(r'<tr data-row="person".*?</tr>', html.replace("<wbr>", ""), re.DOTALL)
    shown = {email: row.count(">not known<") for row in rows for email in re.findall(">([^<]+@[^<]+)</a>", row)}
    assert shown == {one.email: len(one.hidden) for one in found.people}
    assert f"What {', '.join(sorted(hidden))} can reach: Mixpanel lists people" in html
    assert not [one for one in report().people if one.hidden], "the projects list those who are invited"


def test_findings_stand_with_their_person(html: str) -> None:
    """Once for each person, the most mandatory ones first; what is about nobody is last; a rule says how to fix it."""
    found = report()
    groups = by_person(found)
    assert sum(len(one.findings) for one in groups) == len(found.findings)
    assert len({one.email.casefold() for one in groups}) == len(groups)
    assert [one.email for one in groups][-1] == ""
    counts = [sum(one.level is Level.MANDATORY for one in group.findings) for group in groups if group.email]
    assert counts == sorted(counts, reverse=True)
    for group in groups:
        assert {one.email.casefold() for one in group.findings} == {group.email.casefold()}
        if group.place:
            assert found.people[group.place - 1].email == group.email
    section = html[html.index('id="policies"') :]
    for rule in {one.rule for one in found.findings}:
        (place,) = set(re.findall(rf'href="#(found-\d+)">{rule}<', section))
        assert f"<code>{rule}</code>" in section.partition(f'id="{place}"')[2].partition("</li>")[0]


def test_every_region_has_a_name_of_its_own() -> None:
    """A list of landmarks tells them apart, in a report of many people too."""
    for html in (page(report()), page(crowd(2)), page(empty())):
        read = Read(html)
        headings = dict(re.findall(r'<h2 id="([^"]+)">([^<]+)</h2>', html))
        regions = [one for tag, one in read.elements if tag in ("section", "nav", "search") or one.get("role")]
        names = [one.get("aria-label") or headings.get(one.get("aria-labelledby", ""), "") for one in regions]
        named = [name for one, name in zip(regions, names, strict=True) if "needs-script" not in one.get("class", "")]
        assert all(named)
        assert len(set(named)) == len(named)


TOKENS = {
    name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", CSS)
}
GROUNDS = ("page", "surface", "raised")
READ = [
    *((text, ground) for text in ("text", "muted", "accent", "high") for ground in GROUNDS),
    ("on-accent", "accent"), ("text", "accent-soft"), ("accent", "accent-soft"), ("muted", "accent-soft"),
    *((level, f"{level}-soft") for level in ("high", "medium", "low")),
]  # fmt: skip
SEEN = [("control", ground) for ground in GROUNDS]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back", "least"), [(*pair, 4.5) for pair in READ] + [(*pair, 3.0) for pair in SEEN], ids=str
)
def test_colours_stand_out(front: str, back: str, least: float, theme: int) -> None:
    """Text by 4.5 to 1 and the edges of controls by 3 to 1 (WCAG 2.2, 1.4.3 and 1.4.11), in both themes."""
    assert contrast(TOKENS[front][theme], TOKENS[back][theme]) >= least


def test_every_colour_is_a_token() -> None:
    """No colour stands anywhere else in the style, so that the pairs above are all there are."""
    rules = CSS.partition("}")[2]
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)|rgba?\(|hsla?\(", rules) == []


def contrast(one: str, other: str) -> float:
    """The ratio of two colours (WCAG 2.2, relative luminance)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_contrast_is_reckoned_as_the_standard_does() -> None:
    """Black on white is 21 to 1; the grey #767676 is the lightest that passes on white."""
    assert round(contrast("#000000", "#ffffff"), 2) == 21
    assert round(contrast("#767676", "#ffffff"), 2) == 4.54
    assert contrast("#777777", "#ffffff") < 4.5


def test_the_project_of_nobody_has_no_cell() -> None:
    """An empty cell is no access: nothing in it."""
    assert re.search(r"<td[^>]*></td>", page(report()))
    assert PRODUCTION in {project.id for one in report().environments for project in one.projects}
