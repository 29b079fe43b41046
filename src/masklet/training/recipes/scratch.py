"""A compact model from random weights, on whatever data there is."""

from dataclasses import replace

from masklet.training.recipes.compact import CLIPS, IMAGES, compact
from masklet.training.recipes.ingredients import Ingredients
from masklet.training.settings.recipe import Recipe


def scratch(given: Ingredients) -> Recipe:
    """Train like the bundled model; annotated data takes the place of labelled images.

    Images come first, then clips if there is anything that moves: videos, or images for the procedural world.
    """
    moves = given.holds_videos or given.images or not given.annotated
    return replace(
        compact(given),
        name="scratch",
        stages=(IMAGES, CLIPS) if moves else (IMAGES,),
        panoptic_folder=None,
    )
