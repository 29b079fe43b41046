"""Interactive video segmentation: objects tracked while a simulated user corrects them."""
