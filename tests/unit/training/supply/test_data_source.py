"""What a recipe trains on: annotated roots and the procedural world as batches, the same after every pause."""

from dataclasses import replace
from pathlib import Path

import cv2
import pytest
import torch
from tests.support.annotated_data import write_images, write_videos
from tests.support.small_recipes import small_recipe, write_plain_images

from masklet.datasets.augmentation import Augmentation
from masklet.datasets.sampling import DataMixture
from masklet.errors import InvalidInputError
from masklet.training.settings.recipe import Recipe
from masklet.training.settings.stages import ClipStage, Stage
from masklet.training.supply.clip_batches import ClipBatch
from masklet.training.supply.data_source import TrainingData, open_training_data
from masklet.training.supply.image_batches import SceneBatch, loaded
from masklet.training.supply.micro_batches import StepSlice

IMAGES = Stage(64, 8, scenes_per_step=2, objects_per_scene=2)
CLIPS = ClipStage(64, 8, 2, 2, clip_length=3, clips_per_step=2, objects_per_clip=2, images_every=2)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`images` and `videos` with annotations, and `plain` images."""
    root = tmp_path_factory.mktemp("data")
    write_images(root / "images", 5)
    write_videos(root / "videos", 3)
    write_plain_images(root / "plain")
    return root


def recipe_of(folders: Path, *roots: str, stage: Stage = IMAGES, procedural: float = 0.0) -> Recipe:
    none = Augmentation.none()
    data = DataMixture(tuple(folders / each for each in roots), procedural=procedural, images=none, videos=none)
    return small_recipe(folders / "plain", stages=(stage,), data=data)


def batches(data: TrainingData, first: int = 0, part: StepSlice | None = None) -> list[SceneBatch | ClipBatch]:
    stage = data.recipe.stages[0]
    return list(loaded(data.batches_for(stage, part or StepSlice(), first, stage.steps - first), workers=0))


def recorded(pixel_values: torch.Tensor) -> bool:
    """Whether the images [..., 3, S, S] are green and black only; the procedural ones are not."""
    return bool(pixel_values[..., ::2, :, :].float().mean() < 3)


def pixels_of(batch: SceneBatch | ClipBatch) -> list[torch.Tensor]:
    return list(batch.pixel_values) if isinstance(batch, SceneBatch) else [each.pixel_values for each in batch.clips]


def same(one: SceneBatch | ClipBatch, other: SceneBatch | ClipBatch) -> bool:
    pairs = zip(pixels_of(one), pixels_of(other), strict=True)
    return type(one) is type(other) and all(torch.equal(a, b) for a, b in pairs)


def test_procedural_scenes_are_mosaics_by_the_recipe(folders: Path) -> None:
    recipe = small_recipe(folders / "plain", stages=(IMAGES,), mosaic=1.0)
    first = batches(open_training_data(recipe))[0]
    plain = batches(open_training_data(replace(recipe, mosaic=0.0)))[0]
    # Of a scene of half the size nothing is larger than a quarter of the image.
    assert isinstance(first, SceneBatch)
    assert first.targets.mean((-2, -1)).max() <= 0.25
    assert not same(first, plain)


@pytest.mark.parametrize("roots", [(), ("images",)])
def test_images_are_seen_from_near_by_the_recipe(folders: Path, roots: tuple[str, ...]) -> None:
    recipe = recipe_of(folders, *roots) if roots else small_recipe(folders / "plain", stages=(IMAGES,))
    near, far = (batches(open_training_data(replace(recipe, object_crops=share))) for share in (1.0, 0.0))
    assert not all(same(*pair) for pair in zip(near, far, strict=True))
    assert sum(each.targets.sum() for each in near) > sum(each.targets.sum() for each in far)


@pytest.mark.parametrize("mosaic", [0.0, 0.5])
@pytest.mark.parametrize("stage", [replace(IMAGES, steps=1), replace(CLIPS, steps=1)])
def test_the_seed_counts_in_the_procedural_world(folders: Path, stage: Stage, mosaic: float) -> None:
    recipe = small_recipe(folders / "plain", stages=(stage,), mosaic=mosaic)
    (first,), (again,), (other_seed,), (later,) = (
        batches(open_training_data(replace(recipe, **changes)))
        for changes in ({}, {"seed": 0}, {"seed": 7}, {"first_scene": 2})
    )
    assert same(first, again)
    assert not same(first, other_seed)
    assert not same(first, later)


def test_annotated_images_arrive_as_scene_batches(folders: Path) -> None:
    for batch in batches(open_training_data(recipe_of(folders, "images"))):
        assert isinstance(batch, SceneBatch)
        assert batch.pixel_values.shape == (2, 3, 64, 64)
        assert recorded(batch.pixel_values)
        green = batch.pixel_values[:, 1].float() / 255
        shares = torch.nn.functional.avg_pool2d(green, 4)
        for image in range(2):
            asked = batch.targets[image][batch.valid[image]].sum(0)
            assert torch.all(asked <= shares[image] + 0.26)  # rims are soft in images and hard in masks
            assert asked.sum() > 0.3 * shares[image].sum()


def test_annotated_videos_arrive_as_clip_batches_and_their_frames_as_images(folders: Path) -> None:
    got = batches(open_training_data(recipe_of(folders, "videos", stage=CLIPS)))
    assert [type(each) for each in got] == [ClipBatch, SceneBatch] * 4
    for batch in got:
        assert all(recorded(each) for each in pixels_of(batch))
    for clip in (clip for batch in got if isinstance(batch, ClipBatch) for clip in batch.clips):
        assert clip.masks.shape == (3, 1, 64, 64)
        assert ((clip.pixel_values[:, 1] > 127) == clip.masks[:, 0]).float().mean() > 0.99


def test_images_come_from_images_where_there_are_any(folders: Path) -> None:
    data = open_training_data(recipe_of(folders, "images", "videos", stage=CLIPS))
    for batch in batches(data):
        if isinstance(batch, SceneBatch):
            assert (batch.pixel_values[:, 1].amax(1) > 127).sum(1).min() > 25  # two objects beside each other


def test_roots_and_the_procedural_world_are_mixed_by_weight(folders: Path) -> None:
    stage = replace(IMAGES, image_size=32, steps=30)
    data = open_training_data(recipe_of(folders, "images", stage=stage, procedural=3.0))
    images = [image for batch in batches(data) for image in pixels_of(batch)]
    assert sum(map(recorded, images)) == pytest.approx(0.25 * len(images), abs=8)
    assert not any(
        recorded(each) for batch in batches(open_training_data(recipe_of(folders))) for each in batch.pixel_values
    )


def test_a_run_that_was_interrupted_sees_what_it_would_have_seen(folders: Path) -> None:
    recipe = recipe_of(folders, "images", "videos", stage=CLIPS, procedural=0.5)
    whole = batches(open_training_data(recipe))
    later = batches(open_training_data(recipe), first=3)
    assert len(later) == 5
    assert all(same(one, other) for one, other in zip(whole[3:], later, strict=True))
    assert not same(whole[0], whole[2])
    other_seed = batches(open_training_data(replace(recipe, seed=1)))
    assert not all(same(one, other) for one, other in zip(whole, other_seed, strict=True))


def test_micro_batches_divide_the_samples_of_every_step(folders: Path) -> None:
    recipe = recipe_of(folders, "images", "videos", stage=CLIPS, procedural=0.5)
    whole = batches(open_training_data(recipe))
    parts = [batches(open_training_data(recipe), part=StepSlice(number, 2)) for number in range(2)]
    for index, batch in enumerate(whole):
        together = [image for part in parts for image in pixels_of(part[index])]
        assert all(torch.equal(a, b) for a, b in zip(pixels_of(batch), together, strict=True))


def test_worker_processes_make_the_same_batches_and_report_what_they_skip(tmp_path: Path) -> None:
    root = write_images(tmp_path / "images", 6)
    damaged = root / "images" / "3.png"
    damaged.write_bytes(damaged.read_bytes()[:100])
    recipe = small_recipe(tmp_path, stages=(IMAGES,), data=DataMixture(roots=(root,)))
    data = open_training_data(recipe)
    alone = batches(data)
    cv2.setNumThreads(1)
    helped = list(loaded(data.batches_for(IMAGES, StepSlice(), 0, IMAGES.steps), workers=2))
    assert all(same(one, other) for one, other in zip(alone, helped, strict=True))
    assert [batch.skipped for batch in helped] == [batch.skipped for batch in alone]
    assert {each.name for batch in helped for each in batch.skipped} == {"3.png"}


def test_damaged_images_are_counted_and_stop_the_run_beyond_one_percent(tmp_path: Path) -> None:
    root = write_images(tmp_path / "images", 101)
    stage = Stage(32, 51, scenes_per_step=2, objects_per_scene=1)
    recipe = small_recipe(tmp_path, stages=(stage,), data=DataMixture(roots=(root,)))

    def epoch() -> TrainingData:
        data = open_training_data(recipe)
        for batch in batches(data):
            data.skipped.note(batch.skipped)
        return data

    (root / "images" / "70.png").write_bytes(b"no image")
    assert [each.name for each in epoch().skipped] == ["70.png"]
    (root / "images" / "20.png").unlink()
    with pytest.raises(
        InvalidInputError, match=r"(?s)2 of 101 samples cannot be used.*(20\.png.*70\.png|70\.png.*20\.png)"
    ):
        epoch()


def test_clips_need_something_that_moves(folders: Path) -> None:
    with pytest.raises(
        InvalidInputError, match=r"(?s)trains on clips, but .*images hold images only.*data\.procedural"
    ):
        open_training_data(recipe_of(folders, "images", stage=CLIPS))
    assert open_training_data(recipe_of(folders, "images", stage=CLIPS, procedural=1.0)).bank is not None


def test_without_a_procedural_part_no_images_are_needed(folders: Path, tmp_path: Path) -> None:
    recipe = replace(recipe_of(folders, "images"), image_folders=(tmp_path / "nowhere",))
    assert open_training_data(recipe).bank is None
