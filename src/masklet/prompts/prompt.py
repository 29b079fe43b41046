"""What marks one object in an image: the one value that every way of prompting speaks."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch

from masklet.arrays import number_tensor
from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.masks.run_length import decode_run_length, encode_run_length
from masklet.masks.views import View
from masklet.prompts.point_labels import NEGATIVE, NOT_A_POINT, POSITIVE

Floats = npt.NDArray[np.floating]

LABELS = (POSITIVE, NEGATIVE, NOT_A_POINT)
KEYS = ("points", "box", "mask")


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Prompt:
    """Clicks, a box and a mask that mark one object, each or none of them, in pixels of its image.

    Everything given is copied, and what it holds cannot be changed.

    Args:
        points: [n, 2] (x, y), or one point.
        labels: [n]: 1 on the object, 0 off it; -1 for what is not a point, which networks take where they need one.
            None: all are on the object.
        box: (x1, y1, x2, y2) with x1 < x2 and y1 < y2; it may reach beyond the image.
        mask: [h, w]: bool or integers, of which all but 0 are inside; or floats: to an image logits, say
            `Segmentation.low_resolution_logits`, in a video 0 to 1, inside from 0.5 on.

    Attributes:
        points: float32 [n, 2].
        labels: int64 [n].
        box: float32 [4] or None.
        mask: bool or float32 [h, w], or None.

    Raises:
        InvalidInputError: if anything is not of that form, or not finite.

    Example:
        >>> from masklet import Prompt
        >>> prompt = Prompt(points=[[320, 200], [350, 240]], labels=[1, 0])
        >>> prompt.to_json()
        {'points': [[320.0, 200.0, 1], [350.0, 240.0, 0]]}
    """

    points: Floats
    labels: npt.NDArray[np.int64]
    box: Floats | None
    mask: npt.NDArray[Any] | None

    def __init__(self, points: Any = (), labels: Any = None, box: Any = None, mask: Any = None) -> None:
        points_n2 = _points(points)
        fields = {
            "points": points_n2,
            "labels": _labels(labels, len(points_n2)),
            "box": None if box is None else _box(box),
            "mask": None if mask is None else _mask(mask),
        }
        for name, value in fields.items():
            if value is not None:
                value.flags.writeable = False
            object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Prompt):
            return NotImplemented
        names = ("points", "labels", "box", "mask")
        return all(_are_equal(getattr(self, name), getattr(other, name)) for name in names)

    __hash__ = None  # type: ignore[assignment]

    @property
    def is_empty(self) -> bool:
        """Whether it marks nothing."""
        return not len(self.points) and self.box is None and self.mask is None

    @property
    def shape(self) -> tuple[int, bool, tuple[int, ...] | None]:
        """How many points it has, whether it has a box, and the shape of its mask or None."""
        return len(self.points), self.box is not None, None if self.mask is None else self.mask.shape

    def __repr__(self) -> str:
        given = {"points": self.points.tolist(), "labels": self.labels.tolist()} if len(self.points) else {}
        if self.box is not None:
            given["box"] = self.box.tolist()
        if self.mask is not None:
            given["mask"] = f"{self.mask.dtype} {list(self.mask.shape)}"
        return f"Prompt({', '.join(f'{name}={shown(value)}' for name, value in given.items())})"

    @property
    def clicks(self) -> list[tuple[float, float, int]]:
        """The points on the object and off it as (x, y, label)."""
        placed = zip(self.points.tolist(), self.labels.tolist(), strict=True)
        return [(x, y, label) for (x, y), label in placed if label != NOT_A_POINT]

    @property
    def negative_points(self) -> Floats:
        """The clicks off the object, float32 [n, 2]."""
        return self.points[self.labels == NEGATIVE]

    @property
    def positive_points(self) -> Floats:
        """The clicks on the object, float32 [n, 2]."""
        return self.points[self.labels == POSITIVE]

    def extended(self, later: "Prompt") -> "Prompt":
        """Return this prompt with the points of a later one behind its own, and its box if there is none."""
        return Prompt(
            np.concatenate([self.points, later.points]),
            np.concatenate([self.labels, later.labels]),
            later.box if self.box is None else self.box,
            self.mask,
        )

    def extends(self, earlier: "Prompt") -> bool:
        """Return whether it holds all that an earlier one held and in its order, so that it goes on from there."""
        count = len(earlier.points)
        begins_alike = _are_equal(self.box, earlier.box) or (earlier.box is None and not count)
        return (
            begins_alike
            and _are_equal(self.mask, earlier.mask)
            and np.array_equal(self.points[:count], earlier.points)
            and np.array_equal(self.labels[:count], earlier.labels)
        )

    def with_mask(self, mask: Any) -> "Prompt":
        """Return its points and its box with another mask."""
        return Prompt(self.points, self.labels, self.box, mask)

    def moved_to(self, view: View) -> "Prompt":
        """Return the prompt in the pixels of a view, without the points that are not in it.

        The box stays whole; of the mask, which has the image's size, there is what the view shows.

        InvalidInputError if the mask does not reach as far as the view.
        """
        if self.mask is not None and (self.mask.shape[0] < view.bottom or self.mask.shape[1] < view.right):
            raise InvalidInputError(
                f"A mask of {self.mask.shape[1]} x {self.mask.shape[0]} pixels does not reach as far as {view}; only "
                "masks of the image's size move with their prompt."
            )
        is_shown = view.shows(self.points)
        return Prompt(
            view.places(self.points[is_shown]),
            self.labels[is_shown],
            None if self.box is None else view.places(self.box.reshape(2, 2)),
            None if self.mask is None else view.of(self.mask),
        )

    def check_in_image(self, height: int, width: int) -> None:
        """Raise InvalidInputError if a point is outside an image of that size, or the box does not touch it."""
        is_outside = ~View(0, 0, width, height).shows(self.points) & (self.labels != NOT_A_POINT)
        if is_outside.any():
            x, y = self.points[is_outside][0]
            raise InvalidInputError(
                f"The point ({x:g}, {y:g}) is outside its image of {width} x {height} pixels; allowed are 0 <= x <= "
                f"{width} and 0 <= y <= {height}."
            )
        if self.box is not None:
            x1, y1, x2, y2 = self.box
            if not (x1 < width and y1 < height and x2 > 0 and y2 > 0):
                raise InvalidInputError(
                    f"The box ({x1:g}, {y1:g}, {x2:g}, {y2:g}) does not touch its image of {width} x {height} pixels."
                )

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` takes: of points, box and mask those that are there.

        `points` are [[x, y, label], ...], `box` is [x1, y1, x2, y2], `mask` COCO run lengths {"size", "counts"}.

        InvalidInputError if the mask is of floats, which JSON has no form for.
        """
        written: dict[str, Any] = {}
        if len(self.points):
            labels = self.labels.tolist()
            written["points"] = [[*_plain(point), label] for point, label in zip(self.points, labels, strict=True)]
        if self.box is not None:
            written["box"] = _plain(self.box)
        if self.mask is not None:
            if self.mask.dtype != np.bool_:
                raise InvalidInputError("A mask of floats has no form in JSON; give the prompt one of bools: mask > 0.")
            written["mask"] = dict(encode_run_length(self.mask))
        return written

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Return what `to_json` described; a point may stand without its label, which is 1 then.

        InvalidInputError for anything else.
        """
        if not isinstance(value, dict) or not value.keys() <= set(KEYS):
            raise InvalidInputError(f"A prompt is an object with the keys {', '.join(KEYS)}; got {shown(value)}.")
        points = value.get("points", [])
        if not isinstance(points, list):
            raise InvalidInputError(f"'points' are listed as [x, y] or [x, y, label]; got {shown(points)}.")
        triples = [_triple(point) for point in points]
        if "box" in value and not _are_numbers(value["box"], (4,)):
            raise InvalidInputError(f"'box' must be [x1, y1, x2, y2]; got {shown(value['box'])}.")
        return cls(
            [triple[:2] for triple in triples],
            [triple[2] for triple in triples],
            value.get("box"),
            decode_run_length(value["mask"]) if "mask" in value else None,
        )


def check_in_image(prompts: Sequence[Prompt], height: int, width: int) -> None:
    """Raise InvalidInputError, with the number of the object, for the first prompt outside an image of that size."""
    for number, prompt in enumerate(prompts, 1):
        try:
            prompt.check_in_image(height, width)
        except InvalidInputError as error:
            raise InvalidInputError(f"Object {number}: {error}") from error


def _numbers(values: Any, name: str) -> Floats:
    """Finite numbers of any shape as float32, in memory of their own."""
    numbers: Floats = number_tensor(values, name).detach().to("cpu", torch.float32, copy=True).numpy()
    if not np.isfinite(numbers).all():
        raise InvalidInputError(f"{name} must be finite numbers; got {shown(values)}.")
    return numbers


def _points(values: Any) -> Floats:
    points = _numbers(values, "points")
    if points.size and (points.ndim > 2 or points.shape[-1:] != (2,)):
        raise InvalidInputError(f"points must have the shape [n, 2]; got {list(points.shape)}.")
    return points.reshape(-1, 2)


def _labels(values: Any, count: int) -> npt.NDArray[np.int64]:
    if values is None:
        return np.full(count, POSITIVE, np.int64)
    labels = _numbers(values, "labels")
    if labels.ndim > 1 or labels.size != count:
        raise InvalidInputError(f"{count} points need labels of the shape [{count}]; got {list(labels.shape)}.")
    unknown = sorted(set(labels.reshape(-1).tolist()) - set(LABELS))
    if unknown:
        raise InvalidInputError(
            f"A label must be 1 (on the object), 0 (off it) or -1 (not a point); got {unknown[0]:g}."
        )
    return labels.reshape(-1).astype(np.int64)


def _box(values: Any) -> Floats:
    box = _numbers(values, "box")
    if box.size != 4:
        raise InvalidInputError(f"box must be (x1, y1, x2, y2); got the shape {list(box.shape)}.")
    x1, y1, x2, y2 = box.reshape(4)
    if not (x1 < x2 and y1 < y2):
        raise InvalidInputError(f"box ({x1:g}, {y1:g}, {x2:g}, {y2:g}) must have x1 < x2 and y1 < y2.")
    return box.reshape(4)


def _mask(values: Any) -> npt.NDArray[Any]:
    given = number_tensor(values, "mask")
    if given.ndim != 2 or not given.numel():
        raise InvalidInputError(f"mask must have the shape [h, w]; got {list(given.shape)}.")
    return _numbers(given, "mask") if given.is_floating_point() else (given.detach() != 0).cpu().numpy()


def _are_equal(first: Any, second: Any) -> bool:
    if first is None or second is None:
        return first is second
    return first.dtype == second.dtype and np.array_equal(first, second)


def _plain(numbers: Floats) -> list[float]:
    """Numbers as short as they may be without becoming others in float32."""
    return [float(str(each)) for each in numbers]


def _triple(point: Any) -> Sequence[float]:
    """x, y and label."""
    if not _are_numbers(point, (2, 3)):
        raise InvalidInputError(f"a point must be [x, y] or [x, y, label]; got {shown(point)}.")
    return (*point, POSITIVE)[:3]


def _are_numbers(values: Any, counts: tuple[int, ...]) -> bool:
    is_list = isinstance(values, list) and len(values) in counts
    return is_list and all(isinstance(each, Real) and not isinstance(each, bool) for each in values)
