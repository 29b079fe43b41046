"""Automatic masks beside Meta's generator: `python -m benchmarks.everything IMAGE [--points 8 16 32] [--rounds 3]`.

Both run in one process in turn, with equal weights and images prepared in floats; what is measured is the time of the
processor, which equals seconds on a quiet machine as long as there is one thread. Whole calls with the bundled weights;
and SAM 2.1 Hiera-tiny at 1024 with random weights (`--random`), up to the boxes, without run lengths and suppression,
which masks of noise would make absurd. Peak memory is that of fresh processes. Writes
`benchmarks/results/everything.json`; `python -m benchmarks.tables` prints it as a table.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from unittest.mock import patch

import numpy as np
import torch
from PIL import Image

from benchmarks.measuring import Row, machine, time_in_turn, versions, write_report
from benchmarks.references import configurations
from benchmarks.references.meta_everything import build_meta_generator
from benchmarks.references.meta_sam2 import meta_state_dict
from benchmarks.references.random_weights import randomise
from masklet import AutomaticMaskGenerator, ImageSegmenter, Sam2Config, Sam2Model, Sam2Processor
from masklet.masks.assignment import best_assignment
from masklet.masks.run_length import RunLength
from masklet.masks.suppression import mask_ious

RESULTS = Path(__file__).parent / "results" / "everything.json"
THRESHOLDS = {"pred_iou_thresh": 0.5, "stability_score_thresh": 0.5}
NAMES = ("masklet", "meta")
GOOD, FAIR = 0.9, 0.75


class Generator(Protocol):
    """One implementation: masks, or how many candidates there are before suppression."""

    name: str

    def masks(self, image: np.ndarray) -> list[RunLength]: ...

    def candidates(self, image: np.ndarray) -> int: ...


class Masklet:
    """This package."""

    name = "masklet"

    def __init__(self, segmenter: ImageSegmenter, **settings: Any) -> None:
        self._generator = AutomaticMaskGenerator(segmenter.runtime, segmenter.processor, "default", **settings)

    def masks(self, image: np.ndarray) -> list[RunLength]:
        return list(self._generator.generate(_in_floats(image)).run_lengths)

    def candidates(self, image: np.ndarray) -> int:
        with without_suppression():
            return self._generator.generate(_in_floats(image)).counts.stability or 0


class Meta:
    """Meta's generator on its own classes."""

    name = "meta"

    def __init__(self, segmenter: ImageSegmenter, **settings: Any) -> None:
        model = segmenter.model
        state = meta_state_dict(model.state_dict())
        self._generator = build_meta_generator(model.config.to_dict(), state, output_mode="coco_rle", **settings)

    def masks(self, image: np.ndarray) -> list[RunLength]:
        return [each["segmentation"] for each in self._generator.generate(image)]

    def candidates(self, image: np.ndarray) -> int:
        module = "sam2.automatic_mask_generator"
        with (
            patch(f"{module}.mask_to_rle_pytorch", lambda masks: [None] * len(masks)),
            patch(f"{module}.batched_nms", lambda boxes, scores, classes, iou_threshold: torch.arange(len(boxes))),
        ):
            return len(self._generator._generate_masks(image)["boxes"])


@contextmanager
def without_suppression() -> Iterator[None]:
    """Let masklet's generator stop at the boxes: no run lengths of candidates, of which all stay, but no masks."""
    with (
        patch("masklet.automask.filtering.StabilityFilter._hold", lambda self, runs: 0),
        patch("masklet.automask.generator.box_suppression", lambda boxes, scores, threshold: np.zeros(0, int)),
    ):
        yield


def _in_floats(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image).permute(2, 0, 1) / 255


def agreement(found: Sequence[RunLength], expected: Sequence[RunLength]) -> dict[str, float]:
    """How far two lists of masks are the same, each mask of one being that of at most one of the other."""
    ious = mask_ious(found, expected)
    pairs = ious[best_assignment(ious)]
    shares = {f"recall_{at}": float((pairs >= at).sum() / max(len(expected), 1)) for at in (GOOD, FAIR)}
    precision = float((pairs >= GOOD).sum() / max(len(found), 1))
    best = float(ious.max(axis=0).mean()) if ious.size else float(len(found) == len(expected))
    return {"masks": len(found), **shares, f"precision_{GOOD}": precision, "mean_best_iou": best}


