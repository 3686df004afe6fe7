"""Whether another region's host knows our login: asked of loopback servers, each of which is an emulator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import httpx
import pytest
import stamina

from mixpanel_access.api.transport import READ_ATTEMPTS
from mixpanel_access.directory.probe import Finding, Probe, other_regions, probes
from mixpanel_access.emulator.server import EmulatorServer, demo_document
from mixpanel_access.model import errors
from mixpanel_access.model.hosts import REGIONS
from mixpanel_access.model.setting_values import Secret
from mixpanel_access.model.settings import Settings
from tests.fakes import NOW, ORGANIZATION, FakeApi, as_api
from tests.in_process import emulating

ACCOUNT = demo_document()["service_accounts"][0]
SETTINGS = Settings(7654321, REGIONS["us"], ACCOUNT["username"], Secret(ACCOUNT["secret"]), region="us")


class Hosts:
    """A server for each region; the organization is in one of them, the others refuse whoever comes."""

    def __init__(self, stack: ExitStack) -> None:
        self.servers = {region: stack.enter_context(EmulatorServer()) for region in ("us", "in")}
        self.servers["eu"] = stack.enter_context(EmulatorServer(demo_document()))
        self.urls = {region: self.servers[region].url for region in REGIONS}

    def requests(self, region: str) -> list[str]:
        """What a host was asked."""
        return list(httpx.get(f"{self.urls[region]}/_emulator/requests").json()["by_endpoint"])

    def fail(self, region: str, status: int) -> None:
        """Have a host fail."""
        fault = {"kind": "status", "status": status, "count": READ_ATTEMPTS}
        httpx.post(f"{self.urls[region]}/_emulator/faults", json=[fault]).raise_for_status()


@pytest.fixture(scope="module")
def _running() -> Iterator[Hosts]:
    """The same three for all tests here."""
    with ExitStack() as stack:
        yield Hosts(stack)


@pytest.fixture
def hosts(_running: Hosts) -> Iterator[Hosts]:
    """The three hosts, for a client that waits for nothing."""
    for server in _running.servers.values():
        server.app.faults.clear()
        server.app.log.reset()
    with stamina.set_testing(True, attempts=READ_ATTEMPTS, cap=True):
        yield _running


def test_the_region_that_knows_our_login_is_named(hosts: Hosts) -> None:
    """Only `me` is read, and only of the other regions."""
    probe = other_regions(SETTINGS, hosts.urls)
    assert probe is not None
    assert probe.came == "eu: knows it, in: answers 401"
    assert (probe.finding, probe.problem) == (Finding.FAILED, False)
    assert {region: hosts.requests(region) for region in REGIONS} == {
        "us": [], "eu": ["GET /api/app/me"], "in": ["GET /api/app/me"],
    }  # fmt: skip


def test_that_no_region_knows_our_login_is_told(hosts: Hosts) -> None:
    """It is the credentials, then."""
    probe = other_regions(replace(SETTINGS, secret=Secret("wrong")), hosts.urls)
    assert probe is not None
    assert (probe.came, probe.finding) == ("eu: answers 401, in: answers 401", Finding.OK)


@pytest.mark.parametrize("status", [500, 503, 403, 429])
def test_a_region_that_does_not_say_is_unknown(hosts: Hosts, status: int) -> None:
    """Which is not "no"."""
    hosts.fail("eu", status)
    probe = other_regions(SETTINGS, hosts.urls)
    assert probe is not None
    assert (probe.came, probe.finding) == (f"eu: answers {status}, in: answers 401", Finding.SKIPPED)


def test_a_region_that_cannot_be_reached_is_unknown(hosts: Hosts) -> None:
    """The other one is asked all the same."""
    with emulating() as stopped:
        nowhere = stopped.url
    probe = other_regions(SETTINGS, {**hosts.urls, "in": nowhere})
    assert probe is not None
    assert probe.came == "eu: knows it, in: does not answer"


def test_where_the_configuration_names_the_host_no_other_is_asked(hosts: Hosts) -> None:
    """Somebody chose where the credentials go."""
    assert other_regions(replace(SETTINGS, region=None), hosts.urls) is None
    assert hosts.requests("eu") == []


@pytest.mark.parametrize("url", ["https://evil.example.com", "https://mixpanel.com.example.com", "http://192.0.2.1"])
def test_no_host_but_mixpanels_gets_the_credentials(url: str) -> None:
    """Nothing is sent there: that would be an error of the network here."""
    probe = other_regions(SETTINGS, {"eu": url})
    assert probe is not None
    assert (probe.came, probe.finding) == ("", Finding.SKIPPED)


@pytest.mark.parametrize("kind", [errors.Unauthorized, errors.ServerFault, errors.Forbidden, errors.RateLimited])
def test_doctor_asks_elsewhere_where_a_wrong_region_may_be_the_reason(kind: type[errors.MixpanelError]) -> None:
    """401 and faults of the server, as other regions' hosts answer; not a refusal of somebody who is known."""
    api = FakeApi(faults={"me": [kind("cannot log in", why="Mixpanel said so")]})
    there = Probe("region", "x", "eu answers", Finding.FAILED, needed=False)
    found = probes(as_api(api), ORGANIZATION, frozenset(), NOW, lambda: there)
    assert (there in found) is (kind in (errors.Unauthorized, errors.ServerFault))
    assert there not in probes(as_api(FakeApi()), ORGANIZATION, frozenset(), NOW, lambda: there)
