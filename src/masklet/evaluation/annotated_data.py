"""The annotated data that a folder holds, of the kind that an evaluation needs."""

import os
from pathlib import Path
from typing import cast

from masklet.errors import InvalidInputError
from masklet.folders import folders_in
from masklet.formats.reading.annotated import AnnotatedImages, AnnotatedVideos
from masklet.formats.reading.annotation_files import is_sequence_list
from masklet.formats.reading.label_map_folder import folder_of_sequences
from masklet.formats.reading.opening import holds_videos, is_dataset, is_of_images, layout_of, open_dataset

FolderPath = str | os.PathLike[str]


def image_datasets(root: FolderPath) -> dict[str, AnnotatedImages]:
    """Return the dataset of images that `root` is, or those that the folders in it are, by their names.

    InvalidInputError if there is none, or one holds videos.
    """
    return {dataset_name(each): _images(each) for each in _dataset_folders(Path(root))}


def check_image_layout(root: FolderPath) -> None:
    """Raise InvalidInputError unless `root`, or the datasets in it, are laid out as images; no annotation is read."""
    for each in _dataset_folders(Path(root)):
        if not is_of_images(layout_of(each)):
            raise _not_images(each)


def dataset_name(root: FolderPath) -> str:
    """Return the name of a dataset's folder, also of "." and ".."; of a list of sequences "FOLDER/LIST"."""
    path = Path(os.path.abspath(root))
    return f"{folder_of_sequences(path).name}/{path.stem}" if is_sequence_list(path) else path.name


def video_dataset(root: FolderPath) -> AnnotatedVideos:
    """Return the dataset of videos in `root`; InvalidInputError if it holds something else."""
    dataset = open_dataset(root)
    if not holds_videos(dataset):
        raise InvalidInputError(f"{root} holds images; expected videos with masks.")
    return dataset


def _dataset_folders(folder: Path) -> list[Path]:
    """Return the folder itself if it is a dataset, or nothing in it is one; else the datasets in it."""
    inner = [each for each in folders_in(folder) if is_dataset(each)]
    return inner if inner and not is_dataset(folder) else [folder]


def holds_annotated_videos(root: FolderPath) -> bool:
    """Return whether `root` is a dataset of videos, by its layout; a folder of several datasets is one of images."""
    return is_dataset(root) and holds_videos(open_dataset(root))


def _images(folder: Path) -> AnnotatedImages:
    dataset = open_dataset(folder)
    if holds_videos(dataset):
        raise _not_images(folder)
    return cast(AnnotatedImages, dataset)


def _not_images(folder: Path) -> InvalidInputError:
    return InvalidInputError(f"{folder} holds videos; expected images with masks.")
