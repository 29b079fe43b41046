"""How far the masks of a runtime that rounds are those of the network: what decides whether it may be used."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from masklet.errors import InvalidInputError
from masklet.masks.overlap import intersection_over_union
from masklet.media.frame_folders import frames_of_folder
from masklet.media.image_files import opened_image
from masklet.media.images import read_image
from masklet.predictors.image_segmenter import ImageSegmenter

LEAST = 0.97
"""Mean IoU of the masks of boxes with the network's."""
CLICKS = 4  # along each side of an image
LEAST_AREA = 100  # pixels of a mask whose box is asked for
MOST_IMAGES = 64  # more add nothing to ranges and agreement but time


def image_files(given: Sequence[Path]) -> list[Path]:
    """Return the images among files and folders, at most 64, spread over all of them.

    Raises:
        InvalidInputError: if there are none.
        UnreadableImageError: if one of them is no image.
    """
    files = [file for path in given for file in (frames_of_folder(path) if path.is_dir() else [path])]
    if not files:
        raise InvalidInputError(f"--calibrate takes images or folders of images; got {', '.join(map(str, given))}.")
    chosen = files[:: -(-len(files) // MOST_IMAGES)]
    for each in chosen:
        with opened_image(each):
            pass
    return chosen


def mask_agreement(network: ImageSegmenter, rounded: ImageSegmenter, images: Sequence[Path]) -> float:
    """Return the mean IoU of the masks of both for boxes: those of what the network finds at a grid of clicks."""
    agreement = []
    for path in images:
        image = read_image(path)
        exact, other = network.encode(image), rounded.encode(image)
        found = network.segment(exact, points=_grid(image.width, image.height))
        boxes = found.boxes[found.areas >= LEAST_AREA]
        pairs = (network.segment(exact, boxes=boxes), rounded.segment(other, boxes=boxes))
        agreement += [intersection_over_union(*(each.mask(place) for each in pairs)) for place in range(len(boxes))]
    if not agreement:
        raise InvalidInputError("The network finds nothing in the images of --calibrate; give others.")
    return float(np.mean(agreement))


def check_agreement(agreement: float) -> None:
    """Raise InvalidInputError if masks agree too little."""
    if agreement < LEAST:
        raise InvalidInputError(
            f"Rounded, the masks agree with the network's by a mean IoU of {agreement:.3f}; at least {LEAST} is "
            "needed. Nothing was written."
        )


def _grid(width: int, height: int) -> list[list[tuple[float, float]]]:
    places = [(index + 0.5) / CLICKS for index in range(CLICKS)]
    return [[(x * width, y * height)] for y in places for x in places]
