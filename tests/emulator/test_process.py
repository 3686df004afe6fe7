"""`mixpanel-access emulator` as a process."""

from __future__ import annotations

import json
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from mixpanel_access.cli.emulator import emulator as cli_emulator
from mixpanel_access.emulator.dialect import Dialect
from mixpanel_access.emulator.server import EmulatorOptions, EmulatorServer, run
from mixpanel_access.model.errors import UsageError
from tests.cli.typed import typed
from tests.emulator.conftest import CUSTOM, NOW, Client, P, organization, unchanged

COMMAND = [sys.executable, "-m", "mixpanel_access", "emulator"]


def get(url: str) -> Any:
    """What an address answers, as JSON."""
    with Client() as client:
        return client.get(url).json()


@contextmanager
def running(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The process, and what it listens on."""
    pipe = subprocess.PIPE
    with subprocess.Popen([*COMMAND, *options], stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield line, process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_when_told(number: signal.Signals) -> None:
    """The first line is the address, connections are accepted by then, and the end is clean."""
    with running("--demo") as (line, process):
        assert re.fullmatch(r"listening on http://127\.0\.0\.1:[1-9][0-9]*\n", line)
        url = line.removeprefix("listening on ").strip()
        dump = get(f"{url}/_emulator/dump")
        assert dump["organization"]["id"] == 7654321
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err) == (0, "", "")


def test_it_speaks_the_dialect_of_a_file(tmp_path: Path) -> None:
    """The fields of the file differ from the default, and the others are as ever."""
    file = tmp_path / "dialect.json"
    file.write_text(json.dumps({"organization_role": "no role", "missing": ["POST /organizations/{o}/add-users/"]}))
    with running("--demo", "--dialect", str(file)) as (line, process):
        spoken = get(f"{line.removeprefix('listening on ').strip()}/_emulator/dialect")
        process.kill()
    assert spoken == {**Dialect().model_dump(), **json.loads(file.read_text())}


def test_it_warns_when_it_is_bound_beyond_loopback() -> None:
    """Who asks for another address is told what that means."""
    with running("--host", "0.0.0.0") as (line, process):  # that is what is tested
        assert line.startswith("listening on http://0.0.0.0:")
        process.terminate()
        _, err = process.communicate(timeout=10)
        assert err.startswith("warning: bound to 0.0.0.0")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of seeds and data files that cannot be used, and one good seed."""
    documents: dict[str, Any] = {
        "good.json": organization(),
        "wrong.json": {"organization": {"id": "x", "name": "E"}},
        "twice.json": organization(members=[{"email": f"{name}@example.com", "id": 1} for name in "ab"]),
        "late.json": organization(now="9999-12-31T23:59:59Z"),
        "list.json": [],
    }
    for name, document in documents.items():
        (tmp_path / name).write_text(json.dumps(document))
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "deep.json").write_text("[" * 200_000)
    (tmp_path / "latin.json").write_bytes(b'{"name": "\xfc"}')
    (tmp_path / "text").write_text("no database at all, " * 100)
    with closing(sqlite3.connect(tmp_path / "foreign")) as database:
        database.execute("CREATE TABLE member (x)")
    return tmp_path


UNUSABLE = {
    "port in use": (("--port", "{port}"), "Address already in use"),
    "port beyond all": (("--port", "65536"), "must be 0-65535"),
    "port below all": (("--port", "-1"), "cannot listen"),
    "host of no length": (("--host", ""), "cannot listen"),
    "host that is no name": (("--host", "\u00fc" * 80), "cannot listen"),
    "no such host": (("--host", "nowhere.example.org"), "cannot listen"),
    "seed is no JSON": (("--seed", "{files}/broken.json"), "it is not JSON"),
    "seed is nested too deep": (("--seed", "{files}/deep.json"), "it is not JSON"),
    "seed is no UTF-8": (("--seed", "{files}/latin.json"), "it is not JSON"),
    "seed is a list": (("--seed", "{files}/list.json"), "the document"),
    "seed of another shape": (("--seed", "{files}/wrong.json"), "organization.id"),
    "seed with an id twice": (("--seed", "{files}/twice.json"), "members: 1 is there twice"),
    "seed beyond the calendar": (("--seed", "{files}/late.json"), "now: "),
    "seed is missing": (("--seed", "{files}/missing"), "No such file"),
    "seed is a folder": (("--seed", "{files}"), "Is a directory"),
    "data is no database": (("--data", "{files}/text"), "not a database"),
    "data is another program's": (("--data", "{files}/foreign"), "member"),
    "data is a folder": (("--data", "{files}"), "unable to open"),
    "data is in no folder": (("--data", "{files}/missing/data"), "unable to open"),
    "seed and demo": (("--seed", "{files}/good.json", "--demo"), "exclude each other"),
}


@pytest.fixture
def port() -> Iterator[int]:
    """A port that is in use."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


@pytest.mark.parametrize(("options", "words"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_what_cannot_be_used_is_an_error_of_the_user(
    files: Path, port: int, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], words: str
) -> None:
    """Every case raises the error with exit code 2, in one line that says why; nothing is left open."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # this process keeps its own
    filled = [option.format(files=files, port=port) for option in options]
    values: dict[str, Any] = {"demo": "--demo" in filled}
    for name, read in (("port", int), ("host", str), ("seed", Path), ("data", Path)):
        if f"--{name}" in filled:
            values[name] = read(filled[filled.index(f"--{name}") + 1])
    with pytest.raises(UsageError) as caught:
        run(EmulatorOptions(**values))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


