"""Videos that are kept as images: folders of frames, and lists of images."""

import os
import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Self

import numpy as np
from PIL import Image

from masklet.errors import InvalidInputError, UnreadableImageError, UnreadableVideoError
from masklet.folders import entries
from masklet.media.frame_file import FrameRead, damage, numbered
from masklet.media.images import Pixels, read_image, to_rgb, white_of_image
from masklet.media.pixel_depth import white_of_video

ImageLike = str | os.PathLike[str] | Image.Image | Pixels
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm"})
MOST_MISSING_SHOWN = 3
FRAME_RATE = Fraction(24)  # images have none; that of films


class FrameImages:
    """A video of which every frame is an image: a file, a Pillow image or uint8 [H, W, 3] RGB.

    Attributes:
        height, width: in pixels, of the upright image.
        frame_rate: 24 frames a second.

    UnreadableVideoError if there are no images, one is a file that is not there, or none can be read.
    """

    frame_rate = FRAME_RATE
    problems = ()

    def __init__(self, images: Sequence[ImageLike], name: str) -> None:
        self.name = name
        self._images = images
        paths = [Path(each) for each in images if isinstance(each, str | os.PathLike)]
        stems = [path.stem for path in paths]
        self._names = stems if len(set(stems)) == len(images) else None
        if not images:
            raise UnreadableVideoError(f"{name} has no frames.")
        if missing := [path for path in paths if not path.exists()]:
            names = ", ".join(map(str, missing[:MOST_MISSING_SHOWN]))
            more = " and more" if len(missing) > MOST_MISSING_SHOWN else ""
            raise UnreadableVideoError(
                f"{name}: of {len(images)} frames the files of {len(missing)} are missing: {names}{more}."
            )
        self._white = white_of_frames(images)
        self.height = self.width = 0
        self.height, self.width = self.read(0).pixels.shape[:2]

    def __len__(self) -> int:
        return len(self._images)

    def time_of(self, number: int) -> float:
        """Return the seconds from the first frame to frame `number`."""
        return float(number / self.frame_rate)

    def name_of(self, number: int) -> str:
        """Return the name of the image file without suffix; the number with five digits if names are not unique."""
        return self._names[number] if self._names else numbered(number)

    def near_key(self, number: int) -> int:
        """Return `number`: every frame is decoded without others."""
        return number

    def read(self, number: int) -> FrameRead:
        """Return frame `number`, and what is wrong with it.

        In place of a file that cannot be read comes the last one before it that can, or the first after it.
        InvalidInputError if the image is not as large as the first.
        """
        for shown in (*range(number, -1, -1), *range(number + 1, len(self))):
            try:
                pixels = self._pixels(shown)
            except UnreadableImageError:
                continue
            return FrameRead(pixels, damage(number, shown))
        raise UnreadableVideoError(f"None of the {len(self)} images of {self.name} can be read.")

    def reopened(self) -> Self:
        """Return this: no file stays open."""
        return self

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _pixels(self, number: int) -> Pixels:
        image = self._images[number]
        pixels = frame_pixels(image, f"Frame {number}", self._white)
        height, width = pixels.shape[:2]
        if self.height and (height, width) != (self.height, self.width):
            which = f"frame {number} ({image})" if isinstance(image, str | os.PathLike) else f"frame {number}"
            raise InvalidInputError(
                f"{self.name}: {which} is {width} x {height} pixels, the first one {self.width} x {self.height}; "
                "all frames of a video have one size."
            )
        return pixels


def white_of_frames(images: Sequence[ImageLike]) -> float | None:
    """Return the one value that stands for white in all frames of a video of deep images, as `white_of_video` does."""

    def white_of_frame(number: int) -> float | None:
        image = images[number]
        return None if isinstance(image, np.ndarray) else white_of_image(image)

    return white_of_video(len(images), white_of_frame)


def frame_pixels(frame: ImageLike, name: str, white: float | None = None) -> Pixels:
    """Return a frame as uint8 [H, W, 3] RGB; `white` is as in `to_rgb`.

    UnreadableImageError for a file that cannot be read, InvalidInputError (with `name`) for an array of another kind.
    """
    image = read_image(frame, white=white) if isinstance(frame, str | os.PathLike) else frame
    pixels = np.asarray(to_rgb(image, white) if isinstance(image, Image.Image) else image)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise InvalidInputError(f"{name} is {pixels.dtype} {list(pixels.shape)}, not uint8 [H, W, 3].")
    if pixels.size == 0:
        raise InvalidInputError(f"{name} has no pixels: its shape is {list(pixels.shape)}.")
    return pixels


def frames_of_folder(folder: str | os.PathLike[str]) -> list[Path]:
    """Return the image files directly in `folder`, with numbers in their names in the order of numbers: 2 before 10.

    Hidden and system files, and files that by their suffix are no images, are left out. Links to files that are not
    there stay: without them the numbers of the frames behind would be others.
    """
    files = (path for path in entries(folder) if path.suffix.lower() in IMAGE_SUFFIXES and not path.is_dir())
    return sorted(files, key=_natural)


def _natural(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Return a key that compares digits as numbers and the rest as text, regardless of its case."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], path.name
