"""Matrices [4, 4] that take column vectors: from the world to a camera, and to its picture (OpenGL's conventions)."""

import numpy as np


def looking_at(eye: np.ndarray, target: np.ndarray, up: tuple[float, float, float] = (0, 1, 0)) -> np.ndarray:
    """World to camera: the camera at `eye` sees `target` in the middle, along its negative z axis."""
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, up)
    right /= np.linalg.norm(right)
    matrix = np.eye(4)
    matrix[:3, :3] = right, np.cross(right, forward), -forward
    matrix[:3, 3] = -matrix[:3, :3] @ eye
    return matrix


def perspective(height_angle: float, aspect: float, near: float, far: float) -> np.ndarray:
    """Camera to picture; `height_angle` in radians, `aspect` is width by height."""
    scale = 1 / np.tan(height_angle / 2)
    matrix = np.zeros((4, 4))
    matrix[0, 0], matrix[1, 1] = scale / aspect, scale
    matrix[2, 2:] = (far + near) / (near - far), 2 * far * near / (near - far)
    matrix[3, 2] = -1
    return matrix


def orthographic(radius: float, depth: float) -> np.ndarray:
    """Camera to picture without perspective: a square of twice `radius`, `depth` to both sides of the camera."""
    return np.diag([1 / radius, 1 / radius, -1 / depth, 1.0])


def turned(angle: float) -> np.ndarray:
    """A turn about the y axis, in radians."""
    cosine, sine = np.cos(angle), np.sin(angle)
    matrix = np.eye(4)
    matrix[0, 0], matrix[0, 2], matrix[2, 0], matrix[2, 2] = cosine, sine, -sine, cosine
    return matrix


def direction(around: float, above: float) -> np.ndarray:
    """The unit vector at two angles: about the y axis, and above the ground."""
    return np.array([np.cos(above) * np.cos(around), np.sin(above), np.cos(above) * np.sin(around)])
