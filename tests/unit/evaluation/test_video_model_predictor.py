import numpy as np
import pytest

from masklet.errors import InvalidInputError
from masklet.evaluation.video_model_predictor import VideoModelPredictor, by_highest_logit
from masklet.masks.segmentation import Segmentation

FIRST = np.zeros((4, 6), dtype=np.uint8)
FIRST[1, 1:3] = 9
FIRST[2:, 4] = 3
FRAMES = [np.full((4, 6, 3), number, dtype=np.uint8) for number in range(3)]


def segmentation(object_ids, masks, logits):
    masks = np.array(masks, dtype=bool).reshape(len(object_ids), 4, 6)
    return Segmentation(masks, np.ones(len(object_ids)), object_ids, np.array(logits, dtype=np.float32))


class RecordingTracker:
    """Finds object 9 everywhere."""

    def __init__(self):
        self.prompts = []

    def open(self, frames):
        self.frames = frames
        return self

    def add(self, object_id, frame, *, mask):
        self.prompts.append((object_id, frame, mask))

    def track(self):
        masks = np.stack([np.zeros((4, 6)), np.ones((4, 6))])
        return ((number, segmentation((3, 9), masks, np.ones((2, 2, 3)))) for number in range(len(self.frames)))


def test_every_object_is_prompted_by_its_first_mask():
    tracker = RecordingTracker()
    predicted = list(VideoModelPredictor(tracker, "tiny").track(FRAMES, FIRST))
    assert tracker.frames is FRAMES
    assert [(object_id, frame) for object_id, frame, _ in tracker.prompts] == [(3, 0), (9, 0)]
    for object_id, _, mask in tracker.prompts:
        np.testing.assert_array_equal(mask, object_id == FIRST)
    np.testing.assert_array_equal(predicted[0], FIRST)  # as told
    assert [np.unique(each).tolist() for each in predicted[1:]] == [[9], [9]]
    assert {each.dtype for each in predicted} == {np.dtype(np.uint8)}


def test_without_objects_there_is_nothing_to_track():
    with pytest.raises(InvalidInputError, match="no object"):
        next(VideoModelPredictor(RecordingTracker()).track(FRAMES, FIRST * 0))


def test_the_highest_logit_is_on_top_within_its_own_mask():
    left, all_but_last_row = np.zeros((4, 6)), np.ones((4, 6))
    left[:, :3] = 1
    all_but_last_row[3] = 0
    higher_left = [[[5, 5, 5], [5, 5, 5]], [[2, 2, 9], [2, 2, 9]]]
    found = by_highest_logit(segmentation((200, 7), [left, all_but_last_row], higher_left))
    np.testing.assert_array_equal(found[:3, :3], 200)
    np.testing.assert_array_equal(found[:3, 3:], 7)
    np.testing.assert_array_equal(found[3], [200, 200, 200, 0, 0, 0])


def test_masks_without_logits_are_refused():
    masks = np.ones((1, 4, 6), dtype=bool)
    with pytest.raises(InvalidInputError, match="logits"):
        by_highest_logit(Segmentation(masks, np.ones(1), (1,)))
