"""Outlines of masks, and how well two outlines agree: the F of video object segmentation."""

import math

import cv2
import numpy as np

from masklet.errors import InvalidMaskError
from masklet.masks.geometry import Mask, bounding_box

TOLERANCE = 0.008
"""How far apart two outlines may be and still agree, as a share of the image's diagonal (DAVIS)."""


def boundary(mask: Mask) -> Mask:
    """Return the outline (bool [H, W]) of `mask`: pixels unlike their right, lower or lower right neighbour.

    Beyond the image's border a mask goes on as at the border, so that the border itself is no outline.
    """
    square = np.ones((2, 2), dtype=np.uint8)
    pixels = mask.astype(np.uint8)
    gradient = cv2.morphologyEx(pixels, cv2.MORPH_GRADIENT, square, anchor=(0, 0), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(gradient != 0)


def boundary_agreement(first: Mask, second: Mask) -> float:
    """Return the boundary measure F, 0 to 1, of two bool masks [H, W] (Perazzi et al., 2016; Martin et al., 2004).

    F is the harmonic mean of the shares of each outline that lie within 0.8 % of the image's diagonal, rounded up to
    pixels, of the other. Two masks without an outline agree perfectly: 1.0; if just one has none, F is 0.

    Raises:
        InvalidMaskError: if a mask is not bool [H, W] or the shapes differ.
    """
    if first.dtype != np.bool_ or second.dtype != np.bool_ or first.shape != second.shape or first.ndim != 2:
        raise InvalidMaskError(
            "The boundary measure needs two bool masks [H, W] of one shape, got "
            f"{first.dtype} {first.shape} and {second.dtype} {second.shape}."
        )
    reach = math.ceil(TOLERANCE * math.hypot(*first.shape))
    outlines = boundary(first), boundary(second)
    if not (outlines[0].any() and outlines[1].any()):
        return float(outlines[0].any() == outlines[1].any())
    first_outline, second_outline = _cropped(*outlines)
    first_share = _share_nearby(first_outline, second_outline, reach)
    second_share = _share_nearby(second_outline, first_outline, reach)
    total = first_share + second_share
    return 2 * first_share * second_share / total if total else 0.0


def _cropped(first: Mask, second: Mask) -> tuple[Mask, Mask]:
    """Both outlines inside the box around them: distances between them do not need the rest."""
    left, top, right, bottom = (int(edge) for edge in bounding_box(first | second) or (0, 0, 0, 0))
    return first[top:bottom, left:right], second[top:bottom, left:right]


def _share_nearby(outline: Mask, other: Mask, reach: int) -> float:
    """Return the share of the pixels of `outline` that have a pixel of `other` within `reach` pixels."""
    distances = cv2.distanceTransform((~other).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float(np.count_nonzero(distances[outline] <= reach) / np.count_nonzero(outline))
