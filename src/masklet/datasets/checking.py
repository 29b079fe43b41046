"""Checks of annotated data: what there is, and what is wrong where."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, cast

from masklet.datasets.examination import Findings, examined_image, examined_video, problem_of
from masklet.errors import InvalidInputError
from masklet.formats.reading.annotated import AnnotatedImages, AnnotatedVideos
from masklet.formats.reading.opening import holds_videos, layout_of, open_dataset
from masklet.formats.reading.problems import Problem, ProblemKind, counted, listing, refuse_errors

Dataset = AnnotatedImages | AnnotatedVideos

READ_AHEAD = 100
DAMAGES = (
    ProblemKind.BROKEN_ANNOTATIONS,
    ProblemKind.MISMATCHED_SIZE,
    ProblemKind.UNREADABLE_FILE,
    ProblemKind.UNKNOWN_LABEL,
)
"""Problems for which training skips an image."""


class DatasetReport:
    """The contents of a dataset and its problems.

    Attributes:
        root, layout: the folder, and what its layout is called.
        findings: how much there is of what, and all problems.
    """

    def __init__(self, root: str, layout: str) -> None:
        self.root, self.layout = root, layout
        self.findings = Findings()

    @property
    def problems(self) -> list[Problem]:
        """All that was found, errors and remarks."""
        return self.findings.problems

    @property
    def errors(self) -> list[Problem]:
        """The problems that keep data from being used."""
        return [each for each in self.problems if each.kind.is_error]

    def to_json(self) -> dict[str, Any]:
        """Return all of it, ready for JSON."""
        return {"root": self.root, "layout": self.layout, **self.findings.to_json()}


def check_structure(root: str | os.PathLike[str]) -> DatasetReport:
    """Report the problems of names and annotation files under `root`; no image or mask is read.

    InvalidInputError if the layout is unknown.
    """
    return _structure(Path(root))[0]


def require_sound(root: str | os.PathLike[str]) -> None:
    """Raise InvalidInputError, listing the first ten, if `check_structure` finds errors: before a training begins."""
    refuse_errors(root, check_structure(root).problems)


def require_readable(roots: Sequence[Path], most_damaged: float) -> None:
    """Raise InvalidInputError with a list if damaged images make over `most_damaged` (0 to 1) of all samples.

    At most 100 images of each root are read, evenly spread. Videos are not: those with a damaged frame can be of use.
    """
    datasets = [open_dataset(root) for root in roots]
    damaged = [each for dataset in datasets if not holds_videos(dataset) for each in _damaged_ones(dataset)]
    total = sum(map(len, datasets))
    if len(damaged) > most_damaged * total:
        raise InvalidInputError(
            f"At least {len(damaged)} of {total} images and videos cannot be used, at most {most_damaged:.0%} may be "
            f"damaged: {listing(damaged)}. `masklet data check` finds all of them."
        )


def _damaged_ones(dataset: Dataset) -> list[Problem]:
    """Return the first error of each image, of those that are read."""
    examined, items = _examinations(dataset)
    count = min(len(items), READ_AHEAD)
    chosen = [items[number * len(items) // count] for number in range(count)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        errors = [[each for each in found.problems if each.kind in DAMAGES] for found in pool.map(examined, chosen)]
    return [each[0] for each in errors if each]


def check_dataset(
    root: str | os.PathLike[str],
    progress: Callable[[int, int], None] | None = None,
    workers: int | None = None,
) -> DatasetReport:
    """Read every image, frame and mask under `root`, and report what is there and what is wrong.

    Args:
        root: a folder in any layout that `masklet.formats.reading.opening` knows; InvalidInputError if it is in none.
        progress: called after each image or video with the number of those done and their total.
        workers: how many images or videos to read at a time; None: as many as there are processors.
    """
    report, dataset = _structure(Path(root))
    if dataset is None:
        return report
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        try:
            for done, findings in enumerate(pool.map(*_examinations(dataset)), start=1):
                report.findings.add(findings)
                if progress is not None:
                    progress(done, len(dataset))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    # names and contents may both show the same, for example that a video has one frame
    report.findings.problems = list(dict.fromkeys(report.problems))
    if not report.findings.objects and not report.errors:
        why = counted(report.findings.left_out)
        detail = f"no object is visible anywhere{f': {why}' if why else ''}"
        report.problems.append(Problem(ProblemKind.EMPTY_DATASET, str(root), detail))
    return report


def _structure(root: Path) -> tuple[DatasetReport, Dataset | None]:
    """Return the problems of opening the dataset, and the dataset unless it cannot be opened."""
    layout = layout_of(root)
    report = DatasetReport(str(root), layout.NAME)
    try:
        dataset = layout(root)
    except (InvalidInputError, OSError) as error:
        report.problems.append(problem_of(error, str(root)))
        return report, None
    report.problems.extend(dataset.problems())
    if not len(dataset):
        report.problems.append(Problem(ProblemKind.EMPTY_DATASET, str(root), "it has no annotated images or videos"))
    return report, dataset


def _examinations(dataset: Dataset) -> tuple[Callable[[Any], Findings], Sequence[str] | range]:
    """Return the function that examines one item of a dataset, and the items."""
    if holds_videos(dataset):
        return partial(examined_video, dataset), dataset.sequences
    return partial(examined_image, cast(AnnotatedImages, dataset)), range(len(dataset))
