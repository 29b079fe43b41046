"""Boxes of the objects of a video as text in the layout of the MOT Challenge."""

import os

from masklet.atomic_files import written_whole
from masklet.media.mask_files import annotations_of
from masklet.media.recorded_masks import RecordedMasks


def write_mot_text(path: str | os.PathLike[str], recorded: RecordedMasks) -> None:
    """Write one line for each object on each frame that shows it: `frame,id,left,top,width,height,score,-1,-1,-1`.

    Frames and pixels count from 1, as in the MOT Challenge: the upper left pixel is (1, 1). Boxes are the tight ones of
    the masks, and the score is the predicted IoU. One frame is in memory at a time.
    """
    with written_whole(path) as unfinished, unfinished.open("w", encoding="ascii") as file:
        for frame in recorded:
            for each in annotations_of(recorded[frame]):
                left, top, width, height = map(int, each["bbox"])
                if each["area"]:
                    box = f"{left + 1},{top + 1},{width},{height}"
                    file.write(f"{frame + 1},{each['id']},{box},{each['predicted_iou']:.4f},-1,-1,-1\n")
