"""Every kind of prompt as the keyword arguments of `Sam2Model.forward`: two images, three objects each."""

from collections.abc import Callable

import torch
from torch import Tensor

IMAGES, OBJECTS = 2, 3

Prompts = dict[str, Tensor]


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(7)


def _clicks(size: int, count: int) -> Prompts:
    points = torch.rand(IMAGES, OBJECTS, count, 2, generator=_generator()) * size
    labels = torch.ones(IMAGES, OBJECTS, count, dtype=torch.int64)
    return {"input_points": points, "input_labels": labels}


def _one_click(size: int) -> Prompts:
    return _clicks(size, 1)


def _clicks_without_labels(size: int) -> Prompts:
    return {"input_points": _clicks(size, 2)["input_points"]}


def _positive_and_negative_clicks(size: int) -> Prompts:
    prompts = _clicks(size, 4)
    prompts["input_labels"][:, :, 1::2] = 0
    prompts["input_labels"][1, 2] = 0
    return prompts


def _clicks_with_not_a_point(size: int) -> Prompts:
    prompts = _clicks(size, 3)
    prompts["input_labels"][:, :, 2] = -1
    return prompts


def _padded_clicks(size: int) -> Prompts:
    """Objects with one, two and three clicks, filled up with -10 as the processor does."""
    prompts = _clicks(size, 3)
    for missing, objects in ((2, 0), (1, 1)):
        prompts["input_points"][:, objects, 3 - missing :] = -10
        prompts["input_labels"][:, objects, 3 - missing :] = -10
    prompts["input_labels"][1, 2, 1] = 0
    return prompts


def _box(size: int) -> Prompts:
    corners = torch.rand(IMAGES, OBJECTS, 2, 2, generator=_generator()) * size / 2
    corners[:, :, 1] += size / 2
    return {"input_boxes": corners.flatten(2)}


def _box_and_clicks(size: int) -> Prompts:
    return _box(size) | _positive_and_negative_clicks(size)


def _mask(size: int) -> Prompts:
    return {"input_masks": torch.randn(IMAGES, 1, size // 4, size // 4, generator=_generator()) * 5}


def _mask_of_another_size(size: int) -> Prompts:
    return {"input_masks": torch.randn(IMAGES, 1, size - 6, size + 10, generator=_generator()) * 5}


def _mask_and_clicks(size: int) -> Prompts:
    return _mask(size) | _positive_and_negative_clicks(size)


def _mask_and_box(size: int) -> Prompts:
    return _mask(size) | _box(size)


def _no_prompt(size: int) -> Prompts:
    return {}


# What Meta's modules know too: no padding label, no resizing of mask prompts, labels always given.
COMMON_KINDS: dict[str, Callable[[int], Prompts]] = {
    "one click": _one_click,
    "positive and negative clicks": _positive_and_negative_clicks,
    "clicks with not-a-point": _clicks_with_not_a_point,
    "box": _box,
    "box and clicks": _box_and_clicks,
    "mask": _mask,
    "mask and clicks": _mask_and_clicks,
    "mask and box": _mask_and_box,
    "no prompt": _no_prompt,
}
KINDS: dict[str, Callable[[int], Prompts]] = COMMON_KINDS | {
    "clicks without labels": _clicks_without_labels,
    "padded clicks": _padded_clicks,
    "mask of another size": _mask_of_another_size,
}


def for_meta(prompts: Prompts, image: int) -> Prompts:
    """One image's share of the prompts under the names of `MetaImageModel.segment`."""
    names = {"input_points": "points", "input_labels": "labels", "input_boxes": "boxes"}
    chosen = {names[key]: value[image] for key, value in prompts.items() if key in names}
    if "input_masks" in prompts:
        chosen["masks"] = prompts["input_masks"][image : image + 1]
    return chosen
