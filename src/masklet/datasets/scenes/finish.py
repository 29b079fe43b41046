"""Effects of a camera: light, tone, blur, noise, compression. None of them moves a pixel."""

import cv2
import numpy as np

from masklet.datasets.scenes.fills import smooth_noise
from masklet.datasets.scenes.layers import ByteArray, FloatArray


def finish(
    rng: np.random.Generator, image: FloatArray, grain: np.random.Generator | None = None, fading: float = 0.1
) -> ByteArray:
    """Scene colours float32 [size, size, 3] about 0..255 to an image-like uint8 [size, size, 3].

    The noise comes from `grain`, by default `rng`: frames of a clip share a look (a state of `rng`), but no noise.
    `fading` is how often next to nothing is left to see.
    """
    image = np.clip(image, 0, 255)
    if rng.random() < 0.3:
        image = _uneven_light(rng, image)
    image = _tone(rng, image)
    if rng.random() < fading:
        image = _faded(rng, image)
    if rng.random() < 0.35:
        image = _blur(rng, image)
    if rng.random() < 0.4:
        image = _noise(rng, image, grain or rng)
    finished = np.clip(image + 0.5, 0, 255).astype(np.uint8)
    return _compressed(finished, int(rng.integers(35, 96))) if rng.random() < 0.45 else finished


def _uneven_light(rng: np.random.Generator, image: FloatArray) -> FloatArray:
    height, width = image.shape[:2]
    light = 1 + rng.uniform(0.05, 0.25) * smooth_noise(rng, height, width, int(rng.integers(2, 4)))
    return np.asarray(image * np.clip(light, 0.4, 1.6), np.float32)


def _tone(rng: np.random.Generator, image: FloatArray) -> FloatArray:
    """Exposure, contrast, colour balance, gamma, saturation; some scenes grey, some with channels exchanged."""
    exposed = (image - 128) * rng.uniform(0.75, 1.25) + 128 + rng.uniform(-20, 20)
    image = np.asarray(np.clip(exposed * rng.uniform(0.92, 1.08, 3), 0, 255), np.float32)
    if rng.random() < 0.5:
        image = np.asarray(255 * (image / 255) ** rng.uniform(0.7, 1.4), np.float32)
    if rng.random() < 0.12:
        image = image[..., rng.permutation(3)]
    grey = image @ np.array([0.299, 0.587, 0.114])
    saturation = 0.0 if rng.random() < 1 / 12 else rng.uniform(0.6, 1.3)
    return np.asarray(grey[..., None] + saturation * (image - grey[..., None]), np.float32)


def _faded(rng: np.random.Generator, image: FloatArray) -> FloatArray:
    """Draw fog or darkness that hides almost everything: only the prompt shows where the object may be."""
    veil = rng.uniform(0, 255, 3).astype(np.float32)
    return np.asarray(veil + (image - image.mean((0, 1))) * rng.uniform(0.01, 0.25), np.float32)


def _blur(rng: np.random.Generator, image: FloatArray) -> FloatArray:
    """Blur: out of focus, moved, or enlarged from fewer pixels; always about the centre, so that masks still fit."""
    height, width = image.shape[:2]
    kind = rng.random()
    if kind < 0.5:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.3) * max(1.0, height / 384)), np.float32)
    if kind < 0.7:
        length = 2 * int(rng.integers(1, 4)) + 1
        kernel = np.zeros((length, length), np.float32)
        angle, middle = rng.uniform(0, np.pi), length // 2
        end = (round(middle * np.cos(angle)), round(middle * np.sin(angle)))
        cv2.line(kernel, (middle - end[0], middle - end[1]), (middle + end[0], middle + end[1]), 1.0)
        return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.float32)
    share = rng.uniform(0.5, 0.9)
    small = cv2.resize(image, (int(width * share), int(height * share)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _noise(rng: np.random.Generator, image: FloatArray, grain: np.random.Generator) -> FloatArray:
    """Sensor noise that grows with brightness, or not; in one colour or three."""
    channels = 3 if rng.random() < 0.7 else 1
    noise = grain.standard_normal((*image.shape[:2], channels), np.float32)
    deviation = rng.uniform(1, 9)
    if rng.random() < 0.5:
        return image + deviation * np.sqrt(np.maximum(image, 0) / 128).astype(np.float32) * noise
    return image + np.float32(deviation) * noise


def _compressed(image: ByteArray, quality: int) -> ByteArray:
    _, encoded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB), np.uint8)
