"""Augmentation: the same geometry for images, masks and frames; looks; mosaics."""

import dataclasses

import cv2
import numpy as np
import pytest

from masklet.datasets.augmentation import (
    AffineView,
    Augmentation,
    ColourJitter,
    Look,
    augmented,
    contrast,
    random_look,
    random_view,
    saturation,
    translation,
    whole_view,
)
from masklet.errors import InvalidInputError

SIDE = 64
NONE = Augmentation.none()


def noise(height: int = 40, width: int = 60, frames: int = 1) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (frames, height, width, 3), dtype=np.uint8)


def squares(height: int = 40, width: int = 60, frames: int = 1) -> np.ndarray:
    masks = np.zeros((frames, 2, height, width), bool)
    masks[:, 0, 4:20, 6:30] = True
    masks[:, 1, 22:38, 34:58] = True
    return masks


def only(**fields: object) -> Augmentation:
    return dataclasses.replace(NONE, **fields)


def test_without_augmentation_images_are_only_resized() -> None:
    images, masks = noise(128, 256), np.zeros((1, 1, 128, 256), bool)
    masks[..., 4:20, 8:32] = True
    frames, seen = augmented(np.random.default_rng(0), images, masks, SIDE, NONE)
    assert np.array_equal(frames[0], cv2.resize(images[0], (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    expected = np.zeros((1, 1, SIDE, SIDE), bool)
    expected[..., 2:10, 2:8] = True
    assert np.array_equal(seen, expected)


def test_enlarged_images_keep_their_colours_up_to_the_rim() -> None:
    frames, seen = augmented(
        np.random.default_rng(0), np.full((1, 40, 60, 3), 255, np.uint8), np.ones((1, 1, 40, 60), bool), SIDE, NONE
    )
    assert (frames == 255).all()
    assert seen.all()


def test_a_flip_swaps_left_and_right_exactly() -> None:
    images, masks = noise(SIDE, SIDE), squares(SIDE, SIDE)
    frames, seen = augmented(np.random.default_rng(0), images, masks, SIDE, only(flip=1))
    assert np.array_equal(frames[0], images[0][:, ::-1])
    assert np.array_equal(seen[0], masks[0][..., ::-1])


def test_a_crop_shows_a_part_enlarged() -> None:
    rng, crop = np.random.default_rng(3), only(crop=1, smallest_crop=0.5)
    for _ in range(20):
        view = random_view(rng, 40, 60, SIDE, crop)
        enlargement = view.matrix[0, 0] * 60 / SIDE
        assert enlargement == pytest.approx(view.matrix[1, 1] * 40 / SIDE)
        assert 1 <= enlargement <= 2
        corners = np.linalg.inv(view.matrix) @ np.array([[0, 0, 1], [SIDE, SIDE, 1]]).T
        assert (corners[:2] >= -1e-6).all()
        assert (corners[:2] <= np.array([[60], [40]]) + 1e-6).all()


def test_turns_and_slants_stay_in_their_ranges_and_keep_the_middle() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        view = random_view(rng, 60, 60, 60, only(affine=1, rotation=25, shear=20))
        assert view.matrix @ [30, 30, 1] == pytest.approx([30, 30, 1])
        turn = np.degrees(np.arctan2(view.matrix[1, 0], view.matrix[0, 0]))
        assert abs(turn) <= 25
        assert np.linalg.det(view.matrix) == pytest.approx(1)
    turned = random_view(rng, 60, 60, 60, only(affine=1, rotation=25, shear=0))
    assert np.linalg.norm(turned.matrix[:2, :2], axis=0) == pytest.approx([1, 1])


def test_outside_of_the_image_there_is_the_mean_colour_and_no_object() -> None:
    view = AffineView(translation(20, 0) @ whole_view(40, 60, SIDE).matrix, SIDE)
    assert (view.image(np.full((40, 60, 3), 255, np.uint8))[:, :18] == [124, 116, 104]).all()
    assert not view.masks(np.ones((1, 40, 60), bool))[0, :, :18].any()


def test_all_frames_of_a_clip_have_one_view_and_one_look() -> None:
    images, masks = np.repeat(noise(), 4, axis=0), np.repeat(squares(), 4, axis=0)
    changes = dataclasses.replace(Augmentation(), crop=0.5, blur=0.5, grey=0.5, frame_colours=ColourJitter())
    for seed in range(10):
        frames, seen = augmented(np.random.default_rng(seed), images, masks, SIDE, changes)
        assert (frames == frames[0]).all()
        assert (seen == seen[0]).all()


def test_frame_colours_differ_a_little_from_frame_to_frame_and_nothing_else_does() -> None:
    images, masks = np.full((4, 40, 60, 3), 120, np.uint8), np.repeat(squares(), 4, axis=0)
    jitter = ColourJitter(brightness=0.1)
    frames, seen = augmented(np.random.default_rng(0), images, masks, SIDE, only(frame_colours=jitter))
    levels = frames.reshape(4, -1)
    assert (levels == levels[:, :1]).all()
    assert len(set(levels[:, 0].tolist())) == 4
    assert levels.min() >= 107
    assert levels.max() <= 133
    assert (seen == seen[0]).all()


def test_looks_change_what_they_are_named_after() -> None:
    image = noise()[0]
    grey = Look(saturation(0)).of(image)
    assert (np.ptp(grey.astype(int), axis=2) <= 1).all()
    assert np.abs(grey[..., 0] - cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(int)).max() <= 1
    assert (np.abs(Look(contrast(0)).of(image).astype(int) - 127.5) <= 0.5).all()
    assert np.array_equal(Look(contrast(1) @ saturation(1)).of(image), image)
    assert Look(np.eye(4), blur=2.0).of(image).std() < 0.5 * image.std()
    assert np.array_equal(random_look(np.random.default_rng(0), NONE).of(image), image)


def test_a_mosaic_shows_the_clip_four_times_and_asks_for_one() -> None:
    images, masks = noise(SIDE, SIDE, frames=3), squares(SIDE, SIDE, frames=3)
    quadrants = set()
    for seed in range(20):
        frames, seen = augmented(np.random.default_rng(seed), images, masks, SIDE, only(mosaic=1))
        half = cv2.resize(images[1], (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA)
        assert np.array_equal(frames[1], np.tile(half, (2, 2, 1)))
        assert frames.shape == (3, SIDE, SIDE, 3)
        rows, columns = np.nonzero(seen.any((0, 1)))
        quadrants.add((rows.min() // 32, columns.min() // 32))
        assert rows.max() // 32 == rows.min() // 32
        assert columns.max() // 32 == columns.min() // 32
    assert len(quadrants) == 4
    odd, seen = augmented(np.random.default_rng(0), images, masks, 51, only(mosaic=1))
    assert odd.shape[1:3] == seen.shape[2:] == (51, 51)


def test_a_view_shows_an_object_of_the_first_frame() -> None:
    """A crop of a twentieth rarely does, the whole image does."""
    masks = np.zeros((1, 1, 40, 60), bool)
    masks[..., :4, :6] = True
    for seed in range(10):
        _, seen = augmented(np.random.default_rng(seed), noise(), masks, SIDE, only(crop=1, smallest_crop=0.05))
        assert np.count_nonzero(seen) >= 24


def test_the_same_chance_gives_the_same_clip() -> None:
    one, two, other = (
        augmented(np.random.default_rng(seed), noise(), squares(), SIDE, Augmentation()) for seed in (1, 1, 2)
    )
    assert np.array_equal(one[0], two[0])
    assert np.array_equal(one[1], two[1])
    assert not np.array_equal(one[0], other[0])


@pytest.mark.parametrize("fields", [{"flip": 1.2}, {"rotation": -1.0}, {"smallest_crop": 0.0}, {"shear": 90.0}])
def test_values_out_of_range_are_named(fields: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError, match=next(iter(fields))):
        Augmentation(**fields)
    with pytest.raises(InvalidInputError, match="contrast"):
        ColourJitter(contrast=2.0)
