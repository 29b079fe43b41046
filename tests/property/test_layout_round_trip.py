"""Renaming never loses, merges or alters a tensor, whatever part of a model of whatever depth a file holds."""

import re

import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.support.tensor_names import assert_same_tensors, tiny_tensor_names

from masklet.checkpoints.layouts import LAYOUTS, in_current_layout

NAMES = sorted({row.current for row in tiny_tensor_names()})
# Point rows and positional embeddings are the two cases that are not one tensor to one tensor.
ONE_TO_ONE = [name for name in NAMES if "point_embed" not in name and "positional_embedding" not in name]
BLOCK_NUMBER = re.compile(r"(?<=blocks\.)\d+|(?<=transformer\.layers\.)\d+|(?<=memory_attention\.layers\.)\d+")


@st.composite
def checkpoints(draw: st.DrawFn) -> dict[str, torch.Tensor]:
    chosen = draw(st.sets(st.sampled_from(ONE_TO_ONE), min_size=1, max_size=40))
    depth = draw(st.integers(0, 10_000))
    names = {BLOCK_NUMBER.sub(lambda match: str(int(match[0]) + depth), name) for name in chosen}
    dtype = draw(st.sampled_from([torch.float32, torch.float16, torch.bfloat16]))
    return {name: torch.full((2,), index, dtype=dtype) for index, name in enumerate(sorted(names))}


@given(checkpoints(), st.sampled_from(LAYOUTS))
def test_parts_of_checkpoints_round_trip(tensors, layout):
    foreign = layout.from_current(tensors)
    assert len(foreign) == len(tensors)
    assert_same_tensors(layout.to_current(foreign), tensors)


@given(st.integers(1, 30), st.integers(1, 5), st.sampled_from(LAYOUTS))
def test_any_number_of_point_embeddings_round_trips(count, width, layout):
    points = {
        "prompt_encoder.point_embed.weight": torch.randn(count, width),
        "mask_decoder.iou_token.weight": torch.ones(1),
    }
    assert_same_tensors(layout.to_current(layout.from_current(points)), points)


@given(st.sampled_from(LAYOUTS), st.integers(1, 4))
def test_the_positional_embedding_round_trips_with_its_copy(layout, width):
    matrix = torch.randn(2, width)
    both = {
        f"{place}.positional_embedding": matrix
        for place in ("prompt_encoder.shared_embedding", "shared_image_embedding")
    }
    assert_same_tensors(in_current_layout(layout.from_current(both)), both)
