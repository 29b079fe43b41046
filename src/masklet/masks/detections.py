"""A result as `supervision` has it."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from masklet.errors import InvalidInputError
from masklet.masks.geometry import Mask


class Detected(Protocol):
    """What a detection is made of."""

    object_ids: tuple[int, ...]
    scores: npt.NDArray[np.floating]

    @property
    def boxes(self) -> npt.NDArray[np.float32]:
        """The tight boxes (x1, y1, x2, y2) [N, 4]."""
        ...

    @property
    def masks(self) -> Mask:
        """The masks, bool [N, H, W]."""
        ...


class AsDetections:
    """What a `Segmentation` is to other programs."""

    def to_supervision(self: Detected) -> Any:
        """Return the objects as `supervision.Detections`, with masks, scores as `confidence` and ids as `tracker_id`.

        All masks are decoded. InvalidInputError if supervision is not installed.
        """
        try:
            from supervision import Detections
        except ImportError as error:
            raise InvalidInputError("Detections are supervision's: pip install supervision.") from error
        return Detections(
            xyxy=self.boxes,
            mask=self.masks,
            confidence=np.asarray(self.scores, dtype=np.float32),
            class_id=np.zeros(len(self.object_ids), dtype=int),
            tracker_id=np.array(self.object_ids, dtype=int),
        )
