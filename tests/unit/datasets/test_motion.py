"""Paths and poses."""

import cv2
import numpy as np
import pytest

from masklet.datasets.scenes.motion import (
    Wave,
    camera_path,
    excursion,
    random_wave,
    seen_through,
    similarity,
    wander,
)


@pytest.mark.parametrize("frames", [1, 2, 8, 30])
def test_paths_begin_at_nothing(frames):
    rng = np.random.default_rng(0)
    for path in (wander(rng, frames, 3.0, 2), excursion(rng, frames, 50.0)):
        assert path.shape == (frames, 2)
        assert not path[0].any()
    assert np.allclose(camera_path(rng, frames, 64)[0], np.eye(3))


def test_wandering_is_about_as_fast_as_asked_for_and_smooth():
    rng = np.random.default_rng(0)
    paths = np.stack([wander(rng, 9, 2.0)[:, 0] for _ in range(400)])
    velocities = np.diff(paths)
    assert np.sqrt((velocities**2).mean()) == pytest.approx(2.0, rel=0.15)
    assert np.abs(np.diff(velocities)).mean() < 0.5 * np.abs(velocities).mean()


def test_excursions_reach_as_far_as_asked_for():
    rng = np.random.default_rng(0)
    farthest = [np.hypot(*excursion(rng, 8, 50.0).T).max() for _ in range(50)]
    assert max(farthest) == pytest.approx(50)
    assert min(farthest) > 25


def test_a_pose_scales_turns_and_moves():
    assert np.allclose(similarity(2, np.pi / 2, 5, 7) @ [1, 0, 1], [5, 9, 1])
    assert np.allclose(similarity(2, 0, 0, 0, aspect=0.5) @ [1, 1, 1], [2, 1, 1])


def test_a_window_shows_what_the_pose_puts_there():
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    assert np.array_equal(seen_through(image, similarity(1, 0, 4, 6), (6, 4, 20, 30)), image)
    assert np.array_equal(seen_through(image, np.eye(3), (5, 3, 8, 9)), image[5:13, 3:12])
    doubled = seen_through(image, similarity(2, 0, 0, 0), (0, 0, 40, 60), nearest=True)
    assert np.array_equal(doubled[::2, ::2], image)


def test_a_wave_of_no_height_changes_nothing_and_a_high_one_does():
    image = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8), (0, 0), 2)
    window, pose = (0, 0, 40, 40), similarity(1, 0.1, 1, 2)
    straight = seen_through(image, pose, window).astype(int)
    flat = seen_through(image, pose, window, (Wave(0.0, (1, 1), np.zeros(2)), 0)).astype(int)
    assert np.abs(straight - flat).max() <= 3  # OpenCV's two ways of rounding
    wave = random_wave(np.random.default_rng(1), 2, 100.0)
    bent = [seen_through(image, pose, window, (wave, frame)).astype(int) for frame in (0, 1)]
    assert np.abs(bent[0] - straight).mean() > 2
    assert np.abs(bent[0] - bent[1]).max() > 0
