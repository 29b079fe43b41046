"""Prompts on one frame of a video, as users write them, to those of each object in the network's pixels."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from masklet.arrays import number_tensor
from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.masks.geometry import Box
from masklet.masks.views import View
from masklet.processing.mask_prompts import mask_prompts
from masklet.processing.nested_prompts import prompt_tensors
from masklet.processing.prompt_tensors import scaled
from masklet.prompts.point_labels import NEGATIVE, PADDING, POSITIVE
from masklet.prompts.prompt import Prompt
from masklet.tracking.frame_prompt import clicks_and_box, whole_mask
from masklet.whole_numbers import is_whole_number

Size = tuple[int, int]
Click = tuple[float, float, int]


def video_prompts(
    obj_ids: Any,
    points: Any = None,
    labels: Any = None,
    boxes: Any = None,
    masks: Any = None,
    *,
    size: Size | None,
    target_size: int,
    padding: float = PADDING,
) -> dict[int, Prompt]:
    """Return the prompt of each object, by object id; nothing given is changed.

    Args:
        obj_ids: a whole number, or several in a list, tuple, array or tensor, all different.
        points: nested [1 image][object][point][x, y] in pixels of the video; objects may have different numbers.
        labels: nested [1 image][object][point]; needed with points.
        boxes: nested [1 image][object][x1, y1, x2, y2]; four times `padding` for an object without one.
        masks: as `mask_prompts` takes them; alone.
        size: (height, width) of the video; None if it is not known: see `mask_prompts`.
        target_size: side S of the network's input.
        padding: coordinate that marks padding, which is not kept.

    Raises:
        InvalidInputError: if the prompts do not fit together, the objects or the video, or an object has none.
    """
    object_ids = _object_ids(obj_ids)
    _check_combination(points, labels, boxes, masks)
    if masks is not None:
        resized = mask_prompts(masks, len(object_ids), size, target_size)
        return {object_id: whole_mask(mask) for object_id, mask in zip(object_ids, resized, strict=True)}
    if size is None:
        raise InvalidInputError(
            "How large the stream's frames are is not known yet; push the first one, or give original_size with the "
            "points or boxes."
        )
    tensors = prompt_tensors(points, labels, boxes, sizes=[size], target_size=target_size, padding=padding)
    for name in ("points", "boxes"):
        given = tensors.get(f"input_{name}")
        if given is not None and given.shape[1] != len(object_ids):
            raise InvalidInputError(
                f"There are {len(object_ids)} object ids but {name} of {given.shape[1]}; each object has its own."
            )
    return {object_id: _of_object(object_id, index, tensors) for index, object_id in enumerate(object_ids)}


def network_prompt(prompt: Prompt, size: Size | None, target_size: int) -> Prompt:
    """Return a prompt in pixels of the video in those of the network's input.

    Args:
        prompt: of one object on a frame.
        size: (height, width) of the video; None if it is not known, which will do for masks: see `mask_prompts`.
        target_size: side S of the network's input.

    Raises:
        InvalidInputError: for no prompt at all, one that is not in the video, and a box beside a mask.
    """
    if prompt.is_empty:
        raise InvalidInputError("No prompt is given; an object needs points, a box or a mask.")
    if prompt.box is not None and prompt.mask is not None:
        raise InvalidInputError("A box and a mask both begin a prompt; give one of them, and clicks to correct it.")
    mask = None if prompt.mask is None else mask_prompts([prompt.mask], 1, size, target_size)[0]
    if size is None:
        if len(prompt.points) or prompt.box is not None:
            raise InvalidInputError(
                "How large the stream's frames are is not known yet; push the first one before giving points or a box."
            )
        return Prompt(mask=mask)
    prompt.check_in_image(*size)
    points = scaled(torch.tensor(prompt.points), size, target_size)
    box = None if prompt.box is None else scaled(torch.tensor(prompt.box).view(2, 2), size, target_size)
    return Prompt(points, prompt.labels, box, mask)


def clicks_and_boxes(prompt: Prompt, view: View, target_size: int) -> tuple[list[Click], list[Box]]:
    """Return the clicks (x, y, label) and boxes (x1, y1, x2, y2) of a prompt in pixels of the video, to be drawn.

    Args:
        prompt: what one object was given on a frame, in pixels of the network's input.
        view: what the network's input showed of the frame.
        target_size: side S of the network's input.
    """
    height, width = view.size
    scale = np.array([width / target_size, height / target_size], np.float32).astype(np.float64)

    def placed(points: npt.NDArray[np.floating]) -> list[tuple[float, float]]:
        # As exact as numbers of pixels can come back from float32, so that what was typed is what is drawn.
        return [(round(x + view.left, 2), round(y + view.top, 2)) for x, y in (points * scale).tolist()]

    labelled = zip(placed(prompt.points), prompt.labels.tolist(), strict=True)
    clicks = [(x, y, label) for (x, y), label in labelled if label in (NEGATIVE, POSITIVE)]
    if prompt.box is None:
        return clicks, []
    (x1, y1), (x2, y2) = placed(prompt.box.reshape(2, 2))
    return clicks, [(x1, y1, x2, y2)]


def _of_object(object_id: int, index: int, tensors: dict[str, Tensor]) -> Prompt:
    points, labels, box = (
        tensors[name][0, index] if name in tensors else None for name in ("input_points", "input_labels", "input_boxes")
    )
    has_box = box is not None and not (box == PADDING).all()
    try:
        return clicks_and_box(points, labels, box if has_box else None)
    except InvalidInputError as error:
        raise InvalidInputError(f"Object {object_id}: {error}") from None


def _object_ids(obj_ids: Any) -> list[int]:
    plain = number_tensor(obj_ids, "obj_ids").tolist() if isinstance(obj_ids, np.ndarray | Tensor) else obj_ids
    object_ids = list(plain) if isinstance(plain, list | tuple) else [plain]
    if not all(map(is_whole_number, object_ids)):
        raise InvalidInputError(f"obj_ids must be a whole number or a list of such, got {shown(obj_ids)}.")
    object_ids = [int(each) for each in object_ids]
    if not object_ids:
        raise InvalidInputError("obj_ids is empty: name the objects that the prompts are about.")
    if len(set(object_ids)) < len(object_ids):
        raise InvalidInputError(f"obj_ids must be different, one for each object's prompts; got {object_ids}.")
    return object_ids


def _check_combination(points: Any, labels: Any, boxes: Any, masks: Any) -> None:
    if (points is None) != (labels is None):
        given, missing = ("points", "labels") if labels is None else ("labels", "points")
        raise InvalidInputError(f"There are {given} without {missing}; each point has a label.")
    if points is None and boxes is None and masks is None:
        raise InvalidInputError("No prompt is given; an object needs points, a box or a mask.")
    if masks is not None and (points is not None or boxes is not None):
        raise InvalidInputError("A mask is given alone; clicks that correct it are added in a call of their own.")
