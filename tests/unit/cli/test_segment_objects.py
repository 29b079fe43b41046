from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from masklet.cli.segment_objects import segment_candidates, segment_objects
from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.masks.segmentation import Segmentation
from masklet.predictors.image_segmenter import EncodedImage
from masklet.prompts.object_prompts import ObjectPrompt

ENCODED = EncodedImage((), height=4, width=6)


class RecordingSegmenter:
    """Keeps its calls; the score of an object is its first coordinate, candidates score half as much each."""

    def __init__(self):
        self.calls = []

    def segment(self, encoded, *, object_ids, **prompts):
        self.calls.append({**prompts, "object_ids": object_ids})
        scores = self._scores(prompts)
        return Segmentation(np.ones((len(scores), 4, 6), dtype=bool), scores, tuple(object_ids))

    def candidates(self, encoded, **prompts):
        masks = np.ones((3, 4, 6), dtype=bool)
        return [Segmentation(masks, score / np.array([1, 2, 4]), (1, 2, 3)) for score in self._scores(prompts)]

    @staticmethod
    def _scores(prompts):
        if "boxes" in prompts:
            return np.array([box[0] for box in prompts["boxes"]])
        if "points" in prompts:
            return np.array([points[0][0] for points in prompts["points"]])
        return np.zeros(len(prompts["masks"]))


@pytest.fixture
def segmenter():
    return RecordingSegmenter()


OBJECTS = (
    ObjectPrompt(5, points=((50.0, 1, 1),)),
    ObjectPrompt(2, box=(20.0, 0, 30, 1)),
    ObjectPrompt(3, points=((30.0, 2, 0),)),
    ObjectPrompt(4, points=((40.0, 1, 1), (4, 2, 0))),
)


def test_only_prompts_of_the_same_shape_go_together(segmenter):
    segment_objects(segmenter, ENCODED, OBJECTS)
    assert segmenter.calls == [
        {"points": [[(50, 1)], [(30, 2)]], "labels": [[1], [0]], "object_ids": [5, 3]},
        {"boxes": [(20, 0, 30, 1)], "object_ids": [2]},
        {"points": [[(40, 1), (4, 2)]], "labels": [[1, 0]], "object_ids": [4]},
    ]


def test_results_come_by_number_with_their_own_scores(segmenter):
    result = segment_objects(segmenter, ENCODED, OBJECTS)
    assert result.object_ids == (2, 3, 4, 5)
    np.testing.assert_array_equal(result.scores, [20, 30, 40, 50])


def test_candidates_come_by_rank_then_number(segmenter):
    best, second, third = segment_candidates(segmenter, ENCODED, OBJECTS)
    assert best.object_ids == second.object_ids == (2, 3, 4, 5)
    np.testing.assert_array_equal(best.scores, [20, 30, 40, 50])
    np.testing.assert_array_equal(third.scores, [5, 7.5, 10, 12.5])


def write_mask(path: Path, values: np.ndarray) -> Path:
    Image.fromarray(values.astype(np.uint8)).save(path)
    return path


def test_a_mask_file_becomes_a_mask_prompt(segmenter, tmp_path):
    values = np.zeros((4, 6))
    values[1, 2:5] = 255
    segment_objects(segmenter, ENCODED, [ObjectPrompt(1, mask=write_mask(tmp_path / "mask.png", values))])
    (call,) = segmenter.calls
    np.testing.assert_array_equal(call["masks"], [values > 0])
    assert call["masks"].dtype == bool


def test_each_object_of_a_label_map_is_its_own_mask(segmenter, tmp_path):
    values = np.zeros((4, 6))
    values[1, 2:5], values[3] = 2, 7
    file = write_mask(tmp_path / "map.png", values)
    segment_objects(segmenter, ENCODED, [ObjectPrompt(2, mask=file), ObjectPrompt(7, mask=file)])
    (call,) = segmenter.calls
    np.testing.assert_array_equal(call["masks"], [values == 2, values == 7])


def test_masks_of_another_size_or_without_content_are_refused(segmenter, tmp_path):
    turned = ObjectPrompt(1, mask=write_mask(tmp_path / "turned.png", np.ones((6, 4))))
    with pytest.raises(InvalidInputError, match=r"turned\.png is 4 x 6 pixels; .* photo, 6 x 4"):
        segment_objects(segmenter, ENCODED, [turned])
    empty = ObjectPrompt(1, mask=write_mask(tmp_path / "empty.png", np.zeros((4, 6))))
    with pytest.raises(InvalidInputError, match=r"empty\.png is empty"):
        segment_objects(segmenter, ENCODED, [empty])
    with pytest.raises(UnreadableImageError, match=r"nowhere\.png"):
        segment_objects(segmenter, ENCODED, [ObjectPrompt(1, mask=tmp_path / "nowhere.png")])
