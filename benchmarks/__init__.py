"""Measurements of masklet beside the reference implementations; run from the repository root, see README.md."""
