"""Masks as values: components, overlaps, agreement. Pure functions on arrays; no network and no files."""
