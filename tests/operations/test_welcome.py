"""The welcome and the reminder: complete or not at all, in three forms, by templates that can be replaced."""

from __future__ import annotations

import re
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from email import policy
from email.parser import BytesParser
from pathlib import Path
from types import SimpleNamespace

import pytest

from mixpanel_access.cli import welcome as cli_welcome
from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations import overview as loading
from mixpanel_access.operations import project as opening
from mixpanel_access.operations.welcome import MEANINGS, Message, _facts, compose
from tests.fakes import NOW, PRODUCTION, FakeApi
from tests.operations.overviews import BO, overview, person

FACTS = """\
organization:
  name: Example & Sons
  url: https://mixpanel.com/organization/7654321
  login: { ssoRequired: true, identityProvider: Okta, mfaRequired: true, vpn: the VPN, ipAllowlist: [203.0.113.0/24] }
  contacts: { access: ana@example.com, network: it@example.com }
"""
WITHOUT_SSO = FACTS.replace("ssoRequired: true, identityProvider: Okta", "ssoRequired: false").replace(
    "vpn: the VPN", "passwordRules: 12 characters"
)
REVIEW = "engagement: review, projects: { shop: analyst, warehouse: consumer }, ends: 2026-06-30"


def written(
    facts: str = FACTS, entry: str = REVIEW, *, invited: bool = True, template: str = "welcome", own: Path | None = None
) -> Message:
    """What Bo is written."""
    api = FakeApi()
    api.put(BO, "member", invited=invited)
    api.give(PRODUCTION, BO, "analyst")
    looked = overview(api, person(more=entry), invited={BO: NOW} if invited else None, more=facts)
    return compose(looked, BO.upper(), template, own)


def test_everything_that_one_has_to_know_is_in_it() -> None:
    """Organization, login, network, projects and roles in plain words, the end, the contacts."""
    message = written()
    assert (message.to, message.cc) == (BO, ())
    assert message.subject == "Your access to Example & Sons in Mixpanel"
    for words in (
        "Accept the invitation that Mixpanel has sent to bo@example.com. It expires on 2026-05-11 12:00 UTC.",
        "<https://mixpanel.com/organization/7654321>",
        "Choose single sign-on and log in with Okta, as bo@example.com.",
        "Set up a second factor",
        "Connect to the VPN first",
        "203.0.113.0/24",
        "for review, until 2026-06-30 (UTC)",
        f"- **shop** (production): analyst. {MEANINGS['analyst']}",
        f"- **warehouse** (production): consumer. {MEANINGS['consumer']}",
        "It ends automatically on 2026-06-30.",
        "- Access: ana@example.com\n- Network: it@example.com\n",
    ):
        assert words in message.markdown
    assert "password" not in message.markdown


def test_who_is_in_and_logs_in_with_a_password_reads_something_else() -> None:
    """No invitation, no single sign-on, no end."""
    message = written(WITHOUT_SSO, "projects: { shop: analyst }", invited=False)
    assert "a password of your own (12 characters)" in message.markdown
    for words in ("Accept the invitation", "single sign-on", "until", "It ends", "VPN"):
        assert words not in message.markdown


def test_its_text_has_no_marks_and_its_steps_are_numbered() -> None:
    """For those whose mail program shows text."""
    text = written().text
    assert "**" not in text
    assert "<http" not in text
    assert "How to log in\n-------------\n\n1. Connect to the VPN first;" in text  # nothing works before that
    assert "\n2. Use one of these networks: 203.0.113.0/24.\n3. Accept" in text
    assert "\n4. Open https://mixpanel.com/organization/7654321.\n5. Choose" in text
    assert "\n\nRules\n" in text


