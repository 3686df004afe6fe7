"""Every code block of the pages is what it seems: a command that is taken, a roster that reads, a program that runs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import pulumi
import pytest
import typer
from ruamel.yaml import YAML

from mixpanel_access import __version__
from mixpanel_access.cli import REMOVED
from mixpanel_access.cli.app import app
from mixpanel_access.component_package.components import COMPONENTS, PACKAGE
from mixpanel_access.component_package.inputs import read_inputs
from mixpanel_access.emulator import dialect
from mixpanel_access.engine import ensure_engine
from mixpanel_access.files.onboarding import read_checklists
from mixpanel_access.files.roster import read_roster
from mixpanel_access.model.settings import NAMESPACE, SETTINGS
from mixpanel_access.model.verdict import Sign, Symptom, verdict_of
from mixpanel_access.operations.policy_check import read_policy_config
from mixpanel_access.rules.catalogue import RULES
from mixpanel_access.rules.configuration import ALL
from scripts import tutorial
from scripts.blocks import Block, blocks, commands, inline, pages, simple
from scripts.build_site import ROOT
from tests.component.conftest import event_loop as event_loop  # the SDK asks for one
from tests.component.mocks import Mocks

ORDINARY: Final = frozenset(
    {
        "rm",
        "unset",
        "xargs",
        ".",
        "cd",
        "cp",
        "curl",
        "venv/bin/pip",
        "docker",
        "echo",
        "emulator",
        "export",
        "git",
        "kill",
        "mkdir",
        "mktemp",
        "npm",
        "pip",
        "python3",
        "uv",
    }
)
"""Commands that are no business of ours, and `emulator`, a function on the page about Terraform."""
TERRAFORM: Final = frozenset({"init", "plan", "apply", "destroy", "state list", "state show", "state rm"})
COMMAND: Final = typer.main.get_command(app)
GENERATED: Final = ROOT / "docs" / "commands.md"
"""Made of the command line itself, with usage lines for commands."""


PAGES: Final = pages()


def of(*languages: str) -> list[Any]:
    """The blocks of a language, as parameters of a test."""
    found = [block for page in PAGES for block in blocks(page) if block.language in languages]
    assert found, languages
    return [pytest.param(block, id=str(block)) for block in found]


def test_every_block_has_a_language_that_is_checked() -> None:
    """A block that no test knows would never be looked at; changes of files are made by the tutorial's test.

    Blocks in TypeScript are compiled by `tests/engine/test_typescript_program.py`.
    """
    known = {"console", "yaml", "json", "python", "typescript", "text", "hcl"}
    for page in PAGES:
        more = {"diff"} if page == tutorial.PAGE else set()
        assert [str(block) for block in blocks(page) if block.language not in known | more] == []


@pytest.mark.parametrize("block", of("console"))
def test_commands_are_taken(block: Block) -> None:
    """Commands, options and their values are there, and so are the targets of make; other programs are few."""
    if block.page == GENERATED:
        assert block.text.startswith("$ mixpanel-access ")
        return
    for command in commands(block):
        for program, *words in simple(command.text):
            if program == "mixpanel-access":
                parse(words)
            elif program == "make":
                targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
                assert [word for word in words if word not in targets and not re.match(r"[A-Z]+=", word)] == []
            elif program == "terraform":
                assert " ".join(takewhile(str.islower, words[: 2 if words[0] == "state" else 1])) in TERRAFORM
            else:
                assert program in {"pulumi", *ORDINARY}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_the_text_are_there(page: Path) -> None:
    """With their options; they may leave out what is not the point."""
    for text in inline(page):
        if text.startswith("mixpanel-access "):
            words = next(simple(text))[1:]
            if words[0] in REMOVED:  # typed, it names its successor: tests/cli/test_startup.py
                continue
            assert help_of(*words) == 0, text
    assert help_of("tracker", "upgrade") == 2
    assert help_of("remind", "--posts") == 2


@cache
def help_of(*words: str) -> Any:
    """The exit code of a command with `--help`."""
    with pytest.raises(SystemExit) as ended:
        COMMAND([*words, "--help"], prog_name="mixpanel-access")
    return ended.value.code


def parse(words: Sequence[str]) -> None:
    """Let the command line parse its arguments, and run nothing."""
    command: Any = COMMAND
    name, left = "mixpanel-access", list(words)
    while True:
        context = command.make_context(name, left)
        if not hasattr(command, "commands"):
            return
        name, command, left = command.resolve_command(context, [*context._protected_args, *context.args])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("inviting", "No such command"),
        ("invite --nope", "No such option"),
        ("status --watch often", "Input should be a valid number"),
        ("review decide", "Missing parameter: email"),
        ("schema production.yaml", "unexpected extra argument"),
    ],
)
def test_what_is_wrong_is_not_taken(words: str, said: str) -> None:
    """The parser finds a command, an option, a value and an argument that are not there, or are too many."""
    with pytest.raises(Exception, match=said):
        parse(words.split())


@pytest.mark.engine
def test_pulumi_takes_its_commands(tmp_path: Path) -> None:
    """Every command is one of the engine's, with options that it has."""
    engine = ensure_engine(lambda _: None)
    subprocess.run([engine.folder / "pulumi", "gen-markdown", tmp_path], timeout=60, check=True)
    manual: dict[str, str] = {}
    for page in tmp_path.glob("*.md"):
        text = page.read_text()
        manual |= dict.fromkeys([page.stem, *re.findall(r"^  - .*/([\w-]+)/$", text, re.MULTILINE)], text)
    wrong = []
    for page in PAGES:
        for block in blocks(page):
            for command in commands(block) if block.language == "console" and page != GENERATED else ():
                wrong += [f"{block}: {words}" for words in simple(command.text) if not known_to_pulumi(words, manual)]
    assert wrong == []
    assert not known_to_pulumi(["pulumi", "stack", "make", "production"], manual)
    assert not known_to_pulumi(["pulumi", "up", "--policy-packs", "policies"], manual)


