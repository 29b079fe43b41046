"""Pixels to and from files."""
