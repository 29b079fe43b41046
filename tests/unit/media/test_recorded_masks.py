import json
from functools import reduce
from operator import getitem

import numpy as np
import pytest

from masklet.errors import InvalidInputError
from masklet.masks.segmentation import Segmentation
from masklet.media.recorded_masks import RecordedMasks


@pytest.fixture
def recorded():
    with RecordedMasks(6, 9) as recorded:
        yield recorded


def segmentation_of(*ids, at=0):
    masks = np.zeros((len(ids), 6, 9), dtype=bool)
    for index in range(len(ids)):
        masks[index, index : index + 2, at : at + 3] = True
    return Segmentation(masks, np.full(len(ids), 0.25 * (1 + at)), ids)


def assert_same(segmentation, other):
    assert segmentation.object_ids == other.object_ids
    np.testing.assert_array_equal(segmentation.masks, other.masks)
    np.testing.assert_allclose(segmentation.scores, other.scores)


def test_frames_in_any_order_come_back_in_theirs(recorded):
    for frame in (5, 3, 11):
        recorded.record(frame, segmentation_of(2, 7, at=frame % 4))
    recorded.record(5, segmentation_of(9, at=3))
    assert (list(recorded), len(recorded), 11 in recorded, 4 in recorded) == ([3, 5, 11], 3, True, False)
    assert_same(recorded[3], segmentation_of(2, 7, at=3))
    assert_same(recorded[5], segmentation_of(9, at=3))
    assert recorded.object_ids() == (2, 7, 9)


def test_a_frame_without_objects_is_kept(recorded):
    recorded.record(0, segmentation_of())
    assert recorded[0].masks.shape == (0, 6, 9)


def test_saved_frames_are_json_that_loads(tmp_path, recorded):
    for frame in (4, 2):
        recorded.record(frame, segmentation_of(1, at=frame))
    recorded.save(tmp_path / "masks.json", {"height": 6, "width": 9, "file_name": "v.mp4"})
    content = json.loads((tmp_path / "masks.json").read_text())
    assert content["video"]["file_name"] == "v.mp4"
    assert [entry["frame"] for entry in content["frames"]] == [2, 4]
    assert content["frames"][0]["annotations"][0]["bbox"] == [2, 0, 3, 2]
    assert content["frames"][0]["annotations"][0]["segmentation"]["size"] == [6, 9]
    with RecordedMasks(6, 9) as loaded:
        loaded.load(tmp_path / "masks.json")
        assert list(loaded) == [2, 4]
        assert_same(loaded[4], recorded[4])


def test_what_is_recorded_only_grows_and_comes_back_from_its_lines(recorded):
    recorded.record(4, segmentation_of(1, at=1))
    first = b"".join(recorded.content())
    recorded.record(2, segmentation_of(7, at=2))
    recorded.record(4, segmentation_of(1, at=3))
    everything = b"".join(recorded.content())
    assert everything.startswith(first)
    assert b"".join(recorded.content(len(first))) == everything.removeprefix(first)
    assert list(recorded.content(len(everything))) == []
    with RecordedMasks(6, 9) as loaded:
        loaded.load_lines(everything.splitlines(keepends=True), frame_count=5)
        assert list(loaded) == [2, 4]
        assert_same(loaded[4], segmentation_of(1, at=3))
        assert b"".join(loaded.content()) == everything


@pytest.mark.parametrize(
    "line", [b"7", b"no JSON", b'{"frame": 5, "annotations": []}', b'{"frame": 1}', b'{"annotations": []}', b"\xff"]
)
def test_lines_of_others_are_refused(recorded, line):
    with pytest.raises(ValueError, match=r"."):  # an InvalidInputError is one
        recorded.load_lines([line], frame_count=5)


@pytest.mark.parametrize("annotation", [b"7", b"{}", b'{"id": "cat"}', b'{"id": 0}'])
def test_recorded_masks_without_ids_are_refused(recorded, annotation):
    recorded.load_lines([b'{"frame": 1, "annotations": [' + annotation + b"]}"], frame_count=5)
    with pytest.raises(InvalidInputError, match="recorded mask"):
        recorded.object_ids()


def test_files_of_others_are_refused(tmp_path, recorded):
    recorded.save(tmp_path / "masks.json", {"height": 6, "width": 9})
    (tmp_path / "other.json").write_text('{"frames": []}')
    with RecordedMasks(6, 8) as narrower, pytest.raises(InvalidInputError, match="9 x 6 pixels, not of 8 x 6"):
        narrower.load(tmp_path / "masks.json")
    with pytest.raises(InvalidInputError, match=r"other\.json holds no recorded masks"):
        recorded.load(tmp_path / "other.json")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("video", "height"), None),
        (("frames",), 3),
        (("frames", 0), []),
        (("frames", 0, "frame"), -1),
        (("frames", 0, "frame"), 4),
        (("frames", 0, "frame"), 10**400),
        (("frames", 0, "frame"), 3),
        (("frames", 0, "annotations"), {"id": 1}),
        (("frames", 0, "annotations", 0, "id"), 0),
        (("frames", 0, "annotations", 0, "id"), 2.5),
        (("frames", 0, "annotations", 1, "id"), 1),
        (("frames", 0, "annotations", 0, "predicted_iou"), "much"),
        (("frames", 0, "annotations", 0, "predicted_iou"), None),
        (("frames", 0, "annotations", 0, "segmentation"), None),
        (("frames", 0, "annotations", 0, "segmentation", "size"), [9, 6]),
        (("frames", 0, "annotations", 0, "segmentation", "counts"), "0"),
    ],
)
def test_changed_files_are_refused(tmp_path, recorded, place, value):
    for frame in (2, 3):
        recorded.record(frame, segmentation_of(1, 2))
    recorded.save(tmp_path / "masks.json", {"height": 6, "width": 9})
    content = json.loads((tmp_path / "masks.json").read_text())
    *way, last = place
    reduce(getitem, way, content)[last] = value
    (tmp_path / "masks.json").write_text(json.dumps(content))
    with RecordedMasks(6, 9) as loaded, pytest.raises(InvalidInputError, match=r"masks\.json"):
        loaded.load(tmp_path / "masks.json", frame_count=4)
