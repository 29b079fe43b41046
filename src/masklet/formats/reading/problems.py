"""Problems of datasets, their kinds and places."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from masklet.errors import InvalidInputError

LISTED = 10


class ProblemKind(StrEnum):
    """Kinds of problems. Errors keep data from being used; the three last are only remarks."""

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
    PARTLY_LEFT_OUT = "annotation left out, or a part of it"

    @property
    def is_error(self) -> bool:
        """True if data is unusable; otherwise it is used as it is, and the person may want to know."""
        return self not in (
            ProblemKind.OBJECT_NEVER_VISIBLE,
            ProblemKind.WITHOUT_OBJECTS,
            ProblemKind.PARTLY_LEFT_OUT,
        )


class LeftOut(StrEnum):
    """Why an annotation, or a part of one, gives no object: what stands in a sentence after its number."""

    CROWD = "annotations are crowds (iscrowd is 1)"
    BOX_ONLY = "annotations have a box, but no mask"
    NO_MASK = "annotations have no mask"
    NO_OUTLINE = "annotations have no polygon of three points"
    PART = "parts of polygons have fewer than three points"
    NO_PIXEL = "objects have a mask without any pixel"

    @property
    def kind(self) -> "ProblemKind | None":
        """The remark that this is about an image; None for crowds, which are left out on purpose."""
        if self is LeftOut.CROWD:
            return None
        return ProblemKind.OBJECT_NEVER_VISIBLE if self is LeftOut.NO_PIXEL else ProblemKind.PARTLY_LEFT_OUT


def counted(left_out: Mapping[LeftOut, int]) -> str:
    """Return how many annotations were left out for which reason, as part of a sentence."""
    return ", ".join(f"{count} {reason}" for reason, count in left_out.items())


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
    """Return the problem of a video `name` of one frame."""
    return Problem(ProblemKind.SINGLE_FRAME, str(root / name), "nothing moves in a single image")
