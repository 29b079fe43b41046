"""Layers painted back to front, and the visible part of each object."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
ByteArray = NDArray[np.uint8]
MaskArray = NDArray[np.bool_]

NO_GROUP = -1


@dataclass(frozen=True)
class Stamp:
    """A soft shape: `alpha` float32 [height, width] in 0..1; its upper left pixel lies at (top, left) of the canvas."""

    top: int
    left: int
    alpha: FloatArray


@dataclass(frozen=True)
class Layer:
    """A coloured stamp. `colour` is float32 [height, width, 3] in 0..255.

    Layers of one `group` (>= 0) are the parts of one whole. A layer that `is_object` false hides what lies behind it
    and belongs to its group's whole, but is no object of its own. `shadow` in 0..1 is the strength of its drop shadow.
    """

    stamp: Stamp
    colour: FloatArray
    group: int = NO_GROUP
    is_object: bool = True
    shadow: float = 0.0


@dataclass
class Composition:
    """A scene before it is painted.

    Attributes:
        background: float32 [size, size, 3].
        background_masks: objects that are already in it, bool [size, size] each.
        layers: over it, back to front.
    """

    background: FloatArray
    background_masks: list[MaskArray] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)


@dataclass(frozen=True)
class VisibleObject:
    """The visible part of one object, bool [size, size], and the group it is a part of or the whole of.

    `hidden` in 0..1 is the share of it that lies on the canvas but behind other layers.
    """

    mask: MaskArray
    hidden: float = 0.0
    group: int = NO_GROUP
    is_whole: bool = False


def paint(composition: Composition, shadow_offset: tuple[int, int], shadow_blur: float) -> FloatArray:
    """Paint the layers over the background, back to front; float32 [size, size, 3].

    `shadow_offset` (rows, columns) and `shadow_blur` (standard deviation in pixels) are the light's, the same for all.
    """
    canvas = composition.background.copy()
    for layer in composition.layers:
        if layer.shadow > 0:
            _darken(canvas, cast_shadow(layer.stamp, shadow_offset, shadow_blur), layer.shadow)
        paint_over(canvas, layer)
    return canvas


def paint_over(canvas: FloatArray, layer: Layer) -> None:
    """Paint a layer, without its shadow, over a canvas [size, size, 3], which is changed."""
    rows, columns, alpha, inside = _overlap(canvas.shape[0], layer.stamp)
    target = canvas[rows, columns]
    target += alpha[..., None] * (layer.colour[inside] - target)


def cast_shadow(stamp: Stamp, offset: tuple[int, int], blur: float) -> Stamp:
    """Return the stamp moved by `offset` and blurred."""
    margin = int(3 * blur) + 1
    wider = cv2.copyMakeBorder(stamp.alpha, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0.0)
    blurred = np.asarray(cv2.GaussianBlur(wider, (0, 0), blur), np.float32)
    return Stamp(stamp.top + offset[0] - margin, stamp.left + offset[1] - margin, blurred)


def visible_objects(composition: Composition) -> list[VisibleObject]:
    """Find the visible part of each object, back to front; parts first, then their wholes.

    A pixel belongs to a layer whose alpha there is above one half. Nothing is filtered: masks may be empty.
    """
    size = composition.background.shape[0]
    covered = np.zeros((size, size), np.bool_)
    objects: list[VisibleObject] = []
    wholes: dict[int, MaskArray] = {}
    for layer in reversed(composition.layers):
        rows, columns, alpha, _ = _overlap(size, layer.stamp)
        drawn = alpha > 0.5
        mask = np.zeros_like(covered)
        mask[rows, columns] = drawn & ~covered[rows, columns]
        covered |= mask
        if layer.is_object:
            objects.append(VisibleObject(mask, _hidden_share(mask, drawn), layer.group))
        if layer.group != NO_GROUP:
            wholes[layer.group] = wholes.get(layer.group, np.False_) | mask
    for behind in reversed(composition.background_masks):
        mask = behind & ~covered
        objects.append(VisibleObject(mask, _hidden_share(mask, behind)))
    return objects[::-1] + [VisibleObject(mask, group=group, is_whole=True) for group, mask in wholes.items()]


def _hidden_share(visible: MaskArray, drawn: MaskArray) -> float:
    return 1 - int(np.count_nonzero(visible)) / max(1, int(np.count_nonzero(drawn)))


def _darken(canvas: FloatArray, shadow: Stamp, strength: float) -> None:
    rows, columns, alpha, _ = _overlap(canvas.shape[0], shadow)
    canvas[rows, columns] *= (1 - strength * alpha)[..., None]


def _overlap(size: int, stamp: Stamp) -> tuple[slice, slice, FloatArray, tuple[slice, slice]]:
    """Canvas rows and columns under the stamp, the stamp's alpha there, and that region within the stamp."""
    height, width = stamp.alpha.shape
    top, left = np.clip((stamp.top, stamp.left), 0, size)
    bottom, right = np.clip((stamp.top + height, stamp.left + width), 0, size)
    inside = (slice(top - stamp.top, bottom - stamp.top), slice(left - stamp.left, right - stamp.left))
    return slice(top, bottom), slice(left, right), stamp.alpha[inside], inside
