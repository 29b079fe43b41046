"""Outputs by attribute, key, position and slice, and as dictionaries and pytrees."""

import copy
import pickle
from collections.abc import Callable

import pytest
import torch
from torch.utils import _pytree as pytree

from masklet.modeling.outputs import Sam2ImageSegmentationOutput
from masklet.tracking.outputs import Sam2VideoSegmentationOutput

IOU, MASKS, SCORES, LEVELS = torch.zeros(1), torch.ones(1), torch.full((1,), 2.0), (torch.full((1,), 3.0),)


@pytest.fixture
def output() -> Sam2ImageSegmentationOutput:
    return Sam2ImageSegmentationOutput(
        iou_scores=IOU,
        pred_masks=MASKS,
        object_score_logits=SCORES,
        image_embeddings=LEVELS,
        mask_decoder_attentions=(MASKS,),
    )


def test_by_attribute_key_and_position(output: Sam2ImageSegmentationOutput) -> None:
    assert output.pred_masks is output["pred_masks"] is output[1] is MASKS
    assert output.low_res_masks is MASKS
    assert output[-1] == (MASKS,)
    assert output[:2] == (IOU, MASKS)


def test_fields_that_are_none_are_left_out(output: Sam2ImageSegmentationOutput) -> None:
    names = ["iou_scores", "pred_masks", "object_score_logits", "image_embeddings", "mask_decoder_attentions"]
    assert list(output) == list(output.keys()) == [name for name, _ in output.items()] == names
    assert output.to_tuple() == tuple(output.values())
    assert len(output) == 5
    assert output.vision_attentions is None
    assert "vision_attentions" not in output
    assert output.get("vision_attentions", "nothing") == "nothing"
    assert output.get("iou_scores") is IOU


def test_unpacking_into_a_dictionary(output: Sam2ImageSegmentationOutput) -> None:
    assert {**output}["iou_scores"] is IOU


@pytest.mark.parametrize("key", ["no_such_field", "vision_attentions"])
def test_a_key_that_is_not_there(output: Sam2ImageSegmentationOutput, key: str) -> None:
    with pytest.raises(KeyError):
        output[key]


def test_made_of_a_mapping_or_of_pairs(output: Sam2ImageSegmentationOutput) -> None:
    for entries in (dict(output), output.items()):
        again = type(output)(entries)
        assert list(again) == list(output)
        assert again.pred_masks is MASKS


def test_a_field_that_does_not_exist() -> None:
    with pytest.raises(TypeError, match=r"has the fields iou_scores, .*; got masks"):
        Sam2ImageSegmentationOutput(masks=MASKS)
    with pytest.raises(AttributeError, match="has no 'masks'; it has iou_scores"):
        _ = Sam2ImageSegmentationOutput(pred_masks=MASKS).masks


def test_setting_keeps_attribute_and_key_one(output: Sam2ImageSegmentationOutput) -> None:
    output.pred_masks = SCORES
    assert output["pred_masks"] is SCORES
    output["iou_scores"] = MASKS
    assert output.iou_scores is MASKS
    output["loss"] = IOU  # an entry of the caller's own
    assert output.loss is output[-1] is IOU
    output.pred_masks = None
    assert "pred_masks" not in output
    assert output.pred_masks is None


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_copies(
    output: Sam2ImageSegmentationOutput, duplicate: Callable[[object], Sam2ImageSegmentationOutput]
) -> None:
    again = duplicate(output)
    assert type(again) is Sam2ImageSegmentationOutput
    assert list(again) == list(output)
    assert torch.equal(again.pred_masks, MASKS)


def test_a_pytree(output: Sam2ImageSegmentationOutput) -> None:
    leaves, structure = pytree.tree_flatten(output)
    assert leaves == [IOU, MASKS, SCORES, *LEVELS, MASKS]
    doubled = pytree.tree_map(lambda each: 2 * each, output)
    assert type(doubled) is Sam2ImageSegmentationOutput
    assert doubled.pred_masks == 2
    assert list(pytree.tree_unflatten(leaves, structure)) == list(output)
    assert pytree.treespec_loads(pytree.treespec_dumps(structure)) == structure


def test_a_video_output_keeps_the_size_of_its_video() -> None:
    output = Sam2VideoSegmentationOutput(pred_masks=torch.ones(1, 1, 4, 4), frame_idx=3, video_size=(6, 8))
    doubled = pytree.tree_map(lambda each: 2 * each, output)
    assert doubled.frame_idx == 6
    assert torch.equal(doubled.video_res_masks, torch.full((1, 1, 6, 8), 2.0))
    assert "video_size" not in output


def test_outputs_of_replicas_are_gathered() -> None:
    halves = [Sam2ImageSegmentationOutput(pred_masks=torch.full((1, 2), float(index))) for index in range(2)]
    gathered = type(halves[0])((key, torch.cat([half[key] for half in halves])) for key in halves[0])
    assert gathered.pred_masks.tolist() == [[0, 0], [1, 1]]
