"""How well a predictor segments annotated pictures by clicks and by boxes."""

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from masklet.datasets.annotated import AnnotatedImage
from masklet.datasets.coco_folder import ANNOTATIONS, CocoFolder
from masklet.errors import InvalidInputError
from masklet.evaluation.predictors import StillPredictor
from masklet.evaluation.stills_report import BOX, DomainScores, StillsReport, clicks_setting
from masklet.masks.geometry import Mask, bounding_box
from masklet.masks.overlap import intersection_over_union
from masklet.prompts.simulated_clicks import corrective_click, first_click

OBJECTS_PER_CALL = 64


def evaluate_stills(
    root: str | os.PathLike[str],
    predictor: StillPredictor,
    *,
    clicks: Sequence[int] = (1, 3, 5),
    box: bool = True,
    progress: Callable[[int, int], None] | None = None,
    limit: int | None = None,
    objects_per_picture: int | None = None,
) -> StillsReport:
    """Measure `predictor` on the pictures under `root`.

    The first click is at the deepest point of the ground truth, each further one at the deepest point of the larger
    error region, with the previous prediction fed back; an object without any error left keeps its mask. Boxes are the
    ground truth's bounding boxes. A domain's score is the mean IoU over its objects.

    Args:
        root: a folder in COCO format (`images/`, `annotations.json`), or a folder of such folders, one per domain.
        predictor: what is measured; its `open` is called once a picture, then `predict` with up to 64 objects a call.
        clicks: after how many clicks to measure; empty for a predictor that takes no clicks.
        box: whether to measure box prompts.
        progress: called after each picture with the number of pictures done and their total.
        limit: measure only the first so many pictures of each domain.
        objects_per_picture: measure only the first so many objects of each picture, so that no crowd (of cells, say)
            decides about its domain; None: all.

    InvalidInputError if there is nothing to measure, or the annotations are not in COCO's format.
    """
    limits = {"limit": limit, "objects_per_picture": objects_per_picture}
    if (
        not (clicks or box)
        or min(clicks, default=1) < 1
        or any(each is not None and each < 1 for each in limits.values())
    ):
        raise InvalidInputError(f"Nothing to measure with clicks={tuple(clicks)}, box={box}, {limits}.")
    folders = [CocoFolder(path) for path in _domain_folders(Path(root))]
    total = sum(len(folder) if limit is None else min(len(folder), limit) for folder in folders)
    done = 0
    domains = []
    for folder in folders:
        scores = _Scores()
        for whole in islice(folder, limit):
            picture = whole.first_objects(objects_per_picture)
            scores.add(picture, _measure(predictor, picture, clicks, box))
            done += 1
            if progress is not None:
                progress(done, total)
        domains.append(scores.summary(folder.root.name))
    return StillsReport(predictor.name, tuple(domains))


class _Scores:
    """The IoU of every object of a domain under every prompt setting."""

    def __init__(self) -> None:
        self._pictures = 0
        self._objects = 0
        self._overlaps: dict[str, list[float]] = {}

    def add(self, picture: AnnotatedImage, measurements: Iterator[tuple[str, list[float]]]) -> None:
        self._pictures += 1
        self._objects += len(picture.masks)
        for setting, overlaps in measurements:
            self._overlaps.setdefault(setting, []).extend(overlaps)

    def summary(self, domain: str) -> DomainScores:
        if not self._objects:
            raise InvalidInputError(f"The {self._pictures} pictures of the domain '{domain}' have no objects.")
        mean_iou = {setting: 100 * float(np.mean(overlaps)) for setting, overlaps in self._overlaps.items()}
        return DomainScores(domain, self._pictures, self._objects, mean_iou)


def _measure(
    predictor: StillPredictor, picture: AnnotatedImage, clicks: Collection[int], box: bool
) -> Iterator[tuple[str, list[float]]]:
    """Yield the prompt setting and the IoU of each object, for every setting and up to 64 objects at a time."""
    if not len(picture.masks):
        return
    predictor.open(picture.read_pixels())
    for start in range(0, len(picture.masks), OBJECTS_PER_CALL):
        truths = picture.masks[start : start + OBJECTS_PER_CALL]
        if clicks:
            for count, predicted in enumerate(_click_by_click(predictor, truths, max(clicks)), start=1):
                if count in clicks:
                    yield clicks_setting(count), _overlaps(truths, predicted)
        if box:
            boxes = np.array([bounding_box(truth) for truth in truths], dtype=np.float32)
            yield BOX, _overlaps(truths, predictor.predict(clicks=None, boxes=boxes, use_previous=False))


def _click_by_click(predictor: StillPredictor, truths: Mask, rounds: int) -> Iterator[Mask]:
    """Yield the masks (bool [N, H, W]) after each of `rounds` clicks on each of the N objects of `truths`."""
    clicks = [[first_click(truth)] for truth in truths]
    predicted = predictor.predict(clicks=clicks, boxes=None, use_previous=False)
    yield predicted
    for _ in range(1, rounds):
        corrections = [corrective_click(*pair) for pair in zip(truths, predicted, strict=True)]
        for clicks_of_object, correction in zip(clicks, corrections, strict=True):
            clicks_of_object.extend([] if correction is None else [correction])
        answered = predictor.predict(clicks=clicks, boxes=None, use_previous=True)
        wrong_before = np.array([correction is not None for correction in corrections])
        predicted = np.where(wrong_before[:, None, None], answered, predicted)
        yield predicted


def _overlaps(truths: Mask, predicted: Mask) -> list[float]:
    if predicted.shape != truths.shape:
        shapes = f"{list(predicted.shape)} for objects of {list(truths.shape)}"
        raise InvalidInputError(f"The predictor gave masks of the shape {shapes}.")
    return [float(intersection_over_union(*pair)) for pair in zip(truths, predicted, strict=True)]


def _domain_folders(root: Path) -> list[Path]:
    if (root / ANNOTATIONS).is_file():
        return [root]
    folders = sorted(path.parent for path in root.glob(f"*/{ANNOTATIONS}"))
    if not folders:
        raise InvalidInputError(f"{root} holds no {ANNOTATIONS}, nor does a folder in it; expected COCO folders.")
    return folders
