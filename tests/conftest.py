"""For all tests: how long an example takes says something of the machine, and nothing of the promise."""

from hypothesis import settings

settings.register_profile("default", deadline=None)
settings.load_profile("default")
