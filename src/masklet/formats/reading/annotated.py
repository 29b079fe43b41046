"""Annotated images and videos as training, evaluation and checking see them, in any layout of files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol, Self

import numpy as np

from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.formats.reading.problems import LeftOut, Problem
from masklet.masks.geometry import Mask
from masklet.media.images import Pixels, read_image
from masklet.media.video_reader import VideoReader


class EmptyDatasetError(InvalidInputError):
    """A folder that looks like a dataset has nothing in it."""


class MismatchedSizeError(UnreadableImageError):
    """A mask and its image, or the frames of a video, have different sizes."""


CATEGORY = "object"
"""Of objects whose kind nobody has named."""


@dataclass(frozen=True, eq=False)
class AnnotatedObject:
    """One object of an image.

    Attributes:
        mask: decodes its mask, bool [H, W].
        category: the name of its kind.
        object_id: its number from image to image, from 1 on; None: it is not known in others.
        score: how good the mask is expected to be, 0 to 1; None where nobody knows.
    """

    mask: Callable[[], Mask]
    category: str = CATEGORY
    object_id: int | None = None
    score: float | None = None


@dataclass(frozen=True, eq=False)
class AnnotatedImage:
    """One image file and the masks of its N objects; nothing is decoded before it is used.

    Attributes:
        name: the image's name in reports, its file name for example.
        path: the image file.
        height, width: of the masks in pixels.
        objects: whose masks are of that size, and may overlap.
        left_out: how many further annotations, or parts of annotations, give no object, for which reason.
        crowds: regions of many objects, which are among those left out; unlike others, not checked yet.
    """

    name: str
    path: Path
    height: int
    width: int
    objects: tuple[AnnotatedObject, ...]
    left_out: Mapping[LeftOut, int] = field(default_factory=dict)
    crowds: tuple[AnnotatedObject, ...] = ()

    @cached_property
    def masks(self) -> Mask:
        """The masks of all objects, bool [N, H, W]; an image of a crowd needs `masks_of` to fit into RAM."""
        return self.masks_of(range(len(self.objects)))

    def masks_of(self, indices: Sequence[int]) -> Mask:
        """Return the masks of these objects only, bool [len(indices), H, W]; InvalidInputError if one is broken."""
        masks = np.zeros((len(indices), self.height, self.width), dtype=bool)
        for mask, index in zip(masks, indices, strict=True):
            try:
                mask[:] = self.objects[index].mask()
            except (TypeError, ValueError) as error:
                raise InvalidInputError(f"{self.name}: the mask of object {index} is broken: {error}") from error
        return masks

    def first_objects(self, count: int | None) -> Self:
        """Return the image with its first `count` objects only; None: with all."""
        return replace(self, objects=self.objects[:count])

    def read_pixels(self) -> Pixels:
        """Return the image upright as RGB, uint8 [H, W, 3].

        UnreadableImageError if the file is no image, MismatchedSizeError if its size is not the masks'.
        """
        pixels = np.array(read_image(self.path))
        if pixels.shape[:2] != (self.height, self.width):
            sizes = f"{list(pixels.shape[:2])}, its annotations have {[self.height, self.width]}"
            raise MismatchedSizeError(f"{self.path} has the size (height, width) {sizes}.")
        return pixels


class AnnotatedImages(Protocol):
    """Images with masks. Opening reads names and annotation files; images and masks are read when used."""

    root: Path

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[AnnotatedImage]: ...
    def __getitem__(self, index: int) -> AnnotatedImage:
        """Return image `index`; IndexError if there is none, InvalidInputError if its annotations are broken."""
        ...

    def path_of(self, index: int) -> Path:
        """Return the file of image `index`, which may be missing; IndexError if there is no such image."""
        ...

    def name_of(self, index: int) -> str:
        """Return the file name of image `index`, with the folders that distinguish it from others of the same name."""
        ...

    def files_of(self, index: int) -> tuple[Path, ...]:
        """Return all files that image `index` and its masks are read from."""
        ...

    def problems(self) -> Iterator[Problem]:
        """Yield the problems of names and annotation files, without reading images or masks."""
        ...


class AnnotatedVideo(Protocol):
    """One video with the masks of its objects on some or all of its frames, counted from 0."""

    @property
    def name(self) -> str:
        """The name of the video in the dataset."""
        ...

    @property
    def frame_names(self) -> Sequence[str]:
        """The names of the frames' files without suffix, "00000" and so on."""
        ...

    @property
    def annotated_frames(self) -> Sequence[int]:
        """The frames that have ground truth, ascending: SA-V and YouTube-VOS annotate every fourth or fifth."""
        ...

    def annotated_frames_of(self, object_id: int) -> Sequence[int]:
        """Return the frames that have ground truth of one object, ascending; in most layouts that is of all."""
        ...

    @property
    def object_ids(self) -> tuple[int, ...]:
        """The ids of the objects, ascending, from 1 on."""
        ...

    @property
    def categories(self) -> Mapping[int, str]:
        """The names of the objects' kinds by their ids, as far as the layout has any."""
        ...

    @property
    def masks_may_overlap(self) -> bool:
        """True if a pixel can belong to several objects, as in SA-V."""
        ...

    def __len__(self) -> int:
        """Return the number of frames."""
        ...

    def path_of(self, frame: int) -> Path | None:
        """Return the image file of a frame; None in a video file."""
        ...

    def read_pixels(self, frame: int) -> Pixels:
        """Return a frame, uint8 [H, W, 3] RGB; UnreadableImageError or UnreadableVideoError if that fails."""
        ...

    def masks(self, frame: int) -> dict[int, Mask]:
        """Return the mask (bool [H, W]) of each object that is visible in an annotated frame, by its id.

        Masks of SA-V may overlap. InvalidInputError if the frame is not annotated, UnreadableImageError if its
        annotation cannot be read, MismatchedSizeError if it has another size than the others of the video.
        """
        ...

    def scores(self, frame: int) -> Mapping[int, float]:
        """Return how good masks of an annotated frame are expected to be, 0 to 1, by id, where that is known."""
        ...

    def void(self, frame: int) -> Mask | None:
        """Return the pixels (bool [H, W]) of an annotated frame that count for nothing; None where a layout has none.

        Errors as `masks` raises them.
        """
        ...

    def open_frames(self) -> VideoReader:
        """Open all frames to go through them in order; MismatchedSizeError if their size is not the masks'."""
        ...


class AnnotatedVideos(Protocol):
    """Videos with masks. Opening reads names of files; frames and annotations are read when used."""

    root: Path

    @property
    def sequences(self) -> tuple[str, ...]:
        """The names of the videos."""
        ...

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[AnnotatedVideo]: ...
    def __getitem__(self, name: str) -> AnnotatedVideo:
        """Return the video `name`; InvalidInputError if there is none, or its files do not fit together."""
        ...

    def files_of(self, name: str) -> tuple[Path, ...]:
        """Return all files that the frames and masks of the video `name` are read from."""
        ...

    def problems(self) -> Iterator[Problem]:
        """Yield the problems of file names, without reading frames or masks."""
        ...
