"""Annotated videos from a folder in the layout of SA-V's training set: JSON masklets beside videos or frames."""

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from masklet.errors import InvalidInputError
from masklet.folders import entries, matching
from masklet.formats.reading.annotated import MismatchedSizeError
from masklet.formats.reading.problems import Problem, ProblemKind, single_frame
from masklet.formats.reading.video_frames import FRAMES_PER_ANNOTATION, OverFrames, VideoFrames
from masklet.json_files import read_json, shown, whole_number
from masklet.masks.counts import checked_size
from masklet.masks.geometry import Mask
from masklet.masks.run_length import decode_run_length, size_of
from masklet.media.frame_folders import frames_of_folder

KINDS = ("manual", "auto")
FRAME_FOLDERS = ("JPEGImages_24fps", "JPEGImages", "videos")
NAME_BEGINS = "sav_"
VIDEO_SUFFIX = ".mp4"
MOST_FRAMES = 10**6
"""Of a video, eleven hours long; files that claim more are wrong."""
DEEPEST = 2
"""The depth of folders below ROOT that annotations may lie in: SA-V has sav_train/sav_000/sav_000001_manual.json."""


class SavVideo(OverFrames):
    """One video with the masklets of its JSON files, whose masks may overlap; the files are read when first needed.

    Objects are numbered from 1 on, in the order of the files: manual masklets first, then automatic ones. (SA-V numbers
    them from 0, separately.) InvalidInputError, naming the file, if one is broken.

    Args:
        name: the id of the video, sav_000001 for example.
        source: the video file, or a folder of frames.
        annotation_paths: its `*_manual.json` and `*_auto.json`, one or both.
    """

    masks_may_overlap = True
    categories: ClassVar[Mapping[int, str]] = MappingProxyType({})

    def __init__(self, name: str, source: Path, annotation_paths: Sequence[Path]) -> None:
        self.name, self.source, self.annotation_paths = name, source, tuple(annotation_paths)

    def __len__(self) -> int:
        return len(self._frames.names)

    @property
    def frame_names(self) -> tuple[str, ...]:
        """The names of the frames' files without suffix, "00000" and so on."""
        return self._frames.names

    @cached_property
    def annotated_frames(self) -> tuple[int, ...]:
        """The frames with masks: every fourth of the video at 24 frames a second, or those that are not null."""
        return tuple(frame for frame in range(len(self)) if self._annotation_of(frame) is not None)

    def annotated_frames_of(self, object_id: int) -> tuple[int, ...]:
        """Return the annotated frames where the object is not null: what they do not show is known to be absent."""
        places = [(frame, self._annotation_of(frame)) for frame in self.annotated_frames]
        return tuple(
            frame for frame, place in places if place is not None and self._encoded(place)[object_id - 1] is not None
        )

    @cached_property
    def object_ids(self) -> tuple[int, ...]:
        """1 to the number of masklets, manual and automatic."""
        return tuple(range(1, 1 + sum(len(masklet[0]) for masklet in self._masklets)))

    @property
    def files(self) -> tuple[Path, ...]:
        """The video file or the frames, and the JSON files."""
        return *self._frames.files, *self.annotation_paths

    def masks(self, frame: int) -> dict[int, Mask]:
        """Return the mask (bool [H, W]) of each object that is visible in an annotated frame, by its id."""
        place = self._annotation_of(frame)
        if place is None:
            raise InvalidInputError(f"Frame {frame} of {self.name!r} is not annotated; every fourth is.")
        encoded = [(number, each) for number, each in enumerate(self._encoded(place), start=1) if each is not None]
        masks = {number: self._decode(each, number, place) for number, each in encoded}
        return {number: mask for number, mask in masks.items() if mask.any()}

    def _encoded(self, place: int) -> list[Any]:
        """Return what the files have of each object at a place of the masklets."""
        return [each for masklets in self._masklets for each in masklets[place]]

    def _annotation_of(self, frame: int) -> int | None:
        """Return the place of a frame in the masklets; None if it has none, or all is null there."""
        place = self._place_of(frame)
        if place is None or place >= len(self._masklets[0]):
            return None
        encoded = self._encoded(place)
        return place if not encoded or any(each is not None for each in encoded) else None

    def _place_of(self, frame: int) -> int | None:
        count = len(self._masklets[0])
        if len(self) == count:  # a folder of the annotated frames only, however they are numbered
            return frame
        every = 1 if self._frame_count == count else FRAMES_PER_ANNOTATION  # 1 as `write_sav_json` writes it
        place, rest = divmod(self._frames.numbers[frame], every)
        return None if rest else place

    def _decode(self, encoded: Any, number: int, place: int) -> Mask:
        """Decode the mask of object `number` on the annotated frame `place`."""
        try:
            size = size_of(encoded)
            if size == self._frames.size:
                return decode_run_length(encoded)
        except InvalidInputError as error:
            raise self._broken(f"the mask of object {number} on annotated frame {place}: {error}") from error
        sizes = f"{list(size)} in a video of {list(self._frames.size)}"
        raise MismatchedSizeError(f"{self.annotation_paths[0]} has a mask of the size (height, width) {sizes}.")

    @cached_property
    def _contents(self) -> list[dict[str, Any]]:
        contents = [read_json(path) for path in self.annotation_paths]
        if not all(isinstance(each, dict) for each in contents):
            raise self._broken("it is no object with a 'masklet'")
        return contents

    @cached_property
    def _masklets(self) -> list[list[list[Any]]]:
        """For each file its masklets: for each annotated frame the run lengths of each object."""
        masklets: list[Any] = [content.get("masklet") for content in self._contents]
        for each in masklets:
            if not isinstance(each, list) or not all(isinstance(objects, list) for objects in each):
                raise self._broken(f"it has no list 'masklet' of lists, one for each frame; got {shown(each)}")
        shapes = [(len(each), {len(objects) for objects in each}) for each in masklets]
        if len({count for count, _ in shapes}) != 1 or any(len(objects) != 1 for _, objects in shapes):
            raise self._broken(f"the frames and objects of its masklets differ in number: {shapes}")
        return masklets

    @cached_property
    def _frames(self) -> VideoFrames:
        first = self._contents[0]
        try:
            size = checked_size([first.get("video_height"), first.get("video_width")])
        except InvalidInputError as error:
            raise self._broken(f"it lacks the size of the video: {error}") from error
        return VideoFrames(self.source, size, self._frame_count)

    @cached_property
    def _frame_count(self) -> int:
        try:
            return whole_number(self._contents[0].get("video_frame_count"), "video_frame_count", 1, MOST_FRAMES)
        except InvalidInputError as error:
            raise self._broken(f"it lacks the length of the video: {error}") from error

    def _broken(self, reason: str) -> InvalidInputError:
        names = " and ".join(str(path) for path in self.annotation_paths)
        return InvalidInputError(f"{names}: not masklets of SA-V: {reason.removesuffix('.')}.")


