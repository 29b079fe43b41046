"""Outputs by attribute, key, position and slice."""

import pytest
import torch

from masklet.modeling.outputs import Sam2ImageSegmentationOutput

IOU, MASKS, SCORES, LEVELS = torch.zeros(1), torch.ones(1), torch.full((1,), 2.0), (torch.full((1,), 3.0),)


@pytest.fixture
def output() -> Sam2ImageSegmentationOutput:
    return Sam2ImageSegmentationOutput(IOU, MASKS, SCORES, LEVELS, mask_decoder_attentions=(MASKS,))


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
