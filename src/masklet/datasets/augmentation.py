"""Augmentation of the frames of a clip (or one image) and their masks, all alike, on the network's square.

One matrix takes the pixels of a recorded image to the square, for masks and frames, and one matrix on RGB changes the
colours of all frames; a second one varies them from frame to frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.datasets.scenes.generator import SMALLEST_AREA
from masklet.datasets.scenes.layers import ByteArray, MaskArray
from masklet.errors import InvalidInputError

PROBABILITIES = ("flip", "affine", "crop", "grey", "blur", "mosaic")
STEEPEST_SHEAR = 60.0

Matrix = NDArray[np.float64]  # [3, 3] on points (x, y, 1) in pixels; pixel (0, 0) reaches from 0 to 1
MEAN_COLOUR = (124.0, 116.0, 104.0)  # what the network knows as zero

ColourMatrix = NDArray[np.float64]  # [4, 4] on (red, green, blue, 1)
LUMINANCE = np.array([0.299, 0.587, 0.114])
MIDDLE_GREY = 127.5  # contrast leaves it; one for all images, so that frames of a clip do not differ by their content

ATTEMPTS = 4


@dataclass(frozen=True)
class ColourJitter:
    """Largest changes of `brightness`, `contrast` and `saturation`, 0..1: 0.1 is a factor between 0.9 and 1.1."""

    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0

    def __post_init__(self) -> None:
        for each in fields(self):
            if not 0 <= getattr(self, each.name) <= 1:
                raise InvalidInputError(f"{each.name}={getattr(self, each.name)} of a colour jitter; allowed is 0..1.")


@dataclass(frozen=True)
class Augmentation:
    """Probabilities 0..1 and largest changes; the defaults are those of the SAM 2 paper for videos (appendix D.2.2).

    `flip` (left and right), `affine` (a turn by up to `rotation` and a slant by up to `shear` degrees), `crop` (to a
    rectangle of `smallest_crop` to 1 of both sides), `colours`, `grey`, `blur` (Gaussian, up to `strongest_blur` pixels
    of the network's image) and `mosaic` (the clip four times, in a grid of two by two; objects of one of the four are
    prompted, which only position and motion distinguish from their copies) are drawn once a clip. `frame_colours` is
    drawn every frame.
    """

    flip: float = 0.5
    affine: float = 1.0
    rotation: float = 25.0
    shear: float = 20.0
    crop: float = 0.0
    smallest_crop: float = 0.5
    colours: ColourJitter = ColourJitter(brightness=0.1, contrast=0.03, saturation=0.03)
    grey: float = 0.05
    blur: float = 0.0
    strongest_blur: float = 1.5
    mosaic: float = 0.1
    frame_colours: ColourJitter = ColourJitter(brightness=0.1, contrast=0.05, saturation=0.05)

    def __post_init__(self) -> None:
        ranges = dict.fromkeys(PROBABILITIES, (0.0, 1.0))
        ranges |= {"rotation": (0.0, 180.0), "shear": (0.0, STEEPEST_SHEAR), "smallest_crop": (0.05, 1.0)}
        for name, (low, high) in (ranges | {"strongest_blur": (0.0, 20.0)}).items():
            if not low <= getattr(self, name) <= high:
                raise InvalidInputError(f"{name}={getattr(self, name)} of an augmentation; allowed is {low}..{high}.")

    @classmethod
    def none(cls) -> "Augmentation":
        """Return settings that change nothing."""
        still = ColourJitter()
        return cls(flip=0, affine=0, crop=0, colours=still, grey=0, blur=0, mosaic=0, frame_colours=still)

    @classmethod
    def for_images(cls) -> "Augmentation":
        """Return settings for images: the paper only flips SA-1B's 11 million; fewer need crops and colours as well."""
        colours = ColourJitter(brightness=0.2, contrast=0.2, saturation=0.2)
        return cls(affine=0, crop=0.5, colours=colours, blur=0.1, mosaic=0, frame_colours=ColourJitter())


