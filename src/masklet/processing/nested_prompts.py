"""Prompts as Hugging Face's SAM 2 takes them, nested lists of a batch of images, to tensors in the network's pixels."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.processing.prompt_tensors import scaled
from masklet.prompts.nesting import BOXES, LABELS, POINTS, PromptLayout, nested_lists, padded
from masklet.prompts.point_labels import NEGATIVE, NOT_A_POINT, PADDING, POSITIVE

Sizes = Sequence[tuple[int, int]]


def prompt_tensors(
    points: Any, labels: Any, boxes: Any, *, sizes: Sizes, target_size: int, padding: float
) -> dict[str, Tensor]:
    """Return the tensors of those of points, labels and boxes that are not None, by the names of the model's inputs.

    Arguments and errors are those of `point_tensors` and `box_tensor`; in addition, points and boxes given together
    must be of equally many objects in every image.
    """
    tensors: dict[str, Tensor] = {}
    if points is not None or labels is not None:
        tensors |= point_tensors(points, labels, sizes, target_size, padding)
    if boxes is not None:
        tensors["input_boxes"] = box_tensor(boxes, sizes, target_size, padding)
    if points is not None and boxes is not None:
        both = zip(nested_lists(points, POINTS), nested_lists(boxes, BOXES), strict=True)
        for image, (of_points, of_boxes) in enumerate(both):
            if len(of_points) != len(of_boxes):
                raise InvalidInputError(
                    f"Image {image} has points of {len(of_points)} objects and boxes of {len(of_boxes)}; given "
                    "together, both are of the same objects."
                )
    return tensors


def point_tensors(points: Any, labels: Any, sizes: Sizes, target_size: int, padding: float) -> dict[str, Tensor]:
    """Return input_points float32 [B, P, N, 2] and input_labels int64 [B, P, N].

    Ragged objects and points are filled up with points (padding, padding) labelled -10; so labelled, too, are points
    that a caller padded so. Other points without labels are positive; where none is padding, there are no input_labels
    then, as in the reference. Coordinates are scaled from the image's height
    and width to `target_size`, those of padding are not.

    Args:
        points: nested [image][object][point][x, y] in image pixels, 0..width and 0..height.
        labels: nested [image][object][point]: 1 inside, 0 outside, -1 not a point, -10 padding; or None.
        sizes: (height, width) of each image.
        target_size: side of the network's square input.
        padding: coordinate that marks padding.

    Raises:
        InvalidInputError: for wrong nesting, counts that do not fit together, points that are NaN or outside the
            image, or other labels.
    """
    if points is None:
        raise InvalidInputError("Got input_labels without input_points; each label belongs to a point.")
    lists = _prompts_of(points, POINTS, sizes)
    points_bpn2 = padded(lists, POINTS, padding, torch.float32)
    is_padding_bpn1 = (points_bpn2 == padding).all(-1, keepdim=True)
    if labels is None:
        defaults = [_default_labels(objects, [padding, padding]) for objects in lists]
        labels_bpn = padded(defaults, LABELS, PADDING, torch.int64)
        if (labels_bpn == PADDING).all():  # of what?
            labels_bpn = torch.full_like(labels_bpn, POSITIVE)
    else:
        labels_bpn = _labels(_prompts_of(labels, LABELS, sizes), lists)
    _check_points(points_bpn2, labels_bpn < 0, sizes)
    scaled_bpn2 = _all_scaled(points_bpn2, sizes, target_size)
    tensors = {"input_points": torch.where(is_padding_bpn1, points_bpn2, scaled_bpn2)}
    if labels is not None or is_padding_bpn1.any():
        tensors["input_labels"] = labels_bpn
    return tensors


def box_tensor(boxes: Any, sizes: Sizes, target_size: int, padding: float) -> Tensor:
    """Return input_boxes float32 [B, P, 4]; images with fewer boxes are filled up with boxes of four -10.

    Boxes that a caller made of four `padding` become such boxes, too.

    Args:
        boxes: nested [image][box][x1, y1, x2, y2] in image pixels; they may reach beyond the image.
        sizes: (height, width) of each image.
        target_size: side of the network's square input.
        padding: coordinate that marks padding.

    Raises:
        InvalidInputError: for wrong nesting, or boxes that are NaN, inverted, empty or wholly outside the image.
    """
    boxes_bp4 = padded(_prompts_of(boxes, BOXES, sizes), BOXES, padding, torch.float32)
    is_padding_bp1 = (boxes_bp4 == padding).all(-1, keepdim=True)
    _check_boxes(boxes_bp4, is_padding_bp1[..., 0], sizes)
    corners_bp22 = _all_scaled(boxes_bp4.view(*boxes_bp4.shape[:2], 2, 2), sizes, target_size)
    return corners_bp22.flatten(-2).masked_fill(is_padding_bp1, PADDING)


def _prompts_of(prompts: Any, layout: PromptLayout, sizes: Sizes) -> list[Any]:
    lists = nested_lists(prompts, layout)
    if len(lists) != len(sizes):
        raise InvalidInputError(f"Got input {layout.name} for {len(lists)} images but {len(sizes)} images.")
    return lists


def _labels(labels: list[Any], points: list[Any]) -> Tensor:
    counts_of_labels, counts_of_points = (
        [[len(of_object) for of_object in of_image] for of_image in lists] for lists in (labels, points)
    )
    if counts_of_labels != counts_of_points:
        raise InvalidInputError(
            f"Each point has one label; got, by image and object, {counts_of_points} points with {counts_of_labels} "
            "labels."
        )
    labels_bpn = padded(labels, LABELS, PADDING, torch.float64)
    allowed = torch.tensor([POSITIVE, NEGATIVE, NOT_A_POINT, PADDING])
    if not (is_allowed := torch.isin(labels_bpn, allowed)).all():
        position = (~is_allowed).nonzero()[0].tolist()
        raise InvalidInputError(
            f"Input labels{position} is {labels_bpn[tuple(position)].item():g}; a label must be "
            "1 (inside), 0 (outside), -1 (not a point) or -10 (padding)."
        )
    return labels_bpn.long()


def _default_labels(objects: list[Any], padding: list[float]) -> list[list[int]]:
    """Return the labels of one image's points: positive, but for padding with no other point or object behind it."""
    ends = [max((place for place, point in enumerate(points, 1) if point != padding), default=0) for points in objects]
    last = max((place for place, end in enumerate(ends) if end), default=-1)
    ends = [end or len(points) * (place < last) for place, (end, points) in enumerate(zip(ends, objects, strict=True))]
    return [[POSITIVE] * end + [PADDING] * (len(points) - end) for end, points in zip(ends, objects, strict=True)]


