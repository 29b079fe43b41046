"""What the evaluation asks of anything that follows objects through a video."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from masklet.media.label_maps import LabelMap


class VideoFrames(Protocol):
    """The frames of a video, each read when it is asked for."""

    def __len__(self) -> int:
        """Return the number of frames."""

    def __getitem__(self, index: int) -> npt.NDArray[np.uint8]:
        """Return frame `index` as RGB, uint8 [H, W, 3]."""


class VideoPredictor(Protocol):
    """Follows objects through a video from their masks in its first frame (semi-supervised, in DAVIS' word)."""

    @property
    def name(self) -> str:
        """What the row of the results is called."""

    def track(self, frames: VideoFrames, first_labels: LabelMap) -> Iterator[LabelMap]:
        """Yield the object ids (uint8 [H, W]) of every frame in turn, the first one included.

        `first_labels` holds the ids of the objects in the first frame, 0 where there is none.
        """
