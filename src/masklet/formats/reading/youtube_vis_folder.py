"""Annotated videos in the JSON layout of YouTube-VIS."""

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from masklet.errors import InvalidInputError
from masklet.folders import matching
from masklet.formats.reading.encoded_video import EncodedVideo
from masklet.formats.reading.listed_images import ListedImages
from masklet.formats.reading.problems import Problem, ProblemKind, single_frame
from masklet.formats.reading.video_frames import VideoFrames
from masklet.json_files import is_file_name, read_json, shown
from masklet.masks.counts import checked_size

PATTERNS = ("instances.json", "*youtube_vis.json", "annotations/*.json", "annotations.json")
_VIDEOS, _LISTS = (re.compile(rf'"{name}"\s*:\s*\['.encode()) for name in ("videos", "file_names"))


class YoutubeVisFolder:
    """The videos that a file of YouTube-VIS lists; every frame is annotated.

    The file is `root/instances.json`, another of PATTERNS, or `root` itself; frames are in `JPEGImages` beside it, or
    in a folder of the file's name. Objects have the numbers 1 and so on in each video; crowds are left out.
    InvalidInputError, naming the file, if it is no such file.
    """

    NAME = "YouTube-VIS"
    LAYOUT = f"JPEGImages/VIDEO/FRAME.jpg and {PATTERNS[0]}, or the path of such a file"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._path = _file(Path(root)) or Path(root) / PATTERNS[0]
        self.root = self._path.parent
        content = read_json(self._path)
        try:
            self._videos = {_name_of(video): video for video in content["videos"]}
            named = {each["id"]: str(each["name"]) for each in content.get("categories", ())}
            names = {video["id"]: name for name, video in self._videos.items()}
            self._annotations: dict[str, list[tuple[Any, str]]] = defaultdict(list)
            for each in content["annotations"] or ():
                if not each.get("iscrowd"):
                    category = named.get(each.get("category_id"), "object")
                    self._annotations[names[each["video_id"]]].append((each["segmentations"], category))
        except (KeyError, TypeError, AttributeError) as error:
            raise InvalidInputError(f"{self._path} is no file of YouTube-VIS: {error!r}.") from error
        if len(self._videos) != len(content["videos"]):
            raise InvalidInputError(f"{self._path}: two videos have frames in one folder, or one name.")
        self.sequences = tuple(self._videos)
        files = [file for video in self._videos.values() for file in video["file_names"]]
        self._files = ListedImages(self._path, files)

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Return whether there is a file that lists videos and their frames."""
        return _file(root) is not None

    def __len__(self) -> int:
        return len(self.sequences)

    def __iter__(self) -> Iterator[EncodedVideo]:
        return (self[name] for name in self.sequences)

    def __getitem__(self, name: str) -> EncodedVideo:
        """Return the video `name`."""
        if name not in self._videos:
            raise InvalidInputError(f"{self.root} has no video {name!r}; it has {', '.join(self.sequences)}.")
        video, place = self._videos[name], f"{self._path}: {name}"
        try:
            size = checked_size([video.get("height"), video.get("width")])
        except InvalidInputError as error:
            raise InvalidInputError(f"{place}: {error}") from error
        objects, categories = {}, {}
        for number, (segmentations, category) in enumerate(self._annotations[name], start=1):
            if not isinstance(segmentations, list) or len(segmentations) != len(video["file_names"]):
                raise InvalidInputError(f"{place}: object {number} has not one entry a frame in 'segmentations'.")
            objects[number] = {frame: each for frame, each in enumerate(segmentations) if each is not None}
            categories[number] = category
        paths = [self._files.path_of(each) for each in video["file_names"]]
        frames = VideoFrames(paths[0].parent, size, paths=paths)
        return EncodedVideo(name, frames, objects, categories, _as_it_is, place)

    def files_of(self, name: str) -> tuple[Path, ...]:
        """Return the frames of the video `name` and the file of annotations."""
        return *self[name].files, self._path

    def problems(self) -> Iterator[Problem]:
        """Yield videos whose frames are missing, videos of one frame and those without objects; reads names only."""
        for name, video in self._videos.items():
            missing = [each for each in video["file_names"] if not self._files.path_of(each).is_file()]
            if missing:
                detail = f"{len(missing)} frames of {name} are missing, {self._files.path_of(missing[0])} for one"
                yield Problem(ProblemKind.MASK_WITHOUT_IMAGE, str(self._path), detail)
            elif len(video["file_names"]) == 1:
                yield single_frame(self.root, name)
            if not self._annotations[name]:
                yield Problem(ProblemKind.WITHOUT_OBJECTS, str(self._path), f"no annotation of {name}")


def _as_it_is(encoded: object) -> object:
    return encoded


def _file(root: Path) -> Path | None:
    found = [root] if root.is_file() else [path for pattern in PATTERNS for path in matching(root, pattern)]
    return next((path for path in found if path.suffix == ".json" and path.is_file() and _is_about_videos(path)), None)


def _is_about_videos(path: Path) -> bool:
    content = path.read_bytes()
    return all(each.search(content) for each in (_VIDEOS, _LISTS))


def _name_of(video: Any) -> str:
    """Return the folder of a video's frames; InvalidInputError unless it has frames, each a name of a file."""
    names = video.get("file_names") if isinstance(video, dict) else None
    if not isinstance(names, list) or not names or not all(map(is_file_name, names)):
        raise InvalidInputError(f"a video has no list 'file_names' of its frames: {shown(video)}.")
    folder = names[0].replace("\\", "/").rpartition("/")[0]
    return folder or str(video.get("id"))
