"""The preset `fast` of automatic masks beside all points: `python -m benchmarks.everything_fast IMAGES [--limit 5]`.

IMAGES is a folder of datasets of images with masks. Each image is segmented with all points and with fewer, one after
the other, by the bundled model's own settings: what is found again (one to one, by IoU, images with another number of
masks included), average recall of annotated objects, points and the processor's time. Writes
`benchmarks/results/everything_fast.json`; `python -m benchmarks.tables` prints it.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.everything import agreement
from benchmarks.measuring import machine, versions, write_report
from masklet import AutomaticMaskGenerator, AutomaticMasks
from masklet.evaluation.annotated_data import image_datasets
from masklet.evaluation.everything.recall import are_parts, recall_values
from masklet.formats.reading.annotated import AnnotatedImage
from masklet.masks.run_length import encode_run_length
from masklet.masks.suppression import containment, mask_ious

RESULTS = Path(__file__).parent / "results" / "everything_fast.json"
RECALL = "AR@100"


def images_of(root: Path, limit: int) -> Iterator[tuple[str, AnnotatedImage]]:
    """The first so many images with objects of each dataset; datasets take turns."""
    of_each = [
        [(name, images[number]) for number in range(min(len(images), limit)) if images[number].objects]
        for name, images in image_datasets(root).items()
    ]
    for turn in zip_longest(*of_each):
        yield from (each for each in turn if each is not None)


def recall_of(found: AutomaticMasks, image: AnnotatedImage) -> float:
    """The average recall of the objects of an image by at most 100 masks."""
    objects = [encode_run_length(image.masks_of([each])[0]) for each in range(len(image.objects))]
    areas = np.array([image.masks_of([each]).sum() for each in range(len(objects))])
    overlaps = mask_ious(found.run_lengths, objects)
    return float(np.mean(recall_values(overlaps, areas, are_parts(containment(objects, objects)))[RECALL]))


def compared(generators: dict[str, AutomaticMaskGenerator], image: AnnotatedImage) -> dict[str, Any]:
    """Both ways to segment one image, and how much of what all points find is found with fewer."""
    pixels, of_each, measured = image.read_pixels(), {}, {}
    for name, generator in generators.items():
        start = time.process_time()
        found = of_each[name] = generator.generate(pixels)
        seconds = time.process_time() - start
        measured[name] = {
            "seconds": seconds,
            "points": found.counts.points,
            "masks": len(found),
            RECALL: recall_of(found, image),
        }
    same = agreement(of_each["fast"].run_lengths, of_each["exact"].run_lengths)
    return {**measured, "agreement": same, "has_another_count": len(of_each["fast"]) != len(of_each["exact"])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="a folder of datasets of images")
    parser.add_argument("--limit", type=int, default=5, help="images of each dataset (default 5)")
    parser.add_argument("--points", type=int, nargs="+", default=[16, 32], help="points per side")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the JSON file")
    options = parser.parse_args()
    os.nice(5)
    torch.set_num_threads(1)
    rows = []
    for side in options.points:
        generators = {
            "exact": AutomaticMaskGenerator.from_pretrained(points_per_side=side),
            "fast": AutomaticMaskGenerator.from_pretrained(preset="fast", points_per_side=side),
        }
        for dataset, image in images_of(options.root, options.limit):
            rows.append({"points_per_side": side, "dataset": dataset, **compared(generators, image)})
            print(json.dumps(rows[-1]), flush=True)
    sides = " ".join(map(str, options.points))
    report = {
        "command": f"python -m benchmarks.everything_fast IMAGES --limit {options.limit} --points {sides}",
        "machine": machine(),
        "versions": versions(),
        "rows": rows,
    }
    write_report(report, options.output)


if __name__ == "__main__":
    main()
