"""Rotary positions against complex numbers."""

import torch

from masklet.modeling.rotary_attention import axial_rotation, halves_first, rotate

HEIGHT, WIDTH, CHANNELS, THETA = 3, 5, 16, 100.0


def rotated_by_complex_numbers(x: torch.Tensor) -> torch.Tensor:
    frequencies = torch.tensor([THETA ** (-4 * j / CHANNELS) for j in range(CHANNELS // 4)], dtype=torch.float64)
    rows = []
    for n in range(HEIGHT * WIDTH):
        angles = torch.cat([n % WIDTH * frequencies, n // WIDTH * frequencies])
        turned = torch.complex(*x[..., n, :].chunk(2, dim=-1)) * torch.exp(1j * angles)
        rows.append(torch.cat([turned.real, turned.imag], dim=-1))
    return torch.stack(rows, dim=-2)


def test_rotation() -> None:
    x = torch.randn(2, 3, HEIGHT * WIDTH, CHANNELS, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    rotation = axial_rotation(HEIGHT, WIDTH, CHANNELS, THETA, x.device)
    torch.testing.assert_close(rotate(x, rotation), rotated_by_complex_numbers(x), rtol=1e-6, atol=1e-6)
    assert rotate(x.half(), rotation).dtype == torch.float16


def test_scores_depend_on_displacements_only() -> None:
    rotation = axial_rotation(4, 4, CHANNELS, THETA, torch.device("cpu"))
    q, k = torch.randn(2, CHANNELS, generator=torch.Generator().manual_seed(0))
    scores = rotate(q.expand(16, -1), rotation) @ rotate(k.expand(16, -1), rotation).T
    scores = scores.view(4, 4, 4, 4)
    torch.testing.assert_close(scores[0, 1, 2, 3], scores[1, 0, 3, 2])
    assert (scores[0, 0, 0, 1] - scores[0, 0, 1, 0]).abs() > 1e-3


def test_each_head_gets_its_even_channels_first() -> None:
    rows = halves_first(torch.arange(8).view(8, 1), heads=2)
    assert rows.flatten().tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
