import numpy as np
import pytest

from masklet.errors import InvalidInputError
from masklet.evaluation.vos.predictors import VideoModelPredictor, by_highest_logit
from masklet.masks.segmentation import Segmentation

FIRST = np.zeros((4, 6), dtype=np.uint8)
FIRST[1, 1:3] = 9
FIRST[2:, 4] = 3
FRAMES = [np.full((4, 6, 3), number, dtype=np.uint8) for number in range(3)]


def segmentation(object_ids, masks, logits):
    masks = np.array(masks, dtype=bool).reshape(len(object_ids), 4, 6)
    return Segmentation(masks, np.ones(len(object_ids)), object_ids, np.array(logits, dtype=np.float32))


PROMPTS = {0: {3: FIRST == 3, 9: FIRST == 9}}


class RecordingTracker:
    """Finds object 9 everywhere, and object 3 in the first row."""

    def __init__(self):
        self.prompts, self.known = [], {}

    def open(self, frames, *, zoom):
        assert not zoom
        self.frames = frames
        return self

    def add(self, object_id, frame, *, mask):
        self.prompts.append((object_id, frame, mask))
        self.known[object_id] = None

    def track(self, *, frames):
        first_row = np.zeros((4, 6))
        first_row[0] = 1
        found, logits = {3: first_row, 9: np.ones((4, 6))}, {3: np.full((2, 3), 5), 9: np.ones((2, 3))}
        for number in frames:
            ids = tuple(self.known)
            yield number, segmentation(ids, [found[each] for each in ids], [logits[each] for each in ids])


def tracked(tracker, prompts, *, may_overlap=False):
    return list(VideoModelPredictor(tracker, "tiny").track(FRAMES, prompts, may_overlap=may_overlap))


def test_every_object_is_prompted_by_its_first_mask():
    tracker = RecordingTracker()
    predicted = tracked(tracker, PROMPTS)
    assert tracker.frames is FRAMES
    assert [(object_id, frame) for object_id, frame, _ in tracker.prompts] == [(3, 0), (9, 0)]
    for object_id, _, mask in tracker.prompts:
        np.testing.assert_array_equal(mask, object_id == FIRST)
        np.testing.assert_array_equal(predicted[0][object_id], mask)  # as told
    for each in predicted[1:]:
        assert each[3].sum() == 6
        np.testing.assert_array_equal(each[9], ~each[3])


def test_masks_may_overlap_where_those_of_the_truth_do():
    assert all(
        each[9].all() and each[3].sum() == 6 for each in tracked(RecordingTracker(), PROMPTS, may_overlap=True)[1:]
    )


def test_objects_are_prompted_when_they_appear():
    tracker = RecordingTracker()
    predicted = tracked(tracker, {1: {9: FIRST == 9}, 2: {3: FIRST == 3}})
    assert [(object_id, frame) for object_id, frame, _ in tracker.prompts] == [(9, 1), (3, 2)]
    assert [sorted(each) for each in predicted] == [[], [9], [3, 9]]
    np.testing.assert_array_equal(predicted[2][3], FIRST == 3)
    assert not (predicted[2][9] & predicted[2][3]).any()


def test_without_objects_there_is_nothing_to_track():
    with pytest.raises(InvalidInputError, match="no object"):
        tracked(RecordingTracker(), {})


def test_the_highest_logit_is_on_top_within_its_own_mask():
    left, all_but_last_row = np.zeros((4, 6)), np.ones((4, 6))
    left[:, :3] = 1
    all_but_last_row[3] = 0
    higher_left = [[[5, 5, 5], [5, 5, 5]], [[2, 2, 9], [2, 2, 9]]]
    found = by_highest_logit(segmentation((200, 7), [left, all_but_last_row], higher_left))
    np.testing.assert_array_equal(found[:3, :3], 200)
    np.testing.assert_array_equal(found[:3, 3:], 7)
    np.testing.assert_array_equal(found[3], [200, 200, 200, 0, 0, 0])
    assert found.dtype == np.uint8
    of_instances = by_highest_logit(segmentation((300, 7), [left, all_but_last_row], higher_left))
    np.testing.assert_array_equal(of_instances, np.where(found == 200, 300, found.astype(int)))


def test_masks_without_logits_are_refused():
    masks = np.ones((1, 4, 6), dtype=bool)
    with pytest.raises(InvalidInputError, match="logits"):
        by_highest_logit(Segmentation(masks, np.ones(1), (1,)))
