"""Single objects with their outlines: cut out of labelled images, or images with transparent surroundings."""

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from masklet.datasets.scenes.layers import ByteArray, FloatArray
from masklet.errors import UnreadableImageError
from masklet.media.image_files import opened_image

SMALLEST_AREA = 500  # pixels
LARGEST_SHARE = 0.97  # of an image: more is an image with round corners rather than an object
LONGEST_SIDE = 192
WITH_ALPHA = ("RGBA", "LA", "PA")  # Pillow's names of kinds of pixels; palettes have it in their header


@dataclass(frozen=True)
class Cutout:
    """One object: its surroundings uint8 [height, width, 3] and its mask uint8 [height, width], 0 or 255."""

    image: ByteArray
    mask: ByteArray


def around_mask(image: ByteArray, mask: ByteArray) -> Cutout:
    """Return the part of an image [height, width, 3] with a mask [height, width] and two pixels around it."""
    left, top, width, height = cv2.boundingRect(mask)
    region = (slice(max(0, top - 2), top + height + 2), slice(max(0, left - 2), left + width + 2))
    return Cutout(image[region], mask[region])


def mostly_in_one_piece(mask: ByteArray) -> bool:
    """Return whether a mask is large enough, and 80 % of it in one piece."""
    count, _, statistics, _ = cv2.connectedComponentsWithStats(mask)
    areas = statistics[1:, cv2.CC_STAT_AREA]
    return bool(count > 1 and areas.sum() >= SMALLEST_AREA and areas.max() >= 0.8 * areas.sum())


def transparent_cutouts(path: Path) -> list[Cutout] | None:
    """Cut out the object of an image file that is transparent around it; none if in pieces; None for opaque images.

    At most 192 pixels on its longest side. Colours continue beyond its outline, so that no rim shows where it is
    pasted.
    """
    if not _can_be_transparent(path):
        return None
    rgba = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if rgba is None or rgba.ndim != 3 or rgba.shape[2] != 4 or rgba.dtype not in (np.uint8, np.uint16):
        return None
    if rgba.dtype == np.uint16:
        rgba = (rgba // 257).astype(np.uint8)
    opaque = (rgba[..., 3] > 127).astype(np.uint8) * np.uint8(255)
    if np.count_nonzero(opaque) > LARGEST_SHARE * opaque.size:
        return None
    if not mostly_in_one_piece(opaque):
        return []
    scale = min(1.0, LONGEST_SIDE / max(opaque.shape))
    size = (max(1, round(opaque.shape[1] * scale)), max(1, round(opaque.shape[0] * scale)))
    small = np.asarray(cv2.resize(rgba, size, interpolation=cv2.INTER_AREA), np.uint8)
    shape = (small[..., 3] > 127).astype(np.uint8) * np.uint8(255)
    return [around_mask(_continued(small[..., 2::-1], shape), shape)]


def _can_be_transparent(path: Path) -> bool:
    """By the file's header, so that no opaque image is decoded for nothing; False where that cannot be read."""
    try:
        with opened_image(path) as image:
            return image.mode in WITH_ALPHA or "transparency" in image.info
    except UnreadableImageError:
        return False


def recoloured(rng: np.random.Generator, cutout: Cutout, swatch: ByteArray | None = None) -> Cutout:
    """Draw a drawing in other colours, at times duller or lighter, at times with the grain of a material swatch."""
    hsv = cv2.cvtColor(np.ascontiguousarray(cutout.image), cv2.COLOR_RGB2HSV).astype(np.float32)
    if rng.random() < 0.7:
        hsv[..., 0] = (hsv[..., 0] + rng.uniform(0, 180)) % 180
    hsv[..., 1] *= rng.uniform(0.1, 1.0)
    hsv[..., 2] = 255 * (hsv[..., 2] / 255) ** rng.uniform(0.6, 2.5)
    image = np.asarray(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB), np.uint8)
    if swatch is not None and rng.random() < 0.5:
        image = _grained(rng, image, swatch)
    return replace(cutout, image=image)


def _grained(rng: np.random.Generator, image: ByteArray, swatch: ByteArray) -> ByteArray:
    height, width = image.shape[:2]
    grey = cv2.cvtColor(np.ascontiguousarray(swatch), cv2.COLOR_RGB2GRAY).astype(np.float32)
    grain = cv2.resize(grey / max(1.0, float(grey.mean())), (width, height), interpolation=cv2.INTER_LINEAR)
    strength = rng.uniform(0.3, 1.0)
    return np.clip(image * (1 + strength * (grain - 1))[..., None], 0, 255).astype(np.uint8)


def _continued(image: ByteArray, mask: ByteArray) -> ByteArray:
    """Return the image with the colours of the mask's nearest pixels beyond it."""
    weight: FloatArray = mask.astype(np.float32) * np.float32(1 / 255)
    reach = 0.05 * max(mask.shape)
    spread = cv2.GaussianBlur(image * weight[..., None], (0, 0), reach)
    near = spread / np.maximum(cv2.GaussianBlur(weight, (0, 0), reach), 1e-3)[..., None]
    return np.where(mask[..., None] > 0, image, np.clip(near, 0, 255)).astype(np.uint8)
