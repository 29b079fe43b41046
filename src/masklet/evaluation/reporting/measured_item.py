"""What was measured on one picture or one video."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np

from masklet.errors import InvalidInputError
from masklet.masks.geometry import Mask
from masklet.masks.run_length import RunLength, encode_run_length

WORST_OF_AN_ITEM = 3


@dataclass(frozen=True)
class WorstFrame:
    """A frame on which an object was found badly: its score (0 to 1) and the mask predicted there, as run lengths."""

    object_id: int
    frame: int
    score: float
    predicted: RunLength


@dataclass(frozen=True)
class MeasuredItem:
    """One picture or video and how well its objects were found.

    Attributes:
        name: of the picture or video, unique in an evaluation.
        dataset: the folder it comes from; means are taken over objects within a dataset, then over datasets.
        frames: the number of frames, 1 for a picture.
        object_ids: the objects that count.
        values: of each measure by its name, one value (0 to 1) an object, in the order of `object_ids`.
        worst: the worst frames of the worst objects, for the contact sheet.
    """

    name: str
    dataset: str
    frames: int
    object_ids: tuple[int, ...]
    values: dict[str, tuple[float, ...]]
    worst: tuple[WorstFrame, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return what `from_dict` reads, of kinds that JSON knows."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave; InvalidInputError if it is something else."""
        try:
            return cls(
                content["name"],
                content["dataset"],
                content["frames"],
                tuple(content["object_ids"]),
                {name: tuple(values) for name, values in content["values"].items()},
                tuple(WorstFrame(**each) for each in content["worst"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise InvalidInputError(f"This is not a measured picture or video: {error!r}.") from error


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


def mean_values(items: Sequence[MeasuredItem]) -> dict[str, float]:
    """Return the mean of every measure over all objects of `items`; a measure without any object is left out."""
    measures = dict.fromkeys(measure for item in items for measure in item.values)
    gathered = {each: [value for item in items for value in item.values.get(each, ())] for each in measures}
    return {measure: float(np.mean(values)) for measure, values in gathered.items() if values}
