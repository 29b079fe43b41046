"""Objects looked at twice: in the whole image, and in an enlarged view of their surroundings.

What is small in its image is a few cells to the network; cut out and enlarged, it is as many as anything else. The
views are those of the zoom-in of f-BRS (Sofiiuk et al., CVPR 2020).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.masks.components import fill_enclosed_holes
from masklet.masks.geometry import Box, bounding_box
from masklet.masks.run_length import RunLength, encode_run_length
from masklet.masks.segmentation import Segmentation
from masklet.masks.views import REACH, View, crop_side, surroundings
from masklet.predictors.image_segmenter import EncodedImage, ImageSegmenter
from masklet.processing.post_processing import upscaled
from masklet.prompts.batches import PromptBatches
from masklet.prompts.point_labels import NOT_A_POINT
from masklet.prompts.prompt import Prompt


@dataclass(frozen=True, eq=False)
class ZoomableImage(EncodedImage):
    """An encoded image with its pixels [3, H, W], parts of which can be looked at from near."""

    pixels: Tensor


class ZoomingSegmenter(ImageSegmenter):
    """As `ImageSegmenter`, but small objects are segmented twice: in the image, and in a view of them from near.

    The first pass of `segment` is that class's. The second, at 1.4 times the longer side of the object's box
    (the one given, or else what the first look found), gets the same prompts and the logits of the first; a box alone
    stays alone, unless `multimask` chose its mask among three. Logits and scores of both are averaged.

    Objects that fill most of the image are left as they are. A second look costs an object what encoding an image
    costs. `candidates` are those of the first look.

    Example:
        >>> from masklet import ZoomingSegmenter
        >>> segmenter = ZoomingSegmenter.from_pretrained()
        >>> handle = segmenter.segment(segmenter.encode("assets/truck.jpg"), boxes=[(557, 266, 610, 287)])
        >>> handle.masks.shape
        (1, 683, 1024)
    """

    def encode(self, image: Any) -> ZoomableImage:
        """Encode an image as `ImageSegmenter.encode` does, and keep its pixels."""
        pixels = self._pixels(image).clone()  # the caller's may change before the second look
        encoded = self._encoded(pixels)
        return ZoomableImage(encoded.embeddings, encoded.height, encoded.width, pixels)

    @torch.inference_mode()
    def _answer(
        self, encoded: EncodedImage, batches: PromptBatches, multimask: bool | None, object_ids: Sequence[int]
    ) -> Segmentation:
        if not isinstance(encoded, ZoomableImage):
            raise InvalidInputError(f"Images are given to this class's encode(...), got {type(encoded).__name__}.")
        logits_nhw, scores_n = self._best(encoded, batches, multimask)
        looks = [
            self._looked_at(encoded, prompt, logits_hw.float(), score, bool(multimask))
            for prompt, logits_hw, score in zip(batches.prompts, logits_nhw, scores_n.float(), strict=True)
        ]
        return Segmentation.from_run_lengths(
            [look.run_length for look in looks],
            (encoded.height, encoded.width),
            scores=torch.stack([look.score for look in looks]).cpu().numpy(),
            object_ids=object_ids,
            low_resolution_logits=torch.stack([look.logits for look in looks]).cpu().numpy(),
        )

    def _looked_at(
        self, image: ZoomableImage, prompt: Prompt, logits_hw: Tensor, score: Tensor, is_one_of_three: bool
    ) -> "_Look":
        """What is found in the end of an object with the logits and the score of the first look."""
        whole = upscaled(logits_hw[None, None], (image.height, image.width))[0, 0]
        is_click = prompt.labels != NOT_A_POINT  # what is not one is there for the shape
        marks = Prompt(prompt.points[is_click], prompt.labels[is_click], prompt.box)
        view = _view_of(marks, whole)
        if view is None:
            return _Look(self._encoded_mask(whole, prompt), logits_hw, score)
        near = self._encoded(view.of(image.pixels))
        moved = marks.moved_to(view)
        is_box_alone = marks.box is not None and not len(marks.points) and prompt.mask is None
        if is_one_of_three or not is_box_alone:
            moved = moved.with_mask(_resized(view.of(whole), logits_hw.shape))
        near_logits, near_scores = self._best_of_batch(near, [moved], False)
        view.of(whole).lerp_(upscaled(near_logits[None].float(), (near.height, near.width))[0, 0], 0.5)
        mean_score = (score + near_scores[0].float()) / 2
        return _Look(self._encoded_mask(whole, prompt), _resized(whole, logits_hw.shape), mean_score)

    def _encoded_mask(self, whole: Tensor, prompt: Prompt) -> RunLength:
        """The mask of logits [H, W] as run lengths, without the holes that the checkpoint has filled."""
        share = self.runtime.config.max_hole_share
        filled = fill_enclosed_holes(whole[None], share, [prompt.negative_points])[0] > 0
        return encode_run_length(filled.cpu().numpy())


@dataclass(frozen=True, eq=False)
class _Look:
    """What is found of an object: a mask of the image, logits [h, w] to be fed back to the network, a score []."""

    run_length: RunLength
    logits: Tensor
    score: Tensor


def _view_of(prompt: Prompt, whole: Tensor) -> View | None:
    """From where to look again at an object with the logits [H, W]; None if that would show nothing new."""
    height, width = whole.shape
    extent = _extent(prompt, whole)
    if extent is None:
        return None
    side = crop_side(extent, REACH, height, width)
    if side is None:
        return None
    return View(*(round(edge) for edge in surroundings(extent, side, height, width)))


def _extent(prompt: Prompt, whole: Tensor) -> Box | None:
    """The box around the clicks on the object and what is boxed or, without a box, found; None if nothing is."""
    box = prompt.box if prompt.box is not None else bounding_box((whole > 0).cpu().numpy())
    if box is None:
        return None
    places = np.concatenate([np.reshape(box, (2, 2)), prompt.positive_points])
    places = places.clip(0, whole.shape[::-1])  # boxes may reach out of the image
    (left, top), (right, bottom) = places.min(0).tolist(), places.max(0).tolist()
    return left, top, right, bottom


def _resized(logits_hw: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(logits_hw[None, None], size, mode="bilinear", antialias=True)[0, 0]
