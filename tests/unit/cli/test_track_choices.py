import pytest

from masklet.cli.track_choices import parsed_range
from masklet.errors import InvalidInputError


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
