"""Annotated videos frame by frame, as labelme saves them: a folder of frames a video, with a JSON file beside each."""

import os
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from masklet.errors import InvalidInputError
from masklet.folders import folders_in, matching
from masklet.formats.reading.annotated import MismatchedSizeError
from masklet.formats.reading.annotation_files import by_stem
from masklet.formats.reading.json_beside_images import MOST_READ
from masklet.formats.reading.labelme_folder import LabelmeFolder, annotations_in
from masklet.formats.reading.problems import Problem, ProblemKind, single_frame
from masklet.formats.reading.video_frames import OverFrames, VideoFrames
from masklet.json_files import read_json, shown
from masklet.masks.counts import checked_size
from masklet.masks.geometry import Mask
from masklet.masks.run_length import decode_segmentation
from masklet.media.frame_folders import frames_of_folder

_NUMBERED = re.compile(r"(.*?)(\d+)")
Key = tuple[str, object]


class LabelmeVideo(OverFrames):
    """A folder of frames; shapes of one label and one group are one object, without a group those of one label.

    An object has its group as its number where these are whole numbers above 0 and no two labels share one; otherwise
    objects are numbered in the order in which they come. Files are read when they are needed.

    Args:
        folder: of the frames and the files beside them.
    """

    masks_may_overlap = True

    def __init__(self, folder: Path) -> None:
        self.name, self._folder = folder.name, folder
        self._paths = frames_of_folder(folder)
        files = by_stem(matching(folder, "*.json"))
        self._annotations = {place: files[path.stem] for place, path in enumerate(self._paths) if path.stem in files}

    def __len__(self) -> int:
        return len(self._paths)

    @property
    def frame_names(self) -> tuple[str, ...]:
        """The names of the frames' files without suffix."""
        return tuple(path.stem for path in self._paths)

    @property
    def files(self) -> tuple[Path, ...]:
        """The frames and the files beside them."""
        return *self._paths, *self._annotations.values()

    @property
    def annotated_frames(self) -> tuple[int, ...]:
        """The frames beside which there is a file."""
        return tuple(self._annotations)

    def annotated_frames_of(self, object_id: int) -> tuple[int, ...]:
        """Return all annotated frames: what they do not show is known to be absent."""
        return self.annotated_frames

    @property
    def object_ids(self) -> tuple[int, ...]:
        """The ids of all objects; all files are read for it."""
        return tuple(sorted(self._numbers.values()))

    @property
    def categories(self) -> Mapping[int, str]:
        """The labels of the objects."""
        return {number: label for (label, _), number in self._numbers.items()}

    def masks(self, frame: int) -> dict[int, Mask]:
        """Return the mask (bool [H, W]) of each object that is visible in an annotated frame, by its id."""
        if frame not in self._annotations:
            raise InvalidInputError(f"Frame {frame} of {self.name!r} is not annotated; no JSON file lies beside it.")
        masks: dict[int, Mask] = {}
        for key, segmentation in self._read(frame):
            number = self._numbers[key]
            mask = decode_segmentation(segmentation, *self._frames.size)
            masks[number] = masks[number] | mask if number in masks else mask
        return {number: mask for number, mask in sorted(masks.items()) if mask.any()}

    def _read(self, frame: int) -> list[tuple[Key, Any]]:
        """Return the objects of a frame that have an inside, and what COCO's `segmentation` would be of each."""
        path = self._annotations[frame]
        size, annotations = annotations_in(read_json(path), path)
        if (found := tuple(size.values())) != self._frames.size:
            sizes = f"{list(found)}, others of the video {list(self._frames.size)}"
            raise MismatchedSizeError(f"{path} is about an image of the size (height, width) {sizes}.")
        return [(_key(each), each["segmentation"]) for each in annotations if each["segmentation"]]

    @cached_property
    def _numbers(self) -> dict[Key, int]:
        keys = list(dict.fromkeys(key for frame in self._annotations for key, _ in self._read(frame)))
        groups = [group for _, group in keys]
        are_ids = all(type(each) is int and each > 0 for each in groups) and len(set(groups)) == len(groups)
        return {key: int(str(key[1])) if are_ids else place for place, key in enumerate(keys, start=1)}

    @cached_property
    def _frames(self) -> VideoFrames:
        path = next(iter(self._annotations.values()))
        size, _ = annotations_in(read_json(path), path)
        try:
            return VideoFrames(self._folder, checked_size([*size.values()]), paths=self._paths)
        except InvalidInputError as error:
            raise InvalidInputError(f"{path}: {error}") from error


class LabelmeVideosFolder:
    """The folders of numbered frames under `root`, all of one size, in which labelme has saved files beside frames."""

    NAME = "labelme videos"
    LAYOUT = "VIDEO/00000.jpg beside VIDEO/00000.json"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        self._folders = {each.name: each for each in folders_in(self.root) if LabelmeFolder.recognises(each)}
        self.sequences = tuple(self._folders)

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Return whether one of the first ten folders holds frames beside which labelme has saved files."""
        return root.is_dir() and any(map(_is_video, islice(folders_in(root), MOST_READ)))

    def __len__(self) -> int:
        return len(self.sequences)

    def __iter__(self) -> Iterator[LabelmeVideo]:
        return (self[name] for name in self.sequences)

    def __getitem__(self, name: str) -> LabelmeVideo:
        """Return the video `name`."""
        if name not in self._folders:
            raise InvalidInputError(f"{self.root} has no video {name!r}; it has {', '.join(self.sequences)}.")
        return LabelmeVideo(self._folders[name])

    def files_of(self, name: str) -> tuple[Path, ...]:
        """Return the frames of the video `name`, and the files beside them."""
        return self[name].files

    def problems(self) -> Iterator[Problem]:
        """Yield files without their frame, and videos of one frame; reads names only."""
        for name, folder in self._folders.items():
            frames = {path.stem for path in frames_of_folder(folder)}
            for path in (each for each in matching(folder, "*.json") if each.stem not in frames):
                yield Problem(ProblemKind.MASK_WITHOUT_IMAGE, str(path), f"no image {path.stem}.* beside it")
            if len(frames) == 1:
                yield single_frame(self.root, name)


def _key(annotation: Mapping[str, Any]) -> Key:
    group = annotation["object_id"]
    return annotation["category"], group if isinstance(group, int | None) else shown(group)


def _is_video(folder: Path) -> bool:
    """Return whether frames are numbered, and the first ten files of labelme are about images of one size."""
    frames = frames_of_folder(folder)
    matches = [_NUMBERED.fullmatch(path.stem) for path in frames]
    if len({None if match is None else match[1] for match in matches}) != 1 or None in matches:
        return False
    if not LabelmeFolder.recognises(folder):
        return False
    annotated = (path.with_suffix(".json") for path in frames)
    sizes = [_size(path) for path in islice((each for each in annotated if each.is_file()), MOST_READ)]
    return len(set(sizes)) == 1


def _size(path: Path) -> tuple[object, object] | None:
    try:
        size, _ = annotations_in(read_json(path), path)
    except InvalidInputError:
        return None
    return size["height"], size["width"]
