"""Fields of a recipe from the command line."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from tests.support.small_recipes import small_recipe

from masklet.errors import InvalidInputError
from masklet.training.recipes import RECIPES, recipe_named
from masklet.training.settings.overrides import overridden, settings
from masklet.training.settings.recipe import Recipe
from masklet.training.settings.stages import ClipStage


@dataclass(frozen=True)
class Extra:
    rank: int = 8
    layers: tuple[str, ...] = ("qkv",)


@dataclass(frozen=True)
class Config:
    kind: Literal["adam", "sgd"] = "adam"
    extra: Extra | None = None
    folder: str | Path | None = None
    flag: bool = False
    sizes: tuple[int, ...] = (1, 2)
    nested: Extra = field(default_factory=Extra)


@pytest.fixture
def recipe() -> Recipe:
    return small_recipe(Path("images"))


def test_values_take_the_type_of_their_field(recipe: Recipe) -> None:
    changed = overridden(
        recipe,
        ["losses.dice=4", "stages.1.steps=200", "initial_weights=a=b", "image_folders=x,y", "learning_rate=1e-3"],
    )
    assert changed.losses.dice == 4.0
    assert isinstance(changed.losses.dice, float)
    assert [stage.steps for stage in changed.stages] == [3, 200]
    assert changed.initial_weights == "a=b"
    assert changed.image_folders == (Path("x"), Path("y"))
    assert changed.learning_rate == 1e-3
    assert recipe.losses.dice == 1.0


def test_the_network_is_part_of_the_recipe(recipe: Recipe) -> None:
    stages = ["model.num_maskmem=5", "model.vision_config.backbone_config.global_attention_blocks=[0, 1]"]
    changed = overridden(recipe, stages).model
    assert (changed.num_maskmem, changed.vision_config.backbone_config.global_attention_blocks) == (5, [0, 1])
    assert recipe.model.num_maskmem == 3


def test_other_types() -> None:
    changed = overridden(Config(), ["kind=sgd", "flag=yes", "sizes=", "nested.layers=a, b", "folder=x"])
    assert changed == Config(kind="sgd", flag=True, sizes=(), nested=Extra(layers=("a", "b")), folder="x")
    assert overridden(changed, ["folder=none"]).folder is None


def test_a_part_comes_into_being_with_its_first_field() -> None:
    made = overridden(Config(), ["extra.rank=4"])
    assert made.extra == Extra(rank=4)
    assert overridden(made, ["extra=none"]).extra is None


def test_values_are_checked_together(recipe: Recipe) -> None:
    """No click at all is refused unless boxes are asked for at the same time."""
    only_clicks = overridden(recipe, ["prompts.box=0", "prompts.click=1"])
    assert overridden(only_clicks, ["prompts.click=0", "prompts.box=1"]).prompts.box_among_points == 1
    with pytest.raises(InvalidInputError, match="click and box are both 0; one must be above 0"):
        overridden(only_clicks, ["prompts.click=0"])


def test_a_stage_stays_what_it_is(recipe: Recipe) -> None:
    clips = overridden(recipe_named("compact", Path("images")), ["stages.1.clip_length=4"]).stages[1]
    assert isinstance(clips, ClipStage)
    assert clips.clip_length == 4


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("losses.dise=4", r"'losses.dise'. The nearest is losses.dice. Here losses has: focal, .*dice, iou"),
        ("loses.dice=4", r"'loses.dice'. The nearest is losses.dice. Here there are: name, model, stages"),
        ("dice=4", r"'dice'. The nearest is losses.dice. Here there are: name, model, stages"),
        ("stages.2.steps=1", r"'stages.2.steps'.*Here stages has: 0, 1"),
        ("stages.0.clip_length=4", r"'stages.0.clip_length'.*Here stages.0 has: image_size, steps"),
        ("prompt_rounds.first=1", r"'prompt_rounds.first'.*Here prompt_rounds has: nothing"),
        ("prompt_rounds=1.5", "prompt_rounds=1.5: the value must be a whole number"),
        ("learning_rate=nan", "learning_rate=nan: the value must be a number"),
        ("losses=1", "losses=1: the value must be set by its own fields"),
        ("prompt_rounds", "'prompt_rounds' sets nothing; write NAME=VALUE"),
        ("stages.0.steps=0", "Stage.steps=0; it must be at least 1"),
    ],
)
def test_what_cannot_be_set_is_refused(recipe: Recipe, assignment: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        overridden(recipe, [assignment])


def test_choices_are_listed() -> None:
    with pytest.raises(InvalidInputError, match="kind=lion: the value must be one of adam, sgd"):
        overridden(Config(), ["kind=lion"])
    with pytest.raises(InvalidInputError, match="flag=2: the value must be true or false"):
        overridden(Config(), ["flag=2"])


@pytest.mark.parametrize("name", RECIPES)
def test_what_is_printed_can_be_set(name: str) -> None:
    recipe = recipe_named(name, Path("images"))
    printed = settings(recipe)
    assert printed["stages.0.image_size"] == str(recipe.stages[0].image_size)
    assert overridden(recipe, [f"{name}={text}" for name, text in printed.items()]) == recipe
    smaller = overridden(recipe, ["seed=7"])
    assert {key for key, text in settings(smaller).items() if text != printed[key]} == {"seed"}
