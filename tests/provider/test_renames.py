"""Names that change hands: every object gets its declared name, whatever the order, and each has one owner."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Any

import pytest

from mixpanel_access.model.errors import AccessError
from mixpanel_access.model.resources import TEAM_TYPE
from mixpanel_access.provider.custom_role import CustomRoleHandler
from mixpanel_access.provider.renames import Named, Renames, Send
from mixpanel_access.provider.states import ExportedResource
from tests.fakes import ORGANIZATION, PRODUCTION
from tests.provider.names import KINDS, Kind, Stack

NAMES = ("W", "X", "Y", "Z")
PROGRAMS = [
    dict(zip(resources, names, strict=True))
    for number in range(4)
    for resources in (("a", "b", "c")[:number], ("c", "a", "b")[:number])
    for names in permutations(NAMES, number)
]
"""Up to three resources under different names; some twice, under other names of the resources."""


@pytest.fixture(params=list(KINDS.values()), ids=list(KINDS))
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each of them."""
    found: Kind = request.param
    return found


def starts(kind: Kind) -> Iterator[Stack]:
    """Stacks of one to three resources."""
    for number in range(1, 4):
        stack = Stack(kind)
        stack.run(dict(zip(("a", "b", "c")[:number], NAMES[:number], strict=True)))
        yield stack


def again(stack: Stack) -> Stack:
    """The same stack in an organization of its own."""
    copy = Stack(stack.kind, hints=stack.hints, known=stack.known)
    copy.run({resource: str(inputs["name"]) for resource, (_, inputs, _) in stack.state.items()})
    return copy


@pytest.mark.parametrize("number", [1, 2, 3])
def test_every_object_has_its_declared_name_after_two_runs(kind: Kind, number: int) -> None:
    """Swaps, chains, circles, new ones and deletions, in every order: nothing is refused, and each keeps its object."""
    first = dict(zip(("a", "b", "c")[:number], NAMES[:number], strict=True))
    for program in PROGRAMS:
        for order in permutations(program):
            stack = Stack(kind)
            stack.run(first)
            ids = {resource: id_ for resource, (id_, _, _) in stack.state.items()}
            told = stack.preview(program, order)
            case = (first, program, order)
            sent = len(stack.api.sent)
            stack.run(program, order)
            if stack.held() != program or any(
                outputs["name"] != program[resource] for resource, (_, _, outputs) in stack.state.items()
            ):
                assert [line for line in told if "up` again" in line or "run that again" in line], case
                stack.run(program, order)
            assert stack.held() == program, case
            assert stack.names() == sorted(program.values()), case
            assert stack.run(program, order) == 0, case
            kept = ids.keys() & program.keys()
            passed_on = {name for name in program.values() if name in first.values()} if not kept else set()
            assert passed_on or {r: stack.state[r][0] for r in kept} == {r: ids[r] for r in kept}, case
            assert len({id_ for id_, _, _ in stack.state.values()}) == len(program), case
            assert len(stack.api.sent) - sent <= 4 * len(NAMES), case


def test_no_rename_advises_to_delete_what_is_declared(kind: Kind) -> None:
    """Not at preview, and not when it is brought about."""
    stack = Stack(kind)
    stack.run({"a": "W", "b": "X"})
    for program in ({"a": "X", "b": "W"}, {"a": "X", "b": "Y"}, {"b": "W", "new": "X"}):
        copy = again(stack)
        copy.preview(program)
        copy.run(program)
        copy.run(program)
        assert copy.held() == program
        assert not [line for line in copy.said if "delete it" in line]


def test_a_name_of_a_stranger_is_refused_at_preview(kind: Kind) -> None:
    """No resource of the stack gives it up; of another stack's, it says whose it is."""
    stack = Stack(kind)
    stack.run({"a": "W"})
    other = Stack(kind, stack.api)
    other.run({"theirs": "X"})
    with pytest.raises(AccessError, match=r"cannot be renamed to X, since there is a .* X already, which no stack has"):
        stack.preview({"a": "X"})
    stack.others = {"staging": other.resources()}
    with pytest.raises(AccessError, match="already, which stack staging has; give one of them another name") as refused:
        stack.preview({"a": "X"})
    assert "delete" not in str(refused.value)


