"""The seam between the network and all that uses it: verbs without state, tensors in, tensors out.

A `VideoNetwork` is such a runtime as it is. Dimensions: n objects, k points, c channels, h * w cells of the deepest
level, S = 16h pixels of the network's input; m channels of a memory.
"""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from masklet.configuration import Sam2Config
from masklet.modeling.object_memory import ObjectMemory
from masklet.modeling.values import CandidateMasks, ImageFeatures, MaskOutputs

__all__ = [
    "CandidateMasks",
    "CandidateRuntime",
    "ImageFeatures",
    "ImageRuntime",
    "MaskOutputs",
    "ObjectMemory",
    "Runtime",
]
MOST_DECODED = 16
"""Objects that a graph is given at once on a processor: more take memory, and no less time."""


class ImageRuntime(Protocol):
    """What segmenting an image takes."""

    @property
    def config(self) -> Sam2Config:
        """The settings of the network."""

    @property
    def device(self) -> torch.device:
        """Where it computes: all arguments are there."""

    @property
    def dtype(self) -> torch.dtype:
        """The number type that it computes in."""

    @property
    def fingerprint(self) -> str:
        """What distinguishes its numbers from those of another model: settings and weights."""

    def encode_image(self, pixel_values: Tensor) -> ImageFeatures:
        """Encode an image [1, 3, S, S]."""

    def without_memory(self, features: ImageFeatures) -> ImageFeatures:
        """Mark an image of its own as one without memory: what `decode` takes for it."""

    def decode(
        self,
        features: ImageFeatures,
        points: Tensor | None = None,
        labels: Tensor | None = None,
        mask_logits: Tensor | None = None,
    ) -> MaskOutputs:
        """Decode the masks of n objects.

        Args:
            features: of one image; stride16 [1, c, h, w] is shared by all objects, [n, c, h, w] has one for each.
            points: [n, k, 2] (x, y), pixels of the network's input; None: objects are found by memory or mask alone.
            labels: [n, k]: 1 on the object, 0 off it, 2 and 3 the corners of a box, -1 no point, -10 padding.
            mask_logits: [n, 4h, 4w], of an earlier output or from `embed_mask`; None: nothing is known of the masks.
        """


@runtime_checkable
class CandidateRuntime(Protocol):
    """What makes automatic masks quicker, where a runtime has it: `runtimes/candidates.py` does without."""

    def decode_above(
        self,
        features: ImageFeatures,
        points: Tensor,
        labels: Tensor,
        least_iou: float,
        mask_logits: Tensor | None = None,
        *,
        multimask: bool = True,
    ) -> CandidateMasks:
        """Decode the masks of n objects of one image as `decode` does, but only those above a bound of predicted IoU.

        Args:
            features: of one image.
            points: [n, k, 2].
            labels: [n, k].
            least_iou: the bound, which itself is not above it.
            mask_logits: [n, 4h, 4w] or None.
            multimask: outputs 1 to 3; False: output 0.
        """


class Runtime(ImageRuntime, Protocol):
    """What tracking objects through a video takes."""

    @property
    def no_object_pointer(self) -> Tensor:
        """The pointer [1, c] of an absent object, which `decode` gives, too."""

    def condition(self, stride16: Tensor, memory: ObjectMemory) -> Tensor:
        """Condition a frame [1 or n, c, h, w] on the memories of n objects: [n, c, h, w].

        Without any memory the result stays [1, c, h, w] where the frame is.
        """

    def embed_mask(self, masks: Tensor) -> Tensor:
        """Turn mask prompts [n, S, S] in 0..1 into mask logits [n, 4h, 4w] for `decode`."""

    def encode_memory(self, stride16: Tensor, logits: Tensor, object_score: Tensor, binarize: Tensor) -> Tensor:
        """Encode the memories of n objects on a frame: [n, h * w, m].

        Args:
            stride16: [1 or n, c, h, w] as `encode_image` gives it.
            logits: [n, 4h, 4w], the masks.
            object_score: [n] logits.
            binarize: bool [n]: whether the mask counts as certain, 0 or 1 everywhere.
        """
