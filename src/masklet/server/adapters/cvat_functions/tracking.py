"""Masks and polygons through a video: `cvat-cli function create-native NAME --function-file tracking.py`."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from masklet.formats.cvat_points import mask_of_points, points_of_mask
from masklet.masks.geometry import Mask
from masklet.masks.outlines import pieces_of
from masklet.masks.polygons import counts_of_polygons
from masklet.masks.run_length import mask_of
from masklet.predictors.encoded_frame import EncodedFrame
from masklet.predictors.tracked_video import TrackedVideo
from masklet.predictors.video_tracker import VideoTracker
from masklet.prompts.prompt import Prompt
from masklet.server.adapters.cvat_functions.sdk import auto_annotation

OBJECT_ID = 1


@dataclass(frozen=True)
class TrackingState:
    """What is known of one shape: a stream of frames with its memories, and what kind of shape CVAT wants."""

    stream: TrackedVideo
    kind: str


class Tracking:
    """Follows one shape at a time; CVAT keeps the states.

    Args:
        tracker: opens a stream for each shape.
    """

    def __init__(self, tracker: VideoTracker) -> None:
        self._sdk, self._tracker = auto_annotation(), tracker
        self.spec = self._sdk.TrackingFunctionSpec(supported_shape_types={"mask", "polygon"})

    def preprocess_image(self, context: Any, image: Any) -> EncodedFrame:
        """Return the image encoded, once for all shapes."""
        return self._tracker.encode(image.convert("RGB"))

    def init_tracking_state(self, context: Any, pp_image: EncodedFrame, shape: Any) -> TrackingState:
        """Begin to follow a shape from this image on."""
        stream = self._tracker.open()
        number, _ = stream.push(pp_image)
        stream.add(OBJECT_ID, number, Prompt(mask=_mask_of(shape, *pp_image.size)))
        stream.segment(number)
        return TrackingState(stream, shape.type)

    def track(self, context: Any, pp_image: EncodedFrame, state: TrackingState) -> Any:
        """Return the shape on the next image; None where it is not seen."""
        _, found = state.stream.push(pp_image)
        mask = found.mask(0)
        if not mask.any():
            return None
        points = points_of_mask(mask) if state.kind == "mask" else pieces_of(mask)[0].outline.ravel().tolist()
        return self._sdk.TrackableShape(type=state.kind, points=points)


def _mask_of(shape: Any, height: int, width: int) -> Mask:
    if shape.type == "mask":
        return mask_of_points(shape.points, height, width)
    outline = np.array(shape.points, dtype=np.float64).reshape(-1, 2)
    return mask_of(counts_of_polygons([outline], height, width), height, width)


def create(model: str | None = None, **options: Any) -> Tracking:
    """Return the function of a model (None: the bundled one); options are device, dtype, preset, ..."""
    return Tracking(VideoTracker.from_pretrained(model, **options))
