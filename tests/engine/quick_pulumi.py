"""`pulumi` for the tests: the real one, but what only reads or edits the project's files is answered without its start.

The engine takes 0.3 s of a core to start, and each of our commands asks it four times or more: for its version, the
stacks, a configuration and a state. All of that stands in files, which this script reads. Whatever it does not know
exactly (another backend, a secret, another option) it leaves to the real engine; `test_quick_pulumi.py` compares the
answers of both.

It runs without site-packages, so that it starts in 0.02 s. `installed` puts it in front of an engine's programs.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys

ENCRYPTED = "4dabf18193072939515e22adb298388d"
"""The signature of a special value in a state; a secret is one."""
LINE = re.compile(r"""  ([A-Za-z][\w.-]*:[A-Za-z][\w.-]*): (?:"([^"\\]*)"|([\w@,./:?=&+-]+))""")
"""A setting as the engine writes a simple one: quoted, or plain."""
SIMPLE = re.compile(r"[\w@,./:?=&+-]+")
COMMANDS = ("version", "stack", "config")
"""What it knows something of; for the others it is not even started."""
PLAIN_OPTIONS = frozenset({"--non-interactive", "--color=never", "--plaintext"})
Settings = dict[str, str]


class Unknown(Exception):
    """Only the real engine can answer that."""


def answer(arguments: list[str], version: str) -> str:
    """What the engine would print.

    Args:
        arguments: all of them.
        version: the engine's own.

    Raises:
        Unknown: it is nothing simple.
    """
    words = [word for word in arguments if word not in PLAIN_OPTIONS]
    if words == ["version"]:
        return f"v{version}\n"
    while not os.path.isfile("Pulumi.yaml"):  # as the engine looks for the project
        if os.getcwd() == "/":
            raise Unknown
        os.chdir("..")
    if words == ["stack", "ls", "--json"]:
        return json.dumps(_stacks(), indent=2) + "\n"
    if len(words) < 3 or words[-2] != "--stack":
        raise Unknown
    stack, own = words[-1], words[:-2]
    state = _state(stack)  # the stack must be there, whatever it is asked for
    if own in (["stack", "export"], ["stack", "export", "--show-secrets"]):
        if own[2:] and ENCRYPTED in json.dumps(state):
            raise Unknown
        return json.dumps({"version": 3, "deployment": state}, indent=4) + "\n"
    if own == ["stack", "history", "--json", "--full-dates"]:
        return json.dumps(_updates(stack), indent=2) + "\n"
    if own in (["config", "--json"], ["config", "--json", "--show-secrets"]):
        shown = {key: {"value": value, "secret": False} for key, value in sorted(_settings(stack)[0].items())}
        return json.dumps(shown, indent=2) + "\n"
    if own[:2] == ["config", "set-all"] and all("=" in value for value in own[2:]):
        for key, value in [value.split("=", 1) for value in own[2:]]:
            _set(stack, key, [value], remove=False)
        return ""
    if own[:2] in (["config", "set"], ["config", "rm"]):
        _set(stack, own[2], own[3:], remove=own[1] == "rm")
        return ""
    raise Unknown


def _stacks() -> list[dict[str, object]]:
    folder = os.path.dirname(_file("any"))
    names = sorted(name for name in os.listdir(folder) if name.endswith(".json"))
    found: list[dict[str, object]] = []
    for name in (name.removesuffix(".json") for name in names):
        resources = _state(name).get("resources") or []
        found.append({"name": name, "current": False, "resourceCount": len(resources)})
    return found


def _updates(stack: str) -> list[dict[str, object]]:
    """The last ten updates of a stack, the newest first."""
    folder = os.path.dirname(_file(stack)).replace("/.pulumi/stacks/", "/.pulumi/history/") + f"/{stack}"
    files = [name for name in os.listdir(folder) if name.endswith(".history.json")] if os.path.isdir(folder) else []
    return [_update(os.path.join(folder, name)) for name in sorted(files, reverse=True)[:10]]


def _update(file: str) -> dict[str, object]:
    with open(file, encoding="utf-8") as stream:
        found = json.load(stream)
    config = found.pop("config")
    if not all(isinstance(value, str) for value in config.values()):
        raise Unknown  # a secret
    shown = {key: {"value": value, "secret": False} for key, value in sorted(config.items())}
    times = {key: _instant(found[key]) for key in ("startTime", "endTime")}
    return {**found, "config": shown, **times}


def _instant(seconds: int) -> str:
    import time

    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


