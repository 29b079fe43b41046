"""Annotated videos from a folder in the layout of DAVIS."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.media.label_maps import LabelMap, read_label_map
from masklet.media.video_reader import VideoReader, open_video

FRAMES = "JPEGImages"
ANNOTATIONS = "Annotations"
RESOLUTIONS = ("480p", "Full-Resolution")
FRAME_SUFFIXES = {".jpg", ".jpeg", ".png"}
VOID = 255


@dataclass(frozen=True)
class AnnotatedVideo:
    """The frames of one sequence and a label map for each of them."""

    name: str
    frame_paths: tuple[Path, ...]
    annotation_paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.frame_paths)

    def open_frames(self) -> VideoReader:
        """Open the frames (uint8 [H, W, 3] RGB); UnreadableImageError if their size is not the label maps'."""
        frames = open_video(self.frame_paths)
        size = (frames.height, frames.width)
        if size != self.first_labels.shape:
            frames.close()
            sizes = f"{list(size)}, {self.annotation_paths[0]} {list(self.first_labels.shape)}"
            raise UnreadableImageError(f"{self.frame_paths[0]} has the size (height, width) {sizes}.")
        return frames

    @property
    def frame_names(self) -> tuple[str, ...]:
        """The names of the frames' files without suffix, "00000" and so on."""
        return tuple(path.stem for path in self.annotation_paths)

    @cached_property
    def first_labels(self) -> LabelMap:
        """The label map of the first frame: what a tracker is told."""
        return self.labels(0)

    @property
    def object_ids(self) -> tuple[int, ...]:
        """1 to the highest id in the first frame, as DAVIS' tool counts; those between may appear later, or never."""
        return tuple(range(1, int(self.first_labels.max()) + 1))

    def labels(self, index: int) -> LabelMap:
        """Return the object ids (uint8 [H, W]) of frame `index`, 0 where there is no object or the annotation is void.

        UnreadableImageError if the picture is none, or of another size than the first frame's annotation.
        """
        path = self.annotation_paths[index]
        labels = read_label_map(path)
        labels = np.where(labels == VOID, np.uint8(self._is_black_and_white), labels)
        if index and labels.shape != self.first_labels.shape:
            sizes = f"{list(labels.shape)}, the first one of its sequence {list(self.first_labels.shape)}"
            raise UnreadableImageError(f"{path} has the size (height, width) {sizes}.")
        return labels

    @cached_property
    def _is_black_and_white(self) -> bool:
        """Whether 255 is the one object, as in DAVIS 2016, rather than void."""
        return set(np.unique(read_label_map(self.annotation_paths[0])).tolist()) <= {0, VOID}


class DavisFolder:
    """The sequences under `root`: pictures in `JPEGImages/<sequence>`, label maps in `Annotations/<sequence>`.

    Where DAVIS' folders of resolutions are, `480p` is taken, or else `Full-Resolution`. A frame and its label map have
    the same name but for the suffix. Files are read when they are used. InvalidInputError, naming the folder, if there
    are no sequences, or one has frames without a label map or label maps without a frame.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        self._frames, self._annotations = (self._resolution_of(self.root / each) for each in (FRAMES, ANNOTATIONS))
        self.sequences = tuple(sorted(each.name for each in self._annotations.iterdir() if each.is_dir()))
        if not self.sequences:
            raise InvalidInputError(f"{self._annotations} holds no folder; expected one for each sequence.")

    def __len__(self) -> int:
        return len(self.sequences)

    def __iter__(self) -> Iterator[AnnotatedVideo]:
        return (self[name] for name in self.sequences)

    def __getitem__(self, name: str) -> AnnotatedVideo:
        """Return the sequence `name`."""
        if name not in self.sequences:
            raise InvalidInputError(f"{self.root} has no sequence {name!r}; it has {', '.join(self.sequences)}.")
        frames = self._files(self._frames / name, FRAME_SUFFIXES)
        annotations = self._files(self._annotations / name, {".png"})
        unpaired = sorted(frames.keys() ^ annotations.keys())
        if unpaired or not frames:
            first = f", {unpaired[0]!r} for one" if unpaired else ""
            raise InvalidInputError(
                f"The sequence {name!r} of {self.root} has {len(frames)} pictures and {len(annotations)} label maps; "
                f"expected one for each{first}."
            )
        names = sorted(frames)
        return AnnotatedVideo(name, tuple(frames[each] for each in names), tuple(annotations[each] for each in names))

    @staticmethod
    def _resolution_of(folder: Path) -> Path:
        if not folder.is_dir():
            raise InvalidInputError(f"{folder} is no folder; expected {FRAMES} and {ANNOTATIONS} as in DAVIS.")
        return next((folder / each for each in RESOLUTIONS if (folder / each).is_dir()), folder)

    @staticmethod
    def _files(folder: Path, suffixes: set[str]) -> dict[str, Path]:
        if not folder.is_dir():
            return {}
        return {path.stem: path for path in folder.iterdir() if path.suffix.lower() in suffixes}
