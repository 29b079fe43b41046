import numpy as np
import pytest

from masklet.errors import InvalidInputError
from masklet.prompts.simulated_clicks import Click, corrective_click, first_click


def rectangle(left, top, right, bottom):
    mask = np.zeros((12, 20), dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def test_first_click_is_positive_in_the_middle():
    assert first_click(rectangle(2, 3, 7, 8)) == Click(x=4, y=5, label=1)


def test_first_click_needs_an_object():
    with pytest.raises(InvalidInputError, match="empty"):
        first_click(rectangle(0, 0, 0, 0))


TRUTH = rectangle(2, 3, 9, 8)


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
