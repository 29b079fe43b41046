"""What an image of masks means: one object and which pixels, or a label map whose values are object ids.

The one place where this is decided, for prompts, annotated data and predicted masks of other programs alike.

| image | condition | meaning |
| --- | --- | --- |
| 1 | | one object: white |
| P | at most two colours, and the black or transparent one is not entry 0 | one object: the other colour |
| P | the colours of what is shown are its own values | as grey |
| P | else | label map of the indices; of 0 and 255 alone one object |
| L, I;16, I, F | 0 and 1, as bool is saved | one object: 1 |
| L, I;16, I, F | at most 32 values without white (255, or the full scale of deeper pixels) | label map |
| I;16, I, F | more values without white, all below 32,768 | label map: instances |
| L, I;16, I, F | else | one object: from half of white on |
| RGB, LA, RGBA | equal channels, no transparency | as grey; of RGB from 128 on no label map |
| RGB, RGBA | at most 32 colours, no transparency | one object: what is not black |
| RGB, RGBA | more colours, no transparency | one object: from half of the brightest on |
| LA, RGBA | partly transparent, what is opaque has 2 to 32 greys | as grey; what is transparent is outside |
| LA, RGBA | partly transparent, else | one object: what is opaque |

Grey that is not exact (JPEG, a frame of a video: noise around black and white) is one object and no label map.

The images of a folder of label maps say less than the folder does: `read_label_map` takes any number of grey values for
ids, since there are label maps of hundreds of objects, and refuses those that are soft masks by their edges.
"""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.masks.geometry import Mask
from masklet.media.image_files import opened_image
from masklet.media.label_maps import (
    VOID,
    LabelMap,
    UnknownLabelError,
    is_black_and_white,
    object_ids_in,
    values_in,
    void_resolved,
)
from masklet.media.soft_masks import soft_mask_shades

FilePath = str | os.PathLike[str]

FEW = 32
"""The most values of a grey label map, and the most colours of a mask that was drawn."""

WHITES = (255, 1023, 4095, 16383, 65535, 2**31 - 1)  # of 8, 10, 12, 14, 16 and 32 bits
INSTANCES_BELOW = 32768
BLACK_BELOW = 32  # in every channel; the colours of VOC's palette, as DAVIS uses it, begin there
NOISE = 16
INEXACT_FORMATS = {"JPEG", "MPO", "JPEG2000", "WEBP", "AVIF"}


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


class _Kind(Enum):
    OBJECT = auto()  # 0 and 1
    INDICES = auto()  # of a palette
    GREY = auto()  # uint8, or int32 if deeper


class _Pixels(NamedTuple):
    """The pixels [H, W] of an image of masks, as far as mode, palette and transparency decide what they are."""

    values: LabelMap
    kind: _Kind
    mode: str
    is_exact: bool = True
    highest_label: int = WHITES[-1]  # of grey that may be a label map


def read_mask_image(path: FilePath, known_ids: Collection[int] = ()) -> MaskImage:
    """Read an image of masks of which little but its pixels says what it means, as the table above has it.

    Args:
        path: of an image file.
        known_ids: the ids of the objects that may be in it: grey of nothing but these, 0 and 255, which then is void,
            is a label map, too.

    Raises:
        UnreadableImageError: if the file is no image, or holds negative, infinite or NaN values.
        UnknownLabelError: if a value lies outside the palette.
        InvalidInputError: if it has several colours and none of them is black.
    """
    pixels = _read(path)
    if pixels.kind is _Kind.GREY:
        return _meaning_of_grey(pixels, known_ids)
    if pixels.kind is _Kind.OBJECT or is_black_and_white(pixels.values):
        return MaskImage((pixels.values != 0).astype(np.uint8), is_label_map=False)
    return MaskImage(pixels.values, is_label_map=True)


