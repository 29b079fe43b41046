"""Settings of automatic masks, compared: `python -m benchmarks.everything_settings IMAGES [--points 16]`.

IMAGES is a folder of datasets of images with masks. Each image is encoded and decoded once, and what any setting needs
of its candidates is kept in a folder (`--kept`), so that a run that was stopped goes on; then settings are evaluated.
Of every dataset the even images choose, and the odd ones are reported beside. Writes
`benchmarks/results/everything_settings.json`; `python -m benchmarks.tables` prints it.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.measuring import write_report
from masklet import ImageSegmenter
from masklet.atomic_files import written_whole
from masklet.automask.point_grid import point_grid
from masklet.evaluation.annotated_data import image_datasets
from masklet.evaluation.everything.recall import are_parts, recall_values
from masklet.formats.reading.annotated import AnnotatedImage
from masklet.masks.run_length import RunLength, encode_run_length
from masklet.masks.suppression import box_suppression, containment, mask_ious, mask_suppression

RESULTS = Path(__file__).parent / "results" / "everything_settings.json"
OFFSETS = (0.25, 0.5, 0.7, 1.0)
THRESHOLDS = (*(-each for each in reversed(OFFSETS)), 0.0, *OFFSETS)
LEAST_IOU = 0.2
"""Of candidates that are kept: fewer change no average recall at 1,000 masks."""
MOST_MASKS = 100
"""An image, as the mean over the datasets: what a person can still look through."""
NEARLY = 0.002
"""By how much AR@1000 may be below the best to be chosen for fewer masks."""


@dataclass(frozen=True)
class Setting:
    """What is left of the candidates, and which of them come first."""

    pred_iou_thresh: float
    stability_score_thresh: float
    stability_score_offset: float = 1.0
    nms_thresh: float = 0.7
    duplicates: str = "box"
    order: str = "quality"


SETTINGS = (
    Setting(0.8, 0.95),
    Setting(0.5, 0.5),
    Setting(0.4, 0.5),
    Setting(0.3, 0.5),
    Setting(0.25, 0.5),
    Setting(0.4, 0.4),
    Setting(0.3, 0.4),
    Setting(0.25, 0.4),
    Setting(0.5, 0.6, 0.5),
    Setting(0.4, 0.6, 0.5),
    Setting(0.3, 0.6, 0.5),
    Setting(0.25, 0.6, 0.5),
    Setting(0.4, 0.7, 0.5),
    Setting(0.3, 0.7, 0.5),
    Setting(0.25, 0.7, 0.5),
    Setting(0.25, 0.8, 0.5),
    Setting(0.25, 0.5, 0.7),
    Setting(0.25, 0.85, 0.25),
    Setting(0.25, 0.4, nms_thresh=0.8),
    Setting(0.25, 0.4, duplicates="mask"),
    Setting(0.25, 0.4, nms_thresh=0.8, duplicates="mask"),
    Setting(0.25, 0.4, order="score"),
    Setting(0.25, 0.5, nms_thresh=0.8),
    Setting(0.25, 0.7, 0.5, nms_thresh=0.8),
    Setting(0.2, 0.0, nms_thresh=0.9),
)


@dataclass(frozen=True)
class Candidates:
    """What is kept of an image.

    Attributes:
        iou: [n], predicted.
        areas: [n, thresholds]: pixels with a logit above each of `THRESHOLDS`.
        boxes: [n, 4], of the first and last columns and rows.
        run_lengths: of the n masks.
        overlaps: [n, g]: their IoU with each object.
        object_areas, is_part: [g].
    """

    iou: np.ndarray
    areas: np.ndarray
    boxes: np.ndarray
    run_lengths: list[RunLength]
    overlaps: np.ndarray
    object_areas: np.ndarray
    is_part: np.ndarray

    def save(self, path: Path) -> None:
        arrays = {name: value for name, value in vars(self).items() if name != "run_lengths"}
        size = self.run_lengths[0]["size"] if self.run_lengths else [1, 1]
        codes = np.array([each["counts"] for each in self.run_lengths], dtype=np.str_)
        with written_whole(path) as unfinished, unfinished.open("wb") as file:
            np.savez_compressed(file, size=size, codes=codes, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Candidates":
        with np.load(path) as file:
            arrays = dict(file)
        size, codes = arrays.pop("size").tolist(), arrays.pop("codes").tolist()
        return cls(run_lengths=[{"size": size, "counts": code} for code in codes], **arrays)

    def stability(self, offset: float) -> np.ndarray:
        surely, perhaps = (self.areas[:, THRESHOLDS.index(each)] for each in (offset, -offset))
        return np.where(perhaps > 0, surely / np.maximum(perhaps, 1), np.nan)

    def left(self, setting: Setting) -> np.ndarray:
        """The places of the candidates that the setting leaves, the best first."""
        stability = self.stability(setting.stability_score_offset)
        is_left = self.iou > setting.pred_iou_thresh
        if setting.stability_score_thresh > 0:
            is_left &= stability >= setting.stability_score_thresh
        places = np.flatnonzero(is_left)
        if setting.duplicates == "box":
            kept = places[box_suppression(self.boxes[places], self.iou[places], setting.nms_thresh)]
        else:
            chosen = [self.run_lengths[place] for place in places]
            kept = places[mask_suppression(chosen, self.iou[places], setting.nms_thresh)]
        ranking = self.iou if setting.order == "score" else self.iou * np.nan_to_num(stability)
        return kept[np.argsort(-ranking[kept], kind="stable")]


def candidates_of(segmenter: ImageSegmenter, image: AnnotatedImage, points_per_side: int) -> Candidates:
    """Decode a grid of points and measure all masks with a predicted IoU above `LEAST_IOU`."""
    logits, iou = _decoded(segmenter, image, points_per_side)
    size = (image.height, image.width)
    measured = [_measured(each, size) for each in logits]
    masks = [mask for mask, _ in measured]
    objects = [encode_run_length(image.masks_of([each])[0]) for each in range(len(image.objects))]
    return Candidates(
        iou=iou,
        areas=np.array([areas for _, areas in measured]).reshape(len(masks), len(THRESHOLDS)),
        boxes=np.array([_box(mask) for mask in masks], dtype=np.float32).reshape(-1, 4),
        run_lengths=(found := [encode_run_length(mask) for mask in masks]),
        overlaps=mask_ious(found, objects),
        object_areas=np.array([image.masks_of([each]).sum() for each in range(len(image.objects))]),
        is_part=are_parts(containment(objects, objects)),
    )


@torch.inference_mode()
def _decoded(segmenter: ImageSegmenter, image: AnnotatedImage, points_per_side: int) -> tuple[Tensor, np.ndarray]:
    features = segmenter.encode(image.read_pixels()).embeddings
    grid = torch.from_numpy(point_grid(points_per_side) * segmenter.runtime.config.image_size).float()[:, None]
    logits, scores = [], []
    for points in grid.split(64):
        outputs = segmenter.runtime.decode(features, points, torch.ones(points.shape[:2], dtype=torch.int64))
        is_kept = outputs.iou[:, 1:] > LEAST_IOU
        logits.append(outputs.logits[:, 1:][is_kept])
        scores.append(outputs.iou[:, 1:][is_kept])
    return torch.cat(logits), torch.cat(scores).numpy()


def _measured(logits_hw: Tensor, size: tuple[int, int]) -> tuple[np.ndarray, list[int]]:
    """The mask at full size, and how many pixels lie above each threshold; enlarged only where it can be above any."""
    mask = np.zeros(size, dtype=bool)
    is_near = logits_hw > THRESHOLDS[0]
    if not is_near.any():
        return mask, [0] * len(THRESHOLDS)
    rows, columns = (_reach(is_near.any(dim=dim), length) for dim, length in ((1, size[0]), (0, size[1])))
    down, across = (_interpolation(logits_hw.shape[dim], size[dim]) for dim in (0, 1))
    enlarged = (down[rows] @ logits_hw @ across[columns].T).numpy()
    mask[rows, columns] = enlarged > 0
    return mask, [np.count_nonzero(enlarged > threshold) for threshold in THRESHOLDS]


def _reach(is_near: Tensor, length: int) -> slice:
    """The pixels that bilinear enlargement of these cells reaches."""
    places = torch.where(is_near)[0]
    scale = length / len(is_near)
    return slice(max(0, int((int(places[0]) - 1) * scale)), min(length, int((int(places[-1]) + 2) * scale) + 1))


def _interpolation(cells: int, length: int) -> Tensor:
    eye = torch.eye(cells)[None, None]
    return torch.nn.functional.interpolate(eye, (length, cells), mode="bilinear", align_corners=False)[0, 0]


def _box(mask: np.ndarray) -> tuple[int, int, int, int]:
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return (columns[0], rows[0], columns[-1], rows[-1]) if columns.size else (0, 0, 0, 0)


def kept_candidates(
    root: Path, folder: Path, points_per_side: int, limit: int | None
) -> Iterator[tuple[str, int, Path]]:
    """Yield dataset, number and file of each image, of which those that are missing are made; datasets take turns."""
    folder.mkdir(parents=True, exist_ok=True)
    segmenter = ImageSegmenter.from_pretrained()
    datasets = image_datasets(root)
    for number in range(max(map(len, datasets.values()))):
        for name, images in datasets.items():
            if number >= min(len(images), limit or len(images)) or not (image := images[number]).objects:
                continue
            path = folder / f"{name}_{number:04}_{points_per_side}.npz"
            if not path.exists():
                candidates_of(segmenter, image, points_per_side).save(path)
            yield name, number, path


def evaluated(files: Sequence[tuple[str, Candidates]]) -> list[dict[str, float]]:
    """For each setting the mean over the objects of a dataset, then over the datasets, of every measure."""
    results = []
    for setting in SETTINGS:
        by_dataset: dict[str, dict[str, list[float]]] = {}
        for dataset, candidates in files:
            places, values = candidates.left(setting), by_dataset.setdefault(dataset, {})
            values.setdefault("masks", []).append(len(places))
            recalls = recall_values(candidates.overlaps[places], candidates.object_areas, candidates.is_part)
            for measure, of_objects in recalls.items():
                values.setdefault(measure, []).extend(of_objects)
        measures = {measure for values in by_dataset.values() for measure in values}
        results.append(
            {
                measure: float(np.mean([np.mean(each[measure]) for each in by_dataset.values() if measure in each]))
                for measure in sorted(measures)
            }
        )
    return results


def report_of(halves: Sequence[Sequence[tuple[str, Candidates]]], command: str) -> dict[str, Any]:
    """Both halves, and which setting the first one chooses: with few enough masks, nearly the highest AR@1000."""
    choosing, reported = map(evaluated, halves)
    allowed = [place for place, each in enumerate(choosing) if each["masks"] <= MOST_MASKS]
    best = max(choosing[place]["AR@1000"] for place in allowed)
    nearly = [place for place in allowed if choosing[place]["AR@1000"] >= best - NEARLY]
    chosen = min(nearly, key=lambda place: choosing[place]["masks"])
    return {
        "command": command,
        "images": [len(half) for half in halves],
        "most_masks": MOST_MASKS,
        "chosen": chosen,
        "settings": [
            {**asdict(setting), "choosing": first, "reported": second}
            for setting, first, second in zip(SETTINGS, choosing, reported, strict=True)
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="a folder of datasets of images")
    parser.add_argument("--points", type=int, default=16, help="points per side (default 16)")
    parser.add_argument("--kept", type=Path, default=Path("candidates"), help="keeps what was decoded")
    parser.add_argument("--limit", type=int, help="only the first so many images of each dataset")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the JSON file")
    options = parser.parse_args()
    os.nice(10)
    torch.set_num_threads(1)
    halves: tuple[list[tuple[str, Candidates]], list[tuple[str, Candidates]]] = ([], [])
    for dataset, number, path in kept_candidates(options.root, options.kept, options.points, options.limit):
        halves[number % 2].append((dataset, Candidates.load(path)))
    limit = f" --limit {options.limit}" if options.limit else ""
    command = f"python -m benchmarks.everything_settings IMAGES --points {options.points}{limit}"
    write_report(report_of(halves, command), options.output)


if __name__ == "__main__":
    main()
