"""Access to a Mixpanel organization as code."""

__version__ = "0.2.0"
