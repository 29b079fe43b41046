"""Scene cuts, from the colours of frames."""

from itertools import pairwise

import numpy as np
import torch
from tests.support.scenes import tiny_bank

from masklet import EverythingPolicy, Sam2Processor
from masklet.automask.scene_cuts import colour_histogram, difference
from masklet.datasets.scenes import ClipGenerator

SIZE = 96


def histograms(frames: np.ndarray) -> list[tuple[int, ...]]:
    pixels = Sam2Processor(size=SIZE)(images=list(frames), return_tensors="pt")["pixel_values"]
    return [colour_histogram(each) for each in pixels]


def test_histograms_count_all_pixels_and_compare_from_0_to_1() -> None:
    black, half, white = (torch.full((3, 64, 64), value) for value in (-2.1, -2.1, 2.6))
    half[:, :32] = 2.6
    first, second, third = (colour_histogram(pixels) for pixels in (black, half, white))
    assert sum(second) == 64 * 64
    assert [difference(first, each) for each in (first, second, third)] == [0.0, 0.5, 1.0]


def test_colours_beyond_the_usual_count_as_the_outermost() -> None:
    assert colour_histogram(torch.full((3, 8, 8), 90.0)) == colour_histogram(torch.full((3, 8, 8), 2.6))


def test_another_scene_differs_more_than_the_next_frame() -> None:
    """On the procedural world, whose cameras pan, zoom and shake: the default threshold lies between."""
    generator = ClipGenerator(tiny_bank(), size=SIZE, length=6, seed=1)
    clips = [histograms(generator.clip(number).frames) for number in range(6)]
    within = [difference(a, b) for clip in clips for a, b in pairwise(clip)]
    between = [difference(a[-1], b[0]) for a, b in pairwise(clips)]
    assert 2 * max(within) < EverythingPolicy().cut < min(between)
