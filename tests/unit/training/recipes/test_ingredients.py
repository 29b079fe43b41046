"""What recipes make of data and checkpoints."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.support.small_recipes import small_recipe, small_video_config, write_plain_images

from masklet.errors import CheckpointError
from masklet.sources import BUNDLED_FOLDER
from masklet.training.recipes import recipe_named
from masklet.training.recipes.ingredients import Ingredients
from masklet.training.run.run_record import RunRecord
from masklet.training.settings.procedure import LossWeights
from masklet.training.settings.stages import ClipStage


def write_annotated_images(root: Path) -> Path:
    """A plain folder of one image with one mask."""
    write_plain_images(root / "images", 1)
    (root / "masks").mkdir()
    cv2.imwrite(str(root / "masks" / "0.png"), np.pad(np.full((30, 40), 255, np.uint8), 20))
    return root


def write_video(root: Path) -> Path:
    """A DAVIS folder of one sequence of two frames."""
    for name, suffix in (("JPEGImages", "jpg"), ("Annotations", "png")):
        (root / name / "walk").mkdir(parents=True)
        for frame in range(2):
            image = np.pad(np.full((30, 40), 1, np.uint8), 20)
            cv2.imwrite(str(root / name / "walk" / f"{frame:05d}.{suffix}"), image)
    return root


def test_roots_are_sorted_by_what_they_hold(tmp_path: Path) -> None:
    mere = write_plain_images(tmp_path / "mere")
    annotated = write_annotated_images(tmp_path / "annotated")
    video = write_video(tmp_path / "video")
    sorted_ = Ingredients.of([annotated, mere])
    assert (sorted_.images, sorted_.annotated, sorted_.holds_videos) == ((mere,), (annotated,), False)
    assert Ingredients.of([annotated, video]).holds_videos
    assert (sorted_.data.roots, sorted_.data.procedural) == ((annotated,), 1.0)
    assert Ingredients.of([annotated]).data.procedural == 0.0
    chosen = video / "train.txt"
    chosen.write_text("walk")
    assert Ingredients.of([chosen]) == Ingredients(annotated=(chosen,), holds_videos=True)


def test_fine_tuning_starts_from_a_checkpoint(tmp_path: Path) -> None:
    config = small_video_config()
    config.save_pretrained(tmp_path / "model")
    annotated = write_annotated_images(tmp_path / "annotated")
    recipe = recipe_named("finetune-image", annotated, initial_weights=str(tmp_path / "model"))
    assert (recipe.model, recipe.stages[0].image_size) == (config, 96)
    assert recipe.initial_weights == str(tmp_path / "model")
    assert "memory" in recipe.frozen
    bundled = recipe_named("finetune-image", annotated)
    assert bundled.initial_weights == str(BUNDLED_FOLDER)
    assert (bundled.losses.dice, bundled.losses.focal) == (6.0, 10.0)  # of its own run.json
    with pytest.raises(CheckpointError, match="nowhere"):
        recipe_named("finetune-image", annotated, initial_weights=str(tmp_path / "nowhere"))


@pytest.mark.parametrize("name", ["finetune-image", "finetune-video", "lora"])
def test_fine_tuning_goes_on_with_the_losses_that_masklet_trained_a_checkpoint_with(tmp_path: Path, name: str) -> None:
    small_video_config().save_pretrained(tmp_path / "model")
    video = write_video(tmp_path / "video")
    assert recipe_named(name, video, initial_weights=str(tmp_path / "model")).losses == LossWeights()
    taught = LossWeights(dice=4.0, focal_alpha=0.5)
    RunRecord.of(small_recipe(tmp_path, losses=taught)).save(tmp_path / "model")
    assert recipe_named(name, video, initial_weights=str(tmp_path / "model")).losses == taught


def test_data_decides_between_images_and_clips(tmp_path: Path) -> None:
    annotated, video = write_annotated_images(tmp_path / "annotated"), write_video(tmp_path / "video")
    for name, data, kinds in (
        ("scratch", annotated, [False]),
        ("scratch", video, [False, True]),
        ("finetune-video", video, [True]),
        ("lora", annotated, [False]),
        ("lora", video, [True]),
    ):
        recipe = recipe_named(name, data)
        assert [isinstance(stage, ClipStage) for stage in recipe.stages] == kinds, name
        assert (recipe.lora is not None) == (name == "lora")


def test_the_compact_recipe_begins_with_images_and_goes_on_with_clips(tmp_path: Path) -> None:
    images, *clips = recipe_named("compact", write_plain_images(tmp_path / "images")).stages
    assert not isinstance(images, ClipStage)  # the benchmark of the procedural world times these two kinds
    assert clips
    assert all(isinstance(stage, ClipStage) for stage in clips)
