"""Clips of squares."""

import numpy as np

from masklet.datasets.scenes import Clip


def clip_of(*sides: int, frames: int = 3) -> Clip:
    """Squares of these sides, one below the other, which leave to the right, a quarter of the image a frame."""
    masks = np.zeros((frames, len(sides), 64, 64), bool)
    for frame in range(frames):
        top = 0
        for number, side in enumerate(sides):
            masks[frame, number, top : top + side, 16 * frame + 8 : 16 * frame + 8 + side] = True
            top += side
    colours = np.random.default_rng(0).integers(80, 256, (len(sides), 3))
    images = (masks.transpose(0, 2, 3, 1) @ colours).astype(np.uint8)
    return Clip(images, masks, "squares")
