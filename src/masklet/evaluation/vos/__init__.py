"""Videos: objects followed from their first mask."""
