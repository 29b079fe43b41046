"""Automatic masks of images and everything in videos, against all that is annotated."""
