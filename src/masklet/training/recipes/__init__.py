"""The recipes that `masklet train` knows by name."""

from collections.abc import Callable
from pathlib import Path

from masklet.errors import InvalidInputError
from masklet.training.recipe import Recipe
from masklet.training.recipes.compact import compact, compact_clips, smoke

RECIPES: dict[str, Callable[[Path], Recipe]] = {"compact": compact, "compact_clips": compact_clips, "smoke": smoke}


def recipe_named(name: str, data: Path) -> Recipe:
    """The recipe of that name for the pictures under `data`; `InvalidInputError` lists the names there are."""
    if name not in RECIPES:
        raise InvalidInputError(f"No recipe is called {name!r}; there are: {', '.join(RECIPES)}.")
    return RECIPES[name](data)
