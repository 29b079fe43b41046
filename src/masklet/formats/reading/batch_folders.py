"""Results of `masklet batch` as annotated images or videos, whose files stay where the jobs had them."""

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from masklet.errors import InvalidInputError
from masklet.folders import folders_in
from masklet.formats.reading.json_beside_images import MOST_READ
from masklet.formats.reading.masklet_folder import MaskletFolder
from masklet.formats.reading.problems import Problem, ProblemKind
from masklet.formats.reading.sa1b_folder import Sa1bFolder
from masklet.json_files import is_file_name, read_json

STATE, BATCH, MEDIA = ".batch", "batch.json", "media"
"""The folder beside the results, its file about all jobs, and what is there the folder where names of media begin."""
RESULT = "job.jsonl"  # in a folder of results, one line: what they were made of; no result has this ending
PART = ".part"
IMAGE, VIDEO = "image", "video"


class BatchVideosFolder(MaskletFolder):
    """The videos that a batch has tracked, by the ids of their jobs.

    InvalidInputError if there are images among the results, or an earlier version wrote them.
    """

    NAME = "batch of videos"
    LAYOUT = f"the output of `masklet batch` on videos: ID/VIDEO.json, ID/{RESULT}, {STATE}/{BATCH}"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        results = _results(self.root, VIDEO)
        self._files = {path.parent.name: path for path, _ in results}
        self._media = {path.parent.name: medium for path, medium in results}
        self.sequences = tuple(self._files)

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Return whether a batch was begun here, and the first of its results that can be read is of a video."""
        return _kind(root) == VIDEO

    def _source_of(self, name: str) -> Path | None:
        return path if (path := self._media[name]).exists() else None


class BatchImagesFolder(Sa1bFolder):
    """The images that a batch has segmented, called as their jobs are.

    InvalidInputError if there are videos among the results, or an earlier version wrote them.
    """

    NAME = "batch of images"
    LAYOUT = f"the output of `masklet batch` on images: ID/IMAGE.json, ID/{RESULT}, {STATE}/{BATCH}"

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        self._annotated = [(medium, path) for path, medium in _results(self.root, IMAGE)]

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Return whether a batch was begun here, and the first of its results that can be read is of an image."""
        return _kind(root) == IMAGE

    def problems(self) -> Iterator[Problem]:
        """Yield results whose image is not there any more."""
        for image, path in self._annotated:
            if not image.is_file():
                yield Problem(ProblemKind.MASK_WITHOUT_IMAGE, str(path), f"no image {image}")

    def _name(self, image: Path, path: Path) -> str:
        return f"{path.parent.name}{image.suffix}"


def _results(root: Path, kind: str) -> list[tuple[Path, Path]]:
    """Return the JSON file of each result that is whole, and its image or video."""
    index = root / STATE / BATCH
    if (media := _file_name(index, MEDIA)) is None:
        raise InvalidInputError(
            f"{index} does not say where the images and videos are; give the command of the batch again, which repeats "
            "nothing that is finished."
        )
    found = []
    for folder in _folders(root):
        if (medium := _file_name(folder / RESULT, kind)) is None:
            raise InvalidInputError(f"{folder / RESULT} is not about results of a batch of {kind}s.")
        found.append((folder / f"{Path(medium).stem}.json", root / media / medium))
    return found


def _file_name(path: Path, key: str) -> str | None:
    content = read_json(path)
    name = content.get(key) if isinstance(content, dict) else None
    return str(name) if is_file_name(name) else None


def _folders(root: Path) -> Iterator[Path]:
    return (each for each in folders_in(root) if each.suffix != PART and (each / RESULT).is_file())


def _kind(root: Path) -> str | None:
    if not (root / STATE / BATCH).is_file():
        return None
    for folder in islice(_folders(root), MOST_READ):
        content: Any = None
        with suppress(InvalidInputError):
            content = read_json(folder / RESULT)
        if isinstance(content, dict) and (kind := content.keys() & {IMAGE, VIDEO}):
            return kind.pop()
    return None
