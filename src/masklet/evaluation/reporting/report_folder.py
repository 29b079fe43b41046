"""The folder of an evaluation: scores, tables, curves and contact sheets."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from masklet.atomic_files import written_whole
from masklet.errors import InvalidInputError
from masklet.evaluation.reporting.comparison import Comparison
from masklet.evaluation.reporting.report import Curve, Level, Report
from masklet.evaluation.reporting.worst_frames import AnnotatedFrames, draw_worst_frames
from masklet.media.drawing import object_colour

# Of the diagram of curves, in pixels.
WIDTH, HEIGHT = 900, 540
LEFT, TOP, RIGHT, BOTTOM = 70, 50, WIDTH - 30, HEIGHT - 70
TEXT, GRID = (40, 40, 40), (225, 225, 225)
DARKEST, MOST_TICKS = (0, 0, 0), 10
LINE = 22  # from one line of text to the next


def write_scores(path: Path, reports: Sequence[Report], comparisons: Sequence[Comparison] = ()) -> None:
    """Write a JSON list of `reports`; the comparisons come after them."""
    content = [each.to_dict() for each in reports] + [each.to_dict() for each in comparisons]
    with written_whole(path) as unfinished:
        unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def write_report_folder(
    root: Path, measured: Sequence[tuple[AnnotatedFrames, Report]], comparisons: Sequence[Comparison] = ()
) -> None:
    """Write `scores.json`, `curves.png`, and for each predictor in a folder of its own `items.csv` and `worst.png`."""
    reports = [report for _, report in measured]
    write_scores(root / "scores.json", reports, comparisons)
    curves = [curve for report in reports for curve in report.curves()]
    if curves:
        first = reports[0]
        diagram = draw_curves(curves, title=first.title, x_label=first.x_label, y_label=first.y_label)
        _save(root / "curves.png", diagram)
    folders = predictor_folders(root, [report.predictor for report in reports])
    for folder, (data, report) in zip(folders, measured, strict=True):
        with written_whole(folder / "items.csv") as unfinished:
            unfinished.write_text(report.csv(), encoding="utf-8")
        _save(folder / "worst.png", draw_worst_frames(data, report.items))


def predictor_folders(root: Path, names: Sequence[str]) -> list[Path]:
    """Return a folder in `root` for each of the predictors' names, in order, no two the same.

    It is the name without what paths cannot have; where another one before is left with the same, with a number behind.
    """
    chosen: list[str] = []
    for name in names:
        plain = re.sub(r"[^\w.-]+", "_", name).strip("_.") or "predictor"
        numbered = (plain, *(f"{plain}_{number}" for number in range(2, len(names) + 1)))
        chosen.append(next(each for each in numbered if each not in chosen))
    return [root / each for each in chosen]


def _save(path: Path, image: Image.Image) -> None:
    with written_whole(path) as unfinished:
        image.save(unfinished, format="PNG")


def draw_curves(curves: Sequence[Curve | Level], *, title: str, x_label: str, y_label: str) -> Image.Image:
    """Return a diagram of `curves` with a legend below: y from 0 to 100 %, x over what the curves span.

    A level crosses all of it, and the points of a curve are marked. InvalidInputError if there are none.
    """
    if not curves:
        raise InvalidInputError("A diagram needs at least one curve.")
    diagram = Image.new("RGB", (WIDTH, HEIGHT + LINE * len(curves)), "white")
    draw, font = ImageDraw.Draw(diagram), ImageFont.load_default(size=15)
    ticks = sorted({x for curve in curves if isinstance(curve, Curve) for x in curve.x})
    low = min(ticks, default=0)
    high = max([*ticks, low + 1])

    def place(x: float, y: float) -> tuple[float, float]:
        return LEFT + (x - low) / (high - low) * (RIGHT - LEFT), BOTTOM - y * (BOTTOM - TOP)

    for tenth in range(0, 11, 2):
        _, height = place(low, tenth / 10)
        draw.line((LEFT, height, RIGHT, height), fill=GRID)
        draw.text((LEFT - 8, height), str(10 * tenth), fill=TEXT, font=font, anchor="rm")
    for x in ticks[:: max(1, -(-len(ticks) // MOST_TICKS))]:
        across, _ = place(x, 0)
        draw.line((across, BOTTOM, across, BOTTOM + 5), fill=TEXT)
        draw.text((across, BOTTOM + 9), f"{x:g}", fill=TEXT, font=font, anchor="mt")
    draw.text((WIDTH / 2, 16), title, fill=DARKEST, font=font, anchor="mt")
    draw.text(((LEFT + RIGHT) / 2, HEIGHT - 22), x_label, fill=TEXT, font=font, anchor="mm")
    draw.text((8, TOP - 24), y_label, fill=TEXT, font=font)
    for number, curve in enumerate(curves):
        colour = object_colour(number + 1)
        if isinstance(curve, Level):
            points = [place(low, curve.y), place(high, curve.y)]
        else:
            points = [place(*point) for point in zip(curve.x, curve.y, strict=True)]
            for point in points:
                draw.circle(point, 4, fill=colour)
        draw.line(points, fill=colour, width=3, joint="curve")
        height = HEIGHT + LINE * number + 2
        draw.line((LEFT, height, LEFT + 30, height), fill=colour, width=3)
        draw.text((LEFT + 38, height), curve.label, fill=TEXT, font=font, anchor="lm")
    return diagram
