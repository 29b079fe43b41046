"""Crop refinement: objects segmented in the whole image, then again in an enlarged crop around them.

What is small in its image is a few cells to the network; cut out and enlarged, it is as many as anything else. The
views are those of the zoom-in of f-BRS (Sofiiuk et al., CVPR 2020).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.masks.components import fill_enclosed_holes
from masklet.masks.geometry import bounding_box
from masklet.masks.run_length import RunLength, encode_run_length
from masklet.masks.segmentation import Segmentation
from masklet.masks.views import REACH, View, view_about
from masklet.predictors.image_segmenter import EncodedImage, ImageSegmenter
from masklet.processing.post_processing import upscaled
from masklet.prompts.batches import PromptBatches
from masklet.prompts.extent import prompted_extent
from masklet.prompts.point_labels import NOT_A_POINT
from masklet.prompts.prompt import Prompt


@dataclass(frozen=True, eq=False)
class ZoomableImage(EncodedImage):
    """An encoded image with its pixels [3, H, W], from which crops are taken."""

    pixels: Tensor


class ZoomingSegmenter(ImageSegmenter):
    """As `ImageSegmenter`, with crop refinement: small objects are segmented again in an enlarged crop.

    The first pass of `segment` is that class's. The second, in a crop with 1.4 times the longer side of the object's
    box (the one given, or else that of the first mask), gets the same prompts and the logits of the first; a box alone
    stays alone, unless `multimask` chose its mask among three. Logits and scores of both are averaged.

    Objects that fill most of the image are left as they are. Refining an object takes as long as encoding an image.
    `candidates` are those of the first pass.

    Example:
        >>> from masklet import ZoomingSegmenter
        >>> segmenter = ZoomingSegmenter.from_pretrained()
        >>> handle = segmenter.segment(segmenter.encode("assets/truck.jpg"), boxes=[(557, 266, 610, 287)])
        >>> handle.masks.shape
        (1, 683, 1024)
    """

    def encode(self, image: Any) -> ZoomableImage:
        """Encode an image as `ImageSegmenter.encode` does, and keep its pixels."""
        pixels = self._pixels(image).clone()  # the caller's may change before the second pass
        encoded = self._encoded(pixels)
        return ZoomableImage(encoded.embeddings, encoded.height, encoded.width, pixels)

    @torch.inference_mode()
    def _answer(
        self, encoded: EncodedImage, batches: PromptBatches, multimask: bool | None, object_ids: Sequence[int]
    ) -> Segmentation:
        if not isinstance(encoded, ZoomableImage):
            raise InvalidInputError(f"Images are given to this class's encode(...), got {type(encoded).__name__}.")
        logits_nhw, scores_n = self._best(encoded, batches, multimask)
        refined = [
            self._refined(encoded, prompt, logits_hw.float(), score, bool(multimask))
            for prompt, logits_hw, score in zip(batches.prompts, logits_nhw, scores_n.float(), strict=True)
        ]
        return Segmentation.from_run_lengths(
            [each.run_length for each in refined],
            (encoded.height, encoded.width),
            scores=torch.stack([each.score for each in refined]).cpu().numpy(),
            object_ids=object_ids,
            low_resolution_logits=torch.stack([each.logits for each in refined]).cpu().numpy(),
        )

    def _refined(
        self, image: ZoomableImage, prompt: Prompt, logits_hw: Tensor, score: Tensor, is_one_of_three: bool
    ) -> "_Refined":
        """Return the refined mask of an object with the logits and the score of the first pass."""
        whole = upscaled(logits_hw[None, None], (image.height, image.width))[0, 0]
        is_click = prompt.labels != NOT_A_POINT  # what is not one is there for the shape
        marks = Prompt(prompt.points[is_click], prompt.labels[is_click], prompt.box)
        view = _view_of(marks, whole)
        if view is None:
            return _Refined(self._encoded_mask(whole, prompt), logits_hw, score)
        near = self._encoded(view.of(image.pixels))
        moved = marks.moved_to(view)
        is_box_alone = marks.box is not None and not len(marks.points) and prompt.mask is None
        if is_one_of_three or not is_box_alone:
            moved = moved.with_mask(_resized(view.of(whole), logits_hw.shape))
        near_logits, near_scores = self._best_of_batch(near, [moved], False)
        view.of(whole).lerp_(upscaled(near_logits[None].float(), (near.height, near.width))[0, 0], 0.5)
        mean_score = (score + near_scores[0].float()) / 2
        return _Refined(self._encoded_mask(whole, prompt), _resized(whole, logits_hw.shape), mean_score)

    def _encoded_mask(self, whole: Tensor, prompt: Prompt) -> RunLength:
        """Encode the mask of logits [H, W] as run lengths, without the holes that the checkpoint has filled."""
        share = self.runtime.config.max_hole_share
        filled = fill_enclosed_holes(whole[None], share, [prompt.negative_points])[0] > 0
        return encode_run_length(filled.cpu().numpy())


@dataclass(frozen=True, eq=False)
class _Refined:
    """A mask of the image after refinement, its logits [h, w] as a later mask prompt, and its score []."""

    run_length: RunLength
    logits: Tensor
    score: Tensor


def _view_of(prompt: Prompt, whole: Tensor) -> View | None:
    """Return the crop that refines an object with the logits [H, W]; None if it would show nothing new."""
    height, width = whole.shape
    found = None if prompt.box is not None else bounding_box((whole > 0).cpu().numpy())
    extent = prompted_extent(prompt, found, height, width)
    return None if extent is None else view_about(extent, REACH, height, width)


def _resized(logits_hw: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(logits_hw[None, None], size, mode="bilinear", antialias=True)[0, 0]
