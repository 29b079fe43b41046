"""Prompts in pixels of their image to the tensors that the network takes, in pixels of its input."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from masklet.errors import InvalidInputError
from masklet.processing.mask_prompts import mask_tensor
from masklet.prompts.point_labels import PADDING
from masklet.prompts.prompt import Prompt

Size = tuple[int, int]


def decoder_inputs(prompts: Sequence[Prompt], size: Size, target_size: int) -> dict[str, Tensor]:
    """Return the tensors of N prompts of one image, [1, N, ...], by the names of the model's inputs.

    Kinds of prompts that no object has are left out. Objects with fewer points than others are filled up with points
    labelled -10; those without a box have a box of four -10.

    Args:
        prompts: of each object, in the image (`check_in_image`); masks of one shape for all, or for none.
        size: (height, width) of the image.
        target_size: side of the network's square input.

    Raises:
        InvalidInputError: if no object has a prompt, and for masks of other images.
    """
    tensors: dict[str, Tensor] = {}
    if any(len(prompt.points) for prompt in prompts):
        points = [scaled(torch.from_numpy(prompt.points), size, target_size) for prompt in prompts]
        labels = [torch.from_numpy(prompt.labels) for prompt in prompts]
        tensors["input_points"] = pad_sequence(points, batch_first=True, padding_value=PADDING)[None]
        tensors["input_labels"] = pad_sequence(labels, batch_first=True, padding_value=PADDING)[None]
    if any(prompt.box is not None for prompt in prompts):
        tensors["input_boxes"] = torch.stack([_scaled_box(prompt, size, target_size) for prompt in prompts])[None]
    masks = [prompt.mask for prompt in prompts if prompt.mask is not None]
    if masks:
        tensors["input_masks"] = mask_tensor([_stacked(masks, len(prompts))], [size], target_size)
    if not tensors:
        raise InvalidInputError("The prompts are empty: none of the objects has points, a box or a mask.")
    return tensors


def scaled(points: Tensor, size: Size, target_size: int) -> Tensor:
    """Return points [..., 2] (x, y) of an image of a size (height, width) in pixels of the network's input."""
    height, width = size
    return points * torch.tensor([target_size / width, target_size / height])


def _scaled_box(prompt: Prompt, size: Size, target_size: int) -> Tensor:
    if prompt.box is None:
        return torch.full((4,), float(PADDING))
    return scaled(torch.from_numpy(prompt.box).view(2, 2), size, target_size).flatten()


def _stacked(masks: Sequence[np.ndarray], objects: int) -> np.ndarray:
    shapes = sorted({mask.shape for mask in masks})
    if len(masks) != objects or len(shapes) > 1:
        raise InvalidInputError(
            "Objects that are segmented together have masks of one shape, or none of them has one; got "
            f"{len(masks)} masks of the shapes {shapes} for {objects} objects."
        )
    return np.stack(masks)