AS_TYPED = (
    "port in use",
    "seed of another shape",
    "data is no database",
    "data is another program's",
    "seed and demo",
)


@pytest.mark.parametrize("name", AS_TYPED)
def test_what_cannot_be_used_is_one_line(files: Path, port: int, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """One line on stderr that says why, nothing on stdout, exit code 2, no traceback."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    options, words = UNUSABLE[name]
    done = typed("emulator", *(option.format(files=files, port=port) for option in options))
    assert (done.code, done.out, done.error) == (2, "", None)
    assert done.err.startswith("error: ")
    assert words in done.err
    assert len(done.err.splitlines()) == 1


def test_the_command_has_the_options_of_the_emulator() -> None:
    """`mixpanel-access emulator` has every option, with the same default."""
    wanted = {option.name: option.default for option in fields(EmulatorOptions)}
    assert {name: option.default for name, option in signature(cli_emulator).parameters.items()} == wanted


def test_a_server_that_never_started_can_be_stopped() -> None:
    """And stopping twice does no harm: the port is free, the database closed."""
    server = EmulatorServer()
    server.stop()
    server.stop()
    with EmulatorServer(address=("127.0.0.1", int(server.url.rpartition(":")[2]))) as again:
        assert again.url == server.url


def test_a_port_in_use_costs_no_organization(tmp_path: Path, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second start on the same port and file, with a seed, leaves what the first one keeps."""
    data = tmp_path / "organization.sqlite"
    with running("--data", str(data), "--demo") as (line, _):
        url = line.removeprefix("listening on ").strip()
        port = url.rpartition(":")[2]
        monkeypatch.setattr(signal, "signal", lambda *_: None)
        done = typed("emulator", "--data", str(data), "--seed", str(files / "good.json"), "--port", port)
        assert done.code == 2
        assert len(get(f"{url}/_emulator/dump")["members"]) == 6


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_though_clients_hang_on(number: signal.Signals) -> None:
    """An idle connection and a request under delay keep it no longer than a few seconds, and it stays quiet."""
    with running("--demo") as (line, process):
        url = line.removeprefix("listening on ").strip()
        with (
            Client(base_url=url) as client,
            socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as held,
        ):
            client.control("POST", "faults", [{"kind": "delay", "seconds": 300}])
            held.sendall(b"GET /api/app/me HTTP/1.1\r\nHost: localhost\r\n\r\n")
            while client.control("GET", "faults"):
                pass
            process.send_signal(number)
            out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (0, "", "")


def test_what_was_written_over_the_api_is_kept(tmp_path: Path) -> None:
    """Members, grants and noted e-mails are in the file; the clock is not, a restart begins at the real time."""
    data, seed = tmp_path / "organization.sqlite", tmp_path / "seed.json"
    seed.write_text(json.dumps(organization()))
    dumps = []
    for options in (("--seed", str(seed)), ()):
        with running("--data", str(data), *options) as (line, process):
            url = line.removeprefix("listening on ").strip()
            with Client(base_url=url, auth=("admin-bot", "s:ecret")) as client:
                if options:
                    assert client.invite("bo@example.net", projects=[{"id": P, "role": CUSTOM}]).status_code == 200
                dumps.append(client.control("GET", "dump"))
            process.terminate()
            assert process.wait(20) == 0
    assert unchanged(*dumps)
    assert dumps[0]["now"].startswith(NOW[:16])
    assert abs(datetime.fromisoformat(dumps[1]["now"]) - datetime.now(UTC)) < timedelta(minutes=5)


def test_the_switches_reach_the_server(tmp_path: Path) -> None:
    """The leniencies and the limit are as the command line says."""
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps(organization()))
    people = [f"p{number}@agency.example.org" for number in range(11)]
    flat = {"users": ["lee@example.com"], "projects": [P], "role": "admin"}
    for options, statuses in (((), (429, 422)), (("--provider-compat", "--no-limit-invitations"), (200, 200))):
        with (
            running("--seed", str(seed), *options) as (line, _),
            Client(base_url=line.removeprefix("listening on ").strip(), auth=("admin-bot", "s:ecret")) as client,
        ):
            found = (client.invite(*people).status_code, client.users("add-users-to-projects/", flat).status_code)
            assert found == statuses


@pytest.mark.parametrize(("host", "shown"), [("localhost", "127.0.0.1"), ("127.0.0.2", "127.0.0.2"), ("::1", "[::1]")])
def test_any_loopback_address_is_no_cause_for_a_warning(host: str, shown: str) -> None:
    """IPv6 is shown in brackets, so that the address can be used as it stands."""
    if host == "::1" and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    with running("--host", host) as (line, process):
        if host == "::1" and not line:
            pytest.skip("no IPv6 loopback here")
        assert re.fullmatch(rf"listening on http://({re.escape(shown)}|\[::1\]):[0-9]+\n", line)
        assert get(f"{line.removeprefix('listening on ').strip()}/_emulator/dump")["members"] == []
        process.terminate()
        assert process.communicate(timeout=20) == ("", "")


def test_in_a_thread_a_bad_document_leaves_no_port_open() -> None:
    """What cannot be seeded is a plain error, and the port is free again."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    with pytest.raises(ValidationError):
        EmulatorServer({}, address=("127.0.0.1", port))
    with EmulatorServer(address=("127.0.0.1", port)) as server:
        assert get(f"{server.url}/_emulator/dump")["organization"]["name"] == "Empty"
        with pytest.raises(UsageError, match="cannot listen"):
            EmulatorServer(address=("127.0.0.1", port))
