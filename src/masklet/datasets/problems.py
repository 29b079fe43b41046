"""What can be wrong with a dataset, and where."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from masklet.errors import InvalidInputError

LISTED = 10


class ProblemKind(StrEnum):
    """What is wrong. Errors keep data from being used; the two last are only remarks."""

    EMPTY_DATASET = "empty dataset"
    BROKEN_ANNOTATIONS = "broken annotations"
    MASK_WITHOUT_IMAGE = "mask without image"
    IMAGE_WITHOUT_MASK = "image without mask"
    MISMATCHED_SIZE = "mask of another size"
    UNREADABLE_FILE = "unreadable file"
    UNKNOWN_LABEL = "label outside the palette"
    SINGLE_FRAME = "video of one frame"
    OBJECT_NEVER_VISIBLE = "object never visible"
    WITHOUT_OBJECTS = "no objects"

    @property
    def is_error(self) -> bool:
        """Whether data is unusable; otherwise it is used as it is, and the person may want to know."""
        return self not in (ProblemKind.OBJECT_NEVER_VISIBLE, ProblemKind.WITHOUT_OBJECTS)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: its kind, its place (a file, folder, video or object) and what exactly was found."""

    kind: ProblemKind
    place: str
    detail: str

    def __str__(self) -> str:
        return f"{self.place}: {self.kind}: {self.detail}"


def listing(found: Sequence[object]) -> str:
    """Return the first ten of what was found, and how many more there are, as part of a sentence."""
    more = f"; and {len(found) - LISTED} more" if len(found) > LISTED else ""
    return "; ".join(str(each) for each in found[:LISTED]) + more


def refuse_errors(place: object, problems: Iterable[Problem]) -> None:
    """Raise InvalidInputError, listing the first ten, if there are errors among the problems of the data at `place`."""
    errors = [each for each in problems if each.kind.is_error]
    if errors:
        raise InvalidInputError(f"{place} cannot be used: {listing(errors)}.")


def single_frame(root: Path, name: str) -> Problem:
    """Return what is said of a video `name` of one frame."""
    return Problem(ProblemKind.SINGLE_FRAME, str(root / name), "nothing moves in a single picture")
