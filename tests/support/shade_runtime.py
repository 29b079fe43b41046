"""A runtime that is no network: some forty lines of arithmetic on shades of grey."""

import hashlib

import torch
import torch.nn.functional as F
from tests.support.small_video_models import video_config
from torch import Tensor

from masklet.runtimes.protocol import ImageFeatures, MaskOutputs, ObjectMemory

SIZE = 64  # of images, in pixels
CELL = 4  # pixels, of which one logit is made


class ShadeRuntime:
    """Finds what has the shade of an object: that of its click, or the one remembered of it.

    The larger its `sharpness`, the less may a shade differ.
    """

    def __init__(self, sharpness: float = 100) -> None:
        self.sharpness = sharpness
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
        differences = (features.stride4 - shade.view(-1, 1, 1, 1)).abs()
        logits = (1 - self.sharpness * differences).clamp(min=-1).expand(-1, 4, -1, -1)
        present = logits[:, 0].amax((1, 2))
        return MaskOutputs(logits, torch.full((len(shade), 4), 0.9), present, shade.view(-1, 1, 1).expand(-1, 4, 64))

    def embed_mask(self, masks: Tensor) -> Tensor:
        return F.avg_pool2d(masks, CELL) * 2 - 1

    def encode_memory(self, stride16: Tensor, logits: Tensor, object_score: Tensor, binarize: Tensor) -> Tensor:
        return self._shade_of(F.pixel_shuffle(stride16, 4), logits).view(-1, 1, 1).expand(-1, 16, 32)

    def _shade_of(self, shades: Tensor, logits: Tensor) -> Tensor:
        inside = logits.unsqueeze(1) > 0
        return (shades * inside).sum((1, 2, 3)) / inside.sum((1, 2, 3)).clamp(min=1)
