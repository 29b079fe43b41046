"""The bodies of CVAT's serverless functions: clicks and boxes in an image, boxes through a video."""

import base64
import binascii
from collections import OrderedDict
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, Protocol
from uuid import uuid4

import numpy as np

from masklet.errors import InvalidInputError
from masklet.json_files import is_finite_number, shown
from masklet.masks.segmentation import Segmentation
from masklet.media.images import Pixels, read_image
from masklet.prompts.prompt import Prompt

MOST_STREAMS = 16
"""Objects that are followed at once; of more, those that were asked for the longest time ago end."""

Body = dict[str, Any]
SegmentImage = Callable[[Pixels, Prompt], Segmentation]


class Stream(Protocol):
    """A video whose frames come one by one, such as `VideoTracker.open()` returns."""

    def push(self, image: Any) -> tuple[int, Segmentation]:
        """Track the objects onto the next frame."""
        ...

    def add(self, object_id: int, frame: int, *, box: Any) -> object:
        """Mark an object by a box (x1, y1, x2, y2)."""
        ...

    def segment(self, frame: int) -> Segmentation:
        """Return the masks of the objects on a frame."""
        ...


class OpensStreams(Protocol):
    """What encodes frames and opens streams, such as `VideoTracker`."""

    def encode(self, image: Any) -> Any:
        """Encode a frame once for several streams."""
        ...

    def open(self) -> Stream:
        """Open a stream."""
        ...


def interact(body: object, segment: SegmentImage) -> Body:
    """Return the answer of an interactor: the mask as rows of 0 and 1.

    Args:
        body: `image` (base64), `pos_points`, `neg_points` ([[x, y], ...]) and `obj_bbox` ([[x1, y1], [x2, y2]]).
        segment: segments pixels by a prompt.

    Raises:
        InvalidInputError: if the body is not of that form.
        UnreadableImageError: if the image is none.
    """
    content = _mapping(body)
    positive, negative = (_pairs(content.get(name), name) for name in ("pos_points", "neg_points"))
    box = _pairs(content.get("obj_bbox"), "obj_bbox")
    if len(box) not in (0, 2):
        raise InvalidInputError(f"obj_bbox is two corners; got {shown(content.get('obj_bbox'))}.")
    if not (positive or negative or box):
        raise InvalidInputError("There is no click and no box.")
    labels = [1] * len(positive) + [0] * len(negative)
    points = np.array([*positive, *negative], dtype=np.float32).reshape(-1, 2)
    found = segment(_image(content), Prompt(points, labels, [*box[0], *box[1]] if box else None))
    return {"mask": found.mask(0).astype(np.uint8).tolist()}


class NuclioTracker:
    """Boxes through a video; `states` name what is followed, the memories of which stay here.

    Args:
        tracker: opens a stream for each object; frames are encoded once for all of them.
        most_streams: how many are kept.
    """

    def __init__(self, tracker: OpensStreams, most_streams: int = MOST_STREAMS) -> None:
        self._tracker, self._most = tracker, most_streams
        self._streams: OrderedDict[str, Stream] = OrderedDict()

    def track(self, body: object) -> Body:
        """Return the boxes of all objects on the next frame, and their states.

        Args:
            body: `image` (base64), and either `shapes` ([[x1, y1, x2, y2], ...]) of objects to be followed from this
                frame on, or the `states` of earlier answers; a list of nothing stands for the other.

        Raises:
            InvalidInputError: if the body is not of that form, or a state has ended.
            UnreadableImageError: if the image is none.
        """
        content = _mapping(body)
        shapes, states = content.get("shapes") or [], content.get("states") or []
        if not isinstance(shapes, list) or not isinstance(states, list):
            raise InvalidInputError("shapes and states are lists.")
        if len(shapes) > self._most:
            raise InvalidInputError(f"Up to {self._most} objects are followed at once; got {len(shapes)} shapes.")
        streams = [self._stream_of(state) for state in states]
        frame = self._tracker.encode(_image(content))
        if not states:
            return {"shapes": shapes, "states": [self._begun(frame, shape) for shape in shapes]}
        return {"shapes": [_box(stream.push(frame)[1]) for stream in streams], "states": states}

    def _begun(self, frame: Any, shape: object) -> str:
        stream, state = self._tracker.open(), uuid4().hex
        number, _ = stream.push(frame)
        stream.add(1, number, box=shape)
        stream.segment(number)  # so that the frame is not needed any more
        self._streams[state] = stream
        while len(self._streams) > self._most:
            self._streams.popitem(last=False)
        return state

    def _stream_of(self, state: object) -> Stream:
        stream = self._streams.get(state) if isinstance(state, str) else None
        if stream is None:
            raise InvalidInputError(f"The state {shown(state)} is not followed any more; begin with its shape.")
        self._streams.move_to_end(str(state))
        return stream


def _box(found: Segmentation) -> list[float]:
    box: list[float] = found.boxes[0].tolist()
    return box


def _image(content: Mapping[str, Any]) -> Pixels:
    encoded = content.get("image")
    try:
        decoded = base64.b64decode(encoded if isinstance(encoded, str) else "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInputError(f"image is no image in base64 ({error}).") from error
    return np.array(read_image(BytesIO(decoded)))


def _pairs(points: object, name: str) -> list[list[float]]:
    found = [] if points is None else points
    if not isinstance(found, list) or not all(map(_is_pair, found)):
        raise InvalidInputError(f"{name} is a list of [x, y]; got {shown(points)}.")
    return found


def _is_pair(point: object) -> bool:
    return isinstance(point, list) and len(point) == 2 and all(map(is_finite_number, point))


def _mapping(body: object) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise InvalidInputError(f"The body is an object; got {shown(body)}.")
    return body
