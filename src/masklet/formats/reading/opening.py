"""The layout of a folder of annotated data, and its reader."""

import os
from pathlib import Path
from typing import TypeGuard

from masklet.errors import InvalidInputError
from masklet.folders import folders_in
from masklet.formats.reading.annotated import AnnotatedImages, AnnotatedVideos
from masklet.formats.reading.batch_folders import BatchImagesFolder, BatchVideosFolder
from masklet.formats.reading.coco_folder import CocoFolder
from masklet.formats.reading.cvat_images_folder import CvatImagesFolder
from masklet.formats.reading.cvat_video_folder import CvatVideoFolder
from masklet.formats.reading.davis_folder import DavisFolder
from masklet.formats.reading.label_studio_folder import LabelStudioFolder
from masklet.formats.reading.labelme_folder import LabelmeFolder
from masklet.formats.reading.labelme_videos_folder import LabelmeVideosFolder
from masklet.formats.reading.masklet_folder import MaskletFolder
from masklet.formats.reading.mose_folder import MoseFolder
from masklet.formats.reading.plain_folder import PlainFolder
from masklet.formats.reading.sa1b_folder import Sa1bFolder
from masklet.formats.reading.sav_folder import SavFolder
from masklet.formats.reading.sav_split_folder import SavSplitFolder
from masklet.formats.reading.yolo_folder import YoloFolder
from masklet.formats.reading.youtube_vis_folder import YoutubeVisFolder
from masklet.formats.reading.youtube_vos_folder import YoutubeVosFolder

Layout = type[
    BatchVideosFolder
    | BatchImagesFolder
    | MaskletFolder
    | YoutubeVisFolder
    | LabelStudioFolder
    | CvatImagesFolder
    | CvatVideoFolder
    | CocoFolder
    | SavSplitFolder
    | MoseFolder
    | YoutubeVosFolder
    | DavisFolder
    | SavFolder
    | Sa1bFolder
    | LabelmeFolder
    | LabelmeVideosFolder
    | YoloFolder
    | PlainFolder
]

LAYOUTS: tuple[Layout, ...] = (
    BatchVideosFolder,
    BatchImagesFolder,
    MaskletFolder,
    YoutubeVisFolder,
    LabelStudioFolder,
    CvatImagesFolder,
    CvatVideoFolder,
    CocoFolder,
    SavSplitFolder,
    MoseFolder,
    YoutubeVosFolder,
    DavisFolder,
    SavFolder,
    Sa1bFolder,
    LabelmeFolder,
    LabelmeVideosFolder,
    YoloFolder,
    PlainFolder,
)
"""In the order in which they are asked; a later one may recognise what is an earlier one's."""


def open_dataset(root: str | os.PathLike[str]) -> AnnotatedImages | AnnotatedVideos:
    """Open the annotated images or videos under `root`, in whichever layout they are.

    InvalidInputError if there is no such folder, its layout is unknown (the message lists those that are known), or its
    annotations are broken.
    """
    return layout_of(root)(root)


def layout_of(root: str | os.PathLike[str]) -> Layout:
    """Return the reader for `root`, which is not opened yet; InvalidInputError if it is in no known layout."""
    path = Path(root)
    if not path.exists():
        raise InvalidInputError(f"There is no folder {path}.")
    found = _recognised(path)
    if found is not None:
        return found
    inner = [each.name for each in folders_in(path) if _recognised(each)]
    hint = f" These folders in it are datasets: {', '.join(inner)}; name one of them." if inner else ""
    known = "; ".join(f"{each.NAME}: {each.LAYOUT}" for each in LAYOUTS)
    raise InvalidInputError(f"{path} is in no known layout of annotated data.{hint} Known are {known}.")


def is_dataset(root: str | os.PathLike[str]) -> bool:
    """Return whether `root` is in a known layout, broken or not; a folder of mere images is not."""
    return _recognised(Path(root)) is not None


def is_of_images(layout: Layout) -> bool:
    """Return whether a reader is one of images; otherwise it is one of videos."""
    return hasattr(layout, "path_of")


def holds_videos(dataset: AnnotatedImages | AnnotatedVideos) -> TypeGuard[AnnotatedVideos]:
    """Return whether an open dataset is one of videos; otherwise it is one of images."""
    return hasattr(dataset, "sequences")


def _recognised(path: Path) -> Layout | None:
    return next((each for each in LAYOUTS if each.recognises(path)), None)