def known_to_pulumi(words: Sequence[str], manual: Mapping[str, str]) -> bool:
    """Whether it is another program's, or pulumi's manual has a page for the command, with its long options."""
    if words[0] != "pulumi":
        return True
    page = manual.get("_".join(words[: 3 if words[1] in {"config", "policy", "stack"} else 2]))
    options = [word.partition("=")[0] for word in words if word.startswith("--")]
    return page is not None and all(re.search(rf"{re.escape(option)}\b(?!-)", page) for option in options)


BASE: Final = """
environment: production
organizationRoles: true
projects:
  shop: { id: 1234567, name: Shop, environment: production }
  warehouse: { id: 1234568, name: Warehouse, environment: production }
engagements:
  funnel-review: { type: analytics_review, ticket: OPS-4711, approver: ana@example.com }
people:
  - email: robin@agency.example.org
"""
"""A roster for the pages' fragments: what they give replaces what is here."""


@pytest.mark.parametrize("block", of("yaml"))
def test_rosters_read(block: Block, tmp_path: Path) -> None:
    """A roster as it is, a part of one in its place; a person's part in a person; a checklist; the project's part."""
    part = YAML(typ="safe").load(block.text) or {}
    if isinstance(part, list):
        workflow = (ROOT / "examples" / "ci" / "github-actions.yml").read_text()
        assert all(f"name: {step['name']}\n" in workflow for step in part)
        return
    if "values" in part:  # an environment of Pulumi ESC, and the stack that names it
        assert {key.removeprefix(f"{NAMESPACE}:") for key in part["values"]["pulumiConfig"]} <= set(SETTINGS)
        return
    if isinstance(named := part.get("environment"), list):
        assert [name for name in named if f"# the environment {name}\n" not in block.page.read_text()] == []
        return
    if "plugins" in part:
        own, named = (text["plugins"]["providers"] for text in (YAML(typ="safe").load(ROOT / "Pulumi.yaml"), part))
        assert [one for one in named if one["name"] != PACKAGE] == own
        assert all((ROOT / one["path"] / "PulumiPlugin.yaml").is_file() for one in named)
        return
    if "repos" in part:
        hook = YAML(typ="safe").load(ROOT / ".pre-commit-hooks.yaml")[0]
        own = part["repos"][0]["hooks"][0]
        assert own.pop("entry") == " ".join((f".venv/bin/{hook['entry']}", *hook["args"]))
        assert own.items() - {("language", "system")} <= hook.items()
        return
    if "resources" in part:
        for name, one in part["resources"].items():
            component = COMPONENTS[one["type"].replace(":", ":index:")]
            assert read_inputs(name, component.inputs, one["properties"])
        return
    if "everybody" in part:
        (tmp_path / "onboarding.yaml").write_text(block.text)
        assert set(read_checklists(tmp_path)) == set(part)
        return
    if "environment" in part:
        text = block.text
    else:
        base = YAML(typ="safe").load(BASE)
        if "engagement" in part:
            part = {"people": [{**base["people"][0], **part}]}
        if "include" in part:
            base.pop("engagements")
        with (tmp_path / "part.yaml").open("w") as file:
            YAML(typ="safe").dump({**base, **part}, file)
        text = (tmp_path / "part.yaml").read_text()
    (tmp_path / "production.yaml").write_text(text)
    shutil.copy(ROOT / "stacks" / "common.yaml", tmp_path)
    assert read_roster(tmp_path / "production.yaml").environment == "production"


