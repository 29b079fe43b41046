"""The measurement of a predictor on annotated images, prompted by clicks and by boxes."""

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from masklet.errors import InvalidInputError
from masklet.evaluation.images.measured_images import MeasuredImages
from masklet.evaluation.images.predictors import ImagePredictor
from masklet.evaluation.measured_item import MeasuredItem, WorstFrames, mean_values
from masklet.evaluation.measurement import FolderPath, Progress, fingerprint_of, measure_all
from masklet.evaluation.reporting.report import Curve, Level, Report, number_of
from masklet.formats.reading.annotated import AnnotatedImage
from masklet.masks.geometry import Mask
from masklet.masks.overlap import intersection_over_union
from masklet.media.images import Pixels
from masklet.prompts.simulated_annotator import SimulatedAnnotator

BOX = "box"


@dataclass(frozen=True)
class ImageReport(Report):
    """What one predictor reached on each dataset: the IoU of every prompt setting ("1 click", ..., "box")."""

    title: ClassVar[str] = "Mean IoU on images"
    item_kind: ClassVar[str] = "images"
    x_label: ClassVar[str] = "clicks"
    y_label: ClassVar[str] = "mean IoU, %"

    def rows(self) -> list[tuple[str, Sequence[MeasuredItem]]]:
        """Return one row a dataset: images are too many."""
        return list(self.datasets.items())

    def compared(self) -> dict[str, str]:
        """Return all settings, by headings as narrow as their numbers: "1", "3", "5" are clicks."""
        return {each.removesuffix("s").removesuffix(" click"): each for each in self.means}

    def curves(self) -> list[Curve | Level]:
        """Return the mean IoU over the number of clicks, if there are any, and from a box as a level."""
        counts = tuple(int(each.split()[0]) for each in self.means if each != BOX)
        of_clicks = Curve(self.predictor, counts, tuple(self.means[number_of(each, "click")] for each in counts))
        of_boxes = [Level(f"{self.predictor}, box", self.means[BOX])] if BOX in self.means else []
        return [*([of_clicks] if counts else []), *of_boxes]

    def to_dict(self) -> dict[str, Any]:
        """Return predictor, datasets with their scores, their mean and its interval; all 0 to 1.

        What has a new name is there under the earlier one as well: `domains`, each with `domain` and `pictures`.
        """
        datasets = [
            {
                "dataset": name,
                "domain": name,
                "images": len(items),
                "pictures": len(items),
                "objects": sum(len(item.object_ids) for item in items),
                "mean_iou": mean_values(items),
            }
            for name, items in self.datasets.items()
        ]
        return {
            "predictor": self.predictor,
            "datasets": datasets,
            "domains": datasets,
            "mean_iou": self.means,
            "intervals": self.intervals,
        }


OBJECTS_PER_CALL = 64


