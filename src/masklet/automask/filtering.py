"""Which candidates are stable: each on its own, at the size of the image."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from masklet.automask.enlarged import Columns, Enlargement, Runs
from masklet.automask.held_masks import HeldMasks
from masklet.automask.settings import AutomaticMaskSettings
from masklet.masks.counts import counts_of_runs
from masklet.masks.run_length import RunLength
from masklet.masks.views import View

Size = tuple[int, int]
PixelBox = tuple[int, int, int, int]


class Bounds(NamedTuple):
    """The pixels that are surely, and those that are perhaps in a mask: above, and down to the offset below."""

    surely: RunLength
    perhaps: RunLength


class Candidate(NamedTuple):
    """A mask that passed the filters of its own, held small: thousands of them wait for suppression.

    Attributes:
        mask: its number among the masks that are held.
        area: in pixels.
        box: (x1, y1, x2, y2), the first and the last column and row with a pixel of it; the view's corner if empty.
        score: predicted IoU.
        stability: 0..1; NaN of an empty mask.
        place: of its point in the grid.
        bounds: the numbers of `Bounds`, for a mask that is to be cleaned up, which changes its stability.
    """

    mask: int
    area: int
    box: PixelBox
    score: float
    stability: float
    place: int
    bounds: tuple[int, int] | None


class StabilityFilter:
    """Measures masks of a view at the size of the image, and keeps the stable ones.

    Args:
        settings: the thresholds.
        logits_size: (h, w) of the network's masks.
        view: the crop, or the whole image.
        size: (height, width) of the image.
        held: takes the masks that pass.
    """

    def __init__(
        self, settings: AutomaticMaskSettings, logits_size: Size, view: View, size: Size, held: HeldMasks
    ) -> None:
        self._settings = settings
        self._held = held
        self._enlargement = Enlargement(logits_size, view.size)
        self._view = view
        self._size = size

    def passed(self, logits_hw: npt.NDArray[np.float32], score: float, place: int) -> Candidate | None:
        """Return a mask of logits [h, w], its score, and its point's place in the grid; None if it is unstable."""
        settings = self._settings
        threshold, offset = settings.mask_threshold, settings.stability_score_offset
        columns = self._enlargement.columns_of(logits_hw, threshold - offset)
        stability = stability_of(*(_area(columns, threshold + each) for each in (offset, -offset)))
        if settings.stability_score_thresh > 0 and not stability >= np.float32(settings.stability_score_thresh):
            return None
        bounds = None
        if settings.min_mask_region_area > 0:
            surely, perhaps = (self._hold(_runs(columns, threshold + each)) for each in (offset, -offset))
            bounds = surely, perhaps
        runs = _runs(columns, threshold)
        return Candidate(self._hold(runs), runs.area, self._box(runs), score, float(stability), place, bounds)

    def _hold(self, runs: Runs) -> int:
        height, width = self._size
        starts, ends = (
            (runs.columns + self._view.left) * height + rows + self._view.top for rows in (runs.starts, runs.ends)
        )
        return self._held.add(counts_of_runs(starts, ends, height * width))

    def _box(self, runs: Runs) -> PixelBox:
        left, top = self._view.left, self._view.top
        x1, y1, x2, y2 = runs.box or (0, 0, 1, 1)
        return x1 + left, y1 + top, x2 - 1 + left, y2 - 1 + top


def stability_of(surely: int, perhaps: int) -> np.float32:
    """Return the stability of a mask by the areas of its bounds; NaN of an empty one."""
    return np.float32(surely) / np.float32(perhaps) if perhaps else np.float32(np.nan)


def _runs(columns: Columns | None, threshold: float) -> Runs:
    return Runs.none() if columns is None else columns.runs_above(threshold)


def _area(columns: Columns | None, threshold: float) -> int:
    return 0 if columns is None else columns.area_above(threshold)
