"""The measures of the code as a table in Markdown (`make measures`): size, shape, names, and the way of one write.

All but the last row reads the source. The last row creates a project grant on an emulator in this process, and counts
the frames between the provider's `create` and the HTTP library.
"""
# ruff: noqa: T201 - it prints: that is its job

from __future__ import annotations

import argparse
import ast
import inspect
import io
import json
import os
import re
import statistics
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, Final
from unittest import mock

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGE: Final = "mixpanel_access"
WORKSHOP: Final = (f"{PACKAGE}/engine/build.py", f"{PACKAGE}/engine/toolchain.py", f"{PACKAGE}/engine/source/")
"""Where clones of 0.1.0 build the engine from source; no part of the product, and so left out of its measures."""
SMALL, LARGE = 60, 400
"""Lines below and above which a module is small or large."""
PARAMETERS, CODE_LINES, WORDS = 6, 40, 3
"""The most parameters and lines of code that a function has; the words of a docstring that says nothing."""
KINDS: Final = ("ProjectAccess", "TeamGrant", "ServiceAccountGrant", "CustomRole", "OrganizationSecurity")
"""Kinds of resource whose names are not part of another kind's name, and mean nothing else."""
_SILENT: Final = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One module of the product.

    Attributes:
        name: its path below the root.
        lines: all its lines.
        code: the numbers of its lines with code: no docstring, comment or blank line.
        tree: its syntax tree.
        text: its source.
    """

    name: str
    lines: int
    code: frozenset[int]
    tree: ast.Module
    text: str

    def functions(self) -> Iterator[Function]:
        """Its functions and methods, nested ones too."""
        return (node for node in _nodes(self.tree) if isinstance(node, Function))


@dataclass(frozen=True)
class Measure:
    """One row of the table.

    Attributes:
        what: what is measured.
        value: the figure.
        where: the places that make it up, for `--list`.
    """

    what: str
    value: str
    where: tuple[str, ...] = ()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", nargs="?", type=Path, default=ROOT, help="the clone to measure (default: this one)")
    parser.add_argument("--list", action="store_true", help="list the places behind each figure below the table")
    arguments = parser.parse_args()
    root: Path = arguments.root.resolve()
    os.chdir(root)
    sys.path.insert(0, str(root))
    measures = [*measures_of_source(root), *measures_of_imports(), frames_of_create()]
    print("| measure | value |\n|---|---|")
    for measure in measures:
        print(f"| {measure.what} | {measure.value} |")
    if arguments.list:
        for measure in measures:
            if measure.where:
                print(f"\n{measure.what}:")
                print("\n".join(f"- {place}" for place in measure.where))


def measures_of_source(root: Path) -> Iterator[Measure]:
    """What the source alone says."""
    modules = product(root)
    yield Measure("product: lines of Python", f"{sum(module.lines for module in modules):,}")
    yield Measure("product: lines of code", f"{sum(len(module.code) for module in modules):,}")
    yield Measure("tests: lines of Python", f"{sum(_lines(path) for path in (root / 'tests').rglob('*.py')):,}")
    yield Measure("modules (without `__init__.py`)", str(len(_named(modules))))
    for words, found in (
        (f"modules under {SMALL} lines", [m for m in _named(modules) if m.lines < SMALL]),
        (f"modules over {LARGE} lines", [m for m in modules if m.lines > LARGE]),
        ("modules with a trailing underscore", [m for m in modules if re.search(r"[^_]_\.py$", m.name)]),
    ):
        yield _counted(words, (f"{m.name} ({m.lines})" for m in found))
    commands, others = many_parameters(modules)
    yield _counted(f"functions with more than {PARAMETERS} parameters", others)
    yield _counted("the same, of commands (their options)", commands)
    yield _counted(
        f"functions over {CODE_LINES} lines of code",
        (f"{_place(m, f)}: {n}" for m in modules for f in m.functions() if (n := code_lines(m, f)) > CODE_LINES),
    )
    yield _counted(f"docstrings of {WORDS} words or fewer", (place for m in modules for place in short_docstrings(m)))
    yield _counted("class names that stand in several modules", twins(modules))
    yield kinds(modules)


def product(root: Path) -> list[Module]:
    """The modules of the package, without the building of the engine."""
    paths = sorted((root / PACKAGE).rglob("*.py"))
    names = [str(path.relative_to(root)) for path in paths]
    return [module(name, (root / name).read_text("utf-8")) for name in names if not name.startswith(WORKSHOP)]


def module(name: str, text: str) -> Module:
    """A module from its source."""
    tree = ast.parse(text)
    spoken = {
        line
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in _SILENT
        for line in range(token.start[0], token.end[0] + 1)
    }
    documented = {
        line for node in _texts(tree) for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }  # docstrings of modules, classes and functions, and those under a name
    return Module(name, text.count("\n"), frozenset(spoken - documented), tree, text)


@cache
def _nodes(tree: ast.Module) -> Sequence[ast.AST]:
    return list(ast.walk(tree))


def _texts(tree: ast.Module) -> Iterator[ast.Expr]:
    for node in _nodes(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node


def _lines(path: Path) -> int:
    return path.read_text("utf-8").count("\n")


def _named(modules: Iterable[Module]) -> list[Module]:
    return [one for one in modules if not one.name.endswith("/__init__.py")]


def _counted(what: str, found: Iterable[str]) -> Measure:
    places = tuple(found)
    return Measure(what, str(len(places)), places)


def _place(module: Module, function: Function) -> str:
    return f"{module.name}:{function.lineno} {function.name}"


def parameters(function: Function) -> int:
    """How many parameters a caller can give, without `self` and `cls`."""
    given = function.args
    names = [arg.arg for arg in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def many_parameters(modules: Iterable[Module]) -> tuple[list[str], list[str]]:
    """The functions with many parameters: those that declare a command's options and arguments, and the others."""
    found: tuple[list[str], list[str]] = [], []
    for one in modules:
        for function in one.functions():
            if (count := parameters(function)) > PARAMETERS:
                declared = [*function.decorator_list, function.args]
                is_command = any(re.search(r"\.command\(|typer\.", ast.unparse(node)) for node in declared)
                found[0 if is_command else 1].append(f"{_place(one, function)}: {count}")
    return found


