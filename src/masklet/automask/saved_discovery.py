"""The state of finding and following everything as plain JSON, which stands beside that of the session."""

from collections.abc import Mapping
from typing import Any

from masklet.automask.discovery import DiscoveryState
from masklet.automask.held_frames import HeldFrame
from masklet.automask.object_records import ObjectRecord, ObjectTable
from masklet.automask.scene_cuts import Histogram
from masklet.automask.tracks import Track
from masklet.errors import InvalidInputError
from masklet.json_files import is_finite_number, shown, whole_number
from masklet.masks.run_length import RunLength, compressed

COUNTS = ("next_frame", "next_number", "next_id", "discoveries", "refused", "vanished")


def state_to_json(state: DiscoveryState) -> dict[str, Any]:
    """Return a state as plain JSON, to be read by `state_from_json`."""
    return {
        **{name: getattr(state, name) for name in COUNTS},
        "tracks": [track.to_json() for track in state.tracks.values()],
        "names": [list(each) for each in state.names.items()],
        "last_discovery": state.last_discovery,
        "uncovered": state.uncovered,
        "histogram": None if state.histogram is None else list(state.histogram),
        "streaks": [[*pair, length] for pair, length in state.streaks.items()],
        "failures": [list(each) for each in state.failures],
        "held": [each.to_json() for each in state.held],
        "reported": state.table.last_frame,
        "records": [record.to_json() for record in state.table.entries()],
    }


def state_from_json(value: object, size: tuple[int, int]) -> DiscoveryState:
    """Return the state that `state_to_json` described, of frames of that (height, width).

    Raises:
        InvalidInputError: if it describes none, naming what is wrong.
    """
    if not isinstance(value, Mapping) or not is_finite_number(value.get("uncovered")):
        raise InvalidInputError(f"The state of a discovery is {shown(value)}.")
    tracks = [Track.from_json(each, size) for each in value["tracks"]]
    records = [ObjectRecord.from_json(each) for each in value["records"]]
    state = DiscoveryState(
        **{name: whole_number(value[name], name) for name in COUNTS},
        tracks={track.number: track for track in tracks},
        names={_number(number): _number(object_id) for number, object_id in value["names"]},
        last_discovery=_frame(value["last_discovery"], "last_discovery"),
        uncovered=float(value["uncovered"]),
        histogram=_histogram(value["histogram"]),
        streaks={(_number(one), _number(other)): whole_number(n, "streak") for one, other, n in value["streaks"]},
        failures=[(whole_number(frame, "frame"), _mask(mask, size)) for frame, mask in value["failures"]],
        held=[HeldFrame.from_json(each, size) for each in value["held"]],
        table=ObjectTable(records, _frame(value["reported"], "reported")),
    )
    if any(track.object_id is not None and track.object_id >= state.next_id for track in tracks):
        raise InvalidInputError(f"An object has an id of {state.next_id} or above, which is to be given next.")
    return state


def _number(value: object) -> int:
    return whole_number(value, "A number of a track", least=1)


def _frame(value: object, name: str) -> int | None:
    return None if value is None else whole_number(value, name)


def _mask(value: object, size: tuple[int, int]) -> RunLength:
    return compressed(value, *size)


def _histogram(value: Any) -> Histogram | None:
    return None if value is None else tuple(whole_number(count, "A count of colours") for count in value)
