"""Procedural clips with exact masks: objects that move, bend, hide each other, leave and come back."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import cv2
import numpy as np

from masklet.datasets.scenes.actors import (
    Actor,
    actor_path,
    crossing_path,
    cutout_actor,
    figure_actor,
    look_alike,
    shape_actor,
    streak_kernel,
)
from masklet.datasets.scenes.backdrops import Backdrop, any_backdrop, image_backdrop
from masklet.datasets.scenes.bank import ImageBank
from masklet.datasets.scenes.finish import finish
from masklet.datasets.scenes.generator import LARGEST_SHARE, SMALLEST_AREA, SMALLEST_SIZE
from masklet.datasets.scenes.layers import ByteArray, Composition, FloatArray, MaskArray, paint, visible_objects
from masklet.datasets.scenes.motion import (
    Trajectory,
    camera_path,
    random_wave,
    wander,
)
from masklet.errors import InvalidInputError

SMALLEST_REMAINS = 12  # pixels: an object of which less is seen counts as absent
MOST_OBJECTS = 12
FADING = 0.02  # the share of clips in which next to nothing can be seen
ATTEMPTS = 20


@dataclass(frozen=True)
class ClipMixture:
    """Relative frequencies of the kinds of clips."""

    labelled_image: float = 0.4
    pasted_objects: float = 0.35
    shapes: float = 0.25

    def __post_init__(self) -> None:
        weights = [getattr(self, field.name) for field in fields(self)]
        if min(weights) < 0 or sum(weights) <= 0:
            raise InvalidInputError(f"clip weights must be >= 0 with a sum above 0, got {self}")


@dataclass(frozen=True)
class Clip:
    """A clip with 1 to 12 objects.

    Attributes:
        frames: uint8 [frames, size, size, 3] RGB.
        masks: the visible parts of the objects, bool [frames, objects, size, size]; in procedural clips disjoint in
            every frame. Each has at least 24 pixels in the first frame; later it may be hidden or gone (no pixel).
        kind: the sort of clip.
    """

    frames: ByteArray
    masks: MaskArray
    kind: str


@dataclass(frozen=True)
class Take:
    """A clip before it is filmed: a backdrop and the actors before it, back to front."""

    backdrop: Backdrop
    actors: tuple[Actor, ...]


def labelled_take(rng: np.random.Generator, bank: ImageBank, frames: int, size: int) -> Take:
    """Draw a labelled image under a moving camera, often bending, with a few objects moving over it."""
    example = bank.labelled[rng.integers(len(bank.labelled))]
    wave = random_wave(rng, frames, min(example.labels.shape) * 0.5) if rng.random() < 0.6 else None
    backdrop = image_backdrop(rng, example.image, size, zoom=(0.45, 1.0))
    asked = (*example.things, *(label for label in example.stuff if rng.random() < 0.3))
    actors = _troupe(rng, bank, frames, size, int(rng.integers(0, 4)), cutout_share=0.8)
    return Take(replace(backdrop, wave=wave, labels=example.labels, asked=asked), actors)


def pasted_take(rng: np.random.Generator, bank: ImageBank, frames: int, size: int) -> Take:
    """Real objects moving over an image."""
    return Take(any_backdrop(rng, bank, size, 0.85), _troupe(rng, bank, frames, size, int(rng.integers(2, 7)), 0.95))


def shapes_take(rng: np.random.Generator, bank: ImageBank, frames: int, size: int) -> Take:
    """Shapes and figures moving over an image or some material."""
    return Take(any_backdrop(rng, bank, size, 0.5), _troupe(rng, bank, frames, size, int(rng.integers(2, 8)), 0.1))


KINDS: dict[str, Callable[[np.random.Generator, ImageBank, int, int], Take]] = {
    "labelled_image": labelled_take,
    "pasted_objects": pasted_take,
    "shapes": shapes_take,
}


class ClipGenerator:
    """Endless clips of one size and length from one bank.

    The same (bank, size, length, mixture, seed, number) gives the same clip. `size` is the side in pixels, `length` the
    number of frames.
    """

    def __init__(
        self,
        bank: ImageBank,
        size: int = 256,
        length: int = 8,
        mixture: ClipMixture | None = None,
        seed: int = 0,
    ) -> None:
        if size < SMALLEST_SIZE or length < 1:
            raise InvalidInputError(f"clips have at least {SMALLEST_SIZE} pixels and 1 frame, got {size} and {length}")
        self.bank, self.size, self.length, self.seed = bank, size, length, seed
        mixture = mixture or ClipMixture()
        missing = {"labelled_image"} if not bank.labelled else set()
        if not bank.has_objects:
            missing.add("pasted_objects")
        weights = {kind: getattr(mixture, kind) for kind in KINDS if kind not in missing}
        if sum(weights.values()) <= 0:
            raise InvalidInputError(f"the bank has no labelled images, which every kind in {mixture} needs")
        self._kinds = list(weights)
        self._shares = np.array(list(weights.values())) / sum(weights.values())

    def clip(self, number: int) -> Clip:
        """Draw the clip of a number >= 0. RuntimeError if 20 attempts begin without any object (unusable images)."""
        rng = np.random.default_rng((number, self.seed))
        for _ in range(ATTEMPTS):
            kind = self._kinds[rng.choice(len(self._kinds), p=self._shares)]
            take = KINDS[kind](rng, self.bank, self.length, self.size)
            camera = camera_path(rng, self.length, self.size)
            scenes = [self._scene(take, frame, camera) for frame in range(self.length)]
            masks = np.stack([masks for _, masks in scenes])
            asked = _worth_asking(rng, masks[0])
            if len(asked):
                frames = self._filmed(rng, [composition for composition, _ in scenes], camera)
                masks = masks[:, asked]
                masks[np.count_nonzero(masks, axis=(2, 3)) < SMALLEST_REMAINS] = False
                return Clip(frames, masks, kind)
        raise RuntimeError(f"no clip with an object in {ATTEMPTS} attempts at number {number}, kinds {self._kinds}")

    def _scene(self, take: Take, frame: int, camera: Trajectory) -> tuple[Composition, MaskArray]:
        """One frame before it is painted, and what is seen of every object: backdrop's segments first, then actors."""
        composition = take.backdrop.view(frame, camera, self.size)
        for group, actor in enumerate(take.actors):
            composition.layers.extend(actor.layers(frame, camera, self.size, group))
        seen = visible_objects(composition)
        wholes = {each.group: each.mask for each in seen if each.is_whole}
        nothing = np.zeros((self.size, self.size), np.bool_)
        masks = [each.mask for each in seen if not each.is_whole]
        masks += [wholes.get(group, nothing) for group in range(len(take.actors))]
        return composition, np.stack(masks) if masks else nothing[None]

    def _filmed(self, rng: np.random.Generator, compositions: list[Composition], camera: Trajectory) -> ByteArray:
        """Painted and finished: one light and one look, a little brighter or darker with time, noise afresh."""
        reach, angle = self.size / 256 * rng.uniform(1, 7), rng.uniform(0, 2 * np.pi)
        offset = (round(reach * np.sin(angle)), round(reach * np.cos(angle)))
        light = np.exp(wander(rng, self.length, rng.uniform(0, 0.02))[:, 0])
        exposure = rng.uniform(0.2, 0.6) if rng.random() < 0.3 else 0.0
        look = int(rng.integers(2**31))
        frames = []
        for number, composition in enumerate(compositions):
            composition.background = _panned(composition.background, number, camera, exposure)
            image = paint(composition, offset, shadow_blur=0.5 * reach + 0.5) * np.float32(light[number])
            frames.append(finish(np.random.default_rng(look), image, grain=rng, fading=FADING))
        return np.stack(frames)


