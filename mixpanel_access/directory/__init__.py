"""The organization as one consistent picture, and the only way to change it. The only caller of `api/`."""
