"""Objects looked at twice: in the whole picture, and in an enlarged view of their surroundings.

What is small in its picture is a few cells to the network; cut out and enlarged, it is as many as anything else. The
views are those of the zoom-in of f-BRS (Sofiiuk et al., CVPR 2020).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.masks.components import fill_enclosed_holes
from masklet.masks.geometry import Box, bounding_box, longer_side, surroundings
from masklet.masks.run_length import RunLength, encode_run_length
from masklet.masks.segmentation import Segmentation, as_object_ids
from masklet.predictors.image_segmenter import EncodedImage, Floats, ImageSegmenter
from masklet.processing.post_processing import upscaled
from masklet.prompts.point_labels import NEGATIVE, POSITIVE

REACH = 1.4  # a view's side, in longer sides of its object's box
SMALLEST_SIDE = 32.0  # pixels of the picture: less is nothing but blur
LARGEST_SHARE = 0.8  # of both sides of the picture: a larger view would show much the same


@dataclass(frozen=True, eq=False)
class ZoomableImage(EncodedImage):
    """An encoded picture with its pixels [3, H, W], parts of which can be looked at from near."""

    pixels: Tensor


class ZoomingSegmenter(ImageSegmenter):
    """As `ImageSegmenter`, but small objects are segmented twice: in the picture, and in a view of them from near.

    The first look of `segment` answers as that class does. The second, at 1.4 times the longer side of the object's box
    (the one given, or else what the first look found), gets the same prompts and the logits of the first; a box alone
    stays alone, unless `multimask` chose its mask among three. Logits and scores of both are averaged.

    Objects that fill most of the picture are left as they are. A second look costs an object what encoding a picture
    costs. `candidates` are those of the first look.
    """

    def encode(self, image: Any) -> ZoomableImage:
        """Encode a picture as `ImageSegmenter.encode` does, and keep its pixels."""
        pixels = self._pixels(image).clone()  # the caller's may change before the second look
        encoded = self._encoded(pixels)
        return ZoomableImage(encoded.embeddings, encoded.height, encoded.width, pixels)

    @torch.inference_mode()
    def _answer(
        self,
        encoded: EncodedImage,
        prompts: Mapping[str, Any],
        multimask: bool | None,
        object_ids: Sequence[int] | None,
    ) -> Segmentation:
        if not isinstance(encoded, ZoomableImage):
            raise InvalidInputError(f"Pictures are given to this class's encode(...), got {type(encoded).__name__}.")
        logits_n1hw, scores_n1 = self._best(encoded, multimask, **prompts)
        looks = [
            self._looked_at(encoded, _Said.of_object(number, prompts), logits_1hw[0].float(), score, bool(multimask))
            for number, (logits_1hw, score) in enumerate(zip(logits_n1hw, scores_n1[:, 0].float(), strict=True))
        ]
        return Segmentation.from_run_lengths(
            [look.run_length for look in looks],
            (encoded.height, encoded.width),
            scores=torch.stack([look.score for look in looks]).cpu().numpy(),
            object_ids=as_object_ids(range(1, len(looks) + 1) if object_ids is None else object_ids),
            low_resolution_logits=torch.stack([look.logits for look in looks]).cpu().numpy(),
        )

    def _looked_at(
        self, image: ZoomableImage, said: "_Said", logits_hw: Tensor, score: Tensor, is_one_of_three: bool
    ) -> "_Look":
        """What is found in the end of an object with the logits and the score of the first look."""
        whole = upscaled(logits_hw[None, None], (image.height, image.width))[0, 0]
        view = said.view(whole)
        if view is None:
            return _Look(self._encoded_mask(whole, said), logits_hw, score)
        near = self._encoded(view.of(image.pixels))
        prompts = said.in_view(view)
        if is_one_of_three or not said.is_box_alone:
            prompts["masks"] = _resized(view.of(whole), logits_hw.shape)[None].cpu().numpy()
        near_logits, near_scores = self._best(near, False, **prompts)
        view.of(whole).lerp_(upscaled(near_logits.float(), (near.height, near.width))[0, 0], 0.5)
        mean_score = (score + near_scores[0, 0].float()) / 2
        return _Look(self._encoded_mask(whole, said), _resized(whole, logits_hw.shape), mean_score)

    def _encoded_mask(self, whole: Tensor, said: "_Said") -> RunLength:
        """The mask of logits [H, W] as run lengths, without the holes that the checkpoint has filled."""
        share = self.model.config.max_hole_share
        kept_open = [said.points[said.labels == NEGATIVE]]
        return encode_run_length((fill_enclosed_holes(whole[None], share, kept_open)[0] > 0).cpu().numpy())


@dataclass(frozen=True, eq=False)
class _Look:
    """What is found of an object: a mask of the image, logits [h, w] to be fed back to the network, a score []."""

    run_length: RunLength
    logits: Tensor
    score: Tensor


def _resized(logits_hw: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(logits_hw[None, None], size, mode="bilinear", antialias=True)[0, 0]


@dataclass(frozen=True)
class _View:
    """A part of a picture, in whole pixels."""

    left: int
    top: int
    right: int
    bottom: int

    def of(self, values: Tensor) -> Tensor:
        """What it shows of values [..., H, W]; not a copy."""
        return values[..., self.top : self.bottom, self.left : self.right]

    def shows(self, points: Floats) -> npt.NDArray[np.bool_]:
        """Which of points [n, 2] lie in it or on its edges: [n]."""
        return np.asarray(((points >= (self.left, self.top)) & (points <= (self.right, self.bottom))).all(-1))

    def places(self, points: Floats) -> Floats:
        """Points [n, 2] in its own pixels."""
        return points - np.array([self.left, self.top], points.dtype)


@dataclass(frozen=True, eq=False)
class _Said:
    """What was said of one object: points [n, 2] with labels [n], corners of a box [2, 2] or None, a mask or not."""

    points: Floats
    labels: npt.NDArray[np.integer]
    corners: Floats | None
    has_mask: bool

    @classmethod
    def of_object(cls, number: int, given: Mapping[str, Any]) -> Self:
        """From the arguments of `segment`, once the first look has accepted them."""
        points = [] if given["points"] is None else given["points"][number]
        points_n2 = np.asarray(points, np.float32).reshape(-1, 2)
        is_labelled = given["points"] is not None and given["labels"] is not None
        labels = given["labels"][number] if is_labelled else [POSITIVE] * len(points_n2)
        boxes = given["boxes"]
        corners = None if boxes is None else np.asarray(boxes, np.float32).reshape(-1, 2, 2)[number]
        labels_n = np.asarray(labels, np.int64).reshape(-1)
        is_click = labels_n >= NEGATIVE  # others are there for the shape
        return cls(points_n2[is_click], labels_n[is_click], corners, given["masks"] is not None)

    @property
    def is_box_alone(self) -> bool:
        """Whether there is nothing but a box."""
        return self.corners is not None and not len(self.points) and not self.has_mask

    def view(self, whole: Tensor) -> _View | None:
        """From where to look again at an object with the logits [H, W]; None if that would show nothing new."""
        height, width = whole.shape
        extent = self._extent(whole)
        if extent is None:
            return None
        side = max(REACH * longer_side(extent), SMALLEST_SIDE)
        if side > LARGEST_SHARE * width and side > LARGEST_SHARE * height:
            return None
        return _View(*(round(edge) for edge in surroundings(extent, side, height, width)))

    def in_view(self, view: _View) -> dict[str, Any]:
        """The points and the box as arguments of the second look."""
        prompts: dict[str, Any] = {}
        is_shown = view.shows(self.points)
        if is_shown.any():
            prompts |= {"points": [view.places(self.points[is_shown])], "labels": [self.labels[is_shown]]}
        if self.corners is not None:
            prompts["boxes"] = view.places(self.corners).reshape(1, 4)
        return prompts

    def _extent(self, whole: Tensor) -> Box | None:
        """The box around the clicks on the object and what is boxed or, without a box, found; None if nothing is."""
        corners = self.corners
        if corners is None:
            box = bounding_box((whole > 0).cpu().numpy())
            if box is None:
                return None
            corners = np.reshape(box, (2, 2))
        places = np.concatenate([corners, self.points[self.labels == POSITIVE]])
        places = places.clip(0, whole.shape[::-1])  # boxes may reach out of the picture
        (left, top), (right, bottom) = places.min(0).tolist(), places.max(0).tolist()
        return left, top, right, bottom
