"""Runs with --target and --exclude: who goes is judged together, and what the rest of the program declares stays."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest

from mixpanel_access.model.errors import InputError, Refused
from mixpanel_access.model.resources import (
    BRAKE_TYPE,
    GRANT_TYPE,
    MEMBER_TYPE,
    MEMBERS_TYPE,
    PROJECT_ACCESS_TYPE,
    PROVIDER_KEY,
)
from mixpanel_access.provider import declaring
from mixpanel_access.provider.command import Command, Resources
from mixpanel_access.provider.declaring import ProgramDeclaration, digest
from mixpanel_access.provider.handler import Handler
from mixpanel_access.provider.identities import GrantIdentity
from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.member_handler import MemberHandler
from mixpanel_access.provider.members import MembersHandler
from mixpanel_access.provider.project_access import ProjectAccessHandler, ProjectAccessProvider
from mixpanel_access.provider.project_grant import ProjectGrantProvider
from mixpanel_access.provider.removal_brake import RemovalBrakeProvider
from mixpanel_access.provider.run import Scope
from mixpanel_access.provider.session import Session
from tests.fake_scim import FakeScim
from tests.fake_states import FakeStates
from tests.fakes import ORGANIZATION, PRODUCTION, FakeApi, make_session, organization_of

PEOPLE = [f"m{n}@example.com" for n in range(8)]
BRAKE_ID = f"{ORGANIZATION}:removal-brake"


@pytest.fixture
def api() -> FakeApi:
    """Two owners and eight members, who each have a grant: three people may go."""
    return organization_of(*PEOPLE)


def member(name: str, email: str | None = None, **outputs: Any) -> dict[str, Any]:
    """A `Member` of the state."""
    email = email or name
    outputs = {"email": email, "removal": "when_unused", "adopted": False, **outputs}
    return {"urn": f"urn::{name}", "type": MEMBER_TYPE, "id": f"{ORGANIZATION}:{email}", "outputs": outputs}


def grant(email: str) -> dict[str, Any]:
    """A `ProjectGrant` of the state, which depends on the member."""
    outputs = {"email": email, "project_id": PRODUCTION, "role": "analyst"}
    id_ = f"{ORGANIZATION}:{PRODUCTION}:{email}"
    return {
        "urn": f"urn::grant-{email}",
        "type": GRANT_TYPE,
        "id": id_,
        "dependencies": [f"urn::{email}"],
        "outputs": outputs,
    }


def stack(*, brake: bool = True) -> list[dict[str, Any]]:
    """The state of a stack with everybody."""
    rows = [*map(member, PEOPLE), *map(grant, PEOPLE)]
    if not brake:
        return rows
    return [
        *rows,
        {"urn": "urn::brake", "type": BRAKE_TYPE, "id": BRAKE_ID, "dependencies": [row["urn"] for row in rows]},
    ]


def session_for(
    api: FakeApi, command: Command | None, state: Resources | None, declared: ProgramDeclaration | None = None
) -> tuple[Session, list[str]]:
    """A session in a run of that command."""
    session, said = make_session(api)
    session.scope = Scope(lambda: command, lambda: state, lambda: declared)
    return session, said


def providers(session: Session) -> tuple[RemovalBrakeProvider, MemberProvider, ProjectGrantProvider]:
    """The three providers, in one session."""
    made = RemovalBrakeProvider(), MemberProvider(), ProjectGrantProvider()
    for provider in made:
        provider.use(session)
    return made


def declared(*emails: str) -> dict[str, Any]:
    """What a `RemovalBrake` has of people."""
    return {"people": [{"email": one, "removal": "when_unused", "projects": [float(PRODUCTION)]} for one in emails]}


def destroy(*targets: str) -> Command:
    """A destroy of those."""
    return Command("destroy", targets=[f"urn::{one}" for one in targets])


GOING: dict[str, tuple[Command | None, int]] = {
    "one target": (destroy(PEOPLE[0]), 1),
    "three targets": (destroy(*PEOPLE[:3]), 3),
    "four targets": (destroy(*PEOPLE[:4]), 4),
    "a pattern of all": (Command("destroy", targets=["urn::m*"]), 8),
    "grants alone": (Command("destroy", targets=["urn::grant-**"]), 0),
    "all but five": (Command("destroy", excludes=[f"urn::{one}" for one in PEOPLE[3:]]), 3),
    "all but four": (Command("destroy", excludes=[f"urn::{one}" for one in PEOPLE[4:]]), 4),
    "what is not protected, which is all": (Command("destroy", exclude_protected=True), 8),
    "all": (Command("destroy"), 8),
    "unknown": (None, 8),
}


@pytest.mark.parametrize(("command", "going"), GOING.values(), ids=GOING)
@pytest.mark.parametrize("brake", [True, False], ids=["with its brake", "after its brake has gone"])
def test_a_destroy_judges_who_goes(api: FakeApi, command: Command | None, going: int, brake: bool) -> None:
    """Three may go and four may not, and then nobody loses a grant; without a brake it is the same."""
    session, _ = session_for(api, command, stack(brake=brake))
    judge, _, grants = providers(session)
    if command is None and not brake:
        return  # then each removal is judged as it comes
    first: Callable[[], None] = (
        (lambda: judge.delete(BRAKE_ID, declared(*PEOPLE)))
        if brake
        else (lambda: grants.delete(grant(PEOPLE[0])["id"], grant(PEOPLE[0])["outputs"]))
    )
    if going > 3:
        with pytest.raises(Refused, match=f"would remove {going}"):
            first()
        assert api.writes == []
    else:
        first()


GROUP = "urn::members"
LEAVES = {
    "something that depends on the group is left alone": (Command("up", excludes=["urn::access"]), True),
    "the group is left alone": (Command("up", excludes=[GROUP]), False),
    "another resource alone": (Command("up", targets=["urn::access"]), False),
    "the group alone": (Command("up", targets=[GROUP]), True),
    "a destroy that leaves alone what depends on it": (Command("destroy", excludes=["urn::access"]), False),
    "a refresh": (Command("refresh", excludes=["urn::access"]), False),
}


@pytest.mark.parametrize(("command", "may_leave"), LEAVES.values(), ids=LEAVES)
def test_anybody_may_leave_a_group_that_a_program_updates(command: Command, may_leave: bool) -> None:
    """Unlike a resource that goes as a whole, for which nothing that stays may depend on it."""
    people = {email: {"removal": "when_unused"} for email in PEOPLE}
    outputs = {"project_id": PRODUCTION, "grants": dict.fromkeys(PEOPLE, "analyst"), "exclusive": False}
    state = [
        {"urn": GROUP, "type": MEMBERS_TYPE, "id": f"{ORGANIZATION}:members", "outputs": {"people": people}},
        {
            "urn": "urn::access", "type": PROJECT_ACCESS_TYPE, "id": f"{ORGANIZATION}:{PRODUCTION}",
            "dependencies": [GROUP], "outputs": outputs,
        },
    ]  # fmt: skip
    found = Scope(lambda: command, lambda: state).people(ORGANIZATION)
    assert (found or {}).keys() == (set(PEOPLE) if may_leave else set())


@pytest.mark.parametrize("option", [{"protect": True}, {"retainOnDelete": True}])
def test_people_who_stay_by_an_option_do_not_count(api: FakeApi, option: dict[str, bool]) -> None:
    """Five of eight are protected, or retained: three go, whether or not the brake is protected as well."""
    rows = stack()
    for row in rows[3:8]:
        row.update(option)
    rows[-1].update(option)
    grants = providers(session_for(api, Command("destroy"), rows)[0])[2]
    grants.delete(grant(PEOPLE[0])["id"], grant(PEOPLE[0])["outputs"])
    rows[3].clear()
    rows[3].update(member(PEOPLE[3]))
    grants = providers(session_for(api, Command("destroy"), rows)[0])[2]
    with pytest.raises(Refused, match="would remove 4"):
        grants.delete(grant(PEOPLE[1])["id"], grant(PEOPLE[1])["outputs"])


def test_two_brakes_of_one_stack_judge_both_lists_on_destroy(api: FakeApi) -> None:
    """That the first list passes says nothing of the second."""
    judge, _, _ = providers(session_for(api, Command("destroy"), stack())[0])
    judge.delete(BRAKE_ID, declared(*PEOPLE[:2]))
    with pytest.raises(Refused, match="would remove 6"):
        judge.delete(BRAKE_ID, declared(*PEOPLE[2:]))


def test_a_destroy_whose_state_cannot_be_read_judges_everybody(api: FakeApi) -> None:
    """Unknown is not permission."""
    judge, _, _ = providers(session_for(api, destroy(PEOPLE[0]), None)[0])
    with pytest.raises(Refused, match="would remove 8"):
        judge.delete(BRAKE_ID, declared(*PEOPLE))


def test_a_destroy_of_one_of_two_resources_of_one_person_takes_nothing(api: FakeApi) -> None:
    """The other one stays in the stack, and with it the person; one in another organization is another person."""
    rows = [member("kim", PEOPLE[0]), member("twin", PEOPLE[0].upper())]
    session, said = session_for(api, destroy("kim"), rows)
    providers(session)[1].delete(rows[0]["id"], rows[0]["outputs"])
    assert (api.writes, said) == ([], [f"{PEOPLE[0]}: declared under another name too; nothing is taken away"])
    elsewhere = {**rows[1], "id": f"{ORGANIZATION + 1}:{PEOPLE[0]}"}
    for command, state in ((destroy("kim", "twin"), rows), (destroy("kim"), [rows[0], elsewhere])):
        api.put(PEOPLE[0])
        session, _ = session_for(api, command, state)
        api.rows.clear()
        api.sent.clear()
        providers(session)[1].delete(rows[0]["id"], rows[0]["outputs"])
        assert api.writes == ["remove"], state


UP = Command("up", targets=["urn::kim"])


@pytest.mark.parametrize(
    ("told", "gone"),
    [
        (ProgramDeclaration(frozenset({digest(PEOPLE[0])})), False),
        (ProgramDeclaration(frozenset({digest(PEOPLE[0])}), frozenset({"Member"})), False),
        (ProgramDeclaration(frozenset({digest(PEOPLE[0], ORGANIZATION)})), False),
        (ProgramDeclaration(frozenset({digest(PEOPLE[0], ORGANIZATION + 1)})), True),
        (ProgramDeclaration(frozenset({digest(PEOPLE[1])})), True),
        (ProgramDeclaration(frozenset(), frozenset({"Team"})), True),
        (ProgramDeclaration(frozenset(), frozenset({"Member"})), None),
        (None, None),
    ],
    ids=[
        "declared",
        "declared beside an unknown one",
        "declared in this organization",
        "declared in another organization",
        "another",
        "an unknown team",
        "an unknown member",
        "nothing said",
    ],
)
def test_a_partial_up_never_takes_what_the_rest_of_the_program_declares(
    api: FakeApi, told: ProgramDeclaration | None, gone: bool | None
) -> None:
    """What the engine does not ask about counts too; if it is unknown, nothing is taken."""
    api.rows.clear()
    session, _ = session_for(api, UP, [member("kim", PEOPLE[0])], told)
    _, members, _ = providers(session)
    row = member("kim", PEOPLE[0])
    if gone is None:
        with pytest.raises(Refused, match="Run it without --target and --exclude"):
            members.delete(row["id"], row["outputs"])
    else:
        members.delete(row["id"], row["outputs"])
    assert api.writes == (["remove"] if gone else [])


def test_a_partial_up_keeps_the_grants_of_a_project_that_others_declare(api: FakeApi) -> None:
    """A `ProjectAccess` that goes leaves each grant that a `ProjectGrant` has, target or not."""
    kept = ProgramDeclaration(frozenset({digest(GrantIdentity(PRODUCTION, email)) for email in PEOPLE[2:]}))
    session, _ = session_for(api, UP, [], kept)
    provider = ProjectAccessProvider()
    provider.use(session)
    outputs = {"project_id": PRODUCTION, "grants": dict.fromkeys(PEOPLE, "analyst"), "undeclared": []}
    provider.delete(f"{ORGANIZATION}:{PRODUCTION}", outputs)
    assert [body for verb, body in api.sent if verb == "remove_grants"] == [
        (email, (PRODUCTION,)) for email in PEOPLE[:2]
    ]


def test_a_partial_up_is_held_before_the_first_of_too_many(api: FakeApi) -> None:
    """Four who go in one partial up are held together, also where they are replaced and no brake is asked."""
    command = Command("up", targets=["urn::m*"])
    stays = ProgramDeclaration(frozenset(map(digest, PEOPLE[4:])))
    session, _ = session_for(api, command, stack(), stays)
    _, members, grants = providers(session)
    for email in PEOPLE[:4]:
        with pytest.raises(Refused, match="would remove 4"):
            grants.delete(grant(email)["id"], grant(email)["outputs"])
        with pytest.raises(Refused, match="would remove 4"):
            members.delete(member(email)["id"], member(email)["outputs"])
    assert api.writes == []


def test_people_whom_a_partial_up_leaves_alone_are_judged_when_they_go(api: FakeApi) -> None:
    """Five are no longer declared, and one of them is a target: it goes, and the run that takes the others is held."""
    command = Command("up", targets=[f"urn::{PEOPLE[0]}", "urn::brake"])
    rest = PEOPLE[5:]
    session, _ = session_for(api, command, stack(), ProgramDeclaration(frozenset(map(digest, rest))))
    checked = providers(session)[0].check(declared(*PEOPLE), declared(*rest))
    assert checked.failures == []
    assert {person["email"] for person in checked.inputs["people"]} == set(PEOPLE[1:])
    later = providers(session_for(api, Command("up"), stack())[0])[0].check(checked.inputs, declared(*rest))
    assert "would remove 4" in later.failures[0].reason


def test_a_brake_that_a_partial_destroy_has_taken_judges_by_the_state(api: FakeApi) -> None:
    """Made anew in an edit that drops four people, it holds them; one that drops three passes."""
    for gone, held in ((4, True), (3, False)):
        session, _ = session_for(api, Command("up"), stack(brake=False))
        failures = providers(session)[0].check({}, declared(*PEOPLE[gone:])).failures
        assert bool(failures) is held


UNKNOWN_PEOPLE: dict[str, tuple[Any, bool]] = {
    "all of it": ("04da6b54-80e4-46f7-96ec-b56ff0331ba9", False),
    "one person": (["04da6b54-80e4-46f7-96ec-b56ff0331ba9"], False),
    "one address": ([{"email": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}], True),
    "a project": ([{"email": one, "projects": ["04da6b54-80e4-46f7-96ec-b56ff0331ba9"]} for one in PEOPLE], False),
}


@pytest.mark.parametrize(("people", "says"), UNKNOWN_PEOPLE.values(), ids=UNKNOWN_PEOPLE)
def test_people_who_are_not_known_yet_do_not_count_as_gone(api: FakeApi, people: Any, says: bool) -> None:
    """At preview nobody is judged on what another resource will say; at up it is known, and judged."""
    session, said = session_for(api, Command("up"), None)
    judge = providers(session)[0]
    assert judge.check(declared(*PEOPLE), {"people": people}).failures == []
    assert any("not known yet" in line for line in said) is (says or people == UNKNOWN_PEOPLE["one person"][0])
    assert judge.check(declared(*PEOPLE), declared(PEOPLE[0])).failures


def of(pid: int, verb: str = "up") -> Command:
    """A partial run of the engine."""
    return Command(verb, pid, targets=["urn::kim"], started="123")


def lines(folder: Path, pid: int, text: Iterable[str]) -> None:
    """A program's file."""
    own = folder / f"mixpanel-access-{os.getuid()}"
    own.mkdir(mode=0o700, exist_ok=True)
    (own / f"{pid}-123").write_text("".join(f"{line}\n" for line in text))


