"""A secret input stands in no line, in no failure of a check and in no error, of whichever verb."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest

from demo.sandbox import Emulator
from mixpanel_access.emulator.server import EmulatorServer
from mixpanel_access.server.secrets import HIDDEN, hidden
from tests.server.front import PAGE, Front
from tests.server.kinds import LIVES, ON_BOTH
from tests.server.operation import Held, Operation, on_ours
from tests.server.test_answers import secret
from tests.server.test_read_back import kept_in

CANARY = "Canary.Word@agency.example.org"
MISTAKES: list[Any] = [CANARY, [CANARY], {CANARY: CANARY}, f" {CANARY}\n", f'"{CANARY}"']
"""What somebody may give where something else is wanted."""
INPUTS = [(kind, field) for kind, life in LIVES.items() for field in life.inputs]


def said_of(run: Operation) -> str:
    """The lines of a run."""
    return "\n".join(line.text for line in run.log.lines)


@pytest.mark.parametrize(("kind", "field"), INPUTS)
def test_a_failed_check_shows_no_secret(emulator: EmulatorServer, kind: str, field: str) -> None:
    """Neither in its reason, nor by naming the property, whose value the engine would print."""
    with on_ours(emulator) as run:
        for mistake in MISTAKES:
            answer = run.checked(kind, {**LIVES[kind].inputs, field: secret(mistake)})
            for failure in answer.failures:
                assert failure.property != field
                assert CANARY.lower() not in failure.reason.lower(), failure.reason
        assert CANARY.lower() not in said_of(run).lower()


def shown(value: Any) -> Iterator[str]:
    """The texts in a value that are no words of a message's own."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from shown([key, part])
    elif isinstance(value, list):
        for part in value:
            yield from shown(part)
    elif value not in ("admin", "member", "when_unused", "never", True, False):
        yield str(value)


def words(call: Any) -> str:
    """What a call that fails says, and what it keeps; "" if it does not fail."""
    try:
        call()
    except grpc.RpcError as error:
        kept_in(error)
        return str(error.details())
    return ""


@pytest.mark.parametrize("kind", LIVES)
def test_no_line_and_no_error_of_a_life_shows_a_secret(emulator: EmulatorServer, kind: str) -> None:
    """All inputs that can be are secret; a creation that cannot be read back, a change, and an end that is refused."""
    life, said = LIVES[kind], list[str]()
    plain = ("people",) if kind not in ON_BOTH else ()

    def hide(inputs: dict[str, Any]) -> dict[str, Any]:
        return {key: value if key.startswith("__") or key in plain else secret(value) for key, value in inputs.items()}

    with Front(emulator) as front:
        with on_ours(front, readBackSeconds="0.1") as run:
            inputs = run.check(kind, life.inputs)
            front.arm(PAGE)
            said.append(words(lambda: run.create(kind, hide(inputs))))
            front.arm(None)
            said.append(said_of(run))
        with on_ours(front) as run:
            held = run.create(kind, hide(run.check(kind, life.inputs)))
            held = Held(held.id, held.inputs, hide(held.outputs))
            said.append(said_of(run))
        with on_ours(front) as run:
            changed = hide(run.check(kind, hide(life.changed), hide(inputs)))
            said.append(words(lambda: run.diff(kind, held, changed)))
            said.append(words(lambda: run.update(kind, held, changed)))
            said.append(said_of(run))
        with on_ours(front) as run:
            fault = {"path_prefix": "/", "kind": "status", "status": 403, "count": 50}
            Emulator(emulator.url).control("POST", "faults", [fault])
            said.append(words(lambda: run.delete(kind, held)))
            said.append(said_of(run))
    hidden = [value for inputs in (life.inputs, life.changed) for key, value in inputs.items() if key not in plain]
    texts = set(shown(hidden))
    lines = [line.replace(front.url, "") for line in said]  # its port can have the digits of a hidden number
    assert not [(text, line) for line in lines for text in texts if text in line]


def test_a_line_on_several_people_shows_no_secret_address(emulator: EmulatorServer) -> None:
    """A message on one domain names everybody who was invited, whichever resource it stands with."""
    people = [f"p{n}@agency.example.org" for n in range(14)]
    with on_ours(emulator) as run, ThreadPoolExecutor(len(people)) as pool:
        inputs = [run.check("Member", {"email": email}) for email in people]
        sent = [{**one, "email": secret(one["email"])} if n < 13 else one for n, one in enumerate(inputs)]
        said = list(pool.map(lambda one: words(lambda: run.create("Member", one)), sent))
    assert any("invited in this run:" in line for line in said)
    assert not [email for email in people[:13] if any(email in line for line in [*said, said_of(run)])]


@pytest.mark.parametrize("kind", LIVES)
def test_a_secret_that_an_id_shows_is_warned_of(emulator: EmulatorServer, kind: str) -> None:
    """Before it is created: once in a run for each input, and not of one that is in the state already."""
    with on_ours(emulator) as run:
        inputs = run.check(kind, LIVES[kind].inputs)
        plain = ("people",) if kind not in ON_BOTH else ()
        hide = {key: value if key.startswith("__") or key in plain else secret(value) for key, value in inputs.items()}
        id_ = run.create(kind, inputs).id
        run.log.lines.clear()
        run.check(kind, hide, inputs)
        assert not [line for line in run.log.lines if "Pulumi encrypts no ids" in line.text]
        run.checked(kind, hide)
        run.checked(kind, hide)
        warned = [line.text.partition(" is a secret")[0] for line in run.log.lines if line.severity == "WARNING"]
    assert sorted(warned) == sorted(name for name, value in inputs.items() if str(value) in id_.split(":")[1:])


HIDDEN_IN: list[tuple[str, str, str]] = [
    ("x", "x is not an index of axes", f"{HIDDEN} is not an index of axes"),
    ("30", "30 days of 300", f"{HIDDEN} days of 300"),
    ("long-secret-value", "along-secret-values", f"a{HIDDEN}s"),
    ("it's\n two", "in one line: it's two", f"in one line: {HIDDEN}"),
    ("\\d", "'\\\\d' is a path", f"'{HIDDEN}' is a path"),
    ("Lee@Example.com", "lee@example.com is not there", f"{HIDDEN} is not there"),
    ("", "nothing", "nothing"),
]


@pytest.mark.parametrize(("text", "line", "expected"), HIDDEN_IN)
def test_a_secret_is_found_however_it_is_written(text: str, line: str, expected: str) -> None:
    """A short one only as a word of its own: else each message would be full of holes."""
    assert hidden(line, [text]) == expected