def evaluate_images(
    root: FolderPath,
    predictor: ImagePredictor,
    *,
    clicks: Sequence[int] = (1, 3, 5),
    box: bool = True,
    limit: int | None = None,
    objects_per_image: int | None = None,
    folder: FolderPath | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> ImageReport:
    """Measure `predictor` on the images under `root`; see `ImageMeasurement` and `measure_all` for the arguments."""
    measurement = ImageMeasurement(os.fspath(root), predictor, tuple(clicks), box, limit, objects_per_image)
    return measurement.report(measure_all(measurement, folder=folder, workers=workers, progress=progress))


@dataclass(frozen=True)
class ImageMeasurement:
    """The mean IoU of one predictor on annotated images.

    The first click is at the center of the ground truth (the maximum of its distance transform), each further one at
    the center of the larger error region, with the previous prediction as a prompt, too; an object without any error
    left keeps its mask. Boxes are the ground truth's bounding boxes. A dataset's score is the mean over its objects.

    Attributes:
        root: a dataset of images, or a folder of several.
        predictor: what is measured; its `open` is called once an image, then `predict` with up to 64 objects a call.
        clicks: after how many clicks to measure; empty for a predictor that takes no clicks.
        box: whether to measure box prompts.
        limit: measure only the first so many images of each dataset.
        objects_per_image: measure only the first so many objects of each image, so that a crowd (of
            cells, for example) does not dominate its dataset; None: all.

    Raises:
        InvalidInputError: if there is nothing to measure, or the annotations cannot be used.
    """

    root: str
    predictor: ImagePredictor
    clicks: tuple[int, ...] = (1, 3, 5)
    box: bool = True
    limit: int | None = None
    objects_per_image: int | None = None
    annotator: SimulatedAnnotator = field(default_factory=SimulatedAnnotator)

    def __post_init__(self) -> None:
        limits = {"limit": self.limit, "objects_per_image": self.objects_per_image}
        is_measuring = bool(self.clicks or self.box) and min(self.clicks, default=1) >= 1
        if not is_measuring or any(each is not None and each < 1 for each in limits.values()):
            raise InvalidInputError(f"Nothing to measure with clicks={self.clicks}, box={self.box}, {limits}.")

    @property
    def predictor_name(self) -> str:
        """The predictor's own name."""
        return self.predictor.name

    def names(self) -> list[str]:
        """Return the names of the images, as `MeasuredImages.names` does."""
        return self._images.names()

    def files(self, name: str) -> Sequence[Path]:
        """Return the file of an image and those of its annotations."""
        return self._images.files(name)

    def settings(self) -> dict[str, Any]:
        """Return what the IoU values depend on."""
        return {
            "kind": "stills",
            "root": str(Path(self.root).absolute()),
            "predictor": self.predictor.name,
            "fingerprint": fingerprint_of(self.predictor),
            "clicks": self.clicks,
            "box": self.box,
            "objects_per_image": self.objects_per_image,
        }

    def measure(self, name: str) -> MeasuredItem:
        """Measure one image under every prompt setting."""
        image = self._image(name)
        count, overlaps, worst = len(image.objects), dict[str, list[float]](), WorstFrames()
        if count:
            self.predictor.open(image.read_pixels())
        numbers, seen = [], 0
        for start in range(0, count, OBJECTS_PER_CALL):
            targets = image.masks_of(range(start, min(start + OBJECTS_PER_CALL, count)))
            visible = [number for number, target in enumerate(targets) if target.any()]
            targets = targets[visible]
            numbers += [start + number for number in visible]
            for setting, predicted in self._predictions(targets) if visible else ():
                found = _overlaps(targets, predicted)
                overlaps.setdefault(setting, []).extend(found)
                if setting == self._judged:
                    for number, overlap, mask in zip(numbers[seen:], found, predicted, strict=True):
                        worst.offer(number, 0, overlap, mask)
            seen = len(numbers)
        values = {setting: tuple(each) for setting, each in overlaps.items()}
        return MeasuredItem(name, self._images.dataset_of(name), 1, tuple(numbers), values, worst.of(numbers))

    def report(self, items: tuple[MeasuredItem, ...]) -> ImageReport:
        """Return the mean IoU of each dataset and over all."""
        return ImageReport(self.predictor.name, items)

    def frame_and_mask(self, name: str, frame: int, object_id: int) -> tuple[Pixels, Mask]:
        """Return an image and the mask of one of its objects."""
        image = self._image(name)
        return image.read_pixels(), image.objects[object_id].mask()

    @cached_property
    def _images(self) -> MeasuredImages:
        return MeasuredImages(self.root, self.limit)

    @property
    def _judged(self) -> str:
        """The setting by which the worst images are chosen."""
        return number_of(max(self.clicks), "click") if self.clicks else BOX

    def _image(self, name: str) -> AnnotatedImage:
        return self._images[name].first_objects(self.objects_per_image)

    def _predictions(self, targets: Mask) -> Iterator[tuple[str, Mask]]:
        """Yield each prompt setting and the masks (bool [N, H, W]) predicted by it, for up to 64 objects."""
        if self.clicks:
            rounds = self._click_by_click(targets, max(self.clicks))
            yield from self._wanted(rounds, self.clicks)
        if self.box:
            boxes = np.array([self.annotator.box(target) for target in targets], dtype=np.float32)
            yield BOX, self.predictor.predict(clicks=None, boxes=boxes, use_previous=False)

    @staticmethod
    def _wanted(rounds: Iterator[Mask], clicks: Collection[int]) -> Iterator[tuple[str, Mask]]:
        return ((number_of(count, "click"), each) for count, each in enumerate(rounds, start=1) if count in clicks)

    def _click_by_click(self, targets: Mask, rounds: int) -> Iterator[Mask]:
        """Yield the masks (bool [N, H, W]) after each of `rounds` clicks on each of the N objects of `targets`."""
        clicks = [[self.annotator.first_click(target)] for target in targets]
        predicted = self.predictor.predict(clicks=clicks, boxes=None, use_previous=False)
        yield predicted
        for _ in range(1, rounds):
            corrections = [self.annotator.correct(*pair) for pair in zip(targets, predicted, strict=True)]
            for clicks_of_object, correction in zip(clicks, corrections, strict=True):
                clicks_of_object.extend([] if correction is None else [correction])
            corrected = self.predictor.predict(clicks=clicks, boxes=None, use_previous=True)
            wrong_before = np.array([correction is not None for correction in corrections])
            predicted = np.where(wrong_before[:, None, None], corrected, predicted)
            yield predicted


def _overlaps(targets: Mask, predicted: Mask) -> list[float]:
    if predicted.shape != targets.shape:
        shapes = f"{list(predicted.shape)} for objects of {list(targets.shape)}"
        raise InvalidInputError(f"The predictor gave masks of the shape {shapes}.")
    return [float(intersection_over_union(*pair)) for pair in zip(targets, predicted, strict=True)]
