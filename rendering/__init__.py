"""Annotated pictures of 3D models, which the model in the package learns from; see README.md."""
