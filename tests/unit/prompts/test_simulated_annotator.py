"""What the simulated annotator does: where clicks lie, which label they have, how loose boxes are."""

import numpy as np
import pytest

from masklet.errors import InvalidInputError
from masklet.prompts.simulated_annotator import Click, SimulatedAnnotator, corrective_click, first_click


def rectangle(left: int, top: int, right: int, bottom: int) -> np.ndarray:
    mask = np.zeros((12, 20), dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


TRUTH = rectangle(2, 3, 9, 8)
SPILT = rectangle(4, 3, 12, 8)  # misses 2 columns on the left, has 3 too many on the right
NOTHING, EVERYTHING = rectangle(0, 0, 0, 0), rectangle(0, 0, 20, 12)


def test_first_click_is_positive_in_the_middle():
    assert first_click(rectangle(2, 3, 7, 8)) == Click(x=4, y=5, label=1)


def test_first_click_needs_an_object():
    with pytest.raises(InvalidInputError, match="empty"):
        first_click(rectangle(0, 0, 0, 0))


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        (TRUTH, None),
        (rectangle(0, 0, 0, 0), Click(4, 5, 1)),
        (rectangle(2, 3, 4, 8), Click(6, 5, 1)),
        (rectangle(2, 3, 14, 8), Click(11, 5, 0)),
        # Missed 2 x 5 pixels, wrongly included 3 x 5 pixels.
        (rectangle(4, 3, 12, 8), Click(10, 4, 0)),
        # Missed 3 x 5 pixels, wrongly included 1 x 5 pixels.
        (rectangle(5, 3, 10, 8), Click(3, 4, 1)),
        # Equally many pixels: the missed ones first.
        (rectangle(5, 3, 12, 8), Click(3, 4, 1)),
    ],
)
def test_corrective_click(predicted, expected):
    assert corrective_click(TRUTH, predicted) == expected


def test_the_region_with_more_pixels_wins_over_the_deeper_one():
    truth = rectangle(0, 0, 4, 4)
    predicted = rectangle(0, 10, 20, 11)  # 20 wrong pixels in a line; 16 missed in a square, which is deeper
    assert corrective_click(truth, predicted) == Click(0, 10, 0)


def annotator(seed: int = 0, **shares: float) -> SimulatedAnnotator:
    return SimulatedAnnotator(np.random.default_rng(seed), **shares)


def test_without_chance_it_clicks_at_the_center_and_boxes_tightly() -> None:
    patient = SimulatedAnnotator()
    assert patient.first_click(TRUTH) == first_click(TRUTH)
    assert patient.correct(TRUTH, SPILT) == corrective_click(TRUTH, SPILT) == Click(10, 4, 0)
    assert patient.correct(TRUTH, TRUTH) is None
    assert patient.box(TRUTH) == (2, 3, 9, 8)


def test_clicks_lie_uniformly_on_the_object() -> None:
    uniform = annotator(center_share=0)
    clicks = [uniform.first_click(TRUTH) for _ in range(2000)]
    places, counts = np.unique([click[:2] for click in clicks], axis=0, return_counts=True)
    assert {tuple(place) for place in places} == {(x, y) for x in range(2, 9) for y in range(3, 8)}
    assert {click.label for click in clicks} == {1}
    assert counts.max() < 3 * counts.min()


def test_corrections_lie_uniformly_in_both_error_regions() -> None:
    uniform = annotator(center_share=0)
    clicks = [uniform.correct(TRUTH, SPILT) for _ in range(2000)]
    assert {click.label for click in clicks if click.x < 4} == {1}
    assert {click.label for click in clicks if click.x >= 9} == {0}
    assert {click.x for click in clicks} == {2, 3, 9, 10, 11}
    assert np.mean([click.label for click in clicks]) == pytest.approx(2 / 5, abs=0.05)
    assert uniform.correct(TRUTH, TRUTH) is None


def test_a_share_of_clicks_is_at_the_center() -> None:
    some = annotator(center_share=0.75)
    hits = [some.correct(TRUTH, SPILT) == Click(10, 4, 0) for _ in range(400)]
    assert 0.7 < np.mean(hits) < 0.87  # uniform clicks find it, too, at times


def test_a_share_of_corrections_is_on_the_object_whatever_was_predicted() -> None:
    careless = annotator(center_share=0, ground_truth_share=1)
    clicks = [careless.correct(TRUTH, SPILT) for _ in range(100)]
    assert all(TRUTH[click.y, click.x] and click.label == 1 for click in clicks)
    assert careless.correct(TRUTH, TRUTH) is not None
    assert careless.correct(NOTHING, TRUTH) is None  # nothing to click on


@pytest.mark.parametrize("center_share", [0.0, 1.0])
def test_what_is_true_anyway_is_a_click_off_the_object(center_share: float) -> None:
    for truth in (TRUTH, NOTHING):
        click = annotator(center_share=center_share).confirm(truth)
        assert not truth[click.y, click.x]
        assert click.label == 0
    assert annotator(center_share=center_share).confirm(EVERYTHING).label == 1


def test_loose_boxes_lie_around_the_tight_one_within_a_tenth_of_its_sides() -> None:
    moves = np.array([annotator(seed, loose_box_share=0.4).box(TRUTH) for seed in range(300)]) - (2, 3, 9, 8)
    outwards = moves * (-1, -1, 1, 1)
    assert (outwards >= 0).all()
    assert outwards.max(axis=0) == pytest.approx([0.7, 0.5, 0.7, 0.5])
    assert 0.5 < np.mean(~outwards.any(axis=1)) < 0.7
    large = np.ones((900, 900), bool)
    assert max(np.abs(np.array(annotator(seed, loose_box_share=1).box(large)) - (0, 0, 900, 900)).max()
               for seed in range(30)) == pytest.approx(20)  # fmt: skip


def test_equal_seeds_give_the_same_clicks() -> None:
    clicks = [[annotator(seed, center_share=0.5).correct(TRUTH, SPILT) for _ in range(2)] for seed in range(20)]
    assert all(one == other for one, other in clicks)
    assert len({one for one, _ in clicks}) > 3


def test_impossible_annotators_and_empty_objects_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="between 0 and 1"):
        annotator(center_share=1.5)
    with pytest.raises(InvalidInputError, match="random generator"):
        SimulatedAnnotator(center_share=0.5)
    for refuse in (SimulatedAnnotator(), annotator(center_share=0)):
        with pytest.raises(InvalidInputError, match="empty"):
            refuse.first_click(NOTHING)
        with pytest.raises(InvalidInputError, match="empty"):
            refuse.box(NOTHING)
