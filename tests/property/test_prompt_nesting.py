"""Any nesting of points survives padding: what went in is what stands outside the padding."""

from typing import Any

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from masklet.prompts.nesting import POINTS, extent, nested_lists, padded

coordinates = st.integers(0, 1000)
points = st.lists(coordinates, min_size=2, max_size=2)
objects = st.lists(points, max_size=4)
images = st.lists(objects, max_size=3)
batches = st.lists(images, min_size=1, max_size=3).filter(
    lambda batch: any(point for image in batch for point in image)
)


def as_tuples(value: Any) -> Any:
    return tuple(as_tuples(item) for item in value) if isinstance(value, list) else value


@given(batches)
def test_padding_keeps_every_point_in_its_place_and_adds_nothing_else(batch: list[Any]) -> None:
    tensor = padded(nested_lists(batch, POINTS), POINTS, -10, torch.float32)
    kept = tensor.clone()
    for image, of_image in enumerate(batch):
        for index, of_object in enumerate(of_image):
            for point, position in enumerate(of_object):
                assert tensor[image, index, point].tolist() == position
                kept[image, index, point] = -10
    assert (kept == -10).all()
    assert tensor.shape == (
        len(batch),
        max(map(len, batch)),
        max(len(of_object) for of_image in batch for of_object in of_image),
        2,
    )


@given(batches)
def test_containers_do_not_matter(batch: list[Any]) -> None:
    lists = nested_lists(batch, POINTS)
    assert nested_lists(as_tuples(batch), POINTS) == lists
    tensor = padded(lists, POINTS, -10, torch.float32)
    assert extent(nested_lists(tensor, POINTS), POINTS) == extent(lists, POINTS)
    assert nested_lists(tensor.numpy(), POINTS) == tensor.tolist() == np.asarray(tensor).tolist()
