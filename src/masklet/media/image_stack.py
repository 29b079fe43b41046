"""Image files that hold several images, of which FFmpeg would show the first: stacks in TIFF, animations in WebP."""

import os
from fractions import Fraction

import numpy as np
from PIL import ImageOps

from masklet.errors import InvalidInputError, UnreadableImageError, UnreadableVideoError
from masklet.media.frame_file import FrameRead, damage, numbered
from masklet.media.frame_folders import FRAME_RATE
from masklet.media.image_files import opened_image
from masklet.media.images import Pixels, to_rgb, white_of_image
from masklet.media.pixel_depth import white_of_video
from masklet.media.tiff_files import is_tiff

MILLISECONDS = 1000


def is_image_stack(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is a TIFF or a WebP, by its first bytes."""
    with open(path, "rb") as file:
        start = file.read(12)
    return is_tiff(path) or (start[:4], start[8:]) == (b"RIFF", b"WEBP")


class ImageStack:
    """A video of which every frame is an image of one file.

    Attributes:
        height, width: in pixels, of the upright image.
        frame_rate: images a second, by how long the first is shown; 24 where the file has no times.

    UnreadableVideoError if none of the images can be read.
    """

    problems = ()

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.name = os.fspath(path)
        self._path = os.path.abspath(path)  # the working directory may change
        self.height = self.width = 0
        try:
            with opened_image(self._path) as image:
                self._count = int(getattr(image, "n_frames", 1))
                image.load()  # then WebP reports how long it is shown
                duration = int(image.info.get("duration", 0))
        except UnreadableImageError as error:
            raise UnreadableVideoError(f"Cannot read the video {self.name}: {error}") from error
        self.frame_rate = Fraction(MILLISECONDS, duration) if duration > 0 else FRAME_RATE
        self._white = white_of_video(self._count, self._white_of)
        self.height, self.width = self.read(0).pixels.shape[:2]

    def __len__(self) -> int:
        return self._count

    def time_of(self, number: int) -> float:
        """Return the seconds from the first frame to frame `number`."""
        return float(number / self.frame_rate)

    def name_of(self, number: int) -> str:
        """Return the number of the frame with five digits."""
        return numbered(number)

    def near_key(self, number: int) -> int:
        """Return `number`: every frame is decoded without others."""
        return number

    def read(self, number: int) -> FrameRead:
        """Return frame `number`, and what is wrong with it.

        In place of an image that cannot be read comes the last one before it that can, or the first after it.
        InvalidInputError if it is not as large as the first.
        """
        for shown in (*range(number, -1, -1), *range(number + 1, len(self))):
            try:
                pixels = self._pixels(shown)
            except UnreadableImageError:
                continue
            self._check_size(shown, pixels)
            return FrameRead(pixels, damage(number, shown))
        raise UnreadableVideoError(f"None of the {len(self)} images of {self.name} can be read.")

    def reopened(self) -> "ImageStack":
        """Return this: no file stays open."""
        return self

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _pixels(self, number: int) -> Pixels:
        with opened_image(self._path) as image:
            image.seek(number)
            image.load()
            return np.asarray(to_rgb(ImageOps.exif_transpose(image), self._white))

    def _white_of(self, number: int) -> float | None:
        try:
            with opened_image(self._path) as image:
                image.seek(number)
                return white_of_image(image)
        except UnreadableImageError:
            return None

    def _check_size(self, number: int, pixels: Pixels) -> None:
        height, width = pixels.shape[:2]
        if self.height and (height, width) != (self.height, self.width):
            raise InvalidInputError(
                f"{self.name}: image {number} is {width} x {height} pixels, the first one "
                f"{self.width} x {self.height}; all frames of a video have one size."
            )
