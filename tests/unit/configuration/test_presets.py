"""Named choices between accuracy and speed."""

import pytest

from masklet.configuration.presets import SpeedPreset


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
    assert SpeedPreset(name).image_size(own) == expected


def test_all_but_exact_may_round() -> None:
    assert [preset for preset in SpeedPreset if not preset.may_round] == [SpeedPreset.EXACT]
