"""The unsupervised protocol of DAVIS 2017 by hand, and by the digits of the official tool's formulas."""

import numpy as np
import pytest
from tests.support.small_sequences import FRAMES, HEIGHT, WIDTH, predicted_labels, true_labels

from masklet.evaluation.everything.unsupervised import (
    MOST_TRACKS,
    TrackComparison,
    chosen_tracks,
    without_overlapping_tracks,
)
from masklet.evaluation.vos.report import vos_values
from masklet.masks.segmentation import Segmentation

# davis2017-evaluation, task unsupervised: recorded with its formulas, and all permutations in place of the assignment.
NAMES = ("J-Mean", "J-Recall", "J-Decay", "F-Mean", "F-Recall", "F-Decay")
TRACKS_OF_DAVIS = [5, 2, 4]
OF_DAVIS = {
    1: (0.469447, 0.642857, 0.621387, 0.419643, 0.285714, 0.65625),
    2: (0.208801, 0.142857, 0.096752, 0.260114, 0.142857, 0.052745),
    3: (0.456049, 0.571429, -0.061354, 0.277788, 0.0, -0.121317),
}


def test_every_digit_of_davis():
    """Four tracks under other ids, of which one is on nothing; a void region on all frames but the first."""
    comparison = TrackComparison((2, 4, 5, 7), (1, 2, 3))
    for frame in range(FRAMES):
        predicted, truth = predicted_labels(frame), true_labels(frame)
        found = {{1: 5, 2: 2, 3: 4}[each]: predicted == each for each in (1, 2, 3)}
        found[7] = np.zeros((HEIGHT, WIDTH), dtype=bool)
        found[7][50:, :20] = True
        void = np.zeros((HEIGHT, WIDTH), dtype=bool)
        void[28:34, 36:60] = frame > 0
        targets = {each: (truth == each) & ~void for each in (1, 2, 3)}
        comparison.add(found, targets, void)
    scores = comparison.scores()
    assigned = scores.assigned()
    assert [comparison.tracks[each] for each in assigned] == TRACKS_OF_DAVIS
    for target, track in enumerate(assigned):
        values = vos_values(scores.series(track, target))
        assert tuple(round(values[name], 6) for name in NAMES) == OF_DAVIS[target + 1]


SIZE = (20, 24)


def box(left, top, width, height):
    mask = np.zeros(SIZE, dtype=bool)
    mask[top : top + height, left : left + width] = True
    return mask


def compared(frames, tracks, objects):
    comparison = TrackComparison(tracks, objects)
    for found, targets, *void in frames:
        comparison.add(found, targets, *void)
    return comparison.scores()


def test_each_track_is_of_one_object_such_that_the_sum_is_the_largest():
    """Track 1 is the best of both objects; the sum is larger where object 1 leaves it to object 2."""
    large, left, right = box(0, 0, 20, 10), box(0, 0, 12, 10), box(2, 0, 18, 10)
    scores = compared([({1: right, 2: left}, {1: large, 2: right})], (1, 2), (1, 2))
    assert scores.j_and_f.argmax(axis=0).tolist() == [0, 0]
    assert scores.assigned() == (1, 0)


def test_all_frames_count_and_where_neither_shows_the_object_all_is_right():
    mask = box(4, 4, 6, 6)
    shown = ({1: mask}, {1: mask})
    for frames, expected in (
        ([shown, shown], 1.0),
        ([({}, {1: mask}), shown], 0.5),
        ([shown, ({1: mask}, {})], 0.5),
        ([({}, {}), shown, ({}, {1: mask}), ({}, {})], 0.75),
    ):
        assert compared(frames, (1,), (1,)).j_and_f[0, 0] == expected


def test_an_object_without_a_track_is_measured_with_one_that_is_nowhere():
    mask, other = box(0, 0, 5, 5), box(10, 10, 5, 5)
    scores = compared([({3: mask}, {1: mask, 2: other}), ({3: mask}, {1: mask})], (3,), (1, 2))
    assert scores.assigned() == (0, 1)
    assert scores.j_and_f.tolist() == [[1.0, 0.0], [0.0, 0.5]]


def test_void_counts_for_nothing():
    mask = box(2, 2, 8, 8)
    void = box(6, 0, 18, 20)
    scores = compared(
        [({1: mask & ~void}, {1: mask & ~void}, void), ({1: mask | void}, {1: mask & ~void}, void)], (1,), (1,)
    )
    assert scores.j_and_f[0, 0] == 1.0


def of_frame(**scores):
    """A frame of square masks with these scores, by track; those with the score 0 are empty."""
    ids = [int(each[1:]) for each in scores]
    masks = np.stack(
        [box(each % 20, each % 16, 2 * (score > 0), 2) for each, score in zip(ids, scores.values(), strict=True)]
    )
    return Segmentation(masks, np.array(list(scores.values())), ids)


def test_tracks_are_chosen_by_frames_and_scores():
    frames = [of_frame(t1=0.9, t2=0.4, t3=0.0), of_frame(t2=0.4, t3=0.0), of_frame(t2=0.2, t4=0.7)]
    assert chosen_tracks(frames, 1) == (2,)
    assert chosen_tracks(frames, 2) == (1, 2)
    assert chosen_tracks(frames, 3) == (1, 2, 4)
    many = [of_frame(**{f"t{each}": each / 40 for each in range(1, 31)})]
    assert chosen_tracks(many) == tuple(range(11, 31))
    assert len(chosen_tracks(many)) == MOST_TRACKS


def test_overlapping_tracks_are_parted_by_logits_or_else_by_size():
    whole, part = box(0, 0, 16, 16), box(0, 0, 8, 16)
    logits = np.full((2, 5, 6), -4.0, dtype=np.float32)
    logits[0], logits[1] = 3.0, 1.0
    by_logit = without_overlapping_tracks(Segmentation(np.stack([whole, part]), np.ones(2), (4, 9), logits))
    by_size = without_overlapping_tracks(Segmentation(np.stack([whole, part]), np.ones(2), (4, 9)))
    areas = [dict(zip(each.object_ids, each.areas.tolist(), strict=True)) for each in (by_logit, by_size)]
    assert areas == [{4: 256, 9: 0}, {4: 128, 9: 128}]
    assert by_logit.low_resolution_logits is None


def test_a_frame_without_tracks():
    nothing = Segmentation(np.zeros((0, *SIZE), bool), np.zeros(0), ())
    assert len(without_overlapping_tracks(nothing)) == 0
    assert chosen_tracks([nothing]) == ()
    scores = compared([({}, {1: box(0, 0, 3, 3)})], (), (1,))
    assert scores.j_and_f == pytest.approx(np.zeros((1, 1)))
