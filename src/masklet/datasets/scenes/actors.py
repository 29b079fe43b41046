"""Actors of clips: images with soft outlines, made once and drawn at another position in every frame."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from masklet.datasets.scenes import shapes
from masklet.datasets.scenes.bank import ImageBank
from masklet.datasets.scenes.compositions import surface
from masklet.datasets.scenes.cutouts import Cutout
from masklet.datasets.scenes.fills import random_fill
from masklet.datasets.scenes.labelled_images import colour_jitter
from masklet.datasets.scenes.layers import ByteArray, FloatArray, Layer, Stamp
from masklet.datasets.scenes.motion import (
    Pose,
    Trajectory,
    Wave,
    excursion,
    moved,
    random_wave,
    seen_through,
    similarity,
    wander,
)

MARGIN = 2  # transparent pixels around every piece
SHORTEST_BLUR = 1.5  # pixels a frame


@dataclass(frozen=True)
class Piece:
    """A piece of an actor.

    Attributes:
        rgba: colours and opacity, uint8 [height, width, 4].
        corner: (x, y) of its upper left, from the middle of its actor.
        swing: [frames], rotation about that middle in radians.
    """

    rgba: ByteArray
    corner: tuple[float, float]
    swing: Trajectory


@dataclass(frozen=True)
class Actor:
    """Pieces painted one over the other, their common `poses` [frames, 3, 3], bending and brightness [frames]."""

    pieces: tuple[Piece, ...]
    poses: Trajectory
    brightness: Trajectory
    wave: Wave | None = None
    shadow: float = 0.0
    exposure: float = 0.0  # the share of a frame's time that the shutter is open: motion blur

    def layers(self, frame: int, camera: Trajectory, size: int, group: int) -> list[Layer]:
        """Draw the actor as a camera sees it in a frame, on a canvas of `size`; pieces out of sight are left out."""
        pose = camera[frame] @ self.poses[frame]
        streak = self._streak(frame, camera)
        drawn = (self._draw(piece, pose, frame, size, streak) for piece in self.pieces)
        return [
            Layer(stamp, colour, group, is_object=False, shadow=self.shadow) for stamp, colour in filter(None, drawn)
        ]

    def _streak(self, frame: int, camera: Trajectory) -> tuple[float, float]:
        """Return the motion (x, y) of the middle while the shutter is open."""
        other = frame - 1 if frame else min(1, len(self.poses) - 1)
        here, there = (camera[index] @ self.poses[index][:, 2] for index in (frame, other))
        x, y = self.exposure * (here - there)[:2]
        return float(x), float(y)

    def _draw(
        self, piece: Piece, pose: Pose, frame: int, size: int, streak: tuple[float, float]
    ) -> tuple[Stamp, FloatArray] | None:
        placed = pose @ similarity(1, float(piece.swing[frame]), 0, 0) @ similarity(1, 0, *piece.corner)
        bend = 0.0 if self.wave is None else self.wave.amplitude
        window = _window(placed, piece.rgba.shape, size, bend, max(map(abs, streak)))
        if window is None:
            return None
        bending = None if self.wave is None else (self.wave, frame)
        rgba = seen_through(piece.rgba, placed, window, bending).astype(np.float32)
        if np.hypot(*streak) > SHORTEST_BLUR:
            rgba = cv2.filter2D(rgba, -1, streak_kernel(streak), borderType=cv2.BORDER_REPLICATE).astype(np.float32)
        stamp = Stamp(window[0], window[1], rgba[..., 3] * np.float32(1 / 255))
        return stamp, rgba[..., :3] * np.float32(self.brightness[frame])


def streak_kernel(streak: tuple[float, float]) -> FloatArray:
    """Draw a line through the middle along `streak` (x, y), as a filter of sum 1."""
    reach = int(np.ceil(max(map(abs, streak)) / 2))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    end = np.array(streak) / 2
    start, stop = np.round(reach - end).astype(int), np.round(reach + end).astype(int)
    cv2.line(kernel, (int(start[0]), int(start[1])), (int(stop[0]), int(stop[1])), 1.0)
    return kernel / kernel.sum()


def _window(
    pose: Pose, shape: Sequence[int], size: int, bend: float, streak: float
) -> tuple[int, int, int, int] | None:
    """Top, left, height, width of the part of the canvas where an image of `shape` (height, width, ...) may show."""
    height, width = shape[:2]
    corners = np.array([[-bend, -bend, 1], [width + bend, -bend, 1], [-bend, height + bend, 1]])
    corners = np.concatenate([corners, [[width + bend, height + bend, 1]]]) @ pose[:2].T
    left, top = np.clip(np.floor(corners.min(axis=0) - streak), 0, size).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(axis=0) + streak), 0, size).astype(int)
    return (int(top), int(left), int(bottom - top), int(right - left)) if bottom > top and right > left else None


def cutout_actor(rng: np.random.Generator, cutout: Cutout, extent: float, poses: Trajectory) -> Actor:
    """Draw a real object, `extent` pixels at its longest side; it bends like something soft half of the time."""
    frames, scale = len(poses), extent / max(cutout.mask.shape)
    size = (max(3, round(cutout.mask.shape[1] * scale)), max(3, round(cutout.mask.shape[0] * scale)))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    colour = colour_jitter(rng, cv2.resize(cutout.image, size, interpolation=interpolation).astype(np.float32))
    mask = cv2.GaussianBlur(cv2.resize(cutout.mask, size, interpolation=interpolation), (0, 0), 0.8)
    # A little inside the labelled outline, so that no rim of the old surroundings comes along.
    alpha = np.clip((mask.astype(np.float32) / 255 - 0.5) * 1.6 + 0.35, 0, 1)
    piece = _piece(colour, Stamp(0, 0, alpha.astype(np.float32)), (size[0] / 2, size[1] / 2), np.zeros(frames))
    wave = random_wave(rng, frames, extent) if rng.random() < 0.5 else None
    return Actor((piece,), poses, _brightness(rng, frames), wave)


def shape_actor(rng: np.random.Generator, bank: ImageBank, extent: float, poses: Trajectory) -> Actor:
    """Draw a shape of some material; at times with parts of other materials that move along."""
    frames, side = len(poses), max(8, int(extent * 1.5))
    middle, still = (side / 2, side / 2), np.zeros(frames)
    outlines = shapes.SHAPES[rng.integers(len(shapes.SHAPES))](rng)
    placed = shapes.place(outlines, middle, extent / 2, rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1))
    whole = shapes.draw(placed, side, softness=rng.uniform(0.3, 0.8))
    stamps = shapes.divide(rng, whole, int(rng.integers(2, 4))) if rng.random() < 0.3 else [whole]
    pieces = tuple(_piece(surface(rng, bank, stamp), stamp, middle, still) for stamp in stamps)
    wave = random_wave(rng, frames, extent) if rng.random() < 0.5 else None
    return Actor(pieces, poses, _brightness(rng, frames), wave)


def figure_actor(rng: np.random.Generator, bank: ImageBank, extent: float, poses: Trajectory) -> Actor:
    """Body, head and limbs; the limbs swing. Of one material or of several."""
    frames, side = len(poses), max(8, int(extent * 1.5))
    middle = (side / 2, side / 2)
    stamps = shapes.draw_articulated(rng, side, middle, extent / 2)
    skin = random_fill(rng, bank, side, side) if rng.random() < 0.5 else None
    pieces = []
    for stamp in stamps:
        window = (slice(stamp.top, None), slice(stamp.left, None))
        height, width = stamp.alpha.shape
        colour = surface(rng, bank, stamp) if skin is None else skin[window][:height, :width]
        swing = rng.uniform(0, 0.5) * np.sin(rng.uniform(0, 2 * np.pi) + np.arange(frames) * rng.uniform(0.2, 1.5))
        pieces.append(_piece(colour, stamp, middle, swing))
    return Actor(tuple(pieces), poses, _brightness(rng, frames))


def actor_path(rng: np.random.Generator, frames: int, size: int) -> Trajectory:
    """Poses [frames, 3, 3] on a canvas of `size`: begins anywhere; drifts, turns, grows; may leave and come back."""
    start = rng.uniform(0.08, 0.92, 2) * size
    speed = 0.0 if rng.random() < 0.12 else np.exp(rng.uniform(np.log(0.003), np.log(0.05)))
    places = start + wander(rng, frames, speed * size, 2)
    if rng.random() < 0.2:
        places = places + excursion(rng, frames, rng.uniform(0.5, 1.2) * size)
    turning = np.exp(rng.uniform(np.log(0.003), np.log(0.12)))
    angles = rng.uniform(-0.35, 0.35) + wander(rng, frames, turning)[:, 0]
    scales = np.exp(wander(rng, frames, rng.uniform(0, 0.05))[:, 0])
    aspects = np.exp(rng.normal(0, 0.1) + wander(rng, frames, rng.uniform(0, 0.04))[:, 0]) * rng.choice([-1.0, 1.0])
    values = zip(scales, angles, places, aspects, strict=True)
    return np.stack([similarity(scale, angle, x, y, aspect) for scale, angle, (x, y), aspect in values])


def crossing_path(rng: np.random.Generator, met: Trajectory, size: int) -> Trajectory:
    """Draw a straight path that passes over the object with poses `met` somewhere in the clip."""
    frames = len(met)
    meeting, angle = rng.uniform(0.2, 0.9) * (frames - 1), rng.uniform(0, 2 * np.pi)
    there = met[round(meeting)][:2, 2]
    velocity = rng.uniform(0.04, 0.14) * size * np.array([np.cos(angle), np.sin(angle)])
    turn = similarity(1, rng.uniform(-np.pi, np.pi), 0, 0)
    return np.stack([moved(turn, there + (time - meeting) * velocity) for time in range(frames)])


def look_alike(actor: Actor, poses: Trajectory) -> Actor:
    """Draw the same object a second time, on a path of its own."""
    return replace(actor, poses=poses)


def _piece(colour: FloatArray, stamp: Stamp, middle: tuple[float, float], swing: Trajectory) -> Piece:
    bare = np.dstack([np.clip(colour, 0, 255), stamp.alpha * 255]).astype(np.uint8)
    rgba = np.asarray(cv2.copyMakeBorder(bare, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REPLICATE), np.uint8)
    rgba[:MARGIN, :, 3] = rgba[-MARGIN:, :, 3] = rgba[:, :MARGIN, 3] = rgba[:, -MARGIN:, 3] = 0
    return Piece(rgba, (stamp.left - MARGIN - middle[0], stamp.top - MARGIN - middle[1]), swing)


def _brightness(rng: np.random.Generator, frames: int) -> Trajectory:
    return np.exp(wander(rng, frames, rng.uniform(0, 0.04))[:, 0])
