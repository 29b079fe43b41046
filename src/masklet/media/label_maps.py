"""Label maps: indexed PNG pictures whose pixel values are object ids, as DAVIS stores its annotations."""

import os

import numpy as np
import numpy.typing as npt
from PIL import Image

from masklet.atomic_files import written_whole
from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.media.colours import object_colour
from masklet.media.image_files import opened_image
from masklet.media.soft_masks import soft_mask_shades

MAXIMUM_OBJECT_ID = 255

LabelMap = npt.NDArray[np.uint8]
"""Object ids [H, W], 0 for the background."""


class UnknownLabelError(UnreadableImageError):
    """A label map shows an object id that its palette, or the list of its dataset's objects, does not have."""


def read_label_map(path: str | os.PathLike[str]) -> LabelMap:
    """Read the object ids (uint8 [H, W]) of a palette or 8-bit grey picture; a black-and-white one gives 0 and 1.

    UnreadableImageError if the file is no picture, has several colour channels or deeper pixels, or is grey and a soft
    mask, whose shades would all be objects; UnknownLabelError if a value lies outside the palette, as PNG forbids it.
    """
    with opened_image(path, "label map") as image:
        # asked before the pixels are loaded, which fills the palette up to 256 colours
        colours = len(image.palette.palette) // len(image.palette.mode) if image.palette else MAXIMUM_OBJECT_ID + 1
        mode, values = image.mode, np.asarray(image)
    if mode not in {"P", "L", "1"}:
        raise UnreadableImageError(f"{path} has the mode {mode}; object ids need a palette or 8-bit grey picture.")
    if values.size and values.max() >= colours:
        highest = f"the label {values.max()}, its palette ends at {colours - 1}"
        raise UnknownLabelError(f"{path} shows {highest}.")
    if mode == "L" and (shades := soft_mask_shades(values)):
        raise UnreadableImageError(
            f"{path} is a soft mask, with {shades} grey levels along its edges, which are no object ids. "
            "Save it black and white (0 and 255, threshold 128) or as an indexed PNG."
        )
    return values.astype(np.uint8)


def write_label_map(path: str | os.PathLike[str], labels: LabelMap) -> None:
    """Write object ids (uint8 [H, W]) as an indexed PNG in which every object has its colour."""
    if labels.dtype != np.uint8 or labels.ndim != 2:
        raise InvalidInputError(f"A label map is uint8 [H, W]; got {labels.dtype} {list(labels.shape)}.")
    image = Image.fromarray(labels)
    image.putpalette([channel for each in range(MAXIMUM_OBJECT_ID + 1) for channel in object_colour(each)])
    with written_whole(path) as unfinished:
        image.save(unfinished, format="PNG")
