"""Annotated images and videos as the jobs of a batch: objects by their boxes, or the masks where they first appear."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from masklet.errors import InvalidInputError
from masklet.folders import entries
from masklet.formats.items import image_item
from masklet.formats.names import safe_names, without_suffix
from masklet.formats.reading.annotated import AnnotatedImages, AnnotatedVideo, AnnotatedVideos
from masklet.formats.reading.opening import holds_videos, is_dataset, open_dataset
from masklet.masks.run_length import encode_run_length
from masklet.media.frame_folders import IMAGE_SUFFIXES, frames_of_folder
from masklet.media.video_file import VIDEO_SUFFIXES

LINES = ".jsonl"

Described = Iterator[tuple[str, Any]]
"""Where a job stands, and what a line of a job file would be."""


def is_medium(path: Path) -> bool:
    """Whether a file is called as an image or a video is."""
    return path.suffix.lower() in IMAGE_SUFFIXES | VIDEO_SUFFIXES


def is_dataset_of_jobs(source: Path) -> bool:
    """Whether a source of jobs is a dataset; a folder with media of its own is one of media and prompts."""
    if source.is_dir() and any(map(is_medium, entries(source))):
        return False
    return source.suffix.lower() != LINES and source.exists() and is_dataset(source)


def dataset_jobs(source: Path, *, everything: bool = False) -> tuple[Path, Described]:
    """Return the folder where names of a dataset's files start, and its jobs.

    An image has the tight boxes of its objects as prompts, a video the mask of each object on the frame where that
    first appears. Those without objects are no jobs.

    Args:
        source: in any layout that `masklet data check` reads.
        everything: whether everything is looked for, without prompts.

    Raises:
        InvalidInputError: if its annotations are broken, or frames of a video are not all there is in their folder.
        OSError: if a file cannot be read.
    """
    dataset = open_dataset(source)
    if holds_videos(dataset):
        return dataset.root, _of_videos(dataset, everything)
    images = cast(AnnotatedImages, dataset)
    return images.root, _of_images(images, everything)


def _of_images(images: AnnotatedImages, everything: bool) -> Described:
    listed = (without_suffix(images.name_of(index)) for index in range(len(images)))
    for index, name in enumerate(safe_names(listed, is_flat=True)):
        path = images.path_of(index)
        how: dict[str, Any] = {"everything": True}
        if not everything:
            objects = image_item(images[index], name).objects
            how = {"prompts": [{"id": each.object_id, "box": [*each.box]} for each in objects if not each.is_crowd]}
        if everything or how["prompts"]:
            yield str(path), {"id": name, "image": os.path.relpath(path, images.root), **how}


def _of_videos(videos: AnnotatedVideos, everything: bool) -> Described:
    for sequence, name in zip(videos.sequences, safe_names(videos.sequences, is_flat=True), strict=True):
        video = videos[sequence]
        how = {"everything": True} if everything else {"prompts": _first_masks(video)}
        if how.get("prompts", True):
            path = _medium(videos, video)
            yield str(path), {"id": name, "video": os.path.relpath(path, videos.root), **how}


def _first_masks(video: AnnotatedVideo) -> list[dict[str, Any]]:
    """Return the mask of each object on the first frame that shows it."""
    prompts: dict[int, dict[str, Any]] = {}
    wanted = set(video.object_ids)
    for frame in video.annotated_frames:
        if wanted <= prompts.keys():
            break
        for object_id, mask in video.masks(frame).items():
            if object_id in wanted - prompts.keys() and mask.any():
                prompts[object_id] = {"id": object_id, "frame": frame, "mask": dict(encode_run_length(mask))}
    return [prompts[object_id] for object_id in sorted(prompts)]


def _medium(videos: AnnotatedVideos, video: AnnotatedVideo) -> Path:
    """Return the folder of a video's frames, or its file."""
    first = video.path_of(0)
    if first is None:
        files = [path for path in videos.files_of(video.name) if path.suffix.lower() in VIDEO_SUFFIXES]
        if len(files) != 1:
            raise InvalidInputError(f"{videos.root}: {video.name} is in no video file, and in no folder of frames.")
        return files[0]
    if len(frames_of_folder(first.parent)) != len(video):
        raise InvalidInputError(
            f"{first.parent} has other images beside the {len(video)} frames of {video.name}; a video of a batch is a "
            "file, or a folder of all its frames."
        )
    return first.parent
