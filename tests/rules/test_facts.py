"""What is around the resources: which domains are the company's."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from mixpanel_access.model.settings import company_domains
from mixpanel_access.rules.facts import Context


def test_a_domain_is_the_companys_in_any_case_and_spelt_as_it_is() -> None:
    """A subdomain is not, unless it is listed; "straße.example" and "strasse.example" are two domains."""
    context = Context(date(2026, 5, 4), company_domains=company_domains("STRAßE.example, Example.COM"))
    assert not context.external("bo@straße.example")
    assert context.external("bo@eu.example.com")
    assert not replace(context, company_domains=company_domains("eu.example.com")).external("bo@EU.example.com")
    assert context.external("bo@strasse.example")


def test_the_kind_makes_somebody_external_and_nobody_an_employee() -> None:
    """With or without the company's domains; an address that is not the company's stays external."""
    context, kinds = Context(date(2026, 5, 4), company_domains=frozenset({"example.com"})), ("contractor", "auditor")
    assert [context.external("bo@example.com", kind) for kind in (None, "employee", *kinds)] == [
        False,
        False,
        True,
        True,
    ]
    assert context.external("bo@agency.example.org", "employee")
    assert Context(context.today).external("bo@example.com", "agency")
