"""A contact sheet of the worst results: image, ground truth and prediction side by side."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from masklet.errors import InvalidInputError
from masklet.evaluation.measured_item import ALL_OBJECTS, MeasuredItem, WorstFrame
from masklet.masks.geometry import Mask
from masklet.masks.run_length import decode_run_length
from masklet.masks.segmentation import Segmentation
from masklet.media.images import Pixels
from masklet.media.overlays import draw_overlay

MOST_ROWS = 12
IMAGE_WIDTH, CAPTION_HEIGHT, GAP = 360, 24, 4


class AnnotatedFrames(Protocol):
    """Frames of the measured items, with their ground truth."""

    def frame_and_mask(self, name: str, frame: int, object_id: int) -> tuple[Pixels, Mask]:
        """Return a frame (uint8 [H, W, 3]) and the object's ground truth on it, bool [H, W].

        For `ALL_OBJECTS` that of all objects, bool [N, H, W].
        """


def draw_worst_frames(data: AnnotatedFrames, items: Sequence[MeasuredItem]) -> Image.Image:
    """Return the twelve frames with the lowest scores, the worst on top, each as one row with its score in percent.

    InvalidInputError if no item has any; errors of reading images as `data.frame_and_mask` raises them.
    """
    frames = [(item, each) for item in items for each in item.worst]
    if not frames:
        raise InvalidInputError("No frame was measured, so that there is none to show.")
    frames.sort(key=lambda pair: pair[1].score)
    rows = [_row(data, item, each) for item, each in frames[:MOST_ROWS]]
    height = sum(row.height + GAP for row in rows) - GAP
    sheet = Image.new("RGB", (rows[0].width, height), "white")
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height + GAP
    return sheet


def _row(data: AnnotatedFrames, item: MeasuredItem, worst: WorstFrame) -> Image.Image:
    pixels, target = data.frame_and_mask(item.name, worst.frame, worst.object_id)
    height = round(pixels.shape[0] * IMAGE_WIDTH / pixels.shape[1])
    row = Image.new("RGB", (3 * IMAGE_WIDTH + 2 * GAP, height + CAPTION_HEIGHT), "white")
    where = f"{item.name}, frame {worst.frame}" if item.frames > 1 else item.name
    what = "all objects" if worst.object_id == ALL_OBJECTS else f"object {worst.object_id}"
    caption = f"{where}, {what}: {100 * worst.score:.1f}        (image, ground truth, prediction)"
    ImageDraw.Draw(row).text((4, 4), caption, fill="black", font=ImageFont.load_default(size=14))
    predicted = np.array([decode_run_length(each) for each in worst.masks], dtype=bool)
    drawn = (Image.fromarray(pixels), _overlay(pixels, target), _overlay(pixels, predicted))
    for column, image in enumerate(drawn):
        small = image.resize((IMAGE_WIDTH, height), Image.Resampling.LANCZOS)
        row.paste(small, (column * (IMAGE_WIDTH + GAP), CAPTION_HEIGHT))
    return row


def _overlay(pixels: Pixels, masks: Mask) -> Image.Image:
    """Return a frame with masks (bool [H, W] or [N, H, W]), the largest below the others."""
    masks_nhw = masks.reshape(-1, *pixels.shape[:2])
    shown = Segmentation(masks_nhw, np.ones(len(masks_nhw)), range(1, len(masks_nhw) + 1))
    return draw_overlay(pixels, shown.taken(np.argsort(-shown.areas, kind="stable")))
