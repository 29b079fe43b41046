"""Prompts as values: what a user may write as points, labels and boxes, and how it becomes rectangular tensors."""
