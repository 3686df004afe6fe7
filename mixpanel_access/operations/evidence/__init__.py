"""One document for an auditor: who had what in a period, every change in it, and what could not be known."""
