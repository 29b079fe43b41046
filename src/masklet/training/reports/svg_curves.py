"""Curves as SVG for an HTML page."""

from collections.abc import Sequence
from html import escape
from itertools import pairwise

import numpy as np

WIDTH, HEIGHT = 420, 190
LEFT, TOP, RIGHT, BOTTOM = 58, 26, 10, 24  # margins
MOST_POINTS = 200


def curve_svg(title: str, steps: Sequence[int], values: Sequence[float]) -> str:
    """Draw a curve with its title and the ends of its axes; of a long one, means of steps over a pale range.

    Args:
        title: what is plotted.
        steps: at least one, growing.
        values: finite, one a step.
    """
    x, low, mean, high = _condensed(np.asarray(steps, float), np.asarray(values, float))
    bottom, top = float(low.min()), float(high.max())
    span = top - bottom or 1.0

    def place(at: float, value: float) -> str:
        across = (at - x[0]) / ((x[-1] - x[0]) or 1.0) * (WIDTH - LEFT - RIGHT)
        down = (top - value) / span * (HEIGHT - TOP - BOTTOM)
        return f"{LEFT + across:.1f},{TOP + down:.1f}"

    line = " ".join(map(place, x, mean))
    area = " ".join([*map(place, x, high), *map(place, x[::-1], low[::-1])])
    return (
        f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img">'
        f'<text x="{LEFT}" y="16" class="title">{escape(title)}</text>'
        f'<rect x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM}" class="frame"/>'
        f'<polygon points="{area}" class="range"/><polyline points="{line}" class="line"/>'
        f'<text x="{LEFT - 4}" y="{TOP + 8}" text-anchor="end">{top:.4g}</text>'
        f'<text x="{LEFT - 4}" y="{HEIGHT - BOTTOM}" text-anchor="end">{bottom:.4g}</text>'
        f'<text x="{LEFT}" y="{HEIGHT - 8}">{x[0]:.0f}</text>'
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 8}" text-anchor="end">step {x[-1]:.0f}</text></svg>'
    )


def _condensed(steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Condense to MOST_POINTS steps with the least, the mean and the greatest value around each."""
    ends = np.linspace(0, len(steps), min(MOST_POINTS, len(steps)) + 1).round().astype(int)
    pieces = [slice(*pair) for pair in pairwise(ends)]
    middles = np.array([steps[piece].mean() for piece in pieces])
    low, mean, high = (np.array([of(values[piece]) for piece in pieces]) for of in (np.min, np.mean, np.max))
    middles[0], middles[-1] = steps[0], steps[-1]
    return middles, low, mean, high
