"""Predicted masks of one video as files, as the tools of DAVIS and of SA-V read them."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from masklet.atomic_files import finish_moves, folder_written_whole, written_whole
from masklet.errors import InvalidInputError
from masklet.evaluation.vos.predictors import ObjectMasks
from masklet.json_files import read_json
from masklet.masks.geometry import Mask
from masklet.media.label_maps import (
    LabelMap,
    check_davis_ids,
    is_black_and_white,
    object_ids_in,
    void_resolved,
    write_label_map,
)
from masklet.media.mask_images import read_label_map, read_mask_image

ORIGINS = ".origins"
"""Beside the folders of videos: files that state what the masks of each were predicted by and from."""


class MaskFolder:
    """The masks in `folder`: `FRAME.png`, whose values are object ids, or, where they overlap, `OBJECT/FRAME.png`.

    Folders of objects are numbered from 000, as those of SA-V; objects from 1.

    Args:
        folder: of the video.
        frame_names: of all its frames.
        object_ids: of its objects.
        origin: what masks that are written depend on, as plain JSON.
    """

    def __init__(
        self,
        folder: Path,
        frame_names: Sequence[str],
        object_ids: Sequence[int],
        origin: Mapping[str, Any] | None = None,
    ) -> None:
        self._folder = folder
        self._names = frame_names
        self._origin = json.dumps(origin or {})
        self._origin_file = folder.parent / ORIGINS / f"{folder.name}.json"
        self._folders_of_objects = {each: folder / f"{each - 1:03}" for each in object_ids}

    def is_complete(self) -> bool:
        """Whether the masks of all frames are there and undamaged, and were written with the same origin."""
        files = [folder / f"{name}.png" for folder in self._folders for name in self._names]
        return self._is_of_this_origin() and all(map(Path.is_file, files)) and all(map(_is_readable, files))

    def finish(self) -> None:
        """Put complete masks in place where their writer was killed meanwhile; to be called before `read`."""
        for folder in self._folders:
            finish_moves(folder)

    def read(self, frame: int, object_ids: Iterable[int]) -> dict[int, Mask]:
        """Return the masks (bool [H, W]) of some objects on a frame, and of all others that its label map shows, by id.

        Where the video has one object, an image of one object is this one, whatever its white. UnreadableImageError
        without readable masks.
        """
        file = f"{self._names[frame]}.png"
        if self._has_folders_of_objects:
            return {each: read_mask_image(self._folders_of_objects[each] / file).mask_of() for each in object_ids}
        labels = self._labels(self._folder / file)
        return {each: labels == each for each in {*object_ids, *object_ids_in(labels)}}

    def _labels(self, path: Path) -> LabelMap:
        object_id, *others = self._folders_of_objects
        if others:
            labels = read_label_map(path)
            return labels if is_black_and_white(labels) else void_resolved(labels, black_and_white=False)
        image = read_mask_image(path, self._folders_of_objects)
        if image.is_label_map:
            return void_resolved(image.labels, black_and_white=False)
        return np.where(image.mask_of(), object_id, 0)

    def written(self, masks: Iterable[ObjectMasks], *, may_overlap: bool) -> Iterator[ObjectMasks]:
        """Pass the masks of all frames on and write them; the folder gets them when all are there.

        InvalidInputError if an object id is above 254 and the masks share a label map.
        """
        if not may_overlap:
            check_davis_ids(self._folders_of_objects)
        folders = self._folders_of_objects if may_overlap else {0: self._folder}
        with ExitStack() as stack:
            unfinished = {each: stack.enter_context(folder_written_whole(path)) for each, path in folders.items()}
            size: tuple[int, ...] | None = None
            early: list[str] = []  # frames before any mask gives the size
            for name, of_frame in zip(self._names, masks, strict=True):
                size = next((mask.shape for mask in of_frame.values()), size)
                early.append(name)
                if size is not None:
                    for waiting in early:
                        shown = of_frame if waiting == name else {}
                        for each, folder in unfinished.items():
                            write_label_map(folder / f"{waiting}.png", _labels(shown, each, size))
                    early = []
                yield of_frame
            self._origin_file.unlink(missing_ok=True)  # while masks are replaced they are of two origins
        with written_whole(self._origin_file) as unfinished_file:
            unfinished_file.write_text(self._origin, encoding="utf-8")

    def _is_of_this_origin(self) -> bool:
        try:
            return bool(read_json(self._origin_file) == json.loads(self._origin))
        except (InvalidInputError, OSError):
            return False

    @property
    def _folders(self) -> list[Path]:
        return [*self._folders_of_objects.values()] if self._has_folders_of_objects else [self._folder]

    @property
    def _has_folders_of_objects(self) -> bool:
        return any(folder.is_dir() for folder in self._folders_of_objects.values())


def _is_readable(file: Path) -> bool:
    try:
        read_mask_image(file)
    except OSError:
        return False
    return True


def _labels(masks: ObjectMasks, object_id: int, size: tuple[int, ...]) -> LabelMap:
    """Return the label map of one object, or of all (0)."""
    labels = np.zeros(size, dtype=np.uint8)
    for each, mask in masks.items():
        if object_id in (0, each):
            labels[mask] = each if object_id == 0 else 1
    return labels
