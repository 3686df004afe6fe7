"""The whole loop on the real engine: invite, accept, drift, repair, take one grant away, destroy.

Each command is printed before it runs. Every step is checked; the first that does not hold ends the demo with 1.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Final

from rich.console import Console

from demo.sandbox import Emulator, emulator_process, pulumi_project
from mixpanel_access.engine import Completed, Pulumi, ensure_engine
from mixpanel_access.model.errors import AccessError

ROBIN: Final = "robin@agency.example.org"
GRANTS: Final = {
    "production": {1234567: "analyst", 1234568: "consumer"},
    "staging": {2345678: "admin", 2345679: "admin"},
}
"""What the rosters in stacks/ declare for Robin: stack -> project -> role."""
DROPPED: Final = {"production": ("warehouse: consumer", 1234568), "staging": ("sandbox: admin", 2345679)}
"""The roster line that the demo deletes, and its project."""

console = Console(highlight=False, soft_wrap=True)


class DoesNotHold(Exception):  # it is what was found
    """A step of the demo did not do what it should."""


class Demo:
    """One run of the demo."""

    def __init__(self, pulumi: Pulumi, emulator: Emulator) -> None:
        self.pulumi = pulumi
        self.emulator = emulator
        self.proved: list[str] = []
        self.members_before = len(self.people())

    def run(self) -> None:
        """All steps, for both stacks."""
        for stack in GRANTS:
            self.title(f"{stack}: give access")
            self.give(stack)
        self.title(f"{ROBIN} accepts the invitation")
        self.accept()
        for stack in GRANTS:
            self.title(f"{stack}: a role is changed behind our back")
            self.drift(stack)
            self.title(f"{stack}: one grant is taken away")
            self.take_one_away(stack)
        self.title("the end of the engagement")
        self.leave()

    def give(self, stack: str) -> None:
        """Preview, up, preview again."""
        self.command("stack", "init", stack)
        planned = self.command("preview", "--stack", stack)
        self.holds(
            "+ 6 to create" in planned.stdout,
            f"{stack}: the preview plans the stack, its component, its brake, 1 member and 2 grants",
        )
        self.command("up", "--yes", "--skip-preview", "--stack", stack)
        self.holds(
            self.grants(stack) == GRANTS[stack], f"{stack}: Robin has the declared roles: {_roles(GRANTS[stack])}"
        )
        self.command("preview", "--expect-no-changes", "--stack", stack)
        self.proved.append(f"{stack}: after up, preview plans no change, the invitation being pending")

    def accept(self) -> None:
        """The invited person accepts; nobody is invited twice."""
        mails = [mail for mail in self.emulator.control("GET", "mails") if mail["email"] == ROBIN]
        self.holds(len(mails) == 1, "two stacks, one invitation e-mail")
        console.print("  (in a browser, Robin follows the link)")
        self.emulator.control("POST", "invitations/accept", {"email": ROBIN})
        for stack in GRANTS:
            self.holds(self.status(stack) == "pending", f"{stack}: the state has the invitation as pending")
            self.command("refresh", "--yes", "--skip-preview", "--expect-no-changes", "--stack", stack)
            self.holds(self.status(stack) == "accepted", f"{stack}: refresh finds it accepted, which is no drift")

    def drift(self, stack: str) -> None:
        """Somebody changes a role in the product: refresh shows it, up repairs it."""
        project, declared = next(iter(GRANTS[stack].items()))
        changed = "consumer" if declared != "consumer" else "admin"
        console.print(f"  (in the product, somebody makes Robin {changed} in project {project})")
        self.emulator.control("POST", "grants", {"project": project, "email": ROBIN, "role": changed})
        refreshed = self.command("refresh", "--yes", "--skip-preview", "--diff", "--stack", stack)
        shown = re.search(rf'role\s*:\s*"{declared}" => "{changed}"', refreshed.stdout)
        self.holds(shown is not None, f"{stack}: refresh shows the drift from {declared} to {changed}")
        self.command("up", "--yes", "--skip-preview", "--stack", stack)
        self.holds(self.grants(stack) == GRANTS[stack], f"{stack}: up puts {declared} back")

    def take_one_away(self, stack: str) -> None:
        """One line leaves the roster: that grant goes, the person stays."""
        line, project = DROPPED[stack]
        roster = self.pulumi.project / "stacks" / f"{stack}.yaml"
        text = roster.read_text()
        if text.count(f"      {line}\n") != 1:
            raise DoesNotHold(f"stacks/{roster.name} has no line '{line}' any more: the demo is about another roster")
        console.print(f"  (in stacks/{roster.name}, the line '{line}' is deleted)")
        roster.write_text(text.replace(f"      {line}\n", ""))
        self.command("up", "--yes", "--skip-preview", "--stack", stack)
        left = {other: role for other, role in GRANTS[stack].items() if other != project}
        self.holds(self.grants(stack) == left, f"{stack}: that grant is gone, the other is left")
        self.holds(self.is_in(), f"{stack}: Robin is still in the organization")

    def leave(self) -> None:
        """Destroy one stack and the person stays for the other; destroy both and they leave."""
        first, last = GRANTS
        destroyed = self.command("destroy", "--yes", "--skip-preview", "--stack", first)
        self.holds(not self.grants(first), f"{first}: destroy takes Robin's grants away")
        self.holds(self.is_in(), f"{first}: Robin stays, since {last} still gives access")
        self.holds(f"{ROBIN} stays in the organization" in destroyed.stdout, f"{first}: and the operation says so")
        self.command("destroy", "--yes", "--skip-preview", "--stack", last)
        self.holds(not self.is_in(), f"{last}: with the last grant gone, Robin leaves the organization")
        self.holds(len(self.people()) == self.members_before, "everybody else is where they were")

    # Helpers

    def title(self, text: str) -> None:
        """Announce a part."""
        console.print(f"\n[bold]{text}[/bold]")

    def command(self, *args: str) -> Completed:
        """Print a command, run it, and show what it prints.

        Raises:
            DoesNotHold: it fails.
        """
        console.print(f"[cyan]$ pulumi {' '.join(args)}[/cyan]")
        result = self.pulumi.run(*args, check=False, timeout=120, on_line=self.show)
        if result.returncode != 0:
            raise DoesNotHold(f"`pulumi {' '.join(args)}` ends with {result.returncode}")
        return result

    def show(self, line: str) -> None:
        """Show a line of the engine's, apart from its dots and blanks."""
        if line.strip() and not line.startswith("@ "):
            console.print(f"  {line.rstrip()}", markup=False, style="dim")

    def holds(self, fact: bool, claim: str) -> None:
        """Check a claim.

        Raises:
            DoesNotHold: it is not so.
        """
        if not fact:
            raise DoesNotHold(f"this does not hold: {claim}")
        console.print(f"  [green]✓[/green] {claim}")
        self.proved.append(claim)

    def status(self, stack: str) -> str:
        """The state's word on Robin's invitation."""
        state = json.loads(self.pulumi.run("stack", "export", "--stack", stack).stdout)
        resources = state["deployment"]["resources"]
        return next(str(r["outputs"]["status"]) for r in resources if r["type"].endswith(":Member"))

    def people(self) -> dict[str, object]:
        """Who is in the organization, by address."""
        return {row["email"]: row for row in self.emulator.control("GET", "dump")["members"]}

    def is_in(self) -> bool:
        """Whether Robin is in the organization."""
        return ROBIN in self.people()

    def grants(self, stack: str) -> dict[int, str]:
        """Robin's individual grants in a stack's projects, as the emulator has them."""
        dump = self.emulator.control("GET", "dump")
        return {
            grant["project"]: grant["role"]
            for grant in dump["grants"]
            if grant["email"] == ROBIN and grant["project"] in GRANTS[stack]
        }


