"""Fills of surfaces: swatches, pieces of images, gradients, patterns, noise; and simple shading."""

import cv2
import numpy as np

from masklet.datasets.scenes.bank import ImageBank
from masklet.datasets.scenes.layers import ByteArray, FloatArray, Stamp

Colour = FloatArray  # [3], 0..255
ImageArray = ByteArray | FloatArray  # [height, width, 3], 0..255


def random_colour(rng: np.random.Generator) -> Colour:
    """Half of the time a dull colour (little saturation), else any."""
    colour = rng.uniform(10, 245, 3)
    if rng.random() < 0.5:
        colour = colour.mean() + 0.25 * (colour - colour.mean())
    return np.asarray(colour, np.float32)


def smooth_noise(rng: np.random.Generator, height: int, width: int, cells: int, channels: int = 1) -> FloatArray:
    """Random values with mean 0 and deviation about 1 on a coarse grid, interpolated: [height, width, channels]."""
    grid = rng.standard_normal((max(2, cells), max(2, cells), channels)).astype(np.float32)
    noise = np.asarray(cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
    return noise.reshape(height, width, channels)


def piece_of(rng: np.random.Generator, image: ImageArray, height: int, width: int, zoom: float) -> FloatArray:
    """Draw a rotated piece of an image, mirrored at its borders, float32 [height, width, 3]; `zoom` 2 enlarges."""
    angle = rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / zoom
    source = rng.uniform(0.2, 0.8, 2) * [image.shape[1], image.shape[0]]
    matrix = np.column_stack([turn, source - turn @ [width / 2, height / 2]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT).astype(np.float32)


def swatch_fill(rng: np.random.Generator, bank: ImageBank, height: int, width: int) -> FloatArray:
    """Draw a material swatch, or an image where the bank has none; float32 [height, width, 3]."""
    if not bank.swatches:
        return image_fill(rng, bank, height, width)
    swatch = bank.swatches[rng.integers(len(bank.swatches))]
    return piece_of(rng, swatch, height, width, zoom=rng.uniform(0.5, 2.5))


def image_fill(rng: np.random.Generator, bank: ImageBank, height: int, width: int) -> FloatArray:
    """Draw a piece of an image, or a flat fill where the bank has none; float32 [height, width, 3]."""
    if not bank.images:
        return flat_fill(rng, bank, height, width)
    image = bank.images[rng.integers(len(bank.images))]
    return piece_of(rng, image, height, width, zoom=rng.uniform(0.4, 1.5))


def flat_fill(rng: np.random.Generator, bank: ImageBank, height: int, width: int) -> FloatArray:
    """One colour with some blotches; float32 [height, width, 3]."""
    del bank
    blotches = rng.uniform(0, 14) * smooth_noise(rng, height, width, int(rng.integers(3, 24)))
    return random_colour(rng) + blotches


def gradient_fill(rng: np.random.Generator, bank: ImageBank, height: int, width: int) -> FloatArray:
    """Draw a linear blend of two colours; float32 [height, width, 3]."""
    del bank
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    share = 0.5 + 0.5 * ((x / width - 0.5) * np.cos(angle) + (y / height - 0.5) * np.sin(angle)) / 0.7
    first, second = random_colour(rng), random_colour(rng)
    return np.asarray(first + (second - first) * share[..., None], np.float32)


def pattern_fill(rng: np.random.Generator, bank: ImageBank, height: int, width: int) -> FloatArray:
    """Stripes or checks: strong edges that are no object borders; float32 [height, width, 3]."""
    del bank
    angle, period = rng.uniform(0, 2 * np.pi), rng.uniform(4, 40)
    y, x = np.mgrid[:height, :width].astype(np.float32) * np.float32(2 * np.pi / period)
    wave = np.sin(x * np.cos(angle) + y * np.sin(angle))
    if rng.random() < 0.5:
        wave = wave * np.sin(y * np.cos(angle) - x * np.sin(angle))
    share = np.clip(0.5 + rng.uniform(0.5, 4) * wave, 0, 1)[..., None]
    first, second = random_colour(rng), random_colour(rng)
    return np.asarray(first + rng.uniform(0.2, 1) * (second - first) * share, np.float32)


FILLS = (swatch_fill, image_fill, flat_fill, gradient_fill, pattern_fill)
FILL_WEIGHTS = (0.42, 0.2, 0.2, 0.1, 0.08)


def random_fill(rng: np.random.Generator, bank: ImageBank, height: int, width: int) -> FloatArray:
    """Any of the fills, sometimes recoloured; float32 [height, width, 3], about 0..255."""
    fill = FILLS[rng.choice(len(FILLS), p=FILL_WEIGHTS)](rng, bank, height, width)
    if rng.random() < 0.25:
        fill = with_mean(fill, random_colour(rng))
    return fill


def background_fill(rng: np.random.Generator, bank: ImageBank, size: int) -> FloatArray:
    """Draw a background, float32 [size, size, 3]: upright images more often than for objects."""
    if bank.images and rng.random() < 0.45:
        return image_view(rng, bank, size)
    return random_fill(rng, bank, size, size)


def quiet_background(rng: np.random.Generator, bank: ImageBank, size: int) -> FloatArray:
    """As `background_fill`, half of the time of little contrast or out of focus; float32 [size, size, 3]."""
    background = background_fill(rng, bank, size)
    if rng.random() < 0.3:
        mean = np.asarray(background.mean(axis=(0, 1)), np.float32)
        background = with_mean(background, mean, contrast=rng.uniform(0.1, 0.6))
    if rng.random() < 0.35:
        blur = size / 256 * np.exp(rng.uniform(np.log(1), np.log(12)))
        background = np.asarray(cv2.GaussianBlur(background, (0, 0), blur), np.float32)
    return background


def image_view(rng: np.random.Generator, bank: ImageBank, size: int) -> FloatArray:
    """Draw an upright square crop of an image, float32 [size, size, 3]."""
    image = bank.images[rng.integers(len(bank.images))]
    side = max(8, int(min(image.shape[:2]) * rng.uniform(0.4, 1)))
    top = int(rng.integers(image.shape[0] - side + 1))
    left = int(rng.integers(image.shape[1] - side + 1))
    crop = image[top : top + side, left : left + side]
    view = resized(crop, size)
    return view[:, ::-1].copy() if rng.random() < 0.5 else view


def resized(crop: ImageArray, size: int) -> FloatArray:
    """Draw a crop [height, width(, 3)] brought to float32 [size, size(, 3)] without aliasing."""
    interpolation = cv2.INTER_AREA if min(crop.shape[:2]) > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (size, size), interpolation=interpolation), np.float32)


