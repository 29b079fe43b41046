"""Scenes as tensors."""

import numpy as np
import pytest
import torch
from tests.support.small_recipes import small_recipe, write_plain_images

from masklet.datasets.scenes import ImageBank, Scene, SceneGenerator
from masklet.processing import Sam2ImageProcessorFast
from masklet.prompts.point_labels import BOX_UPPER_LEFT
from masklet.training.settings.recipe import Recipe
from masklet.training.supply.image_batches import SceneBatches, collate, loaded, sample_objects
from masklet.training.supply.micro_batches import StepSlice

ALONE = StepSlice()


def scene_of(*sizes: int) -> Scene:
    """Squares of these sides, one below the other, in an image of 64 pixels."""
    masks = np.zeros((len(sizes), 64, 64), bool)
    top = 0
    for mask, side in zip(masks, sizes, strict=True):
        mask[top : top + side, 2 : 2 + side] = True
        top += side
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    return Scene(image, masks, [-1] * len(sizes), "squares")


def test_targets_are_the_share_of_each_cell() -> None:
    sample = sample_objects(scene_of(9), 1, 0.0, np.random.default_rng(0))
    assert sample.targets.shape == (1, 16, 16)
    assert sample.targets.sum() * 16 == pytest.approx(81)
    assert sample.targets[0, 0, :4].tolist() == [0.5, 1.0, 0.75, 0.0]


def test_scenes_with_too_few_objects_repeat_them_as_invalid() -> None:
    sample = sample_objects(scene_of(10, 20), 5, 0.0, np.random.default_rng(0))
    assert sample.valid.tolist() == [True, True, False, False, False]
    areas = sample.targets.sum((1, 2)) * 16
    assert sorted(areas[:2].round().tolist()) == [100, 400]


def test_no_object_is_taken_twice_and_prompts_belong_to_their_masks() -> None:
    for seed in range(10):
        sample = sample_objects(scene_of(6, 10, 14, 18), 3, 0.5, np.random.default_rng(seed))
        assert sample.valid.all()
        assert len(set((sample.targets.sum((1, 2)) * 16).round().tolist())) == 3
        for target, points in zip(sample.targets, sample.points, strict=True):
            x, y = (points[points[:, 0] != -10].mean(0) / 4).astype(int)
            assert target[y, x] > 0


def test_boxes_are_as_frequent_as_is_said_those_over_parts_among_them() -> None:
    rng, scene = np.random.default_rng(0), scene_of(*[12] * 4)
    labels = np.concatenate([sample_objects(scene, 3, 0.5, rng).labels[:, 0] for _ in range(300)])
    assert (labels == BOX_UPPER_LEFT).mean() == pytest.approx(0.5, abs=0.05)


def test_a_batch_stacks_scenes_and_is_normalized_as_the_processor_does() -> None:
    rng = np.random.default_rng(0)
    scenes = [scene_of(10, 20), scene_of(9, 9)]
    batch = collate([sample_objects(scene, 2, 0.5, rng) for scene in scenes])
    assert (batch.pixel_values.shape, batch.pixel_values.dtype) == ((2, 3, 64, 64), torch.uint8)
    assert (batch.targets.shape, batch.valid.shape) == ((2, 2, 16, 16), (2, 2))
    assert (batch.prompts.points.shape, batch.prompts.labels.dtype) == ((2, 2, 2, 2), torch.int64)
    expected = Sam2ImageProcessorFast(size=64)([scene.image for scene in scenes], return_tensors="pt").pixel_values
    torch.testing.assert_close(batch.normalized(), expected, rtol=1e-5, atol=1e-5)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    return small_recipe(write_plain_images(tmp_path_factory.mktemp("images")))


def batches(recipe: Recipe, share: StepSlice = ALONE, first: int = 0, count: int = 4) -> SceneBatches:
    generator = SceneGenerator(ImageBank.load(recipe.image_folders), 64, recipe.mixture)
    return SceneBatches(generator, recipe, recipe.stages[0], share, first, count)


def test_a_batch_depends_on_its_number_alone(recipe: Recipe) -> None:
    from_the_start, resumed = batches(recipe), batches(recipe, first=2, count=2)
    for index in range(2):
        ours, theirs = from_the_start[2 + index], resumed[index]
        assert torch.equal(ours.pixel_values, theirs.pixel_values)
        assert torch.equal(ours.prompts.points, theirs.prompts.points)
    assert not torch.equal(from_the_start[0].pixel_values, from_the_start[1].pixel_values)


def test_processes_share_the_scenes_of_a_step(recipe: Recipe) -> None:
    whole = batches(recipe)[1]
    parts = [batches(recipe, StepSlice(rank, 2))[1] for rank in range(2)]
    assert torch.equal(torch.cat([part.pixel_values for part in parts]), whole.pixel_values)


@pytest.mark.parametrize("workers", [0, 1])
def test_the_loader_gives_all_batches_in_order(recipe: Recipe, workers: int) -> None:
    expected = batches(recipe, count=2)
    made = list(loaded(batches(recipe, count=2), workers))
    assert len(made) == 2
    for index, batch in enumerate(made):
        assert torch.equal(batch.pixel_values, expected[index].pixel_values)
