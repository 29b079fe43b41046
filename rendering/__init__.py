"""Annotated images of 3D models, which the bundled model was trained on; see README.md."""
