"""Colours and sharpness of images: one matrix on RGB, and a blur."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.datasets.augmentation.settings import Augmentation, ColourJitter
from masklet.datasets.scenes.layers import ByteArray

ColourMatrix = NDArray[np.float64]  # [4, 4] on (red, green, blue, 1)
LUMINANCE = np.array([0.299, 0.587, 0.114])
MIDDLE_GREY = 127.5  # contrast leaves it; one for all images, so that frames of a clip do not differ by their content


@dataclass(frozen=True)
class Look:
    """`colours` on (red, green, blue, 1) in 0..255, then a Gaussian `blur` (standard deviation in pixels, 0: none)."""

    colours: ColourMatrix
    blur: float = 0.0

    def of(self, image: ByteArray) -> ByteArray:
        """Return the image uint8 [H, W, 3] with this look."""
        changed = cv2.transform(image, self.colours[:3])
        return np.asarray(cv2.GaussianBlur(changed, (0, 0), self.blur) if self.blur > 0 else changed, np.uint8)


def random_look(rng: np.random.Generator, augmentation: Augmentation) -> Look:
    """Return the look that all frames of a clip have in common."""
    colours = random_colours(rng, augmentation.colours)
    if rng.random() < augmentation.grey:
        colours = saturation(0) @ colours
    is_blurred = rng.random() < augmentation.blur
    return Look(colours, rng.uniform(0, augmentation.strongest_blur) if is_blurred else 0.0)


def random_colours(rng: np.random.Generator, jitter: ColourJitter) -> ColourMatrix:
    """Draw another brightness, contrast and saturation."""
    by = [rng.uniform(1 - most, 1 + most) for most in (jitter.brightness, jitter.contrast, jitter.saturation)]
    return saturation(by[2]) @ contrast(by[1]) @ np.diag([by[0]] * 3 + [1.0])


def contrast(factor: float) -> ColourMatrix:
    """Scale every channel's distance from the middle grey by a factor."""
    matrix = np.diag([factor] * 3 + [1.0])
    matrix[:3, 3] = (1 - factor) * MIDDLE_GREY
    return matrix


def saturation(factor: float) -> ColourMatrix:
    """Scale the distance from the grey of the same luminance by a factor; 0 leaves shades of grey."""
    matrix = np.eye(4)
    matrix[:3, :3] = factor * np.eye(3) + (1 - factor) * LUMINANCE
    return matrix
