"""The bundled model, as installed: small enough to ship, and it finds plain things by click and by box."""

import cv2
import numpy as np
import pytest

from masklet import ImageSegmenter, VideoTracker
from masklet.masks.overlap import intersection_over_union
from masklet.sources import BUNDLED_FOLDER

LARGEST_FILE = 20e6  # bytes: what the wheel may carry
DISCS = [((200, 60, 40), (200, 150), 60), ((40, 90, 200), (120, 180), 45), ((240, 220, 80), (260, 110), 35)]


@pytest.fixture(scope="module")
def segmenter() -> ImageSegmenter:
    return ImageSegmenter.from_pretrained()


def disc_on_green(colour: tuple[int, int, int], centre: tuple[int, int], radius: int) -> tuple[np.ndarray, np.ndarray]:
    """A noisy image of a disc, and the disc's mask."""
    image, disc = np.full((300, 400, 3), (70, 110, 80), np.uint8), np.zeros((300, 400), np.uint8)
    cv2.circle(image, centre, radius, colour, -1)
    cv2.circle(disc, centre, radius, 1, -1)
    noise = np.random.default_rng(0).integers(-12, 13, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8), disc > 0


@pytest.mark.parametrize(("colour", "centre", "radius"), DISCS)
def test_a_click_and_a_box_find_a_disc(
    segmenter: ImageSegmenter, colour: tuple[int, int, int], centre: tuple[int, int], radius: int
) -> None:
    image, disc = disc_on_green(colour, centre, radius)
    encoded = segmenter.encode(image)
    (x, y), side = centre, radius + 1
    clicked = segmenter.segment(encoded, points=[[centre]])
    boxed = segmenter.segment(encoded, boxes=[(x - radius, y - radius, x + side, y + side)])
    assert intersection_over_union(clicked.masks[0], disc) > 0.9
    assert intersection_over_union(boxed.masks[0], disc) > 0.9
    background = segmenter.segment(encoded, points=[[(10, 290)]])
    assert intersection_over_union(background.masks[0], disc) < 0.1


def test_a_small_object_is_followed_in_an_enlarged_view() -> None:
    """A disc of 10 pixels in a video of 800 x 600: a quarter of a cell of the network's grid."""
    frames, masks = np.full((5, 600, 800, 3), (70, 110, 80), np.uint8), np.zeros((5, 600, 800), np.uint8)
    for number, (frame, mask) in enumerate(zip(frames, masks, strict=True)):
        cv2.circle(frame, (300 + 6 * number, 200 + 4 * number), 5, (200, 60, 50), -1)
        cv2.circle(mask, (300 + 6 * number, 200 + 4 * number), 5, 1, -1)
    frames += np.random.default_rng(0).integers(0, 25, frames.shape, dtype=np.uint8)
    tracker, agreement = VideoTracker.from_pretrained(), {}
    for zoom in (False, True):
        video = tracker.open(frames, zoom=zoom)
        video.add(1, 0, mask=masks[0] > 0)
        tracked = dict(video.track(frames=range(1, 5)))
        agreement[zoom] = [
            intersection_over_union(found.mask(0), masks[number] > 0) for number, found in tracked.items()
        ]
    assert min(agreement[True]) > 0.75
    assert max(agreement[False]) < 0.6


def test_the_weights_are_small_enough_for_the_wheel() -> None:
    assert (BUNDLED_FOLDER / "model.safetensors").stat().st_size <= LARGEST_FILE
