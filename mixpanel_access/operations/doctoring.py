"""What `doctor` reads: this machine and its project, then each organization, and the verdict on all of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from mixpanel_access import __version__
from mixpanel_access.directory.probe import Finding, Probe, healthy, other_regions, probes
from mixpanel_access.files.roster import read_roster
from mixpanel_access.files.whole import reason
from mixpanel_access.model.errors import AccessError, RosterError, UsageError
from mixpanel_access.model.roster.yaml_text import BadYaml, load
from mixpanel_access.model.settings import Settings
from mixpanel_access.model.similarity import counted, in_words
from mixpanel_access.model.verdict import Sign, Symptom, Verdict, symptoms_of, verdict_of
from mixpanel_access.operations.project import Progress, PulumiProject, open_project, project_folder, stacks_of

MOST_SECONDS: Final = 300
"""By how much the clock of this machine may differ from Mixpanel's."""


@dataclass(frozen=True)
class OrganizationProbes:
    """What one organization answered.

    Attributes:
        host: the host of its API.
        stacks: the stacks whose configuration names it.
        probes: the calls that were tried.
    """

    host: str
    stacks: Sequence[str]
    probes: Sequence[Probe]


@dataclass
class Examination:
    """What `doctor` has found.

    Attributes:
        machine: what was read of this machine and the project's files.
        organizations: what each organization answered.
        error: what ended it early.
        proxy: whether the environment names a proxy.
    """

    machine: list[Probe] = field(default_factory=list)
    organizations: list[OrganizationProbes] = field(default_factory=list)
    error: AccessError | None = None
    proxy: bool = False

    @property
    def healthy(self) -> bool:
        """Whether all that the product needs is there."""
        return not self.error and all(map(healthy, (self.machine, *(one.probes for one in self.organizations))))

    def verdict(self) -> Verdict:
        """What is most likely wrong, of the first organization with a problem."""
        first = next((one for one in self.organizations if not healthy(one.probes)), None)
        found = [*self.machine, *(first.probes if first else ())]
        symptoms = [
            Symptom(probe.sign, probe.came, probe.next_step)
            for probe in found
            if probe.sign and (probe.problem or probe.sign is Sign.KNOWN_ELSEWHERE)
        ]
        symptoms += [Symptom(Sign.PROXY_SET)] * self.proxy
        stacks = first.stacks if first else ()
        return verdict_of(symptoms, next(iter(stacks), ""), "nothing is wrong that this command can see")


def examine(folder: Path, stacks: Sequence[str], now: datetime | None, say: Progress) -> Examination:
    """Read all of it; what cannot be read ends it, and is an error of the result."""
    from mixpanel_access.api.network import proxies_set

    found = Examination(proxy=bool(proxies_set()))
    try:
        _read(folder, stacks, now, say, found)
    except AccessError as error:
        found.error = error
        for symptom in symptoms_of(error):  # in our words, since those of the engine may name anything
            found.machine.append(_bad("what stops the rest", symptom.sign.value, symptom.sign, symptom.next_step))
    return found


def _read(folder: Path, stacks: Sequence[str], now: datetime | None, say: Progress, found: Examination) -> None:
    found.machine += _packages(project_folder(folder))
    project = open_project(folder, say)
    found.machine.append(_good("engine", f"Pulumi {project.pulumi.engine.version}"))
    names = stacks_of(project, stacks)
    found.machine.append(_good("stacks", in_words(names)))
    patients: dict[tuple[object, ...], tuple[Settings, list[str]]] = {}
    for name in names:
        found.machine += _files(project, name)
    for name in names:
        settings = project.settings(name)
        who = (settings.username, settings.scim_token)
        same = (settings.api_url, settings.organization_id, *who, settings.allow_undocumented)
        patients.setdefault(same, (settings, []))[1].append(name)
    for settings, own in patients.values():
        tried, ahead = _asked(settings, now)
        steps = [one.next_step.replace("{stack}", f" --stack {own[0]}") for one in tried]
        named = [replace(one, next_step=step) for one, step in zip(tried, steps, strict=True)]
        found.organizations.append(OrganizationProbes(settings.api_url, own, named))
        found.machine += clock(ahead) if len(found.organizations) == 1 else ()


