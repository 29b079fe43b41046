"""One matrix from the pixels of a recorded image to the network's square, the same for masks and all frames."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.datasets.augmentation.settings import Augmentation
from masklet.datasets.scenes.layers import ByteArray, MaskArray

Matrix = NDArray[np.float64]  # [3, 3] on points (x, y, 1) in pixels; pixel (0, 0) reaches from 0 to 1
MEAN_COLOUR = (124.0, 116.0, 104.0)  # what the network knows as zero


@dataclass(frozen=True)
class AffineView:
    """A square of `side` pixels that shows a part of an image: `matrix` takes points of the image to the square's."""

    matrix: Matrix
    side: int

    def image(self, pixels: ByteArray) -> ByteArray:
        """Return the image uint8 [H, W, 3] as uint8 [side, side, 3]; the mean colour where there is nothing of it."""
        return self._seen(pixels, MEAN_COLOUR)

    def masks(self, masks: MaskArray) -> MaskArray:
        """Masks bool [N, H, W] as bool [N, side, side]; a pixel belongs to an object that covers half of it."""
        seen = [self._seen(mask.astype(np.uint8) * np.uint8(255), (0.0,)) > 127 for mask in masks]
        return np.array(seen, bool).reshape(-1, self.side, self.side)

    def _seen(self, pixels: ByteArray, fill: tuple[float, ...]) -> ByteArray:
        """Shrinks by areas first, so that nothing finer than a pixel of the square is left to flicker.

        One more pixel around the image keeps `fill` from its outermost pixels where these are enlarged.
        """
        height, width = pixels.shape[:2]
        scales = np.minimum(np.linalg.norm(self.matrix[:2, :2], axis=0), 1)
        size = max(1, round(width * float(scales[0]))), max(1, round(height * float(scales[1])))
        if size != (width, height):
            pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        matrix = self.matrix @ np.diag([width / size[0], height / size[1], 1.0])
        between_centres = translation(-0.5, -0.5) @ matrix @ translation(0.5 - 1, 0.5 - 1)
        framed = cv2.copyMakeBorder(pixels, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
        side = (self.side, self.side)
        return np.asarray(cv2.warpAffine(framed, between_centres[:2], side, borderValue=fill), np.uint8)


def whole_view(height: int, width: int, side: int) -> AffineView:
    """Return the view of all of an image, squeezed into the square as `Sam2ImageProcessorFast` does."""
    return AffineView(np.diag([side / width, side / height, 1.0]), side)


def random_view(rng: np.random.Generator, height: int, width: int, side: int, augmentation: Augmentation) -> AffineView:
    """Draw a view that is rotated and sheared about the middle, then cropped, then flipped, each by chance."""
    matrix = np.eye(3)
    if rng.random() < augmentation.affine:
        matrix = translation(width / 2, height / 2) @ _slant(rng, augmentation) @ translation(-width / 2, -height / 2)
    if rng.random() < augmentation.crop:
        share = rng.uniform(augmentation.smallest_crop, 1)
        left, top = rng.uniform(0, 1 - share, 2) * (width, height)
        matrix = np.diag([1 / share, 1 / share, 1.0]) @ translation(-left, -top) @ matrix
    matrix = whole_view(height, width, side).matrix @ matrix
    if rng.random() < augmentation.flip:
        matrix = translation(side, 0) @ np.diag([-1.0, 1.0, 1.0]) @ matrix
    return AffineView(matrix, side)


def translation(x: float, y: float) -> Matrix:
    """Return the matrix that moves points by (x, y)."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _slant(rng: np.random.Generator, augmentation: Augmentation) -> Matrix:
    angle = np.deg2rad(rng.uniform(-augmentation.rotation, augmentation.rotation))
    slant = np.tan(np.deg2rad(rng.uniform(-augmentation.shear, augmentation.shear)))
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    return np.asarray(turn @ np.array([[1, slant, 0], [0, 1, 0], [0, 0, 1]]))