def with_mean(fill: FloatArray, colour: Colour, contrast: float = 1.0) -> FloatArray:
    """Return the fill's texture about another mean colour."""
    mean = fill.mean(axis=(0, 1))
    return np.asarray(colour + contrast * (fill - mean), np.float32)


def colour_under(background: FloatArray, stamp: Stamp) -> Colour:
    """Mean colour of the background [size, size, 3] below a stamp's box."""
    return np.asarray(piece_under(background, stamp).mean(axis=(0, 1)), np.float32)


def piece_under(background: FloatArray, stamp: Stamp) -> FloatArray:
    """Return the background [size, size, 3] below a stamp, which lies within it as those of `shapes.draw` do."""
    height, width = stamp.alpha.shape
    return background[stamp.top : stamp.top + height, stamp.left : stamp.left + width]


def shaded(rng: np.random.Generator, fill: FloatArray, stamp: Stamp) -> FloatArray:
    """Light the fill from one side as if the stamp bulged: height is the distance to its edge, up to a random depth."""
    depth = rng.uniform(0.1, 0.6) * min(stamp.alpha.shape) + 1
    inside = np.pad(stamp.alpha > 0.5, 1).astype(np.uint8)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 3)[1:-1, 1:-1]
    bulge = cv2.GaussianBlur(np.sqrt(np.minimum(distance / depth, 1)), (0, 0), 0.15 * depth + 0.5) * depth
    slope_y, slope_x = np.gradient(bulge) if min(bulge.shape) > 1 else (bulge, bulge)
    angle = rng.uniform(0, 2 * np.pi)
    light = np.clip(slope_x * np.cos(angle) + slope_y * np.sin(angle), -1, 1)[..., None]
    shine = rng.uniform(0, 60) * np.maximum(light, 0) ** 3
    return np.asarray(fill * (1 + rng.uniform(0.1, 0.5) * light) + shine, np.float32)
