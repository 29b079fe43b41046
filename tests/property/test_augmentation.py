"""Images and masks keep together under every augmentation."""

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from masklet.datasets.augmentation import Augmentation, augmented, random_view


@given(
    seed=st.integers(0, 2**32),
    height=st.integers(20, 90),
    width=st.integers(20, 90),
    side=st.integers(33, 80),
    crop=st.sampled_from([0.0, 1.0]),
)
@settings(max_examples=60, deadline=None)
def test_a_image_of_the_mask_shows_the_mask(seed: int, height: int, width: int, side: int, crop: float) -> None:
    rng = np.random.default_rng(seed)
    mask = np.zeros((height, width), bool)
    top, left = rng.integers(0, height // 2), rng.integers(0, width // 2)
    mask[top : top + height // 2, left : left + width // 2] = True
    view = random_view(rng, height, width, side, Augmentation(crop=crop))
    image = view.image(np.repeat(mask[..., None], 3, axis=2).astype(np.uint8) * 255)
    # Beyond the image, and at its rim a little, there is the mean colour.
    inside = (view.image(np.full((height, width, 3), 255, np.uint8)) == 255).all(-1)
    seen = view.masks(mask[None])[0]
    assert (seen == (image[..., 2] > 127))[inside].all()


@given(seed=st.integers(0, 2**32), frames=st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_a_bright_object_stays_where_its_mask_is(seed: int, frames: int) -> None:
    """Also in mosaics, blurred, coloured: within the quadrant that is asked for nothing else is as bright."""
    masks = np.zeros((frames, 1, 60, 80), bool)
    for frame in range(frames):
        masks[frame, 0, 10 : 20 + 5 * frame, 20:60] = True
    images = [np.repeat(mask[0][..., None], 3, axis=2).astype(np.uint8) * 255 for mask in masks]
    seen_images, seen = augmented(
        np.random.default_rng(seed), images, list(masks), 64, Augmentation(mosaic=0.5, blur=0.5, crop=0.5)
    )
    for image, mask in zip(seen_images, seen[:, 0], strict=True):
        # Blur darkens what is near the edge, and a sliver is nothing else.
        within = cv2.erode(mask.astype(np.uint8), np.ones((7, 7), np.uint8), borderValue=0).astype(bool)
        assert not within.any() or image[within].mean() > 170
