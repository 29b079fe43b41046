"""Recipes: stages, refusals, names."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.small_recipes import small_recipe

from masklet.errors import InvalidInputError
from masklet.training.recipes import RECIPES, recipe_named
from masklet.training.settings.stages import ClipStage, Stage


@pytest.mark.parametrize(("step", "size"), [(0, 64), (2, 64), (3, 96), (4, 96), (5, 96), (99, 96)])
def test_stage_of_a_step(step: int, size: int) -> None:
    recipe = small_recipe(Path("images"))
    assert recipe.stage_at(step).image_size == size
    assert recipe.total_steps == 5


@pytest.mark.parametrize("field", ["image_size", "steps", "scenes_per_step", "objects_per_scene"])
def test_stages_of_nothing_are_refused(field: str) -> None:
    with pytest.raises(InvalidInputError, match=f"{field}=0; it must be at least 1"):
        Stage(**{"image_size": 64, "steps": 1, "scenes_per_step": 1, "objects_per_scene": 1, field: 0})


def test_stages_of_clips() -> None:
    clips = ClipStage(64, 6, 1, 1, clips_per_step=2, images_every=3)
    assert [step for step in range(9) if clips.is_image_step(step)] == [2, 5, 8]
    assert not any(ClipStage(64, 6).is_image_step(step) for step in range(9))
    assert all(ClipStage(64, 6, images_every=1).is_image_step(step) for step in range(9))
    two_of_five = ClipStage(64, 6, images_every=2.5)
    assert [step for step in range(10) if two_of_five.is_image_step(step)] == [2, 4, 7, 9]
    recipe = small_recipe(Path("images"))
    assert recipe.first_clip_step is None
    assert replace(recipe, stages=(*recipe.stages, clips)).first_clip_step == 5
    assert (clips.fewest_a_step, ClipStage(64, 6, 1, 1, clips_per_step=2).fewest_a_step) == (1, 2)
    with pytest.raises(InvalidInputError, match=r"ClipStage\.clip_length=1; it must be at least 2"):
        ClipStage(64, 6, clip_length=1)


def test_scenes_and_clips_are_counted_on_through_all_stages() -> None:
    images, clips = Stage(64, 3, scenes_per_step=2), ClipStage(64, 9, 5, clips_per_step=4, images_every=2.5)
    recipe = small_recipe(Path("images"), stages=(images, clips, images))
    scenes = films = 0
    for step in range(recipe.total_steps + 1):
        assert (recipe.scenes_before(step), recipe.clips_before(step)) == (scenes, films)
        is_on_clips = 3 <= step < 12 and not clips.is_image_step(step)
        films += 4 if is_on_clips else 0
        scenes += 0 if is_on_clips else recipe.stage_at(step).scenes_per_step


@pytest.mark.parametrize("name", RECIPES)
def test_known_recipes(name: str, tmp_path: Path) -> None:
    recipe = recipe_named(name, tmp_path)
    assert recipe.name == name
    assert tmp_path in recipe.image_folders
    if recipe.initial_weights is not None:  # a checkpoint is taught at its own size
        return
    windows = recipe.model.vision_config.backbone_config.window_size_per_stage
    for stage in recipe.stages:  # the compact model trains fast because its windows tile
        assert all(stage.image_size // cell % window == 0 for cell, window in zip((4, 8, 16, 32), windows, strict=True))


def test_an_unknown_recipe_is_refused_with_the_list(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"No recipe is called 'huge'; there are: scratch, .*, smoke"):
        recipe_named("huge", tmp_path)


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("save_every", 0, "at least 1"),
        ("prompt_rounds", 0, "at least 1"),
        ("seed", -1, "at least 0"),
        ("loader_workers", -1, "at least 0"),
        ("learning_rate", 0.0, "above 0"),
        ("gradient_clip", 0.0, "above 0"),
        ("ema_decay", 1.0, "at least 0 and below 1"),
    ],
)
def test_numbers_out_of_their_ranges_are_refused(field: str, value: float, allowed: str) -> None:
    changes: dict[str, Any] = {field: value}
    with pytest.raises(InvalidInputError, match=f"{field}={value}; it must be {allowed}"):
        replace(small_recipe(Path("images")), **changes)


def test_a_recipe_without_stages_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="stages is empty; give at least one"):
        small_recipe(Path("images"), stages=())
