"""For all tests: how long an example takes says something of the machine, and nothing of the promise."""

from hypothesis import settings

if settings.get_current_profile_name() == "default":  # hypothesis has a profile of its own for CI, without a deadline
    settings.register_profile("default", deadline=None)
    settings.load_profile("default")
