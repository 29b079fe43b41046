import pytest

from masklet.errors import InvalidInputError
from masklet.jobs.frame_plan import planned
from masklet.tracking.frame_order import Direction


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
