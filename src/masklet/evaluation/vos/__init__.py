"""Video object segmentation: objects tracked from their first masks."""
