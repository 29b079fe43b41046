"""All that is to be known of masklet on a GPU, in one command: `python -m benchmarks.gpu [--output gpu.json]`.

Agreement with the processor, frames a second of 1, 4 and 16 objects beside Meta's compiled predictor and transformers,
images a second, everything in an image, and a profile of tracked frames with the number of times that the processor
waited. Prints tables and writes JSON. `--device cpu --image-size 256` rehearses it without a GPU.

Each part is written as soon as it is measured, and left out if it is in the output already; a part that fails leaves
its error there, and the others go on. So the command can be stopped and given again on a card that is lent for minutes.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.measuring import largest_difference, machine, versions, write_report
from benchmarks.opponents import FOLDER, write_weights
from benchmarks.references import configurations
from benchmarks.tables import gpu_markdown
from benchmarks.video import (
    FRAMES_TO_FILL_THE_POINTERS,
    FRAMES_TO_RECORD,
    accelerator,
    drifting_noise,
    measure_tracking,
)
from benchmarks.video_opponents import VIDEO_OPPONENTS, Masklet, Setup
from masklet import AutomaticMaskGenerator, VideoTracker
from masklet.transfers import wait_for

BATCHES = (1, 8)
PROFILED_FRAMES = 50
WAITS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize")


def agreement(weights: Path, device: str, size: int) -> dict[str, float]:
    """The largest difference of tracked logits from the processor's, in float32 and in half precision."""
    setups = [Setup(), Setup(device), Setup(device, torch.bfloat16)]
    pixels, points = drifting_noise(size, 2, 10)
    tracked = []
    for setup in setups:
        opponent = Masklet(weights, setup)
        opponent.open(pixels, points)
        tracked.append([logits for _ in range(len(pixels)) for logits in opponent.next_frame()])
    return {
        f"{setup.device} {str(setup.dtype).removeprefix('torch.')}": largest_difference(logits, tracked[0])
        for setup, logits in zip(setups[1:], tracked[1:], strict=True)
    }


def tracking(
    weights: Path, device: str, size: int, count: int, backend: str | None, rounds: int
) -> list[dict[str, Any]]:
    """Frames of all implementations in turn, in half precision: as they are, or compiled."""
    setup = Setup(device, torch.bfloat16, backend)
    ways = [VIDEO_OPPONENTS[name](weights, setup) for name in ("masklet", "transformers", "meta")]
    filling = FRAMES_TO_FILL_THE_POINTERS if backend is None else FRAMES_TO_RECORD
    measured = measure_tracking(ways, size, count, rounds, filling)
    return [{"is_compiled": backend is not None, **row.summary()} for row in measured]


def images(weights: Path, device: str, size: int) -> dict[str, float]:
    """Images encoded in a second, and seconds to find everything in one."""
    tracker = VideoTracker.from_pretrained(weights / FOLDER, device=device, dtype=torch.bfloat16)
    rates = {}
    with torch.inference_mode():
        for count in BATCHES:
            pixels = torch.randn(count, 3, size, size, device=device, dtype=torch.bfloat16)
            rates[f"images a second, {count} at once"] = count / _seconds(
                lambda pixels=pixels: tracker.model.encode_image(pixels), device
            )
    generator = AutomaticMaskGenerator(tracker.runtime, tracker.processor)
    image = np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)
    return rates | {"everything in an image, s": _seconds(lambda: generator.generate(image), device, repeats=2)}


def profiled(weights: Path, device: str, size: int) -> dict[str, Any]:
    """What a tracked frame consists of, memory bank full: operations, waits, and the longest operations."""
    opponent = Masklet(weights, Setup(device, torch.bfloat16))
    opponent.open(*drifting_noise(size, 1, FRAMES_TO_FILL_THE_POINTERS + PROFILED_FRAMES))
    for _ in range(FRAMES_TO_FILL_THE_POINTERS):
        opponent.next_frame()
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if device.startswith("cuda") else [])]
    with profile(activities=activities) as seen:
        for _ in range(PROFILED_FRAMES):
            opponent.next_frame()
    averages = seen.key_averages()
    counts = Counter({each.key: each.count for each in averages})
    longest = sorted(averages, key=lambda each: _own_microseconds(each, device), reverse=True)[:15]
    return {
        "waits_a_frame": sum(counts[name] for name in WAITS) / PROFILED_FRAMES,
        "launches_a_frame": counts["cudaLaunchKernel"] / PROFILED_FRAMES,
        "milliseconds_a_frame": {
            each.key: _own_microseconds(each, device) / 1000 / PROFILED_FRAMES for each in longest
        },
    }


def _own_microseconds(event: Any, device: str) -> float:
    return float(event.self_device_time_total if device.startswith("cuda") else event.self_cpu_time_total)


def _seconds(work: Callable[[], object], device: str, repeats: int = 10) -> float:
    """The shortest of some calls, the device's work included."""
    best = float("inf")
    for _ in range(1 + repeats):
        start = time.perf_counter()
        work()
        wait_for(torch.device(device))
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", help="default cuda")
    parser.add_argument("--image-size", type=int, default=1024, help="a multiple of 128 (default 1024)")
    parser.add_argument("--objects", type=int, nargs="+", default=[1, 4, 16], help="default 1 4 16")
    parser.add_argument("--rounds", type=int, default=20, help="how many frames are timed (default 20)")
    parser.add_argument("--output", type=Path, default=Path("gpu.json"), help="the JSON file")
    options = parser.parse_args()
    device, size = options.device, options.image_size
    if device.startswith("cuda") and not torch.cuda.is_available():
        sys.exit("torch finds no GPU here; benchmarks.gpu needs one (--device cpu --image-size 256 rehearses it).")
    about = {
        "model": f"SAM 2.1 Hiera-tiny at {size}, bfloat16, equal random weights",
        "machine": machine() | accelerator(device),
        "versions": versions(),
    }
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder)
        write_weights(configurations.tiny_video(size), weights)
        parts: dict[str, Callable[[], Any]] = {
            "difference from the processor": partial(agreement, weights, device, size),
            "images": partial(images, weights, device, size),
            "profile": partial(profiled, weights, device, size),
        }
        for backend, count in product((None, "inductor") if device.startswith("cuda") else (None,), options.objects):
            name = f"tracking, {count} objects{'' if backend is None else ', compiled'}"
            parts[name] = partial(tracking, weights, device, size, count, backend, options.rounds)
        report = measured_parts(about, parts, options.output)
    print(gpu_markdown(report))


def measured_parts(about: dict[str, Any], parts: Mapping[str, Callable[[], Any]], output: Path) -> dict[str, Any]:
    """Measure the parts that are not in the output yet, and write each of them; one that fails leaves its error."""
    report: dict[str, Any] = json.loads(output.read_text()) if output.exists() else {**about, "measured": {}}
    for what, value in about.items():
        if report[what] != value:
            sys.exit(f"{output} was measured with another {what}: {report[what]}, not {value}; give another --output.")
    report["failed"] = {}
    for name, measure in parts.items():
        if name in report["measured"]:
            continue
        try:
            report["measured"][name] = measure()
        except Exception as error:  # of torch, of a reference, of a compiler
            report["failed"][name] = f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
        write_report(report, output)
    return report


if __name__ == "__main__":
    main()
