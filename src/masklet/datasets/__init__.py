"""Checks, samples and augmentation of annotated data, and the procedural world."""
