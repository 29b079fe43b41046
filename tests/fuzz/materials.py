"""What valid inputs are made of: a small model and what was made with it, once, before the processes part."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from tests.support.small_video_models import small_clip, small_video_model
from tests.support.video_files import write_small_video

from masklet import ImageSegmenter, Sam2Processor, VideoTracker

HEIGHT, WIDTH = 40, 60


def without_threads() -> None:
    """Let libraries compute in the calling thread, as threads of a parent are not there in a forked child."""
    torch.set_num_threads(1)
    cv2.setNumThreads(0)


@cache
def folder() -> Path:
    """A folder that this process and its children read."""
    return Path(tempfile.mkdtemp(prefix="masklet-fuzz-materials-"))


@contextmanager
def folder_of_this_run() -> Iterator[Path]:
    """Remove the folder afterwards."""
    try:
        yield folder()
    finally:
        shutil.rmtree(folder())


def model() -> Path:
    """The folder of a small model for images and videos, with its processor."""
    path = folder() / "model"
    if not path.exists():
        network = small_video_model()
        network.save_pretrained(path)
        Sam2Processor(size=network.config.image_size).save_pretrained(path)
    return path


@cache
def segmenter() -> ImageSegmenter:
    return ImageSegmenter.from_pretrained(model())


@cache
def tracker() -> VideoTracker:
    return VideoTracker.from_pretrained(model())


@cache
def encoded() -> Any:
    return segmenter().encode(pixels())


@cache
def pixels() -> np.ndarray:
    """uint8 [HEIGHT, WIDTH, 3]: noise."""
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


@cache
def mask() -> np.ndarray:
    """bool [HEIGHT, WIDTH]: a rectangle."""
    inside = np.zeros((HEIGHT, WIDTH), dtype=bool)
    inside[10:30, 15:40] = True
    return inside


def write_image(path: Path, values: np.ndarray | None = None, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels() if values is None else values).save(path, **options)
    return path


def video(codec: str = "libx264", suffix: str = ".mp4") -> Path:
    """A video file of five frames."""
    path = folder() / f"clip{suffix}"
    if not path.exists():
        pixel_format = {"gif": "rgb8", "mjpeg": "yuvj420p"}.get(codec, "yuv420p")
        write_small_video(path, list(small_clip(5)), codec, pixel_format)
    return path


def copied(source: Path, place: Path) -> Path:
    """A copy of a file or a folder, to be spoiled."""
    if source.is_dir():
        return Path(shutil.copytree(source, place))
    return Path(shutil.copyfile(source, place))
