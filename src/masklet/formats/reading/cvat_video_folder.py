"""Annotated videos from CVAT's XML for videos."""

import os
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from masklet.errors import InvalidInputError
from masklet.folders import entries, folders_in
from masklet.formats.reading.annotated import EmptyDatasetError
from masklet.formats.reading.cvat_xml import FILE, Shape, elements, is_of_videos, segmentation_of, shapes_of
from masklet.formats.reading.encoded_video import EncodedVideo
from masklet.formats.reading.problems import Problem, ProblemKind, single_frame
from masklet.formats.reading.video_frames import MOST_FRAMES, VideoFrames
from masklet.json_files import whole_number
from masklet.masks.counts import checked_size
from masklet.media.frame_folders import frames_of_folder
from masklet.media.video_file import VIDEO_SUFFIXES

IMAGES = "images"


class CvatVideoFolder:
    """The tasks of videos in `root`, or in the folders of it: a file of tracks each, beside its frames.

    Frames are in `images`, or in a video file. What CVAT exports has a shape on every frame between key frames, so none
    is interpolated here. Tracks have the numbers 1 and so on; boxes and other shapes have no mask.
    InvalidInputError, naming the file, if it is no XML or lacks the size of the video.
    """

    NAME = "CVAT for video"
    LAYOUT = f"{FILE} and {IMAGES}/FRAME.jpg or a video file, in ROOT or in ROOT/VIDEO"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        self._folders = {each.name: each for each in _tasks(self.root)}
        self.sequences = tuple(self._folders)
        if not self.sequences:
            raise EmptyDatasetError(f"{root} holds no {FILE} with tracks.")

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Return whether there is an XML file of tracks."""
        return bool(_tasks(root))

    def __len__(self) -> int:
        return len(self.sequences)

    def __iter__(self) -> Iterator[EncodedVideo]:
        return (self[name] for name in self.sequences)

    def __getitem__(self, name: str) -> EncodedVideo:
        """Return the video `name`; its file of annotations is read."""
        if name not in self._folders:
            raise InvalidInputError(f"{self.root} has no video {name!r}; it has {', '.join(self.sequences)}.")
        folder = self._folders[name]
        source = _source(folder)
        if source is None:
            raise InvalidInputError(f"{folder} has no folder {IMAGES} and no video file.")
        path = folder / FILE
        try:
            size, count, tracks = _read(path)
        except InvalidInputError as error:
            raise InvalidInputError(f"{path}: {error}") from error
        sides = {"height": size[0], "width": size[1]}
        objects = {number: shapes for number, (_, shapes) in enumerate(tracks, start=1)}
        categories = {number: label for number, (label, _) in enumerate(tracks, start=1)}
        frames = VideoFrames(source, size, count)
        return EncodedVideo(name, frames, objects, categories, partial(segmentation_of, size=sides), str(path))

    def files_of(self, name: str) -> tuple[Path, ...]:
        """Return the frames, or the video file, and the annotations of the video `name`."""
        return *self[name].files, self._folders[name] / FILE

    def problems(self) -> Iterator[Problem]:
        """Yield annotations without frames, and videos of one frame; reads names only."""
        for name, folder in self._folders.items():
            source = _source(folder)
            if source is None:
                yield Problem(ProblemKind.MASK_WITHOUT_IMAGE, str(folder / FILE), f"no {IMAGES} and no video beside it")
            elif source.is_dir() and len(frames_of_folder(source)) == 1:
                yield single_frame(self.root, name)


def _tasks(root: Path) -> list[Path]:
    """Return the folders with a file of tracks: `root` itself, or those in it."""
    return [each for each in (root, *folders_in(root)) if _has_tracks(each / FILE)] if root.is_dir() else []


def _has_tracks(path: Path) -> bool:
    try:
        return path.is_file() and is_of_videos(path)
    except InvalidInputError:
        return False


def _source(folder: Path) -> Path | None:
    if (folder / IMAGES).is_dir():
        return folder / IMAGES
    return next((each for each in entries(folder) if each.suffix.lower() in VIDEO_SUFFIXES), None)


def _read(path: Path) -> tuple[tuple[int, int], int, list[tuple[str, dict[int, Shape]]]]:
    """Return the size (height, width), the number of frames, and of each track its label and its shapes by frame."""
    size: tuple[int, int] | None = None
    count = 0
    tracks: list[tuple[str, dict[int, Shape]]] = []
    for element in elements(path, "task", "track"):
        if element.tag == "track":
            tracks.append((element.get("label", "object"), _shapes_by_frame(shapes_of(element))))
        else:
            sides = [element.findtext(f"original_size/{side}") for side in ("height", "width")]
            size = checked_size([whole_number(each, "A side of the video", 1) for each in sides])
            count = whole_number(element.findtext("size", "0"), "The number of frames", 0, MOST_FRAMES)
    if size is None:
        raise InvalidInputError("it lacks the size of the video, meta/task/original_size.")
    return size, count, tracks


def _shapes_by_frame(shapes: list[Shape]) -> dict[int, Shape]:
    found: dict[int, Any] = defaultdict(dict)
    for shape in shapes:
        if shape["kind"] in ("polygon", "mask") and shape.get("outside") != "1":
            found[whole_number(shape.get("frame"), "The frame of a shape", 0, MOST_FRAMES)] = shape
    return found
