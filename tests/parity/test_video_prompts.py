"""Prompts on frames, stored in sessions: what transformers' processor gives its network, ours gives ours."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from tests.parity.conftest import INSTALL

from masklet import Sam2Processor
from masklet.tracking.frame_prompt import points_of_prompt

HEIGHT, WIDTH, SIDE = 30, 50, 96


@pytest.fixture
def theirs() -> SimpleNamespace:
    transformers = pytest.importorskip("transformers", reason=INSTALL)
    # Its parts for pixels need torchvision, those for prompts do not.
    processor = transformers.Sam2VideoProcessor.__new__(transformers.Sam2VideoProcessor)
    processor.target_size, processor.point_pad_value = SIDE, -10
    session = transformers.models.sam2_video.modeling_sam2_video.Sam2VideoInferenceSession(
        video=torch.zeros(3, 3, SIDE, SIDE), video_height=HEIGHT, video_width=WIDTH, dtype=torch.float32
    )
    return SimpleNamespace(processor=processor, session=session)


@pytest.fixture
def ours() -> SimpleNamespace:
    processor = Sam2Processor(size=SIDE)
    session = processor.init_video_session(np.zeros((3, HEIGHT, WIDTH, 3), np.uint8))
    return SimpleNamespace(processor=processor, session=session)


def add(side: SimpleNamespace, **prompts: Any) -> None:
    side.processor.add_inputs_to_inference_session(inference_session=side.session, frame_idx=1, **prompts)


@pytest.mark.parametrize(
    "calls",
    [
        [{"obj_ids": 4, "input_points": [[[[10, 20], [3.5, 0]]]], "input_labels": [[[1, 0]]]}],
        [{"obj_ids": [4], "input_boxes": [[[5, 6, 30, 29.5]]]}],
        [{"obj_ids": [4], "input_boxes": [[[5, 6, 30, 29]]], "input_points": [[[[9, 9]]]], "input_labels": [[[0]]]}],
        [
            {"obj_ids": [4], "input_boxes": [[[5, 6, 30, 29]]]},
            {"obj_ids": [4], "input_points": [[[[9, 9]]]], "input_labels": [[[0]]], "clear_old_inputs": False},
        ],
        [
            {"obj_ids": [4], "input_points": [[[[10, 20]]]], "input_labels": [[[1]]]},
            {"obj_ids": [4], "input_points": [[[[9, 9]]]], "input_labels": [[[1]]]},
        ],
        [{"obj_ids": [4, 2], "input_points": [[[[10, 20]], [[1, 2]]]], "input_labels": [[[1], [0]]]}],
    ],
    ids=["clicks", "box", "box and click", "box, then click", "click, then another", "two objects"],
)
def test_clicks_and_boxes(ours: SimpleNamespace, theirs: SimpleNamespace, calls: list[dict[str, Any]]) -> None:
    for call in calls:
        add(ours, **call)
        add(theirs, **call)
    assert ours.session.obj_ids == theirs.session.obj_ids
    for index, target in enumerate(ours.session.objects()):
        expected = theirs.session.point_inputs_per_obj[index][1]
        points, labels = points_of_prompt(target.prompts[1])
        assert torch.allclose(points, expected["point_coords"][0, 0])
        assert torch.equal(labels, expected["point_labels"][0, 0].long())


@pytest.mark.parametrize("shape", [(HEIGHT, WIDTH), (2 * HEIGHT, 2 * WIDTH), (24, 24)])
def test_masks(ours: SimpleNamespace, theirs: SimpleNamespace, shape: tuple[int, int]) -> None:
    mask = np.random.default_rng(0).random(shape) > 0.4
    for side in (ours, theirs):
        add(side, obj_ids=[4], input_masks=[mask])
    (target,) = ours.session.objects()
    expected = theirs.session.mask_inputs_per_obj[0][1]
    assert torch.equal(torch.tensor(target.prompts[1].mask), expected[0, 0].bool())