def test_dashboards_are_links_to_start_with() -> None:
    """Of the projects that one has, in all forms."""
    api = FakeApi()
    api.put(BO, "member")
    looked = overview(api, person(more="projects: { shop: analyst }"), more=FACTS)
    project = looked.stacks["production"].roster
    assert project is not None
    shop = project.projects["shop"].model_copy(update={"dashboards": {"Checkout [v2]": "https://mixpanel.com/s/a_b_c"}})
    project.projects["shop"] = shop  # type: ignore[index]  # a plain dict below
    message = compose(looked, BO, "welcome", None)
    assert '<a href="https://mixpanel.com/s/a_b_c">Checkout [v2]</a>' in message.html
    assert "- Checkout [v2]: https://mixpanel.com/s/a_b_c\n" in message.text


@pytest.mark.parametrize("draft", [True, False])
def test_the_mail_is_one_that_mail_programs_open(draft: bool) -> None:
    """Text with HTML beside it, and an id of its own; only a draft is marked as not sent."""
    api = FakeApi()
    api.put(BO, "member", invited=True)
    looked = overview(api, person(more=REVIEW), more=FACTS)
    roster = looked.stacks["production"].roster
    assert roster is not None
    review = roster.engagements["review"].model_copy(update={"manager": "mia@example.com"})
    roster.engagements["review"] = review  # type: ignore[index]  # a plain dict below
    message = compose(looked, BO, "welcome", None)
    raw, other = (message.mail("ana@example.com", NOW, draft=draft).as_bytes(policy=policy.SMTP) for _ in range(2))
    mail = BytesParser(policy=policy.default).parsebytes(raw)
    assert (mail["From"], mail["To"], mail["Cc"]) == ("ana@example.com", BO, "mia@example.com")
    assert mail["X-Unsent"] == ("1" if draft else None)
    assert re.fullmatch(r"<[^<>@\s]+@example\.com>", mail["Message-ID"])
    assert mail["Message-ID"] != BytesParser(policy=policy.default).parsebytes(other)["Message-ID"]
    assert mail["Date"] == "Mon, 04 May 2026 12:00:00 +0000"
    plain, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert page is not None
    assert "Hello bo@example.com," in plain.get_content()
    assert "<h2>How to log in</h2>" in page.get_content()


@pytest.mark.parametrize("template", ["welcome", "reminder"])
def test_the_page_has_a_title_and_one_heading(template: str, tmp_path: Path) -> None:
    """The subject, whatever is in it; a heading that the organization's own template has stays the only one."""
    facts = FACTS.replace("Example & Sons", "'<b> & Sons'")
    page, subject = written(facts, template=template).html, "to &lt;b&gt; &amp; Sons in Mixpanel"
    for tag in ("title", "h1"):
        (found,) = re.findall(f"<{tag}>(.*)</{tag}>", page)
        assert subject in found
    (tmp_path / f"{template}.md.j2").write_text("Subject: Hi\n\n# Welcome\n\nHello\n")
    page = written(template=template, own=tmp_path).html
    assert re.findall("<h1>(.*)</h1>", page) == ["Welcome"]
    assert "<title>Hi</title>" in page


def test_the_reminder_asks_for_the_invitation() -> None:
    """Shorter, with whom to tell; the network before the login, here too."""
    message = written(template="reminder")
    assert 0 < message.text.index("Connect to the VPN first") < message.text.index("203.0.113.0/24")
    assert message.text.index("203.0.113.0/24") < message.text.index("Log in at")
    assert "VPN" not in written(WITHOUT_SSO, template="reminder").text
    assert message.subject == "Your invitation to Example & Sons in Mixpanel is waiting"
    assert "write to ana@example.com" in message.text
    assert "with Okta, not with a password" in message.text
    assert "\n\n- Look for an e-mail" in message.markdown
    assert "with Okta" not in written(WITHOUT_SSO, template="reminder").text


MISSING = {
    "name": ("  name: Example & Sons\n", "organization.name"),
    "url": ("  url: https://mixpanel.com/organization/7654321\n", "organization.url"),
    "single sign-on": ("ssoRequired: true, ", "organization.login.ssoRequired"),
    "identity provider": (", identityProvider: Okta", "organization.login.identityProvider"),
    "second factor": (", mfaRequired: true", "organization.login.mfaRequired"),
    "contacts": ("  contacts: { access: ana@example.com, network: it@example.com }\n", "organization.contacts"),
}


