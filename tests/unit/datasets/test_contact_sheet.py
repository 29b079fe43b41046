"""The contact sheet of the procedural world."""

import dataclasses

import numpy as np
from tests.support.scenes import tiny_bank

from masklet.datasets.scenes import ClipMixture, SceneGenerator, SceneMixture
from masklet.datasets.scenes.contact_sheet import CLIPS_OF_A_KIND, GAP, TILES, contact_sheet

TILE = 48
PITCH = TILE + GAP


def tile_of(sheet: np.ndarray, row: int, column: int) -> np.ndarray:
    """Without the left upper part, where the kind is written."""
    return sheet[row * PITCH :, column * PITCH :][20:TILE, :TILE]


def test_every_kind_has_its_row_and_masks_stand_beside_plain_scenes() -> None:
    bank = tiny_bank()
    sheet = np.asarray(contact_sheet(bank, TILE, seed=3))
    kinds = [field.name for field in dataclasses.fields(SceneMixture)]
    rows = len(kinds) + 2 * CLIPS_OF_A_KIND * len(dataclasses.fields(ClipMixture))
    assert sheet.shape == (rows * PITCH - GAP, TILES * PITCH - GAP, 3)
    for row, kind in enumerate(kinds):
        only = SceneMixture(**{name: float(name == kind) for name in kinds})
        for column in range(TILES // 2):
            scene = SceneGenerator(bank, TILE, only).scene(3 + column)
            assert np.array_equal(tile_of(sheet, row, 2 * column), scene.image[20:])
            changed = (tile_of(sheet, row, 2 * column + 1) != scene.image[20:]).any(-1)
            objects = scene.masks.any(0)[20:]
            assert changed[objects].sum() >= 0.9 * objects.sum()


def test_kinds_without_material_are_left_out() -> None:
    sheet = contact_sheet(tiny_bank(labelled=False), TILE)
    assert sheet.height == (6 + 2 * CLIPS_OF_A_KIND) * PITCH - GAP
