"""The access report: everybody with their projects, sources of access and risk, as JSON and as a page."""
