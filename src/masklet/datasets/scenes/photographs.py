"""Scenes from real photographs: labelled crops, and real objects pasted where they never were."""

import cv2
import numpy as np

from masklet.datasets.scenes.bank import Cutout, PictureBank
from masklet.datasets.scenes.fills import background_fill, resized
from masklet.datasets.scenes.layers import Composition, FloatArray, Layer, MaskArray
from masklet.datasets.scenes.shapes import warp_cutout

STUFF_IN_ONE_PIECE = 0.8


def labelled_photograph(rng: np.random.Generator, bank: PictureBank, size: int) -> Composition:
    """A random crop of a labelled photograph; each segment is an object. Needs `bank.labelled`."""
    example = bank.labelled[rng.integers(len(bank.labelled))]
    height, width = example.labels.shape
    side, stretch = min(height, width) * rng.uniform(0.4, 1), rng.uniform(0.8, 1.0)
    rows, columns = (int(side), int(side * stretch)) if rng.random() < 0.5 else (int(side * stretch), int(side))
    top, left = int(rng.integers(height - rows + 1)), int(rng.integers(width - columns + 1))
    region = (slice(top, top + rows), slice(left, left + columns))
    if rng.random() < 0.5:
        region = (region[0], slice(left + columns - 1, left - 1 if left else None, -1))
    picture, labels = np.ascontiguousarray(example.picture[region]), np.ascontiguousarray(example.labels[region])
    masks = []
    for label in np.unique(labels):
        mask = resized((labels == label).astype(np.uint8) * 255, size) > 127
        if label in example.things or (label in example.stuff and _is_one_piece(mask)):
            masks.append(mask)
    composition = Composition(resized(picture, size), masks)
    if bank.cutouts and rng.random() < 0.3:
        composition.layers.extend(pasted_objects(rng, bank, size, int(rng.integers(1, 5))))
    return composition


def copy_paste(rng: np.random.Generator, bank: PictureBank, size: int) -> Composition:
    """Real objects pasted over another background, hiding each other. Needs `bank.cutouts`."""
    if bank.labelled and rng.random() < 0.3:
        composition = labelled_photograph(rng, bank, size)
    else:
        composition = Composition(background_fill(rng, bank, size))
    composition.layers.extend(pasted_objects(rng, bank, size, int(rng.integers(3, 13))))
    return composition


def pasted_objects(rng: np.random.Generator, bank: PictureBank, size: int, count: int) -> list[Layer]:
    """`count` real objects in random places and sizes, larger ones further back; at times the same object repeated."""
    repeated = bank.cutouts[rng.integers(len(bank.cutouts))] if rng.random() < 0.2 else None
    extents = np.sort(np.exp(rng.uniform(np.log(0.08), np.log(0.75), count)))[::-1] * size
    shadow = float(rng.uniform(0.2, 0.6)) if rng.random() < 0.5 else 0.0
    layers = []
    for extent in extents:
        cutout = repeated or bank.cutouts[rng.integers(len(bank.cutouts))]
        layers.append(_pasted(rng, cutout, size, min(extent, 1.5 * max(cutout.mask.shape)), shadow))
    return layers


def _pasted(rng: np.random.Generator, cutout: Cutout, size: int, extent: float, shadow: float) -> Layer:
    centre = (rng.uniform(0.02, 0.98) * size, rng.uniform(0.02, 0.98) * size)
    max_turn = np.pi if rng.random() < 0.25 else 0.35
    colour, stamp = warp_cutout(cutout, rng, size, centre, extent, max_turn)
    return Layer(stamp, colour_jitter(rng, colour), shadow=shadow)


def colour_jitter(rng: np.random.Generator, colour: FloatArray) -> FloatArray:
    """Other brightness, contrast and colour balance."""
    gain = rng.uniform(0.7, 1.3) * rng.uniform(0.88, 1.12, 3)
    return ((colour - 128) * gain + 128 + rng.uniform(-25, 25)).astype(np.float32)


def _is_one_piece(mask: MaskArray) -> bool:
    """Regions such as "tree" may be scattered over the picture: only those mostly in one piece are an object."""
    _, _, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    areas = statistics[1:, cv2.CC_STAT_AREA]
    return bool(areas.size and areas.max() > STUFF_IN_ONE_PIECE * areas.sum())
