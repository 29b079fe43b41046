"""Scenes of which some show four of half the size side by side, and with them many small objects."""

import numpy as np

from masklet.datasets.scenes.bank import ImageBank
from masklet.datasets.scenes.generator import MOST_OBJECTS, Scene, SceneGenerator, SceneMixture
from masklet.datasets.scenes.layers import MaskArray
from masklet.errors import InvalidInputError

KIND = "mosaic"


class MosaicScenes:
    """As `SceneGenerator`, but a `share` (0 to 1) of its scenes are mosaics; `size` is an even number."""

    def __init__(self, bank: ImageBank, size: int, mixture: SceneMixture, share: float, seed: int = 0) -> None:
        if size % 2:
            raise InvalidInputError(f"mosaics have an even number of pixels on a side, got {size}")
        self._whole = SceneGenerator(bank, size, mixture, seed)
        self._quarters = SceneGenerator(bank, size // 2, mixture)
        self._share, self._seed = share, seed

    def scene(self, number: int) -> Scene:
        """Return the scene of a number; errors as `SceneGenerator.scene`."""
        rng = np.random.default_rng((number, 4, self._seed))
        if rng.random() >= self._share:
            return self._whole.scene(number)
        return mosaic([self._quarters.scene(int(each)) for each in rng.integers(2**62, size=4)])


def mosaic(quarters: list[Scene]) -> Scene:
    """Four scenes of one size as one image of twice the size, in the order of reading; at most six objects of each.

    Of a scene those that come first are kept: wholes stand before their parts.
    """
    side = len(quarters[0].image)
    image = np.zeros((2 * side, 2 * side, 3), np.uint8)
    masks: list[MaskArray] = []
    whole_of: list[int] = []
    for number, quarter in enumerate(quarters):
        rows, columns = (slice(place * side, (place + 1) * side) for place in divmod(number, 2))
        image[rows, columns] = quarter.image
        first = len(masks)
        for mask, whole in zip(quarter.masks[: MOST_OBJECTS // 4], quarter.whole_of, strict=False):
            masks.append(np.zeros(image.shape[:2], np.bool_))
            masks[-1][rows, columns] = mask
            whole_of.append(whole if whole < 0 else first + whole)
    return Scene(image, np.stack(masks), whole_of, KIND)