@pytest.mark.parametrize("block", of("json"))
def test_policy_configurations_and_dialects_read(block: Block, tmp_path: Path) -> None:
    """They are of rules, with options that those have; of the emulator's dialects; or bodies of Mixpanel's API."""
    if block.page.name == "dialects.md":
        dialect.read(json.loads(block.text))
        return
    if block.page.name == "contract.md":  # one body after the other
        assert [json.loads(body) for body in re.split(r"\n(?=\{)", block.text.strip())]
        return
    (tmp_path / "production.json").write_text(block.text)
    config = read_policy_config(tmp_path / "production.json")
    for name, entry in config.rules.items():
        if name == ALL:
            continue
        rule = next(rule for rule in RULES if rule.id == name)
        assert set(entry if isinstance(entry, dict) else ()) <= {"enforcementLevel", *rule.defaults}


class Elsewhere(Mocks):
    """A stack of another project, with the outputs that a page takes from it."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        if args.typ == "pulumi:pulumi:StackReference":
            return args.name, {**args.inputs, "outputs": {"projects": {"shop": 1234567, "web": 1234568}}}
        return super().new_resource(args)


PROGRAMS = [page for page in PAGES if any(block.language == "python" for block in blocks(page))]


@pytest.mark.parametrize("page", PROGRAMS, ids=lambda page: page.name)
def test_programs_run(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page's programs run one after the other, as one program, and each registers something."""
    monkeypatch.chdir(ROOT)
    mocks = Elsewhere()
    pulumi.runtime.set_mocks(mocks)
    config = {"mixpanel:environment": "production", "mixpanel:now": "2026-05-04", "project:europeSecret": "hush-hush"}
    pulumi.runtime.set_all_config({**config, "people:reviewers": '["di@agency.example.org"]'})
    names: dict[str, Any] = {}

    def program(block: Block) -> None:
        exec(compile(block.text, str(block), "exec"), names)

    for block in blocks(page):
        if block.language == "python":
            before = len(mocks.resources)
            pulumi.runtime.test(program)(block)  # type: ignore[no-untyped-call]  # the SDK leaves it so
            assert len(mocks.resources) > before, str(block)


@pytest.mark.parametrize("block", of("text"))
def test_texts_are_what_is_there(block: Block) -> None:
    """A tree names what is in the clone, a wheel this version; what the demo says is looked at where it is run."""
    if block.text.startswith("Proved in "):
        return
    if block.text.startswith("Most likely: "):
        step = "`pulumi config set mixpanel:organizationId 7654321 --stack production`"
        seen = Symptom(Sign.OTHER_ORGANIZATION, "the account sees organization 7654321, and not 42", step)
        assert block.text.splitlines() == list(verdict_of([seen], "production").sentences)
        return
    if block.text.startswith("./wheels/"):
        assert block.text == f"./wheels/mixpanel_access-{__version__}-py3-none-any.whl\n"
        return
    assert [str(path) for path in tree(block.text) if not (ROOT / path).exists()] == []


def tree(text: str) -> Iterator[Path]:
    """The paths of a tree that is drawn by indentation."""
    folder = Path()
    for line in text.splitlines():
        name = line.split()[0]
        folder = folder if line.startswith(" ") else Path(name)
        yield folder / name if line.startswith(" ") else folder


@pytest.mark.parametrize("block", of("hcl"))
def test_configurations_of_terraform_parse(block: Block) -> None:
    """Terraform reads them, and would write them no other way; tests/terraform applies the same resources."""
    terraform = shutil.which("terraform")
    if terraform is None:
        pytest.skip("terraform is not on PATH")
    command = [terraform, "fmt", "-"]
    done = subprocess.run(command, input=block.text, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, block.text), done.stderr
