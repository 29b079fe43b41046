"""Annotated videos in masklet's own JSON, as `masklet track` and the studio write it."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path, PureWindowsPath
from typing import Any

from masklet.errors import InvalidInputError
from masklet.folders import matching
from masklet.formats.reading.json_beside_images import MOST_READ
from masklet.formats.reading.json_index import read_with_list
from masklet.formats.reading.problems import Problem, ProblemKind
from masklet.formats.reading.video_frames import MOST_FRAMES, OverFrames, VideoFrames
from masklet.json_files import is_file_name, whole_number
from masklet.masks.counts import checked_size
from masklet.masks.geometry import Mask
from masklet.masks.segmentation import Segmentation
from masklet.media.mask_files import segmentation_from
from masklet.media.video_file import VIDEO_SUFFIXES

_BEGINNING = re.compile(rb'\s*\{\s*"video"\s*:\s*\{.*"frames"\s*:\s*\[', re.DOTALL)
_LONGEST_BEGINNING = 2**20


class MaskletVideo(OverFrames):
    """One video with the masks of the frames that were tracked or annotated, which may overlap.

    The file is read when it is needed. InvalidInputError, naming it, if it is broken.

    Args:
        path: the JSON file.
        source: the video file, or a folder of frames.
        name: of the video; None: that of the JSON file.
    """

    masks_may_overlap = True

    def __init__(self, path: Path, source: Path, name: str | None = None) -> None:
        self.name, self._path, self._source = name or path.stem, path, source

    def __len__(self) -> int:
        return len(self._frames.names)

    @property
    def frame_names(self) -> tuple[str, ...]:
        """The names of the frames' files without suffix, or their numbers."""
        return self._frames.names

    @property
    def files(self) -> tuple[Path, ...]:
        """The video file or the frames, and the JSON file."""
        return *self._frames.files, self._path

    @property
    def annotated_frames(self) -> tuple[int, ...]:
        """The frames that the file has."""
        return tuple(sorted(self._places))

    def annotated_frames_of(self, object_id: int) -> tuple[int, ...]:
        """Return all annotated frames: what they do not show is known to be absent."""
        return self.annotated_frames

    @cached_property
    def object_ids(self) -> tuple[int, ...]:
        """The ids of all objects; all frames are read for it."""
        return tuple(sorted({each for frame in self.annotated_frames for each in self._segmentation(frame).object_ids}))

    @cached_property
    def categories(self) -> Mapping[int, str]:
        """The classes of the objects that have one in the studio."""
        objects = self._about.get("objects")
        named = [each for each in objects if isinstance(each, dict)] if isinstance(objects, list) else []
        return {each["id"]: str(each["class"]) for each in named if each.get("class") and isinstance(each["id"], int)}

    def masks(self, frame: int) -> dict[int, Mask]:
        """Return the mask (bool [H, W]) of each object that is visible in an annotated frame, by its id."""
        found = self._segmentation(frame)
        areas = zip(found.object_ids, found.areas, strict=True)
        return {object_id: found.mask(place) for place, (object_id, area) in enumerate(areas) if area}

    def scores(self, frame: int) -> dict[int, float]:
        """Return the predicted IoU of the objects of an annotated frame."""
        found = self._segmentation(frame)
        return dict(zip(found.object_ids, found.scores.tolist(), strict=True))

    def _segmentation(self, frame: int) -> Segmentation:
        if frame not in self._places:
            raise InvalidInputError(f"Frame {frame} of {self.name!r} is not annotated; {len(self._places)} others are.")
        try:
            annotations = self._content[1][self._places[frame]]["annotations"]
            return segmentation_from(annotations, *self._frames.size)
        except (InvalidInputError, LookupError, TypeError) as error:
            raise self._broken(f"frame {frame}: {error}") from error

    @cached_property
    def _content(self) -> tuple[dict[str, Any], Sequence[Any]]:
        content, frames = read_with_list(self._path, "frames")
        if frames is None or not isinstance(content.get("video"), dict):
            raise self._broken("it has no 'video' and no list 'frames'")
        return content, frames

    @property
    def _about(self) -> dict[str, Any]:
        about: dict[str, Any] = self._content[0]["video"]
        return about

    @cached_property
    def _places(self) -> dict[int, int]:
        """Where in the list each frame stands."""
        numbers = [each.get("frame") if isinstance(each, dict) else each for each in self._content[1]]
        try:
            places = {whole_number(each, "frame", most=len(self) - 1): place for place, each in enumerate(numbers)}
        except InvalidInputError as error:
            raise self._broken(str(error)) from error
        if len(places) != len(numbers):
            raise self._broken("a frame is there twice")
        return places

    @cached_property
    def _frames(self) -> VideoFrames:
        about = self._about
        try:
            size = checked_size([about.get("height"), about.get("width")])
            count = whole_number(about.get("frame_count", about.get("frames")), "The number of frames", 1, MOST_FRAMES)
        except InvalidInputError as error:
            raise self._broken(str(error)) from error
        return VideoFrames(self._source, size, count)

    def _broken(self, reason: str) -> InvalidInputError:
        return InvalidInputError(f"{self._path} holds no recorded masks of a video: {reason.removesuffix('.')}.")


