"""Changes of access that are pending: what the next `pulumi up` changes now, and what it will change on later days."""
