"""Files besides the state: rosters, logs, checklists, and notes of a command for a refresh."""