def test_what_a_program_declares_is_read_with_what_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What depended on another resource counts once it is known; what never was is unknown."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert declaring.read(of(7)) is None
    lines(tmp_path, 7, ["1 = aa bb", "2 ? Member", "3 ? Team", "2 = cc", "4 ="])
    assert declaring.read(of(7)) == ProgramDeclaration(frozenset({"aa", "bb", "cc"}), frozenset({"Team"}))
    assert declaring.read(replace(of(7), started="124")) is None, "another process, which got the same number"
    own = tmp_path / f"mixpanel-access-{os.getuid()}"
    lines(tmp_path, 8, ["1 = aa"])
    os.utime(own / "8-123", (0, 0))
    with declaring.new_file(of(9)) as file:
        file.write("1 = dd\n")
    assert sorted(one.name for one in own.iterdir()) == ["7-123", "9-123"], "files of a day ago are deleted"
    with declaring.new_file(of(9)):
        assert declaring.read(of(9)) is None, "a later program of the same engine begins anew, and has said nothing yet"
    own.chmod(0o777)
    assert declaring.read(of(7)) is None, "anybody could have written it"


def a_file(folder: Path) -> None:
    """Something else has the name."""
    folder.write_text("")


def open_to_all(folder: Path) -> None:
    """Others may write to it."""
    folder.mkdir()
    folder.chmod(0o777)


