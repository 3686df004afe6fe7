"""A real Chromium, asked over WebDriver (W3C) by nothing but the standard library.

Debian's packages `chromium` and `chromium-driver` have what it needs. Where they are missing, the tests that look at a
page are skipped on a developer's machine and fail in CI.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from mixpanel_access.engine.settings import read_settings
from tests.languages import missing
from tools.engine.languages import ACCESSIBILITY, find_node_modules

MISSING: Final = "there is no chromium and chromedriver: apt-get install chromium chromium-driver"
REQUIRED_VARIABLE: Final = "MIXPANEL_ACCESS_BROWSER"
"""Set to `required`, it makes a missing browser a failure, as CI=true does."""
TAB, SPACE, ENTER, RIGHT, SHIFT = "\ue004", "\ue00d", "\ue007", "\ue014", "\ue008"
"""Keys, as WebDriver writes them."""

_FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
_SECONDS: Final = 60
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Browser:
    """One session.

    Attributes:
        session: the session's URL.
    """

    session: str

    def open(self, url: str) -> None:
        """Load a page; what was logged before is forgotten."""
        self._logs("browser")
        self._logs("performance")
        self._post("url", {"url": url})

    def run(self, script: str, *args: object) -> Any:
        """What a script returns, a function's body."""
        return self._post("execute/sync", {"script": script, "args": list(args)})

    def until(self, script: str, *args: object) -> None:
        """Wait until an expression is true, as long as a script may take."""
        condition = f"const done = arguments[arguments.length - 1]; const look = () => ({script}) ? done(true) : "
        self._post("execute/async", {"script": f"{condition}requestAnimationFrame(look); look();", "args": list(args)})

    def violations(self) -> list[str]:
        """What axe-core finds wrong with the page: the rule, and the first element that breaks it.

        It is installed by `make languages`; where it is missing, the test is skipped, or fails in CI.
        """
        modules = find_node_modules(read_settings(), ACCESSIBILITY)
        if modules is None:
            missing("axe-core is not there: make languages")
        self.run((modules / "axe-core" / "axe.min.js").read_text())
        script = (
            "const done = arguments[arguments.length - 1]; axe.run(document).then(found => done(found.violations));"
        )
        found: list[dict[str, Any]] = self._post("execute/async", {"script": script, "args": []})
        return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found]

    def press(self, *keys: str, holding: str = "") -> None:
        """Press keys, one after the other."""
        strokes = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        if holding:
            strokes = [{"type": "keyDown", "value": holding}, *strokes, {"type": "keyUp", "value": holding}]
        self._post("actions", {"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]})

    def devtools(self, command: str, **params: object) -> Any:
        """A command of the DevTools protocol."""
        return self._post("goog/cdp/execute", {"cmd": command, "params": params})

    def wide(self, width: int, height: int = 900) -> None:
        """Have a window of a size, in CSS pixels."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.devtools("Emulation.setDeviceMetricsOverride", **metrics)

    def media(self, medium: str = "", **features: str) -> None:
        """Take a medium and features of it: `media("print")`, `media(prefers_color_scheme="dark")`."""
        listed = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.devtools("Emulation.setEmulatedMedia", media=medium, features=listed)

    def complaints(self) -> list[str]:
        """What the console got since the page was opened, violations of the page's policy among it."""
        return [str(entry["message"]) for entry in self._logs("browser")]

    def requests(self) -> dict[str, str]:
        """The URLs that were asked for since the page was opened, each with what blocked it, or ""."""
        events = [json.loads(entry["message"])["message"] for entry in self._logs("performance")]
        asked: dict[str, str] = {}
        blocked: dict[str, str] = {}
        for event in events:
            params = event["params"]
            if event["method"] == "Network.requestWillBeSent":
                asked[params["requestId"]] = params["request"]["url"]
            elif event["method"] == "Network.loadingFailed":
                blocked[params["requestId"]] = params.get("blockedReason", "")
        return {url: blocked.get(request, "") for request, url in asked.items()}

    def _logs(self, kind: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self._post("se/log", {"type": kind})
        return entries

    def _post(self, path: str, body: object) -> Any:
        return _call("POST", f"{self.session}/{path}", body)


@contextmanager
def browsing(folder: Path) -> Iterator[Browser]:
    """A browser with a new, empty profile in a folder."""
    chromium, driver = _programs()
    options = {"binary": chromium, "args": [*_FLAGS, f"--user-data-dir={folder}"]}
    wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
    with _driver(driver) as url:
        made = _call("POST", f"{url}/session", {"capabilities": {"alwaysMatch": wanted}})
        session = f"{url}/session/{made['sessionId']}"
        try:
            yield Browser(session)
        finally:
            _call("DELETE", session)


def _programs() -> tuple[str, str]:
    """The browser and its driver; without them the test is skipped, or fails in CI."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium and driver:
        return chromium, driver
    if os.environ.get("CI") == "true" or os.environ.get(REQUIRED_VARIABLE) == "required":
        pytest.fail(MISSING)
    pytest.skip(MISSING)


@contextmanager
def _driver(program: str) -> Iterator[str]:
    """The driver on a free port, stopped at the end."""
    process = subprocess.Popen([program, "--port=0"], stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if port := re.search(r"started successfully on port (\d+)", line):
                yield f"http://127.0.0.1:{port[1]}"
                return
        raise AssertionError("chromedriver did not start")
    finally:
        process.terminate()
        process.wait(_SECONDS)
        if process.stdout is not None:
            process.stdout.close()


def _call(method: str, url: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with _OPENER.open(request, timeout=_SECONDS) as answer:
            document: Mapping[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise AssertionError(f"{method} {url}: {error.read().decode()}") from None
    return document["value"]
