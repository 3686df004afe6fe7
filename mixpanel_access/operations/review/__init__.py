"""The access review: packets to decide in, decisions applied to the rosters, evidence of both."""
