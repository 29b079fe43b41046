"""Which masks found are known objects, parts of them, or new: truth tables on rows of pixels."""

import numpy as np
import pytest

from masklet import EverythingPolicy, Segmentation
from masklet.automask import association
from masklet.automask.association import associated, matched
from masklet.masks.run_length import RunLength, encode_run_length

ROW = 20
POLICY = EverythingPolicy(min_area=2)


def mask(text: str) -> np.ndarray:
    """One row of pixels; what is not written is outside."""
    return np.array([[sign == "#" for sign in text.ljust(ROW, ".")]])


def run_lengths(*texts: str) -> list[RunLength]:
    return [encode_run_length(mask(text)) for text in texts]


def found(*texts: str) -> Segmentation:
    masks = np.stack([mask(text) for text in texts])
    return Segmentation(masks, np.full(len(texts), 0.5), range(1, len(texts) + 1))


@pytest.mark.parametrize(
    ("mask_found", "kind"),
    [
        ("##########", "matches"),  # equal
        (".##########", "matches"),  # moved by a tenth
        ("..######", "matches"),  # IoU .6, though all of it is contained: it is the object itself, seen smaller
        ("..####", "parts"),  # IoU .4, all of it inside
        (".......####", "rest"),  # three quarters inside: neither part nor new
        ("........####", "new"),  # half of it is uncovered
        ("............####", "new"),
        ("............#", "rest"),  # too small
        ("####################", "matches"),  # IoU .5
        (".###################", "rest"),  # IoU .45, but more than half of it is uncovered: see below
    ],
)
def test_one_mask_against_one_object(mask_found: str, kind: str) -> None:
    policy = EverythingPolicy(min_area=2, max_area=0.9) if kind == "rest" else POLICY
    result = associated(found(mask_found), run_lengths("##########"), policy)
    others = {"matches", "parts", "new", "rest"} - {kind}
    assert len(getattr(result, kind)) == 1
    assert not any(getattr(result, other) for other in others)


def test_without_tracked_objects_all_that_fits_is_new() -> None:
    result = associated(found("####", "#", "....##"), [], POLICY)
    assert (result.new, result.rest, result.matches, result.parts) == ((0, 2), (1,), (), ())


def test_nothing_found_is_no_error() -> None:
    nothing = Segmentation(np.zeros((0, 1, ROW), bool), np.zeros(0), [])
    result = associated(nothing, run_lengths("####"), POLICY)
    assert (result.new, result.rest, result.matches, result.parts) == ((), (), (), ())


def test_what_several_objects_cover_together_is_not_new() -> None:
    result = associated(found("..######"), run_lengths("#####", ".....#####"), POLICY)
    assert result.rest == (0,)


def test_parts_are_objects_where_they_are_asked_for() -> None:
    policy = EverythingPolicy(min_area=2, parts=True)
    assert associated(found("..####"), run_lengths("##########"), policy).new == (0,)


@pytest.mark.parametrize(
    ("ious", "least", "pairs"),
    [
        ([[0.6, 0.0], [0.0, 0.7]], 0.5, [(0, 0), (1, 1)]),
        ([[0.6, 0.9], [0.0, 0.7]], 0.5, [(0, 0), (1, 1)]),  # tracked masks overlap: the best for both
        ([[0.4, 0.9], [0.0, 0.7]], 0.5, [(0, 1)]),  # and none is forced on what is left
        ([[0.49]], 0.5, []),
        ([[0.5]], 0.5, [(0, 0)]),
        ([[0.5, 0.5]], 0.5, [(0, 0)]),  # two halves
        ([[0.5], [0.5]], 0.5, [(0, 0)]),
        ([[0.9], [0.8]], 0.5, [(0, 0)]),
        ([[0.8], [0.9]], 0.5, [(1, 0)]),
    ],
)
def test_matching(ious: list[list[float]], least: float, pairs: list[tuple[int, int]]) -> None:
    assert matched(np.array(ious), least) == pairs


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (2, 0)])
def test_nothing_matches_nothing(shape: tuple[int, int]) -> None:
    assert matched(np.zeros(shape), 0.5) == []


def test_of_disjoint_masks_there_is_no_choice() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        labels = [rng.integers(0, 4, ROW).astype(int) for _ in range(2)]
        labels[1] = np.where(rng.random(ROW) < 0.7, labels[0], labels[1])
        first, second = ([row == label for label in range(4)] for row in labels)
        ious = np.array([[(a & b).sum() / max((a | b).sum(), 1) for b in second] for a in first])
        assert matched(ious, 0.5 + 1e-9) == [(int(a), int(b)) for a, b in np.argwhere(ious > 0.5)]


def test_duplicates_are_pairs_above_the_threshold() -> None:
    masks = run_lengths("##########", "#########", "....######", ".")
    assert association.duplicates(masks, 0.8) == [(0, 1)]
    assert association.duplicates(masks, 0.9) == []  # it is .9 exactly


def test_streaks_begin_anew_after_a_frame_without() -> None:
    counts = association.streaks([(1, 2), (1, 3)], {})
    counts = association.streaks([(1, 2)], counts)
    assert counts == {(1, 2): 2}
    assert association.streaks([(1, 2), (1, 3)], counts) == {(1, 2): 3, (1, 3): 1}


@pytest.mark.parametrize(
    ("importance", "stuff", "free", "taken"),
    [
        ([1, 5, 3], [False] * 3, 2, [1, 2]),
        ([1, 5, 3], [False, True, False], 2, [0, 2]),  # stuff comes last
        ([1, 5, 3], [False, True, False], 3, [0, 1, 2]),
        ([1, 5], [False] * 2, 0, []),
        ([1, 5], [False] * 2, -1, []),
        ([2, 2, 2], [False] * 3, 2, [0, 1]),  # of equal ones the first
        ([], [], 5, []),
    ],
)
def test_budget(importance: list[float], stuff: list[bool], free: int, taken: list[int]) -> None:
    assert association.within_budget(importance, stuff, free) == taken


@pytest.mark.parametrize(
    ("box", "area", "is_stuff"),
    [
        ((0, 0, 10, 4), 40, True),  # sky
        ((0, 0, 10, 4), 30, False),  # not more than 30 %
        ((0, 0, 9, 10), 90, True),
        ((0, 0, 9, 9), 81, False),  # at two borders
        ((1, 1, 9, 9), 64, False),
    ],
)
def test_stuff(box: tuple[float, float, float, float], area: int, is_stuff: bool) -> None:
    assert association.is_stuff(box, area, (10, 10)) is is_stuff


def test_importance_is_the_score_times_the_side() -> None:
    assert association.importance(found("####", "#########")) == [1.0, 1.5]
