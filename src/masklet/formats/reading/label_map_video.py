"""A video whose frames are image files and whose annotations are label maps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from masklet.errors import InvalidInputError
from masklet.formats.reading.annotated import MismatchedSizeError
from masklet.masks.geometry import Mask
from masklet.media.frame_folders import frame_pixels, white_of_frames
from masklet.media.images import Pixels
from masklet.media.label_maps import (
    LabelMap,
    UnknownLabelError,
    is_black_and_white,
    object_ids_in,
    void_pixels,
    void_resolved,
)
from masklet.media.mask_images import read_label_map
from masklet.media.video_reader import VideoReader, open_video


@dataclass(frozen=True)
class LabelMapVideo:
    """The frames of one sequence and the label maps of some or all of them.

    Attributes:
        name: of the sequence.
        frame_paths: an image file for each frame.
        annotated_frames: the frames with a label map, ascending.
        annotation_paths: their label maps, in the same order.
        declared_ids: the ids that the dataset's own list gives to the objects; None if it has no list.
        categories: the names of their kinds, as far as the list has any.
    """

    name: str
    frame_paths: tuple[Path, ...]
    annotated_frames: tuple[int, ...]
    annotation_paths: tuple[Path, ...]
    declared_ids: tuple[int, ...] | None = None
    categories: Mapping[int, str] = field(default_factory=dict)
    masks_may_overlap: ClassVar[bool] = False

    def __len__(self) -> int:
        return len(self.frame_paths)

    @property
    def frame_names(self) -> tuple[str, ...]:
        """The names of the frames' files without suffix, "00000" and so on."""
        return tuple(path.stem for path in self.frame_paths)

    def annotated_frames_of(self, object_id: int) -> tuple[int, ...]:
        """Return all annotated frames: what they do not show is known to be absent."""
        return self.annotated_frames

    @cached_property
    def object_ids(self) -> tuple[int, ...]:
        """The declared ids; where there are none, all that occur in any label map, each of which is read for it."""
        if self.declared_ids is not None:
            return self.declared_ids
        return tuple(sorted({each for frame in self.annotated_frames for each in object_ids_in(self.labels(frame))}))

    @property
    def early_ids(self) -> tuple[int, ...]:
        """The declared ids; where there are none, those of the first label map."""
        return tuple(object_ids_in(self.first_labels)) if self.declared_ids is None else self.declared_ids

    @cached_property
    def first_labels(self) -> LabelMap:
        """The first label map, which a tracker is given."""
        return self.labels(self.annotated_frames[0])

    def path_of(self, frame: int) -> Path:
        """Return the image file of a frame."""
        return self.frame_paths[frame]

    def read_pixels(self, frame: int) -> Pixels:
        """Return a frame, uint8 [H, W, 3]; UnreadableImageError if that fails or its size is not the label maps'."""
        path = self.frame_paths[frame]
        pixels = frame_pixels(path, str(path), self._white)
        self._check_size(path, pixels.shape[:2])
        return pixels

    def open_frames(self) -> VideoReader:
        """Open the frames (uint8 [H, W, 3] RGB); MismatchedSizeError if their size is not the label maps'."""
        frames = open_video(self.frame_paths)
        try:
            self._check_size(self.frame_paths[0], (frames.height, frames.width))
        except MismatchedSizeError:
            frames.close()
            raise
        return frames

    def masks(self, frame: int) -> dict[int, Mask]:
        """Return the mask (bool [H, W]) of each object that is visible in an annotated frame, by its id."""
        labels = self.labels(frame)
        return {each: labels == each for each in object_ids_in(labels)}

    def scores(self, frame: int) -> Mapping[int, float]:
        """Return nothing: label maps have no scores."""
        return {}

    def void(self, frame: int) -> Mask | None:
        """Return the pixels (bool [H, W]) of an annotated frame that are void, white beside ids; None without any."""
        values = read_label_map(self._annotation_of(frame))
        is_void = void_pixels(values, black_and_white=self._is_black_and_white)
        return is_void if is_void.any() else None

    def labels(self, frame: int) -> LabelMap:
        """Return the object ids (integers [H, W]) of an annotated frame, 0 where there is no object or void.

        InvalidInputError if the frame has no label map. UnreadableImageError if the file is none, UnknownLabelError if
        it shows an id that is not declared, MismatchedSizeError if its size is not that of the first label map.
        """
        path = self._annotation_of(frame)
        values = read_label_map(path)
        labels = void_resolved(values, black_and_white=self._is_black_and_white)
        unknown = set(object_ids_in(labels)) - set(self.declared_ids or object_ids_in(labels))
        if unknown:
            raise UnknownLabelError(f"{path} shows the objects {sorted(unknown)}; declared are {self.declared_ids}.")
        if frame != self.annotated_frames[0]:
            self._check_size(path, labels.shape)
        return labels

    def _annotation_of(self, frame: int) -> Path:
        if frame not in self.annotated_frames:
            raise InvalidInputError(f"Frame {frame} of {self.name!r} has no label map; some of its other frames do.")
        return self.annotation_paths[self.annotated_frames.index(frame)]

    def _check_size(self, path: Path, size: tuple[int, ...]) -> None:
        if size != self.first_labels.shape:
            sizes = f"{list(size)}, {self.annotation_paths[0]} {list(self.first_labels.shape)}"
            raise MismatchedSizeError(f"{path} has the size (height, width) {sizes}.")

    @cached_property
    def _white(self) -> float | None:
        """What stands for white in frames of more than 8 bits, as where the whole video is opened."""
        return white_of_frames(self.frame_paths)

    @cached_property
    def _is_black_and_white(self) -> bool:
        """True if 255 is the one object rather than void, by the first map that is not empty."""
        return next((is_black_and_white(values) for values in self._values() if values.any()), True)

    def _values(self) -> Iterator[LabelMap]:
        return (read_label_map(path) for path in self.annotation_paths)