def missing(folder: Path) -> None:
    """The folder in which it would lie is not there."""
    folder.parent.rmdir()


def in_the_way(folder: Path) -> None:
    """A folder has the file's name."""
    folder.mkdir(mode=0o700)
    (folder / "7-123").mkdir()


@pytest.mark.parametrize("obstacle", [a_file, open_to_all, missing, in_the_way])
def test_a_file_that_cannot_be_written_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, obstacle: Callable[[Path], None]
) -> None:
    """The program ends with what is wrong and what to do, and the provider takes it for unknown."""
    home = tmp_path / "tmp"
    home.mkdir()
    obstacle(home / f"mixpanel-access-{os.getuid()}")
    monkeypatch.setattr("tempfile.tempdir", str(home))
    writer = declaring.DeclarationWriter(lambda: of(7))
    with pytest.raises(pulumi.RunError) as failed:
        writer.declare(MemberHandler(), {"email": PEOPLE[0]})
    line = str(failed.value)
    assert line.startswith("cannot write down what the program declares, as a run with --target or --exclude has to: ")
    assert line.endswith(". Set TMPDIR to a folder of your own.")
    assert (str(home) in line, "\n" in line, ".." in line) == (True, False, False)
    assert declaring.read(of(7)) is None


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (of(7), True),
        (of(7, "preview"), True),
        (Command("up", 7, unclear=True, started="123"), True),
        (of(7, "destroy"), False),
        (Command("up", 7, started="123"), False),
        (None, False),
    ],
    ids=["up", "preview", "unclear", "destroy", "a run about everything", "unknown"],
)
def test_a_program_says_what_it_declares_where_the_engine_does_not_ask_about_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command | None, told: bool
) -> None:
    """A preview tells what `up` would do, and so it knows as much."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with closing(declaring.DeclarationWriter(lambda: command)) as writer:
        writer.declare(MemberHandler(), {"email": PEOPLE[0]})
        writer.declare(MemberHandler(), {"email": PEOPLE[0]}, ORGANIZATION)
    both = frozenset({digest(PEOPLE[0]), digest(PEOPLE[0], ORGANIZATION)})
    assert declaring.read(command or of(7)) == (ProgramDeclaration(both) if told else None)


@pytest.mark.parametrize(
    ("handler", "props"),
    [
        (MembersHandler(), {"people": {3: {}}}),
        (ProjectAccessHandler(), {"project_id": PRODUCTION, "grants": [PEOPLE[0]]}),
        (ProjectAccessHandler(), {"project_id": PRODUCTION, "grants": "admin"}),
        (ProjectAccessHandler(), {"project_id": PRODUCTION, "grants": {3: "admin"}}),
    ],
    ids=["an address", "a list", "a text", "an address of a grant"],
)
def test_values_of_wrong_types_do_not_stop_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, handler: Handler[Any], props: dict[str, Any]
) -> None:
    """The provider refuses them in one line. Until then, nobody is known to be left out."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with closing(declaring.DeclarationWriter(lambda: of(7))) as writer:
        writer.declare(handler, props)
    told = declaring.read(of(7))
    assert told is not None
    assert told.may_have(PEOPLE[0], [handler.kind.name])


