"""A world of squares, each of a shade of its own, and a runtime that is no network and knows objects by their shade."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from tests.support.small_video_models import video_config
from torch import Tensor

from masklet import EncodedImage, Sam2Processor, Segmentation, VideoTracker
from masklet.runtimes.protocol import ImageFeatures, MaskOutputs, ObjectMemory

SIZE = 64  # of frames, in pixels
CELL = 4  # pixels; everything in the world is made of such cells

Place = tuple[int, int] | None  # of a square's first column and row, in pixels; None: it is not there


class ShadeRuntime:
    """Finds what has the shade of an object: that of its prompt, or the one remembered of it."""

    def __init__(self) -> None:
        self.config = video_config(image_size=SIZE)
        self.device, self.dtype = torch.device("cpu"), torch.float32
        self.fingerprint = hashlib.sha256(b"shades").hexdigest()
        self.no_object_pointer = torch.zeros(1, 64)
        self.encoded = 0

    def encode_image(self, pixel_values: Tensor) -> ImageFeatures:
        self.encoded += 1
        shades = F.avg_pool2d(pixel_values.mean(1, keepdim=True), CELL)
        return ImageFeatures(shades, F.avg_pool2d(shades, 2), F.pixel_unshuffle(shades, 4))

    def without_memory(self, features: ImageFeatures) -> ImageFeatures:
        return features

    def condition(self, stride16: Tensor, memory: ObjectMemory) -> Tensor:
        return stride16 if memory.is_empty else memory.features[:, 0, :1, :1, None].expand(-1, -1, 4, 4)

    def decode(
        self,
        features: ImageFeatures,
        points: Tensor | None = None,
        labels: Tensor | None = None,
        mask_logits: Tensor | None = None,
    ) -> MaskOutputs:
        if points is not None:
            column, row = (points[:, 0] / CELL).long().unbind(-1)
            shade = features.stride4[0, 0, row, column]
        elif mask_logits is not None:
            shade = self._shade_of(features.stride4, mask_logits)
        else:
            shade = features.stride16[:, 0, 0, 0]
        logits = (1 - 100 * (features.stride4 - shade.view(-1, 1, 1, 1)).abs()).clamp(min=-1).expand(-1, 4, -1, -1)
        present = logits[:, 0].amax((1, 2))
        return MaskOutputs(logits, torch.full((len(shade), 4), 0.9), present, shade.view(-1, 1, 1).expand(-1, 4, 64))

    def embed_mask(self, masks: Tensor) -> Tensor:
        return F.avg_pool2d(masks, CELL) * 2 - 1

    def encode_memory(self, stride16: Tensor, logits: Tensor, object_score: Tensor, binarize: Tensor) -> Tensor:
        return self._shade_of(F.pixel_shuffle(stride16, 4), logits).view(-1, 1, 1).expand(-1, 16, 32)

    def _shade_of(self, shades: Tensor, logits: Tensor) -> Tensor:
        inside = logits.unsqueeze(1) > 0
        return (shades * inside).sum((1, 2, 3)) / inside.sum((1, 2, 3)).clamp(min=1)


class ShadeFinder:
    """Finds every square of a frame that is not known altogether; `searched` are the frames' numbers of squares."""

    def __init__(self) -> None:
        self.searched: list[list[int]] = []

    def generate_encoded(self, encoded: EncodedImage, *, known: Segmentation | None = None) -> Segmentation:
        shades = (encoded.embeddings.stride4[0, 0] * 1000).round().long().numpy()
        ground = np.bincount(shades.ravel() - shades.min()).argmax() + shades.min()
        covered = np.zeros((SIZE, SIZE), bool) if known is None else known.masks.any(axis=0)
        masks = []
        for shade in np.unique(shades[shades != ground]).tolist():
            mask = np.kron(shades == shade, np.ones((CELL, CELL), bool))
            if (mask & ~covered).any():
                masks.append(mask)
        self.searched.append([int(np.count_nonzero(mask)) for mask in masks])
        found = np.array(masks, bool).reshape(-1, SIZE, SIZE)
        return Segmentation(found, np.linspace(0.9, 0.8, len(found)), range(1, len(found) + 1))


def shade_tracker() -> VideoTracker:
    """A tracker of this world."""
    return VideoTracker(ShadeRuntime(), Sam2Processor(size=SIZE))


def world(
    squares: Mapping[int, Sequence[Place]], *, side: int = 16, ground: Sequence[int] | int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return frames uint8 [T, SIZE, SIZE, 3] and masks bool [T, squares, SIZE, SIZE] of squares by their shade.

    Later squares hide earlier ones; `ground` is the shade behind them, of each frame or of all.
    """
    count = max(map(len, squares.values()), default=len(ground) if isinstance(ground, Sequence) else 1)
    frames = np.zeros((count, SIZE, SIZE, 3), np.uint8)
    masks = np.zeros((count, len(squares), SIZE, SIZE), bool)
    for number in range(count):
        frames[number] = ground if isinstance(ground, int) else ground[number]
        for row, (shade, places) in enumerate(squares.items()):
            if (place := places[number]) is not None:
                x, y = place
                frames[number, y : y + side, x : x + side] = shade
                masks[number, :, y : y + side, x : x + side] = False
                masks[number, row, y : y + side, x : x + side] = True
    return frames, masks
