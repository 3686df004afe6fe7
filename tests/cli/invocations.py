"""Each command with arguments that it takes, as it is run in an empty folder: it starts, and finds no project there."""

from __future__ import annotations

from typing import Final

EMAIL: Final = "robin@agency.example.org"
INVOCATIONS: Final[dict[str, tuple[str, ...]]] = {
    "new": ("access",),
    "roster": ("none.yaml",),
    "copy-rosters": ("0" * 40,),
    "schema": (),
    "invite": (EMAIL, "--no-ask"),
    "offboard": (EMAIL,),
    "ownership": (),
    "import": ("--stack", "production"),
    "release": ("--stack", "production", "--email", EMAIL),
    "revoke": ("--stack", "production"),
    "drift": ("--stack", "production"),
    "preflight": (),
    "doctor": (),
    "status": (),
    "resend": (EMAIL,),
    "token": ("etl",),
    "diagnose": (EMAIL,),
    "who": (EMAIL,),
    "welcome": (EMAIL,),
    "onboard": (EMAIL,),
    "remind": (),
    "post": ("none.txt", "--title", "Update of production"),
    "report": (),
    "review start": (),
    "review decide": (EMAIL, "keep"),
    "review status": (),
    "review apply": ("--stack", "production"),
    "review evidence": (),
    "review verify": (),
    "tracker update": (),
    "tracker export": (),
    "tracker verify": (),
    "tracker prune": ("--before", "2026-01-01"),
    "tracker merge": (),
    "evidence": ("--from", "2026-01-01", "--to", "2026-01-31"),
    "policy list": (),
    "policy explain": ("domain-allowed",),
    "policy reference": (),
    "policy findings": ("none.txt",),
    "policy pack": ("pack", "--wheel", "WHEEL"),
}
"""Command -> arguments; nobody waits for the start of `emulator` and `engine`."""
APART: Final = frozenset({"emulator", "engine"})
