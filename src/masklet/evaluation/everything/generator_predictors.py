"""Automatic masks of a model behind the evaluation's interface, as delivered and as proposals."""

from dataclasses import fields

import numpy as np

from masklet.automask.masks import AutomaticMasks
from masklet.automask.selection import ranking
from masklet.masks.segmentation import Segmentation
from masklet.media.images import Pixels
from masklet.predictors.automatic_mask_generator import AutomaticMaskGenerator

PROPOSAL_SETTINGS = {"pred_iou_thresh": 0.0, "stability_score_thresh": 0.0, "box_nms_thresh": 0.9}


class DeliveredMasks:
    """The masks that a generator gives with its settings, the best first (`ranking`)."""

    def __init__(self, generator: AutomaticMaskGenerator, name: str = "masklet") -> None:
        self.name = name
        self._generator = generator

    @property
    def fingerprint(self) -> str:
        """A hash of the weights, and the settings."""
        return f"{self._generator.runtime.fingerprint} {self._generator.settings}"

    def segment(self, image: Pixels) -> Segmentation:
        """Return the masks of `image` (RGB, uint8 [H, W, 3]), the best first."""
        found: AutomaticMasks = self._generator.generate(image)
        return found.taken(np.argsort(-self._ranking(found), kind="stable"))

    def _ranking(self, found: AutomaticMasks) -> np.ndarray:
        return ranking(found)


class Proposals(DeliveredMasks):
    """All masks of the same points, but for near duplicates: what could be delivered by other thresholds.

    As the SAM paper measures proposals: no thresholds, suppression above a box IoU of .9, the best first by the mean of
    predicted IoU and stability.
    """

    def __init__(self, generator: AutomaticMaskGenerator, name: str = "masklet") -> None:
        settings = {each.name: getattr(generator.settings, each.name) for each in fields(generator.settings)}
        proposing = AutomaticMaskGenerator(generator.runtime, generator.processor, **settings | PROPOSAL_SETTINGS)
        super().__init__(proposing, f"{name} (proposals)")

    def _ranking(self, found: AutomaticMasks) -> np.ndarray:
        return np.asarray(found.scores + np.nan_to_num(found.stability_scores))  # nan: of an empty mask
