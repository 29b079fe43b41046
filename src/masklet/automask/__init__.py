"""Automatic masks: all objects of an image, and of a video."""
