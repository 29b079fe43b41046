"""Stamps as bodies with a surface: how deep a pixel lies inside the outline, where it faces, what light does to it."""

from dataclasses import dataclass

import cv2
import numpy as np

from masklet.datasets.scenes.layers import ByteArray, FloatArray, Stamp

RIDGE = 0.4  # slopes below are those of ridges, where the distance turns around


@dataclass(frozen=True)
class Relief:
    """The surface of a stamp that bulges towards the viewer, all float32 [height, width].

    Attributes:
        distance: pixels to the outline, 0 outside; the canvas's edges are no outline.
        radius: the distance, in pixels, from which on the surface is flat.
        facing: the normal's part towards the viewer, 0 at the rim to 1 where the surface is flat.
        right: the normal's part along x, -1..1.
        down: the normal's part along y, -1..1.
    """

    distance: FloatArray
    radius: float
    facing: FloatArray
    right: FloatArray
    down: FloatArray

    @classmethod
    def of(cls, stamp: Stamp, roundness: float) -> "Relief":
        """Make the surface of a stamp: a flat lid with a narrow bevel for `roundness` near 0, a ball or loaf for 1."""
        inside = np.pad(stamp.alpha > 0.5, 1, mode="edge").astype(np.uint8)
        if inside.all():  # no outline on the canvas at all
            inside[:] = 0
            inside[1:-1, 1:-1] = 1
        distance, outside = (_distance(each)[1:-1, 1:-1] for each in (inside, 1 - inside))
        radius = max(1.0, roundness * float(distance.max()))
        blurred = cv2.GaussianBlur(
            distance - outside, (0, 0), 0.12 * radius + 0.5
        )  # ridges of the distance are no edges
        smooth = np.asarray(blurred, np.float32)
        tilt = np.clip(1 - smooth / radius, 0, 1)
        slope_y, slope_x = _uphill(smooth)
        return cls(distance, radius, np.sqrt(1 - tilt * tilt), -tilt * slope_x, -tilt * slope_y)

    def near_outline(self, width: float) -> FloatArray:
        """1 at the outline, falling off towards the inside over about `width` pixels: float32 [height, width, 1]."""
        return np.asarray(np.exp(-np.maximum(self.distance - 0.5, 0) / max(width, 0.3)), np.float32)[..., None]

    def lit(self, angle: float, height: float) -> FloatArray:
        """Return the light from a direction on the canvas and an elevation (radians): -1..1, [height, width, 1]."""
        sideways = self.right * np.float32(np.cos(angle)) + self.down * np.float32(np.sin(angle))
        light = np.float32(np.cos(height)) * sideways + np.float32(np.sin(height)) * self.facing
        return np.asarray(light, np.float32)[..., None]

    def shine(self, angle: float, height: float, sharpness: float) -> FloatArray:
        """Return the highlight of a light (Blinn and Phong), seen from straight above: 0..1, [height, width, 1]."""
        halfway = np.array([np.cos(height) * np.cos(angle), np.cos(height) * np.sin(angle), np.sin(height) + 1])
        x, y, z = (halfway / np.linalg.norm(halfway)).astype(np.float32)
        towards = np.clip(x * self.right + y * self.down + z * self.facing, 0, 1)
        return np.asarray(towards**sharpness, np.float32)[..., None]

    def refracted(self, canvas: FloatArray, stamp: Stamp, strength: float) -> FloatArray:
        """Render a canvas [size, size, 3] seen through the body: float32 [height, width, 3].

        Args:
            canvas: what lies behind it.
            stamp: the one that the relief was made of.
            strength: by how many radii the rim shifts what is behind; above 0 it is drawn together, below 0 enlarged.
        """
        rows, columns = np.indices(stamp.alpha.shape, np.float32)
        shift = np.float32(strength * self.radius)
        x, y = columns + stamp.left + shift * self.right, rows + stamp.top + shift * self.down
        return np.asarray(cv2.remap(canvas, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101), np.float32)


def _distance(inside: ByteArray) -> FloatArray:
    """Return the distance of each inner pixel from the outside, in pixels."""
    return np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, 5), np.float32)


def _uphill(heights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the direction of the steepest rise along y and x: of length 1, but shorter on ridges."""
    if min(heights.shape) < 2:
        return np.zeros_like(heights), np.zeros_like(heights)
    slope_y, slope_x = np.gradient(heights)
    steepness = np.maximum(np.hypot(slope_x, slope_y), RIDGE)
    return slope_y / steepness, slope_x / steepness
