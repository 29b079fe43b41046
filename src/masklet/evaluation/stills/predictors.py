"""What the evaluation asks of anything that segments."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from masklet.masks.geometry import Mask
from masklet.prompts.simulated_clicks import Click


class StillPredictor(Protocol):
    """Segments one picture after the other by clicks or boxes."""

    @property
    def name(self) -> str:
        """What the row of the results is called."""

    def open(self, image: npt.NDArray[np.uint8]) -> None:
        """Take `image` (RGB, uint8 [H, W, 3]); the predictions that follow are for it."""

    def predict(
        self,
        *,
        clicks: Sequence[Sequence[Click]] | None = None,
        boxes: npt.NDArray[np.floating] | None = None,
        use_previous: bool = False,
    ) -> Mask:
        """Return the masks (bool [N, H, W]) of N objects, prompted either by clicks or by boxes.

        Args:
            clicks: for each object all its clicks so far, the first one first.
            boxes: float [N, 4], (x1, y1, x2, y2) in pixels.
            use_previous: these are the objects of the call before, which got further clicks: the previous prediction
                of each may be used as a prompt too.
        """
