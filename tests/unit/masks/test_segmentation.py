import numpy as np
import pytest

from masklet.errors import InvalidInputError
from masklet.masks.segmentation import Segmentation


@pytest.fixture
def masks():
    masks = np.zeros((2, 4, 6), dtype=bool)
    masks[0, 1:3, 2:6] = True
    return masks


def test_areas_boxes_and_length(masks):
    segmentation = Segmentation(masks, np.array([0.9, 0.1]), (1, 2))
    assert len(segmentation) == 2
    np.testing.assert_array_equal(segmentation.areas, [8, 0])
    np.testing.assert_array_equal(segmentation.boxes, [[2, 1, 6, 3], [0, 0, 0, 0]])


def test_no_objects():
    segmentation = Segmentation(np.zeros((0, 4, 6), dtype=bool), np.zeros(0), ())
    assert len(segmentation) == 0
    assert segmentation.boxes.shape == (0, 4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"masks": np.zeros((4, 6), dtype=bool)}, "bool"),
        ({"masks": np.zeros((2, 4, 6), dtype=np.uint8)}, "uint8"),
        ({"scores": np.zeros(3)}, "scores"),
        ({"object_ids": (1,)}, "object ids"),
        ({"object_ids": (1, 1)}, "object ids"),
        ({"object_ids": (0, 1)}, "above 0"),
        ({"low_resolution_logits": np.zeros((2, 1, 3, 3))}, "logits"),
        ({"low_resolution_logits": np.zeros((3, 3, 3))}, "logits"),
    ],
)
def test_shapes_that_do_not_fit(masks, changes, message):
    fields = {"masks": masks, "scores": np.zeros(2), "object_ids": (1, 2)}
    with pytest.raises(InvalidInputError, match=message):
        Segmentation(**{**fields, **changes})


def test_object_ids_become_plain_integers(masks):
    segmentation = Segmentation(masks, np.zeros(2), np.array([5, 7]))
    assert segmentation.object_ids == (5, 7)
    assert {type(object_id) for object_id in segmentation.object_ids} == {int}  # JSON knows no others
    for wrong in ((1.5, 2.5), ("car", "tree")):
        with pytest.raises(InvalidInputError, match="whole numbers above 0"):
            Segmentation(masks, np.zeros(2), wrong)