@pytest.mark.parametrize(("gone", "name"), MISSING.values(), ids=MISSING.keys())
def test_a_missing_fact_is_an_error_that_names_it(gone: str, name: str) -> None:
    """Not an empty line in a message to somebody."""
    assert gone in FACTS
    with pytest.raises(UsageError) as raised:
        written(FACTS.replace(gone, ""))
    assert f"production.yaml does not say {name}. " in str(raised.value)


def test_all_missing_facts_are_named_at_once() -> None:
    """One run, one mend."""
    with pytest.raises(UsageError, match=r"organization.name, organization.url, organization.login.ssoRequired, "):
        written("")


def test_nobody_is_written_who_has_nothing() -> None:
    """Not in a roster, or not in these days."""
    with pytest.raises(UsageError, match="no roster gives them anything today"):
        written(entry="ends: 2026-05-03")
    with pytest.raises(UsageError, match="no roster gives them anything today"):
        compose(overview(FakeApi(), more=FACTS), "nobody@example.com", "welcome", None)


def test_the_names_that_an_error_tells_are_those_that_a_template_may_use(tmp_path: Path) -> None:
    """Each can be used, and a slip of the pen is told all of them; none is left out."""
    (tmp_path / "welcome.md.j2").write_text("Subject: x\n\n{{ nmae }}\n")
    with pytest.raises(UsageError) as raised:
        written(own=tmp_path)
    told = str(raised.value).partition("it may use ")[2].partition(";")[0].split(", ")
    looked = overview(FakeApi(), person(more=REVIEW), more=FACTS)
    someone = looked.get(BO)
    assert someone is not None
    assert told == sorted(_facts(someone, looked))


def test_an_organization_may_have_templates_of_its_own(tmp_path: Path) -> None:
    """One of them, or both; the other is the one that is built in."""
    (tmp_path / "welcome.md.j2").write_text("Subject: Hi {{ email }}\n\nSee <{{ organization.url }}>.\n")
    message = written(own=tmp_path)
    assert (message.subject, message.text) == (f"Hi {BO}", "See https://mixpanel.com/organization/7654321.\n")
    assert written(own=tmp_path, template="reminder").subject.startswith("Your invitation")


@pytest.mark.parametrize(
    ("text", "words"),
    [("Subject: {{ nmae }}", "'nmae' is undefined"), ("Subject: x\n\n{% if %}", "line 3"), ("{{ login.vnp }}", "vnp")],
)
def test_a_template_that_asks_for_what_is_not_there_is_an_error(tmp_path: Path, text: str, words: str) -> None:
    """It names the template."""
    (tmp_path / "welcome.md.j2").write_text(text)
    with pytest.raises(UsageError, match=r"cannot use the template for welcome.md.j2: ") as raised:
        written(own=tmp_path)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", "[a](javascript:alert(1))", "**b**", "# c", "back\\slash", "a|b_c*d`e", "x & y"],
)
def test_a_name_is_a_name_and_no_markup(name: str) -> None:
    """Whatever it holds, it reads as it is written, in text and HTML."""
    message = written(entry=f"{REVIEW}, name: '{name}'")
    assert f"Hello {name}," in message.text
    assert "<script" not in message.html
    assert 'javascript:alert(1)"' not in message.html
    shown = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert f"Hello {shown}," in message.html


def test_who_has_come_is_not_reminded() -> None:
    """They would look for an e-mail that was answered long ago."""
    with pytest.raises(UsageError, match="they have accepted their invitation"):
        written(invited=False, template="reminder")


