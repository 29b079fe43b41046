"""Everything in an image: `cvat-cli task auto-annotate ID --function-file detection.py`."""

from typing import Any

import numpy as np

from masklet.formats.cvat_points import points_of_mask
from masklet.masks.outlines import pieces_of
from masklet.masks.segmentation import Segmentation
from masklet.predictors.automatic_mask_generator import AutomaticMaskGenerator
from masklet.server.adapters.cvat_functions.sdk import auto_annotation

LABEL = 0


class Detection:
    """Masks of all objects under one label.

    Args:
        generator: finds the masks of an image.
        label: of all objects.
    """

    def __init__(self, generator: Any, label: str) -> None:
        self._sdk, self._generator = auto_annotation(), generator
        labels = [self._sdk.label_spec(label, LABEL, type="mask")]
        self.spec = self._sdk.DetectionFunctionSpec(labels=labels)

    def detect(self, context: Any, image: Any) -> list[Any]:
        """Return the masks of an image, or their outlines where the caller asks for these."""
        found: Segmentation = self._generator.generate(np.asarray(image.convert("RGB")))
        least = 0.0 if context.conf_threshold is None else context.conf_threshold
        places = np.flatnonzero(found.scores >= least).tolist()
        masks = (found.mask(place) for place in places)
        if context.conv_mask_to_poly:
            return [
                self._sdk.polygon(LABEL, pieces_of(each)[0].outline.ravel().tolist()) for each in masks if each.any()
            ]
        return [self._sdk.mask(LABEL, points_of_mask(each)) for each in masks]


def create(model: str | None = None, label: str = "object", **options: Any) -> Detection:
    """Return the function of a model (None: the bundled one), with the options of automatic masks."""
    return Detection(AutomaticMaskGenerator.from_pretrained(model, **options), label)
