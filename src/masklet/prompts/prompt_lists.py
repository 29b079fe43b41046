"""Prompts of several objects, each kind in a list of its own, as `ImageSegmenter.segment` takes them."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from torch import Tensor

from masklet.arrays import number_tensor
from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.prompts.point_labels import PADDING
from masklet.prompts.prompt import Prompt


def prompts_of_lists(points: Any = None, labels: Any = None, boxes: Any = None, masks: Any = None) -> list[Prompt]:
    """Return one prompt for each of N objects.

    Args:
        points: for each object its clicks [n, 2], n may differ and be 0; or None.
        labels: for each object its clicks' labels [n]; clicks labelled -10, which fill up a batch, are left out.
        boxes: [N, 4], or one box; or None.
        masks: [N, h, w], or one mask, which is shared by all objects; or None.

    Raises:
        InvalidInputError: if nothing is given, not equally much of everything, or something is no prompt.
    """
    if points is None and boxes is None and masks is None:
        raise InvalidInputError("Nothing to segment by: give prompts, points, boxes or masks.")
    if points is None and labels is not None:
        raise InvalidInputError("There are labels without points; each point has a label.")
    kinds = {"points": points, "labels": labels, "boxes": _rows(boxes), "masks": _planes(masks)}
    given = {name: _listed(values, name) for name, values in kinds.items() if values is not None}
    counts = {name: len(values) for name, values in given.items()}
    if counts.get("masks") == 1:
        given["masks"] *= max(counts.values())
        del counts["masks"]
    if len(set(counts.values())) > 1:
        shares = ", ".join(f"{name} of {count}" for name, count in counts.items())
        raise InvalidInputError(f"There must be as many of everything as there are objects; got {shares}.")
    return [
        _prompt(number, {name: values[number] for name, values in given.items()})
        for number in range(len(next(iter(given.values()))))
    ]


def prompt_of(points: Any = None, labels: Any = None, box: Any = None, mask: Any = None) -> Prompt:
    """Return the prompt of one object; clicks labelled -10 are left out, and a mask may stand in a batch of its own.

    InvalidInputError for what is no prompt.
    """
    if points is None and labels is not None:
        raise InvalidInputError("There are labels without points; each point has a label.")
    points = () if points is None else points
    if labels is not None:
        points, labels = _without_padding(points, labels)
    if isinstance(mask, np.ndarray | Tensor) and mask.ndim > 2 and set(mask.shape[:-2]) == {1}:
        mask = mask.reshape(mask.shape[-2:])
    return Prompt(points, labels, box, mask)


def _prompt(number: int, given: Mapping[str, Any]) -> Prompt:
    try:
        return prompt_of(given.get("points"), given.get("labels"), given.get("boxes"), given.get("masks"))
    except InvalidInputError as error:
        raise InvalidInputError(f"Object {number + 1}: {error}") from error


def _without_padding(points: Any, labels: Any) -> tuple[Any, Any]:
    """Points and labels without those that a caller added to make all objects have equally many."""
    labels_n = number_tensor(labels, "labels").reshape(-1)
    is_padding = labels_n == PADDING
    if not is_padding.any():
        return points, labels
    points_n2 = number_tensor(points, "points")
    if points_n2.shape != (len(labels_n), 2):
        raise InvalidInputError(f"{len(labels_n)} labels came with points of the shape {list(points_n2.shape)}.")
    return points_n2[~is_padding], labels_n[~is_padding]


def _rows(boxes: Any) -> Any:
    """Boxes [N, 4] of one box as of several."""
    if boxes is None:
        return None
    numbers = number_tensor(boxes, "boxes")
    return numbers[None] if numbers.ndim == 1 and numbers.numel() else numbers


def _planes(masks: Any) -> Any:
    """Masks [N, h, w] of one mask as of several."""
    return masks[None] if isinstance(masks, np.ndarray | Tensor) and masks.ndim == 2 else masks


def _listed(values: Any, name: str) -> list[Any]:
    """One entry for each object."""
    if isinstance(values, np.ndarray | Tensor) and values.ndim:
        return list(number_tensor(values, name))
    if isinstance(values, np.ndarray | Tensor | str | Mapping) or not isinstance(values, Iterable):
        raise InvalidInputError(f"{name} must be a list with one entry for each object; got {shown(values)}.")
    return list(values)
