"""Masks that wait for suppression: read back as they were, and however many there are, few of them in memory."""

import tracemalloc
from typing import Literal

import numpy as np
import pytest
import torch
from tests.support.shade_runtime import SIZE, ShadeRuntime

from masklet import AutomaticMaskSettings
from masklet.automask import held_masks
from masklet.automask.generator import Generation
from masklet.automask.held_masks import HeldMasks
from masklet.masks.counts import counts_of_mask
from masklet.masks.run_length import encode_run_length


def test_masks_are_read_back_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_masks, "BYTES_IN_MEMORY", 20)  # of 60: the file is written in between
    masks = np.random.default_rng(0).random((6, 5, 7)) > 0.5
    masks[2] = False
    with HeldMasks((5, 7)) as held:
        for number, mask in enumerate(masks):
            assert held.add(counts_of_mask(mask)) == number
            assert held[number // 2] == encode_run_length(masks[number // 2])
        assert [held[number] for number in (5, 0, 2)] == [encode_run_length(masks[number]) for number in (5, 0, 2)]


@pytest.mark.parametrize("duplicates", ["box", "mask"])
def test_memory_is_bounded_where_everything_passes(
    monkeypatch: pytest.MonkeyPatch, duplicates: Literal["box", "mask"]
) -> None:
    """768 candidates that look like noise, 6 MB of run lengths; of each some hundred bytes are in memory."""
    monkeypatch.setattr(held_masks, "BYTES_IN_MEMORY", 2**17)
    runtime = ShadeRuntime(sharpness=30)
    settings = AutomaticMaskSettings(
        points_per_side=16, pred_iou_thresh=0, stability_score_thresh=0, duplicates=duplicates, box_nms_thresh=0.1
    )
    features = runtime.encode_image(torch.rand(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)))
    tracemalloc.start()
    found = Generation(runtime, settings, (400, 600)).of_features(features)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.counts.stability == 768
    code = np.mean([len(each["counts"]) for each in found.run_lengths])
    assert most < 2e6 < 768 * code
