"""Where a mask lies: its center point, its bounding box and its area."""

import cv2
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Box = tuple[float, float, float, float]  # (x1, y1, x2, y2) in pixels


def area(mask: Mask) -> int:
    """Count the pixels of `mask` (bool [H, W])."""
    return int(np.count_nonzero(mask))


def bounding_box(mask: Mask) -> Box | None:
    """Return the tight box (x1, y1, x2, y2) in pixels around `mask` (bool [H, W]), or None for an empty mask.

    The edges are pixel edges: a mask of the single pixel (3, 5) has the box (3, 5, 4, 6).
    """
    columns = np.flatnonzero(mask.any(axis=0))
    rows = np.flatnonzero(mask.any(axis=1))
    if not len(columns):
        return None
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def center_point(mask: Mask) -> tuple[int, int] | None:
    """Return the pixel (x, y) of `mask` (bool [H, W]) farthest from all outside pixels, or None for an empty mask.

    Everything beyond the image's border counts as outside. The distance is Euclidean; of several equally deep
    pixels the first in reading order is taken.
    """
    box = bounding_box(mask)
    if box is None:
        return None
    left, top, right, bottom = (int(edge) for edge in box)
    # All pixels around the bounding box are outside, so the distances inside it need nothing of the image but it.
    padded = np.pad(mask[top:bottom, left:right], 1).astype(np.uint8)
    distances = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    row, column = np.unravel_index(int(np.argmax(distances)), distances.shape)
    return left + int(column) - 1, top + int(row) - 1


def box_fill(mask: Mask) -> float:
    """Return the share of its bounding box that a mask covers, 0..1; 0 of an empty mask."""
    box = bounding_box(mask)
    return 0.0 if box is None else float(np.count_nonzero(mask) / ((box[2] - box[0]) * (box[3] - box[1])))