def test_an_expired_invitation_has_an_end_that_is_past() -> None:
    """It is told as it is; `status` says to send it again."""
    api = FakeApi()
    api.put(BO, "member", invited=True)
    looked = overview(api, person(more=REVIEW), now=NOW + timedelta(days=8), invited={BO: NOW}, more=FACTS)
    assert "It expires on 2026-05-11 12:00 UTC" in compose(looked, BO, "reminder", None).text


BROKEN = {
    "divides by nothing": ("Subject: a\n\n{{ 1/0 }}", "ZeroDivisionError"),
    "adds a name to a number": ("Subject: a\n\n{{ name + 1 }}", "TypeError"),
    "no subject": ("Hello {{ name }}\n\nbody", "its first line is not `Subject: ...`"),
    "an empty subject": ("Subject:\n\nbody", "its first line is not `Subject: ...`"),
    "nothing below it": ("Subject: a\n", "or nothing follows it"),
    "empty": ("", "its first line is not `Subject: ...`"),
}


@pytest.mark.parametrize(("text", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_template_is_an_error(tmp_path: Path, text: str, words: str) -> None:
    """Whatever it does, it is told in one line, and no message comes of it."""
    (tmp_path / "welcome.md.j2").write_text(text)
    looked = overview(FakeApi(), person(more=REVIEW), more=FACTS, applied=False)
    with pytest.raises(UsageError, match=r"cannot use the template for welcome\.md\.j2") as refused:
        compose(looked, BO, "welcome", tmp_path)
    assert words in str(refused.value)
    (tmp_path / "welcome.md.j2").write_bytes(b"Subject: \xff\n\nbody")
    with pytest.raises(UsageError, match="UnicodeDecodeError"):
        compose(looked, BO, "welcome", tmp_path)
    (tmp_path / "welcome.md.j2").unlink()
    (tmp_path / "welcome.md.j2").mkdir()
    with pytest.raises(UsageError, match="is not a file"):
        compose(looked, BO, "welcome", tmp_path)


def test_an_address_is_written_as_mail_servers_take_it() -> None:
    """A domain in ASCII; a name beyond it is an error that says so."""
    message = written()
    mail = replace(message, to="joerg@bücher.example").mail("ana@example.com", NOW, draft=True)
    assert b"To: joerg@xn--bcher-kva.example" in mail.as_bytes()
    mail = replace(message, to="joerg@fa\u00df.example").mail("ana@b\u00fccher.example", NOW, draft=True)
    assert b"To: joerg@xn--fa-hia.example" in mail.as_bytes()  # not fass.example, which is somebody else's
    assert b"From: ana@xn--bcher-kva.example" in mail.as_bytes()
    with pytest.raises(UsageError, match="letters beyond ASCII"):
        replace(message, to="jörg@example.com").mail("ana@example.com", NOW, draft=True)
    with pytest.raises(UsageError, match="cannot write a mail for joerg@b"):
        replace(message, to="joerg@b\u00fccher..example").mail("ana@example.com", NOW, draft=True)


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_what_no_mail_server_takes_can_still_be_written(
    form: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only a mail needs an address in ASCII."""
    joerg = "j\u00f6rg@example.com"
    api = FakeApi()
    api.put(joerg, "member", invited=True)
    looked = overview(api, person(joerg, REVIEW), more=FACTS)
    monkeypatch.setattr(opening, "open_project", lambda *_: SimpleNamespace(pulumi=SimpleNamespace(project=tmp_path)))
    monkeypatch.setattr(loading, "load_overview", lambda *_: nullcontext(looked))

    def run(form: str) -> int:
        return cli_welcome.welcome(joerg, format_=form, sender="ana@example.com", cwd=tmp_path)

    assert run(form) == 0
    assert "Hello" in capsys.readouterr().out
    with pytest.raises(UsageError, match="--format text"):
        run("eml")


def test_what_steers_a_terminal_is_not_written() -> None:
    """Controls and marks of direction in a name."""
    assert "Hello AB," in written(entry='name: "A\\e\\u202eB", ' + REVIEW).text
