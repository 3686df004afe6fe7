"""`python -m mixpanel_access.emulator`: the command `mixpanel-access emulator` under another name."""

import sys

from mixpanel_access.cli import main

sys.argv.insert(1, "emulator")
main()
