"""The JSON that describes a saved session, checked value by value; tensors and masks are in files beside it."""

from collections.abc import Callable, Collection
from dataclasses import MISSING, dataclass
from typing import Any, Literal, Self, TypeVar

from masklet.errors import InvalidInputError
from masklet.json_files import LARGEST, shown, whole_number

Value = TypeVar("Value")
Entries = tuple[tuple[int, Value], ...]
LONGEST_SIDE = 2**20  # of the video, in pixels


@dataclass(frozen=True)
class ObjectDescription:
    """One object: its frames with prompts, with applied ones (and whether these are the ones there now), with memories.

    Memories come with the direction in which their frame was tracked; None: prompted, never tracked.
    """

    object_id: int
    prompts: tuple[int, ...]
    answered: Entries[bool]
    conditioning: Entries[bool | None]
    tracked: Entries[bool | None]

    @classmethod
    def from_json(cls, value: object, frame_count: int) -> Self:
        """Return the object that JSON describes; InvalidInputError if it cannot be one of a video of so many frames."""
        fields = _fields(value, cls.__dataclass_fields__, "An object")
        object_id = whole_number(fields["object_id"], "object_id", least=-LARGEST)
        place = f"of object {object_id}"
        prompts = frames_of([[frame, True] for frame in _list(fields["prompts"], "prompts")], _flag, frame_count)
        answered = frames_of(fields["answered"], _flag, frame_count)
        conditioning = frames_of(fields["conditioning"], direction, frame_count)
        tracked = frames_of(fields["tracked"], direction, frame_count)
        if answered.keys() != conditioning.keys() or not answered.keys() <= prompts.keys():
            raise InvalidInputError(f"The applied prompts {place} are not those with memories.")
        if tracked.keys() & conditioning.keys():
            raise InvalidInputError(f"Frames {place} are both prompted and tracked.")
        return cls(
            object_id, tuple(prompts), tuple(answered.items()), tuple(conditioning.items()), tuple(tracked.items())
        )


@dataclass(frozen=True)
class SessionDescription:
    """A session without its tensors, its compact masks and its frames.

    `model` is the network's fingerprint, `first_look` what the first frame looks like (`tracking/frames.py`; None in
    sessions of earlier versions); the rest are attributes of the session.
    """

    model: str
    is_stream: bool
    num_frames: int
    dtype: str
    retention: Literal["window", "spill"]
    video_height: int | None
    video_width: int | None
    max_results: int
    objects: tuple[ObjectDescription, ...]
    first_look: tuple[int, ...] | None = None
    zoom: bool = False

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Return the session that JSON describes; InvalidInputError, naming what is wrong, if it describes none."""
        required = [name for name, field in cls.__dataclass_fields__.items() if field.default is MISSING]
        fields = _fields(value, required, "A session")
        is_stream = _flag(fields["is_stream"], "is_stream")
        num_frames = whole_number(fields["num_frames"], "num_frames")
        # Prompts may wait for the next frame of a stream.
        frame_count = num_frames + 1 if is_stream else num_frames
        objects = tuple(ObjectDescription.from_json(each, frame_count) for each in _list(fields["objects"], "objects"))
        ids = [each.object_id for each in objects]
        if len(set(ids)) < len(ids):
            raise InvalidInputError(f"The object ids are {shown(ids)}; each must be different.")
        return cls(
            model=_text(fields["model"], "model"),
            is_stream=is_stream,
            num_frames=num_frames,
            dtype=_text(fields["dtype"], "dtype"),
            retention=_retention(fields["retention"]),
            video_height=_side(fields["video_height"], "video_height"),
            video_width=_side(fields["video_width"], "video_width"),
            max_results=whole_number(fields["max_results"], "max_results"),
            objects=objects,
            first_look=_look(fields.get("first_look")),
            zoom=_flag(fields.get("zoom", False), "zoom"),
        )


def frames_of(value: object, read: Callable[[object, str], Value], frame_count: int) -> dict[int, Value]:
    """Return the values of frames by their numbers, from a list [[frame, value], ...] of different frames."""
    found: dict[int, Value] = {}
    for entry in _list(value, "frames"):
        if not isinstance(entry, list) or len(entry) != 2:
            raise InvalidInputError(f"Expected [frame, value]; got {shown(entry)}.")
        frame = whole_number(entry[0], "A frame", most=frame_count - 1)
        if frame in found:
            raise InvalidInputError(f"Frame {frame} is there twice.")
        found[frame] = read(entry[1], f"The value of frame {frame}")
    return found


def direction(value: object, name: str) -> bool | None:
    """Return whether a frame was tracked in reverse, None if it was not tracked."""
    return None if value is None else _flag(value, name)


def _fields(value: object, names: Collection[str], what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInputError(f"{what} must be described by an object; got {shown(value)}.")
    if missing := [name for name in names if name not in value]:
        raise InvalidInputError(f"{what} must have {', '.join(missing)}; got {shown(list(value))}.")
    return value


def _list(value: object, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidInputError(f"{name} must be a list; got {shown(value)}.")
    return value


def _flag(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidInputError(f"{name} must be true or false; got {shown(value)}.")
    return value


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise InvalidInputError(f"{name} must be text; got {shown(value)}.")
    return value


def _retention(value: object) -> Literal["window", "spill"]:
    if value == "window":
        return "window"
    if value == "spill":
        return "spill"
    raise InvalidInputError(f"retention must be window or spill; got {shown(value)}.")


def _side(value: object, name: str) -> int | None:
    return None if value is None else whole_number(value, name, least=1, most=LONGEST_SIDE)


def _look(value: object) -> tuple[int, ...] | None:
    if value is None:
        return None
    return tuple(whole_number(each, "A colour of first_look", least=-LARGEST) for each in _list(value, "first_look"))