class Killed(Exception):
    """The process ends here."""


class KilledAfter(list[AccessError]):
    """The faults of a verb that ends the process at the write after so many."""

    def __init__(self, stack: Stack, writes: int) -> None:
        super().__init__()
        self._stack = stack
        self._writes = len(stack.api.sent) + writes

    def __bool__(self) -> bool:
        return len(self._stack.api.sent) > self._writes

    def pop(self, _: object = 0) -> AccessError:
        raise Killed


@pytest.mark.parametrize("writes", range(5))
@pytest.mark.parametrize(
    "program", [{"a": "X", "b": "Y", "c": "W"}, {"a": "X", "b": "Y", "new": "W"}, {"new": "W", "a": "Y"}], ids=str
)
def test_a_killed_run_is_finished_by_the_next_two(kind: Kind, program: dict[str, str], writes: int) -> None:
    """After any write: names that are half passed on are passed on, and nothing is left under another name."""
    stack = Stack(kind)
    stack.run({"a": "W", "b": "X", "c": "Y"})
    for verb in ("rename_team", "create_team", "delete_team", "put_role", "create_role", "delete_role"):
        stack.api.faults[verb] = KilledAfter(stack, writes)
    try:
        stack.run(program)
    except Killed:
        stack.api.one_write.acquire(blocking=False)
        stack.api.one_write.release()
    stack.api.faults.clear()
    for _ in range(2):
        stack.run(program)
    assert stack.held() == program
    assert stack.names() == sorted(program.values())


@pytest.mark.parametrize("delete_first", [True, False])
def test_a_resource_that_is_replaced_keeps_its_object(kind: Kind, *, delete_first: bool) -> None:
    """`--replace`, taint, or a move: the object is neither deleted nor made anew, and still is the stack's own."""
    stack = Stack(kind)
    stack.run({"a": "W", "b": "X"})
    ids, before = {name: held[0] for name, held in stack.state.items()}, stack.state["a"][2]
    sent = len(stack.api.sent)
    stack.replace("a", delete_first=delete_first)
    assert len(stack.api.sent) == sent
    assert {name: held[0] for name, held in stack.state.items()} == ids
    assert stack.state["a"][2].get("adopted") == before.get("adopted")
    stack.run({"b": "X"})
    assert stack.names() == ["X"]


def test_another_key_in_the_roster_hands_the_object_over(kind: Kind) -> None:
    """It is made by the stack as before, and goes with its resource at the end; nothing is sent."""
    stack = Stack(kind)
    stack.run({"a": "W"})
    sent, said = len(stack.api.sent), len(stack.said)
    stack.run({"other": "W"})
    assert len(stack.api.sent) == sent
    if kind.type == TEAM_TYPE:
        assert stack.state["other"][2]["adopted"] is False
        assert not [line for line in stack.said[said:] if "adopted" in line]
    stack.run({"third": "W", "new": "X"})
    stack.run({})
    assert stack.names() == []


TEAM = KINDS["team"]


def test_a_team_that_was_there_stays_adopted_under_another_key() -> None:
    """Nobody made it; the same where the states cannot be read."""
    for known in (True, False):
        stack = Stack(TEAM, known=known)
        stack.api.teams.put("W")
        for key in ("a", "b"):
            stack.run({key: "W"})
            assert stack.state[key][2]["adopted"] is True
        stack.run({})
        assert stack.names() == ["W"]


def test_a_team_that_another_stack_made_is_deleted_by_the_last_stack() -> None:
    """While another stack has it, it stays; it is no find of the second one."""
    first = Stack(TEAM)
    first.run({"a": "W"})
    second = Stack(TEAM, first.api, others={"staging": first.resources()})
    second.run({"a": "W"})
    assert second.state["a"][2]["adopted"] is False
    first.others = {"staging": second.resources()}
    first.run({})
    assert first.names() == ["W"]
    assert first.said[-1].endswith("it is declared in stack staging too")
    second.others = {}
    second.run({})
    assert second.names() == []


