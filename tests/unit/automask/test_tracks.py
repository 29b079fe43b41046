"""What becomes of one track: there, absent, confirmed, given up, found again."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from masklet import EverythingPolicy, InvalidInputError
from masklet.automask.tracks import Track, revived_by
from masklet.masks.run_length import RunLength, encode_run_length

POLICY = EverythingPolicy(confirm=3, retire_after=5)


def mask(text: str) -> RunLength:
    return encode_run_length(np.array([[sign == "#" for sign in text]]))


TRACK = Track(number=4, found_on=10, searched_from=5, last_frame=10, last_mask=mask("###..."))


def test_a_candidate_is_confirmed_after_frames_in_succession() -> None:
    track = TRACK.seen(11, mask("###..."))
    assert not track.is_confirmed(POLICY)
    track = track.seen(12, mask(".###.."))
    assert track.is_confirmed(POLICY)
    assert track.last_mask == mask(".###..")
    assert not replace(track, object_id=1).is_confirmed(POLICY)  # it has its id


def test_a_gap_begins_the_count_anew() -> None:
    assert TRACK.seen(11, TRACK.last_mask).seen(13, TRACK.last_mask).looks == 1


def test_a_frame_counts_once() -> None:
    """It is seen on the frame of a discovery by tracking, and again by a mask that was found."""
    assert TRACK.seen(11, TRACK.last_mask).seen(11, TRACK.last_mask).looks == 2


@pytest.mark.parametrize(
    ("object_id", "frame", "is_given_up"), [(None, 10, False), (None, 11, True), (7, 15, False), (7, 16, True)]
)
def test_absence_ends_a_candidate_at_once_and_an_object_after_a_while(
    object_id: int | None, frame: int, is_given_up: bool
) -> None:
    assert replace(TRACK, object_id=object_id).is_given_up(frame, POLICY) is is_given_up


def test_seeing_a_frozen_track_thaws_it() -> None:
    assert not replace(TRACK, object_id=1, is_frozen=True).seen(20, TRACK.last_mask).is_frozen


def test_ids_are_older_than_candidates() -> None:
    """A candidate that took the id of a lost object is as old as that, whatever its number."""
    tracks = [TRACK, replace(TRACK, number=2, object_id=9), replace(TRACK, number=5, object_id=1)]
    assert [track.number for track in sorted(tracks, key=lambda track: track.age)] == [5, 2, 4]


@pytest.mark.parametrize(
    ("changes", "revive", "is_found"),
    [
        ({}, 0.5, True),
        ({"last_mask": mask("####..")}, 0.75, True),
        ({"last_mask": mask("####..")}, 0.76, False),
        ({"last_mask": mask("...###")}, 0.0, False),  # nothing in common
        ({"is_frozen": True}, 0.5, False),
        ({"object_id": None}, 0.5, False),
        ({}, 1.0, False),
    ],
)
def test_a_candidate_takes_the_id_of_the_lost_object_it_is(
    changes: dict[str, Any], revive: float, is_found: bool
) -> None:
    lost = replace(TRACK, **{"number": 1, "object_id": 3, **changes})
    found = revived_by(TRACK, [lost], EverythingPolicy(revive=revive))
    assert found == (lost if is_found else None)
    assert revived_by(TRACK, [], POLICY) is None


def test_of_several_lost_objects_the_most_similar_one_is_found() -> None:
    lost = [
        replace(TRACK, object_id=id_, last_mask=mask(text))
        for id_, text in enumerate(("####..", "###...", "####.."), 1)
    ]
    assert revived_by(TRACK, lost, POLICY) == lost[1]


def test_tracks_survive_json() -> None:
    for track in (TRACK, replace(TRACK, object_id=3, is_frozen=True)):
        assert Track.from_json(json.loads(json.dumps(track.to_json())), (1, 6)) == track


@pytest.mark.parametrize("change", [{"number": 0}, {"last_mask": mask("###")}, {"object_id": -1}, {"more": 1}])
def test_damaged_tracks_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        Track.from_json({**TRACK.to_json(), **change}, (1, 6))
