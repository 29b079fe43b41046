"""Clips as tensors."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.support.clips import clip_of
from tests.support.small_recipes import small_recipe, write_plain_images

from masklet.datasets.scenes import ClipGenerator, ImageBank, SceneGenerator
from masklet.errors import InvalidInputError
from masklet.training.settings.stages import ClipStage
from masklet.training.supply.clip_batches import ClipBatch, ClipBatches, sample_clip
from masklet.training.supply.image_batches import SceneBatch, SceneBatches
from masklet.training.supply.micro_batches import StepSlice
from masklet.training.supply.prompting import PointPrompts
from masklet.training.targets import CropTargets


def test_targets_are_the_share_of_each_cell_in_every_frame() -> None:
    sample = sample_clip(clip_of(10), 4, np.random.default_rng(0))
    targets = sample.targets()
    assert targets.shape == (3, 1, 16, 16)
    assert sample.pixel_values.shape == (3, 3, 64, 64)
    for frame in range(3):
        assert targets[frame, 0].sum() * 16 == 100
        assert targets[frame, 0, 0, 4 * frame + 2] == 1
        assert targets[frame, 0, 2, 4 * frame + 4] == 0.25


def test_at_most_so_many_objects_without_repetition() -> None:
    clip = clip_of(8, 9, 10, 11, 12)
    for seed in range(10):
        masks = sample_clip(clip, 3, np.random.default_rng(seed)).masks
        assert masks.shape == (3, 3, 64, 64)
        assert len({int(mask.sum()) for mask in masks[0]}) == 3


def test_objects_that_the_first_frame_does_not_show_are_left_out() -> None:
    clip = clip_of(8, 9, 10)
    clip.masks[0, 1] = False
    for seed in range(5):
        areas = sample_clip(clip, 3, np.random.default_rng(seed)).masks[0].sum((1, 2))
        assert sorted(areas.tolist()) == [64, 100]


def test_objects_of_all_clips_in_a_row_each_clip_counting_the_same() -> None:
    rng = np.random.default_rng(0)
    batch = ClipBatch([sample_clip(clip_of(*sides), 4, rng) for sides in ((8, 9, 10), (12,))])
    device = torch.device("cpu")
    assert batch.frames == 3
    assert batch.clip_of_object(device).tolist() == [0, 0, 0, 1]
    assert batch.counts(device).tolist() == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2])


def test_clips_of_one_step_are_equally_long() -> None:
    clips = [sample_clip(clip_of(10, frames=frames), 1, np.random.default_rng(0)) for frames in (2, 3)]
    with pytest.raises(InvalidInputError, match=r"\[2, 3\] frames"):
        ClipBatch(clips)


def test_pixels_are_normalised_as_those_of_scenes() -> None:
    sample = sample_clip(clip_of(10), 1, np.random.default_rng(0))
    prompts = PointPrompts(torch.zeros(3, 1, 1, 2), torch.ones(3, 1, 1, dtype=torch.long))
    scenes = SceneBatch(
        sample.pixel_values, sample.targets(), CropTargets.of(sample.masks), torch.ones(3, 1, dtype=torch.bool), prompts
    )
    assert torch.equal(sample.normalized(), scenes.normalized())


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_plain_images(tmp_path_factory.mktemp("images"))


def batches(images: Path, share: StepSlice, first: int = 0, **fields: int) -> ClipBatches:
    stage = ClipStage(64, 6, scenes_per_step=2, objects_per_scene=2, clip_length=2, clips_per_step=2, **fields)
    recipe = small_recipe(images, stages=(stage,))
    bank = ImageBank.load((images,))
    images = SceneBatches(SceneGenerator(bank, 64, recipe.mixture), recipe, stage, share, first, 6 - first)
    return ClipBatches(ClipGenerator(bank, 64, 2), images, stage)


def test_every_few_steps_are_on_images_also_after_a_pause(images: Path) -> None:
    kinds = [type(batches(images, StepSlice(), images_every=3)[index]) for index in range(6)]
    assert kinds == [ClipBatch, ClipBatch, SceneBatch] * 2
    later = batches(images, StepSlice(), first=4, images_every=3)
    assert [type(later[index]) for index in range(len(later))] == kinds[4:]


@pytest.mark.parametrize("first", [0, 4])
def test_no_number_is_left_out_at_steps_of_the_other_kind(
    images: Path, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    made = batches(images, StepSlice(), first, images_every=3)
    drawn: dict[str, list[int]] = {"scene": [], "clip": []}
    for name, generator in (("scene", made.image_batches.generator), ("clip", made.generator)):
        draw = getattr(generator, name)
        monkeypatch.setattr(
            generator, name, lambda number, name=name, draw=draw: drawn[name].append(number) or draw(number)
        )
    for index in range(len(made)):
        made[index]
    begins = {0: {"scene": 0, "clip": 0}, 4: {"scene": 2, "clip": 6}}[first]
    assert drawn == {"scene": list(range(begins["scene"], 4)), "clip": list(range(begins["clip"], 8))}


def test_processes_share_the_clips_of_a_step(images: Path) -> None:
    whole = batches(images, StepSlice())[1]
    parts = [batches(images, StepSlice(rank, 2))[1] for rank in range(2)]
    assert isinstance(whole, ClipBatch)
    together = [clip for part in parts if isinstance(part, ClipBatch) for clip in part.clips]
    assert len(together) == len(whole.clips) == 2
    for one, other in zip(together, whole.clips, strict=True):
        assert torch.equal(one.pixel_values, other.pixel_values)
