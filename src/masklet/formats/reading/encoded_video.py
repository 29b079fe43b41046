"""A video whose masks stand in a file of annotations, as run lengths or polygons."""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from masklet.errors import InvalidInputError
from masklet.formats.reading.annotated import MismatchedSizeError
from masklet.formats.reading.video_frames import OverFrames, VideoFrames
from masklet.masks.geometry import Mask
from masklet.masks.run_length import decode_segmentation, size_of


class EncodedVideo(OverFrames):
    """A video every frame of which is annotated; its masks may overlap and are decoded when they are used.

    Args:
        name: of the video in the dataset.
        frames: of the video.
        objects: by their ids, from 1 on, what the file has of each on the frames that show it.
        categories: of the objects, by their ids.
        as_coco: returns what COCO's `segmentation` would be of such an entry, or raises InvalidInputError; None:
            there is no mask.
        place: what errors begin with.
    """

    masks_may_overlap = True

    def __init__(
        self,
        name: str,
        frames: VideoFrames,
        objects: Mapping[int, Mapping[int, Any]],
        categories: Mapping[int, str],
        as_coco: Callable[[Any], object],
        place: str,
    ) -> None:
        self.name, self.categories = name, categories
        self._given, self._objects, self._as_coco, self._place = frames, objects, as_coco, place

    @property
    def _frames(self) -> VideoFrames:
        return self._given

    def __len__(self) -> int:
        return len(self._frames.names)

    @property
    def frame_names(self) -> tuple[str, ...]:
        """The names of the frames' files without suffix."""
        return self._frames.names

    @cached_property
    def annotated_frames(self) -> tuple[int, ...]:
        """All frames."""
        return tuple(range(len(self)))

    def annotated_frames_of(self, object_id: int) -> tuple[int, ...]:
        """Return all frames: what they do not show is known to be absent."""
        return self.annotated_frames

    @property
    def object_ids(self) -> tuple[int, ...]:
        """The ids of all objects."""
        return tuple(sorted(self._objects))

    @property
    def files(self) -> tuple[Path, ...]:
        """The frames."""
        return self._frames.files

    def masks(self, frame: int) -> dict[int, Mask]:
        """Return the mask (bool [H, W]) of each object that is visible in a frame, by its id."""
        if not 0 <= frame < len(self):
            raise InvalidInputError(f"{self.name!r} has the frames 0 to {len(self) - 1}; there is no frame {frame}.")
        shown = {number: each[frame] for number, each in self._objects.items() if each.get(frame) is not None}
        masks = {number: self._decode(encoded, number, frame) for number, encoded in shown.items()}
        return {number: mask for number, mask in masks.items() if mask is not None and mask.any()}

    def _decode(self, encoded: Any, number: int, frame: int) -> Mask | None:
        size = self._frames.size
        try:
            segmentation = self._as_coco(encoded)
            if segmentation is None:
                return None
            if isinstance(segmentation, Mapping) and (found := size_of(segmentation)) != size:
                raise MismatchedSizeError(f"the mask is of the size (height, width) {list(found)}, not {list(size)}.")
            return decode_segmentation(segmentation, *size)
        except (InvalidInputError, MismatchedSizeError) as error:
            raise type(error)(f"{self._place}: object {number} on frame {frame}: {error}") from error
