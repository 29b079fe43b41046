"""Simulated prompts: clicks lie where they must, boxes are about right, coarse masks are coarse."""

import numpy as np
import pytest
import torch

from masklet.masks.geometry import bounding_box
from masklet.modeling.prompt_encoder import BOX_LOWER_RIGHT, BOX_UPPER_LEFT, PADDING
from masklet.training.losses import measured_iou
from masklet.training.prompting import (
    PointPrompts,
    box_around,
    click_on,
    coarse_mask_logits,
    correcting_clicks,
    first_prompt,
    part_in_a_box,
)


@pytest.fixture
def ring() -> np.ndarray:
    """Not convex, so that the middle is no object."""
    y, x = np.mgrid[:60, :80]
    distance = np.hypot(y - 30, x - 45)
    return (distance < 25) & (distance > 15)


def test_clicks_lie_on_the_object_and_not_always_on_the_same_pixel(ring: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    places = set()
    for _ in range(50):
        points, labels = click_on(ring, rng)
        x, y = points[0]
        assert ring[int(y), int(x)]
        assert (points.shape, points.dtype, labels.tolist()) == ((2, 2), np.float32, [1, PADDING])
        assert points[1].tolist() == [PADDING, PADDING]
        places.add((x, y))
    assert 10 < len(places) < 40  # half the time the deepest point


def test_boxes_move_by_a_tenth_of_their_sides_at_most(ring: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    exact = np.array(bounding_box(ring))
    sides = np.tile(exact[2:] - exact[:2], 2)
    moves = []
    for _ in range(200):
        points, labels = box_around(ring, rng)
        assert (points.dtype, labels.tolist()) == (np.float32, [BOX_UPPER_LEFT, BOX_LOWER_RIGHT])
        outwards = (points.flatten() - exact) * [-1, -1, 1, 1]
        assert (outwards >= 0).all()
        moves.append(outwards / sides)
    assert 0.05 < np.max(moves) <= 0.1 + 1e-6
    assert 0.4 < np.mean([not move.any() for move in moves]) < 0.8  # most are exact


def test_a_box_over_a_part_asks_for_what_lies_in_it(ring: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    left, top, right, bottom = bounding_box(ring)
    shares = []
    for _ in range(100):
        part = part_in_a_box(ring, rng)
        box = bounding_box(part)
        columns, rows = slice(int(box[0]), int(box[2])), slice(int(box[1]), int(box[3]))
        assert (part[rows, columns] == ring[rows, columns]).all()
        shares.append(((box[2] - box[0]) / (right - left), (box[3] - box[1]) / (bottom - top)))
    assert np.min(shares) < 0.6
    assert (np.min(shares, axis=1) < 1).all()


def test_an_object_too_small_to_be_cut_stays_whole() -> None:
    mask = np.zeros((20, 20), bool)
    mask[5:10, 5:10] = True
    assert (part_in_a_box(mask, np.random.default_rng(0)) == mask).all()


def test_boxes_of_large_objects_move_by_20_pixels_at_most() -> None:
    rng = np.random.default_rng(0)
    mask = np.zeros((700, 900), bool)
    mask[50:650, 50:850] = True
    moves = [np.abs(box_around(mask, rng)[0].flatten() - bounding_box(mask)).max() for _ in range(100)]
    assert max(moves) == pytest.approx(20, abs=1e-3)


@pytest.mark.parametrize(("share", "boxes"), [(0.0, 0), (1.0, 60)])
def test_share_of_boxes(ring: np.ndarray, share: float, boxes: int) -> None:
    rng = np.random.default_rng(0)
    kinds = [first_prompt(ring, share, rng)[1][0] for _ in range(60)]
    assert kinds.count(BOX_UPPER_LEFT) == boxes


@pytest.mark.parametrize("seed", range(6))
def test_coarse_masks_resemble_the_object_but_are_not_it(seed: int) -> None:
    y, x = np.mgrid[:64, :64]
    disc = torch.from_numpy(np.hypot(y - 30, x - 34) < 20).float()[None, None]
    logits = coarse_mask_logits(disc, torch.Generator().manual_seed(seed))
    assert logits.shape == disc.shape
    assert set(logits.unique().tolist()) == {-10.0, 10.0}
    assert 0.5 < measured_iou(logits, disc).item() < 1


def test_correcting_clicks_lie_on_an_error_and_say_which() -> None:
    rng = np.random.default_rng(0)
    targets, logits = torch.zeros(1, 2, 20, 30), torch.full((1, 2, 20, 30), -1.0)
    targets[:, :, 5:15, 5:20] = 1
    logits[0, 0, 5:15, 5:10] = 1  # the first object is cut short, the second spills over
    logits[0, 1, 5:15, 5:29] = 1
    wrong = (logits > 0) != (targets > 0.5)
    for _ in range(30):
        points, labels = correcting_clicks(logits, targets, 4, rng)
        cells = (points / 4).long()
        for each, label in ((0, 1), (1, 0)):
            assert wrong[0, each, cells[0, each, 1], cells[0, each, 0]]
            assert labels[0, each] == label


def test_without_errors_the_click_is_padding() -> None:
    targets = torch.zeros(1, 1, 8, 8)
    targets[..., 2:5, 2:5] = 1
    for seed in range(6):
        points, labels = correcting_clicks(targets - 0.5, targets, 4, np.random.default_rng(seed))
        assert points.flatten().tolist() == [PADDING, PADDING]
        assert labels.item() == PADDING


def test_prompts_grow_by_one_point_an_object() -> None:
    prompts = PointPrompts(torch.zeros(2, 3, 1, 2), torch.ones(2, 3, 1, dtype=torch.long))
    more = prompts.followed_by(torch.full((2, 3, 2), 7.0), torch.zeros(2, 3, dtype=torch.long))
    assert more.points[1, 2].tolist() == [[0, 0], [7, 7]]
    assert more.labels[1, 2].tolist() == [1, 0]