def _file(stack: str) -> str:
    """The file of a stack's state, in a backend as `local_backend` makes it."""
    backend, _, query = os.environ.get("PULUMI_BACKEND_URL", "").partition("?")
    if not backend.startswith("file:///") or "%" in backend or query not in ("", "metadata=skip"):
        raise Unknown
    with open("Pulumi.yaml", encoding="utf-8") as file:
        project = re.search(r'^name: "?([\w.-]+)"?$', file.read(), re.MULTILINE)
    if not project or not re.fullmatch(r"[\w.-]+", stack):
        raise Unknown
    return f"{backend.removeprefix('file://')}/.pulumi/stacks/{project[1]}/{stack}.json"


def project() -> Settings:
    """The project's settings, without those that are within others."""
    with open("Pulumi.yaml", encoding="utf-8") as file:
        parted = [line.partition(":") for line in file.read().splitlines()]
    return {key: value.strip() for key, colon, value in parted if colon and key[:1] > "#"}


def settings(stack: str) -> Settings:
    """A stack's configuration.

    Raises:
        Unknown: it has something that is not simple.
    """
    return _settings(stack)[0]


def _state(stack: str) -> dict[str, list[object]]:
    with open(_file(stack), encoding="utf-8") as file:
        found = json.load(file)
    if found["version"] != 3 or not isinstance(found["checkpoint"].get("latest"), dict):
        raise Unknown
    state: dict[str, list[object]] = found["checkpoint"]["latest"]
    return state


def _settings(stack: str) -> tuple[Settings, str, list[str]]:
    """A stack's configuration, its file, and the lines that are not of it."""
    with open("Pulumi.yaml", encoding="utf-8") as file:
        project = file.read()
    if re.search("^config:", project, re.MULTILINE):
        raise Unknown
    folder = re.search(r"^stackConfigDir: ([\w/.-]+)$", project, re.MULTILINE)
    name = os.path.join(folder[1] if folder else ".", f"Pulumi.{stack}.yaml")
    with open(name, encoding="utf-8") as file:
        lines = file.read().splitlines()
    settings, rest, within = {}, [], False
    for line in lines:
        if not line.startswith(" "):
            within = line == "config:"
            if not within:
                rest.append(line)
        elif within and (match := LINE.fullmatch(line)):
            settings[match[1]] = match[2] if match[2] is not None else match[3]
        else:
            raise Unknown
    if any("#" in line or not re.match(r"(encryptionsalt|secretsprovider|encryptedkey): |$", line) for line in rest):
        raise Unknown
    return settings, name, rest


def _set(stack: str, key: str, values: list[str], *, remove: bool) -> None:
    if remove == bool(values) or len(values) > 1 or not re.fullmatch(r"[a-z]+:[A-Za-z]+", key):
        raise Unknown
    if values and not SIMPLE.fullmatch(values[0]):
        raise Unknown
    settings, name, rest = _settings(stack)
    if remove:
        settings.pop(key)
    else:
        settings[key] = values[0]
    if not settings:
        raise Unknown
    lines = ["config:", *(f'  {own}: "{value}"' for own, value in settings.items()), *rest]
    with open(name, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def installed(engine: str, folder: str, version: str, others: str = "") -> None:
    """Put this script in front of an engine's programs, for the commands of which it answers some.

    Args:
        engine: the folder of the engine.
        folder: an empty folder, which becomes that of the quick one.
        version: the engine's.
        others: the program that gets the other commands; the engine if there is none.
    """
    for program in os.listdir(engine):
        if program != "pulumi":
            os.symlink(os.path.join(engine, program), os.path.join(folder, program))
    real, quick = shlex.quote(os.path.join(engine, "pulumi")), shlex.join([sys.executable, "-IS", __file__])
    asked = "|".join(f'*" {command} "*' for command in COMMANDS)
    with open(os.path.join(folder, "pulumi"), "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\n[ "$*" != version ] || {{ echo v{version}; exit; }}\n')  # each of our commands asks it
        file.write(f'case " $* " in\n{asked}) exec {quick} {real} {version} "$@" ;;\nesac\n')
        file.write(f'exec {shlex.quote(others) if others else real} "$@"\n')
    os.chmod(os.path.join(folder, "pulumi"), 0o755)


def main(engine: str, version: str, *arguments: str) -> None:
    """Answer, or become the real engine."""
    folder = os.getcwd()
    try:
        said = answer([*arguments], version)
    except (Unknown, OSError, ValueError, KeyError, AttributeError):
        os.chdir(folder)
        os.execv(engine, [engine, *arguments])
    sys.stdout.write(said)


if __name__ == "__main__":
    main(*sys.argv[1:])