class MaskletFolder:
    """The videos of `root` beside which a JSON file of masklet lies, or that of the path of such a file.

    The video has the name that the file says, or that of the file: a video file, or a folder of frames.
    InvalidInputError if there is no such file; from `[name]` if its video is missing.
    """

    NAME = "masklet"
    LAYOUT = "VIDEO.json, of `masklet track` or of the studio, beside VIDEO.mp4 or a folder VIDEO of frames"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        path = Path(root)
        files = {each.stem: each for each in ([path] if path.is_file() else matching(path, "*.json"))}
        self.root = path.parent if path.is_file() else path
        self._files = {name: each for name, each in files.items() if _is_masklets(each)}
        self.sequences = tuple(self._files)
        if not self._files:
            raise InvalidInputError(f"{root} holds no JSON file of masklet about a video.")

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Return whether `root`, or one of its first ten JSON files, is one of masklet about a video."""
        files = [root] if root.is_file() else islice(matching(root, "*.json"), MOST_READ)
        return any(_is_masklets(each) for each in files)

    def __len__(self) -> int:
        return len(self.sequences)

    def __iter__(self) -> Iterator[MaskletVideo]:
        return (self[name] for name in self.sequences)

    def __getitem__(self, name: str) -> MaskletVideo:
        """Return the video `name`."""
        if name not in self._files:
            raise InvalidInputError(f"{self.root} has no video {name!r}; it has {', '.join(self.sequences)}.")
        source = self._source_of(name)
        if source is None:
            raise InvalidInputError(f"The video of {self._files[name]} is not beside it.")
        return MaskletVideo(self._files[name], source, name)

    def files_of(self, name: str) -> tuple[Path, ...]:
        """Return the video file or the frames of the video `name`, and its JSON file."""
        return self[name].files

    def problems(self) -> Iterator[Problem]:
        """Yield files without video."""
        for name, path in self._files.items():
            if self._source_of(name) is None:
                detail = f"no video {name} beside it"
                yield Problem(ProblemKind.MASK_WITHOUT_IMAGE, str(path), detail)

    def _source_of(self, name: str) -> Path | None:
        about = read_with_list(self._files[name], "frames")[0].get("video")
        known = [about.get(each) for each in ("file_name", "name")] if isinstance(about, dict) else []
        names = [PureWindowsPath(each).name for each in known if isinstance(each, str) and is_file_name(each)]
        likely = [name, *(Path(each).stem for each in names)]
        candidates = [*names, *likely, *(f"{each}{suffix}" for each in likely for suffix in sorted(VIDEO_SUFFIXES))]
        return next((path for path in (self.root / each for each in candidates) if path.exists()), None)


def _is_masklets(path: Path) -> bool:
    """Return whether a file begins as `RecordedMasks.save` begins it."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    with path.open("rb") as file:
        return _BEGINNING.match(file.read(_LONGEST_BEGINNING)) is not None
