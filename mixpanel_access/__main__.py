"""`python -m mixpanel_access`: the command line."""

from mixpanel_access.cli import main

main()
