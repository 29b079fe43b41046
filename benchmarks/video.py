"""Speed and agreement of tracking: `python -m benchmarks.video [--image-size 1024] [--objects 1 3 8] [--rounds 3]`.

Writes `benchmarks/results/video.json`; `python -m benchmarks.tables FILE` prints it as a table. With a GPU:

    python -m benchmarks.video --device cuda --dtype bfloat16 --compile --objects 1 4 16 --rounds 20 --output gpu.json

`--compile [BACKEND]` is masklet's `Sam2VideoModel.compile_parts` (image encoder, memory attention, mask decoder and
memory encoder, compiled once whatever the number of objects, the decoder also for one alone; on a GPU once more for
shapes that stay, as CUDA graphs), the same parts of transformers, and Meta's own compiled predictor. It has not been
run on a GPU yet.

`--scores exact.json fast.json`, written by `masklet evaluate vos`, puts what the presets reach beside what they cost.
"""

import argparse
import json
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.measuring import Row, machine, measure, versions, write_report
from benchmarks.opponents import write_weights
from benchmarks.references import configurations
from benchmarks.video_opponents import VIDEO_OPPONENTS, Setup, VideoOpponent
from masklet.runtimes.compiled import CALLS_TO_RECORD

RESULTS = Path(__file__).parent / "results" / "video.json"
USUAL = ["masklet", "masklet (fast)", "transformers", "meta"]
FRAMES_TO_FILL_THE_BANK = 7  # the clicked frame and the six before the one that is timed
FRAMES_TO_FILL_THE_POINTERS = 16  # from then on shapes stay
FRAMES_TO_RECORD = FRAMES_TO_FILL_THE_POINTERS + CALLS_TO_RECORD


def measure_tracking(
    opponents: list[VideoOpponent], image_size: int, objects: int, rounds: int, filling: int
) -> list[Row]:
    """Frames in turn, after as many as fill the bank; all opponents go through the same video."""
    pixels, points = drifting_noise(image_size, objects, filling + 1 + rounds)  # one to warm up and to compare
    for opponent in opponents:
        opponent.open(pixels, points)
        for _ in range(filling):
            opponent.next_frame()
        print(f"{objects} objects: {opponent.name} has filled its bank", file=sys.stderr)
    return measure(f"a frame, {_objects(objects)}", VideoOpponent.next_frame, opponents, rounds)


def drifting_noise(image_size: int, objects: int, frames: int) -> tuple[Tensor, Tensor]:
    """A video [frames, 3, S, S] of one image under changing noise, and a click for each object, [objects, 2]."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randn(1, 3, image_size, image_size, generator=generator) + 0.2 * torch.randn(
        frames, 3, image_size, image_size, generator=generator
    )
    return pixels, torch.rand(objects, 2, generator=generator) * image_size


def _objects(count: int) -> str:
    return "1 object" if count == 1 else f"{count} objects"


def report_of(options: argparse.Namespace, rows: list[Row]) -> dict[str, Any]:
    """What is written as JSON."""
    compiled = ", compiled" if options.backend else ""
    return {
        "command": f"python -m benchmarks.video {shlex.join(sys.argv[1:])}".rstrip(),
        "model": f"SAM 2.1 Hiera-tiny at {options.image_size}, {options.dtype}{compiled}, equal random weights, "
        "memory bank full",
        "machine": machine() | accelerator(options.device),
        "versions": versions(),
        "rows": [row.summary() for row in rows],
        "j_and_f": j_and_f(options.scores),
    }


def j_and_f(files: Sequence[Path]) -> dict[str, float]:
    """The J&F of each predictor in the JSON files of `masklet evaluate vos`, named as the opponents are."""
    reports = [report for file in files for report in json.loads(file.read_text())]
    return {report["predictor"]: report["scores"]["J&F-Mean"] for report in reports}


def accelerator(device: str) -> dict[str, str]:
    return {"accelerator": torch.cuda.get_device_name(device)} if device.startswith("cuda") else {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image-size", type=int, default=1024, help="a multiple of 128 (default 1024)")
    parser.add_argument("--objects", type=int, nargs="+", default=[1, 3, 8], help="numbers of objects (default 1 3 8)")
    parser.add_argument("--rounds", type=int, default=3, help="how many frames of each opponent are timed (default 3)")
    parser.add_argument("--opponents", nargs="+", choices=VIDEO_OPPONENTS, default=USUAL)
    parser.add_argument("--device", default="cpu", help="default cpu")
    parser.add_argument("--dtype", choices=["float32", "bfloat16", "float16"], default="float32")
    parser.add_argument(
        "--compile", nargs="?", const="inductor", dest="backend", help="with torch's compiler: see above"
    )
    parser.add_argument("--scores", type=Path, nargs="+", default=[], help="JSON files of masklet evaluate vos")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the JSON file")
    options = parser.parse_args()
    setup = Setup(options.device, getattr(torch, options.dtype), options.backend)
    filling = FRAMES_TO_RECORD if options.backend else FRAMES_TO_FILL_THE_BANK
    with tempfile.TemporaryDirectory() as folder:
        write_weights(configurations.tiny_video(options.image_size), Path(folder))
        opponents = [VIDEO_OPPONENTS[name](Path(folder), setup) for name in options.opponents]
    rows = [
        row
        for objects in options.objects
        for row in measure_tracking(opponents, options.image_size, objects, options.rounds, filling)
    ]
    write_report(report_of(options, rows), options.output)


if __name__ == "__main__":
    main()
