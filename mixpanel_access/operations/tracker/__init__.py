"""The access log of `mixpanel-access tracker`."""
