"""The masks of two objects on the frames of a small video, as tracking records them."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from masklet.masks.geometry import Mask
from masklet.masks.segmentation import Segmentation
from masklet.media.recorded_masks import RecordedMasks

HEIGHT, WIDTH, FRAME_COUNT = 48, 64, 6
LATER_IS_SEEN_ON = (2, 3, 5)


def masks_on(frame: int) -> dict[int, Mask]:
    """Object 3, a block that moves right, and object 8, which is seen on some frames only; they overlap."""
    masks = {each: np.zeros((HEIGHT, WIDTH), dtype=bool) for each in (3, 8)}
    masks[3][10:30, 4 * frame : 4 * frame + 20] = True
    masks[8][25:40, 10 : 20 + 4 * frame] = frame in LATER_IS_SEEN_ON
    return masks


def record(recorded: RecordedMasks, frames: Iterable[int] = range(FRAME_COUNT)) -> RecordedMasks:
    """Record both objects with the scores .5 and .75, and object 9 that is never seen; object 8 from frame 2 on."""
    nothing = np.zeros((HEIGHT, WIDTH), dtype=bool)
    for frame in frames:
        masks = masks_on(frame)
        shown = [masks[3], masks[8], nothing] if frame >= LATER_IS_SEEN_ON[0] else [masks[3]]
        scores = np.array([0.5, 0.75, 0.0])[: len(shown)]
        recorded.record(frame, Segmentation(np.stack(shown), scores, (3, 8, 9)[: len(shown)]))
    return recorded


def write_frames(folder: Path, count: int = FRAME_COUNT) -> Path:
    """Write frames as large as the masks, 00000.jpg and so on."""
    folder.mkdir()
    for frame in range(count):
        Image.new("RGB", (WIDTH, HEIGHT), (20 * frame, 0, 0)).save(folder / f"{frame:05}.jpg")
    return folder
