"""The state of following everything, saved at any frame: what is resumed goes on as without the break."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.saved_sessions import index_of, write_index
from tests.support.shade_world import ShadeFinder, shade_tracker, world

from masklet import DamagedSessionError, EverythingPolicy, InvalidInputError, ObjectRecord, Segmentation
from masklet.automask.saved_discovery import state_from_json, state_to_json
from masklet.predictors.everything_in_video import EverythingInVideo

POLICY = EverythingPolicy(min_area=30, every=3, retire_after=6, refresh=0.95)


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """An object that moves, one that comes and goes, a cut to one of another scene and back, a candidate that fails."""
    first = [(4 * number, 0) for number in range(7)] + [None] * 3 + [(40, 0)] * 6
    second = [None] * 2 + [(40, 40)] * 4 + [None] * 10
    third = [None] * 7 + [(20, 20)] * 3 + [None] * 6
    fourth = [None] * 12 + [(0, 40)] + [None] * 3
    grounds = [0] * 7 + [255] * 3 + [0] * 6
    return world({60: first, 120: second, 180: third, 220: fourth}, ground=grounds)[0]


Result = tuple[list[tuple[int, tuple[int, ...], list[Any]]], tuple[ObjectRecord, ...], tuple[int, ...]]


def opened(video: Any, *, lookback: bool) -> EverythingInVideo:
    return shade_tracker().everything(video, POLICY, generator=ShadeFinder(), lookback=lookback)


def seen_in(results: list[tuple[int, Segmentation]], found: EverythingInVideo) -> Result:
    state = found.state
    frames = [(number, each.object_ids, list(each.run_lengths)) for number, each in results]
    return frames, found.objects, (state.refused, state.vanished, state.discoveries, state.next_number)


def some(found: Iterator[tuple[int, Segmentation]], count: int) -> list[tuple[int, Segmentation]]:
    return [next(found) for _ in range(count)]


@pytest.mark.parametrize("lookback", [False, True])
def test_a_break_after_any_frame_changes_nothing(frames: np.ndarray, lookback: bool, tmp_path: Path) -> None:
    found = opened(frames, lookback=lookback)
    expected = seen_in(list(found), found)
    for count in (0, 1, 4, 7, 8, 10, 13):
        before = opened(frames, lookback=lookback)
        results = some(iter(before), count)
        before.save(tmp_path)
        after = shade_tracker().resume_everything(tmp_path, frames, generator=ShadeFinder())
        assert after.lookback is lookback
        assert seen_in([*results, *after], after) == expected


def test_a_stream_continues_where_it_was(frames: np.ndarray, tmp_path: Path) -> None:
    found = opened(iter(frames), lookback=False)
    expected = seen_in(list(found), found)
    for count in (0, 1, 4, 8):
        images = iter(frames)
        before = opened(images, lookback=False)
        results = some(iter(before), count)
        before.save(tmp_path)
        after = shade_tracker().resume_everything(tmp_path, images, generator=ShadeFinder())
        assert seen_in([*results, *after], after) == expected


def test_states_survive_json(frames: np.ndarray) -> None:
    found = opened(frames, lookback=True)
    some(iter(found), 9)
    described = json.loads(json.dumps(state_to_json(found.state)))
    assert state_to_json(state_from_json(described, (64, 64))) == described
    assert described["held"]


@pytest.mark.parametrize(
    "change",
    [
        {"next_id": 1},
        {"next_frame": -1},
        {"uncovered": None},
        {"held": [[1, [[1, {"size": [2, 2], "counts": "4"}, 0.5]]]]},
        {"records": [{}]},
        {"tracks": []},
        {"histogram": ["many"]},
        {"failures": 3},
    ],
)
def test_damage_is_named(frames: np.ndarray, change: dict[str, Any], tmp_path: Path) -> None:
    found = opened(frames, lookback=True)
    some(iter(found), 4)
    found.save(tmp_path)
    content = index_of(tmp_path)
    content["everything"]["state"] |= change
    write_index(tmp_path, content)
    with pytest.raises(DamagedSessionError, match=str(tmp_path)):
        shade_tracker().resume_everything(tmp_path, frames, generator=ShadeFinder())


def test_a_session_of_prompted_objects_is_another_thing(frames: np.ndarray, tmp_path: Path) -> None:
    tracked = shade_tracker().open(frames)
    tracked.save(tmp_path)
    with pytest.raises(DamagedSessionError, match="prompted objects"):
        shade_tracker().resume_everything(tmp_path, frames, generator=ShadeFinder())
    with pytest.raises(InvalidInputError, match="of a video"):
        shade_tracker().resume_everything(tmp_path, iter(frames), generator=ShadeFinder())
