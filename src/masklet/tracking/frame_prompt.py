"""Prompts on a frame, in pixels of the network's input [S, S]: from what programs give, and to what it decodes."""

from typing import Any

import torch
from torch import Tensor

from masklet.arrays import number_tensor
from masklet.errors import InvalidInputError
from masklet.prompts.point_labels import BOX_LABELS, PADDING
from masklet.prompts.prompt import Prompt


def clicks_and_box(points: Any, labels: Any, box: Any) -> Prompt:
    """Return the prompt of clicks [n, 2] with labels [n], of a box (x1, y1, x2, y2), or of both.

    What is labelled -10 is padding and left out; two leading points labelled 2 and 3 are the corners of a box.

    Raises:
        InvalidInputError: for shapes and labels that do not go together, and if nothing is given.
    """
    if (points is None) != (labels is None):
        given, missing = ("points", "labels") if labels is None else ("labels", "points")
        raise InvalidInputError(f"There are {given} without {missing}; each point has a label.")
    if points is None and box is None:
        raise InvalidInputError("No prompt is given; an object needs points, a box or a mask.")
    points_k2 = torch.zeros(0, 2) if points is None else _pairs(points)
    labels_k = torch.zeros(0) if labels is None else number_tensor(labels, "labels").detach().cpu().flatten()
    if len(points_k2) != len(labels_k):
        raise InvalidInputError(f"{len(points_k2)} points came with {len(labels_k)} labels; each point needs one.")
    is_given = labels_k != PADDING
    points_k2, labels_k = points_k2[is_given], labels_k[is_given]
    outside = points_k2[(points_k2 < 0).any(-1) & (labels_k >= 0)].tolist()
    if outside:
        raise InvalidInputError(f"The point {tuple(outside[0])} is outside the network's input, 0 <= x and 0 <= y.")
    prompt = prompt_of_points(points_k2, labels_k)
    prompt = prompt if box is None else Prompt(prompt.points, prompt.labels, box)
    if prompt.is_empty:
        raise InvalidInputError("The prompt is empty: it has no click but padding, and no box.")
    return prompt


def whole_mask(mask: Any) -> Prompt:
    """Return the prompt of a mask [S, S] (bool, or 0..1, inside from a half on); an empty one means absent."""
    given = torch.as_tensor(mask).detach().cpu()
    while given.ndim > 2 and len(given) == 1:
        given = given[0]
    if given.ndim != 2 or given.shape[0] != given.shape[1]:
        raise InvalidInputError(
            f"A mask prompt has the shape of the network's input, [S, S]; got {list(torch.as_tensor(mask).shape)}."
        )
    return Prompt(mask=given.float() >= 0.5)


def points_of_prompt(prompt: Prompt) -> tuple[Tensor, Tensor]:
    """Return points float32 [k, 2] and labels int64 [k] as the decoder takes them: corners of the box, then clicks."""
    points, labels = torch.tensor(prompt.points), torch.tensor(prompt.labels)
    if prompt.box is None:
        return points, labels
    corners = torch.tensor(prompt.box).view(2, 2)
    return torch.cat([corners, points]), torch.cat([torch.tensor(BOX_LABELS), labels])


def prompt_of_points(points: Tensor, labels: Tensor, mask: Tensor | None = None) -> Prompt:
    """Return the prompt that `points_of_prompt` makes these of, with a mask; InvalidInputError for other labels."""
    if tuple(labels[:2].tolist()) == BOX_LABELS:
        return Prompt(points[2:], labels[2:], points[:2], mask)
    return Prompt(points, labels, None, mask)


def _pairs(points: Any) -> Tensor:
    numbers = number_tensor(points, "points").detach().to("cpu", torch.float32)
    if numbers.numel() % 2:
        raise InvalidInputError(f"points must be pairs of numbers; got {numbers.numel()} numbers.")
    return numbers.reshape(-1, 2)
