"""What is left to the real engine."""

from __future__ import annotations


class Unknown(Exception):
    """Only the real engine knows how this goes; the text says what "this" is."""
