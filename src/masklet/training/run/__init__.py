"""A run: its loop, devices, optimizer, state and records."""
