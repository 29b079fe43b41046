"""Photographs as backdrops and swatches of materials, from the folders that training takes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from masklet.datasets.scenes.bank import IMAGE_SUFFIXES, LABEL_FOLDER, bounded, cut_swatch_sheet, read_rgb
from masklet.datasets.scenes.cutouts import transparent_cutouts
from masklet.errors import InvalidInputError

SMALLEST_SIDE = 200  # of a backdrop


def swatches_and_backdrops(folders: Sequence[Path]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Every swatch and every opaque photograph below the folders; InvalidInputError where one of both is missing."""
    swatches: list[np.ndarray] = []
    backdrops: list[np.ndarray] = []
    for path in sorted(each for folder in folders for each in folder.rglob("*")):
        is_image = path.suffix.lower() in IMAGE_SUFFIXES and LABEL_FOLDER not in path.parts
        if not is_image or transparent_cutouts(path) is not None:
            continue
        image = read_rgb(path)
        pieces = cut_swatch_sheet(image)
        swatches.extend(pieces)
        if not pieces and min(image.shape[:2]) >= SMALLEST_SIDE:
            backdrops.append(bounded(image))
    if not swatches or not backdrops:
        raise InvalidInputError(
            f"{len(swatches)} swatches and {len(backdrops)} photographs below {', '.join(map(str, folders))}; "
            "at least one of each is needed."
        )
    return swatches, backdrops
