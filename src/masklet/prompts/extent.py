"""How far an object reaches, as its prompt shows it."""

import numpy as np

from masklet.masks.geometry import Box
from masklet.prompts.prompt import Prompt


def prompted_extent(prompt: Prompt, found: Box | None, height: int, width: int) -> Box | None:
    """Return the box around the clicks on an object and what is boxed or, without a box, found; None if nothing is.

    Args:
        prompt: of the object.
        found: the box of its mask.
        height: of the image, in pixels; boxes may reach out of it, the extent does not.
        width: likewise.
    """
    box = found if prompt.box is None else prompt.box
    if box is None:
        return None
    places = np.concatenate([np.reshape(box, (2, 2)), prompt.positive_points]).clip(0, (width, height))
    (left, top), (right, bottom) = places.min(0).tolist(), places.max(0).tolist()
    return left, top, right, bottom
