"""Results as rows of tables, curves, contact sheets and files."""