@pytest.mark.parametrize("verb", ["preview", "up"])
@pytest.mark.parametrize("told", [None, ProgramDeclaration()])
def test_a_partial_run_names_nobody_who_is_left_and_goes_on(
    api: FakeApi, verb: str, told: ProgramDeclaration | None
) -> None:
    """With SCIM on, who could not be taken away wholly is a hint of whole runs: no partial one fails for it."""
    api.scim = FakeScim(api, set())
    session, said = session_for(api, of(7, verb), stack(), told)
    session.states = FakeStates(production=[{"email": PEOPLE[0]}])
    assert session.directory.provisioning.on
    assert providers(session)[0].diff(BRAKE_ID, declared(*PEOPLE), declared(*PEOPLE[1:])).changes
    assert said == []


UNCLEAR = [Command("destroy", targets=[f"urn::{PEOPLE[0]}"], unclear=True), Command("destroy", unclear=True)]


@pytest.mark.parametrize("command", UNCLEAR, ids=["with a target", "without one"])
def test_an_unclear_destroy_judges_everybody(api: FakeApi, command: Command) -> None:
    """Whatever its command line seems to leave alone."""
    grants = providers(session_for(api, command, stack(brake=False))[0])[2]
    with pytest.raises(Refused, match="would remove 8"):
        grants.delete(grant(PEOPLE[0])["id"], grant(PEOPLE[0])["outputs"])
    assert api.writes == []


