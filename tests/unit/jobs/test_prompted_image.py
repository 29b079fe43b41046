import weakref
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from masklet.errors import InvalidInputError
from masklet.jobs.prompted_image import prompts_by_number, segment_candidates, segment_objects
from masklet.masks.segmentation import Segmentation
from masklet.media.label_maps import write_label_map
from masklet.media.prompt_entries import PromptEntry
from masklet.predictors.image_segmenter import EncodedImage
from masklet.prompts.prompt import Prompt

ENCODED = EncodedImage((), height=4, width=6)


class ScoringSegmenter:
    """The score of an object is its first coordinate; candidates score half as much each."""

    runtime = SimpleNamespace(
        device=torch.device("cpu"),
        dtype=torch.float32,
        config=SimpleNamespace(prompt_encoder_config=SimpleNamespace(mask_input_size=(2, 2))),
    )

    def segment(self, encoded, *, prompts, object_ids):
        scores = self._scores(prompts)
        return Segmentation(np.ones((len(scores), 4, 6), dtype=bool), scores, tuple(object_ids))

    def candidates(self, encoded, *, prompts):
        masks = np.ones((3, 4, 6), dtype=bool)
        return [Segmentation(masks, score / np.array([1, 2, 4]), (1, 2, 3)) for score in self._scores(prompts)]

    @staticmethod
    def _scores(prompts):
        return np.array([each.points[0, 0] if each.box is None else each.box[0] for each in prompts])


ENTRIES = (
    PromptEntry(5, Prompt([[5, 1]])),
    PromptEntry(2, Prompt(box=(2, 0, 3, 1))),
    PromptEntry(3, Prompt([[3, 2]], [0])),
    PromptEntry(4, Prompt([[4, 1], [4, 2]], [1, 0])),
)


def test_results_come_by_number_with_their_own_scores():
    result = segment_objects(ScoringSegmenter(), ENCODED, prompts_by_number(ScoringSegmenter(), ENTRIES, ENCODED))
    assert result.object_ids == (2, 3, 4, 5)
    np.testing.assert_array_equal(result.scores, [2, 3, 4, 5])


def test_candidates_come_by_rank_then_number():
    best, second, third = segment_candidates(
        ScoringSegmenter(), ENCODED, prompts_by_number(ScoringSegmenter(), ENTRIES, ENCODED)
    )
    assert best.object_ids == second.object_ids == (2, 3, 4, 5)
    np.testing.assert_array_equal(best.scores, [2, 3, 4, 5])
    np.testing.assert_array_equal(third.scores, [0.5, 0.75, 1, 1.25])


def test_a_mask_without_content_is_refused(tmp_path):
    Image.fromarray(np.zeros((4, 6), np.uint8)).save(tmp_path / "empty.png")
    with pytest.raises(InvalidInputError, match=r"empty\.png is empty"):
        prompts_by_number(ScoringSegmenter(), [PromptEntry(1, mask_file=tmp_path / "empty.png")], ENCODED)


def test_masks_of_a_label_map_are_reduced_one_by_one(tmp_path, monkeypatch):
    labels = np.repeat(np.arange(1, 7, dtype=np.uint8)[None], 4, axis=0)
    write_label_map(tmp_path / "map.png", labels)
    read, whole = PromptEntry.prompt, []

    def counted(entry, *size):
        assert sum(prompt() is not None for prompt in whole) <= 1
        prompt = read(entry, *size)
        whole.append(weakref.ref(prompt))
        return prompt

    monkeypatch.setattr(PromptEntry, "prompt", counted)
    entries = [PromptEntry(number, mask_file=tmp_path / "map.png") for number in range(1, 7)]
    prompts = prompts_by_number(ScoringSegmenter(), entries, ENCODED)
    assert len(whole) == 6
    assert {prompt.mask.shape for prompt in prompts.values()} == {(2, 2)}
    assert (prompts[1].mask[:, 0] > prompts[1].mask[:, 1]).all()
    assert (prompts[6].mask[:, 0] < prompts[6].mask[:, 1]).all()
