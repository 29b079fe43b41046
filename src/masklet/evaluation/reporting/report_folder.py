"""The folder of an evaluation: scores, tables, curves and contact sheets."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from masklet.atomic_files import written_whole
from masklet.evaluation.reporting.comparison import Comparison
from masklet.evaluation.reporting.curves import draw_curves
from masklet.evaluation.reporting.report import Report
from masklet.evaluation.reporting.worst_frames import AnnotatedFrames, draw_worst_frames


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