def _panned(background: FloatArray, frame: int, camera: Trajectory, exposure: float) -> FloatArray:
    """Return the background as a camera moving at this speed blurs it."""
    size, other = background.shape[0], frame - 1 if frame else min(1, len(camera) - 1)
    middle = np.array([size / 2, size / 2, 1])
    x, y = exposure * ((camera[frame] - camera[other]) @ middle)[:2]
    if np.hypot(x, y) < 1.5:
        return background
    return np.asarray(cv2.filter2D(background, -1, streak_kernel((float(x), float(y)))), np.float32)


def _troupe(
    rng: np.random.Generator, bank: ImageBank, frames: int, size: int, count: int, cutout_share: float
) -> tuple[Actor, ...]:
    """`count` actors, larger ones further back; at times a look-alike, at times one that crosses before another."""
    extents = np.sort(np.exp(rng.uniform(np.log(0.12), np.log(0.7), count)))[::-1] * size
    actors = [_actor(rng, bank, extent, actor_path(rng, frames, size), cutout_share) for extent in extents]
    if actors and rng.random() < 0.35:
        twin = actors[rng.integers(len(actors))]
        actors.insert(int(rng.integers(len(actors) + 1)), look_alike(twin, actor_path(rng, frames, size)))
    if actors and rng.random() < 0.35:
        met = actors[rng.integers(len(actors))]
        extent = size * rng.uniform(0.15, 0.5)
        actors.append(_actor(rng, bank, extent, crossing_path(rng, met.poses, size), 0.5))
    shadow = float(rng.uniform(0.2, 0.6)) if rng.random() < 0.25 else 0.0
    exposure = float(rng.uniform(0.2, 0.7)) if rng.random() < 0.4 else 0.0
    return tuple(replace(actor, shadow=shadow, exposure=exposure) for actor in actors)


def _actor(rng: np.random.Generator, bank: ImageBank, extent: float, poses: Trajectory, cutout_share: float) -> Actor:
    if bank.has_objects and rng.random() < cutout_share:
        return cutout_actor(rng, bank.any_object(rng), extent, poses)
    return (figure_actor if rng.random() < 0.3 else shape_actor)(rng, bank, extent, poses)


def _worth_asking(rng: np.random.Generator, masks: MaskArray) -> np.ndarray:
    """At most 12 objects that are neither too small nor nearly everything in the first frame, in random order."""
    areas = np.count_nonzero(masks, axis=(1, 2))
    usable = np.flatnonzero((areas >= SMALLEST_AREA) & (areas <= LARGEST_SHARE * masks[0].size))
    return rng.permutation(usable)[:MOST_OBJECTS]
