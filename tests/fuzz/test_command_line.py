"""Whatever is typed after `mixpanel-access`: an exit code of ours and one line, never a traceback."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mixpanel_access.cli.app import app
from tests.cli.invocations import APART, INVOCATIONS
from tests.cli.typed import typed
from tests.tally import count

STACKS = Path(__file__).parents[2] / "stacks"
ROSTER, GARBAGE, EMPTY, FOLDER = "production.yaml", "garbage", "empty", "folder"
NAMES = [ROSTER, GARBAGE, EMPTY, FOLDER, "none", "folder/none", "", ".", "-", "empty/x", "x" * 300]
"""Files that are there in every form, and such as are not; nothing outside the folder is named."""
WORDS = [
    "a@example.com", "admin", "2026-05-04", "9999-12-31", "0001-01-01T00:00:00+14:00", "now", "csv", "xlsx", "json",
    "-1", "0", "1e9", "9" * 300, "--", "--json", "=", "a=b=c", "*", "[", "{}", "%", "\\", "\u202e", "\U0001f600",
    "\udc80", "domain-allowed",
]  # fmt: skip
_TEXT = st.text(st.characters(exclude_characters="\0/")).filter(lambda text: ".." not in text)
"""What a shell can hand over; no path out of the folder."""
_ROOT: Any = typer.main.get_command(app)


def command(path: str) -> Any:
    """The command of a name, as `policy list`."""
    found = _ROOT
    for name in path.split():
        found = found.get_command(None, name)
    return found


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """A command, its arguments, and options that it has, or has not; some spoiled, some left out."""
    name = draw(st.sampled_from([*INVOCATIONS]))
    params = command(name).params
    words = list(INVOCATIONS[name]) if draw(st.booleans()) else []
    value = st.sampled_from([*NAMES, *WORDS]) | _TEXT
    for param in draw(st.lists(st.sampled_from(params), max_size=4)) if params else []:
        if param.param_type_name == "option":
            words.append(draw(st.sampled_from([*param.opts, *param.secondary_opts])))
        if param.param_type_name == "argument" or not param.is_flag:
            words.append(draw(value))
    words += draw(st.lists(value, max_size=2))
    return [*name.split(), *(words if draw(st.booleans()) else draw(st.permutations(words)))]


@pytest.fixture(scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An empty folder with a roster and what is none, in an environment without settings of ours."""
    folder = tmp_path_factory.mktemp("typed")
    for file in (ROSTER, "common.yaml"):
        shutil.copy(STACKS / file, folder)
    (folder / GARBAGE).write_bytes(bytes(range(256)))
    (folder / EMPTY).touch()
    (folder / FOLDER).mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for variable in [name for name in os.environ if name.startswith(("MIXPANEL_", "PULUMI_"))]:
            if variable != "MIXPANEL_ACCESS_TALLY":
                patch.delenv(variable)
        yield


def test_every_command_is_typed() -> None:
    """All but those that serve and build, whose arguments have tests of their own."""
    assert {"emulator", "engine"} == APART
    assert all(command(name) for name in INVOCATIONS)


@pytest.mark.usefixtures("_folder")
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(lines())
def test_whatever_is_typed_ends_in_an_exit_code_and_words(words: list[str]) -> None:
    """0, 1 or 2, since there is no Mixpanel here to be at fault; an error is told on standard error."""
    count("inputs of command lines")
    done = typed(*words)
    assert done.error is None
    assert done.code in (0, 1, 2)
    assert "Traceback" not in done.out + done.err
    if done.code == 2:
        assert done.err.strip()
