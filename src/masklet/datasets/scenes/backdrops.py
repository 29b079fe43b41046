"""Backdrops of clips, behind the actors."""

from dataclasses import dataclass

import cv2
import numpy as np

from masklet.datasets.scenes.bank import ImageBank
from masklet.datasets.scenes.fills import random_fill
from masklet.datasets.scenes.layers import ByteArray, Composition
from masklet.datasets.scenes.motion import Pose, Trajectory, Wave, seen_through, similarity


@dataclass(frozen=True)
class Backdrop:
    """The image behind the actors, its labels if it has any, and the pose of it that the camera starts from.

    `asked` are the labels that are objects.
    """

    image: ByteArray
    pose: Pose
    wave: Wave | None = None
    labels: ByteArray | None = None
    asked: tuple[int, ...] = ()

    def view(self, frame: int, camera: Trajectory, size: int) -> Composition:
        """Render the camera's view of it in a frame."""
        pose, window = camera[frame] @ self.pose, (0, 0, size, size)
        bending = None if self.wave is None else (self.wave, frame)
        image = seen_through(self.image, pose, window, bending, border=cv2.BORDER_REFLECT_101)
        composition = Composition(image.astype(np.float32))
        if self.labels is not None:
            labels = seen_through(self.labels, pose, window, bending, nearest=True, border=cv2.BORDER_REFLECT_101)
            composition.background_masks = [labels == label for label in self.asked]
        return composition


def any_backdrop(rng: np.random.Generator, bank: ImageBank, size: int, image_share: float) -> Backdrop:
    """Draw an image or else some material."""
    if bank.images and rng.random() < image_share:
        return image_backdrop(rng, bank.images[rng.integers(len(bank.images))], size, zoom=(0.4, 1.0))
    side = round(1.5 * size)
    fill = np.clip(random_fill(rng, bank, side, side), 0, 255).astype(np.uint8)
    return Backdrop(fill, similarity(1, 0, (size - side) / 2, (size - side) / 2))


def image_backdrop(rng: np.random.Generator, image: ByteArray, size: int, zoom: tuple[float, float]) -> Backdrop:
    """Draw a square view of a fraction `zoom` of the image's shorter side, mirrored half of the time."""
    height, width = image.shape[:2]
    side = min(height, width) * rng.uniform(*zoom)
    x, y = rng.uniform([side / 2, side / 2], [width - side / 2, height - side / 2])
    scale = size / side
    if scale < 0.8:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.35 / scale), np.uint8)
    mirror = np.diag([rng.choice([-1.0, 1.0]), 1.0, 1.0])
    return Backdrop(image, similarity(scale, 0, size / 2, size / 2) @ mirror @ similarity(1, 0, -x, -y))
