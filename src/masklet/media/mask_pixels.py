"""The pixels of an image of masks, as far as its mode, its palette and its transparency decide what they are."""

import os
from collections.abc import Sequence
from enum import Enum, auto
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.masks.geometry import Mask
from masklet.media.image_files import opened_image
from masklet.media.label_maps import VOID, LabelMap, UnknownLabelError, values_in

FilePath = str | os.PathLike[str]

FEW = 32
"""The most values of a grey label map, and the most colours of a mask that was drawn."""

WHITES = (255, 1023, 4095, 16383, 65535, 2**31 - 1)  # of 8, 10, 12, 14, 16 and 32 bits
BLACK_BELOW = 32  # in every channel; the colours of VOC's palette, as DAVIS uses it, begin there
NOISE = 16  # that lossy compression may add to a value
INEXACT_FORMATS = {"JPEG", "MPO", "JPEG2000", "WEBP", "AVIF"}


class Kind(Enum):
    """What the values of the pixels are."""

    OBJECT = auto()  # 0 and 1
    INDICES = auto()  # of a palette
    GREY = auto()  # uint8, or int32 if deeper


class MaskPixels(NamedTuple):
    """The pixels of an image of masks.

    Attributes:
        values: [H, W], of the kind that follows.
        mode: Pillow's name of it.
        is_exact: whether no lossy compression can have changed the values.
        highest_label: up to which value grey may be a label map.
    """

    values: LabelMap
    kind: Kind
    mode: str
    is_exact: bool = True
    highest_label: int = WHITES[-1]


def read_mask_pixels(path: FilePath) -> MaskPixels:
    """Read an image of masks, upright by its EXIF orientation.

    Raises:
        UnreadableImageError: if the file is no image, or holds negative, infinite or NaN values.
        UnknownLabelError: if a value lies outside the palette.
        InvalidInputError: if it has several colours and none of them is black.
    """
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
        pixels = _of_grey(values, upright.info.get("transparency"))
    elif values.ndim == 2:
        pixels = _of_deep_pixels(path, values, upright.mode)
    else:
        pixels = _of_channels(path, values, upright.mode)
    return pixels._replace(is_exact=pixels.is_exact and is_exact)


def _in_a_known_mode(image: Image.Image) -> Image.Image:
    """Return it as 1, P, L, LA, RGB, RGBA, I, I;16 or F; transparency is a channel but for P and L."""
    if image.mode in {"1", "P", "L", "LA", "I", "F"} or image.mode.startswith("I;16"):
        return image
    if image.mode == "La":  # which Pillow converts to nothing else
        return image.convert("LA")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _of_grey(values: npt.NDArray[np.uint8], transparency: int | None) -> MaskPixels:
    """Return grey with what is transparent outside, or the object that only transparency separates from black."""
    if transparency is None:
        return MaskPixels(values, Kind.GREY, "L")
    is_opaque = values != transparency
    inside = np.where(is_opaque, values, np.uint8(0))
    return MaskPixels(inside, Kind.GREY, "L") if inside.any() else _object(is_opaque, "L")


def _of_palette(path: FilePath, image: Image.Image, entries: int) -> MaskPixels:
    """Return the object that the colours of a palette mark, or else the indices; `entries` are those that it has."""
    indices = np.asarray(image)
    if indices.max() >= entries:
        raise UnknownLabelError(f"{path} shows the label {indices.max()}, its palette ends at {entries - 1}.")
    colours = np.array(image.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
    present = values_in(indices)
    is_transparent = _transparent_entries(image.info.get("transparency"), len(colours))
    outside = _outside_by_colour([0, 1] if entries == 2 else present, colours[:entries], is_transparent)
    if outside is not None:
        return _object(indices != outside, "P")
    kind = Kind.GREY if all((colours[each] == each).all() for each in present) else Kind.INDICES
    return MaskPixels(np.where(is_transparent[indices], np.uint8(0), indices), kind, "P")


def _transparent_entries(transparency: int | bytes | None, entries: int) -> npt.NDArray[np.bool_]:
    """Return for each entry of a palette whether it is transparent; Pillow has one such entry or the alpha of each."""
    if isinstance(transparency, bytes):
        opaque = np.frombuffer(transparency.ljust(entries, b"\xff")[:entries], dtype=np.uint8)
        return np.asarray(~from_half(opaque, WHITES[0]))
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


def _of_deep_pixels(path: FilePath, values: npt.NDArray[Any], mode: str) -> MaskPixels:
    """Return 16- and 32-bit integers as they are; numbers with fractions as an object of what is from half on."""
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all() or numbers.min() < 0:
        raise UnreadableImageError(f"{path} holds negative, infinite or NaN values, which no mask has.")
    highest = numbers.max()
    if highest <= WHITES[-1] and (numbers == np.floor(numbers)).all():
        return MaskPixels(values.astype(np.int32), Kind.GREY, mode)
    return _object(from_half(numbers, full_scale_of(highest)), mode)


def _of_channels(path: FilePath, values: npt.NDArray[np.uint8], mode: str) -> MaskPixels:
    """Return what grey, transparency or colours mark in an image [H, W, C], in this order."""
    has_alpha = mode in {"LA", "RGBA"}
    colours = values[..., :-1] if has_alpha else values
    is_opaque = _opaque(values[..., -1]) if has_alpha else np.ones(values.shape[:2], dtype=bool)
    grey = colours.max(axis=2)
    chroma = int((grey - colours.min(axis=2)).max(where=is_opaque, initial=0))
    if not is_opaque.all():
        if chroma == 0 and 2 <= len(values_in(grey[is_opaque])) <= FEW:
            return MaskPixels(np.where(is_opaque, grey, np.uint8(0)), Kind.GREY, mode)
        return _object(is_opaque, mode)
    if chroma <= NOISE:
        return MaskPixels(grey, Kind.GREY, mode, chroma == 0, VOID if mode == "LA" else VOID // 2)
    return _object(_in_colours(path, colours, grey), mode)


def _opaque(alpha: npt.NDArray[np.uint8]) -> Mask:
    return np.asarray((alpha > 0) & from_half(alpha, alpha.max()))


def _in_colours(path: FilePath, colours: npt.NDArray[np.uint8], brightest: npt.NDArray[np.uint8]) -> Mask:
    """Return what is not black of a drawing [H, W, 3]; of what has more colours than such, what is bright."""
    count = len(np.unique(colours.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1])))
    is_inside = np.asarray(brightest >= BLACK_BELOW)
    if count > FEW:
        return is_inside & from_half(brightest, brightest.max())
    if count > 1 and is_inside.all():
        raise InvalidInputError(f"{path} shows {count} colours and no black, which is what lies outside the object.")
    return is_inside


def _object(mask: Mask, mode: str) -> MaskPixels:
    return MaskPixels(mask.astype(np.uint8), Kind.OBJECT, mode)


def from_half(values: npt.NDArray[Any], white: float) -> Mask:
    """Return which values are at least half of white: of 255, from 128 on."""
    return np.asarray(values >= white / 2)


def full_scale_of(highest: float) -> float:
    """Return what white is where this is the highest value: 1, or the full scale of the fewest bits that hold it."""
    return next((each for each in (1, *WHITES) if highest <= each), highest)
