"""Which e-mail domains are nobody's own."""

from __future__ import annotations

import pytest

from mixpanel_access.model.address import is_consumer, is_disposable, is_public_suffix
from mixpanel_access.model.errors import ConfigurationError
from mixpanel_access.model.settings import approvers, company_domains


@pytest.mark.parametrize("domain", ["com", "example", "co.uk", "com.au", "co.jp", "or.at", "gov.in"])
def test_a_public_suffix(domain: str) -> None:
    """One label, or the usual second label of a country."""
    assert is_public_suffix(domain)


@pytest.mark.parametrize("domain", ["example.com", "co.com", "example.co.uk", "web.de", "go.com", "co.example"])
def test_a_domain_of_somebodys_own(domain: str) -> None:
    """Not under a country, or a name of its own."""
    assert not is_public_suffix(domain)


@pytest.mark.parametrize("domain", ["gmail.com", "yahoo.co.uk", "yahoo.fr", "gmx.net", "hotmail.com.br", "t-online.de"])
def test_a_provider_for_everybody(domain: str) -> None:
    """By its name under any public suffix, or as a whole."""
    assert is_consumer(domain)


@pytest.mark.parametrize("domain", ["yahoo.agency.example.org", "gmx.example.org", "gmail.com.example", "notgmail.com"])
def test_a_company_whose_domain_is_like_a_providers(domain: str) -> None:
    """Only the registered name counts, not what somebody puts before their own."""
    assert not is_consumer(domain)


def test_a_throw_away_mailbox() -> None:
    """Subdomains too; a domain that only ends alike is another one."""
    assert is_disposable("mailinator.com")
    assert is_disposable("a.b.mailinator.com")
    assert not is_disposable("notmailinator.com")


@pytest.mark.parametrize(
    ("domain", "words"),
    {
        "co.uk": "co.uk is a public suffix",
        "@Com.Au.": "com.au is a public suffix",
        "example.com,gmail.com": "gmail.com is a mail provider",
        "yopmail.com": "yopmail.com is a mail provider",
        "com": "'com' is not an e-mail domain",
    }.items(),
)
def test_what_is_no_companys_domain(domain: str, words: str) -> None:
    """It would make everybody who can have an address there a colleague."""
    with pytest.raises(ConfigurationError, match="mixpanel:companyDomains cannot be used") as error:
        company_domains(domain)
    assert words in str(error.value)


def test_approvers_are_addresses() -> None:
    """In any spelling; what is none is refused by its name."""
    assert approvers("Ana@Example.com, omar@example.com") == {"ana@example.com", "omar@example.com"}
    assert approvers(None) == frozenset()
    with pytest.raises(ConfigurationError, match=r"mixpanel:approvers cannot be used, 'Ana' is not an e-mail address"):
        approvers('["Ana", "omar@example.com"]')
