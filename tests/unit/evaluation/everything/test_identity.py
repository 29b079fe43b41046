"""Identity measures: a truth table on one object, and everything on a world of squares."""

import math

import numpy as np
import pytest
from tests.support.shade_world import SIZE, ShadeFinder, shade_tracker, world

from masklet import EverythingPolicy, Segmentation
from masklet.evaluation.everything.identity import IdentityScores, identity_scores


def frame(*objects: tuple[int, int]) -> Segmentation:
    """Objects (id, column) of two pixels in a row of ten."""
    masks = np.zeros((len(objects), 1, 10), bool)
    for mask, (_, column) in zip(masks, objects, strict=True):
        mask[0, column : column + 2] = True
    return Segmentation(masks, np.ones(len(objects)), [object_id for object_id, _ in objects])


@pytest.mark.parametrize(
    ("tracks", "expected"),
    [  # of each frame the track that is on the object: switches, fragments, covered frames, delays, missed
        ("1111", (0, 0, 4, (0,), 0)),
        ("..11", (0, 0, 2, (2,), 0)),
        ("1122", (1, 0, 2, (0,), 0)),
        ("1221", (2, 0, 2, (0,), 0)),
        ("1.11", (0, 1, 3, (0,), 0)),
        ("1.22", (1, 1, 2, (0,), 0)),
        ("1...", (0, 0, 1, (0,), 0)),  # lost for good is no fragment; coverage shows it
        ("....", (0, 0, 0, (), 1)),
        ("11--", (0, 0, 2, (0,), 0)),  # -: the object is not there
        ("1--1", (0, 0, 2, (0,), 0)),
        ("1--2", (1, 0, 1, (0,), 0)),
        ("--.1", (0, 0, 1, (1,), 0)),
    ],
)
def test_one_object(tracks: str, expected: tuple[object, ...]) -> None:
    frames = [
        (frame() if track == "-" else frame((7, 3)), frame((int(track), 3)) if track.isdigit() else frame())
        for track in tracks
    ]
    scores = identity_scores(frames)
    found = (scores.switches, scores.fragments, scores.covered_frames, scores.delays, scores.missed)
    assert found == expected
    assert scores.object_frames == len(tracks) - tracks.count("-")


def test_two_objects_that_swap_their_tracks_are_two_switches() -> None:
    frames = [(frame((1, 0), (2, 5)), frame((8, 0), (9, 5))), (frame((1, 0), (2, 5)), frame((9, 0), (8, 5)))]
    scores = identity_scores(frames)
    assert (scores.objects, scores.switches, scores.switches_per_100, scores.coverage) == (2, 2, 50.0, 0.5)


def test_one_track_is_on_one_object_only() -> None:
    assert identity_scores([(frame((1, 3), (2, 3)), frame((9, 3)))]).missed == 1


def test_videos_are_added_up() -> None:
    first = identity_scores([(frame((1, 3)), frame((9, 3)))])
    second = identity_scores([(frame((1, 3)), frame())])
    total = first + second
    assert (total.objects, total.object_frames, total.delays, total.missed) == (2, 2, (0,), 1)
    assert math.isnan(IdentityScores().mean_delay)


def test_everything_of_a_world_keeps_its_ids() -> None:
    """Entries, exits, an occlusion and a cut there and back: nothing is lost but the frames before a confirmation."""
    squares = {
        60: [(4 * min(number, 10), 0) for number in range(12)] + [None] * 4 + [(40, 0)] * 8,
        120: [None] * 3 + [(40, 40)] * 9 + [None] * 4 + [(40, 40)] * 8,
        180: [(0, 40)] * 5 + [None] * 4 + [(16, 40)] * 3 + [None] * 4 + [(20, 40)] * 8,
        220: [None] * 12 + [(20, 20)] * 4 + [None] * 8,
    }
    frames, masks = world(squares, ground=[0] * 12 + [255] * 4 + [0] * 8)
    scores = {}
    for lookback in (False, True):
        found = shade_tracker().everything(
            frames, EverythingPolicy(min_area=30, every=4), lookback=lookback, generator=ShadeFinder()
        )
        truths = (Segmentation(each, np.ones(len(each)), range(1, len(each) + 1)) for each in masks)
        scores[lookback] = identity_scores((truth, result) for truth, (_, result) in zip(truths, found, strict=True))
    assert masks.shape[-2:] == (SIZE, SIZE)
    for each in scores.values():
        assert (each.objects, each.missed, each.switches, each.fragments) == (4, 0, 0, 0)
    assert [each.object_frames - each.covered_frames for each in scores.values()] == [3, 0]
    assert (sum(scores[False].delays), sum(scores[True].delays)) == (3, 0)
