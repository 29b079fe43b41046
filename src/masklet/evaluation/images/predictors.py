"""What the evaluation asks of anything that segments images, and the model behind that interface."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from masklet.masks.geometry import Mask
from masklet.predictors.image_segmenter import EncodedImage, ImageSegmenter
from masklet.prompts.simulated_annotator import Click


class ImagePredictor(Protocol):
    """Segments one image after the other by clicks or boxes."""

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


class ImageModelPredictor:
    """Evaluate `segmenter` in its interactive use: the best of three masks for a single click, otherwise its one mask.

    Further clicks go in with all clicks before them and the low-resolution logits of the previous prediction.
    """

    def __init__(self, segmenter: ImageSegmenter, name: str = "masklet") -> None:
        self.name = name
        self._segmenter = segmenter
        self._encoded: EncodedImage
        self._previous_logits: npt.NDArray[np.floating] | None = None

    @property
    def fingerprint(self) -> str:
        """A hash of the weights, and the kind of segmenter where it is not the plain one."""
        weights, kind = self._segmenter.runtime.fingerprint, type(self._segmenter)
        return weights if kind is ImageSegmenter else f"{weights} {kind.__name__}"

    def open(self, image: npt.NDArray[np.uint8]) -> None:
        """Encode `image` (RGB, uint8 [H, W, 3])."""
        self._encoded = self._segmenter.encode(image)
        self._previous_logits = None

    def predict(
        self,
        *,
        clicks: Sequence[Sequence[Click]] | None = None,
        boxes: npt.NDArray[np.floating] | None = None,
        use_previous: bool = False,
    ) -> Mask:
        """Return the masks (bool [N, H, W]) for `clicks` or `boxes` (float [N, 4], pixels) of N objects."""
        points = labels = None
        if clicks is not None:
            points = [np.array([(click.x, click.y) for click in each], dtype=np.float32) for each in clicks]
            labels = [np.array([click.label for click in each], dtype=np.int64) for each in clicks]
        segmentation = self._segmenter.segment(
            self._encoded,
            points=points,
            labels=labels,
            boxes=boxes,
            masks=self._previous_logits if use_previous else None,
        )
        self._previous_logits = segmentation.low_resolution_logits
        return segmentation.masks
