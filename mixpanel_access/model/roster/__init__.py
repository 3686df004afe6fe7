"""The roster: its schema, how a file is read and edited, and what is wrong with one."""
