"""Tests of the set-up and the running of the Pulumi engine."""