def _check_points(points_bpn2: Tensor, is_ignored_bpn: Tensor, sizes: Sizes) -> None:
    width_height_b2 = torch.tensor([(width, height) for height, width in sizes])
    is_inside_bpn2 = (points_bpn2 >= 0) & (points_bpn2 <= width_height_b2[:, None, None])
    is_inside_bpn = is_inside_bpn2.all(-1)  # NaN is never inside
    is_ignored_bpn = is_ignored_bpn & points_bpn2.isfinite().all(-1)
    outside = (~is_inside_bpn & ~is_ignored_bpn).nonzero().tolist()
    if outside:
        image, of_object, point = outside[0]
        x, y = points_bpn2[image, of_object, point].tolist()
        height, width = sizes[image]
        raise InvalidInputError(
            f"Point ({x:g}, {y:g}) at input points[{image}][{of_object}][{point}] is outside its image of width "
            f"{width} and height {height}; allowed are 0 <= x <= {width} and 0 <= y <= {height}."
        )


def _check_boxes(boxes_bp4: Tensor, is_padding_bp: Tensor, sizes: Sizes) -> None:
    width_height_b12 = torch.tensor([(width, height) for height, width in sizes])[:, None]
    first_bp2, second_bp2 = boxes_bp4[..., :2], boxes_bp4[..., 2:]
    is_good_bp2 = (
        (first_bp2 < second_bp2)
        & (first_bp2 < width_height_b12)
        & (second_bp2 > 0)
        & boxes_bp4.isfinite().all(-1, True)
    )
    bad = (~is_good_bp2.all(-1) & ~is_padding_bp).nonzero().tolist()
    if bad:
        image, box = bad[0]
        height, width = sizes[image]
        coordinates = ", ".join(f"{coordinate:g}" for coordinate in boxes_bp4[image, box].tolist())
        raise InvalidInputError(
            f"Box ({coordinates}) at input boxes[{image}][{box}] must be (x1, y1, x2, y2) with x1 < x2 and y1 < y2, "
            f"and touch its image of width {width} and height {height}."
        )


def _all_scaled(points_bpn2: Tensor, sizes: Sizes, target_size: int) -> Tensor:
    return torch.stack([scaled(points, size, target_size) for points, size in zip(points_bpn2, sizes, strict=True)])
