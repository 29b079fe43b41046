"""Outlines as polygons: the ways in which they are written, their bounds, and the run lengths of what they enclose."""

import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco_mask

from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.masks.counts import Counts, counts_from

Polygon = npt.NDArray[np.float64]  # [n, 2]: x, y

FARTHEST = 1e8
"""From 0, of a coordinate in pixels. Maps have values of some millions, in metres; beyond stands only nonsense."""

LONGEST_OUTLINE = 10**7
"""In pixels, of one object: rasterising takes memory by the length of the outline."""


class NoOutlineError(InvalidInputError):
    """Polygons none of which has three points."""


def polygons_from(segmentation: object) -> tuple[list[Polygon], int]:
    """Return the polygons of a COCO annotation, each [n, 2] with n >= 3, and how many were left out for n < 3.

    Polygons are a list of [x1, y1, x2, y2, ...] or of [[x1, y1], [x2, y2], ...]; a single one may stand without a list
    around it. InvalidInputError for anything else, for coordinates that are not finite or over 1e8 from 0, and
    NoOutlineError if there are polygons, but none of them has three points.
    """
    whole = _numbers(segmentation)
    is_single = whole is not None and (whole.ndim == 1 or (whole.ndim == 2 and whole.shape[1] == 2))
    parts = [segmentation] if is_single else segmentation
    if not isinstance(parts, list | tuple):
        raise _no_polygon(segmentation)
    found = [_polygon(part) for part in parts] if segmentation else []
    usable = [each for each in found if len(each) >= 3]
    if found and not usable:
        raise NoOutlineError(f"A polygon has at least three points; got {shown(segmentation)}.")
    return usable, len(found) - len(usable)


def counts_of_polygons(polygons: list[Polygon], height: int, width: int) -> Counts:
    """Return the run lengths of all that the polygons ([n, 2] in pixels) enclose, in an image of that size, int64 [R].

    Polygons that reach farther from the image than its own size are cut off there, where it makes no difference to
    the image.
    """
    size = np.array([width, height], dtype=np.float64)
    near = [each for each in (_within(polygon, -size, 2 * size) for polygon in polygons) if len(each) >= 3]
    if not near:
        return np.array([height * width], dtype=np.int64)
    length = sum(float(np.abs(np.diff(each, axis=0, append=each[:1])).max(axis=1).sum()) for each in near)
    longest = max(LONGEST_OUTLINE, 8 * (height + width))
    if length > longest:
        raise InvalidInputError(
            f"The outline is {length:,.0f} pixels long; in an image of {height} x {width} it may be {longest:,}."
        )
    encoded = coco_mask.frPyObjects([each.ravel().tolist() for each in near], height, width)
    return counts_from(coco_mask.merge(encoded)["counts"], height, width)


def _polygon(part: object) -> Polygon:
    numbers = _numbers(part)
    if numbers is None or numbers.ndim > 2 or (numbers.ndim == 2 and numbers.shape[1] != 2):
        raise _no_polygon(part)
    if numbers.size % 2:
        if numbers.size < 6:  # no outline either way
            return np.empty((0, 2))
        raise InvalidInputError(f"A polygon is x, y pairs; got {numbers.size} numbers: {shown(part)}.")
    if not bool((np.abs(numbers) <= FARTHEST).all()):
        raise InvalidInputError(f"Coordinates are finite and at most {FARTHEST:,.0f} from 0; got {shown(part)}.")
    return numbers.reshape(-1, 2)


def _numbers(values: object) -> npt.NDArray[np.float64] | None:
    """Return nested lists of numbers as an array; None if they are no block, or hold something else."""
    if not isinstance(values, list | tuple):
        return None
    try:
        array = np.asarray(values)
    except (ValueError, OverflowError, RecursionError):
        return None
    return array.astype(np.float64) if array.dtype.kind in "iuf" else None


def _no_polygon(part: object) -> InvalidInputError:
    return InvalidInputError(
        "A polygon is a list of at least three points, [x1, y1, x2, y2, x3, y3, ...] or [[x1, y1], ...], in finite "
        f"numbers; got {shown(part)}."
    )


def _within(polygon: Polygon, low: npt.NDArray[np.float64], high: npt.NDArray[np.float64]) -> Polygon:
    """Return the polygon cut off at the rectangle from `low` to `high` (x, y), edge by edge (Sutherland-Hodgman)."""
    for axis in (0, 1):
        for edge, sign in ((low[axis], 1.0), (high[axis], -1.0)):
            polygon = _on_one_side(polygon, sign * (polygon[:, axis] - edge))
    return polygon


def _on_one_side(polygon: Polygon, distances: npt.NDArray[np.float64]) -> Polygon:
    """Return the part of the polygon where the signed distances [n] of its points from a line are positive."""
    inside = distances >= 0
    if inside.all():
        return polygon
    following = np.roll(np.arange(len(polygon)), -1)
    crosses = inside != inside[following]
    share = np.zeros(len(polygon))
    share[crosses] = distances[crosses] / (distances - distances[following])[crosses]
    crossings = polygon + share[:, None] * (polygon[following] - polygon)
    both = np.stack([polygon, crossings], axis=1).reshape(-1, 2)
    kept: Polygon = both[np.stack([inside, crosses], axis=1).ravel()]
    return kept