class Interrupted(Renames):
    """Lets another resource work right after one has asked for its name, before it sees whether it waits."""

    def __init__(self) -> None:
        super().__init__()
        self.then: Callable[[], object] = int

    def give(self, objects: Named, id_: Hashable, name: str, send: Send) -> None:
        super().give(objects, id_, name, send)
        then, self.then = self.then, int
        then()


@pytest.mark.parametrize("moment", ["before it is asked who waits", "while it says that it waits"])
def test_a_name_that_is_passed_on_in_between_is_no_failure(kind: Kind, moment: str) -> None:
    """Another thread gives the name up at any time: the one that waits for it has it then, and is not refused."""
    stack = Stack(kind)
    stack.run({"a": "W", "b": "X"})
    program, provider = {"a": "X", "b": "Y"}, stack.provider()
    provider.session.renames = renames = Interrupted()
    checked = {resource: stack._check(provider, program, resource) for resource in program}
    outcomes = dict[str, Any]()

    def update(resource: str) -> None:
        olds, inputs = checked[resource]
        assert olds is not None
        outcomes[resource] = provider.update(olds[0], olds[2], dict(inputs)).outs

    def gives_up() -> None:
        if "b" not in outcomes:
            with ThreadPoolExecutor(1) as pool:  # a thread of its own, as the engine's
                pool.submit(update, "b").result()

    for resource, (olds, inputs) in checked.items():
        assert olds is not None, resource
        provider.diff(olds[0], olds[2], inputs)
    if moment.startswith("before"):
        renames.then = gives_up
    else:
        provider.session.say = lambda line: gives_up() if "will get the name X" in line else None
    update("a")
    assert {resource: outcomes[resource]["name"] for resource in program} == program
    assert stack.held() == program


# A program that does not say which resources it has


def without_hints(kind: Kind) -> Stack:
    """A stack with one resource, whose program says nothing beside the inputs."""
    stack = Stack(kind, hints=False)
    stack.run({"a": "W"})
    return stack


def test_a_rename_before_the_new_resource_is_enough(kind: Kind) -> None:
    """The program declares the one first that gives the name up."""
    stack, program = without_hints(kind), {"a": "X", "new": "W"}
    stack.preview(program)
    stack.run(program)
    assert stack.held() == program


def test_a_new_resource_before_the_rename_is_refused_at_preview(kind: Kind) -> None:
    """Nobody could know that the name is given up; nothing is sent."""
    stack = without_hints(kind)
    sent = len(stack.api.sent)
    with pytest.raises(AccessError, match=r"is being renamed to X in this run.*in a second `pulumi up`"):
        stack.preview({"new": "W", "a": "X"})
    assert len(stack.api.sent) == sent


def test_states_that_cannot_be_read_refuse_no_rename(kind: Kind) -> None:
    """A swap comes about all the same; of a stranger's name it is said that it is not to be had yet."""
    stack = Stack(kind, known=False)
    stack.run({"a": "W", "b": "X"})
    program = {"a": "X", "b": "W"}
    stack.run(program)
    stack.run(program)
    assert stack.held() == program
    Stack(kind, stack.api).run({"theirs": "Z"})
    stack.run({"a": "Z", "b": "W"})
    assert stack.held() == program
    assert "will get the name Z once another" in stack.said[-1]


def test_a_role_of_another_project_has_names_of_its_own() -> None:
    """A name that is given up in one project is another one's in the other."""
    stack = Stack(KINDS["custom role"])
    stack.run({"a": "W"})
    other = ExportedResource(stack.kind.type, "urn::b", f"{ORGANIZATION}:{PRODUCTION + 1}:{stack.state['a'][0][-36:]}")
    stack.others = {"staging": [other]}
    handler = stack.provider().handler
    assert isinstance(handler, CustomRoleHandler)
    role = handler.parse(other.id).role
    assert handler.parse(stack.state["a"][0]).role == role
    assert handler.own_names(role, ("custom roles", PRODUCTION)) == frozenset({"a"})
