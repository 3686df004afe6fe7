"""What lies on the disk beside the state: rosters, and what a command hands to a refresh."""
