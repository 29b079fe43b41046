"""Scenes of which some show one object and its surroundings, enlarged: what is segmented when an image is zoomed."""

import numpy as np

from masklet.datasets.augmentation import AffineView, translation
from masklet.datasets.sampling.mixture import SceneSource
from masklet.datasets.scenes.generator import LARGEST_SHARE, SMALLEST_AREA, Scene
from masklet.masks.geometry import bounding_box
from masklet.masks.views import TRAINED_REACHES, crop_side, surroundings

CHANCE = 6  # keeps it apart from all other chance of a run


class ObjectCrops:
    """The scenes of a source, a `share` (0 to 1) of them as object crops; the same number, the same scene."""

    def __init__(self, source: SceneSource, share: float, seed: int = 0) -> None:
        self._source, self._share, self._seed = source, share, seed

    def scene(self, number: int) -> Scene:
        """Return the scene of a number; errors as the source's."""
        scene = self._source.scene(number)
        rng = np.random.default_rng((CHANCE, self._seed, number))
        return object_crop(rng, scene) if rng.random() < self._share else scene


def object_crop(rng: np.random.Generator, scene: Scene) -> Scene:
    """Crop a square around a random object and enlarge it to the scene's size; return the scene if that is no less.

    What is left of objects fulfils what `Scene` promises, but that there may be one alone.
    """
    size = len(scene.image)
    box = bounding_box(scene.masks[rng.integers(len(scene.masks))])
    assert box is not None  # objects of scenes are visible
    side = crop_side(box, rng.uniform(*TRAINED_REACHES), size, size)
    if side is None:
        return scene
    left, top, _, _ = surroundings(box, side, size, size)
    view = AffineView(np.diag([size / side, size / side, 1.0]) @ translation(-left, -top), size)
    masks = view.masks(scene.masks)
    areas = np.count_nonzero(masks, axis=(1, 2))
    kept = np.flatnonzero((areas >= SMALLEST_AREA) & (areas <= LARGEST_SHARE * size * size))
    new_index = {-1: -1} | {int(old): new for new, old in enumerate(kept)}
    whole_of = [new_index.get(scene.whole_of[index], -1) for index in kept]
    return Scene(view.image(scene.image), masks[kept], whole_of, scene.kind) if len(kept) else scene
