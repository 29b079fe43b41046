"""What rounding and a smaller image change: `python -m benchmarks.presets IMAGES [--limit 20]`.

IMAGES is a folder of datasets of images with masks. The bundled model gets the boxes of their objects in float32, in
bfloat16 (what `balanced` computes in where that is faster) and in bfloat16 at half the image size (`fast`): the mean
IoU of the masks with those in float32, and of all with the annotated masks. Writes `benchmarks/results/presets.json`;
`python -m benchmarks.tables` prints it.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.measuring import machine, versions, write_report
from masklet import ImageSegmenter
from masklet.configuration.presets import SpeedPreset
from masklet.evaluation.annotated_data import image_datasets
from masklet.formats.reading.annotated import AnnotatedImage
from masklet.masks.geometry import Mask, bounding_box
from masklet.masks.overlap import intersection_over_union

RESULTS = Path(__file__).parent / "results" / "presets.json"


def segmenters() -> dict[SpeedPreset, ImageSegmenter]:
    """The presets as they are where bfloat16 is faster, whatever this machine does."""
    return {
        preset: ImageSegmenter.from_pretrained(
            preset=preset, dtype=torch.bfloat16 if preset.may_round else torch.float32
        )
        for preset in SpeedPreset
    }


def mean_overlap(ones: Sequence[Mask], others: Sequence[Mask]) -> float:
    overlaps = [intersection_over_union(one, other) for one, other in zip(ones, others, strict=True)]
    return sum(overlaps) / len(overlaps)


def compared(of_each: dict[SpeedPreset, ImageSegmenter], image: AnnotatedImage) -> dict[str, Any]:
    """One image: its objects by their boxes."""
    pixels, found = image.read_pixels(), {}
    annotated = [mask for mask in image.masks if mask.any()]
    boxes = [bounding_box(mask) for mask in annotated]
    for preset, segmenter in of_each.items():
        result = segmenter.segment(segmenter.encode(pixels), boxes=boxes)
        found[preset] = [result.mask(place) for place in range(len(boxes))]
    agreement = {preset: mean_overlap(masks, found[SpeedPreset.EXACT]) for preset, masks in found.items()}
    accuracy = {preset: mean_overlap(masks, annotated) for preset, masks in found.items()}
    return {"objects": len(boxes), "agreement": agreement, "accuracy": accuracy}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="a folder of datasets of images")
    parser.add_argument("--limit", type=int, default=20, help="objects of each image (default 20)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the JSON file")
    options = parser.parse_args()
    of_each = segmenters()
    rows = [
        {"dataset": name, **compared(of_each, image.first_objects(options.limit))}
        for name, images in image_datasets(options.root).items()
        for image in map(images.__getitem__, range(len(images)))
        if image.objects
    ]
    report = {
        "command": f"python -m benchmarks.presets IMAGES --limit {options.limit}",
        "machine": machine(),
        "versions": versions(),
        "presets": rows,
    }
    write_report(report, options.output)


if __name__ == "__main__":
    main()
