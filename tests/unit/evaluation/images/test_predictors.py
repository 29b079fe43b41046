from types import SimpleNamespace

import numpy as np
import pytest

from masklet.evaluation.images.predictors import ImageModelPredictor
from masklet.prompts.simulated_annotator import Click


class RecordingSegmenter:
    """Keeps the prompts of every call; the logits it returns tell the number of the call."""

    def __init__(self):
        self.calls = []

    def encode(self, image):
        return f"encoded {image.shape}"

    def segment(self, encoded, *, points=None, labels=None, boxes=None, masks=None, multimask=None):
        self.calls.append(
            SimpleNamespace(
                encoded=encoded, points=points, labels=labels, boxes=boxes, masks=masks, multimask=multimask
            )
        )
        count = len(boxes) if points is None else len(points)
        logits = np.full((count, 2, 2), len(self.calls), dtype=np.float32)
        return SimpleNamespace(masks=np.ones((count, 4, 5), dtype=bool), low_resolution_logits=logits)


@pytest.fixture
def segmenter():
    return RecordingSegmenter()


@pytest.fixture
def predictor(segmenter):
    predictor = ImageModelPredictor(segmenter)
    predictor.open(np.zeros((4, 5, 3), dtype=np.uint8))
    return predictor


FIRST = [Click(1, 2, 1)]
SECOND = [Click(3, 0, 1), Click(2, 2, 0)]


def test_first_click(segmenter, predictor):
    assert predictor.predict(clicks=[FIRST], boxes=None, use_previous=False).shape == (1, 4, 5)
    (call,) = segmenter.calls
    assert call.multimask is None  # the segmenter's rule: the best of three for a single click
    assert call.masks is None
    assert call.encoded == "encoded (4, 5, 3)"
    np.testing.assert_array_equal(call.points, [[[1, 2]]])
    np.testing.assert_array_equal(call.labels, [[1]])


def test_further_clicks_go_in_with_all_clicks_and_the_previous_logits(segmenter, predictor):
    predictor.predict(clicks=[FIRST, SECOND[:1]], boxes=None, use_previous=False)
    predictor.predict(clicks=[FIRST, SECOND], boxes=None, use_previous=True)
    predictor.predict(clicks=[FIRST, SECOND], boxes=None, use_previous=True)
    _, second, third = segmenter.calls
    np.testing.assert_array_equal(second.masks, np.full((2, 2, 2), 1))
    np.testing.assert_array_equal(third.masks, np.full((2, 2, 2), 2))
    np.testing.assert_array_equal(second.points[1], [[3, 0], [2, 2]])
    np.testing.assert_array_equal(second.labels[1], [1, 0])


def test_boxes_take_nothing_from_before(segmenter, predictor):
    predictor.predict(clicks=[FIRST], boxes=None, use_previous=False)
    predictor.predict(clicks=None, boxes=np.array([[0.0, 0.0, 3.0, 3.0]]), use_previous=False)
    call = segmenter.calls[1]
    assert call.masks is None
    assert call.points is None
    np.testing.assert_array_equal(call.boxes, [[0, 0, 3, 3]])


def test_a_new_image_forgets_the_previous_logits(segmenter, predictor):
    predictor.predict(clicks=[FIRST], boxes=None, use_previous=False)
    predictor.open(np.zeros((4, 5, 3), dtype=np.uint8))
    predictor.predict(clicks=[FIRST], boxes=None, use_previous=True)
    assert segmenter.calls[1].masks is None
