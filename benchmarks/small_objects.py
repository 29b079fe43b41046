"""Small objects in videos, in enlarged views and otherwise: `python -m benchmarks.small_objects IMAGES...`.

Datasets are made in a folder (`--kept`), in the layout of DAVIS: `tiles`, sixteen clips of the procedural world side by
side, of each of which the two smallest objects count; and, with `--vos ROOT`, `shrunk`: the first frames of the videos
there, which show one object each, at a quarter of their size, their edges drawn out. Objects are tracked from their
first masks by the bundled model in all or some `--ways`: as it is, with `zoom`, and at twice the image size. A run that
was stopped goes on with the next of these. Writes `benchmarks/results/small_objects.json`.
"""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from benchmarks.everything_videos import write_clip
from benchmarks.measuring import machine, processor, write_report
from masklet import VideoTracker
from masklet.datasets.scenes import Clip, ClipGenerator, ImageBank
from masklet.evaluation.measurement import measure_all
from masklet.evaluation.vos.measured_videos import MeasuredVideos
from masklet.evaluation.vos.measurement import VosMeasurement
from masklet.evaluation.vos.predictors import VideoModelPredictor
from masklet.evaluation.vos.scores import CountingRule

RESULTS = Path(__file__).parent / "results" / "small_objects.json"
SIDE, TILES, OF_A_TILE = 128, 4, 2
SHRINKING = 4
WAYS: dict[str, dict[str, Any]] = {"as it is": {}, "zoom": {"zoom": True}, "twice the image size": {"image_size": 768}}


def tiled(generator: ClipGenerator, number: int) -> Clip:
    """Clips side by side, TILES in both directions; of each the objects that are the smallest in its first frame."""
    clips = [generator.clip(number * TILES**2 + place) for place in range(TILES**2)]
    chosen = []
    for place, clip in enumerate(clips):
        for each in np.argsort(clip.masks[0].sum(axis=(1, 2)), kind="stable")[:OF_A_TILE]:
            row, column = divmod(place, TILES)
            canvas = np.zeros((generator.length, TILES, SIDE, TILES, SIDE), np.bool_)
            canvas[:, row, :, column] = clip.masks[:, each]
            chosen.append(canvas.reshape(generator.length, TILES * SIDE, TILES * SIDE))
    rows = [np.concatenate([clip.frames for clip in clips[row * TILES :][:TILES]], axis=2) for row in range(TILES)]
    return Clip(np.concatenate(rows, axis=1), np.stack(chosen, axis=1), "tiles")


def shrunk(root: Path, length: int) -> Iterator[tuple[str, Clip]]:
    """The videos of a dataset, small in the middle of their frames."""
    videos = MeasuredVideos(str(root))
    for name in videos.names():
        video = videos[name]
        frames, masks = [], []
        for frame in video.annotated_frames[:length]:
            pixels, (mask,) = video.read_pixels(frame), video.masks(frame).values()
            height, width = pixels.shape[0] // SHRINKING, pixels.shape[1] // SHRINKING
            down, across = ((SHRINKING - 1) * side // 2 for side in (height, width))
            size, edges = (width, height), (down, down, across, across)
            small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
            frames.append(cv2.copyMakeBorder(small, *edges, cv2.BORDER_REPLICATE))
            covered = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
            masks.append(cv2.copyMakeBorder(covered.astype(np.uint8), *edges, cv2.BORDER_CONSTANT)[None] > 0)
        yield name, Clip(np.stack(frames), np.stack(masks), "shrunk")


def measured(root: Path, way: str, options: dict[str, Any]) -> dict[str, Any]:
    """J and F of a dataset tracked in one way, and processor seconds a frame."""
    loading = {name: value for name, value in options.items() if name == "image_size"}
    tracker = VideoTracker.from_pretrained(**loading)
    predictor = VideoModelPredictor(tracker, way, zoom=options.get("zoom", False))
    measurement = VosMeasurement(MeasuredVideos(str(root), None, CountingRule.APPEARANCE), predictor)
    start = time.process_time()
    report = measurement.report(measure_all(measurement))
    seconds = time.process_time() - start
    frames = sum(item.frames for item in report.items)
    return {
        "videos": root.name,
        "way": way,
        "frames": frames,
        "objects": sum(len(item.object_ids) for item in report.items),
        "scores": {name: report.means[f"{name}-Mean"] for name in ("J&F", "J", "F")},
        "seconds_a_frame": seconds / frames,
    }


def made_folders(folder: Path, generator: ClipGenerator, count: int, vos: Path | None) -> list[Path]:
    """Write the datasets; return their folders."""
    roots = [folder / "tiles"] if vos is None else [folder / "tiles", folder / "shrunk"]
    for number in range(count):
        write_clip(roots[0], f"{number:03}", tiled(generator, number))
    for name, clip in [] if vos is None else shrunk(vos, generator.length):
        write_clip(roots[1], name, clip)
    return roots


def kept_row(root: Path, way: str) -> dict[str, Any]:
    """What is measured of a dataset tracked in one way, or was measured before on a processor like this one."""
    path = root.parent / f"{root.name}, {way}.json"
    row: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    here = processor(machine())
    if row.get("processor") != here:
        row = measured(root, way, WAYS[way]) | {"processor": here}
        write_report(row, path)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path, nargs="+", help="folders of images and material swatches")
    parser.add_argument("--panoptic", type=Path, help="a folder of labelled images in COCO's panoptic format")
    parser.add_argument("--vos", type=Path, help="annotated videos with one object each")
    parser.add_argument("--length", type=int, default=12, help="frames of a video (default 12)")
    parser.add_argument("--count", type=int, default=2, help="videos of tiles (default 2)")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), help="ways to track (default all)")
    parser.add_argument("--kept", type=Path, default=Path("small_objects"), help="keeps datasets and results")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the JSON file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    generator = ClipGenerator(ImageBank.load(options.images, options.panoptic), SIDE, options.length, seed=2)
    folder = options.kept / f"length {options.length}, count {options.count}"
    roots = made_folders(folder, generator, options.count, options.vos)
    rows = [kept_row(root, way) for root in roots for way in options.ways]
    vos = "" if options.vos is None else " --vos ROOT"
    ways = "".join(f' "{way}"' for way in options.ways)
    command = f"python -m benchmarks.small_objects IMAGES{vos} --length {options.length} --count {options.count}"
    command += "" if len(options.ways) == len(WAYS) else f" --ways{ways}"
    write_report({"command": command, "ways": rows}, options.output)
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
