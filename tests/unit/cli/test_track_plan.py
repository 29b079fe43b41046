import pytest

from masklet.cli.track_plan import Direction, Stretch, parsed_range, planned
from masklet.errors import InvalidInputError


def frames_of(prompted, wanted, direction, done=(), corrected=()):
    """All frames in the order in which they are tracked."""
    plan = planned(prompted, wanted, Direction(direction), done=done, corrected=corrected)
    return [list(reversed(stretch.frames)) if stretch.is_backward else list(stretch.frames) for stretch in plan]


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
    assert frames_of(prompted, wanted, direction) == expected


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


def test_a_stretch_says_its_direction():
    assert (Stretch(range(3)).direction, Stretch(range(3), is_backward=True).direction) == ("forward", "backward")


def test_without_prompts_there_is_no_plan():
    with pytest.raises(InvalidInputError, match="no prompts"):
        frames_of([], range(6), "forward")


@pytest.mark.parametrize(
    ("option", "expected"),
    [(None, range(9)), (":", range(9)), ("3:5", range(3, 5)), ("3:", range(3, 9)), (":4", range(4))],
)
def test_ranges(option, expected):
    assert parsed_range(option, 9) == expected


@pytest.mark.parametrize("option", ["3", "a:b", "3:4:5", "-1:4", "", "1.5:2"])
def test_ranges_of_another_form(option):
    with pytest.raises(InvalidInputError, match="of the form A:B"):
        parsed_range(option, 9)


@pytest.mark.parametrize("option", ["5:5", "6:5", "3:10", "9:"])
def test_ranges_outside(option):
    with pytest.raises(InvalidInputError, match="frames 0 to 8"):
        parsed_range(option, 9)
