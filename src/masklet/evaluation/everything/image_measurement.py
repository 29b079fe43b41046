"""The measurement of automatic masks on annotated images."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from masklet.errors import InvalidInputError
from masklet.evaluation.everything.image_report import BEST_IOU, COVERED, DUPLICATES, MASKS, EverythingImageReport
from masklet.evaluation.everything.predictors import AutomaticMaskPredictor
from masklet.evaluation.everything.recall import (
    LIMITS,
    are_parts,
    best_ious,
    duplicate_pairs,
    recall_name,
    recall_values,
)
from masklet.evaluation.images.measured_images import MeasuredImages
from masklet.evaluation.measured_item import ALL_OBJECTS, MeasuredItem, WorstFrame
from masklet.evaluation.measurement import FolderPath, Progress, fingerprint_of, measure_all
from masklet.formats.reading.annotated import AnnotatedImage
from masklet.masks.geometry import Mask
from masklet.masks.overlap import covered_share
from masklet.masks.run_length import RunLength, encode_run_length
from masklet.masks.segmentation import Segmentation
from masklet.masks.suppression import containment, mask_ious
from masklet.media.images import Pixels

MOST_DRAWN = 100
"""Masks of an image that are kept for the contact sheet."""


def evaluate_everything(
    root: FolderPath,
    predictor: AutomaticMaskPredictor,
    *,
    limit: int | None = None,
    folder: FolderPath | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> EverythingImageReport:
    """Measure `predictor` on the images under `root`; see `EverythingImageMeasurement` and `measure_all`."""
    measurement = EverythingImageMeasurement(MeasuredImages(os.fspath(root), limit), predictor)
    return measurement.report(measure_all(measurement, folder=folder, workers=workers, progress=progress))


@dataclass(frozen=True)
class EverythingImageMeasurement:
    """The average recall of automatic masks, as COCO measures proposals: masks without classes against all objects.

    What is annotated is rarely all that is there, so that no mask counts as wrong. Of each image the masks are counted,
    the pairs of them that are much the same (IoU above .9), and the share of pixels that any of them covers.

    Attributes:
        images: what it is measured on.
        predictor: what is measured, with the ranking of its masks.
    """

    images: MeasuredImages
    predictor: AutomaticMaskPredictor

    @property
    def predictor_name(self) -> str:
        """The predictor's own name."""
        return self.predictor.name

    def names(self) -> list[str]:
        """Return the names of the images; InvalidInputError if files are missing."""
        return self.images.names()

    def files(self, name: str) -> Sequence[Path]:
        """Return the file of an image and those of its annotations."""
        return self.images.files(name)

    def settings(self) -> dict[str, Any]:
        """Return what the values depend on, the choice of images aside."""
        return {
            "kind": "everything in images",
            "root": str(Path(self.images.root).absolute()),
            "predictor": self.predictor.name,
            "fingerprint": fingerprint_of(self.predictor),
        }

    def measure(self, name: str) -> MeasuredItem:
        """Measure one image."""
        image, dataset = self.images[name], self.images.dataset_of(name)
        objects = _run_lengths(image)
        if not objects:
            return MeasuredItem(name, dataset, 1, (), {})
        found = self.predictor.segment(image.read_pixels())
        if found.size != (image.height, image.width):
            raise InvalidInputError(
                f"The masks of {name} are of {list(found.size)}, the image is of {[image.height, image.width]}."
            )
        ious = mask_ious(found.run_lengths, objects)
        areas = np.array([coco_mask.area(each) for each in objects])
        values = recall_values(ious, areas, are_parts(containment(objects, objects))) | {BEST_IOU: best_ious(ious)}
        score = float(np.mean(values[recall_name(LIMITS[-1])]))
        worst = WorstFrame(ALL_OBJECTS, 0, score, list(found.run_lengths[:MOST_DRAWN]))
        return MeasuredItem(name, dataset, 1, tuple(range(len(objects))), values, (worst,), amounts=_amounts(found))

    def report(self, items: tuple[MeasuredItem, ...]) -> EverythingImageReport:
        """Return the average recall of each dataset and over all."""
        return EverythingImageReport(self.predictor.name, items)

    def frame_and_mask(self, name: str, frame: int, object_id: int) -> tuple[Pixels, Mask]:
        """Return an image and the masks of all its objects, bool [N, H, W]."""
        image = self.images[name]
        return image.read_pixels(), image.masks


def _run_lengths(image: AnnotatedImage) -> list[RunLength]:
    """Return the masks of the objects that show a pixel, one decoded at a time."""
    masks = (image.masks_of([index])[0] for index in range(len(image.objects)))
    return [encode_run_length(mask) for mask in masks if mask.any()]


def _amounts(found: Segmentation) -> dict[str, float]:
    return {
        MASKS: float(len(found)),
        DUPLICATES: float(duplicate_pairs(mask_ious(found.run_lengths, found.run_lengths))),
        COVERED: covered_share(found.run_lengths, found.size),
    }
