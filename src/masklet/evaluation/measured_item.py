"""What was measured on one image or one video."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np

from masklet.errors import InvalidInputError
from masklet.json_files import is_finite_number, shown, whole_number
from masklet.masks.geometry import Mask
from masklet.masks.run_length import RunLength, decode_run_length, encode_run_length

WORST_OF_AN_ITEM = 3
ALL_OBJECTS = -1
"""In place of an object's id: the frame as a whole."""


@dataclass(frozen=True)
class WorstFrame:
    """A frame with a low score: its score (0 to 1) and the masks predicted there.

    Attributes:
        object_id: the object that is shown; `ALL_OBJECTS` for all of the frame.
        frame: its number.
        score: 0 to 1.
        predicted: the mask of the object as run lengths, or a list of all masks.
    """

    object_id: int
    frame: int
    score: float
    predicted: RunLength | list[RunLength]

    @property
    def masks(self) -> list[RunLength]:
        """The predicted masks."""
        return self.predicted if isinstance(self.predicted, list) else [self.predicted]

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Read what `asdict` gave; InvalidInputError for values of the wrong kind and a mask that is broken."""
        worst = cls(
            whole_number(content["object_id"], "object_id", ALL_OBJECTS),
            whole_number(content["frame"], "frame"),
            _score(content["score"]),
            content["predicted"],
        )
        for each in worst.masks:
            decode_run_length(each)
        return worst


@dataclass(frozen=True)
class MeasuredItem:
    """One image or video and the scores of its objects.

    Attributes:
        name: of the image or video, unique in an evaluation.
        dataset: the folder it comes from; means are taken over objects within a dataset, then over datasets.
        frames: the number of frames, 1 for an image.
        object_ids: the objects that count.
        values: of each measure by its name, one value (0 to 1) an object, in the order of `object_ids`; a measure of
            some kind of objects has those of this kind only.
        worst: the worst frames of the worst objects, for the contact sheet.
        remarks: warnings about the item, a sentence each.
        amounts: by name, what was counted or measured of the item as a whole (0 or more), such as masks found.
    """

    name: str
    dataset: str
    frames: int
    object_ids: tuple[int, ...]
    values: dict[str, tuple[float, ...]]
    worst: tuple[WorstFrame, ...] = ()
    remarks: tuple[str, ...] = ()
    amounts: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return what `from_dict` reads, of kinds that JSON knows."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave; InvalidInputError if it is something else."""
        try:
            return cls(
                _text(content["name"]),
                _text(content["dataset"]),
                whole_number(content["frames"], "frames", 1),
                tuple(whole_number(each, "an object id") for each in content["object_ids"]),
                {name: tuple(map(_score, values)) for name, values in content["values"].items()},
                tuple(map(WorstFrame.from_dict, content["worst"])),
                tuple(map(_text, content.get("remarks", ()))),
                {name: _amount(value) for name, value in content.get("amounts", {}).items()},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise InvalidInputError(f"This is not a measured image or video: {error!r}.") from error


@dataclass
class WorstFrames:
    """Gathers the worst frame of each object, as the frames come by, and in the end those of the worst objects."""

    _of_objects: dict[int, WorstFrame] = field(default_factory=dict)

    def offer(self, object_id: int, frame: int, score: float, predicted: Mask) -> None:
        """Keep the mask (bool [H, W]) if no frame of the object offered before has as low a score (0 to 1)."""
        known = self._of_objects.get(object_id)
        if known is None or score < known.score:
            self._of_objects[object_id] = WorstFrame(object_id, frame, score, encode_run_length(predicted))

    def of(self, object_ids: Collection[int]) -> tuple[WorstFrame, ...]:
        """Return the worst frames of the three worst of these objects, those that count, the worst first."""
        offered = [each for each in self._of_objects.values() if each.object_id in object_ids]
        return tuple(sorted(offered, key=lambda each: each.score)[:WORST_OF_AN_ITEM])


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInputError(f"A name is text; got {shown(value)}.")
    return value


def _score(value: object) -> float:
    if not isinstance(value, int | float) or not -1 <= value <= 1:  # below 0 where quality grows in place of decaying
        raise InvalidInputError(f"A value is a number from -1 to 1; got {shown(value)}.")
    return value


def _amount(value: object) -> float:
    if not is_finite_number(value) or value < 0:
        raise InvalidInputError(f"An amount is a number from 0; got {shown(value)}.")
    return value


def mean_values(items: Sequence[MeasuredItem]) -> dict[str, float]:
    """Return the mean of every measure over all objects of `items`; a measure without any object is left out."""
    measures = dict.fromkeys(measure for item in items for measure in item.values)
    gathered = {each: [value for item in items for value in item.values.get(each, ())] for each in measures}
    return {measure: float(np.mean(values)) for measure, values in gathered.items() if values}


def mean_amounts(items: Sequence[MeasuredItem]) -> dict[str, float]:
    """Return the mean of every amount over the items that have it."""
    names = dict.fromkeys(name for item in items for name in item.amounts)
    return {name: float(np.mean([item.amounts[name] for item in items if name in item.amounts])) for name in names}
