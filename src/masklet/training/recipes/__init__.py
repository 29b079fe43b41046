"""The recipes that `masklet train` knows by name."""

from collections.abc import Callable
from pathlib import Path

from masklet.errors import InvalidInputError
from masklet.training.recipes.compact import compact, compact_clips, scratch, smoke
from masklet.training.recipes.finetuning import finetune_image, finetune_video, lora
from masklet.training.recipes.ingredients import Ingredients
from masklet.training.settings.recipe import Recipe

RECIPES: dict[str, Callable[[Ingredients], Recipe]] = {
    "scratch": scratch,
    "finetune-image": finetune_image,
    "finetune-video": finetune_video,
    "lora": lora,
    "compact": compact,
    "compact_clips": compact_clips,
    "smoke": smoke,
}

# Without annotations these would learn from procedural scenes alone, which nobody who names them means.
LEARN_FROM_ANNOTATIONS = frozenset({"finetune-image", "finetune-video", "lora"})


def recipe_named(name: str, *data: Path, initial_weights: str | None = None) -> Recipe:
    """Make the recipe of that name for data roots: annotated ones in any known layout, others as folders of images.

    InvalidInputError for an unknown name (it lists the names there are) or broken annotations, `CheckpointError` for
    `initial_weights` (folder, file or hub id) that are not there.

    Example:
        >>> from pathlib import Path
        >>> from masklet import recipe_named
        >>> recipe_named("smoke", Path("assets")).total_steps
        6
    """
    return maker_of(name)(Ingredients.of(data, initial_weights))


def maker_of(name: str) -> Callable[[Ingredients], Recipe]:
    """Return the function that makes the recipe of that name; InvalidInputError, as above, if there is none."""
    if name not in RECIPES:
        raise InvalidInputError(f"No recipe is called {name!r}; there are: {', '.join(RECIPES)}.")
    return RECIPES[name]
