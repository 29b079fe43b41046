"""Named choices between accuracy and speed."""

import pytest

from masklet.configuration.presets import SpeedPreset
from masklet.errors import InvalidInputError


@pytest.mark.parametrize(
    ("name", "own", "expected"),
    [
        ("exact", 1024, 1024),
        ("balanced", 1024, 1024),
        ("fast", 1024, 512),
        ("fast", 384, 192),
        ("fast", 352, 160),
        ("fast", 32, 32),
    ],
)
def test_image_size(name: str, own: int, expected: int) -> None:
    assert SpeedPreset.named(name).image_size(own) == expected


def test_all_but_exact_may_round() -> None:
    assert [preset for preset in SpeedPreset if not preset.may_round] == [SpeedPreset.EXACT]


def test_an_unknown_name_is_an_early_error() -> None:
    with pytest.raises(InvalidInputError, match=r"no preset 'faster'; the presets are exact, balanced, fast"):
        SpeedPreset.named("faster")
