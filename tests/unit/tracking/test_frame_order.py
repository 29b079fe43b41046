import pytest

from masklet.errors import InvalidInputError
from masklet.tracking.frame_order import Direction, Stretch, planned, stretches


@pytest.mark.parametrize(
    ("prompted", "wanted", "direction", "expected"),
    [
        ([2], range(6), "forward", [[2, 3, 4, 5]]),
        ([2, 4], range(6), "forward", [[2, 3, 4, 5]]),
        ([2, 4], range(6), "backward", [[4, 3, 2, 1, 0]]),
        ([2, 4], range(6), "both", [[2, 3, 4, 5], [1, 0]]),
        ([0], range(3), "both", [[0, 1, 2], []]),
        ([2], range(4, 6), "forward", [[4, 5]]),
        ([5], range(1, 4), "backward", [[3, 2, 1]]),
    ],
)
def test_where_tracking_begins_and_ends(prompted, wanted, direction, expected):
    assert [list(each) for each in stretches(prompted, wanted, Direction(direction))] == expected


def test_a_stretch_has_its_direction():
    assert (Stretch(range(3)).direction, Stretch(range(3), is_backward=True).direction) == ("forward", "backward")


def test_what_is_left_of_a_stretch_after_a_frame():
    assert Stretch(range(2, 6)).after(3) == Stretch(range(4, 6))
    assert Stretch(range(2, 6), is_backward=True).after(4) == Stretch(range(2, 4), is_backward=True)


def frames_of(prompted, wanted, direction, done=(), corrected=()):
    """All frames in the order in which they are tracked."""
    plan = planned(prompted, wanted, Direction(direction), done=done, corrected=corrected)
    return [list(stretch) for stretch in plan]


@pytest.mark.parametrize(
    ("direction", "done", "corrected", "expected"),
    [
        ("forward", range(2, 5), [], [[5]]),
        ("forward", range(2, 6), [], [[]]),
        ("forward", range(2, 6), [3], [[3, 4, 5]]),
        ("forward", range(2, 4), [5], [[4, 5]]),
        ("backward", range(1, 3), [], [[0]]),
        ("backward", range(3), [1], [[1, 0]]),
        ("both", range(2, 4), [], [[4, 5], [1, 0]]),
        ("both", range(1, 6), [], [[], [0]]),
        ("both", range(6), [4, 1], [[4, 5], [1, 0]]),
    ],
)
def test_what_is_left_of_a_session_that_goes_on(direction, done, corrected, expected):
    assert frames_of([2], range(6), direction, done, corrected) == expected


def test_without_prompts_there_is_no_plan():
    with pytest.raises(InvalidInputError, match="no prompts"):
        frames_of([], range(6), "forward")
