"""A local Mixpanel, written from docs/contract.md and without our client.

README.md in this folder says what it does where the contract leaves something open.
"""
