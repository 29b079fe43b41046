"""Overlapping masks made disjoint, and frames that wait to be reported."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from masklet import InvalidInputError, Segmentation
from masklet.automask.held_frames import HeldFrame
from masklet.automask.layers import by_logit, outside
from masklet.masks.run_length import decode_run_length

SIZE = (24, 40)


def tracked(count: int, seed: int = 0) -> Segmentation:
    """Masks as the network makes them of smooth random logits."""
    generator = torch.Generator().manual_seed(seed)
    logits = 8 * F.interpolate(torch.randn(1, count, 3, 4, generator=generator), size=(6, 10), mode="bicubic")[0]
    masks = F.interpolate(logits[None], size=SIZE, mode="bilinear")[0].numpy() > 0
    return Segmentation(masks, np.linspace(0.5, 0.9, count), range(1, count + 1), logits.numpy())


@pytest.mark.parametrize("count", [1, 2, 5])
def test_each_pixel_goes_to_the_highest_logit(count: int) -> None:
    found = tracked(count)
    logits = torch.from_numpy(np.asarray(found.low_resolution_logits)).reshape(1, count, 6, 10)
    owner = F.interpolate(logits, size=SIZE, mode="bilinear")[0].numpy().argmax(axis=0)
    for place, mask in enumerate(by_logit(found)):
        assert np.array_equal(decode_run_length(mask), found.mask(place) & (owner == place))


def test_no_masks_are_no_masks() -> None:
    assert by_logit(tracked(1).taken([])) == ()


def test_what_lies_in_others_is_taken_away() -> None:
    found, others = tracked(3), tracked(2, seed=1)
    covered = others.masks.any(axis=0)
    for place, mask in enumerate(outside(found.run_lengths, others.run_lengths, SIZE)):
        assert np.array_equal(decode_run_length(mask), found.mask(place) & ~covered)
    assert outside(found.run_lengths, [], SIZE) == list(found.run_lengths)


def test_masks_that_come_later_take_what_is_free() -> None:
    found = tracked(4)
    held = HeldFrame(3).with_masks(found.taken([1, 2]), is_flat=True).with_masks(found.taken([0, 3]), is_flat=True)
    result = held.segmentation({number: number for number in held.numbers}, SIZE)
    assert result.masks.sum(axis=0).max() == 1
    assert np.array_equal(result.masks.any(axis=0), found.masks.any(axis=0))
    assert np.array_equal(result.masks[:2].any(axis=0), found.taken([1, 2]).masks.any(axis=0))


def test_two_tracks_of_one_id_are_one_object() -> None:
    held = HeldFrame(0).with_masks(tracked(3), is_flat=False)
    result = held.segmentation({1: 5, 3: 5}, SIZE)
    assert (result.object_ids, result.run_lengths) == ((5,), tracked(3).run_lengths[:1])


def test_frames_survive_json() -> None:
    held = HeldFrame(7).with_masks(tracked(2), is_flat=True)
    assert HeldFrame.from_json(json.loads(json.dumps(held.to_json())), SIZE) == held
    with pytest.raises(InvalidInputError):
        HeldFrame.from_json(held.to_json(), (SIZE[0], 3))
    with pytest.raises(InvalidInputError):
        HeldFrame.from_json({}, SIZE)
