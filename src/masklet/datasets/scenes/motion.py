"""Motion: random paths, one value a frame, and images seen through moving frames.

A pose is a 3 x 3 matrix that takes points (x, y, 1) of an object to points of the canvas, in pixels; coordinates count
from the corner of the first pixel.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.datasets.scenes.layers import ByteArray, FloatArray

Trajectory = NDArray[np.float64]  # [frames, ...]
Pose = NDArray[np.float64]  # [3, 3]


def wander(rng: np.random.Generator, frames: int, step: float, channels: int = 1) -> Trajectory:
    """Draw a path [frames, channels] that begins at 0; its velocity changes gently, and is about `step` a frame."""
    knots = rng.normal(0, 0.6, (3, channels)) + rng.normal(0, 0.8, channels)
    times = np.linspace(0, 2, max(1, frames - 1))
    velocity = np.stack([np.interp(times, np.arange(3), knots[:, channel]) for channel in range(channels)], axis=1)
    return np.concatenate([np.zeros((1, channels)), np.cumsum(step * velocity, axis=0)])[:frames]


def excursion(rng: np.random.Generator, frames: int, reach: float) -> Trajectory:
    """Draw a path out by `reach` and, in clips that are long enough, back again: [frames, 2], 0 in the first frame."""
    begin, length = rng.uniform(0, 0.4 * frames), rng.uniform(0.5, 1.2) * frames
    share = np.sin(np.pi * np.clip((np.arange(frames) - begin) / length, 0, 1)) ** 2
    angle = rng.uniform(0, 2 * np.pi)
    return np.asarray(reach * np.minimum(1.6 * share, 1)[:, None] * [np.cos(angle), np.sin(angle)])


def similarity(scale: float, angle: float, x: float, y: float, aspect: float = 1.0) -> Pose:
    """Squeeze the second axis by `aspect`, scale, turn by `angle` (radians), then move by (x, y)."""
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[cosine, -sine * aspect, x], [sine, cosine * aspect, y], [0.0, 0.0, 1.0]])


def moved(pose: Pose, by: NDArray[np.float64]) -> Pose:
    """Return the pose after a move by (x, y) on the canvas."""
    return np.array([[1.0, 0.0, by[0]], [0.0, 1.0, by[1]], [0.0, 0.0, 1.0]]) @ pose


def camera_path(rng: np.random.Generator, frames: int, size: int) -> Trajectory:
    """Poses [frames, 3, 3] of the world on a canvas of `size` pixels: pan, zoom, roll and shake; first the identity."""
    if rng.random() < 0.2:
        return np.broadcast_to(np.eye(3), (frames, 3, 3))
    pan = wander(rng, frames, size * np.exp(rng.uniform(np.log(0.001), np.log(0.025))), 2)
    zoom = wander(rng, frames, rng.uniform(0, 0.02))[:, 0]
    roll = wander(rng, frames, rng.uniform(0, 0.015))[:, 0]
    if rng.random() < 0.3:
        pan[1:] += rng.normal(0, size * rng.uniform(0.001, 0.012), (frames - 1, 2))
    middle = size / 2
    about_middle = [
        similarity(float(np.exp(z)), r, middle + x, middle + y) for z, r, (x, y) in zip(zoom, roll, pan, strict=True)
    ]
    return np.stack(about_middle) @ similarity(1, 0, -middle, -middle)


@dataclass(frozen=True)
class Wave:
    """A gentle bending of an image that runs through it: `amplitude` pixels, `cycles` across it, `phase` [frames]."""

    amplitude: float
    cycles: tuple[float, float]
    phase: Trajectory

    def bend(self, x: FloatArray, y: FloatArray, shape: tuple[int, int], frame: int) -> None:
        """Move the sample points (x, y) in an image of `shape` (height, width), in place."""
        phase = self.phase[frame]
        down = np.sin(y[:, :1] * np.float32(2 * np.pi * self.cycles[0] / shape[0]) + np.float32(phase))
        right = np.sin(x[:1] * np.float32(2 * np.pi * self.cycles[1] / shape[1]) + np.float32(1.3 * phase + 1))
        x += np.float32(self.amplitude) * down
        y += np.float32(self.amplitude) * right


def random_wave(rng: np.random.Generator, frames: int, extent: float) -> Wave:
    """Draw a wave for something `extent` pixels across."""
    phase = rng.uniform(0, 2 * np.pi) + wander(rng, frames, rng.uniform(0.1, 1.2))[:, 0]
    cycles = rng.uniform(0.4, 1.8, 2)
    return Wave(rng.uniform(0.01, 0.06) * extent, (float(cycles[0]), float(cycles[1])), phase)


def seen_through(
    image: ByteArray,
    pose: Pose,
    window: tuple[int, int, int, int],
    bending: tuple[Wave, int] | None = None,
    nearest: bool = False,
    border: int = cv2.BORDER_REPLICATE,
) -> ByteArray:
    """Render a window (top, left, height, width) of the canvas with an image [h, w(, channels)] placed by `pose`.

    `bending` is a wave and the frame; `nearest` takes pixels as they are (labels). Beyond the image, `border`.
    """
    top, left, height, width = window
    flags = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    half = similarity(1, 0, -0.5, -0.5)
    source = half @ np.linalg.inv(pose) @ similarity(1, 0, left + 0.5, top + 0.5)
    if bending is None:
        flags |= cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(image, source[:2], (width, height), flags=flags, borderMode=border), np.uint8)
    columns, rows = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    matrix = source.astype(np.float32)
    x = np.asarray(matrix[0, 0] * columns + (matrix[0, 1] * rows + matrix[0, 2]), np.float32)
    y = np.asarray(matrix[1, 0] * columns + (matrix[1, 1] * rows + matrix[1, 2]), np.float32)
    wave, frame = bending
    wave.bend(x, y, (image.shape[0], image.shape[1]), frame)
    return np.asarray(cv2.remap(image, x, y, flags, borderMode=border), np.uint8)
