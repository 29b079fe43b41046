"""Automatic masks against those that Meta's own generator made with the bundled weights.

`tests/data/everything/meta_generator.json` has for each case the image, the settings, how many masks each filter left,
the distance of the nearest candidate to a threshold, and of each mask [area, box (inclusive), predicted IoU, stability,
point, crop box].
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from masklet import AutomaticMaskGenerator, AutomaticMasks, ImageSegmenter, read_image

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data/everything/meta_generator.json").read_text(encoding="utf-8")
)
LEAST_MARGIN = 1e-4
"""Of a count that can be compared: what comes closer to a threshold may fall on either side of it."""


def named(case: dict[str, Any]) -> str:
    settings = case["settings"]
    return f"{Path(case['image']).stem}, {', '.join(f'{name}={value}' for name, value in settings.items())}"


QUICK = [case for case in CASES if case["settings"]["points_per_side"] == 8 and "crop_n_layers" not in case["settings"]]
IN_CROPS = [case for case in CASES if "groceries" in case["image"] and "crop_n_layers" in case["settings"]]


@pytest.fixture(scope="module")
def segmenter() -> ImageSegmenter:
    return ImageSegmenter.from_pretrained()


def generated(segmenter: ImageSegmenter, case: dict[str, Any], *, in_floats: bool) -> AutomaticMasks:
    """Return the masks of an image that is prepared in bytes, as masklet does it, or in floats, as Meta does."""
    generator = AutomaticMaskGenerator(segmenter.runtime, segmenter.processor, "default", **case["settings"])
    pixels = np.array(read_image(case["image"]))
    assert list(pixels.shape[:2]) == case["size"]
    floats = torch.from_numpy(pixels).permute(2, 0, 1) / 255
    return generator.generate(floats if in_floats else pixels)


@pytest.mark.parametrize("case", QUICK + IN_CROPS, ids=named)
def test_masks_are_metas(segmenter: ImageSegmenter, case: dict[str, Any]) -> None:
    found = generated(segmenter, case, in_floats=True)
    margin, left = case["margin"], {name: after for name, (_, after) in case["counts"].items()}
    assert all(each > LEAST_MARGIN for each in margin.values())
    left.pop("edge", None)  # counted among masks of crops only
    assert {name: getattr(found.counts, name) for name in left} == left
    assert len(found) == case["masks"]
    for record, (area, box, score, stability, point, crop) in zip(found.records(), case["records"], strict=True):
        assert record["area"] == int(record["segmentation"].sum()) == pytest.approx(area, rel=1e-3)
        assert record["bbox"] == pytest.approx(box, abs=1)
        assert (record["predicted_iou"], record["stability_score"]) == pytest.approx((score, stability), abs=1e-4)
        assert record["point_coords"][0] == pytest.approx(point, abs=0.01)
        assert record["crop_box"] == crop


@pytest.mark.parametrize("case", QUICK, ids=named)
def test_bytes_change_little(segmenter: ImageSegmenter, case: dict[str, Any]) -> None:
    """Images are resized in bytes everywhere in masklet: logits change by up to 1 %."""
    floats, found = (generated(segmenter, case, in_floats=in_floats) for in_floats in (True, False))
    assert len(found) == case["masks"]
    for mask in found.masks:
        overlaps = [(mask & other).sum() / (mask | other).sum() for other in floats.masks]
        assert max(overlaps) >= 0.98