def main() -> int:
    """Run the demo; the exit code is 0 when every step holds."""
    begun = time.monotonic()
    try:
        with ExitStack() as stack:
            engine = ensure_engine(lambda line: console.print(line, markup=False))
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mixpanel-access-demo-")))
            console.print("[cyan]$ mixpanel-access emulator --demo[/cyan]")
            emulator = stack.enter_context(emulator_process("--demo"))
            console.print(f"  listening on {emulator.url}")
            console.print("[cyan]$ pulumi login file://… (a temporary folder)[/cyan]")
            demo = Demo(pulumi_project(engine, folder, emulator, os.environ), emulator)
            demo.run()
    except DoesNotHold as finding:
        console.print(f"\n[red]✗ {finding}[/red]")
        return 1
    except AccessError as error:
        console.print(f"\n[red]error:[/red] {error}", markup=True)
        return error.exit_code
    except KeyboardInterrupt:
        console.print("\nstopped; everything that was started is stopped too")
        return 130
    console.print(f"\n[bold]Proved in {time.monotonic() - begun:.0f} s, on the real engine:[/bold]")
    for claim in demo.proved:
        console.print(f"  [green]✓[/green] {claim}")
    return 0


def _roles(grants: dict[int, str]) -> str:
    return ", ".join(f"{role} in {project}" for project, role in grants.items())


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)  # a stopped demo stops what it started
    sys.exit(main())
