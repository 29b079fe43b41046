"""Clips as tensors."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.unit.training.small_recipes import small_recipe, write_pictures

from masklet.datasets.scenes import Clip, ClipGenerator, PictureBank, SceneGenerator
from masklet.prompts.simulated_clicks import first_click
from masklet.training.batches import SceneBatch, SceneBatches
from masklet.training.clip_batches import ClipBatch, ClipBatches, sample_clip
from masklet.training.recipe import ClipStage
from masklet.training.shares import Share


def clip_of(*sides: int, frames: int = 3) -> Clip:
    """Squares of these sides, one below the other, which leave to the right, a quarter of the picture a frame."""
    masks = np.zeros((frames, len(sides), 64, 64), bool)
    for frame in range(frames):
        top = 0
        for number, side in enumerate(sides):
            masks[frame, number, top : top + side, 16 * frame + 8 : 16 * frame + 8 + side] = True
            top += side
    colours = np.random.default_rng(0).integers(80, 256, (len(sides), 3))
    pictures = (masks.transpose(0, 2, 3, 1) @ colours).astype(np.uint8)
    return Clip(pictures, masks, "squares")


def test_targets_are_the_share_of_each_cell_in_every_frame() -> None:
    sample = sample_clip(clip_of(10), 4, 0.0, np.random.default_rng(0))
    assert sample.targets.shape == (3, 1, 16, 16)
    assert sample.pixel_values.shape == (3, 3, 64, 64)
    for frame in range(3):
        assert sample.targets[frame, 0].sum() * 16 == 100
        assert sample.targets[frame, 0, 0, 4 * frame + 2] == 1
        assert sample.targets[frame, 0, 2, 4 * frame + 4] == 0.25


def test_prompts_and_masks_are_of_the_first_frame() -> None:
    clip = clip_of(12, 20)
    sample = sample_clip(clip, 4, 1.0, np.random.default_rng(0))
    assert sample.prompts.points.shape == (2, 1, 2, 2)
    assert sample.prompts.labels.tolist() == [[[2, 3]], [[2, 3]]]
    assert {int(mask.sum()) for mask in sample.masks} == {144, 400}
    clicks = sample_clip(clip, 4, 0.0, np.random.default_rng(0)).prompts
    order = [{144: 0, 400: 1}[int(mask.sum())] for mask in sample_clip(clip, 4, 0.0, np.random.default_rng(0)).masks]
    for index, number in enumerate(order):
        x, y = clicks.points[index, 0, 0].int().tolist()
        assert clip.masks[0, number, y, x]
        assert first_click(clip.masks[0, number]) is not None


def test_at_most_so_many_objects_without_repetition() -> None:
    clip = clip_of(8, 9, 10, 11, 12)
    for seed in range(10):
        sample = sample_clip(clip, 3, 0.0, np.random.default_rng(seed))
        assert len({int(mask.sum()) for mask in sample.masks}) == 3


def test_pixels_are_normalised_as_those_of_scenes() -> None:
    sample = sample_clip(clip_of(10), 1, 0.0, np.random.default_rng(0))
    prompts = sample.prompts
    scenes = SceneBatch(sample.pixel_values, sample.targets, torch.ones(3, 1, dtype=torch.bool), prompts)
    assert torch.equal(sample.normalized(), scenes.normalized())


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("pictures"))


def batches(pictures: Path, share: Share, first: int = 0, **fields: int) -> ClipBatches:
    stage = ClipStage(64, 6, scenes_per_step=2, objects_per_scene=2, clip_length=2, clips_per_step=2, **fields)
    recipe = small_recipe(pictures, stages=(stage,))
    bank = PictureBank.load((pictures,))
    stills = SceneBatches(SceneGenerator(bank, 64, recipe.mixture), recipe, stage, share, first, 6 - first)
    return ClipBatches(ClipGenerator(bank, 64, 2), stills, stage)


def test_every_few_steps_are_on_stills_also_after_a_pause(pictures: Path) -> None:
    kinds = [type(batches(pictures, Share(), stills_every=3)[index]) for index in range(6)]
    assert kinds == [ClipBatch, ClipBatch, SceneBatch] * 2
    later = batches(pictures, Share(), first=4, stills_every=3)
    assert [type(later[index]) for index in range(len(later))] == kinds[4:]


def test_processes_share_the_clips_of_a_step(pictures: Path) -> None:
    whole = batches(pictures, Share())[1]
    parts = [batches(pictures, Share(rank, 2))[1] for rank in range(2)]
    assert isinstance(whole, ClipBatch)
    together = [clip for part in parts if isinstance(part, ClipBatch) for clip in part.clips]
    assert len(together) == len(whole.clips) == 2
    for one, other in zip(together, whole.clips, strict=True):
        assert torch.equal(one.pixel_values, other.pixel_values)
