"""Mixpanel over HTTP: one file an endpoint family, wire models, errors and retry.

`Api` (in `client.py`) is the whole surface; only `directory/` calls it.
"""
