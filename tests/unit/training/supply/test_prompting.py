"""Simulated prompts: clicks lie where they must, boxes are about right, coarse masks are coarse."""

import numpy as np
import pytest
import torch

from masklet.masks.geometry import bounding_box
from masklet.prompts.point_labels import BOX_LOWER_RIGHT, BOX_UPPER_LEFT, PADDING, POSITIVE
from masklet.prompts.simulated_annotator import SimulatedAnnotator
from masklet.training.procedure.losses import measured_iou
from masklet.training.supply.prompting import (
    PointPrompts,
    PromptKind,
    box_around,
    click_on,
    coarse_mask_logits,
    correcting_clicks,
    first_prompt,
    first_prompts,
    part_in_a_box,
)


@pytest.fixture
def ring() -> np.ndarray:
    """Not convex, so that the middle is no object."""
    y, x = np.mgrid[:60, :80]
    distance = np.hypot(y - 30, x - 45)
    return (distance < 25) & (distance > 15)


def annotator(**shares: float) -> SimulatedAnnotator:
    return SimulatedAnnotator(np.random.default_rng(0), **shares)


def test_clicks_are_padded_to_the_length_of_boxes(ring: np.ndarray) -> None:
    points, labels = click_on(ring, annotator(center_share=0))
    x, y = points[0].astype(int)
    assert ring[y, x]
    assert points[1].tolist() == [PADDING, PADDING]
    assert (points.dtype, labels.tolist()) == (np.float32, [POSITIVE, PADDING])


def test_boxes_are_two_corners(ring: np.ndarray) -> None:
    points, labels = box_around(ring, annotator())
    assert points.flatten().tolist() == list(bounding_box(ring))
    assert (points.dtype, labels.tolist()) == (np.float32, [BOX_UPPER_LEFT, BOX_LOWER_RIGHT])


@pytest.mark.parametrize(("kind", "labels"), [(PromptKind.CLICK, [1]), (PromptKind.BOX, [2, 3])])
def test_prompts_of_a_frame_have_one_length_without_padding(
    ring: np.ndarray, kind: PromptKind, labels: list[int]
) -> None:
    nothing = np.zeros_like(ring)
    prompts = first_prompts(torch.from_numpy(np.stack([ring, nothing])), kind, annotator(center_share=0))
    assert prompts.points.shape == (2, 1, len(labels), 2)
    assert prompts.labels[0, 0].tolist() == labels
    assert prompts.labels[1, 0].tolist() == [0] * len(labels)  # clicks off what is not there
    if kind is PromptKind.BOX:
        assert prompts.points[0].flatten().tolist() == list(bounding_box(ring))
    else:
        x, y = prompts.points[0, 0, 0].int().tolist()
        assert ring[y, x]


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


@pytest.mark.parametrize(("share", "boxes"), [(0.0, 0), (1.0, 60)])
def test_share_of_boxes(ring: np.ndarray, share: float, boxes: int) -> None:
    rng = np.random.default_rng(0)
    kinds = [first_prompt(ring, share, annotator(), rng)[1][0] for _ in range(60)]
    assert kinds.count(BOX_UPPER_LEFT) == boxes


@pytest.mark.parametrize("seed", range(6))
def test_coarse_masks_resemble_the_object_but_are_not_it(seed: int) -> None:
    y, x = np.mgrid[:64, :64]
    disc = torch.from_numpy(np.hypot(y - 30, x - 34) < 20).float()[None, None]
    logits = coarse_mask_logits(disc, torch.Generator().manual_seed(seed))
    assert logits.shape == disc.shape
    assert set(logits.unique().tolist()) == {-10.0, 10.0}
    assert 0.5 < measured_iou(logits, disc).item() < 1


@pytest.mark.parametrize("seed", range(6))
def test_coarse_masks_of_small_objects_say_where_they_are(seed: int) -> None:
    targets = torch.zeros(1, 2, 64, 64)
    targets[0, 0, 20:22, 40:42] = 1
    logits = coarse_mask_logits(targets, torch.Generator().manual_seed(seed))
    found = (logits[0, 0] > 0).nonzero().float()
    assert len(found)
    assert (found.mean(0) - torch.tensor([20.5, 40.5])).abs().max() < 5
    assert (logits[0, 1] < 0).all()  # of what is not there, nothing


def test_a_wire_that_was_missed_is_clicked_on() -> None:
    targets = torch.zeros(1, 1, 16, 16)
    targets[..., 7, 2:14] = 0.25  # one pixel wide
    logits = torch.full_like(targets, -1.0)
    for _ in range(6):
        clicks = correcting_clicks(logits, targets, 4, annotator(center_share=0))
        x, y = (clicks.points / 4).long().flatten().tolist()
        assert (targets[0, 0, y, x] > 0, clicks.labels.item()) == (True, 1)


def test_correcting_clicks_lie_on_an_error_and_say_which() -> None:
    targets, logits = torch.zeros(1, 2, 20, 30), torch.full((1, 2, 20, 30), -1.0)
    targets[:, :, 5:15, 5:20] = 1
    logits[0, 0, 5:15, 5:10] = 1  # the first object is cut short, the second spills over
    logits[0, 1, 5:15, 5:29] = 1
    wrong, uniform = (logits > 0) != (targets > 0.5), annotator(center_share=0)
    places = set()
    for _ in range(60):
        clicks = correcting_clicks(logits, targets, 4, uniform)
        assert clicks.points.shape == (1, 2, 1, 2)
        cells = (clicks.points / 4).long()[..., 0, :]
        for each, label in ((0, 1), (1, 0)):
            assert wrong[0, each, cells[0, each, 1], cells[0, each, 0]]
            assert clicks.labels[0, each, 0] == label
        places |= {tuple(place) for place in (clicks.points % 4).flatten(0, 2).tolist()}
    assert len(places) == 16  # all pixels of a cell


def test_without_errors_the_click_says_what_is_true_anyway() -> None:
    targets = torch.zeros(1, 1, 8, 8)
    targets[..., 2:5, 2:5] = 1
    for _ in range(6):
        clicks = correcting_clicks(targets - 0.5, targets, 4, annotator(center_share=0))
        x, y = (clicks.points / 4).long().flatten().tolist()
        assert targets[0, 0, y, x] == 0
        assert clicks.labels.item() == 0


def test_prompts_grow_by_the_points_that_follow() -> None:
    prompts = PointPrompts(torch.zeros(2, 3, 1, 2), torch.ones(2, 3, 1, dtype=torch.long))
    click = PointPrompts(torch.full((2, 3, 1, 2), 7.0), torch.zeros(2, 3, 1, dtype=torch.long))
    more = prompts.followed_by(click)
    assert more.points[1, 2].tolist() == [[0, 0], [7, 7]]
    assert more.labels[1, 2].tolist() == [1, 0]
