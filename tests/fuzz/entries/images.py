"""Image files as images, as masks and as label maps."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
from tests.fuzz import materials
from tests.fuzz.attempt import Entry
from tests.fuzz.spoiling import spoil_bytes

from masklet.media.label_maps import write_label_map
from masklet.media.mask_images import read_label_map, read_mask_image


def _label_map(path: Path) -> Path:
    write_label_map(path, materials.mask().astype(np.uint8) * 3)
    return path


DEEP = materials.pixels()[..., 0].astype(np.uint16) * 257
# As they are written: what each holds, and options of Pillow.
FILES: dict[str, Callable[[Path], Path]] = {
    "a.png": materials.write_image,
    "a.jpg": materials.write_image,
    "a.webp": lambda path: materials.write_image(path, lossless=True),
    "a.gif": materials.write_image,
    "a.bmp": materials.write_image,
    "a.ppm": materials.write_image,
    "a.tga": materials.write_image,
    "a.jp2": materials.write_image,
    "a.ico": materials.write_image,
    "a.tif": materials.write_image,
    "lzw.tif": lambda path: materials.write_image(path, compression="tiff_lzw"),
    "jpeg.tif": lambda path: materials.write_image(path, compression="jpeg"),
    "deep.tif": lambda path: materials.write_image(path, DEEP),
    "float.tif": lambda path: materials.write_image(path, DEEP.astype(np.float32)),
    "deep.png": lambda path: materials.write_image(path, DEEP),
    "grey.png": lambda path: materials.write_image(path, materials.pixels()[..., 0]),
    "alpha.png": lambda path: materials.write_image(path, np.dstack([materials.pixels()] * 2)[..., :4]),
}
MASKS: dict[str, Callable[[Path], Path]] = {
    "mask.png": lambda path: materials.write_image(path, materials.mask().astype(np.uint8) * 255),
    "mask.jpg": lambda path: materials.write_image(path, materials.mask().astype(np.uint8) * 255),
    "mask.tif": lambda path: materials.write_image(path, materials.mask().astype(np.uint8)),
    "labels.png": _label_map,
}


def _all(kinds: dict[str, Callable[[Path], Path]]) -> Callable[[Path], list[Path]]:
    return lambda folder: [write(folder / name) for name, write in kinds.items()]


def _spoil(rng: Random, paths: list[Path]) -> tuple[str, list[Path]]:
    """Keep one of the files and spoil it, once or twice."""
    path = rng.choice(paths)
    names = [spoil_bytes(rng, path) for _ in range(rng.choice((1, 1, 2)))]
    return ", ".join(names), [path]


def _use_images(paths: list[Path]) -> None:
    for path in paths:
        materials.segmenter().encode(path)


def _use_masks(paths: list[Path]) -> None:
    for path in paths:
        read_mask_image(path)


def _use_label_maps(paths: list[Path]) -> None:
    for path in paths:
        read_label_map(path)


ENTRIES = {
    "image-file": Entry(_all(FILES), _spoil, _use_images),
    "mask-file": Entry(_all(MASKS), _spoil, _use_masks),
    "label-map": Entry(_all({name: MASKS[name] for name in ("mask.png", "labels.png")}), _spoil, _use_label_maps),
}