def _asked(settings: Settings, now: datetime | None) -> tuple[list[Probe], float | None]:
    """What an organization answers, and by how much its clock is ahead."""
    from mixpanel_access.api.client import Api

    api = Api.connect(settings)
    organization, allowed = settings.organization_id, settings.allow_undocumented
    try:
        elsewhere = partial(other_regions, settings)
        return probes(api, organization, allowed, now or settings.clock(), elsewhere), api.ahead
    finally:
        api.close()


def _good(call: str, came: str) -> Probe:
    return Probe(call, "", came, Finding.OK)


def _bad(call: str, came: str, sign: Sign, next_step: str) -> Probe:
    return Probe(call, "", came, Finding.FAILED, sign=sign, next_step=next_step)


def _packages(project: Path) -> Iterator[Probe]:
    """Whether the Python that runs the project's program has this version of the package, and the SDK."""
    folder = _virtualenv(project)
    if folder is None:
        own = find_spec("pulumi") is not None
        step = f"run pip install 'mixpanel-access=={__version__}' again, in the virtualenv of the project"
        yield _good("packages", "complete") if own else _bad("packages", "pulumi is missing", Sign.PACKAGES, step)
        return
    where = sorted(folder.glob("lib/python3*/site-packages")) or [folder / "Lib" / "site-packages"]
    versions = [one.version for one in distributions(name="mixpanel-access", path=list(map(str, where)))]
    if not (folder / "bin" / "python").exists() and not (folder / "Scripts" / "python.exe").exists():
        came = f"the virtualenv {folder.name} of Pulumi.yaml has no Python"
        yield _bad("packages", came, Sign.PACKAGES, "run `pulumi install` in the project's folder")
    elif __version__ not in versions:
        came = f"the virtualenv {folder.name} of Pulumi.yaml has mixpanel-access {in_words(versions) or 'not at all'}"
        step = f"install mixpanel-access {__version__} into it, the version of this command"
        yield _bad("packages", came, Sign.PACKAGES, step)
    else:
        yield _good("packages", f"complete, in the virtualenv {folder.name} of Pulumi.yaml")


def _virtualenv(project: Path) -> Path | None:
    """The virtualenv that Pulumi.yaml names, or None."""
    file = project / "Pulumi.yaml"
    try:
        document: Any = load(file.read_text(encoding="utf-8"))
        options: Any = document["runtime"]["options"]
        named = options["virtualenv"]
    except (OSError, UnicodeDecodeError, BadYaml) as error:
        raise UsageError("cannot read the project", subject=str(file), why=reason(error), next_step="Fix it.") from None
    except (TypeError, LookupError):
        return None
    return project / str(named) if named else None


def _files(project: PulumiProject, stack: str) -> Iterator[Probe]:
    """Whether the stack's roster and the configuration of its policies can be used; both may be absent."""
    from mixpanel_access.operations.policy_check import policy_config_file, read_policy_config  # all rules come along

    roster = project.roster(stack)
    if roster.is_file():
        try:
            read_roster(roster)
        except RosterError:
            shown = (
                roster.relative_to(project.pulumi.project) if roster.is_relative_to(project.pulumi.project) else roster
            )
            step = f"`mixpanel-access roster {shown}` shows each mistake with its line"
            yield _bad("roster", f"{roster.name} cannot be used", Sign.ROSTER, step)
        else:
            yield _good("roster", roster.name)
    config = policy_config_file(project.pulumi.project, roster)
    try:
        read_policy_config(config)
    except UsageError:
        step = f"correct policies/config/{config.name}; `mixpanel-access policy list` shows the rules"
        yield _bad("policy pack", f"{config.name} cannot be used", Sign.POLICIES, step)
    else:
        yield _good("policy pack", config.name if config.is_file() else f"no {config.name}: every rule is as it comes")


def clock(ahead: float | None) -> Iterator[Probe]:
    """Whether the clock of this machine is right, by how many seconds Mixpanel's is ahead, if it has said the time."""
    if ahead is None:
        return
    seconds = counted(round(abs(ahead)), "second")
    came = f"it is {seconds} {'behind' if ahead > 0 else 'ahead of'} Mixpanel's"
    yield _good("clock", came) if abs(ahead) <= MOST_SECONDS else _bad("clock", came, Sign.CLOCK, "")
