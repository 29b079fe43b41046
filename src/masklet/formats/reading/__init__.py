"""Annotated images and videos from files: one reader a layout, all of which give the same values."""
