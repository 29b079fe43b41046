"""Files of masks as prompts: which objects each is about, and the mask of one of them."""

from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.masks.geometry import Mask
from masklet.media.mask_images import read_mask_image
from masklet.prompts.object_prompts import ObjectPrompt

Place = tuple[int, int]  # frame and object


def places_of_masks(masks: Iterable[tuple[Path, int, int | None]]) -> Iterator[list[Place]]:
    """Yield the frame and the objects that each file is about, given with its frame and the object that was named.

    Where none was, a label map is about all objects whose ids it shows; other files are about object 1, 2 and so on in
    their order, and so is a label map of one object whose id is taken on its frame. InvalidInputError if a file shows
    no object and none was named.
    """
    taken: set[Place] = set()
    numbers = count(1)
    for file, frame, object_id in masks:
        ids = _ids_in(file) if object_id is None else [object_id]
        if not ids or (object_id is None and len(ids) == 1 and (frame, ids[0]) in taken):
            ids = [next(each for each in numbers if (frame, each) not in taken)]
        places = [(frame, each) for each in ids]
        taken.update(places)
        yield places


def mask_of_prompt(prompt: ObjectPrompt, height: int, width: int, owner: str) -> Mask:
    """Return the mask (bool [height, width]) of a prompt that has a file of one.

    UnreadableImageError if it cannot be read, InvalidInputError if it is not as large as its `owner`, "its photo" or
    "the video".
    """
    assert prompt.mask is not None
    mask = read_mask_image(prompt.mask).mask_of(prompt.object_id)
    if mask.shape != (height, width):
        size = f"{mask.shape[1]} x {mask.shape[0]}"
        raise InvalidInputError(
            f"The mask {prompt.mask} is {size} pixels; it must be as large as {owner}, {width} x {height}."
        )
    return mask


def empty_mask_error(file: Path | None) -> InvalidInputError:
    """Return the error of a mask without any pixel."""
    return InvalidInputError(
        f"The mask {file} is empty: no pixel is inside. Grey counts from 128 on; at most 32 values without 255 are "
        "object ids."
    )


def _ids_in(file: Path) -> list[int]:
    """The ids of a label map; none if it is one object, or cannot be read, which is reported where its mask is used."""
    try:
        image = read_mask_image(file)
    except UnreadableImageError:
        return []
    if not image.labels.any():
        raise empty_mask_error(file)
    return list(image.object_ids) if image.is_label_map else []