class SavFolder:
    """The videos of SA-V's training set under `root`, by their `*_manual.json` and `*_auto.json`.

    Annotations lie in `root` or up to two folders below. The frames of a video are in `<id>.mp4` or in a folder `<id>`
    of images, beside the annotations or in `JPEGImages_24fps`, `JPEGImages` or `videos` of `root`.
    InvalidInputError if there are no annotations; from `[name]` if a video's frames are missing.

    Args:
        root: the folder.
        kinds: which masklets to read, `manual`, `auto` or both.
    """

    NAME = "SA-V"
    LAYOUT = "VIDEO_manual.json or VIDEO_auto.json beside VIDEO.mp4 or a folder VIDEO of frames"

    def __init__(self, root: str | os.PathLike[str], kinds: Sequence[str] = KINDS) -> None:
        self.root = Path(root)
        self._annotations: dict[str, list[Path]] = {}
        for kind in kinds:
            for path in _annotation_files(self.root, kind):
                self._annotations.setdefault(path.stem.removesuffix(f"_{kind}"), []).append(path)
        self.sequences = tuple(sorted(self._annotations))
        if not self.sequences:
            wanted = " or ".join(f"*_{kind}.json" for kind in kinds)
            raise InvalidInputError(f"{self.root} holds no {wanted}; expected the masklets of SA-V.")

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Return whether there is a file of masklets."""
        return any(next(_annotation_files(root, kind), None) is not None for kind in KINDS)

    def __len__(self) -> int:
        return len(self.sequences)

    def __iter__(self) -> Iterator[SavVideo]:
        return (self[name] for name in self.sequences)

    def __getitem__(self, name: str) -> SavVideo:
        """Return the video `name`."""
        if name not in self._annotations:
            raise InvalidInputError(f"{self.root} has no video {name!r}; it has {', '.join(self.sequences)}.")
        source = self._source_of(name)
        if source is None:
            raise InvalidInputError(f"{self._annotations[name][0]} has no {name}{VIDEO_SUFFIX} nor a folder {name}.")
        return SavVideo(name, source, self._annotations[name])

    def files_of(self, name: str) -> tuple[Path, ...]:
        """Return the video file or the frames of the video `name`, and its JSON files."""
        return self[name].files

    def problems(self) -> Iterator[Problem]:
        """Yield annotations without video, videos without annotations and folders of one frame; reads names only."""
        for name in self.sequences:
            source = self._source_of(name)
            place = str(self._annotations[name][0])
            if source is None:
                detail = f"no {name}{VIDEO_SUFFIX} nor a folder {name}"
                yield Problem(ProblemKind.MASK_WITHOUT_IMAGE, place, detail)
            elif source.is_dir() and len(VideoFrames(source, (0, 0)).names) == 1:
                yield single_frame(self.root, name)
        for source in self._sources():
            name = source.name.removesuffix(VIDEO_SUFFIX)
            if name not in self._annotations:
                yield Problem(ProblemKind.IMAGE_WITHOUT_MASK, str(source), f"no {name}_manual.json or _auto.json")

    def _source_of(self, name: str) -> Path | None:
        folders = [self._annotations[name][0].parent, *self._frame_folders]
        candidates = [folder / file for folder in folders for file in (f"{name}{VIDEO_SUFFIX}", name)]
        return next((each for each in candidates if each.exists()), None)

    def _sources(self) -> list[Path]:
        """Return the video files, and the folders of frames, wherever those of an annotation are looked for.

        Beside the annotations, where other images may lie, only folders with a name of SA-V's.
        """
        beside = {path.parent for paths in self._annotations.values() for path in paths}
        folders = [each for each in {*beside, *self._frame_folders} if each.is_dir()]
        found = {each for folder in folders for each in entries(folder)}
        of_frames = [each for each in found if each.parent in self._frame_folders or each.name.startswith(NAME_BEGINS)]
        return sorted(
            [each for each in found if each.suffix == VIDEO_SUFFIX]
            + [each for each in of_frames if each.is_dir() and frames_of_folder(each)]
        )

    @property
    def _frame_folders(self) -> list[Path]:
        return [self.root / each for each in FRAME_FOLDERS]


def _annotation_files(root: Path, kind: str) -> Iterator[Path]:
    return (path for depth in range(DEEPEST + 1) for path in matching(root, "*/" * depth + f"*_{kind}.json"))
