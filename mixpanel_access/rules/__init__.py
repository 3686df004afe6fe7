"""The rules of least privilege and separation, as pure functions over what a state holds.

One file a family. The pack in `policies/` hands them to the engine; the command line explains them.
"""
