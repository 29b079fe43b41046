"""The HTML report of a training run: settings, curves (as SVG), predictions and measurements."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import masklet
from masklet.atomic_files import written_whole
from masklet.modeling.video_network import VideoNetwork
from masklet.training.reports.measurements import Measurement, read_measurements
from masklet.training.reports.predictions import prediction_images
from masklet.training.reports.step_log import read_steps
from masklet.training.run.observer import RunOutline
from masklet.training.run.run_record import RunRecord
from masklet.training.settings.overrides import settings

REPORT = "report.html"
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1320px; margin: 2em auto; padding: 0 1em; color: #222; }
table { border-collapse: collapse; } td, th { padding: .15em .8em .15em 0; text-align: left; }
td.number, th.number { text-align: right; } code { font-size: 13px; } img { max-width: 100%; }
.curve text { font: 11px system-ui, sans-serif; fill: #555; } .curve .title { font-size: 13px; fill: #222; }
.curve .frame { fill: none; stroke: #ccc; } .curve .line { fill: none; stroke: #2563eb; stroke-width: 1.5; }
.curve .range { fill: #2563eb; opacity: .18; } summary { cursor: pointer; }
"""

WIDTH, HEIGHT = 420, 190
LEFT, TOP, RIGHT, BOTTOM = 58, 26, 10, 24  # margins
MOST_POINTS = 200


class HtmlReport:
    """Writes `report.html` at the end: one file that needs no other. Called after the log and the predictions."""

    def began(self, run: RunOutline) -> None:
        """Keep the outline of the run."""
        self._run = run

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        """Do nothing: the page is made of the run's log."""

    def saved(self, step: int, ema_network: VideoNetwork) -> None:
        """Do nothing: the page is made of the run's images."""

    def finished(self) -> None:
        """Write the page."""
        with written_whole(self._run.folder / REPORT) as unfinished:
            unfinished.write_text(report_page(self._run), encoding="utf-8")


def report_page(run: RunOutline) -> str:
    """Make the page about a run as its folder is now."""
    lines = read_steps(run.folder)
    title = f"{run.recipe.name}: {run.folder.name}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        _summary(run, lines),
        _measurements(read_measurements(run.folder)),
        "<h2>Curves</h2>",
        *_curves(lines),
        _images(prediction_images(run.folder)),
        "<details><summary>Configuration</summary>",
        _table(["field", "value"], [[name, text] for name, text in settings(run.recipe).items()], numbers=False),
        "</details>",
    ]
    head = f"<meta charset='utf-8'><title>{escape(title)}</title><style>{STYLE}</style>"
    return f"<!doctype html>\n<html lang='en'><head>{head}</head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n"


def _summary(run: RunOutline, lines: Sequence[dict[str, Any]]) -> str:
    seconds = sum(line.get("seconds") or 0 for line in lines)
    rows = [["steps", f"{len(lines)} of {run.recipe.total_steps}"]]
    rows += [["time in steps", f"{seconds / 60:.1f} minutes"], ["from", lines[0]["time"]]] if lines else []
    rows += [["hardware", run.hardware], ["masklet", masklet.__version__]]
    record = RunRecord.load(run.folder)
    git = record.git if record else None
    if git:
        rows.append(["source", f"{git['commit']}{', changed since' if git['dirty'] else ''}"])
    return _table(["", ""], rows, numbers=False)


def _measurements(measured: Sequence[Measurement]) -> str:
    """Make a table for each dataset: measures before and after, and their gain."""
    if not measured:
        return ""
    rows = [
        [each.dataset, each.measure, *(_percent(value) for value in (each.before, each.after)), each.gain]
        for each in measured
    ]
    return "<h2>Evaluation</h2>" + _table(["data", "measure", "before", "after", "gain"], rows)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def _curves(lines: Sequence[dict[str, Any]]) -> list[str]:
    """Draw a curve for every metric of the log, in its order."""
    names = dict.fromkeys(name for line in lines for name in line if name not in ("step", "time"))
    curves = []
    for name in names:
        points = [(line["step"], line[name]) for line in lines if line.get(name) is not None]
        if points:
            curves.append(curve_svg(name, *zip(*points, strict=True)))
    return curves


def _images(paths: Sequence[Path]) -> str:
    """Show the first and the last image of predictions."""
    shown = dict.fromkeys([*paths[:1], *paths[-1:]])
    return "".join(
        f"<h2>Image, ground truth, prediction after {int(path.stem)} steps</h2><img alt='predictions' "
        f"src='data:image/jpeg;base64,{base64.b64encode(path.read_bytes()).decode('ascii')}'>"
        for path in shown
    )


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: bool = True) -> str:
    kinds = ["", *[" class='number'" if numbers else ""] * (len(headings) - 1)]
    head = "".join(f"<th{kind}>{escape(text)}</th>" for kind, text in zip(kinds, headings, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{escape(text)}</td>" for kind, text in zip(kinds, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


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