def read_label_map(path: FilePath) -> LabelMap:
    """Read the object ids (integers [H, W]) of an image out of a folder of label maps.

    What 255 means, void or the one object, depends on the other images, and is left open (`void_resolved`). One object
    by its palette, and a black-and-white image of 1 bit, are 0 and 1.

    Raises:
        UnreadableImageError: if the file is no image, has several colours, transparency or fractions, or is a soft
            mask, whose shades would all be objects.
        UnknownLabelError: if a value lies outside the palette, as PNG forbids it.
    """
    pixels = _read(path)
    if pixels.kind is _Kind.OBJECT and pixels.mode not in {"1", "P"}:
        raise UnreadableImageError(
            f"{path} has the mode {pixels.mode} and is not grey; object ids need a palette or a grey image."
        )
    if pixels.kind is _Kind.GREY and (shades := soft_mask_shades(pixels.values)):
        raise UnreadableImageError(
            f"{path} is a soft mask, with {shades} grey levels along its edges, which are no object ids. "
            "Save it black and white (0 and 255, threshold 128) or as an indexed PNG."
        )
    return pixels.values


def _meaning_of_grey(pixels: _Pixels, known_ids: Collection[int]) -> MaskImage:
    values = pixels.values
    present = values_in(values)
    highest = present[-1]
    white = _white(highest)
    are_few = len(present) <= FEW or (values.dtype != np.uint8 and highest < INSTANCES_BELOW)
    are_ids = are_few and 1 < highest <= pixels.highest_label and highest != white
    are_known = not {*known_ids}.isdisjoint(present) and {*present} <= {0, VOID, *known_ids}
    if are_known or (are_ids and pixels.is_exact and not _is_noise(present)):
        return MaskImage(values, is_label_map=True)
    return MaskImage(_from_half(values, white).astype(np.uint8), is_label_map=False)


def _white(highest: float) -> float:
    """Return what white is where this is the highest value: 1, or the full scale of the fewest bits that hold it."""
    return next((each for each in (1, *WHITES) if highest <= each), highest)


def _is_noise(values: list[int]) -> bool:
    """Whether there is black and white and what lossy compression makes of them, but all of it below 255."""
    near_black = [each for each in values if each < NOISE]
    near_white = [each for each in values if VOID - NOISE < each < VOID]
    return min(len(near_black), len(near_white)) >= 2 and len(near_black) + len(near_white) == len(values)


def _read(path: FilePath) -> _Pixels:
    with opened_image(path, "mask") as image:
        # asked before the pixels are loaded, which fills the palette up to 256 colours
        entries = len(image.palette.palette) // len(image.palette.mode) if image.palette else 0
        is_exact = image.format not in INEXACT_FORMATS
        upright = ImageOps.exif_transpose(_in_a_known_mode(image))
    values = np.asarray(upright)
    if upright.mode == "1":
        pixels = _object(values, "1")
    elif upright.mode == "P":
        pixels = _of_palette(path, upright, entries)
    elif upright.mode == "L":
        pixels = _Pixels(values, _Kind.GREY, "L")
    elif values.ndim == 2:
        pixels = _of_deep_pixels(path, values, upright.mode)
    else:
        pixels = _of_channels(path, values, upright.mode)
    return pixels._replace(is_exact=pixels.is_exact and is_exact)


