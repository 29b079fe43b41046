"""Which value is white in pixels of more than 8 bits."""

from typing import Any

import numpy as np
import pytest

from masklet.errors import InvalidInputError
from masklet.media.pixel_depth import scaled_to_8_bit, white_of, white_of_video


@pytest.mark.parametrize(
    ("highest", "white"),
    [(0, 255), (255, 255), (256, 1023), (1023, 1023), (1024, 4095), (3405, 4095), (4096, 16383), (16383, 16383),
     (16384, 65535), (65535, 65535), (65536, None)],
)  # fmt: skip
def test_integers_hold_the_bits_of_some_device(highest: int, white: float | None) -> None:
    assert white_of(np.array([[0, highest]], np.int32)) == white
    if highest < 2**16:
        assert white_of(np.array([[highest, 0]], np.uint16)) == white


@pytest.mark.parametrize(
    ("values", "white"),
    [([0, 0.3], 1), ([0, 1], 1), ([-0.5, 1.5], 1), ([0, 1.6], 255), ([0, 255], 255), ([-0.6, 1], None),
     ([0, 256], None), ([-3, 200], None)],
)  # fmt: skip
def test_floats_are_0_to_1_with_what_filters_leave_or_0_to_255(values: list[float], white: float | None) -> None:
    assert white_of(np.array([values], np.float32)) == white


def test_negative_integers_have_no_white() -> None:
    assert white_of(np.array([[-1, 100]], np.int16)) is None


def test_no_values_are_refused() -> None:
    for read in (white_of, scaled_to_8_bit):
        with pytest.raises(InvalidInputError, match=r"no pixels: its shape is \[0, 5\]"):
            read(np.zeros((0, 5), np.uint16))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(value: float) -> None:
    for read in (white_of, scaled_to_8_bit):
        with pytest.raises(InvalidInputError, match="NaN or infinite"):
            read(np.array([[0, value]]))


@pytest.mark.parametrize(
    ("values", "white", "expected"),
    [
        (np.uint16([[0, 2048, 4095]]), None, [0, 128, 255]),
        (np.uint16([[0, 2048, 4095]]), 65535.0, [0, 8, 16]),
        (np.uint16([[0, 300, 2000]]), 1023.0, [0, 75, 255]),
        (np.float32([[-0.2, 0.5, 1.2]]), None, [0, 128, 255]),
        (np.float64([[-300, 0, 300]]), None, [0, 128, 255]),
        (np.int32([[70000, 70000]]), None, [0, 0]),
    ],
    ids=["12 bits", "given white", "clipped", "beyond 0 and 1", "own range", "constant"],
)
def test_values_are_scaled_to_white(values: Any, white: float | None, expected: list[int]) -> None:
    scaled = scaled_to_8_bit(values, white)
    assert scaled.dtype == np.uint8
    assert scaled[0].tolist() == expected


def test_the_white_of_a_video_is_the_largest_of_three_frames() -> None:
    whites = [1023.0, 65535.0, 4095.0, 65535.0, None]
    assert white_of_video(5, whites.__getitem__) == 4095
    assert white_of_video(1, whites.__getitem__) == 1023


def test_no_other_frame_of_a_video_of_bytes_is_looked_at() -> None:
    asked = []
    assert white_of_video(9, asked.append) is None
    assert asked == [0]
