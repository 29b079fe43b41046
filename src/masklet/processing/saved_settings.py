"""Processor settings on disk, in both layouts that checkpoints have had.

Earlier checkpoints keep the image processor's settings in `preprocessor_config.json`, the video processor's in
`video_preprocessor_config.json` and the processor's own in `processor_config.json`; current ones nest the former in the
latter, under `image_processor` and `video_processor`, as `Sam2Processor` writes them. What suits automatic masks of a
checkpoint is masklet's own: it has a file that other programs do not read.
"""

import os
from pathlib import Path
from typing import Any

from masklet.configuration import Sam2Config
from masklet.configuration.base import CONFIG_FILE
from masklet.errors import CheckpointError, InvalidInputError
from masklet.json_files import read_json
from masklet.sources import PICKLE_SUFFIXES, Source, locate_file

IMAGE_PROCESSOR_FILE = "preprocessor_config.json"
VIDEO_PROCESSOR_FILE = "video_preprocessor_config.json"
PROCESSOR_FILE = "processor_config.json"
AUTOMATIC_MASKS_FILE = "automatic_masks.json"


def processor_settings(source: Source, **location: Any) -> dict[str, Any]:
    """Return the content of `processor_config.json`, or {} if the source has none.

    Args:
        source: a folder, a hub id, a Meta `.pt` file (which has none), or None for the bundled model.
        **location: as `locate_file` takes it.
    """
    file = locate_file(source, PROCESSOR_FILE, required=False, **location)
    return {} if file is None else read_settings(file)


def automatic_mask_options(source: Source, **location: Any) -> dict[str, Any]:
    """Return the options of automatic masks that suit a checkpoint, its `automatic_masks.json`; {} if it has none.

    Arguments and errors are those of `processor_settings`.
    """
    file = locate_file(source, AUTOMATIC_MASKS_FILE, required=False, **location)
    return {} if file is None else read_settings(file)


def image_processor_settings(source: Source, **location: Any) -> dict[str, Any]:
    """Return an image processor's settings from either layout; {}, meaning the defaults, for a Meta `.pt` file.

    A source with nothing but a model (as `Sam2Model.save_pretrained` writes it) gives the size of its images.

    Raises:
        CheckpointError: if the source has neither such settings nor a model, or they are not JSON.
    """
    if _is_pickle_file(source):
        return {}
    nested = processor_settings(source, **location).get("image_processor")
    if isinstance(nested, dict):
        return nested
    if file := locate_file(source, IMAGE_PROCESSOR_FILE, required=False, **location):
        return read_settings(file)
    if locate_file(source, CONFIG_FILE, required=False, **location) is None:
        name = "The bundled model" if source is None else os.fspath(source)
        raise CheckpointError(f"{name} has no {IMAGE_PROCESSOR_FILE}, and no {CONFIG_FILE} that would give the size.")
    return {"size": Sam2Config.from_pretrained(source, **location).image_size}


def has_image_processor_settings(source: Source, **location: Any) -> bool:
    """Whether `image_processor_settings` finds something: settings of images, or a model that gives their size."""
    names = (IMAGE_PROCESSOR_FILE, CONFIG_FILE)
    return (
        _is_pickle_file(source)
        or "image_processor" in processor_settings(source, **location)
        or any(locate_file(source, name, required=False, **location) for name in names)
    )


def video_processor_settings(source: Source, **location: Any) -> dict[str, Any]:
    """Return a video processor's settings from either layout; a source without them has those of its images.

    Raises:
        CheckpointError: as `image_processor_settings`.
    """
    if (own := own_video_settings(source, **location)) is not None:
        return own
    of_images = image_processor_settings(source, **location)
    return {name: value for name, value in of_images.items() if name != "image_processor_type"}


def own_video_settings(source: Source, **location: Any) -> dict[str, Any] | None:
    """Return a video processor's settings from either layout, or None if the source has none."""
    if _is_pickle_file(source):
        return None
    nested = processor_settings(source, **location).get("video_processor")
    if isinstance(nested, dict):
        return nested
    file = locate_file(source, VIDEO_PROCESSOR_FILE, required=False, **location)
    return None if file is None else read_settings(file)


def read_settings(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises:
        CheckpointError: if the file is missing, not JSON, or does not contain an object.
    """
    try:
        content = read_json(Path(path))
    except (OSError, InvalidInputError) as error:
        raise CheckpointError(f"Cannot read the settings in {path}: {error}") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} must contain a JSON object, got {type(content).__name__}.")
    return content


def _is_pickle_file(source: Source) -> bool:
    return source is not None and Path(source).suffix in PICKLE_SUFFIXES and Path(source).is_file()
