"""Scenes from real images: labelled crops, and real objects pasted where they never were."""

from dataclasses import replace

import cv2
import numpy as np

from masklet.datasets.scenes.bank import ImageBank
from masklet.datasets.scenes.fills import background_fill, colour_under, smooth_noise, with_mean
from masklet.datasets.scenes.layers import ByteArray, Composition, FloatArray, Layer, MaskArray
from masklet.datasets.scenes.shapes import random_turn, warp_cutout

STUFF_IN_ONE_PIECE = 0.8


def labelled_image(rng: np.random.Generator, bank: ImageBank, size: int) -> Composition:
    """Draw a random view of a labelled image; each segment is an object. Needs `bank.labelled`."""
    example = bank.labelled[rng.integers(len(bank.labelled))]
    source_2hw = random_view(rng, example.labels.shape, size)
    image = _seen(example.image, source_2hw)
    masks = []
    for label in np.unique(example.labels):
        mask = _seen(np.where(example.labels == label, np.uint8(255), np.uint8(0)), source_2hw) > 127
        if label in example.things or (label in example.stuff and _is_one_piece(mask)):
            masks.append(mask)
    composition = Composition(image, masks)
    if bank.has_objects and rng.random() < 0.3:
        composition.layers.extend(pasted_objects(rng, bank, size, int(rng.integers(1, 5))))
    return composition


def random_view(rng: np.random.Generator, shape: tuple[int, ...], size: int) -> FloatArray:
    """Return the point (x, y) of an image of `shape` (height, width) that each pixel shows: [2, size, size].

    A square of 0.4 to 1 times the shorter side, mirrored half of the time; at times stretched, turned or gently warped.
    """
    height, width = shape
    angle = rng.uniform(-0.35, 0.35) if rng.random() < 0.4 else 0.0
    stretch = np.array([1.0, rng.uniform(0.75, 1.0)])[rng.permutation(2)]
    turned = abs(np.cos(angle)) + abs(np.sin(angle))
    sides = min(height, width) * rng.uniform(0.4, 1) * stretch / turned
    grid = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    x, y = np.meshgrid(grid * sides[0] * rng.choice([-1.0, 1.0]), grid * sides[1])
    if rng.random() < 0.4:
        bend = rng.uniform(0.01, 0.04) * min(sides) * smooth_noise(rng, size, size, int(rng.integers(2, 6)), channels=2)
        x, y = x + bend[..., 0], y + bend[..., 1]
    reach = turned * sides.max() / 2
    middle = rng.uniform([reach, reach], [max(reach, width - reach), max(reach, height - reach)])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    source = turn @ np.stack([x.ravel(), y.ravel()]) + middle[:, None] - 0.5
    return np.asarray(source.reshape(2, size, size), np.float32)


def _seen(image: ByteArray, source_2hw: FloatArray) -> FloatArray:
    """Render a view of the image [height, width(, 3)], float32 [size, size(, 3)], smoothed where it shrinks."""
    step = float(np.abs(source_2hw[:, -1, -1] - source_2hw[:, 0, 0]).max()) / source_2hw.shape[1]
    smooth = cv2.GaussianBlur(image, (0, 0), 0.35 * step) if step > 1.2 else image
    return np.asarray(
        cv2.remap(smooth, source_2hw[0], source_2hw[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), np.float32
    )


def copy_paste(rng: np.random.Generator, bank: ImageBank, size: int) -> Composition:
    """Real objects pasted over another background, hiding each other. Needs `bank.has_objects`."""
    if bank.labelled and rng.random() < 0.3:
        composition = labelled_image(rng, bank, size)
    else:
        composition = Composition(background_fill(rng, bank, size))
    layers = pasted_objects(rng, bank, size, int(rng.integers(3, 13)))
    composition.layers.extend(_toned(rng, layer, composition.background) for layer in layers)
    return composition


def pasted_objects(rng: np.random.Generator, bank: ImageBank, size: int, count: int) -> list[Layer]:
    """Paste `count` real objects at random positions and sizes, larger ones further back; at times one repeated."""
    repeated = bank.any_object(rng) if rng.random() < 0.2 else None
    extents = np.sort(np.exp(rng.uniform(np.log(0.03), np.log(0.75), count)))[::-1] * size
    shadow = float(rng.uniform(0.2, 0.6)) if rng.random() < 0.5 else 0.0
    layers = []
    for extent in extents:
        cutout = repeated or bank.any_object(rng)
        scale = min(1.5, extent / max(cutout.mask.shape))
        turn = random_turn(rng, scale, max_angle=np.pi if rng.random() < 0.25 else 0.35)
        colour, stamp = warp_cutout(cutout, size, (rng.uniform(0, size), rng.uniform(0, size)), turn)
        layers.append(Layer(stamp, colour_jitter(rng, colour), shadow=shadow))
    return layers


def _toned(rng: np.random.Generator, layer: Layer, background: FloatArray) -> Layer:
    """Give an object now and then the mean colour of what it hides, so that only texture and edge show it."""
    if rng.random() > 0.2:
        return layer
    near = colour_under(background, layer.stamp) + rng.normal(0, 15, 3).astype(np.float32)
    return replace(layer, colour=with_mean(layer.colour, near, contrast=rng.uniform(0.4, 0.9)))


def colour_jitter(rng: np.random.Generator, colour: FloatArray) -> FloatArray:
    """Other brightness, contrast and colour balance."""
    gain = rng.uniform(0.7, 1.3) * rng.uniform(0.88, 1.12, 3)
    return np.asarray((colour - 128) * gain + 128 + rng.uniform(-25, 25), np.float32)


def _is_one_piece(mask: MaskArray) -> bool:
    """Regions such as "tree" may be scattered over the image: only those mostly in one piece are an object."""
    _, _, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    areas = statistics[1:, cv2.CC_STAT_AREA]
    return bool(areas.size and areas.max() > STUFF_IN_ONE_PIECE * areas.sum())
