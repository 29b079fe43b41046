"""Numbers out of their ranges: every field that has one is refused with its value and what is allowed."""

import math
from typing import Any

import pytest

from masklet.errors import InvalidInputError
from masklet.training.settings.learning import ImageEncoderRates, LowRank, Regularization
from masklet.training.settings.procedure import AnnotatorShares, ClipTracking, LossWeights, PromptShares
from masklet.training.settings.recipe import Hardware
from masklet.training.settings.stages import ClipStage

SHARE = "at least 0 and at most 1"


@pytest.mark.parametrize(
    ("kind", "field", "value", "allowed"),
    [
        *((LossWeights, name, -1.0, "at least 0") for name in ("focal", "dice", "iou", "object_score")),
        (LossWeights, "dice", math.nan, "at least 0"),
        (LossWeights, "focal_alpha", 1.5, SHARE),
        (LossWeights, "focal_alpha", -0.5, SHARE),
        (PromptShares, "click", -0.1, "at least 0"),
        (PromptShares, "box", -0.1, "at least 0"),
        (PromptShares, "mask", 1.5, SHARE),
        (AnnotatorShares, "center_click", 1.5, SHARE),
        (AnnotatorShares, "from_ground_truth", -0.5, SHARE),
        (AnnotatorShares, "loose_box", 2.0, SHARE),
        (ClipTracking, "prompted_frames", 0, "at least 1"),
        (ClipTracking, "corrected_frames", 0, "at least 1"),
        (ClipTracking, "corrections", -1, "at least 0"),
        (Regularization, "drop_path", 1.0, "at least 0 and below 1"),
        (Regularization, "memory_dropout", -0.1, "at least 0 and below 1"),
        (ImageEncoderRates, "learning_rate", -1e-4, "at least 0"),
        (ImageEncoderRates, "layer_decay", 0.0, "above 0 and at most 1"),
        (LowRank, "rank", 0, "at least 1"),
        (LowRank, "alpha", 0.0, "above 0"),
        (LowRank, "dropout", 1.0, "at least 0 and below 1"),
        (Hardware, "micro_batches_per_step", 0, "at least 1"),
        (ClipStage, "clips_per_step", 0, "at least 1"),
        (ClipStage, "objects_per_clip", 0, "at least 1"),
        (ClipStage, "images_every", -1.0, "0 or at least 1"),
        (ClipStage, "images_every", 0.5, "0 or at least 1"),
    ],
)
def test_a_number_out_of_its_range(kind: Any, field: str, value: float, allowed: str) -> None:
    needed = {"image_size": 64, "steps": 1} if kind is ClipStage else {}
    with pytest.raises(InvalidInputError, match=rf"^{kind.__name__}.{field}={value}; it must be {allowed}\.$"):
        kind(**needed, **{field: value})


def test_the_ends_of_ranges_are_allowed() -> None:
    LossWeights(focal=0, focal_alpha=1, dice=0, iou=0)
    PromptShares(click=0, mask=1)
    Regularization(drop_path=None, memory_dropout=0)


def test_what_would_leave_nothing_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="object_score are all 0; one must be above 0"):
        LossWeights(focal=0, dice=0, iou=0, object_score=0)
    with pytest.raises(InvalidInputError, match="click and box are both 0; one must be above 0"):
        PromptShares(click=0, box=0, mask=1)
    with pytest.raises(InvalidInputError, match=r"LowRank.layers is empty; give at least one pattern"):
        LowRank(layers=())
