"""From points to the masks that the network gives for them, a few at a time."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from masklet.automask.point_grid import Points
from masklet.automask.settings import AutomaticMaskSettings
from masklet.masks.logits import fed_back
from masklet.prompts.point_labels import POSITIVE
from masklet.runtimes.candidates import ALL, candidates_above
from masklet.runtimes.protocol import CandidateMasks, ImageFeatures, ImageRuntime

_MOST_ON_A_PROCESSOR = 32
"""Prompts decoded together on a processor, whatever is asked for: more of them take memory and no less time."""


class PointDecoder:
    """Decodes points of an image, or of a crop of it.

    Args:
        runtime: the network.
        features: of the image, marked as one without memory.
        settings: how many masks a point, above which predicted IoU, and whether they are refined.
    """

    def __init__(self, runtime: ImageRuntime, features: ImageFeatures, settings: AutomaticMaskSettings) -> None:
        self._runtime = runtime
        self._features = features
        self._settings = settings
        self._together = settings.points_per_batch
        if runtime.device.type == "cpu":
            self._together = min(self._together, _MOST_ON_A_PROCESSOR)

    @property
    def masks_per_point(self) -> int:
        """How many candidates a point gives."""
        return self._runtime.config.mask_decoder_config.num_multimask_outputs if self._settings.multimask_output else 1

    def decoded(self, points: Points) -> Iterator[CandidateMasks]:
        """Yield the masks above the threshold of predicted IoU, of some points at a time.

        Args:
            points: [n, 2] (x, y) in 0..1 of the image.
        """
        for start in range(0, len(points), self._together):
            for found in self._candidates(points[start : start + self._together]):
                yield found._replace(prompts=found.prompts + start)

    def _candidates(self, points: Points) -> Iterator[CandidateMasks]:
        settings = self._settings
        least_iou = settings.pred_iou_thresh if settings.pred_iou_thresh > 0 else ALL
        inputs = torch.from_numpy(np.float32(points * self._runtime.config.image_size)).to(self._runtime.device)
        if not settings.use_m2m:
            yield self._above(inputs, least_iou, None, settings.multimask_output)
            return
        coarse = self._above(inputs, ALL, None, settings.multimask_output)
        for start in range(0, len(coarse.iou), self._together):
            logits, prompts = (each[start : start + self._together] for each in (coarse.logits, coarse.prompts))
            refined = self._above(inputs[prompts], least_iou, fed_back(logits), multimask=False)
            yield refined._replace(prompts=prompts[refined.prompts])

    def _above(
        self, inputs_n2: Tensor, least_iou: float, mask_logits: Tensor | None, multimask: bool
    ) -> CandidateMasks:
        labels = torch.full((len(inputs_n2), 1), POSITIVE, device=inputs_n2.device)
        points = inputs_n2.unsqueeze(1)
        return candidates_above(
            self._runtime, self._features, points, labels, least_iou, mask_logits, multimask=multimask
        )
