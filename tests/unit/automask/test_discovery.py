"""The state of following everything: when to search, what becomes of tracks, when frames can be reported."""

from dataclasses import replace

import numpy as np
import pytest

from masklet import EverythingPolicy, Segmentation
from masklet.automask.discovery import DiscoveryState
from masklet.automask.held_frames import HeldFrame
from masklet.masks.run_length import RunLength, encode_run_length

POLICY = EverythingPolicy(every=10, confirm=3, retire_after=4, duplicate_frames=2, max_objects=2)
SIZE = (1, 12)


def mask(text: str) -> RunLength:
    return encode_run_length(np.array([[sign == "#" for sign in text.ljust(12, ".")]]))


def present(**texts: str) -> Segmentation:
    """The masks of tracks `_1`, `_2`, ..."""
    numbers = [int(name[1:]) for name in texts]
    return Segmentation.from_run_lengths([mask(text) for text in texts.values()], SIZE, np.ones(len(texts)), numbers)


def state_of(*texts: str) -> DiscoveryState:
    """A state after a discovery on frame 0 that found these."""
    state = DiscoveryState(last_discovery=0)
    state.begin(0, [mask(text) for text in texts], POLICY, is_scene_new=True)
    return state


@pytest.mark.parametrize(
    ("last", "before", "frame", "uncovered", "is_due"),
    [
        (None, 1.0, 0, 1.0, True),  # the first frame
        (0, 0.5, 9, 0.5, False),
        (0, 0.5, 10, 0.0, True),  # `every`
        (0, 0.5, 1, 0.52, True),  # the share rose by more than .01
        (0, 0.5, 1, 0.505, False),
        (0, 0.5, 1, 0.2, False),
    ],
)
def test_when_a_frame_is_searched(last: int | None, before: float, frame: int, uncovered: float, is_due: bool) -> None:
    assert DiscoveryState(last_discovery=last, uncovered=before).is_due(frame, uncovered, POLICY) is is_due


@pytest.mark.parametrize(
    ("count", "left", "is_upset"),
    [(4, (1, 2), False), (4, (1,), True), (3, (1,), True), (3, (1, 2), False), (2, (), False), (0, (), False)],
)
def test_more_than_half_of_the_objects_lost_are_a_cut(count: int, left: tuple[int, ...], is_upset: bool) -> None:
    state = state_of(*["##"] * count)
    assert state.is_upset(2, left) is is_upset
    assert not state.is_upset(3, left)  # they were lost before


def test_ids_are_given_in_turn_and_never_again() -> None:
    state = state_of("##", "..##")
    state.look(5, present(_1="##"), POLICY)  # the second is given up
    assert list(state.tracks) == [1]
    numbers, named = state.begin(5, [mask("....##")], POLICY, is_scene_new=False)
    assert (numbers, named, state.tracks[3].object_id) == ([3], [], None)
    for frame in (6, 7):
        confirmed = state.look(frame, present(_1="##", _3="....##"), POLICY)
    assert [(track.number, track.object_id) for track in confirmed] == [(3, 3)]
    assert state.tracks[3].searched_from == 1  # after the discovery before


def test_of_duplicates_the_younger_one_is_given_up() -> None:
    state = state_of("####", "######")
    state.look(1, present(_1="####", _2="####"), POLICY)
    assert list(state.tracks) == [1, 2]
    state.look(2, present(_1="####", _2="####"), POLICY)
    assert list(state.tracks) == [1]


def test_a_cut_freezes_objects_and_drops_candidates() -> None:
    state = state_of("##", "..##", "....##")
    state.begin(0, [mask("......##")], POLICY, is_scene_new=False)
    state.tracks[2] = replace(state.tracks[2], last_frame=3)
    state.tracks[3] = replace(state.tracks[3], last_frame=3)
    state.cut(POLICY)
    assert (state.followed(), state.frozen()) == ([], [2, 3])  # no more than `max_objects`, those seen last


def test_candidates_that_vanish_again_and_again_are_not_tried_again() -> None:
    """As masks smaller than the network's cells do."""
    state = state_of("##")
    for frame in (2, 4):
        assert not state.is_hopeless(mask("....##"), POLICY)
        state.begin(frame, [mask("....##")], POLICY, is_scene_new=False)
        state.look(frame + 1, present(_1="##"), POLICY)
    assert state.vanished == 2
    assert state.is_hopeless(mask("....##"), POLICY)
    assert not state.is_hopeless(mask("......##"), POLICY)
    state.look(8, present(_1="##"), POLICY)  # a while later
    assert not state.is_hopeless(mask("....##"), POLICY)


def test_frames_wait_for_what_may_still_be_found_on_them() -> None:
    state = state_of("##")
    state.held = [HeldFrame(frame) for frame in range(4)]
    reported = []
    while state.is_reportable():
        reported.append(state.report(SIZE)[0])
    assert reported == [0]  # the next discovery may find what was there on frame 1
    state.last_discovery = 3
    assert state.is_reportable()
    state.last_discovery = 0
    state.begin(3, [mask("....##")], POLICY, is_scene_new=False)
    state.last_discovery = 3
    assert not state.is_reportable()  # its candidate may be confirmed
    state.look(4, present(_1="##"), POLICY)
    assert state.is_reportable()


def test_masks_are_reported_under_the_ids_that_their_tracks_got() -> None:
    state = state_of("##")
    state.held = [HeldFrame(0).with_masks(present(_1="##", _2="..##", _3="....##"), is_flat=False)]
    state.names = {1: 1, 2: 7}
    _, found = state.report(SIZE)
    assert found.object_ids == (1, 7)
    assert state.names == {1: 1}  # nothing needs the other any more
