"""Prompts in pixels of their image to the tensors that the network takes, in pixels of its input."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from masklet.errors import InvalidInputError
from masklet.processing.mask_prompts import check_mask, network_logits
from masklet.prompts.point_labels import BOX_LOWER_RIGHT, BOX_UPPER_LEFT, PADDING
from masklet.prompts.prompt import Prompt
from masklet.runtimes.protocol import ImageRuntime

Size = tuple[int, int]


def decoder_inputs(prompts: Sequence[Prompt], size: Size, target_size: int, runtime: ImageRuntime) -> dict[str, Tensor]:
    """Return the tensors of N prompts of one image as a runtime's `decode` takes them, by the names of its arguments.

    `points` [N, k, 2] and `labels` [N, k] are left out if no object has clicks or a box, `mask_logits` [N, 4h, 4w] if
    none has a mask. Masks are reduced one after the other: those of a large image are gigabytes together. Clicks are
    followed by the corners of the box. Objects that have fewer clicks than others, or no box, are filled up with points
    labelled -10.

    Args:
        prompts: of each object, in the image (`check_in_image`); masks of one shape for all, or for none.
        size: (height, width) of the image.
        target_size: side of the network's square input.
        runtime: the network, on whose device the tensors are.

    Raises:
        InvalidInputError: if no object has a prompt, and for masks of other images.
    """
    tensors: dict[str, Tensor] = {}
    clicks = pad_sequence([torch.tensor(prompt.points) for prompt in prompts], True, PADDING)
    kinds = pad_sequence([torch.tensor(prompt.labels) for prompt in prompts], True, PADDING)
    corners = [_corners(prompt) for prompt in prompts if any(each.box is not None for each in prompts)]
    if corners:
        clicks = torch.cat([clicks, torch.stack([points for points, _ in corners])], dim=1)
        kinds = torch.cat([kinds, torch.stack([labels for _, labels in corners])], dim=1)
    if kinds.shape[1]:
        is_padding = (kinds == PADDING).unsqueeze(-1)
        points = torch.where(is_padding, clicks, scaled(clicks, size, target_size))
        tensors |= {"points": points, "labels": kinds}
    masks = [prompt.mask for prompt in prompts if prompt.mask is not None]
    if masks:
        _check_masks(masks, len(prompts), size, target_size)
        tensors["mask_logits"] = torch.stack([network_logits(mask, runtime) for mask in masks])
    if not tensors:
        raise InvalidInputError("The prompts are empty: none of the objects has points, a box or a mask.")
    return {name: tensor.to(runtime.device) for name, tensor in tensors.items()}


def scaled(points: Tensor, size: Size, target_size: int) -> Tensor:
    """Return points [..., 2] (x, y) of an image of a size (height, width) in pixels of the network's input."""
    height, width = size
    return points * torch.tensor([target_size / width, target_size / height])


def _corners(prompt: Prompt) -> tuple[Tensor, Tensor]:
    """Return the corners [2, 2] of a box and their labels [2], or padding without one."""
    if prompt.box is None:
        return torch.full((2, 2), float(PADDING)), torch.tensor([PADDING, PADDING])
    return torch.tensor(prompt.box).view(2, 2), torch.tensor([BOX_UPPER_LEFT, BOX_LOWER_RIGHT])


def _check_masks(masks: Sequence[np.ndarray], objects: int, size: Size, target_size: int) -> None:
    shapes = sorted({mask.shape for mask in masks})
    if len(masks) != objects or len(shapes) > 1:
        raise InvalidInputError(
            "Objects that are segmented together have masks of one shape, or none of them has one; got "
            f"{len(masks)} masks of the shapes {shapes} for {objects} objects."
        )
    for mask in masks:
        check_mask(mask, size, target_size)