@dataclass(frozen=True)
class AffineView:
    """A square of `side` pixels that shows a part of an image: `matrix` takes points of the image to the square's."""

    matrix: Matrix
    side: int

    def image(self, pixels: ByteArray) -> ByteArray:
        """Return the image uint8 [H, W, 3] as uint8 [side, side, 3]; the mean colour where there is nothing of it."""
        return self._seen(pixels, MEAN_COLOUR)

    def masks(self, masks: MaskArray) -> MaskArray:
        """Masks bool [N, H, W] as bool [N, side, side]; a pixel belongs to an object that covers half of it."""
        seen = [self._seen(mask.astype(np.uint8) * np.uint8(255), (0.0,)) > 127 for mask in masks]
        return np.array(seen, bool).reshape(-1, self.side, self.side)

    def _seen(self, pixels: ByteArray, fill: tuple[float, ...]) -> ByteArray:
        """Shrinks by areas first, so that nothing finer than a pixel of the square is left to flicker.

        One more pixel around the image keeps `fill` from its outermost pixels where these are enlarged.
        """
        height, width = pixels.shape[:2]
        scales = np.minimum(np.linalg.norm(self.matrix[:2, :2], axis=0), 1)
        size = max(1, round(width * float(scales[0]))), max(1, round(height * float(scales[1])))
        if size != (width, height):
            pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        matrix = self.matrix @ np.diag([width / size[0], height / size[1], 1.0])
        between_centres = translation(-0.5, -0.5) @ matrix @ translation(0.5 - 1, 0.5 - 1)
        framed = cv2.copyMakeBorder(pixels, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
        side = (self.side, self.side)
        return np.asarray(cv2.warpAffine(framed, between_centres[:2], side, borderValue=fill), np.uint8)


def whole_view(height: int, width: int, side: int) -> AffineView:
    """Return the view of all of an image, squeezed into the square as `Sam2ImageProcessorFast` does."""
    return AffineView(np.diag([side / width, side / height, 1.0]), side)


def random_view(rng: np.random.Generator, height: int, width: int, side: int, augmentation: Augmentation) -> AffineView:
    """Draw a view that is rotated and sheared about the middle, then cropped, then flipped, each by chance."""
    matrix = np.eye(3)
    if rng.random() < augmentation.affine:
        matrix = translation(width / 2, height / 2) @ _slant(rng, augmentation) @ translation(-width / 2, -height / 2)
    if rng.random() < augmentation.crop:
        share = rng.uniform(augmentation.smallest_crop, 1)
        left, top = rng.uniform(0, 1 - share, 2) * (width, height)
        matrix = np.diag([1 / share, 1 / share, 1.0]) @ translation(-left, -top) @ matrix
    matrix = whole_view(height, width, side).matrix @ matrix
    if rng.random() < augmentation.flip:
        matrix = translation(side, 0) @ np.diag([-1.0, 1.0, 1.0]) @ matrix
    return AffineView(matrix, side)


def translation(x: float, y: float) -> Matrix:
    """Return the matrix that moves points by (x, y)."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _slant(rng: np.random.Generator, augmentation: Augmentation) -> Matrix:
    angle = np.deg2rad(rng.uniform(-augmentation.rotation, augmentation.rotation))
    slant = np.tan(np.deg2rad(rng.uniform(-augmentation.shear, augmentation.shear)))
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    return np.asarray(turn @ np.array([[1, slant, 0], [0, 1, 0], [0, 0, 1]]))


@dataclass(frozen=True)
class Look:
    """`colours` on (red, green, blue, 1) in 0..255, then a Gaussian `blur` (standard deviation in pixels, 0: none)."""

    colours: ColourMatrix
    blur: float = 0.0

    def of(self, image: ByteArray) -> ByteArray:
        """Return the image uint8 [H, W, 3] with this look."""
        changed = cv2.transform(image, self.colours[:3])
        return np.asarray(cv2.GaussianBlur(changed, (0, 0), self.blur) if self.blur > 0 else changed, np.uint8)


def random_look(rng: np.random.Generator, augmentation: Augmentation) -> Look:
    """Return the look that all frames of a clip have in common."""
    colours = random_colours(rng, augmentation.colours)
    if rng.random() < augmentation.grey:
        colours = saturation(0) @ colours
    is_blurred = rng.random() < augmentation.blur
    return Look(colours, rng.uniform(0, augmentation.strongest_blur) if is_blurred else 0.0)


def random_colours(rng: np.random.Generator, jitter: ColourJitter) -> ColourMatrix:
    """Draw another brightness, contrast and saturation."""
    by = [rng.uniform(1 - most, 1 + most) for most in (jitter.brightness, jitter.contrast, jitter.saturation)]
    return saturation(by[2]) @ contrast(by[1]) @ np.diag([by[0]] * 3 + [1.0])


def contrast(factor: float) -> ColourMatrix:
    """Scale every channel's distance from the middle grey by a factor."""
    matrix = np.diag([factor] * 3 + [1.0])
    matrix[:3, 3] = (1 - factor) * MIDDLE_GREY
    return matrix


def saturation(factor: float) -> ColourMatrix:
    """Scale the distance from the grey of the same luminance by a factor; 0 leaves shades of grey."""
    matrix = np.eye(4)
    matrix[:3, :3] = factor * np.eye(3) + (1 - factor) * LUMINANCE
    return matrix


def augmented(
    rng: np.random.Generator,
    images: Sequence[ByteArray],
    masks: Sequence[MaskArray],
    side: int,
    augmentation: Augmentation,
) -> tuple[ByteArray, MaskArray]:
    """Augment all frames by one view and one look, and vary colours a little from frame to frame.

    `images` are the frames uint8 [H, W, 3] and `masks` their objects bool [N, H, W]; returned are uint8 [frames,
    side, side, 3] and bool [frames, N, side, side]. Of several random views the first is taken that shows an object on
    the first frame; where none does, the whole image.
    """
    is_mosaic = rng.random() < augmentation.mosaic
    view = _view_of_an_object(rng, masks[0], -(-side // 2) if is_mosaic else side, augmentation)
    look = random_look(rng, augmentation)
    frames = np.stack([_frame_look(rng, look, augmentation).of(view.image(image)) for image in images])
    seen = np.stack([view.masks(each) for each in masks])
    return _mosaic(rng, frames, seen, side) if is_mosaic else (frames, seen)


def _view_of_an_object(rng: np.random.Generator, masks: MaskArray, side: int, augmentation: Augmentation) -> AffineView:
    height, width = masks.shape[1:]
    for _ in range(ATTEMPTS):
        view = random_view(rng, height, width, side, augmentation)
        if any(np.count_nonzero(view.masks(mask[None])) >= SMALLEST_AREA for mask in masks):
            return view
    return whole_view(height, width, side)


def _frame_look(rng: np.random.Generator, look: Look, augmentation: Augmentation) -> Look:
    return Look(random_colours(rng, augmentation.frame_colours) @ look.colours, look.blur)


def _mosaic(rng: np.random.Generator, frames: ByteArray, masks: MaskArray, side: int) -> tuple[ByteArray, MaskArray]:
    """Repeat the clip in a grid of two by two, `side` pixels wide; the masks are those of one of the four."""
    tiled = np.tile(frames, (1, 2, 2, 1))[:, :side, :side]
    half = masks.shape[-1]
    canvas = np.zeros((*masks.shape[:2], 2 * half, 2 * half), bool)
    top, left = rng.integers(0, 2, 2) * half
    canvas[..., top : top + half, left : left + half] = masks
    return tiled, canvas[..., :side, :side]
