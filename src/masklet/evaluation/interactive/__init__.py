"""Videos: objects followed while somebody corrects them."""
