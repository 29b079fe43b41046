"""Speed, memory and agreement of image segmentation: `python -m benchmarks.images [--image-size 1024] [--rounds 5]`.

Writes `benchmarks/results/images.json`; `python -m benchmarks.tables` prints it as a table.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks.measuring import Row, machine, measure, versions, write_report
from benchmarks.one_process import fresh_process_costs, seconds_to_import
from benchmarks.opponents import OPPONENTS, Opponent, write_weights
from benchmarks.references import configurations

RESULTS = Path(__file__).parent / "results" / "images.json"
PROMPTS = 64
PICTURE_SIZE = (1280, 960)

Work = Callable[[Opponent], Sequence[Tensor]]


def measure_in_memory(weights: Path, picture: Path, rounds: int) -> list[Row]:
    """Encoding, decoding and file to mask with all opponents in this process."""
    opponents = [build(weights) for build in OPPONENTS.values()]
    size = opponents[0].image_size
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randn(1, 3, size, size, generator=generator)
    points = torch.rand(PROMPTS, 2, generator=generator) * size
    embeddings: dict[str, list[Tensor]] = {}
    tasks: dict[str, Work] = {
        "encode an image": lambda opponent: opponent.encode(pixels),
        "decode 1 prompt": lambda opponent: opponent.decode(embeddings[opponent.name], points[:1]),
        f"decode {PROMPTS} prompts": lambda opponent: opponent.decode(embeddings[opponent.name], points),
        "file to full-resolution mask": lambda opponent: [opponent.segment_file(picture, (640, 480))],
    }
    with torch.inference_mode():
        embeddings.update({opponent.name: opponent.encode(pixels) for opponent in opponents})
        return [row for task, work in tasks.items() for row in measure(task, work, opponents, rounds)]


def measure_processes(weights: Path, picture: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Cold start and peak memory of each opponent: the median over fresh processes, started in turn."""
    costs: dict[str, list[dict[str, float]]] = {name: [] for name in OPPONENTS}
    for _ in range(rounds):
        for name, runs in costs.items():
            runs.append(fresh_process_costs(name, weights, picture))
            print(f"fresh process: {name} {runs[-1]}", file=sys.stderr)
    return {name: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for name, runs in costs.items()}


def write_picture(path: Path) -> None:
    """A seeded picture with edges and noise, as JPEG."""
    width, height = PICTURE_SIZE
    y, x = np.mgrid[:height, :width]
    blobs = ((x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2) * 120
    noise = np.random.default_rng(0).integers(0, 80, (height, width, 3))
    Image.fromarray((blobs[..., None] + noise).astype(np.uint8)).save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image-size", type=int, default=1024, help="a multiple of 32 (default 1024)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each opponent is timed (default 5)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the JSON file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        weights, picture = Path(folder), Path(folder) / "picture.jpg"
        write_picture(picture)
        write_weights(configurations.tiny(options.image_size), weights)
        processes = measure_processes(weights, picture, rounds=min(options.rounds, 3))
        rows = measure_in_memory(weights, picture, options.rounds)
    report = {
        "command": f"python -m benchmarks.images --image-size {options.image_size} --rounds {options.rounds}",
        "model": f"SAM 2.1 Hiera-tiny at {options.image_size}, float32, equal random weights",
        "machine": machine(),
        "versions": versions(),
        "import_masklet_s": min(seconds_to_import("masklet") for _ in range(5)),
        "rows": [row.summary() for row in rows],
        "processes": processes,
    }
    write_report(report, options.output)


if __name__ == "__main__":
    main()
