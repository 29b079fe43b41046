"""Clicks in CVAT's canvas: `cvat-cli function create-native NAME --function-file interaction.py`."""

from typing import Any

import numpy as np

from masklet.formats.cvat_points import points_of_mask
from masklet.predictors.image_segmenter import EncodedImage, ImageSegmenter
from masklet.prompts.prompt import Prompt
from masklet.server.adapters.cvat_functions.sdk import auto_annotation

CONFIDENCE = 0


class Interaction:
    """One mask for the clicks and the box of an annotator.

    Args:
        segmenter: encodes an image, once, and segments it.
    """

    def __init__(self, segmenter: ImageSegmenter) -> None:
        self._sdk, self._segmenter = auto_annotation(), segmenter
        self.spec = self._sdk.InteractionFunctionSpec(min_pos_points=0, min_neg_points=0, min_bounding_boxes=0)

    def preprocess_image(self, context: Any, image: Any) -> EncodedImage:
        """Return the image encoded."""
        return self._segmenter.encode(image.convert("RGB"))

    def detect(self, context: Any, pp_image: EncodedImage, prompts: Any) -> list[Any]:
        """Return the mask, with its score as confidence; nothing where nothing was marked."""
        positive, negative, box = prompts.pos_points, prompts.neg_points, prompts.bounding_box
        if not positive and not negative and box is None:
            return []
        points = np.array([*positive, *negative], dtype=np.float32).reshape(-1, 2)
        labels = [1] * len(positive) + [0] * len(negative)
        prompt = Prompt(points, labels, None if box is None else [*box[0], *box[1]])
        found = self._segmenter.segment(pp_image, prompts=[prompt])
        confidence = {"spec_id": CONFIDENCE, "value": f"{min(1.0, max(0.0, float(found.scores[0]))):.4f}"}
        from cvat_sdk.models import AttributeValRequest

        points_of = points_of_mask(found.mask(0))
        attributes = [AttributeValRequest(**confidence)]
        return [self._sdk.InteractionResultShape(type="mask", points=points_of, attributes=attributes)]


def create(model: str | None = None, **options: Any) -> Interaction:
    """Return the function of a model (None: the bundled one); options are device, dtype, image_size, ..."""
    return Interaction(ImageSegmenter.from_pretrained(model, **options))