def code_lines(module: Module, function: Function) -> int:
    """The lines of code of a function, its signature included."""
    return len(module.code & set(range(function.lineno, (function.end_lineno or function.lineno) + 1)))


def short_docstrings(module: Module) -> Iterator[str]:
    """Where a docstring has three words or fewer."""
    for node in _nodes(module.tree):
        if isinstance(node, ast.Module | ast.ClassDef | Function):
            text = ast.get_docstring(node)
            if text is not None and len(text.split()) <= WORDS:
                yield f"{module.name}:{getattr(node, 'lineno', 1)} {text}"


def twins(modules: Iterable[Module]) -> Iterator[str]:
    """The names of public classes that several modules define."""
    places = defaultdict(list)
    for one in modules:
        for node in one.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(one.name)
    return (f"{name}: {', '.join(where)}" for name, where in sorted(places.items()) if len(where) > 1)


def kinds(modules: Iterable[Module]) -> Measure:
    """In how many files a kind of resource is named, in any spelling of its name: about what a new kind touches."""
    found = {kind: [one.name for one in modules if _spellings(kind).search(one.text)] for kind in KINDS}
    counts = ", ".join(f"{kind} {len(names)}" for kind, names in found.items())
    middle = statistics.median(len(names) for names in found.values())
    where = tuple(f"{kind}: {', '.join(names)}" for kind, names in found.items())
    return Measure("files that name a kind of resource (median)", f"{middle:g} ({counts})", where)


def _spellings(kind: str) -> re.Pattern[str]:
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind).lower()
    return re.compile(rf"(?<![A-Za-z]){kind}|\b{snake}s?\b|{snake.upper()}")


