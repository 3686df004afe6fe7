"""The engine (3.259) in Python, for tests of our own commands: an update takes 0.2 s of a core in place of 0.9 s.

It is a `pulumi` like the real one, so that commands, providers and tests call it as ever. A test has it by the fixture
`python_engine` in place of `engine`; with `Workspace`, a life of many days is a loop:

    with workspace_on(demo_document(), python_engine, folder) as workspace:
        for day in days:
            workspace.clock(day)
            workspace.up()
            workspace.command("status", "--json")

What is real: the program, the SDK, its server of dynamic resources with its threads, the state's files. Each command is
a process that is forked with all imports done (`run`). It forks the program and the provider (`processes`), which call
the resource monitor and the engine through sockets (`transport`, `services`). What is done to the resources follows the
engine's source (`registration`, `deployment`, `execution`, `providers`), and so does what is written down (`snapshot`,
`backend`) and printed (`display`).

It carries out `up`, `preview`, `refresh` and `destroy` with the options in `command`. Whatever it does not know exactly
raises `Unknown`, and the real engine does it: secrets, policy packs, `--target`, a locked stack, aliases that clash,
hooks, transformations and so on. In the middle of an update, the state is written first, and the real engine goes on
from there. Set `WHY_HANDED_OVER` to a file's name to see why. On a machine without /proc, the real engine does it all.

`direct` and `in_process` do the same without any process, for a program that is one roster: in `tests/lives`, an update
of a hundred resources takes some hundredths of a second.

`tests/engine/test_python_engine.py` lives a life on both and compares all that comes of it. Tests of the engine's own
part (secrets, imports, killed runs, targets, policies, upgrades) stay on the real one.
"""
