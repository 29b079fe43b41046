"""What goes into the network's verbs and comes out of them, beside `ObjectMemory`: tensors by name.

Dimensions: b images, n objects, c channels, h * w cells of the deepest level (image size / 16), 4 outputs an object.
"""

from typing import NamedTuple

from torch import Tensor


class ImageFeatures(NamedTuple):
    """The levels of b images, high to low resolution; the two finer ones are projected for the mask decoder.

    Attributes:
        stride4: [b, c / 8, 4h, 4w].
        stride8: [b, c / 4, 2h, 2w].
        stride16: [b, c, h, w]; [n, c, h, w] once it is conditioned on the memories of n objects.
    """

    stride4: Tensor
    stride8: Tensor
    stride16: Tensor

    def conditioned(self, stride16: Tensor) -> "ImageFeatures":
        """Return these features with the deepest level as `condition` returned it."""
        return self._replace(stride16=stride16)


class MaskOutputs(NamedTuple):
    """All that the decoder returns for n objects: output 0 for prompts without ambiguity, outputs 1 to 3 for others.

    Where several images are decoded at once, an axis of images stands before that of the objects.

    Attributes:
        logits: [n, 4, 4h, 4w].
        iou: [n, 4], predicted, in 0..1.
        object_score: [n], logits: the object is in the image above 0.
        pointers: [n, 4, c]; of an absent object the one that stands for it. A model for images only has none, c = 0.
    """

    logits: Tensor
    iou: Tensor
    object_score: Tensor
    pointers: Tensor


class CandidateMasks(NamedTuple):
    """The masks of n prompts that are good enough, m of them, prompt by prompt.

    Attributes:
        logits: [m, 4h, 4w].
        iou: [m], predicted.
        prompts: int64 [m], which of the n prompts each answers.
    """

    logits: Tensor
    iou: Tensor
    prompts: Tensor

    @classmethod
    def above(cls, least_iou: float, logits: Tensor, iou: Tensor) -> "CandidateMasks":
        """Return those above a bound of logits [n, k, 4h, 4w] and predicted IoU [n, k]."""
        is_above = iou.float() > least_iou
        return cls(logits[is_above], iou[is_above], is_above.nonzero()[:, 0])