def _in_a_known_mode(image: Image.Image) -> Image.Image:
    """Return it as 1, P, L, LA, RGB, RGBA, I, I;16 or F; transparency is an own channel, but for palettes."""
    if image.mode in {"1", "P", "I", "F"} or image.mode.startswith("I;16"):
        return image
    if image.mode in {"L", "LA", "La"}:
        return image.convert("LA" if image.mode != "L" or "transparency" in image.info else "L")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _of_palette(path: FilePath, image: Image.Image, entries: int) -> _Pixels:
    """Return the object that the colours of a palette tell, or else the indices; `entries` are those that it has."""
    indices = np.asarray(image)
    if indices.max() >= entries:
        raise UnknownLabelError(f"{path} shows the label {indices.max()}, its palette ends at {entries - 1}.")
    colours = np.array(image.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
    present = values_in(indices)
    is_transparent = _transparent_entries(image.info.get("transparency"), len(colours))
    outside = _outside_by_colour([0, 1] if entries == 2 else present, colours[:entries], is_transparent)
    if outside is not None:
        return _object(indices != outside, "P")
    kind = _Kind.GREY if all((colours[each] == each).all() for each in present) else _Kind.INDICES
    return _Pixels(np.where(is_transparent[indices], np.uint8(0), indices), kind, "P")


def _transparent_entries(transparency: int | bytes | None, entries: int) -> npt.NDArray[np.bool_]:
    """Return for each entry of a palette whether it is transparent; Pillow has one such entry or the alpha of each."""
    if isinstance(transparency, bytes):
        opaque = np.frombuffer(transparency.ljust(entries, b"\xff")[:entries], dtype=np.uint8)
        return np.asarray(~_from_half(opaque, WHITES[0]))
    return np.asarray(np.arange(entries) == transparency)


def _outside_by_colour(
    entries: Sequence[int], colours: npt.NDArray[np.uint8], is_transparent: npt.NDArray[np.bool_]
) -> int | None:
    """Return which of two entries of a palette is outside the object by its colour, if that is not entry 0 anyway."""
    is_black = colours.max(axis=1) < BLACK_BELOW
    if len(entries) > 2 or is_black.all():
        return None
    outside = [each for each in entries if is_transparent[each]] or [each for each in entries if is_black[each]]
    return outside[0] if len(outside) == 1 and outside != [0] else None


def _of_deep_pixels(path: FilePath, values: npt.NDArray[Any], mode: str) -> _Pixels:
    """Return 16- and 32-bit integers as they are; numbers with fractions as an object of what is from half on."""
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all() or numbers.min() < 0:
        raise UnreadableImageError(f"{path} holds negative, infinite or NaN values, which no mask has.")
    highest = numbers.max()
    if highest <= WHITES[-1] and (numbers == np.floor(numbers)).all():
        return _Pixels(values.astype(np.int32), _Kind.GREY, mode)
    return _object(_from_half(numbers, _white(highest)), mode)


def _of_channels(path: FilePath, values: npt.NDArray[np.uint8], mode: str) -> _Pixels:
    """Return what grey, transparency or colours tell of an image [H, W, C], in this order."""
    has_alpha = mode in {"LA", "RGBA"}
    colours = values[..., :-1] if has_alpha else values
    is_opaque = _opaque(values[..., -1]) if has_alpha else np.ones(values.shape[:2], dtype=bool)
    grey = colours.max(axis=2)
    chroma = int((grey - colours.min(axis=2)).max(where=is_opaque, initial=0))
    if not is_opaque.all():
        if chroma == 0 and 2 <= len(values_in(grey[is_opaque])) <= FEW:
            return _Pixels(np.where(is_opaque, grey, np.uint8(0)), _Kind.GREY, mode)
        return _object(is_opaque, mode)
    if chroma <= NOISE:
        return _Pixels(grey, _Kind.GREY, mode, chroma == 0, VOID if mode == "LA" else VOID // 2)
    return _object(_in_colours(path, colours, grey), mode)


def _opaque(alpha: npt.NDArray[np.uint8]) -> Mask:
    return np.asarray((alpha > 0) & _from_half(alpha, alpha.max()))


def _in_colours(path: FilePath, colours: npt.NDArray[np.uint8], brightest: npt.NDArray[np.uint8]) -> Mask:
    """Return what is not black of a drawing [H, W, 3]; of what has more colours than such, what is bright."""
    count = len(np.unique(colours.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1])))
    is_inside = np.asarray(brightest >= BLACK_BELOW)
    if count > FEW:
        return is_inside & _from_half(brightest, brightest.max())
    if count > 1 and is_inside.all():
        raise InvalidInputError(f"{path} shows {count} colours and no black, which is what lies outside the object.")
    return is_inside


def _object(mask: Mask, mode: str) -> _Pixels:
    return _Pixels(mask.astype(np.uint8), _Kind.OBJECT, mode)


def _from_half(values: npt.NDArray[Any], white: float) -> Mask:
    return np.asarray(values >= white / 2)
