"""What the evaluation asks of anything that follows objects through a video."""

from collections.abc import Iterator, Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from masklet.masks.geometry import Mask

ObjectMasks = Mapping[int, Mask]
"""The masks (bool [H, W]) of the objects on one frame, by their ids; one that is left out is not visible."""


class VideoFrames(Protocol):
    """The frames of a video, each read when it is asked for."""

    def __len__(self) -> int:
        """Return the number of frames."""

    def __getitem__(self, index: int) -> npt.NDArray[np.uint8]:
        """Return frame `index` as RGB, uint8 [H, W, 3]."""


class VideoPredictor(Protocol):
    """Follows objects through a video from their masks where they first appear (semi-supervised, in DAVIS' word)."""

    @property
    def name(self) -> str:
        """What the row of the results is called."""

    def track(
        self, frames: VideoFrames, prompts: Mapping[int, ObjectMasks], *, may_overlap: bool
    ) -> Iterator[ObjectMasks]:
        """Yield the masks of every frame in turn, the first one included.

        Args:
            frames: the video.
            prompts: by frame, the masks of the objects that appear there; nothing is known of them before.
            may_overlap: whether a pixel can belong to several objects; otherwise the masks of a frame are disjoint,
                and so are those of `prompts`.
        """
