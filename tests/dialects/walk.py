"""The life of access under one dialect: one operation after the other, and what became of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final

from mixpanel_access.emulator.dialect import DEFAULT, Dialect
from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import written
from mixpanel_access.model.errors import AccessError
from mixpanel_access.model.setting_values import Secret
from tests.faults.conftest import World, organization
from tests.faults.mini_engine import MiniEngine, Name, Program

_TOKEN: Final = "scim-token"
_SSO: Final = {"enabled": True, "domains": [{"name": "example.com", "state": "verified"}]}


ASKED: Final[set[str]] = set()
"""The verbs that were asked for since somebody emptied this."""


class Outcome(Enum):
    """What became of an operation."""

    OK = "ok"
    """All is as declared, and nothing is planned any more."""
    STOPPED = "stopped"
    """It stopped before the first write, with a line."""
    REFUSED = "refused"
    """Mixpanel refused the first write, and nothing has changed."""
    ENDED = "ended"
    """Of what takes away: the access has ended, and a line says what is left."""


class Wrong(AssertionError):
    """Neither done nor cleanly refused."""


Came = tuple[Outcome, str]
"""What became of an operation, and the line where it was refused."""


def note_requests(world: World) -> None:
    """Empty the request log."""
    ASKED.update(world.server.app.log.by_endpoint)
    world.server.app.log.reset()


@dataclass(frozen=True)
class Operation:
    """One step of a life.

    Attributes:
        after: what is declared then.
        meanwhile: what people do in the product before it.
        shown: what a refresh and a plan must show as changed before it.
        silent: whether there is nothing to write.
        imported: what is read by its id before it, as `pulumi import` does.
    """

    after: Program
    meanwhile: Callable[[World], object] = lambda world: None
    shown: tuple[Name, ...] = ()
    silent: bool = False
    imported: Mapping[Name, str] = field(default_factory=dict)


@dataclass
class Walk:
    """An organization under a dialect.

    Attributes:
        world: the emulator.
        dialect: how it speaks.
        scim: whether people of the claimed domain come by SCIM.
        plan: the organization's plan.
        engine: the stack.
    """

    world: World
    dialect: Dialect
    scim: bool = False
    plan: str = "enterprise"
    engine: MiniEngine = field(init=False)

    def __post_init__(self) -> None:
        security = {"security": {"scim_token": _TOKEN, "sso": _SSO}} if self.scim else {}
        document = {**organization(), **security, "now": written(datetime.now(UTC))}
        planned = {"organization": {**document["organization"], "plan": self.plan}}
        self.world.control("POST", "seed", {**document, **planned})
        self.world.scim_token = Secret(_TOKEN) if self.scim else None
        self.world.close()
        self.engine = MiniEngine(self.world.session)

    def live(self, operations: Mapping[str, Operation]) -> Iterator[tuple[str, Came]]:
        """Take the steps; what the dialect does not allow is done without it, so that life goes on.

        Raises:
            Wrong: a step is neither done nor cleanly refused.
        """
        for name, operation in operations.items():
            operation.meanwhile(self.world)
            try:
                self._speak(self.dialect)
                came = self._take(operation)
                if came[0] is not Outcome.OK:
                    self._speak(DEFAULT)
                    if (other := self._take(operation))[0] is not Outcome.OK:
                        raise Wrong(f"refused without the dialect too: {other[1]}")
            except Wrong as wrong:
                raise Wrong(f"{name}: {wrong}") from None
            finally:
                self._speak(DEFAULT)
            self.world.by_hand("add-users/", {"users": []})  # nothing is late any more when the next run begins
            yield name, came

    def _speak(self, dialect: Dialect) -> None:
        self.world.server.app.speak(dialect)
        note_requests(self.world)

    def writes(self) -> list[dict[str, Any]]:
        """The requests of this step so far that may have changed something."""
        return [one for one in self.world.server.app.log.last if one["method"] != "GET" and "audit" not in one["path"]]

    def _take(self, operation: Operation) -> Came:
        before = self.access()
        if operation.imported:
            try:
                self.engine.import_(operation.imported)
            except AccessError as error:
                return Outcome.STOPPED, str(error)
        if operation.shown:
            if not self.engine.refresh():
                return self._refused(operation.after, before)
            planned = {name for step, name in self.engine.plan(operation.after) if step != "delete"}
            if planned != set(operation.shown):
                raise Wrong(f"planned {planned} for {operation.shown}")
        if not self.engine.up(operation.after):
            return self._refused(operation.after, before)
        if operation.silent and self.writes():
            raise Wrong(f"there was nothing to do, and it wrote {self.writes()}")
        self._must_be(operation.after, before["mails"])
        self._must_rest(operation.after)
        return Outcome.OK, ""

    def _refused(self, program: Program, before: Any) -> Came:
        line = str(self.engine.failures[0])
        if "\n" in line:
            raise Wrong(f"more than one line: {line}")
        if (now := self.access()) != before:
            if not program and not [one for one in self._own(now) if one.get("active", True)]:
                return Outcome.ENDED, line
            raise Wrong(f"refused half way: {line}; was {before}, is {now}")
        return (Outcome.REFUSED if self.writes() else Outcome.STOPPED), line

    def _must_rest(self, program: Program) -> None:
        """A second run refreshes and plans nothing."""
        if not self.engine.refresh():
            raise Wrong(f"done, and cannot be refreshed: {self.engine.failures[0]}")
        if (steps := self.engine.plan(program)) or self.engine.failures:
            raise Wrong(f"done, and planned again: {steps} {self.engine.failures}")

    def access(self) -> dict[str, Any]:
        """Who has what, as it is."""
        dump = self.world.dump()
        mails = [(mail["email"], mail["kind"]) for mail in dump["mails"]]
        return {**{part: dump[part] for part in ("members", "grants", "teams")}, "mails": mails}

    @staticmethod
    def _own(access: dict[str, Any]) -> list[dict[str, Any]]:
        """The people who were not there in the beginning."""
        strangers = {same_key(member["email"]) for member in organization()["members"]}
        return [one for one in access["members"] if same_key(one["email"]) not in strangers]

    def _must_be(self, program: Program, mails: list[Any]) -> None:
        """The organization has what is declared and what it had in the beginning, and nobody got two e-mails."""
        now = self.access()
        own = {one["email"]: one for one in self._own(now)}
        inside = {email: one["role"] for email, one in own.items() if one.get("active", True)}
        declared = {i["email"]: i.get("role", roles.MEMBER) for (kind, _), i in program.items() if kind == "member"}
        held = {(one["project"], one["email"]): one["role"] for one in now["grants"] if one["email"] in own}
        wanted = {(i["project_id"], i["email"]): i["role"] for (kind, _), i in program.items() if kind == "grant"}
        teams = {one["name"]: one["members"] for one in now["teams"] if one["name"] != "Strangers"}
        names = {name: i["name"] for name, i in program.items() if name[0] == "team"}
        crews: dict[str, list[str]] = {name: [] for name in names.values()}
        for (kind, _), inputs in program.items():
            if kind == "team member":
                crews[names[inputs["team_id"]]].append(inputs["email"])
        for what, is_so, should in (("people", inside, declared), ("grants", held, wanted), ("teams", teams, crews)):
            if is_so != should:
                raise Wrong(f"done, and {what} are {is_so}, declared {should}")
        sent = [email for email, _ in now["mails"][len(mails) :]]
        if len(sent) != len(set(sent)):
            raise Wrong(f"invited twice: {sent}")
