"""The prompt of one object on one frame."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.prompts.point_labels import BOX_LABELS, NEGATIVE, NOT_A_POINT, PADDING, POSITIVE

# A box is two leading points: its upper left and its lower right corner.
ALLOWED_LABELS = (NOT_A_POINT, NEGATIVE, POSITIVE, *BOX_LABELS)


@dataclass(frozen=True, eq=False)
class FramePrompt:
    """Clicks, a box or a mask, in pixels of the network's input; clicks beside a mask refine it.

    `points` [n, 2] (x, y) and `labels` [n]: 1 on the object, 0 off it, 2 and 3 the corners of a box; `mask` bool
    [S, S].
    """

    points: Tensor
    labels: Tensor
    mask: Tensor | None = None

    def extended(self, later: "FramePrompt") -> "FramePrompt":
        """This prompt with the clicks of a later one."""
        return FramePrompt(
            torch.cat([self.points, later.points]), torch.cat([self.labels, later.labels]), mask=self.mask
        )

    def extends(self, earlier: "FramePrompt") -> bool:
        """Whether this holds all of `earlier`, so that it refines the result of that."""
        count = len(earlier.labels)
        is_same_mask = (self.mask is None) == (earlier.mask is None) and (
            self.mask is None or earlier.mask is None or torch.equal(self.mask, earlier.mask)
        )
        return (
            is_same_mask
            and torch.equal(self.points[:count], earlier.points)
            and torch.equal(self.labels[:count], earlier.labels)
        )

    def has_box(self) -> bool:
        """Whether it begins with a box."""
        return tuple(self.labels[:2].tolist()) == BOX_LABELS


def clicks_and_box(points: Any, labels: Any, box: Any) -> FramePrompt:
    """Clicks [n, 2] with labels [n], a box (x1, y1, x2, y2), or both; padding is left out.

    Raises `InvalidInputError` for shapes and labels that do not go together, and if there is no prompt.
    """
    if (points is None) != (labels is None):
        raise InvalidInputError("points and labels must be provided together")
    if points is None and box is None:
        raise InvalidInputError("at least one of points, boxes, or masks must be provided as input")
    clicks = torch.zeros(0, 2) if points is None else _numbers(points, "points").reshape(-1, 2)
    kinds = torch.zeros(0) if labels is None else _numbers(labels, "labels").flatten()
    if len(clicks) != len(kinds):
        raise InvalidInputError(f"{len(clicks)} points came with {len(kinds)} labels; each point needs one.")
    is_said = kinds != PADDING
    clicks, kinds = clicks[is_said], kinds[is_said].long()
    outside = clicks[(clicks < 0).any(-1) & (kinds >= 0)].tolist()
    if outside:
        raise InvalidInputError(f"The point {tuple(outside[0])} is outside the network's input, 0 <= x and 0 <= y.")
    if box is not None:
        corners = _numbers(box, "box").reshape(-1, 2)
        if len(corners) != 2:
            raise InvalidInputError(f"A box is x1, y1, x2, y2; got {2 * len(corners)} numbers.")
        clicks, kinds = torch.cat([corners, clicks]), torch.cat([torch.tensor(BOX_LABELS), kinds])
    _check_labels(kinds)
    return FramePrompt(clicks, kinds)


def whole_mask(mask: Any) -> FramePrompt:
    """A mask [S, S] (bool, or 0..1 of which half and more is inside); an empty one marks the object as absent."""
    given = torch.as_tensor(mask).detach().cpu()
    while given.ndim > 2 and len(given) == 1:
        given = given[0]
    if given.ndim != 2 or given.shape[0] != given.shape[1]:
        raise InvalidInputError(
            f"A mask prompt has the shape of the network's input, [S, S]; got {list(torch.as_tensor(mask).shape)}."
        )
    return FramePrompt(torch.zeros(0, 2), torch.zeros(0, dtype=torch.long), mask=given.float() >= 0.5)


def _numbers(values: Any, name: str) -> Tensor:
    numbers = torch.as_tensor(values, dtype=torch.float32).detach().cpu()
    if not torch.isfinite(numbers).all() or numbers.numel() % 2 * (name != "labels"):
        raise InvalidInputError(f"{name} must be pairs of finite numbers; got {shown(values)}.")
    return numbers


def _check_labels(labels: Tensor) -> None:
    if not len(labels):
        raise InvalidInputError("The prompt is empty: it has no click but padding, and no box.")
    unknown = sorted(set(labels.tolist()) - set(ALLOWED_LABELS))
    if unknown:
        raise InvalidInputError(f"labels hold {unknown}; allowed: 1 (on the object), 0 (off it), {PADDING} (padding).")
