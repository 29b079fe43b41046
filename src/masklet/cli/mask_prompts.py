"""Files of masks as prompts: which objects each is about."""

from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

from masklet.errors import UnreadableImageError
from masklet.media.mask_images import read_mask_image
from masklet.media.prompt_entries import empty_mask_error

Place = tuple[int, int]  # frame and object


def places_of_masks(masks: Iterable[tuple[Path, int, int | None]]) -> Iterator[list[Place]]:
    """Yield the frame and the objects that each file prompts, given with its frame and the object that was named.

    Where none was, a label map prompts all objects whose ids it contains; other files prompt object 1, 2 and so on in
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


def _ids_in(file: Path) -> list[int]:
    """Return the ids of a label map; none if it is one object, or unreadable, which is reported where it is used."""
    try:
        image = read_mask_image(file)
    except UnreadableImageError:
        return []
    if not image.labels.any():
        raise empty_mask_error(file)
    return list(image.object_ids) if image.is_label_map else []
