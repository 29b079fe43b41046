"""What the evaluation asks of anything that finds all objects of images or videos without a prompt."""

from collections.abc import Iterator
from typing import Protocol

from masklet.evaluation.vos.predictors import VideoFrames
from masklet.masks.segmentation import Segmentation
from masklet.media.images import Pixels


class AutomaticMaskPredictor(Protocol):
    """Finds the masks of one image after the other."""

    @property
    def name(self) -> str:
        """What the row of the results is called."""

    def segment(self, image: Pixels) -> Segmentation:
        """Return the masks found in `image` (RGB, uint8 [H, W, 3]), those first that are looked at first."""


class EverythingPredictor(Protocol):
    """Finds and tracks all objects of a video without a prompt."""

    @property
    def name(self) -> str:
        """What the row of the results is called."""

    def follow(self, frames: VideoFrames) -> Iterator[Segmentation]:
        """Yield what is found on each frame in turn; ids are the tracks, and scores rank them."""
