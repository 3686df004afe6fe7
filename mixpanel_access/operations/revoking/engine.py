"""One run of the engine that takes away given resources and touches nothing else; and the declaration that it keeps."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from mixpanel_access.engine import Pulumi
from mixpanel_access.engine.runner import in_own_words, meaningful
from mixpanel_access.model import resources as kinds
from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import DeclaredPerson
from mixpanel_access.model.declaration import Declaration
from mixpanel_access.model.errors import EngineError
from mixpanel_access.model.grants import REASON_FIELDS, shared_reasons
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.groups import part_properties, without
from mixpanel_access.model.settings import KEPT_VARIABLE
from mixpanel_access.operations.project import Progress, PulumiProject, temporary_folder, with_variables
from mixpanel_access.operations.revoking.removals import Made, Removal, with_words
from mixpanel_access.operations.revoking.rows import StateRow, is_whole, singles
from mixpanel_access.operations.state_change import LONGEST, NOTHING, errors_in, preview_document
from mixpanel_access.provider.command import matcher

_DELETES: Final = ("delete", "delete-replaced")
_TRIES: Final = 20
"""Previews until no other resource's error is in the way."""
_LONGEST_LIST: Final = 1_000_000
"""Characters of a command line, of which Linux takes two million."""
_ENDS: Final = ("Resources:", "Outputs:", "Policies:", "Duration:")
_HEADER: Final = re.compile(r"^  \S+ \((.+)\):$")
_LEAD: Final = re.compile(r"(?:error:\s*)+")
"""What the engine puts in front of an error."""
_ROOT: Final = re.compile("::pulumi:(?:pulumi:Stack|providers:[^:]+)::")
_INTEGRITY: Final = "snapshot integrity error"
"""What the engine says if something would depend on what the run leaves out."""
_PACK: Final = re.compile(r"^\s*❌\s+(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class EngineStep:
    """What the engine would do to one resource, and its inputs then."""

    op: str
    urn: str
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Preview:
    """What a run would do, and what it must leave alone.

    Attributes:
        steps: the steps of the run.
        excluded: the resources that the run leaves as they are.
        left: those of them that the program would change: URN -> why it is not done here.
    """

    steps: Sequence[EngineStep]
    excluded: AbstractSet[str]
    left: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def program_keeping(project: PulumiProject, document: str | None) -> Iterator[Pulumi]:
    """The engine, for a run whose `RosterAccess` declares this document in place of its roster.

    Without a document, the program declares its roster.
    """
    if document is None:
        yield project.pulumi
        return
    with temporary_folder() as folder:
        file = folder / "kept.json"
        file.write_text(document, encoding="utf-8")
        yield with_variables(project.pulumi, {KEPT_VARIABLE: str(file)})


@dataclass(frozen=True)
class RunScope:
    """What a run may touch.

    Attributes:
        deletes: what it may delete.
        updates: what it may update.
        excluded: what it leaves as it is in any case.
        idle: what it leaves as it is if the program does not change it; each with what it depends on.
    """

    deletes: AbstractSet[str]
    updates: AbstractSet[str]
    excluded: AbstractSet[str]
    idle: Mapping[str, AbstractSet[str]] = field(default_factory=dict)

    def allows(self, step: EngineStep) -> bool:
        """Whether a step is part of the run: nothing is made, and nothing replaced."""
        return (step.op in _DELETES and step.urn in self.deletes) or (step.op == "update" and step.urn in self.updates)

    def idle_beside(self, steps: Iterable[EngineStep]) -> set[str]:
        """What is idle in a run of these steps, and can be excluded without keeping something else that goes."""
        goes = {step.urn for step in steps if step.op in _DELETES}
        found = {urn for urn, needs in self.idle.items() if urn not in goes and not needs & goes}
        return {urn for urn in found if not _takes_others(urn, self.deletes | self.updates)}


def preview(pulumi: Pulumi, stack: str, scope: RunScope) -> Preview:
    """Find out what else a run would do than what is wanted, and exclude it.

    If the program has something new, whatever is idle is excluded with it: it may depend on that now, and the engine
    refuses a state with a dependency on what is not there, or (3.259) saves it.

    Raises:
        EngineError: the program does not run, or the engine refuses.
    """
    wanted = scope.deletes | scope.updates
    out = {urn for urn in scope.excluded if not _takes_others(urn, wanted)}
    left: dict[str, str] = {}
    made: list[EngineStep] = []
    fresh = False
    for _ in range(_TRIES):
        completed, document = preview_document(pulumi, stack, *_options(out))
        steps = [
            EngineStep(str(one["op"]), str(one["urn"]), (one.get("newState") or {}).get("inputs") or {})
            for one in document.get("steps") or ()
        ]
        others = {
            step.urn: f"the program would {step.op} it"
            for step in steps
            if step.op not in NOTHING and not scope.allows(step)
        }
        errors = {urn: message for urn, message in errors_in(document) if urn}
        new = {urn: why for urn, why in {**others, **errors}.items() if urn not in out and not _ROOT.search(urn)}
        new = {urn: why for urn, why in new.items() if not _takes_others(urn, wanted)}
        fresh |= bool(errors) or any(step.op == "create" for step in steps)
        # Of a program that fails, the deletions are not known.
        whole = completed.returncode == 0 or _INTEGRITY in completed.stderr
        idle = scope.idle_beside(steps) - out if fresh and whole else set()
        if not new and not idle and completed.returncode == 0:
            return Preview(made + steps, out, left)
        if not new and not idle:  # what policies find is in the text alone
            told = pulumi.run("preview", "--stack", stack, *_options(out), timeout=LONGEST, check=False)
            raise failure(stack, told.stdout, f"{told.stderr}\n{completed.stderr}", document)
        made += [step for step in steps if step.op == "create"]
        out |= new.keys() | idle
        left |= new
    raise failure(stack, completed.stdout, completed.stderr, document)


def _takes_others(urn: str, wanted: AbstractSet[str]) -> bool:
    """Whether to leave a resource alone would leave others alone that the run is about.

    The engine takes `*` in a URN for any text and has no way to write the sign itself.
    """
    return "*" in urn and any(matcher(urn).fullmatch(other) for other in wanted - {urn})


def run(pulumi: Pulumi, stack: str, excluded: Iterable[str], progress: Progress) -> tuple[dict[str, str], str]:
    """Apply the program, but for the excluded resources; one that fails does not stop the others.

    Returns:
        A resource's name -> what the engine says of it, and what it says as a whole, if it failed.

    Raises:
        EngineError: the engine cannot begin: the stack is locked, say.
    """
    completed = pulumi.run(
        *("up", "--yes", "--skip-preview", "--continue-on-error", "--stack", stack, *_options(excluded)),
        timeout=LONGEST,
        check=False,
    )
    reasons, said = _diagnostics(completed.stdout)
    if completed.returncode != 0 and "Diagnostics:" not in completed.stdout and "Resources:" not in completed.stdout:
        raise failure(stack, completed.stdout, completed.stderr, {})
    for line in said:
        progress(line)
    why = str(failure(stack, completed.stdout, completed.stderr, {}).why) if completed.returncode else ""
    return reasons, why


def failure(stack: str, stdout: str, stderr: str, document: Mapping[str, Any]) -> EngineError:
    """Why the engine failed, and what to do next."""
    said = [message for _, message in errors_in(document)]
    text, why = f"{stdout}\n{stderr}", " / ".join(said) or _LEAD.sub("", meaningful(stdout, stderr), count=1)
    next_step = "Correct that, then run it again."
    if packs := sorted(set(_PACK.findall(text))):
        why = f"the backend enforces the policy pack {', '.join(packs)}: {why}"
        next_step = (
            "Set the pack's mandatory rules to advisory for this stack, or take the stack out of the pack's policy "
            "group, and run it again."
        )
    elif any(words in text for words in ("currently locked", "update is already in progress", "update in progress")):
        why = "another run has locked the stack, or one that was killed has left its lock"
        next_step = f"Wait for it; if no run is left, run: pulumi cancel --stack {stack}. Then run this again."
    return EngineError("cannot revoke", subject=f"stack {stack}", why=why, next_step=next_step)


def _options(excluded: Iterable[str]) -> list[str]:
    return [part for urn in sorted(excluded) for part in ("--exclude", urn)]


def fits(excluded: AbstractSet[str]) -> bool:
    """Whether a command line can name so many resources."""
    return sum(len(urn) + len("--exclude  ") for urn in excluded) < _LONGEST_LIST


def _diagnostics(stdout: str) -> tuple[dict[str, str], list[str]]:
    """What the engine says of each resource by its name, and the lines that are no errors."""
    reasons: dict[str, str] = {}
    said: list[str] = []
    name = ""
    for line in in_own_words(stdout).partition("Diagnostics:")[2].splitlines():
        if line.strip() in _ENDS:
            break
        if header := _HEADER.match(line):
            name = header.group(1)
        elif lead := _LEAD.match(line.strip()):
            message = line.strip()[lead.end() :]
            reasons[name] = f"{reasons[name]} / {message}" if name in reasons else message
        elif name in reasons and line.strip():
            reasons[name] = f"{reasons[name]} {line.strip()}"
        elif line.strip():
            said.append(line.strip())
    return reasons, said


def declaration_without(
    rows: Sequence[StateRow], taken: Sequence[Removal], facts: Mapping[str, Any], declaration: Declaration
) -> Declaration:
    """The declaration of everything that the state has below the component, without what is taken away."""
    live = [row for row in rows if not row.going and row.type in kinds.KINDS]
    by_urn = grouped((one.urn, one) for one in taken)
    kept = [row for row in live if not ends_with(row, by_urn.get(row.urn, ()))]
    going = {one.place for one in taken if not one.lowers}
    words = {id_: word for word, id_ in Made(rows).role_ids.items()}
    stay = {row.place[1] for row in singles(kept) if row.type == kinds.MEMBER_TYPE and row.place not in going}
    teams = sorted((row.key for row in kept if row.type == kinds.TEAM_TYPE), key=len)
    found: defaultdict[kinds.ResourceKind, dict[Any, Mapping[str, Any]]] = defaultdict(dict)
    for row in kept:
        kind, theirs = kinds.KINDS[row.type], by_urn.get(row.urn, ())
        if kind.parts:
            inputs: Mapping[str, Any] = _group_without(row, theirs, words, stay)
        else:
            inputs = with_words(next((one.inputs for one in theirs if one.inputs), row.inputs), words)
        found[kind][_key(row, teams)] = {name: value for name, value in inputs.items() if name not in kind.references}
    members, grants, places = found[kinds.MEMBER], found[kinds.PROJECT_GRANT], found[kinds.TEAM_MEMBER]
    together = next(iter(found[kinds.MEMBERS].values()), None)
    for one in part_properties(kinds.MEMBERS, together or {}):
        members.setdefault(same_key(one["email"]), one)
    for key, team in found[kinds.TEAM_MEMBERS].items():
        for one in part_properties(kinds.TEAM_MEMBERS, team):
            places.setdefault((key, same_key(one["email"])), one)
    for project, access in found[kinds.PROJECT_ACCESS].items():
        inside = set(map(same_key, access["grants"]))
        grants |= {(project, name): {} for name in members if same_key(name) in inside}
    return Declaration(
        members=members,
        grants=grants,
        people=_people(live, taken),
        facts={name: value for name, value in facts.items() if name not in ("people", "grants")},
        keys={project: declaration.keys.get(project, str(project)) for project, _ in grants},
        overlaps=(),
        accounts=found[kinds.SERVICE_ACCOUNT],
        account_grants=found[kinds.SERVICE_ACCOUNT_GRANT],
        project_access=found[kinds.PROJECT_ACCESS],
        grouped_members=together,
        grouped_teams=found[kinds.TEAM_MEMBERS],
        teams=found[kinds.TEAM],
        team_grants=found[kinds.TEAM_GRANT],
        team_members=places,
        custom_roles=found[kinds.CUSTOM_ROLE],
        security=next(iter(found[kinds.ORGANIZATION_SECURITY].values()), None),
    )


def _key(row: StateRow, teams: Sequence[str]) -> Any:
    """The key of a resource in its declaration; a team's key may have a colon in it."""
    kind = kinds.KINDS[row.type]
    if kind is kinds.PROJECT_ACCESS:
        return row.ref.project
    if kind is kinds.TEAM_MEMBER:
        team = next((key for key in reversed(teams) if row.key.startswith(f"{key}:")), "")
        return team, row.key.removeprefix(f"{team}:")
    if kind is kinds.PROJECT_GRANT or (kind.in_a_project and kind.references):
        holder = row.name.partition(":")[2]
        prefixes = [kinds.BY_NAME[other.kind].prefix for other in kind.references.values()]
        return row.ref.project, holder.removeprefix("".join(prefixes))
    return row.key


def ends_with(row: StateRow, taken: Sequence[Removal]) -> bool:
    """Whether nothing is left of a resource once this is taken away.

    A project of which the roster alone says the grants stays with nobody in it: to delete it is for `pulumi up`, once
    the roster no longer has the project so.
    """
    goes = {one.place for one in taken if one.urn == row.urn and not one.lowers}
    if not goes or is_whole(row):
        return row.place in goes
    return all(one.place in goes for one in row.parts or (row,))


def _group_without(
    row: StateRow, taken: Sequence[Removal], words: Mapping[str, str], stay: AbstractSet[str]
) -> dict[str, Any]:
    """The inputs of a group without the people who go, and with the roles that are lowered.

    A lost grant of somebody who stays is kept too, since it may have been given again by hand. Its role is not known
    and makes no difference: the run gives and raises nothing.
    """
    kind = kinds.KINDS[row.type]
    field = kind.parts.people if kind.parts else ""
    goes = {one.key for one in taken if not one.lowers}
    there = {key: one for one in row.parts if (key := one.place[1]) not in goes}
    if kind is kinds.PROJECT_ACCESS:
        there = {key: one for key, one in there.items() if one.outputs["role"] or key in stay}
    lower = {one.key: with_words(one.inputs, words) for one in taken if one.inputs is not None and one.key in there}
    if kind is kinds.PROJECT_ACCESS:
        given = {one.ref.email: {"role": one.outputs["role"] or roles.CONSUMER} for one in there.values()}
        people: Any = {
            email: with_words(lower.get(same_key(email), one), words)["role"] for email, one in given.items()
        }
    else:
        before = row.inputs.get(field) or ()
        people = [email for email in before if same_key(email) in there]
        if isinstance(before, Mapping):
            own = {key: _own(one) for key, one in lower.items()}
            people = {email: own.get(same_key(email), before[email]) for email in people}
    explained = {same_key(email) for reason in row.inputs.get("reasons") or () for email in reason.get("people") or ()}
    inputs = {**without(kind, row.inputs, (explained - there.keys()) | lower.keys()), field: people}
    if lower:
        theirs = shared_reasons({**one, "email": there[key].ref.email} for key, one in lower.items())
        inputs["reasons"] = [*inputs.get("reasons", ()), *theirs]
    return inputs


def _own(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """A person's own inputs in a group, without their reasons."""
    return {name: value for name, value in inputs.items() if name not in ("email", *REASON_FIELDS)}


def _people(rows: Sequence[StateRow], taken: Sequence[Removal]) -> list[DeclaredPerson]:
    """Everybody in the brake but those who leave the stack, with what they keep."""
    of_person: dict[str, list[Removal]] = {}
    for one in taken:
        of_person.setdefault(one.key, []).append(one)
    found: list[DeclaredPerson] = []
    for row in rows:
        for person in row.inputs.get("people") or () if row.type == kinds.BRAKE_TYPE else ():
            key = same_key(person["email"])
            theirs = of_person.get(key, ()) if key else ()
            if not any(one.type == kinds.MEMBER_TYPE and not one.lowers for one in theirs):
                known = _what_stays(person, theirs) if theirs else person
                found.append(DeclaredPerson(**known))  # type: ignore[typeddict-item]  # as the state has them
    return found


def _what_stays(person: Mapping[str, Any], taken: Sequence[Removal]) -> dict[str, Any]:
    """Somebody as the brake knows them, without what goes."""
    gone = [one for one in taken if not one.lowers]
    projects, teams = {one.project for one in gone}, {one.team for one in gone}
    known = {**person, "projects": [one for one in person.get("projects") or () if one not in projects]}
    if "teams" in known:
        known["teams"] = [team for team in known["teams"] if team not in teams]
        known = known if known["teams"] else _without(known, "teams")
    role = next((one.inputs.get("role", "") for one in taken if one.type == kinds.MEMBER_TYPE and one.inputs), None)
    return known if role is None else {**_without(known, "role"), **({"role": role} if role else {})}


def _without(inputs: Mapping[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in inputs.items() if name != field}
