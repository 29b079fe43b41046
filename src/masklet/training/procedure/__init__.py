"""Training steps on images and clips: prompt rounds, supervised outputs, losses."""
