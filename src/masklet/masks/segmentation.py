"""The result that segmenting, drawing, writing and evaluating share."""

import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import SupportsIndex

import numpy as np
import numpy.typing as npt

from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.masks.geometry import Mask, bounding_box


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The masks of N objects in one picture of H x W pixels.

    Args:
        masks: bool [N, H, W].
        scores: float [N]: how good the model expects each mask to be (predicted IoU, about 0 to 1).
        object_ids: N different integers above 0, the caller's names of the objects (0 is the background in mask files).
        low_resolution_logits: float [N, h, w], the masks as the network gave them, to be fed back with the next
            prompt; None where the masks do not come from the network.

    InvalidInputError if the shapes do not fit together.
    """

    masks: Mask
    scores: npt.NDArray[np.floating]
    object_ids: tuple[int, ...]
    low_resolution_logits: npt.NDArray[np.floating] | None = None

    def __post_init__(self) -> None:
        if self.masks.ndim != 3 or self.masks.dtype != np.bool_:
            raise InvalidInputError(f"Masks are bool [N, H, W]; got {self.masks.dtype} {list(self.masks.shape)}.")
        count = len(self.masks)
        if self.scores.shape != (count,):
            raise InvalidInputError(f"{count} masks need scores of the shape [{count}]; got {list(self.scores.shape)}.")
        object.__setattr__(self, "object_ids", as_object_ids(self.object_ids))
        if len(self.object_ids) != count or len(set(self.object_ids)) != count or min(self.object_ids, default=1) < 1:
            raise InvalidInputError(f"{count} masks need {count} different object ids above 0; got {self.object_ids}.")
        logits = self.low_resolution_logits
        if logits is not None and (logits.ndim != 3 or len(logits) != count):
            raise InvalidInputError(
                f"{count} masks need logits of the shape [{count}, h, w]; got {list(logits.shape)}."
            )

    def __len__(self) -> int:
        return len(self.masks)

    @property
    def areas(self) -> npt.NDArray[np.int64]:
        """The number of pixels of each mask, int64 [N]."""
        return np.count_nonzero(self.masks, axis=(1, 2)).astype(np.int64)

    @property
    def boxes(self) -> npt.NDArray[np.float32]:
        """The tight boxes (x1, y1, x2, y2) in pixels, float32 [N, 4]; zeros for an empty mask."""
        boxes = [bounding_box(mask) or (0.0, 0.0, 0.0, 0.0) for mask in self.masks]
        return np.array(boxes, dtype=np.float32).reshape(-1, 4)


def as_object_ids(object_ids: Iterable[SupportsIndex]) -> tuple[int, ...]:
    """Return whole numbers of any kind as a tuple; InvalidInputError for anything else."""
    try:
        return tuple(operator.index(object_id) for object_id in object_ids)
    except TypeError as error:
        raise InvalidInputError(f"Object ids are a list of whole numbers above 0; got {shown(object_ids)}.") from error
