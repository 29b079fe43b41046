"""What was measured, as tables, curves, pictures and files."""
