"""Annotated videos from a folder in the layout of SA-V's val and test sets: an image for each object's mask."""

import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from masklet.errors import InvalidInputError
from masklet.folders import folders_in
from masklet.formats.reading.annotated import EmptyDatasetError, MismatchedSizeError
from masklet.formats.reading.problems import Problem, ProblemKind, single_frame
from masklet.formats.reading.video_frames import OverFrames, VideoFrames
from masklet.masks.geometry import Mask
from masklet.media.frame_folders import frames_of_folder
from masklet.media.mask_images import read_mask_image

FRAMES = "JPEGImages_24fps"
ANNOTATIONS = "Annotations_6fps"


class SavSplitVideo(OverFrames):
    """One video whose every object has a folder of black-and-white masks, `000/00004.png`; masks may overlap.

    Objects are numbered from 1 on: folder `000` is object 1.
    """

    masks_may_overlap = True
    categories: ClassVar[Mapping[int, str]] = MappingProxyType({})

    def __init__(self, name: str, frames: Path, annotations: Path) -> None:
        self.name, self._frame_folder = name, frames
        folders = [each for each in folders_in(annotations) if each.name.isdecimal()]
        self._masks = {int(each.name) + 1: {path.stem: path for path in frames_of_folder(each)} for each in folders}

    def __len__(self) -> int:
        return len(self.frame_names)

    @cached_property
    def frame_names(self) -> tuple[str, ...]:
        """The names of the frames' files without suffix, "00000" and so on."""
        return tuple(path.stem for path in frames_of_folder(self._frame_folder))

    @cached_property
    def annotated_frames(self) -> tuple[int, ...]:
        """The frames with masks, every fourth."""
        names = self.annotated_names
        return tuple(frame for frame, name in enumerate(self.frame_names) if name in names)

    def annotated_frames_of(self, object_id: int) -> tuple[int, ...]:
        """Return the frames with a mask in the object's own folder; nothing is known of it on others."""
        names = self._masks[object_id]
        return tuple(frame for frame in self.annotated_frames if self.frame_names[frame] in names)

    @property
    def annotated_names(self) -> set[str]:
        """The names of all mask files without suffix, also of those that have no frame."""
        return {name for files in self._masks.values() for name in files}

    @property
    def files(self) -> tuple[Path, ...]:
        """All frames and masks."""
        masks = (path for files in self._masks.values() for path in files.values())
        return *frames_of_folder(self._frame_folder), *masks

    @property
    def object_ids(self) -> tuple[int, ...]:
        """1 + the numbers of the objects' folders."""
        return tuple(self._masks)

    def masks(self, frame: int) -> dict[int, Mask]:
        """Return the mask (bool [H, W]) of each object that is visible in an annotated frame, by its id."""
        if frame not in self.annotated_frames:
            raise InvalidInputError(f"Frame {frame} of {self.name!r} is not annotated; every fourth is.")
        name = self.frame_names[frame]
        masks = {number: self._read(files[name]) for number, files in self._masks.items() if name in files}
        return {number: mask for number, mask in masks.items() if mask.any()}

    def _read(self, path: Path) -> Mask:
        mask = read_mask_image(path).mask_of()
        if mask.shape != self._frames.size:
            sizes = f"{list(mask.shape)}, the first one of its video {list(self._frames.size)}"
            raise MismatchedSizeError(f"{path} has the size (height, width) {sizes}.")
        return mask

    @cached_property
    def _frames(self) -> VideoFrames:
        first = next((path for files in self._masks.values() for path in files.values()), None)
        if first is None:
            raise InvalidInputError(f"The video {self.name!r} has no masks.")
        height, width = read_mask_image(first).labels.shape
        return VideoFrames(self._frame_folder, (height, width))


class SavSplitFolder:
    """The videos of SA-V's val or test set: `JPEGImages_24fps/<id>` and `Annotations_6fps/<id>/<object>`.

    InvalidInputError if there are no videos; from `[name]` if masks lack their frame.
    """

    NAME = "SA-V val and test"
    LAYOUT = f"{FRAMES}/VIDEO/FRAME.jpg and {ANNOTATIONS}/VIDEO/OBJECT/FRAME.png"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        self._annotations = self.root / ANNOTATIONS
        self.sequences = tuple(each.name for each in folders_in(self._annotations))
        if not self.sequences:
            raise EmptyDatasetError(f"{self._annotations} holds no folder; expected one for each video.")

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Return whether there are the two folders."""
        return (root / FRAMES).is_dir() and (root / ANNOTATIONS).is_dir()

    def __len__(self) -> int:
        return len(self.sequences)

    def __iter__(self) -> Iterator[SavSplitVideo]:
        return (self[name] for name in self.sequences)

    def __getitem__(self, name: str) -> SavSplitVideo:
        """Return the video `name`."""
        if name not in self.sequences:
            raise InvalidInputError(f"{self.root} has no video {name!r}; it has {', '.join(self.sequences)}.")
        problem = next((each for each in self._problems_of(name) if each.kind is not ProblemKind.SINGLE_FRAME), None)
        if problem is not None:
            raise InvalidInputError(f"{problem}.")
        return self._video(name)

    def files_of(self, name: str) -> tuple[Path, ...]:
        """Return the frames and the masks of the video `name`."""
        return self[name].files

    def problems(self) -> Iterator[Problem]:
        """Yield masks without frame, videos without masks and videos of one frame; reads names only."""
        for name in self.sequences:
            yield from self._problems_of(name)
        for folder in folders_in(self.root / FRAMES):
            if folder.name not in self.sequences:
                yield Problem(ProblemKind.IMAGE_WITHOUT_MASK, str(folder), f"{self._annotations} has no such folder")

    def _problems_of(self, name: str) -> Iterator[Problem]:
        folder = self.root / FRAMES / name
        if not folder.is_dir():
            yield Problem(ProblemKind.MASK_WITHOUT_IMAGE, str(self._annotations / name), f"{folder} is missing")
            return
        video = self._video(name)
        for stem in sorted(video.annotated_names - set(video.frame_names)):
            place = str(self._annotations / name)
            yield Problem(ProblemKind.MASK_WITHOUT_IMAGE, place, f"frame {stem} is not in {folder}")
        if not video.annotated_names:
            yield Problem(ProblemKind.IMAGE_WITHOUT_MASK, str(folder), f"{self._annotations / name} holds no masks")
        if len(video) == 1:
            yield single_frame(self.root, name)

    def _video(self, name: str) -> SavSplitVideo:
        return SavSplitVideo(name, self.root / FRAMES / name, self._annotations / name)
