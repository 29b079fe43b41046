"""The results of Label Studio: one object's mask in an image, or its boxes in a video."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from masklet.formats.label_studio_code import brush_code
from masklet.masks.counts import Counts
from masklet.masks.geometry import Box

MOST_DEVIATION = 1.0
"""In percent of the image, of boxes that Label Studio interpolates between those that are written."""


def brush_result(
    result_id: str, counts: Counts, size: tuple[int, int], label: str, score: float | None
) -> dict[str, Any]:
    """Return a mask as a result of the control `tag` about the object `image`.

    Args:
        result_id: unlike those of the task's other results.
        counts: the run lengths of the mask.
        size: (height, width) of the image in pixels.
        label: of the object.
        score: of the mask, 0 to 1; None: without one.
    """
    height, width = size
    return {
        "id": result_id,
        "from_name": "tag",
        "to_name": "image",
        "type": "brushlabels",
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": {"format": "rle", "rle": brush_code(counts, height, width), "brushlabels": [label]},
        **({} if score is None else {"score": round(score, 6)}),
        "readonly": False,
    }


def boxes_result(
    result_id: str, boxes: Mapping[int, Box], size: tuple[int, int], length: tuple[int, Fraction], label: str
) -> dict[str, Any]:
    """Return the boxes of an object in a video as one result of the control `box` about the object `video`.

    Boxes that lie between two others within 1 % of the image are left out. Frames count from 1, and the last box
    before a frame that does not show the object is not enabled, as Label Studio ends a span.

    Args:
        result_id: unlike those of the task's other results.
        boxes: (x1, y1, x2, y2) in pixels by frame, from 0 on, of the frames that show the object; at least one.
        size: (height, width) of the video in pixels.
        length: the number of its frames, and how many there are a second.
        label: of the object.
    """
    count, frame_rate = length
    height, width = size
    scale = 100 / np.array([width, height, width, height])
    percent = {frame: np.array(boxes[frame]) * scale for frame in sorted(boxes)}
    kept = {frame: frame + 1 in boxes for span in _spans([*percent]) for frame in _key_frames(span, percent)}
    sequence = [_keyed(frame, percent[frame], goes_on, frame_rate) for frame, goes_on in kept.items()]
    duration = round(float(count / frame_rate), 6)
    return {
        "id": result_id,
        "from_name": "box",
        "to_name": "video",
        "type": "videorectangle",
        "value": {"framesCount": count, "duration": duration, "sequence": sequence, "labels": [label]},
    }


def _spans(frames: list[int]) -> list[list[int]]:
    """Return runs of frames that follow each other."""
    ends = np.flatnonzero(np.diff(frames) > 1) + 1
    return [each.tolist() for each in np.split(np.array(frames), ends)]


def _key_frames(span: list[int], percent: Mapping[int, np.ndarray[Any, Any]]) -> list[int]:
    """Return the frames of a span between which all boxes can be interpolated."""
    boxes = np.stack([percent[frame] for frame in span])
    kept, open_parts = {0, len(span) - 1}, [(0, len(span) - 1)]
    while open_parts:
        first, last = open_parts.pop()
        shares = np.linspace(0, 1, last - first + 1)[:, None]
        straight = boxes[first] + shares * (boxes[last] - boxes[first])
        away = np.abs(straight - boxes[first : last + 1]).max(axis=1)
        worst = first + int(away.argmax())
        if away.max() > MOST_DEVIATION:
            kept.add(worst)
            open_parts += [(first, worst), (worst, last)]
    return [span[place] for place in sorted(kept)]


def _keyed(frame: int, box: np.ndarray[Any, Any], goes_on: bool, frame_rate: Fraction) -> dict[str, Any]:
    left, top, right, bottom = (round(each, 6) for each in box.tolist())
    place = {"x": left, "y": top, "width": round(right - left, 6), "height": round(bottom - top, 6), "rotation": 0}
    return {"frame": frame + 1, **place, "enabled": goes_on, "time": round(float(frame / frame_rate), 6)}
