"""How both processors bring prompts to the network's pixels: the side of its input, and what marks padding."""

from collections.abc import Mapping
from typing import Any

from masklet.configuration.sam2 import LARGEST_IMAGE_SIZE
from masklet.json_files import whole_number
from masklet.processing.saved_settings import processor_settings
from masklet.processing.sizes import LARGEST_SIDE
from masklet.sources import Source

PROMPT_SCALE: Mapping[str, Any] = {"target_size": None, "point_pad_value": -10}
"""The options and their defaults; without a `target_size` it is the height of the images."""


def checked_target_size(side: Any) -> int:
    """Return the side of the network's square input in pixels; InvalidInputError if it is none."""
    return whole_number(side, "target_size", 1, LARGEST_IMAGE_SIZE)


def checked_point_pad_value(value: Any) -> int:
    """Return the coordinate that marks padding among points and boxes; InvalidInputError if it is none."""
    return whole_number(value, "point_pad_value", -LARGEST_SIDE, LARGEST_SIDE)


def loaded_prompt_scale(
    source: Source, location: Mapping[str, Any], keywords: dict[str, Any], *, has_another_size: bool
) -> dict[str, Any]:
    """Return the options of PROMPT_SCALE: as keywords say, which are taken out, or else the saved settings.

    Args:
        source: a folder, a hub id, a Meta `.pt` file, or None for the bundled model.
        location: as `locate_file` takes it.
        keywords: of `from_pretrained`.
        has_another_size: whether images get another size than the saved one, which the saved `target_size` belongs to.
    """
    saved = processor_settings(source, **location)
    if has_another_size:
        saved.pop("target_size", None)
    return {name: keywords.pop(name, saved.get(name, default)) for name, default in PROMPT_SCALE.items()}
