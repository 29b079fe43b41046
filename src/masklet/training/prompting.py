"""Prompts as a user would give them, for training: a first click or box, then clicks on errors."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from masklet.masks.geometry import Mask, bounding_box
from masklet.modeling.prompt_encoder import BOX_LOWER_RIGHT, BOX_UPPER_LEFT, PADDING, POSITIVE
from masklet.prompts.simulated_clicks import corrective_click, first_click

SMALLEST_PART = 24  # pixels


@dataclass
class PointPrompts:
    """Points [batch, objects, n, 2] in pixels and labels [batch, objects, n]; boxes are corners labelled 2 and 3."""

    points: Tensor
    labels: Tensor

    def followed_by(self, points: Tensor, labels: Tensor) -> "PointPrompts":
        """With one more point an object: [batch, objects, 2] and [batch, objects]."""
        return PointPrompts(
            torch.cat([self.points, points.unsqueeze(2)], dim=2), torch.cat([self.labels, labels.unsqueeze(2)], dim=2)
        )


def click_on(mask: Mask, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A positive click, half the time at the deepest point, else anywhere on the object; padded to two points."""
    if rng.random() < 0.5:
        x, y, _ = first_click(mask)
    else:
        rows, columns = np.nonzero(mask)
        pick = rng.integers(len(rows))
        x, y = int(columns[pick]), int(rows[pick])
    return np.array([[x, y], [PADDING, PADDING]], np.float32), np.array([POSITIVE, PADDING])


def box_around(mask: Mask, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The two corners of the object's box, each moved outwards by up to a tenth of the side (20 pixels at most)."""
    box = bounding_box(mask)
    assert box is not None
    corners = np.array(box)
    sides = np.tile(corners[2:] - corners[:2], 2)
    slack = np.minimum(np.minimum(np.abs(rng.normal(0, 0.05, 4)), 0.1) * sides, 20)
    corners = corners + np.array([-1, -1, 1, 1]) * slack * (rng.random() < 0.4)
    return corners.reshape(2, 2).astype(np.float32), np.array([BOX_UPPER_LEFT, BOX_LOWER_RIGHT])


def first_prompt(mask: Mask, box_share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A click or, with probability `box_share`, a box: points [2, 2] and labels [2]."""
    return (box_around if rng.random() < box_share else click_on)(mask, rng)


def part_in_a_box(mask: Mask, rng: np.random.Generator) -> Mask:
    """What a box that reaches over a part of an object has of it: a box asks for what lies in it, and nothing else."""
    box = bounding_box(mask)
    assert box is not None
    corners = np.array(box, int).reshape(2, 2)
    sides = corners[1] - corners[0]
    shares = np.where(rng.permutation([True, rng.random() < 0.5]), rng.uniform(0.35, 0.85, 2), 1.0)
    left, top = np.round(corners[0] + rng.uniform(0, 1, 2) * (1 - shares) * sides).astype(int)
    width, height = np.ceil(shares * sides).astype(int)
    part = np.zeros_like(mask)
    inside = slice(top, top + height), slice(left, left + width)
    part[inside] = mask[inside]
    return part if part.sum() >= SMALLEST_PART else mask


def coarse_mask_logits(targets: Tensor, generator: torch.Generator) -> Tensor:
    """A rough mask prompt: the targets [..., h, w] at a third to an eighth of their resolution, as logits +-10."""
    shrink = int(torch.randint(3, 9, (), generator=generator))
    size = (max(targets.shape[-2] // shrink, 2), max(targets.shape[-1] // shrink, 2))
    small = torch.nn.functional.adaptive_avg_pool2d(targets.float(), size)
    blurred = torch.nn.functional.interpolate(small, size=targets.shape[-2:], mode="bilinear")
    return (blurred > 0.5).float() * 20 - 10


def correcting_clicks(logits: Tensor, targets: Tensor, stride: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """One click an object on its errors: points [batch, objects, 2] in pixels of the picture, labels [batch, objects].

    `logits` and soft `targets` are [batch, objects, h, w] at 1/`stride` of the picture. The click is at the deepest
    point of the larger error region, or (one time in three) anywhere in the errors; without errors, it is padding.
    """
    predicted, wanted = (logits > 0).cpu().numpy(), (targets > 0.5).cpu().numpy()
    batch, objects = predicted.shape[:2]
    points = np.full((batch, objects, 2), PADDING, np.float32)
    labels = np.full((batch, objects), PADDING, np.int64)
    for index in np.ndindex(batch, objects):
        click = _corrective(wanted[index], predicted[index], rng)
        if click is not None:
            jitter = rng.integers(0, stride, 2)
            points[index] = np.array(click[:2]) * stride + jitter
            labels[index] = click[2]
    return torch.from_numpy(points).to(logits.device), torch.from_numpy(labels).to(logits.device)


def _corrective(wanted: Mask, predicted: Mask, rng: np.random.Generator) -> tuple[int, int, int] | None:
    if rng.random() < 2 / 3:
        return corrective_click(wanted, predicted)
    rows, columns = np.nonzero(wanted != predicted)
    if len(rows) == 0:
        return None
    pick = rng.integers(len(rows))
    return int(columns[pick]), int(rows[pick]), int(wanted[rows[pick], columns[pick]])
