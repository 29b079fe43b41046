"""Files of masks as prompts: which objects each is about."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from masklet.errors import UnreadableImageError
from masklet.media.mask_images import MaskImage, read_mask_image
from masklet.media.prompt_entries import empty_mask_error

Place = tuple[int, int]  # frame and object


@dataclass(frozen=True)
class TypedMask:
    """The file of a mask, and what it holds where that had to be read to know its objects."""

    file: Path
    image: MaskImage | None = None


def places_of_masks(masks: Iterable[tuple[Path, int, int | None]]) -> Iterator[tuple[TypedMask, list[Place]]]:
    """Yield each mask, given with its frame and the object that was named, and the frame and the objects it prompts.

    Where none was, a label map prompts all objects whose ids it contains; other files prompt object 1, 2 and so on in
    their order, and so is a label map of one object whose id is taken on its frame. InvalidInputError if a file shows
    no object and none was named.
    """
    taken: set[Place] = set()
    numbers = count(1)
    for file, frame, object_id in masks:
        mask = TypedMask(file, _read(file) if object_id is None else None)
        ids = _ids_in(mask) if object_id is None else [object_id]
        if not ids or (object_id is None and len(ids) == 1 and (frame, ids[0]) in taken):
            ids = [next(each for each in numbers if (frame, each) not in taken)]
        places = [(frame, each) for each in ids]
        taken.update(places)
        yield mask, places


def _read(file: Path) -> MaskImage | None:
    """Return what a file holds; None if it cannot be read, which is reported where its mask is used."""
    try:
        return read_mask_image(file)
    except UnreadableImageError:
        return None


def _ids_in(mask: TypedMask) -> list[int]:
    """Return the ids of a label map; none if it is one object, or was not read."""
    if mask.image is None:
        return []
    if not mask.image.labels.any():
        raise empty_mask_error(mask.file)
    return list(mask.image.object_ids) if mask.image.is_label_map else []
