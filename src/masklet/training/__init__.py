"""Training: a recipe is a Python function that returns a typed configuration; the trainer runs it."""