def measures_of_imports() -> Iterator[Measure]:
    """The arrows between the packages below the root package, as import-linter sees them."""
    import grimp

    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    rooms = sorted(graph.find_children(PACKAGE))
    arrows: dict[tuple[str, str], int] = defaultdict(int)
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            pair = (_room(importer), _room(imported))
            if pair[0] != pair[1] and all(room in rooms for room in pair):
                arrows[pair] += 1
    listed = tuple(f"{a.split('.')[1]} -> {b.split('.')[1]}: {count}" for (a, b), count in sorted(arrows.items()))
    yield Measure("arrows between rooms (imports)", f"{len(arrows)} ({sum(arrows.values()):,})", listed)
    edges: dict[str, set[str]] = defaultdict(set)
    for importer, imported in arrows:
        edges[importer].add(imported)
    yield _counted("circles of rooms", (" ".join(circle) for circle in circles(edges)))
    between = {one: set(graph.find_modules_directly_imported_by(one)) for one in graph.modules}
    yield _counted("circles of modules", (" ".join(circle) for circle in circles(between)))


def _room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The groups of two and more that can all be reached from each other."""
    reached = {one: _reached(one, edges) for one in edges}
    groups = {
        frozenset({other for other in reached[one] if one in reached.get(other, ())} | {one})
        for one in edges
        if one in reached[one]
    }
    return sorted(sorted(group) for group in groups if len(group) > 1)


def _reached(start: str, edges: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    ahead = [start]
    while ahead:
        new = edges.get(ahead.pop(), set()) - found
        found |= new
        ahead += new
    return found


def frames_of_create() -> Measure:
    """Create a project grant on an emulator, and count the frames from `create` to the HTTP library."""
    import httpx
    from pulumi.dynamic import Config, ConfigureRequest

    from mixpanel_access.emulator.server import EmulatorServer
    from mixpanel_access.provider.project_grant import ProjectGrantProvider

    document: dict[str, Any] = json.loads((ROOT / PACKAGE / "emulator" / "demo.json").read_text("utf-8"))
    stacks: list[list[str]] = []
    send = httpx.Client.send

    def send_and_record(client: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        if request.method != "GET" and (frames := _frames_from_create(inspect.currentframe())):
            stacks.append(frames)
        return send(client, request, **options)

    account = document["service_accounts"][0]
    with EmulatorServer(document) as server:
        settings = {
            "organizationId": str(document["organization"]["id"]),
            "apiUrl": server.url,
            "serviceAccountUsername": account["username"],
            "serviceAccountSecret": account["secret"],
        }
        provider = ProjectGrantProvider()
        provider.configure(ConfigureRequest(Config({f"mixpanel:{key}": value for key, value in settings.items()}, "p")))
        inputs = provider.check({}, {"project_id": 1234567, "email": "noor@example.com", "role": "consumer"}).inputs
        with mock.patch.object(httpx.Client, "send", send_and_record):
            provider.create(inputs)
    frames = stacks[-1]
    closures = sum(frame.endswith("(nested)") for frame in frames)
    return Measure("frames from `create` to the HTTP library", f"{len(frames)} ({closures} nested)", tuple(frames))


def _frames_from_create(frame: FrameType | None) -> list[str]:
    """The product's frames from the outermost `create` of the provider; empty if there is none."""
    frames: list[str] = []
    from_create = 0
    while frame is not None:
        code = frame.f_code
        if PACKAGE in Path(code.co_filename).parts and code.co_name not in ("<listcomp>", "<genexpr>", "<dictcomp>"):
            nested = " (nested)" if code.co_flags & inspect.CO_NESTED else ""
            frames.append(f"{Path(code.co_filename).name} {code.co_qualname}{nested}")
            if code.co_name == "create" and f"{PACKAGE}/provider" in code.co_filename:
                from_create = len(frames)
        frame = frame.f_back
    return frames[:from_create][::-1]


if __name__ == "__main__":
    main()
