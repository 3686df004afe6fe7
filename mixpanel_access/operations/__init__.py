"""What operators do around the grants: no printing, and no Pulumi engine but through `engine/`."""
