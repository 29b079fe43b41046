"""What an image of masks means: one object and which pixels, or a label map whose values are object ids.

The one place where this is decided, for prompts, annotated data and predicted masks of other programs alike; what mode,
palette and transparency mark alone is in `mask_pixels.py`.

| image | condition | meaning |
| --- | --- | --- |
| 1 | | one object: white |
| P | at most two colours, and the black or transparent one is not entry 0 | one object: the other colour |
| P | the colours of what is shown are its own values | as grey |
| P | else | label map of the indices; of 0 and 255 alone one object |
| L | one value is transparent | as grey, and it is outside; if the rest is black, one object: the rest |
| L, I;16, I, F | 0 and 1, as bool is saved | one object: 1 |
| L, I;16, I, F | at most 32 values without white (255, or the full scale of deeper pixels) | label map |
| I;16, I, F | more values, all below 32,768, and without white or the slopes to it | label map: instances |
| L, I;16, I, F | else | one object: from half of white on |
| RGB, LA, RGBA | equal channels, no transparency | as grey; of RGB from 128 on no label map |
| RGB, RGBA | at most 32 colours, no transparency | one object: what is not black |
| RGB, RGBA | more colours, no transparency | one object: from half of the brightest on |
| LA, RGBA | partly transparent, what is opaque has 2 to 32 greys | as grey; what is transparent is outside |
| LA, RGBA | partly transparent, else | one object: what is opaque |

Grey that is not exact (JPEG, a frame of a video: noise around black and white) is one object and no label map.

An image of a folder of label maps is known to be one, so that `read_label_map` takes any number of grey values for
ids, since there are label maps of hundreds of objects, and refuses those that are soft masks by their edges.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO

import cv2
import numpy as np
import numpy.typing as npt

from masklet.errors import UnreadableImageError
from masklet.masks.geometry import Mask
from masklet.media.image_files import opened_image
from masklet.media.label_maps import VOID, LabelMap, is_black_and_white, object_ids_in, values_in, void_resolved
from masklet.media.mask_pixels import FEW, NOISE, FilePath, Kind, MaskPixels, from_half, full_scale_of, read_mask_pixels

INSTANCES_BELOW = 32768

WHITE = 255
FEWEST_SHADES = 3
SHADES_SHARE = 2 / 3  # of the levels; thin objects beside others look like shades, but few are as thin
BRIGHT_SHARE = 1 / 3  # labels count from 1 on, the shades of an edge reach as far up as down


@dataclass(frozen=True)
class MaskImage:
    """What an image of masks shows.

    Attributes:
        labels: object ids [H, W], 0 outside; 1 inside if there is one object without an id.
        is_label_map: whether the values are ids.
    """

    labels: LabelMap
    is_label_map: bool

    @cached_property
    def object_ids(self) -> tuple[int, ...]:
        """The ids that a label map shows, ascending, without void; (1,) for one object, () if it is nowhere."""
        return tuple(object_ids_in(void_resolved(self.labels, black_and_white=False)))

    def mask_of(self, object_id: int | None = None) -> Mask:
        """Return a mask (bool [H, W]): the pixels of this id if a label map shows it, or else all of any object."""
        if self.is_label_map and object_id in self.object_ids:
            return np.asarray(self.labels == object_id)
        return np.asarray(self.labels != 0)


def read_mask_image(path: FilePath, known_ids: Collection[int] = ()) -> MaskImage:
    """Read an image of masks, whose meaning follows from its pixels by the table above.

    Args:
        path: of an image file.
        known_ids: the ids of the objects that may be in it: grey of nothing but these, 0 and 255, which then is void,
            is a label map, too.

    Raises:
        UnreadableImageError: if the file is no image, or holds negative, infinite or NaN values.
        UnknownLabelError: if a value lies outside the palette.
        InvalidInputError: if it has several colours and none of them is black.

    Example:
        >>> from PIL import Image
        >>> from masklet import read_mask_image
        >>> Image.new("L", (6, 4), 255).save("mask.png")
        >>> int(read_mask_image("mask.png").mask_of().sum())
        24
    """
    pixels = read_mask_pixels(path)
    if pixels.kind is Kind.GREY:
        return _meaning_of_grey(pixels, known_ids)
    if pixels.kind is Kind.OBJECT or is_black_and_white(pixels.values):
        return MaskImage((pixels.values != 0).astype(np.uint8), is_label_map=False)
    return MaskImage(pixels.values, is_label_map=True)


def decoded_mask(content: bytes) -> Mask:
    """Return the mask (bool [H, W]) of an encoded image, in which what is not black is inside.

    UnreadableImageError if it is none.
    """
    with opened_image(BytesIO(content), "mask") as image:
        return np.asarray(image.convert("L")) > 0


def read_label_map(path: FilePath) -> LabelMap:
    """Read the object ids (integers [H, W]) of an image out of a folder of label maps.

    What 255 means, void or the one object, depends on the other images, and is left open (`void_resolved`). One object
    by its palette, and a black-and-white image of 1 bit, are 0 and 1.

    Raises:
        UnreadableImageError: if the file is no image, has several colours, transparency or fractions, or is a soft
            mask, whose shades would all be objects; of equal channels already, if it may be a frame of a video: with
            noise, or more than 32 values.
        UnknownLabelError: if a value lies outside the palette, as PNG forbids it.
    """
    pixels = read_mask_pixels(path)
    if not _can_hold_ids(pixels):
        raise UnreadableImageError(
            f"{path} has the mode {pixels.mode}; object ids need a palette or grey image, or few exact greys in colour."
        )
    if pixels.kind is Kind.GREY and (shades := soft_mask_shades(pixels.values)):
        raise UnreadableImageError(
            f"{path} is a soft mask, with {shades} grey levels along its edges, which are no object ids. "
            "Save it black and white (0 and 255, threshold 128) or as an indexed PNG."
        )
    return pixels.values


def _can_hold_ids(pixels: MaskPixels) -> bool:
    if pixels.mode in {"1", "P"}:
        return True
    if pixels.kind is Kind.GREY and pixels.mode in {"LA", "RGB", "RGBA"}:
        present = values_in(pixels.values)
        return pixels.is_exact and len(present) <= FEW and not _is_noise(present)
    return pixels.kind is Kind.GREY


def _meaning_of_grey(pixels: MaskPixels, known_ids: Collection[int]) -> MaskImage:
    values = pixels.values
    present = values_in(values)
    highest = present[-1]
    white = full_scale_of(highest)
    are_few = len(present) <= FEW
    are_instances = not are_few and values.dtype != np.uint8 and highest < INSTANCES_BELOW
    if are_instances and highest == white:
        are_instances = not is_deep_soft_mask(values, highest)
    are_ids = are_instances or (are_few and 1 < highest <= pixels.highest_label and highest != white)
    are_known = not {*known_ids}.isdisjoint(present) and {*present} <= {0, VOID, *known_ids}
    if are_known or (are_ids and pixels.is_exact and not _is_noise(present)):
        return MaskImage(values, is_label_map=True)
    return MaskImage(from_half(values, white).astype(np.uint8), is_label_map=False)


def _is_noise(values: list[int]) -> bool:
    """Whether there is black and white and what lossy compression makes of them, and nothing between."""
    near_black = [each for each in values if each < NOISE]
    near_white = [each for each in values if VOID - NOISE < each <= VOID]
    return min(len(near_black), len(near_white)) >= 2 and len(near_black) + len(near_white) == len(values)


def soft_mask_shades(values: npt.NDArray[np.integer]) -> int:
    """Return how many grey levels an image [H, W] has at its edges if it is a soft mask; 0 if it is none.

    A shade is a level most of whose pixels have a darker and a brighter pixel among their eight neighbours, as on a
    slope from black to white. Objects of a label map have an inside, which has not. A soft mask holds white; two thirds
    of its levels between black and white are shades, at least 3, and a third of these are brighter than mid-grey.
    Pixels deeper than 8 bits are no soft mask.
    """
    return _shades_below(values, WHITE) if values.dtype == np.uint8 and (values == WHITE).any() else 0


def is_deep_soft_mask(values: npt.NDArray[np.integer], white: int) -> bool:
    """Whether integers [H, W] up to `white`, 65535 at most, are a soft mask and no ids of which `white` is the last.

    They have shades, and white, the inside of the object, has more pixels than most levels; the last of many instances
    need not.
    """
    *between, of_white = np.bincount(values.ravel(), minlength=white + 1)[1:]
    shown = [each for each in between if each]
    return bool(shown) and of_white > np.median(shown) and _shades_below(values.astype(np.uint16), white) > 0


def _shades_below(values: npt.NDArray[np.integer], white: int) -> int:
    """Return how many levels below `white` are shades of a soft mask (uint8 or uint16 [H, W]); 0 if it is none."""
    around = np.ones((3, 3), np.uint8)
    is_between = (cv2.erode(values, around) < values) & (values < cv2.dilate(values, around))
    pixels, between = (np.bincount(each, minlength=white + 1)[1:white] for each in (values.ravel(), values[is_between]))
    shades = 1 + np.flatnonzero(2 * between > pixels)
    is_soft = len(shades) >= FEWEST_SHADES and len(shades) >= SHADES_SHARE * np.count_nonzero(pixels)
    return len(shades) if is_soft and np.mean(shades >= (white + 1) // 2) >= BRIGHT_SHARE else 0
