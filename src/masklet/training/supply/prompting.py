"""Prompts as a user would give them, for training: a first click or box, then clicks on errors."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
import torch
from torch import Tensor

from masklet.masks.geometry import Mask, bounding_box
from masklet.masks.logits import certain_logits
from masklet.prompts.point_labels import BOX_LOWER_RIGHT, BOX_UPPER_LEFT, PADDING
from masklet.prompts.simulated_annotator import SimulatedAnnotator
from masklet.training.targets import binary_targets

SMALLEST_PART = 24  # pixels


class PromptKind(Enum):
    """Kinds of first prompts of a frame."""

    CLICK = "click"
    BOX = "box"
    MASK = "mask"


@dataclass
class PointPrompts:
    """Points [batch, objects, n, 2] in pixels and labels [batch, objects, n]; boxes are corners labelled 2 and 3."""

    points: Tensor
    labels: Tensor

    def followed_by(self, later: "PointPrompts") -> "PointPrompts":
        """Append the points of a later prompt of the same objects."""
        return PointPrompts(
            torch.cat([self.points, later.points], dim=2), torch.cat([self.labels, later.labels], dim=2)
        )


def click_on(mask: Mask, annotator: SimulatedAnnotator) -> tuple[np.ndarray, np.ndarray]:
    """Click on the object, padded to two points, since others of the batch have boxes."""
    x, y, label = annotator.first_click(mask)
    return np.array([[x, y], [PADDING, PADDING]], np.float32), np.array([label, PADDING])


def box_around(mask: Mask, annotator: SimulatedAnnotator) -> tuple[np.ndarray, np.ndarray]:
    """Return the two corners of the object's box."""
    return np.array(annotator.box(mask), np.float32).reshape(2, 2), np.array([BOX_UPPER_LEFT, BOX_LOWER_RIGHT])


def first_prompt(
    mask: Mask, box_share: float, annotator: SimulatedAnnotator, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a click or, with probability `box_share`, a box: points [2, 2] and labels [2]."""
    return (box_around if rng.random() < box_share else click_on)(mask, annotator)


def first_prompts(masks: Tensor, kind: PromptKind, annotator: SimulatedAnnotator) -> PointPrompts:
    """Draw a click or a box for each of `masks` [objects, S, S] bool: points [objects, 1, 1 or 2, 2].

    An absent object gets as many negative clicks, so that all prompts have one length and none is padded.
    """
    clicks = [_prompted(mask, kind, annotator) for mask in masks.cpu().numpy()]
    return _as_prompts(np.stack(clicks)[:, None], masks.device)


def _prompted(mask: Mask, kind: PromptKind, annotator: SimulatedAnnotator) -> np.ndarray:
    """Prompt one object; the last of three columns are the labels of points."""
    if not mask.any():
        return np.array([annotator.confirm(mask) for _ in range(2 if kind is PromptKind.BOX else 1)], np.float32)
    if kind is PromptKind.CLICK:
        return np.array([annotator.first_click(mask)], np.float32)
    corners, labels = box_around(mask, annotator)
    return np.column_stack([corners, labels]).astype(np.float32)


def _as_prompts(clicks: np.ndarray, device: torch.device) -> PointPrompts:
    """Make points and labels from [batch, objects, n, 3], in one transfer."""
    moved = torch.from_numpy(clicks).to(device)
    return PointPrompts(moved[..., :2], moved[..., 2].long())


def part_in_a_box(mask: Mask, rng: np.random.Generator) -> Mask:
    """Keep the part of an object in a random box over it: a box prompts for what lies in it, and nothing else."""
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
    """Draw a rough mask prompt: the targets [..., h, w] at a third to an eighth of their resolution, as logits +-10."""
    shrink = int(torch.randint(3, 9, (), generator=generator))
    size = (max(targets.shape[-2] // shrink, 2), max(targets.shape[-1] // shrink, 2))
    small = torch.nn.functional.adaptive_avg_pool2d(targets.float(), size)
    blurred = torch.nn.functional.interpolate(small, size=targets.shape[-2:], mode="bilinear")
    return certain_logits(binary_targets(blurred).float())


def correcting_clicks(logits: Tensor, targets: Tensor, stride: int, annotator: SimulatedAnnotator) -> PointPrompts:
    """Click once on the errors of each object: points [batch, objects, 1, 2] in pixels of the image.

    `logits` and soft `targets` are [batch, objects, h, w] at 1/`stride` of the image. Where there are no errors, the
    click confirms the ground truth. Only this leaves the device in a step: two bits a low-resolution pixel go, and a
    click comes back.
    """
    predicted, wanted = torch.stack([logits > 0, binary_targets(targets)]).cpu().numpy()
    clicks = np.empty((*predicted.shape[:2], 1, 3), np.float32)
    for index in np.ndindex(*predicted.shape[:2]):
        click = annotator.correct(wanted[index], predicted[index]) or annotator.confirm(wanted[index])
        clicks[index] = annotator.within_cell(click, stride)
    return _as_prompts(clicks, logits.device)
