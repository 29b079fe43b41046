import json
import tracemalloc

import cv2
import numpy as np
import pytest

from masklet.errors import InvalidInputError
from masklet.masks.run_length import encode_run_length
from masklet.masks.segmentation import Segmentation
from masklet.media.mask_files import annotations_of


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


def test_hundreds_of_masks_of_a_large_image_take_megabytes():
    """500 of 12 megapixels, from small to nearly all of the image: under 50 MB, where their pixels are 6 GB."""
    count, height, width = 25, 3000, 4000
    tracemalloc.start()
    try:
        run_lengths = []
        for part in np.linspace(0.02, 0.98, count):
            ellipse = np.zeros((height, width), dtype=np.uint8)
            axes = (round(part * width / 2), round(part * height / 2))
            cv2.ellipse(ellipse, (width // 2, height // 2), axes, 0, 0, 360, 1, thickness=-1)
            run_lengths.append(encode_run_length(ellipse.astype(bool)))
        del ellipse
        held = Segmentation.from_run_lengths(run_lengths, (height, width), np.ones(count), range(1, count + 1))
        bytes_held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held.areas.max() > 0.7 * height * width
    assert bytes_held < 50e6 * count / 500


def test_masks_are_encoded_as_they_come(masks):
    def in_one_buffer():
        buffer = np.empty((4, 6), dtype=bool)
        for mask in masks:
            buffer[:] = mask
            yield buffer

    held = Segmentation.from_masks(in_one_buffer(), (4, 6), np.zeros(2), (1, 2))
    np.testing.assert_array_equal(held.masks, masks)
    np.testing.assert_array_equal(held.boxes, [[2, 1, 6, 3], [0, 0, 0, 0]])


@pytest.mark.parametrize("mask", [np.zeros((4, 7), dtype=bool), np.zeros((4, 6), dtype=np.uint8)])
def test_masks_of_another_size_or_type_are_refused(masks, mask):
    with pytest.raises(InvalidInputError, match=r"bool \[4, 6\]; got"):
        Segmentation.from_masks([masks[0], mask], (4, 6), np.zeros(2), (1, 2))


def test_what_masklet_encoded_is_not_decoded_for_areas_and_boxes(masks, monkeypatch):
    monkeypatch.delattr("masklet.masks.segmentation.counts_of")
    held = Segmentation(masks, np.zeros(2), (1, 2))
    both = Segmentation.joined([held.taken([1]), held.taken([0], [3])])
    assert both.areas.tolist() == [0, 8]
    np.testing.assert_array_equal(both.boxes, [[0, 0, 0, 0], [2, 1, 6, 3]])


def test_what_is_changed_by_a_caller_stays_the_callers(masks):
    segmentation = Segmentation(masks, np.zeros(2), (1, 2))
    segmentation.boxes[:] = 7
    segmentation.areas[:] = 7
    segmentation.masks[:] = True
    assert segmentation.boxes.max() == 6
    assert segmentation.areas.tolist() == [8, 0]
    np.testing.assert_array_equal(segmentation.masks, masks)


@pytest.mark.parametrize(
    "run_length",
    [{"size": [4, 7], "counts": "l0"}, {"size": [4, 6], "counts": "0"}, {"size": [4, 6], "counts": "P"}],
    ids=["of another size", "of too few pixels", "cut off"],
)
def test_run_lengths_that_are_none(run_length):
    with pytest.raises(InvalidInputError):
        Segmentation.from_run_lengths([run_length], (4, 6), np.zeros(1), (1,))


def test_run_lengths_of_any_form_are_held_compressed(masks):
    expected = encode_run_length(masks[0])
    of_pycocotools = {"size": [4, 6], "counts": expected["counts"].encode()}
    uncompressed = {"size": [4, 6], "counts": [9, 2, 2, 2, 2, 2, 2, 2, 1]}
    segmentation = Segmentation.from_run_lengths([of_pycocotools, uncompressed], np.array([4, 6]), [0.9, 0.8], (1, 2))
    written = json.loads(json.dumps(annotations_of(segmentation)))
    assert [each["segmentation"] for each in written] == [expected, expected]
    assert [type(side) for side in segmentation.size] == [int, int]


@pytest.mark.parametrize("size", [(-4, 6), "ab", 4, (4, 6, 1), None])
def test_sizes_that_are_none(size):
    with pytest.raises(InvalidInputError, match="height"):
        Segmentation.from_run_lengths([], size, np.zeros(0), ())


@pytest.mark.parametrize("indices", [[False, True], np.array([True, True]), [0.5], [2], [-3], ["a"], None])
def test_only_places_are_taken(masks, indices):
    with pytest.raises(InvalidInputError, match="whole numbers below 2"):
        Segmentation(masks, np.zeros(2), (1, 2)).taken(indices, (7, 8)[: np.size(indices)])


def test_objects_are_taken_in_their_order(masks):
    segmentation = Segmentation(masks, np.zeros(2), (1, 2))
    assert segmentation.taken([1, -2]).object_ids == (2, 1)
    assert segmentation.taken([]).object_ids == ()


def test_parts_of_different_images_are_not_joined(masks):
    part = Segmentation(masks, np.zeros(2), (1, 2))
    with pytest.raises(InvalidInputError, match=r"\(4, 6\).*\(3, 6\)"):
        Segmentation.joined([part, Segmentation(masks[:, 1:], np.zeros(2), (3, 4))])
    with pytest.raises(InvalidInputError, match="different object ids"):
        Segmentation.joined([part, part])


def test_logits_stay_only_where_all_parts_have_them(masks):
    logits = np.zeros((2, 1, 1))
    with_logits, without = (
        Segmentation(masks, np.zeros(2), (1, 2), logits),
        Segmentation(masks, np.zeros(2), (3, 4)),
    )
    assert Segmentation.joined([with_logits]).low_resolution_logits is not None
    assert Segmentation.joined([with_logits, without]).low_resolution_logits is None
