"""Serves the resources of this project to the engine, in place of the SDK's own server."""

from mixpanel_access.server import main

main()
