"""Speed and agreement of tracking: `python -m benchmarks.video [--image-size 1024] [--objects 1 3 8] [--rounds 3]`.

Writes `benchmarks/results/video.json`; `python -m benchmarks.tables FILE` prints it as a table.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from benchmarks.measuring import Row, machine, measure, versions
from benchmarks.opponents import write_weights
from benchmarks.references import configurations
from benchmarks.video_opponents import VIDEO_OPPONENTS, VideoOpponent
from masklet.atomic_files import written_whole

RESULTS = Path(__file__).parent / "results" / "video.json"
EXACT = ["masklet", "transformers", "meta"]
FRAMES_TO_FILL_THE_BANK = 7  # the clicked frame and the six before the one that is timed


def measure_tracking(opponents: list[VideoOpponent], image_size: int, objects: int, rounds: int) -> list[Row]:
    """Frames in turn, after as many as fill the bank; all opponents go through the same video."""
    generator = torch.Generator().manual_seed(0)
    frames = FRAMES_TO_FILL_THE_BANK + 1 + rounds  # one to warm up and to compare
    pixels = torch.randn(1, 3, image_size, image_size, generator=generator) + 0.2 * torch.randn(
        frames, 3, image_size, image_size, generator=generator
    )
    points = torch.rand(objects, 2, generator=generator) * image_size
    for opponent in opponents:
        opponent.open(pixels, points)
        for _ in range(FRAMES_TO_FILL_THE_BANK):
            opponent.next_frame()
        print(f"{objects} objects: {opponent.name} has filled its bank", file=sys.stderr)
    return measure(f"a frame, {_objects(objects)}", VideoOpponent.next_frame, opponents, rounds)


def _objects(count: int) -> str:
    return "1 object" if count == 1 else f"{count} objects"


def report_of(options: argparse.Namespace, rows: list[Row]) -> dict[str, Any]:
    """What is written as JSON."""
    objects = " ".join(map(str, options.objects))
    return {
        "command": f"python -m benchmarks.video --image-size {options.image_size} --objects {objects} "
        f"--rounds {options.rounds}",
        "model": f"SAM 2.1 Hiera-tiny at {options.image_size}, float32, equal random weights, memory bank full",
        "machine": machine(),
        "versions": versions(),
        "rows": [row.summary() for row in rows],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image-size", type=int, default=1024, help="a multiple of 128 (default 1024)")
    parser.add_argument("--objects", type=int, nargs="+", default=[1, 3, 8], help="numbers of objects (default 1 3 8)")
    parser.add_argument("--rounds", type=int, default=3, help="how many frames of each opponent are timed (default 3)")
    parser.add_argument("--opponents", nargs="+", choices=VIDEO_OPPONENTS, default=EXACT)
    parser.add_argument("--output", type=Path, default=RESULTS, help="the JSON file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_weights(configurations.tiny_video(options.image_size), Path(folder))
        opponents = [VIDEO_OPPONENTS[name](Path(folder)) for name in options.opponents]
    rows = [
        row
        for objects in options.objects
        for row in measure_tracking(opponents, options.image_size, objects, options.rounds)
    ]
    with written_whole(options.output) as unfinished:
        unfinished.write_text(json.dumps(report_of(options, rows), indent=1) + "\n")


if __name__ == "__main__":
    main()
