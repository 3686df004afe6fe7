"""The build of the Pulumi engine from source, for a clone of this repository; no part of the package.

`python -m tools.engine` finds an engine as the package does, and builds one where the package finds none.
"""
