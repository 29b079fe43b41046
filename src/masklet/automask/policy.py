"""How everything in a video is found and followed: one frozen value, checked when it is made."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self, get_args

from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.whole_numbers import as_whole_number

Granularity = Literal["surest", "parts", "wholes"]
Layers = Literal["flat", "all"]

MOST_OBJECTS, MOST_OBJECTS_ON_GPU = 50, 200
LEAST_AREA = 100  # pixels
LEAST_AREA_SHARE = 0.0005  # of the frame


@dataclass(frozen=True, kw_only=True)
class EverythingPolicy:
    """When a video is searched for objects, which of the masks found are new ones, and when objects are given up.

    Args:
        every: frames from one discovery to the next, at most.
        uncovered_rise: a discovery begins earlier once the share of the frame in no tracked mask has risen by this much
            since the last one.
        cut: two frames whose colour histograms differ by more, of 0 to 1, are a scene cut; 1: none ever is.
        match: a mask found is that of a tracked object from this IoU on; .5 to 1, so that it can be of one only.
        contained: a mask found is a part of a tracked object if this share of it lies in that object's mask.
        parts: take parts of tracked objects as objects of their own.
        new_share: a mask found is of a new object if at least this share of it is in no tracked mask.
        granularity: of masks found at once that overlap, "surest": the one with the higher score keeps its pixels, and
            the other one the rest, if that is half of it; "parts": the smaller one keeps them, and the larger one the
            rest; "wholes": of nested ones the larger one alone stays.
        min_area: smallest area of an object in pixels; None: 100, or .0005 of the frame where that is more.
        max_area: largest area of an object, as a share of the frame.
        confirm: a new object is reported once it was there on so many frames in succession; on the first frame and at
            scene cuts at once.
        retire_after: an object that was absent for more frames is given up: its memory is freed, its id not used again.
        revive: a new object whose mask overlaps the last mask of a lost one by this IoU takes its id; 1: none does.
        refresh: a tracked mask that scores below gets the mask found there as a new prompt, if that scores above;
            0: never.
        duplicate: two objects whose masks overlap by more than this IoU are one.
        duplicate_frames: ... once they did on so many frames in succession; the younger one is given up.
        max_objects: most objects at a time; None: 50 on a processor, 200 on a GPU.
        layers: "flat": each pixel belongs to one object; "all": masks may overlap.
        points_per_side: of the grid of a discovery; None: as the preset of the model has it.

    Raises:
        InvalidInputError: for values out of range.

    Example:
        >>> from masklet import EverythingPolicy
        >>> EverythingPolicy.named("careful").every, EverythingPolicy(every=20).confirm
        (5, 3)
    """

    every: int = 10
    uncovered_rise: float = 0.01
    cut: float = 0.2
    match: float = 0.5
    contained: float = 0.8
    parts: bool = False
    new_share: float = 0.5
    granularity: Granularity = "surest"
    min_area: int | None = None
    max_area: float = 0.95
    confirm: int = 3
    retire_after: int = 50
    revive: float = 0.5
    refresh: float = 0.0
    duplicate: float = 0.8
    duplicate_frames: int = 3
    max_objects: int | None = None
    layers: Layers = "flat"
    points_per_side: int | None = None

    def __post_init__(self) -> None:
        for name in ("every", "confirm", "retire_after", "duplicate_frames"):
            as_whole_number(getattr(self, name), name, least=1)
        for name in ("min_area", "max_objects", "points_per_side"):
            if getattr(self, name) is not None:
                as_whole_number(getattr(self, name), f"{name}, where it is given,", least=1)
        for name in ("uncovered_rise", "cut", "contained", "new_share", "max_area", "revive", "refresh", "duplicate"):
            _check_share(name, getattr(self, name))
        _check_share("match", self.match, least=0.5)
        if not isinstance(self.parts, bool):
            raise InvalidInputError(f"parts must be true or false; got {shown(self.parts)}.")
        for name, allowed in (("granularity", get_args(Granularity)), ("layers", get_args(Layers))):
            if getattr(self, name) not in allowed:
                raise InvalidInputError(f"{name} must be {' or '.join(allowed)}; got {shown(getattr(self, name))}.")

    @classmethod
    def named(cls, name: str, **options: Any) -> Self:
        """Return the preset of a name ("careful", "default", "fast") with other values for some fields.

        Raises:
            InvalidInputError: if there is no such preset or field, or for values out of range.
        """
        if not isinstance(name, str) or name not in PRESETS:
            raise InvalidInputError(f"There is no policy {shown(name)}; the policies are {', '.join(PRESETS)}.")
        known = [field.name for field in fields(cls)]
        if unknown := sorted(options.keys() - set(known)):
            raise InvalidInputError(f"A policy has no {', '.join(unknown)}; it has {', '.join(known)}.")
        return cls(**{**PRESETS[name], **options})

    @classmethod
    def of(cls, policy: "EverythingPolicy | str | None") -> "EverythingPolicy":
        """Return a policy, given itself, by its name, or as None for the default."""
        if isinstance(policy, EverythingPolicy):
            return policy
        return cls.named("default" if policy is None else policy)

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Return the policy that `to_json` described; InvalidInputError for anything else."""
        if not isinstance(value, Mapping) or value.keys() != {field.name for field in fields(cls)}:
            raise InvalidInputError(f"A policy is an object of its fields; got {shown(value)}.")
        return cls(**value)

    def to_json(self) -> dict[str, Any]:
        """Return all fields as plain JSON."""
        return asdict(self)

    def least_area(self, size: tuple[int, int]) -> float:
        """Return the smallest area of an object in pixels, in frames of that (height, width)."""
        if self.min_area is not None:
            return self.min_area
        return max(LEAST_AREA, LEAST_AREA_SHARE * size[0] * size[1])

    def on(self, *, is_processor: bool) -> "EverythingPolicy":
        """Return this policy with a number of `max_objects`, which depends on the device where it is left open."""
        return replace(self, max_objects=self.max_objects or (MOST_OBJECTS if is_processor else MOST_OBJECTS_ON_GPU))

    @property
    def budget(self) -> int:
        """Most objects at a time; `MOST_OBJECTS` where it is left open."""
        return self.max_objects or MOST_OBJECTS


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "careful": {"every": 5, "retire_after": 100},
    "default": {},
    "fast": {"every": 30, "retire_after": 150},
}


def _check_share(name: str, value: object, least: float = 0.0) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not least <= value <= 1:  # type: ignore[operator]
        raise InvalidInputError(f"{name} must be from {least:g} to 1; got {shown(value)}.")
