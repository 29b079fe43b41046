"""The prompt of one object as it is typed or stands in a file, where a mask is the name of an image file."""

from dataclasses import dataclass, field
from pathlib import Path

from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.media.mask_images import MaskImage, read_mask_image
from masklet.prompts.point_labels import NEGATIVE, POSITIVE
from masklet.prompts.prompt import Prompt

LARGEST_ID = 2**31 - 1


@dataclass(frozen=True)
class PromptEntry:
    """An object and what marks it; the file of its mask is read when the size of its image is known.

    Attributes:
        object_id: 1 to 2**31 - 1.
        marks: its clicks and its box.
        mask_file: an image file of the image's size, read by `masklet.media.mask_images`: of a label map that shows
            `object_id` the pixels of this id, or else all that are of any object.
        mask_image: what that file holds, where it has been read before.

    Raises:
        InvalidInputError: for other ids, if there is neither a click nor a box nor a mask, and for the label -1, which
            networks take for what is not a point.
    """

    object_id: int
    marks: Prompt = field(default_factory=Prompt)
    mask_file: Path | None = None
    mask_image: MaskImage | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not 1 <= self.object_id <= LARGEST_ID:
            raise InvalidInputError(f"Objects are numbered from 1 to {LARGEST_ID}; got {shown(self.object_id)}.")
        if self.marks.is_empty and self.mask_file is None:
            raise InvalidInputError(f"Object {self.object_id} has no prompt; give points, a box or a mask.")
        for label in self.marks.labels.tolist():
            check_click_label(label, f"Object {self.object_id}: a point")

    def prompt(self, height: int, width: int, owner: str) -> Prompt:
        """Return the prompt with its mask, if there is one.

        Args:
            height: of the image, in pixels.
            width: likewise.
            owner: what messages call the image, "its image" or "the video".

        Raises:
            UnreadableImageError: if the mask cannot be read.
            InvalidInputError: if a prompt is outside the image, or the mask is of another size.
        """
        try:
            self.marks.check_in_image(height, width)
        except InvalidInputError as error:
            raise InvalidInputError(f"Object {self.object_id}: {error}") from error
        if self.mask_file is None:
            return self.marks
        mask = (self.mask_image or read_mask_image(self.mask_file)).mask_of(self.object_id)
        if mask.shape != (height, width):
            raise InvalidInputError(
                f"The mask {self.mask_file} is {mask.shape[1]} x {mask.shape[0]} pixels; it must be as large as "
                f"{owner}, {width} x {height}."
            )
        return self.marks.with_mask(mask)


def check_click_label(label: object, name: str) -> None:
    """Raise InvalidInputError, with `name`, unless a label is that of a click."""
    if label not in (POSITIVE, NEGATIVE):
        raise InvalidInputError(f"{name} has the label 1 (on the object) or 0 (off it); got {shown(label)}.")


def empty_mask_error(file: Path | None) -> InvalidInputError:
    """Return the error of a mask without any pixel."""
    return InvalidInputError(
        f"The mask {file} is empty: no pixel is inside. Grey counts from 128 on; at most 32 values without 255 are "
        "object ids."
    )
