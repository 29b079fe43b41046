"""The annotated data that a folder holds, of the kind that an evaluation needs."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np

from masklet.datasets.annotated import AnnotatedImages, AnnotatedVideo, AnnotatedVideos
from masklet.datasets.davis_folder import DavisFolder
from masklet.datasets.opening import holds_videos, is_dataset, open_dataset
from masklet.datasets.problems import listing
from masklet.errors import InvalidInputError
from masklet.evaluation.vos.vos_scores import FEWEST_FRAMES, CountingRule
from masklet.masks.geometry import Mask
from masklet.media.images import Pixels

FolderPath = str | os.PathLike[str]


def image_datasets(root: FolderPath) -> dict[str, AnnotatedImages]:
    """Return the dataset of pictures that `root` is, or those that the folders in it are, by their names.

    InvalidInputError if there is none, or one holds videos.
    """
    folder = Path(root)
    inner = [each for each in sorted(folder.glob("*")) if each.is_dir() and is_dataset(each)]
    folders = inner if inner and not is_dataset(folder) else [folder]
    return {each.name: _images(each) for each in folders}


def video_dataset(root: FolderPath) -> AnnotatedVideos:
    """Return the dataset of videos in `root`; InvalidInputError if it holds something else."""
    dataset = open_dataset(root)
    if not holds_videos(dataset):
        raise InvalidInputError(f"{root} holds pictures; expected videos with masks.")
    return dataset


def _images(folder: Path) -> AnnotatedImages:
    dataset = open_dataset(folder)
    if holds_videos(dataset):
        raise InvalidInputError(f"{folder} holds videos; expected pictures with masks.")
    return cast(AnnotatedImages, dataset)


def rule_of(videos: AnnotatedVideos) -> CountingRule:
    """Return the rule of the dataset's own tool: DAVIS' in its layout; elsewhere objects may come late."""
    return CountingRule.DAVIS if isinstance(videos, DavisFolder) else CountingRule.APPEARANCE


def measurable_sequences(videos: AnnotatedVideos, sequences: Sequence[str] | None) -> Sequence[str]:
    """Return `sequences`, or the names of all videos if None; neither pictures nor label maps are read.

    InvalidInputError, listing those that cannot be measured: unknown ones, ones whose files do not fit together, and
    those with fewer annotated frames than can be measured.
    """
    names = videos.sequences if sequences is None else sequences
    reasons = [reason for name in names if (reason := _unsuited(videos, name)) is not None]
    if reasons:
        raise InvalidInputError(f"{len(reasons)} of {len(names)} sequences cannot be measured: {listing(reasons)}.")
    return names


def _unsuited(videos: AnnotatedVideos, name: str) -> str | None:
    """Return why a video cannot be measured, as far as names and counts tell."""
    try:
        count = len(videos[name].annotated_frames)
    except (InvalidInputError, OSError) as error:
        return str(error).removesuffix(".")
    return (
        None
        if count >= FEWEST_FRAMES
        else f"{name!r} has {count} annotated frames, at least {FEWEST_FRAMES} are needed"
    )


def counted_objects(video: AnnotatedVideo, rule: CountingRule) -> tuple[int, ...]:
    """Return the ids of the objects to measure, ascending.

    By DAVIS' rule those that the dataset names: 1 to the highest id in the first frame, in its own layout. By
    appearance all that the truth ever shows.
    """
    if rule is CountingRule.DAVIS:
        return video.object_ids
    return tuple(sorted({each for frame in video.annotated_frames for each in video.masks(frame)}))


def first_masks(video: AnnotatedVideo, object_ids: tuple[int, ...]) -> dict[int, dict[int, Mask]]:
    """Return the mask (bool [H, W]) of each object on the first annotated frame that shows it, by frame and id.

    An object that is never visible is left out.
    """
    missing, found = set(object_ids), dict[int, dict[int, Mask]]()
    for frame in video.annotated_frames:
        if not missing:
            break
        new = {each: mask for each, mask in video.masks(frame).items() if each in missing and mask.any()}
        if new:
            found[frame] = new
            missing -= new.keys()
    return found


def look_at(video: AnnotatedVideo, frame: int, object_id: int) -> tuple[Pixels, Mask]:
    """Return an annotated frame (uint8 [H, W, 3]) and the true mask (bool [H, W]) of an object on it."""
    pixels = video.read_pixels(frame)
    return pixels, video.masks(frame).get(object_id, np.zeros(pixels.shape[:2], dtype=bool))
