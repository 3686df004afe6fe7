"""The child process of the download: `python -m mixpanel_access.engine.fetch ROOT VERSION`.

The Pulumi SDK knows how to get a release. No other module of the engine imports it, as that takes a second.
"""
# ruff: noqa: T201 - the parent process reads what is printed

from __future__ import annotations

import socket
import subprocess
import sys

from pulumi.automation import PulumiCommand
from semver import VersionInfo


def main(arguments: list[str]) -> int:
    """Install the engine VERSION in ROOT/bin; on a failure, say why on stderr in one line."""
    root, version = arguments
    # The SDK opens the connection without a time-out: where packets are dropped it would wait for minutes.
    socket.setdefaulttimeout(30)
    try:
        PulumiCommand.install(root=root, version=VersionInfo.parse(version))
    except subprocess.CalledProcessError as error:
        output = error.output.decode("utf-8", errors="replace") if isinstance(error.output, bytes) else ""
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        print(" / ".join(lines[-3:]) or str(error), file=sys.stderr)
        return 1
    except Exception as error:  # noqa: BLE001 - whatever the SDK raises is the reason to tell
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
