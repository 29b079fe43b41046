"""Outlines of masks as polygons, from which every program that fills polygons gets the same pixels back."""

from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from masklet.masks.geometry import Mask
from masklet.masks.polygons import Polygon

_MOST_DISTANCES = 2**22  # of a matrix between the points of two polygons


class Piece(NamedTuple):
    """One connected piece of a mask; pixels that touch at a corner are connected.

    Attributes:
        outline: around it, float64 [n, 2] (x, y) in pixels, n >= 3; holes are not in it.
        hole_count: how many holes are in it.
        area: of the outline, holes included.
    """

    outline: Polygon
    hole_count: int
    area: float


def pieces_of(mask: Mask) -> list[Piece]:
    """Return the pieces of a mask (bool [H, W]), the largest first.

    Outlines run a quarter of a pixel inside the pixels' edges. Programs that take the pixels whose centres are inside
    (pycocotools), and those that cut coordinates to whole numbers and fill up to the outline and with it (opencv, as
    YOLO's readers use it), both get the pixels of the mask back. On the edge itself the latter would add a pixel.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return []
    top, left = rows[0], columns[0]
    doubled = mask[top : rows[-1] + 1, left : columns[-1] + 1].astype(np.uint8).repeat(2, axis=0).repeat(2, axis=1)
    contours, hierarchy = cv2.findContours(doubled, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    # The centre of pixel u of the doubled mask is (u + 0.5) / 2: 0.25 or 0.75 of a pixel.
    corner = np.array([left, top], dtype=np.float64)
    parents = hierarchy[0][:, 3]
    pieces = [
        Piece((contours[each][:, 0] + 0.5) / 2 + corner, int((parents == each).sum()), cv2.contourArea(contours[each]))
        for each in np.flatnonzero(parents < 0).tolist()
    ]
    return sorted(pieces, key=lambda piece: -piece.area)


def joined(outlines: list[Polygon]) -> Polygon:
    """Return one polygon around all pieces, which are joined by bridges without width between their nearest points."""
    whole, *others = outlines
    for each in others:
        here, there = _nearest(whole, each)
        whole = np.concatenate([whole[: here + 1], each[there:], each[: there + 1], whole[here:]])
    return whole


def _nearest(first: Polygon, second: Polygon) -> tuple[int, int]:
    """Return the places of the two points, one of each polygon, that are nearest to each other."""
    step = max(1, _MOST_DISTANCES // len(second))
    edges = [*range(0, len(first), step), len(first)]
    best = (np.inf, 0, 0)
    for start, end in pairwise(edges):
        squares = ((first[start:end, None] - second) ** 2).sum(axis=2)
        place = int(squares.argmin())
        here, there = divmod(place, len(second))
        best = min(best, (float(squares[here, there]), start + here, there))
    return best[1], best[2]
