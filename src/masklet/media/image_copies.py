"""Copies of images beside annotations: files as they are, or upright pixels where programs would see them turned."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from masklet.atomic_files import written_whole
from masklet.masks.geometry import Mask
from masklet.media.images import Pixels, stored_image

JPEG = frozenset({".jpg", ".jpeg"})
COPIED = JPEG | {".png"}
"""What every program reads."""

QUALITY = 95


def copy_upright(
    target: str | os.PathLike[str], source: Path | None, read_pixels: Callable[[], Pixels], *, is_jpeg: bool = False
) -> str:
    """Write an image under the path `target`, to which a suffix is added, and return the suffix.

    JPEG and PNG files are copied as they are, unless their EXIF orientation turns them, which some programs ignore:
    these are encoded anew, as other files are (as PNG) and frames of videos (as JPEG).

    Args:
        target: the path without suffix.
        source: the file; None: a frame of a video.
        read_pixels: returns the pixels, uint8 [H, W, 3] RGB, where they are needed.
        is_jpeg: whether it becomes a JPEG file with the suffix .jpg, whatever it was.
    """
    given = ".jpg" if source is None else source.suffix.lower()
    suffix = ".jpg" if is_jpeg else given if given in COPIED else ".png"
    with written_whole(f"{os.fspath(target)}{suffix}") as unfinished:
        if source is not None and given in (JPEG if is_jpeg else COPIED) and _is_upright(source):
            shutil.copyfile(source, unfinished)
        else:
            Image.fromarray(read_pixels()).save(unfinished, quality=QUALITY, subsampling=0)
    return suffix


def _is_upright(path: Path) -> bool:
    stored = stored_image(path)
    return stored is not None and stored.orientation in (0, 1)


def write_cut_out(path: str | os.PathLike[str], pixels: Pixels, mask: Mask) -> None:
    """Write pixels (uint8 [H, W, 3] RGB) as PNG, transparent and black outside of a mask (bool [H, W])."""
    shown = np.where(mask[..., None], pixels, np.uint8(0))
    alpha = mask[..., None].astype(np.uint8) * 255
    with written_whole(path) as unfinished:
        Image.fromarray(np.concatenate([shown, alpha], axis=2)).save(unfinished, format="PNG")
