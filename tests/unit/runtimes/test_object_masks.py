"""One mask an object, of outputs made by hand."""

import pytest
import torch
from tests.support.small_video_models import SIZE, small_video_model

from masklet import Sam2Config
from masklet.modeling.values import MaskOutputs
from masklet.runtimes.object_masks import ABSENT_LOGIT, is_ambiguous, is_binarized, select_mask, use_mask_as_output

CONFIG = Sam2Config()


def outputs(*scores: float) -> MaskOutputs:
    """Objects whose output k is k + 1 everywhere, with pointers of k; output 2 has the best IoU, output 0 is stable."""
    numbers = torch.arange(4.0).expand(len(scores), 4)
    logits = (numbers + 1)[..., None, None].expand(-1, -1, 8, 8)
    iou = torch.tensor([0.9, 0.1, 0.8, 0.2]).expand(len(scores), 4)
    return MaskOutputs(logits, iou, torch.tensor(scores), numbers.unsqueeze(-1))


def test_ambiguous_prompts_take_the_best_of_three_and_others_the_first() -> None:
    mask = select_mask(outputs(1.0, 1.0), torch.tensor([True, False]), CONFIG)
    assert mask.logits[:, 0, 0].tolist() == [3, 1]
    assert mask.pointer.flatten().tolist() == [2, 0]
    torch.testing.assert_close(mask.iou, torch.tensor([0.8, 0.9]))


@pytest.mark.parametrize(("is_training", "expected"), [(False, 3), (True, 0.0)])
def test_an_unstable_first_output_gives_way_but_keeps_its_pointer(is_training: bool, expected: float) -> None:
    (given,) = [outputs(1.0)]
    logits = given.logits.clone()
    logits[:, 0] = 0  # no pixel is surely inside
    unstable = MaskOutputs(logits, given.iou, given.object_score, given.pointers)
    mask = select_mask(unstable, torch.tensor([False]), CONFIG, is_training=is_training)
    assert mask.logits[0, 0, 0] == expected
    assert mask.pointer.tolist() == [[0]]


def test_absent_objects_have_no_mask() -> None:
    mask = select_mask(outputs(0.0, 0.1), torch.tensor([False, False]), CONFIG)
    assert mask.logits[:, 0, 0].tolist() == [ABSENT_LOGIT, 1]


def test_an_axis_of_images_stays() -> None:
    flat = outputs(1.0, -1.0)
    of_images = MaskOutputs(*(each.unsqueeze(0) for each in flat))
    expected = select_mask(flat, torch.tensor([True, False]), CONFIG)
    for name, value in vars(select_mask(of_images, torch.tensor([[True, False]]), CONFIG)).items():
        assert torch.equal(value[0], getattr(expected, name)), name


@torch.no_grad()
def test_mask_prompts_are_the_masks_and_an_empty_one_is_an_absent_object() -> None:
    network = small_video_model()
    network.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(100.0)  # the decoder finds an object in any case
    masks = torch.zeros(2, SIZE, SIZE)
    masks[0, : SIZE // 2] = 1
    features = network.encode_image(torch.zeros(1, 3, SIZE, SIZE))
    mask = use_mask_as_output(network, features, masks)
    assert torch.equal(mask.logits > 0, masks[:, ::4, ::4] > 0)
    assert mask.object_score.tolist() == [10, -10]
    assert torch.equal(mask.pointer[1:], network.no_object_pointer)
    assert not torch.equal(mask.pointer[:1], network.no_object_pointer)


@pytest.mark.parametrize(
    ("points", "is_first", "expected"), [(0, True, True), (1, True, True), (2, True, False), (1, False, True)]
)
def test_which_prompts_are_ambiguous(points: int, is_first: bool, expected: bool) -> None:
    assert is_ambiguous(CONFIG, points, is_first=is_first) is expected


def test_given_masks_are_certain() -> None:
    assert is_binarized(CONFIG, has_points=False)
    assert is_binarized(CONFIG, has_points=True) is CONFIG.binarize_mask_from_pts_for_mem_enc
