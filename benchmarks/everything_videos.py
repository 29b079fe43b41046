"""Everything in clips of the procedural world, and how well objects keep their ids:

    python -m benchmarks.everything_videos IMAGES... [--panoptic FOLDER] [--seed 1] [--policies default careful]

IMAGES are folders of images and material swatches, of which clips with exact masks of every object are made: as they
come (objects move, hide each other, leave), backward (they enter), and cut (the first half of one clip, of another one,
and the second half of the first). They are written to a folder (`--kept`) in the layout of DAVIS and measured as
`masklet evaluate everything --kind video` does, with the bundled model; a run that was stopped goes on. Settings are
chosen on the clips of seed 1, and reported on those of seed 2. Writes `benchmarks/results/everything_videos.json`.
"""

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.measuring import write_report
from masklet import EverythingPolicy, VideoTracker
from masklet.cli.everything_options import assigned
from masklet.datasets.scenes import Clip, ClipGenerator, ImageBank
from masklet.evaluation.everything.tracked_everything import TrackedEverything
from masklet.evaluation.everything.video_measurement import EverythingVideoMeasurement
from masklet.evaluation.everything.video_report import EverythingVideoReport
from masklet.evaluation.measurement import measure_all
from masklet.evaluation.vos.measured_videos import MeasuredVideos
from masklet.evaluation.vos.predictors import VideoModelPredictor
from masklet.evaluation.vos.scores import CountingRule
from masklet.formats.reading.label_map_folder import ANNOTATIONS, FRAMES
from masklet.media.label_maps import write_label_map

RESULTS = Path(__file__).parent / "results" / "everything_videos.json"
SIZE, LENGTH = 256, 24
KINDS = "as they come", "backward", "cut"


def clips(bank: ImageBank, seed: int, count: int) -> Iterator[tuple[str, int, Clip]]:
    """Yield the kind, number and clip of `count` clips of each kind; no two show the same take."""
    generator = ClipGenerator(bank, SIZE, LENGTH, seed=seed)
    for number in range(count):
        plain, backward, around, between = (generator.clip(4 * number + place) for place in range(4))
        yield KINDS[0], number, plain
        yield KINDS[1], number, Clip(backward.frames[::-1], backward.masks[::-1], backward.kind)
        yield KINDS[2], number, cut_into(around, between)


def cut_into(around: Clip, between: Clip) -> Clip:
    """The first half of one clip, of another, and the second half of the first; half as long again."""
    half, (length, objects) = LENGTH // 2, around.masks.shape[:2]
    masks = np.zeros((length + half, objects + between.masks.shape[1], SIZE, SIZE), np.bool_)
    masks[:half, :objects], masks[2 * half :, :objects] = around.masks[:half], around.masks[half:]
    masks[half : 2 * half, objects:] = between.masks[:half]
    frames = np.concatenate([around.frames[:half], between.frames[:half], around.frames[half:]])
    return Clip(frames, masks, around.kind)


def write_clip(root: Path, name: str, clip: Clip) -> None:
    """Write a clip as a sequence in the layout of DAVIS; ids begin at 1."""
    for folder in (root / FRAMES / name, root / ANNOTATIONS / name):
        folder.mkdir(parents=True, exist_ok=True)
    ids = np.arange(1, clip.masks.shape[1] + 1, dtype=np.uint8)[:, None, None]
    for number, (frame, masks) in enumerate(zip(clip.frames, clip.masks, strict=True)):
        Image.fromarray(frame).save(root / FRAMES / name / f"{number:05}.png")
        write_label_map(root / ANNOTATIONS / name / f"{number:05}.png", (masks * ids).max(axis=0))


def made_folders(bank: ImageBank, folder: Path, seed: int, count: int) -> list[Path]:
    """Write the clips that are not there yet; return the folder of each kind."""
    for kind, number, clip in clips(bank, seed, count):
        root, name = folder / f"seed {seed}" / kind, f"{number:03}"
        if not (root / ANNOTATIONS / name / f"{len(clip.frames) - 1:05}.png").exists():
            write_clip(root, name, clip)
    return [folder / f"seed {seed}" / kind for kind in KINDS]


def row_of(kind: str, policy: str, report: EverythingVideoReport) -> dict[str, Any]:
    """What was measured of one kind of clips by one policy."""
    return {
        "clips": kind,
        "policy": policy,
        "videos": len(report.items),
        "frames": sum(item.frames for item in report.items),
        "objects": sum(len(item.object_ids) for item in report.items),
        "scores": {measure: report.means[measure] for measure in report.shown().values()},
        "amounts": report.amounts,
    }


def measured(
    roots: Sequence[Path], policies: dict[str, EverythingPolicy], kept: Path, count: int
) -> Iterator[dict[str, Any]]:
    """Yield the rows: every kind of clips by every policy, the first one beside the prompted model."""
    tracker = VideoTracker.from_pretrained()
    prompted = VideoModelPredictor(tracker)
    for place, (name, policy) in enumerate(policies.items()):
        for root in roots:
            videos = MeasuredVideos(str(root), tuple(f"{each:03}" for each in range(count)), CountingRule.APPEARANCE)
            everything = TrackedEverything(tracker, policy, name)
            measurement = EverythingVideoMeasurement(videos, everything, None if place else prompted)
            items = measure_all(measurement, folder=kept / root.parent.name / root.name / name)
            yield row_of(root.name, name, measurement.report(items))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path, nargs="+", help="folders of images and material swatches")
    parser.add_argument("--panoptic", type=Path, help="a folder of labelled images in COCO's panoptic format")
    parser.add_argument("--seed", type=int, default=2, help="of the clips: 1 to choose settings by, 2 to report")
    parser.add_argument("--count", type=int, default=8, help="clips of each kind (default 8)")
    parser.add_argument("--policies", nargs="+", default=["default"], help="names of policies")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="changes them all")
    parser.add_argument("--kept", type=Path, default=Path("everything_videos"), help="keeps clips and results")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the JSON file")
    options = parser.parse_args()
    os.nice(10)
    torch.set_num_threads(1)
    changes = assigned(options.set, EverythingPolicy)
    label = "".join(f" {each}" for each in options.set)
    policies = {f"{name}{label}": replace(EverythingPolicy.named(name), **changes) for name in options.policies}
    bank = ImageBank.load(options.images, options.panoptic)
    roots = made_folders(bank, options.kept, options.seed, options.count)
    rows = list(measured(roots, policies, options.kept / "measured", options.count))
    command = f"python -m benchmarks.everything_videos IMAGES --seed {options.seed} --count {options.count}"
    write_report({"command": command, "clips": rows}, options.output)
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
