"""What a server of the resources loads while the engine begins, so that the first resource does not wait for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mixpanel_access.provider.command import Command
from mixpanel_access.server.process import asks_mixpanel

PROBE = """
import sys
from mixpanel_access.directory import connect, get_ready
from mixpanel_access.model.settings import load_settings
get_ready()
ready = {*sys.modules}
config = {"organizationId": "1", "environment": "x", "serviceAccountUsername": "bot", "serviceAccountSecret": "s"}
directory = connect(load_settings(config.get, {}, config))
print(*sorted({*sys.modules} - ready))
"""


def test_who_is_ready_loads_nothing_more_to_connect() -> None:
    """HTTP, the shapes of the answers, the snapshot and the certificate authorities are there."""
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("authorities", ["", "/nowhere"])
def test_what_is_wrong_is_left_to_the_first_request(authorities: str) -> None:
    """A thread of its own has nobody to tell."""
    probe = "from mixpanel_access.directory import get_ready; get_ready()"
    done = subprocess.run(
        [sys.executable, "-c", probe], env={"SSL_CERT_FILE": authorities}, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("verb", "asks"), [("refresh", True), ("up", True), ("destroy", True), ("preview", False)])
def test_a_preview_is_not_made_ready(verb: str, asks: bool) -> None:
    """Without a change it asks Mixpanel nothing; a command that is unknown may ask."""
    assert asks_mixpanel(Command(verb)) is asks
    assert asks_mixpanel(None)
