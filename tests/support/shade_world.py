"""A world of squares, each of a shade of its own, for a runtime that knows objects by it."""

from collections.abc import Mapping, Sequence

import numpy as np
from tests.support.shade_runtime import CELL, SIZE, ShadeRuntime

from masklet import EncodedImage, Sam2Processor, Segmentation, VideoTracker

Place = tuple[int, int] | None  # of a square's first column and row, in pixels; None: it is not there


class ShadeFinder:
    """Finds every square of a frame that is not known altogether; `searched` are the frames' numbers of squares."""

    def __init__(self) -> None:
        self.searched: list[list[int]] = []

    def generate_encoded(self, encoded: EncodedImage, *, known: Segmentation | None = None) -> Segmentation:
        shades = (encoded.embeddings.stride4[0, 0] * 1000).round().long().numpy()
        ground = np.bincount(shades.ravel() - shades.min()).argmax() + shades.min()
        covered = np.zeros((SIZE, SIZE), bool) if known is None else known.masks.any(axis=0)
        masks = []
        for shade in np.unique(shades[shades != ground]).tolist():
            mask = np.kron(shades == shade, np.ones((CELL, CELL), bool))
            if (mask & ~covered).any():
                masks.append(mask)
        self.searched.append([int(np.count_nonzero(mask)) for mask in masks])
        found = np.array(masks, bool).reshape(-1, SIZE, SIZE)
        return Segmentation(found, np.linspace(0.9, 0.8, len(found)), range(1, len(found) + 1))


def shade_tracker(sharpness: float = 100) -> VideoTracker:
    """A tracker of this world."""
    return VideoTracker(ShadeRuntime(sharpness), Sam2Processor(size=SIZE))


def world(
    squares: Mapping[int, Sequence[Place]], *, side: int = 16, ground: Sequence[int] | int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return frames uint8 [T, SIZE, SIZE, 3] and masks bool [T, squares, SIZE, SIZE] of squares by their shade.

    Later squares hide earlier ones; `ground` is the shade behind them, of each frame or of all.
    """
    count = max(map(len, squares.values()), default=len(ground) if isinstance(ground, Sequence) else 1)
    frames = np.zeros((count, SIZE, SIZE, 3), np.uint8)
    masks = np.zeros((count, len(squares), SIZE, SIZE), bool)
    for number in range(count):
        frames[number] = ground if isinstance(ground, int) else ground[number]
        for row, (shade, places) in enumerate(squares.items()):
            if (place := places[number]) is not None:
                x, y = place
                frames[number, y : y + side, x : x + side] = shade
                masks[number, :, y : y + side, x : x + side] = False
                masks[number, row, y : y + side, x : x + side] = True
    return frames, masks
