"""Boxes drawn as masks, for networks that take a box in both ways."""

import torch
from torch import Tensor

from masklet.masks.logits import CERTAIN_LOGIT
from masklet.modeling.recording import is_recorded_once
from masklet.prompts.point_labels import BOX_LOWER_RIGHT, BOX_UPPER_LEFT, PADDING

# What a box means for a pixel, as a mask's logits: inside likely on the object, outside certainly not.
INSIDE, OUTSIDE = 2.0, -CERTAIN_LOGIT


def box_corners(points: Tensor | None, labels: Tensor | None, boxes: Tensor | None) -> tuple[Tensor, Tensor] | None:
    """Return boxes [batch, objects, 4] and whether an object has one [batch, objects]; None where none can be.

    A box is given as such, or as two points labelled 2 and 3. Prompts are as in `Sam2Model.forward`.
    """
    if boxes is not None:
        return boxes, (boxes != PADDING).any(-1)
    if points is None or labels is None or (points.shape[2] < 2 and not is_recorded_once()):
        return None
    marked = [labels == kind for kind in (BOX_UPPER_LEFT, BOX_LOWER_RIGHT)]
    corners = [(points * is_corner.unsqueeze(-1)).sum(2) for is_corner in marked]
    return torch.cat(corners, dim=-1), marked[0].any(-1) & marked[1].any(-1)


def drawn(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Logits float32 [batch, objects, height, width] of boxes [batch, objects, 4] in pixels of that size.

    Pixels on an edge lie between the two values by the share of them that is covered.
    """
    boxes = boxes.float()  # half precision cannot number the pixels of a large grid
    shares = []
    for axis, length in ((1, size[0]), (0, size[1])):
        begins = torch.arange(length, device=boxes.device, dtype=boxes.dtype)
        low, high = boxes[..., axis, None], boxes[..., axis + 2, None]
        shares.append((torch.minimum(begins + 1, high) - torch.maximum(begins, low)).clamp(0, 1))
    covered = shares[0].unsqueeze(-1) * shares[1].unsqueeze(-2)
    return OUTSIDE + (INSIDE - OUTSIDE) * covered