def test_an_unclear_up_takes_only_what_the_program_is_known_not_to_declare(api: FakeApi) -> None:
    """It may be about a part of the program: what that says of itself counts, and nothing is taken without it."""
    api.rows.clear()
    for told, writes in (
        (None, []),
        (ProgramDeclaration(frozenset({digest(PEOPLE[0])})), []),
        (ProgramDeclaration(), ["remove"]),
    ):
        members = providers(session_for(api, Command("up", unclear=True), [member(PEOPLE[0])], told)[0])[1]
        if told is None:
            with pytest.raises(Refused, match="cannot tell whether"):
                members.delete(member(PEOPLE[0])["id"], member(PEOPLE[0])["outputs"])
        else:
            members.delete(member(PEOPLE[0])["id"], member(PEOPLE[0])["outputs"])
        assert api.writes == writes


def test_what_a_stack_manages_is_read_by_its_own_id(api: FakeApi) -> None:
    """With another spelling of the address, the engine would delete what was managed under the name that reads."""
    _, members, _ = providers(session_for(api, Command("up"), [member("kim", PEOPLE[0])])[0])
    read = members.read(f"{ORGANIZATION}:{PEOPLE[0]}", {PROVIDER_KEY: "pickled"})
    assert (read.outs or {})["email"] == PEOPLE[0]
    assert members.read(f"{ORGANIZATION}:{PEOPLE[1].upper()}", {PROVIDER_KEY: "pickled"}).id
    with pytest.raises(InputError, match=f"the stack has it as {ORGANIZATION}:{PEOPLE[0]}, and would delete that"):
        members.read(f"{ORGANIZATION}:{PEOPLE[0].upper()}", {PROVIDER_KEY: "pickled"})
