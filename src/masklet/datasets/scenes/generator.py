"""A number in, a training scene out: picks the kind of scene, paints it, keeps the objects worth asking for.

Some scenes are mosaics: four of half the size side by side, and with them many small objects.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from masklet.datasets.scenes import cells, compositions, contours, labelled_images, round_objects
from masklet.datasets.scenes.bank import ImageBank
from masklet.datasets.scenes.finish import finish
from masklet.datasets.scenes.layers import ByteArray, Composition, MaskArray, VisibleObject, paint, visible_objects
from masklet.errors import InvalidInputError

SceneKind = Callable[[np.random.Generator, ImageBank, int], Composition]

KINDS: dict[str, SceneKind] = {
    "labelled_image": labelled_images.labelled_image,
    "copy_paste": labelled_images.copy_paste,
    "clutter": compositions.clutter,
    "small_goods": compositions.small_goods,
    "parts_and_wholes": compositions.parts_and_wholes,
    "micrograph": cells.micrograph,
    "contours": contours.contours,
    "round_objects": round_objects.round_objects,
}

SMALLEST_SIZE = 32
FEWEST_OBJECTS, MOST_OBJECTS = 2, 24
SMALLEST_AREA = 24  # pixels
LARGEST_SHARE = 0.95  # of the image
MOST_HIDDEN = 0.9  # of an object: what is left of one that is hidden further are specks
SAME_AS_WHOLE = 0.95  # a part that covers more of its whole is no object of its own
ATTEMPTS = 20

MOSAIC = "mosaic"


@dataclass(frozen=True)
class SceneMixture:
    """Relative frequencies of the kinds of scenes; the last two have not proved themselves yet."""

    labelled_image: float = 0.35
    copy_paste: float = 0.25
    clutter: float = 0.14
    small_goods: float = 0.08
    parts_and_wholes: float = 0.08
    micrograph: float = 0.10
    contours: float = 0.0
    round_objects: float = 0.0

    def __post_init__(self) -> None:
        weights = [getattr(self, field.name) for field in fields(self)]
        if min(weights) < 0 or sum(weights) <= 0:
            raise InvalidInputError(f"scene weights must be >= 0 with a sum above 0, got {self}")


@dataclass(frozen=True)
class Scene:
    """An image uint8 [size, size, 3] RGB and the visible parts of its objects, bool [objects, size, size].

    At most 24 objects of at least 24 pixels. Procedural ones are 2 or more, disjoint but for parts: `whole_of[i]` is
    the index of the mask that contains mask i as a part, or -1. `kind` names the sort of scene.
    """

    image: ByteArray
    masks: MaskArray
    whole_of: list[int]
    kind: str


class SceneGenerator:
    """Endless scenes of one size from one bank; the same (bank, size, mixture, seed, number), the same scene."""

    def __init__(self, bank: ImageBank, size: int = 256, mixture: SceneMixture | None = None, seed: int = 0) -> None:
        if size < SMALLEST_SIZE:
            raise InvalidInputError(f"scenes must be at least {SMALLEST_SIZE} pixels wide, got {size}")
        self.bank, self.size, self.seed = bank, size, seed
        self._kinds, self._shares = _available_kinds(bank, mixture or SceneMixture())

    def scene(self, number: int) -> Scene:
        """Draw the scene of a number >= 0. RuntimeError if 20 attempts show no two objects (unusable images)."""
        rng = np.random.default_rng((number, self.seed))  # of seed 0: the same as of the number alone
        for _ in range(ATTEMPTS):
            kind = self._kinds[rng.choice(len(self._kinds), p=self._shares)]
            composition = KINDS[kind](rng, self.bank, self.size)
            masks, whole_of = _select(rng, visible_objects(composition))
            if len(masks) >= FEWEST_OBJECTS:
                return Scene(self._finished(rng, composition), np.stack(masks), whole_of, kind)
        raise RuntimeError(f"no scene with two objects in {ATTEMPTS} attempts at number {number}, kinds {self._kinds}")

    def _finished(self, rng: np.random.Generator, composition: Composition) -> ByteArray:
        reach = self.size / 256 * rng.uniform(1, 7)
        angle = rng.uniform(0, 2 * np.pi)
        offset = (round(reach * np.sin(angle)), round(reach * np.cos(angle)))
        return finish(rng, paint(composition, offset, shadow_blur=0.5 * reach + 0.5))


def _available_kinds(bank: ImageBank, mixture: SceneMixture) -> tuple[list[str], list[float]]:
    """Return the kinds with a weight whose material the bank holds, and their probabilities."""
    missing = {"labelled_image"} if not bank.labelled else set()
    if not bank.has_objects:
        missing.add("copy_paste")
    weights = {kind: getattr(mixture, kind) for kind in KINDS if kind not in missing and getattr(mixture, kind) > 0}
    if not weights:
        raise InvalidInputError(f"the bank has no labelled images, which every kind in {mixture} needs")
    total = sum(weights.values())
    return list(weights), [weight / total for weight in weights.values()]


def _select(rng: np.random.Generator, objects: list[VisibleObject]) -> tuple[list[MaskArray], list[int]]:
    """Choose at most 24 usable objects, in random order, wholes before all parts; and their `whole_of`."""
    usable = [(item, int(np.count_nonzero(item.mask))) for item in objects if item.hidden <= MOST_HIDDEN]
    usable = [(item, area) for item, area in usable if SMALLEST_AREA <= area <= LARGEST_SHARE * item.mask.size]
    whole_areas = {item.group: area for item, area in usable if item.is_whole}
    parts = {
        index
        for index, (item, area) in enumerate(usable)
        if not item.is_whole and area <= SAME_AS_WHOLE * whole_areas.get(item.group, np.inf)
    }
    kept = [item for index, (item, _) in enumerate(usable) if item.is_whole or index in parts]
    order = rng.permutation(len(kept))[:MOST_OBJECTS]
    chosen = sorted((kept[index] for index in order), key=lambda item: not item.is_whole)
    whole_index = {item.group: index for index, item in enumerate(chosen) if item.is_whole}
    whole_of = [-1 if item.is_whole else whole_index.get(item.group, -1) for item in chosen]
    return [item.mask for item in chosen], whole_of


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
    return Scene(image, np.stack(masks), whole_of, MOSAIC)
