"""Masks at the image's size by crossings of columns, against logits that are enlarged and compared pixel by pixel."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from masklet.automask import enlarged as module
from masklet.automask.enlarged import Enlargement, Runs

SIZES = [
    ((24, 24), (60, 90)),
    ((24, 24), (683, 101)),
    ((24, 24), (10, 7)),  # smaller than the logits
    ((16, 16), (16, 16)),
    ((16, 16), (1, 1)),
    ((16, 16), (5, 2000)),
    ((7, 9), (100, 13)),
]


def logits_of(size: tuple[int, int], coarse: int, seed: int) -> torch.Tensor:
    """Logits of blobs, the larger the fewer cells they are made of."""
    values = torch.randn(1, 1, coarse, coarse, generator=torch.Generator().manual_seed(seed))
    return 3 * F.interpolate(values, size, mode="bicubic")[0, 0]


def drawn(runs: Runs, size: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(size, dtype=bool)
    for column, start, end in zip(*runs, strict=True):
        assert not mask[start:end, column].any()
        mask[start:end, column] = True
    return mask


@pytest.mark.parametrize(("size", "enlarged"), SIZES)
@pytest.mark.parametrize("coarse", [2, 5, 12, 24])
@pytest.mark.parametrize("most_pixels", [0, 2**22], ids=["crossings", "pixels of noise"])
def test_pixels_are_those_of_enlarged_logits(
    size: tuple[int, int], enlarged: tuple[int, int], coarse: int, most_pixels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_PIXELS", most_pixels)
    logits = logits_of(size, coarse, seed=coarse)
    whole = F.interpolate(logits[None, None], enlarged, mode="bilinear", align_corners=False)[0, 0].numpy()
    columns = Enlargement(size, enlarged).columns_of(logits.numpy(), -1.0)
    assert columns is not None
    for threshold in (-1.0, 0.0, 1.0, 2.5):
        runs, expected = columns.runs_above(threshold), whole > threshold
        is_apart = drawn(runs, enlarged) != expected
        assert (np.abs(whole[is_apart] - threshold) < 1e-5).all()
        assert is_apart.mean() < 1e-4
        assert abs(runs.area - np.count_nonzero(expected)) <= is_apart.sum()
        assert (runs.starts < runs.ends).all()
        assert columns.area_above(threshold) == runs.area


@pytest.mark.parametrize("value", [-5.0, 5.0])
def test_logits_that_are_alike(value: float) -> None:
    columns = Enlargement((8, 8), (20, 30)).columns_of(np.full((8, 8), value, np.float32), -1.0)
    if value < 0:
        assert columns is None
    else:
        assert columns is not None
        assert (columns.runs_above(0.0).area, columns.runs_above(6.0).area) == (600, 0)
        assert columns.runs_above(0.0).box == (0, 0, 30, 20)
        assert columns.runs_above(6.0).box is None


def test_a_value_at_the_threshold_is_not_above_it() -> None:
    logits = np.zeros((4, 4), np.float32)
    logits[1, 2] = 1.0
    columns = Enlargement((4, 4), (4, 4)).columns_of(logits, -1.0)
    assert columns is not None
    assert [each.tolist() for each in columns.runs_above(0.0)] == [[2], [1], [2]]
    assert columns.runs_above(1.0).area == 0


def test_noise_is_compared_pixel_by_pixel_up_to_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    noise, blob = (logits_of((32, 32), coarse, seed=1).numpy() for coarse in (32, 2))
    enlargement = Enlargement((32, 32), (90, 60))
    assert isinstance(enlargement.columns_of(noise, -1.0), module._EnlargedColumns)
    assert not isinstance(enlargement.columns_of(blob, -1.0), module._EnlargedColumns)
    monkeypatch.setattr(module, "_MOST_PIXELS", 90 * 60 - 1)
    assert not isinstance(enlargement.columns_of(noise, -1.0), module._EnlargedColumns)
