"""The frames of a clip (or one image) and their masks, augmented alike and brought to the network's square."""

from collections.abc import Sequence

import numpy as np

from masklet.datasets.augmentation.looks import Look, random_colours, random_look
from masklet.datasets.augmentation.settings import Augmentation
from masklet.datasets.augmentation.views import AffineView, random_view, whole_view
from masklet.datasets.scenes.generator import SMALLEST_AREA
from masklet.datasets.scenes.layers import ByteArray, MaskArray

ATTEMPTS = 4


def augmented(
    rng: np.random.Generator,
    images: Sequence[ByteArray],
    masks: Sequence[MaskArray],
    side: int,
    augmentation: Augmentation,
) -> tuple[ByteArray, MaskArray]:
    """Augment all frames by one view and one look, and vary colours a little from frame to frame.

    `images` are the frames uint8 [H, W, 3] and `masks` their objects bool [N, H, W]; returned are uint8 [frames,
    side, side, 3] and bool [frames, N, side, side]. Of several random views the first is taken that shows an object on
    the first frame; where none does, the whole image.
    """
    is_mosaic = rng.random() < augmentation.mosaic
    view = _view_of_an_object(rng, masks[0], -(-side // 2) if is_mosaic else side, augmentation)
    look = random_look(rng, augmentation)
    frames = np.stack([_frame_look(rng, look, augmentation).of(view.image(image)) for image in images])
    seen = np.stack([view.masks(each) for each in masks])
    return _mosaic(rng, frames, seen, side) if is_mosaic else (frames, seen)


def _view_of_an_object(rng: np.random.Generator, masks: MaskArray, side: int, augmentation: Augmentation) -> AffineView:
    height, width = masks.shape[1:]
    for _ in range(ATTEMPTS):
        view = random_view(rng, height, width, side, augmentation)
        if any(np.count_nonzero(view.masks(mask[None])) >= SMALLEST_AREA for mask in masks):
            return view
    return whole_view(height, width, side)


def _frame_look(rng: np.random.Generator, look: Look, augmentation: Augmentation) -> Look:
    return Look(random_colours(rng, augmentation.frame_colours) @ look.colours, look.blur)


def _mosaic(rng: np.random.Generator, frames: ByteArray, masks: MaskArray, side: int) -> tuple[ByteArray, MaskArray]:
    """Repeat the clip in a grid of two by two, `side` pixels wide; the masks are those of one of the four."""
    tiled = np.tile(frames, (1, 2, 2, 1))[:, :side, :side]
    half = masks.shape[-1]
    canvas = np.zeros((*masks.shape[:2], 2 * half, 2 * half), bool)
    top, left = rng.integers(0, 2, 2) * half
    canvas[..., top : top + half, left : left + half] = masks
    return tiled, canvas[..., :side, :side]
