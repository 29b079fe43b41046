"""Small label maps of moving objects, made by a formula, and wrong predictions for them."""

import numpy as np

HEIGHT, WIDTH, FRAMES = 60, 80, 14


def disc(x, y, radius):
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius**2


def true_labels(frame):
    """Object 1 comes late, 2 moves and leaves, 3 stands still behind 2 and stays."""
    labels = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    labels[disc(40, 35, 11)] = 3
    labels[disc(12 + 7 * frame, 30, 9)] = 2
    if frame >= 5:
        labels[disc(70 - 3 * frame, 15, 7)] = 1
    return labels


def predicted_labels(frame):
    """Two frames late, object 3 a third too large; object 1 is seen once where it is not, and lost in the end."""
    labels = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    labels[disc(42, 36, 14.5)] = 3
    labels[disc(12 + 7 * max(0, frame - 2), 30, 9)] = 2
    if frame == 3 or 6 <= frame < 11:
        labels[disc(70 - 3 * (frame - 1), 16, 6)] = 1
    return labels
