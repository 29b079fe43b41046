"""Annotated data in any layout, samples and augmentation of it, and the procedural world."""
