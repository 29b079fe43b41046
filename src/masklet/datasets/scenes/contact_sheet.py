"""The procedural world at a glance: scenes and clips of every kind that a bank of images has the material for."""

from collections.abc import Iterator
from dataclasses import fields
from typing import TypeVar

import numpy as np
from PIL import Image, ImageDraw

from masklet.datasets.scenes.bank import ImageBank
from masklet.datasets.scenes.clips import ClipGenerator, ClipMixture
from masklet.datasets.scenes.generator import SceneGenerator, SceneMixture
from masklet.datasets.scenes.layers import ByteArray, MaskArray
from masklet.errors import InvalidInputError
from masklet.masks.segmentation import Segmentation
from masklet.media.overlays import draw_overlay

Mixture = TypeVar("Mixture", SceneMixture, ClipMixture)

TILES = 8  # in a row: four scenes without and with their masks, or the frames of a clip
GAP = 4
CLIPS_OF_A_KIND = 2


def contact_sheet(bank: ImageBank, tile: int = 140, seed: int = 0) -> Image.Image:
    """Draw a row of four scenes for each kind, every one plain and with its masks, and two clips of each kind.

    Clips have a plain row and one with their masks. `tile` is the side of a scene in pixels; scenes and clips have the
    numbers from `seed` on. Kinds for which the bank has no material (without labelled images: those with real objects)
    are left out.
    """
    rows = [*_scene_rows(bank, tile, seed), *_clip_rows(bank, tile, seed)]
    pitch = tile + GAP
    sheet = Image.new("RGB", (TILES * pitch - GAP, len(rows) * pitch - GAP), "white")
    for row, (kind, tiles) in enumerate(rows):
        for column, image in enumerate(tiles):
            sheet.paste(image, (column * pitch, row * pitch))
        ImageDraw.Draw(sheet).text(
            (4, row * pitch + 2), kind.replace("_", " "), fill="white", stroke_width=2, stroke_fill="black"
        )
    return sheet


def _scene_rows(bank: ImageBank, size: int, seed: int) -> Iterator[tuple[str, list[Image.Image]]]:
    for kind, mixture in _each_kind_alone(SceneMixture):
        try:
            generator = SceneGenerator(bank, size, mixture)
        except InvalidInputError:  # no material
            continue
        scenes = [generator.scene(number) for number in range(seed, seed + TILES // 2)]
        pairs = ((Image.fromarray(scene.image), _drawn(scene.image, scene.masks)) for scene in scenes)
        yield kind, [image for pair in pairs for image in pair]


def _clip_rows(bank: ImageBank, size: int, seed: int) -> Iterator[tuple[str, list[Image.Image]]]:
    for kind, mixture in _each_kind_alone(ClipMixture):
        try:
            generator = ClipGenerator(bank, size, TILES, mixture)
        except InvalidInputError:  # no material
            continue
        for clip in (generator.clip(number) for number in range(seed, seed + CLIPS_OF_A_KIND)):
            yield f"clip: {kind}", [Image.fromarray(frame) for frame in clip.frames]
            yield f"clip: {kind}", [_drawn(*each) for each in zip(clip.frames, clip.masks, strict=True)]


def _each_kind_alone(mixture: type[Mixture]) -> Iterator[tuple[str, Mixture]]:
    names = [field.name for field in fields(mixture)]
    return ((kind, mixture(**{name: float(name == kind) for name in names})) for kind in names)


def _drawn(image: ByteArray, masks: MaskArray) -> Image.Image:
    ids = tuple(range(1, len(masks) + 1))
    return draw_overlay(np.ascontiguousarray(image), Segmentation(masks, np.ones(len(masks), np.float32), ids))
