"""What lies behind the actors of a clip."""

from dataclasses import dataclass

import cv2
import numpy as np

from masklet.datasets.scenes.bank import PictureBank
from masklet.datasets.scenes.fills import random_fill
from masklet.datasets.scenes.layers import ByteArray, Composition
from masklet.datasets.scenes.motion import Pose, Trajectory, Wave, seen_through, similarity


@dataclass(frozen=True)
class Backdrop:
    """What lies behind the actors: a picture, its labels if it has any, and the pose of it that the camera starts from.

    `asked` are the labels that are objects.
    """

    picture: ByteArray
    pose: Pose
    wave: Wave | None = None
    labels: ByteArray | None = None
    asked: tuple[int, ...] = ()

    def view(self, frame: int, camera: Trajectory, size: int) -> Composition:
        """What the camera sees of it in a frame."""
        pose, window = camera[frame] @ self.pose, (0, 0, size, size)
        bending = None if self.wave is None else (self.wave, frame)
        picture = seen_through(self.picture, pose, window, bending, border=cv2.BORDER_REFLECT_101)
        composition = Composition(picture.astype(np.float32))
        if self.labels is not None:
            labels = seen_through(self.labels, pose, window, bending, nearest=True, border=cv2.BORDER_REFLECT_101)
            composition.background_masks = [labels == label for label in self.asked]
        return composition


def any_backdrop(rng: np.random.Generator, bank: PictureBank, size: int, photograph_share: float) -> Backdrop:
    """A photograph or else some material."""
    if bank.photographs and rng.random() < photograph_share:
        return photograph_backdrop(rng, bank.photographs[rng.integers(len(bank.photographs))], size, zoom=(0.4, 1.0))
    side = round(1.5 * size)
    fill = np.clip(random_fill(rng, bank, side, side), 0, 255).astype(np.uint8)
    return Backdrop(fill, similarity(1, 0, (size - side) / 2, (size - side) / 2))


def photograph_backdrop(rng: np.random.Generator, picture: ByteArray, size: int, zoom: tuple[float, float]) -> Backdrop:
    """A square view of a share `zoom` of the picture's shorter side, mirrored half of the time."""
    height, width = picture.shape[:2]
    side = min(height, width) * rng.uniform(*zoom)
    x, y = rng.uniform([side / 2, side / 2], [width - side / 2, height - side / 2])
    scale = size / side
    if scale < 0.8:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.35 / scale), np.uint8)
    mirror = np.diag([rng.choice([-1.0, 1.0]), 1.0, 1.0])
    return Backdrop(picture, similarity(scale, 0, size / 2, size / 2) @ mirror @ similarity(1, 0, -x, -y))
