"""What a studio gives: a picture, and the things and parts of things in it."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

SMALLEST_THING, SMALLEST_PART = 60, 150  # pixels
LARGEST_THING = 0.8  # of the picture
WITH_PARTS = 4000  # pixels of a thing from which its parts are objects, too
MOST_PARTS = 10


@dataclass(frozen=True)
class Photograph:
    """`picture` uint8 [height, width, 3]; `numbers` and `parts` uint8 [height, width]: whose each pixel is, and which
    part (from 1) of it. Number 0 belongs to nobody."""

    picture: np.ndarray
    numbers: np.ndarray
    parts: np.ndarray

    @property
    def is_worth_keeping(self) -> bool:
        """Whether several things are seen, or one large thing, and none hides the others."""
        shares = np.bincount(self.numbers.ravel(), minlength=2)[1:] / self.numbers.size
        largest = shares.max()
        return bool((largest < 0.45 and (shares > 0.0004).sum() >= 4) or 0.15 < largest < LARGEST_THING)

    def masks(self) -> Iterator[np.ndarray]:
        """Every thing that is seen, bool [height, width]; after a large one, each piece of one material of it."""
        for number in np.unique(self.numbers[self.numbers > 0]):
            mask = self.numbers == number
            if SMALLEST_THING <= mask.sum() <= LARGEST_THING * mask.size:
                yield mask
                if mask.sum() >= WITH_PARTS:
                    yield from self._parts_of(mask)

    def _parts_of(self, mask: np.ndarray) -> list[np.ndarray]:
        """The largest pieces, neither specks nor nearly everything."""
        whole, found = mask.sum(), []
        least, most = max(SMALLEST_PART, 0.015 * whole), 0.8 * whole
        for part in np.unique(self.parts[mask]):
            piece = (mask & (self.parts == part)).astype(np.uint8)
            count, labels, statistics, _ = cv2.connectedComponentsWithStats(piece)
            areas = statistics[:, cv2.CC_STAT_AREA]
            found += [(areas[each], labels == each) for each in range(1, count) if least <= areas[each] <= most]
        return [each for _, each in sorted(found, key=lambda pair: -pair[0])[:MOST_PARTS]]
