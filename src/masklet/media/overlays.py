"""Images with the masks, clicks and boxes drawn over them."""

import os
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from masklet.atomic_files import written_whole
from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.masks.geometry import Mask, center_point
from masklet.masks.segmentation import Segmentation
from masklet.media.drawing import Colour, largest_first, object_colour
from masklet.prompts.simulated_annotator import Click

OPACITY = 0.5
MOST_RIMMED = 20
"""Outlines of more objects are fine and without a rim: they would hide the masks."""
POSITIVE, NEGATIVE = (34, 197, 94), (239, 68, 68)
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
COMPRESSION = 3
"""Level of PNG's compression: above it the time grows far more than the files shrink."""


def write_overlay(path: str | os.PathLike[str], drawn: Image.Image) -> None:
    """Write an image with masks drawn over it as PNG; OSError if it cannot be written."""
    with written_whole(path) as unfinished:
        drawn.save(unfinished, format="PNG", compress_level=COMPRESSION)


def draw_overlay(
    image: Image.Image | npt.NDArray[np.uint8],
    segmentation: Segmentation,
    *,
    points: Sequence[tuple[float, float, int]] = (),
    boxes: npt.ArrayLike = (),
    ids: bool = False,
) -> Image.Image:
    """Return `image` with the masks as coloured glass with outlines, clicks as dots and boxes as white outlines.

    Where masks overlap, the smallest shows: larger ones are drawn first.

    Args:
        image: RGB image or uint8 [H, W, 3]; it is not changed.
        segmentation: masks of the same height and width; each object's colour follows from its id.
        points: clicks (x, y, label) in pixels; positive ones (label 1) are green, negative ones (0) red.
        boxes: [N, 4], (x1, y1, x2, y2) in pixels.
        ids: whether to write each object's id into its mask.

    Raises:
        InvalidInputError: if the image is of another kind, or not of the size of the masks, or if a coordinate is not
            finite.

    Example:
        >>> import numpy as np
        >>> from masklet import Segmentation, draw_overlay
        >>> found = Segmentation(np.ones((1, 40, 60), bool), scores=np.ones(1), object_ids=(1,))
        >>> draw_overlay(np.zeros((40, 60, 3), np.uint8), found, points=[(30, 20, 1)]).size
        (60, 40)
    """
    pixels = np.array(image.convert("RGB") if isinstance(image, Image.Image) else image)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise InvalidInputError(f"An image is RGB or uint8 [H, W, 3]; got {pixels.dtype} {list(pixels.shape)}.")
    if pixels.shape[:2] != segmentation.size:
        sizes = f"{list(pixels.shape[:2])} with masks of {list(segmentation.size)}"
        raise InvalidInputError(f"Cannot overlay an image of the height and width {sizes}.")
    boxes_n4, points_n3 = (np.asarray(given, dtype=float).reshape(-1, n) for given, n in ((boxes, 4), (points, 3)))
    if not (np.isfinite(boxes_n4).all() and np.isfinite(points_n3).all()):
        raise InvalidInputError(f"Clicks and boxes to draw are finite numbers; got {shown(points)} and {shown(boxes)}.")
    line_width = max(1, round(max(pixels.shape[:2]) / 400))
    outline, rim = (line_width, 1) if len(segmentation) <= MOST_RIMMED else (1, 0)
    places = largest_first(segmentation)
    coloured = {place: object_colour(segmentation.object_ids[place]) for place in places}
    pixels = _tinted(pixels, segmentation, coloured)
    for place, colour in coloured.items():
        _outline(pixels, segmentation.mask(place), colour, outline, rim)
    drawn = Image.fromarray(pixels)
    draw = ImageDraw.Draw(drawn)
    for left, top, right, bottom in boxes_n4:
        draw.rectangle((left, top, max(left, right - 1), max(top, bottom - 1)), outline=WHITE, width=line_width)
    for x, y, label in points:
        _dot(drawn, Click(round(x), round(y), label), radius=3 * line_width)
    if ids:
        _write_ids(draw, segmentation, places, height=9 + 3 * line_width)
    return drawn


def _tinted(
    pixels: npt.NDArray[np.uint8], segmentation: Segmentation, coloured: Mapping[int, Colour]
) -> npt.NDArray[np.uint8]:
    """Return the pixels below coloured glass, one sheet thick: of masks that overlap the last one counts."""
    tinted = pixels.copy()
    for place, colour in coloured.items():
        mask = segmentation.mask(place)
        tinted[mask] = np.round((1 - OPACITY) * pixels[mask] + OPACITY * np.array(colour)).astype(np.uint8)
    return tinted


def _outline(pixels: npt.NDArray[np.uint8], mask: Mask, colour: Colour, width: int, rim: int) -> None:
    """Draw the outline in the object's colour on a rim of white, so that it shows on every background."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if rim:
        cv2.drawContours(pixels, contours, -1, WHITE, width + 2 * rim, cv2.LINE_AA)
    cv2.drawContours(pixels, contours, -1, colour, width, cv2.LINE_AA)


def _write_ids(draw: ImageDraw.ImageDraw, segmentation: Segmentation, places: Sequence[int], height: int) -> None:
    """Write each id where its object, drawn in the order of `places`, shows most widely; hidden ones have none."""
    shown_hw = np.full(segmentation.size, -1, dtype=np.int32)
    for place in places:
        shown_hw[segmentation.mask(place)] = place
    for place in places:
        center = center_point(shown_hw == place)
        if center is not None:
            text = str(segmentation.object_ids[place])
            draw.text(center, text, WHITE, font_size=height, anchor="mm", stroke_width=1, stroke_fill=BLACK)


def _dot(drawn: Image.Image, click: Click, radius: int) -> None:
    """Draw one click with a white rim, smoothed by drawing it four times as large."""
    scale, side = 4, 2 * radius + 5
    enlarged = Image.new("RGBA", (scale * side, scale * side))
    draw = ImageDraw.Draw(enlarged)
    centre = (scale * side / 2, scale * side / 2)
    draw.circle(centre, scale * (radius + 1.5), fill=WHITE)
    draw.circle(centre, scale * radius, fill=POSITIVE if click.label else NEGATIVE)
    dot = enlarged.resize((side, side), Image.Resampling.LANCZOS)
    drawn.paste(dot, (click.x - side // 2, click.y - side // 2), dot)