def bundled_rows(image: np.ndarray, points: Sequence[int], rounds: int) -> Iterator[dict[str, Any]]:
    """Whole calls with the bundled weights."""
    segmenter = ImageSegmenter.from_pretrained()
    for side in points:
        opponents: list[Generator] = [kind(segmenter, points_per_side=side, **THRESHOLDS) for kind in (Masklet, Meta)]
        of_each = {each.name: each.masks(image) for each in opponents}  # warm-up, and what is compared
        rows = [Row(f"whole call, {side} x {side} points", each.name) for each in opponents]
        time_in_turn(rows, lambda each: each.masks(image), opponents, rounds, time.process_time)
        for row in rows:
            yield row.summary() | {"points": side**2} | agreement(of_each[row.opponent], of_each["meta"])


def random_rows(image: np.ndarray, points: Sequence[int], rounds: int) -> Iterator[dict[str, Any]]:
    """SAM 2.1 tiny at 1024 with random weights, up to the boxes."""
    model = randomise(Sam2Model(Sam2Config.from_dict(configurations.tiny(1024)))).eval()
    size = {"height": 1024, "width": 1024}
    processor = Sam2Processor.from_pretrained(None, size=size)
    segmenter = ImageSegmenter(model, processor)
    for side in points:
        opponents: list[Generator] = [kind(segmenter, points_per_side=side, **THRESHOLDS) for kind in (Masklet, Meta)]
        counts: dict[str, int] = {}
        rows = [Row(f"tiny at 1024 up to the boxes, {side} x {side} points", each.name) for each in opponents]

        def work(each: Generator, counts: dict[str, int] = counts) -> None:
            counts[each.name] = each.candidates(image)

        time_in_turn(rows, work, opponents, rounds, time.process_time)
        for row in rows:
            yield row.summary() | {"points": side**2, "candidates": counts[row.opponent]}


def peak_memory(name: str, path: Path, size: tuple[int, int], batch: int) -> dict[str, Any]:
    """The largest resident size of a fresh process that makes masks of the image, enlarged to a size."""
    arguments = [sys.executable, "-m", "benchmarks.everything", str(path), "--alone", name, *map(str, size), str(batch)]
    output = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout
    return {"opponent": name, "size": size, "points_per_batch": batch, "peak_mib": float(output.split()[-1])}


def run_alone(name: str, image: Image.Image, width: int, height: int, batch: int) -> None:
    """Make the masks of one image and print the peak memory of this process in MiB (Linux counts it in KiB)."""
    kind = {"masklet": Masklet, "meta": Meta}[name]
    generator = kind(ImageSegmenter.from_pretrained(), points_per_side=16, points_per_batch=batch, **THRESHOLDS)
    generator.masks(np.array(image.resize((width, height), Image.Resampling.BICUBIC)))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image", type=Path, help="an image file")
    parser.add_argument("--points", type=int, nargs="+", default=[8, 16, 32], help="points per side")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is timed (default 3)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--random", action="store_true", help="tiny at 1024 with random weights, too")
    parser.add_argument("--memory", action="store_true", help="peak memory, too")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the JSON file")
    parser.add_argument("--alone", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    image = Image.open(options.image).convert("RGB")
    if options.alone:
        run_alone(options.alone[0], image, *map(int, options.alone[1:]))
        return
    rows = list(bundled_rows(np.array(image), options.points, options.rounds))
    if options.random:
        rows += random_rows(np.array(image), options.points, options.rounds)
    cases = [(name, (3000, 2000), 64) for name in NAMES] + [("masklet", (6000, 4000), batch) for batch in (64, 256)]
    memory = [peak_memory(name, options.image, size, batch) for name, size, batch in cases] if options.memory else []
    report = {
        "command": f"python -m benchmarks.everything {options.image} {' '.join(sys.argv[2:])}".strip(),
        "image": [image.height, image.width],
        "machine": machine(),
        "versions": versions(),
        "rows": rows,
        "memory": memory,
    }
    write_report(report, options.output)


if __name__ == "__main__":
    main()
