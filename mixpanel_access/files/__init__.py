"""What lies on the disk beside the state: rosters."""
