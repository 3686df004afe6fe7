"""Bring what an organization has under a stack: roster, state, and the proof that nothing changes."""
