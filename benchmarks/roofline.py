"""Where the time of a task goes, and how much faster it could be: `python -m benchmarks.roofline --folder FOLDER`.

The implementations do each task in turn under torch's profiler. Operations are of three kinds: products (of matrices,
and convolutions), attention in one operation, which is two products and what is between them, and the rest, which moves
and changes numbers one by one. Of the fastest of three times the seconds are summed by kind; what Python takes between
operations is in none. Beside them stands how many GFLOP the products are, and how long they would take at the best rate
of large square matrices meanwhile, the machine's peak in practice: nobody who computes the same products in float32
can be faster than that.

FOLDER keeps the weights of SAM 2.1 tiny, as of `benchmarks.runtimes`. Writes `benchmarks/results/roofline.json`.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from benchmarks.measuring import machine, versions, write_report
from benchmarks.opponents import OPPONENTS
from benchmarks.probe import matrix_product_gflops
from benchmarks.runtimes import PROMPTS, configuration_of, weights_of
from benchmarks.video import FRAMES_TO_FILL_THE_BANK, drifting_noise
from benchmarks.video_opponents import VIDEO_OPPONENTS, Setup

RESULTS = Path(__file__).parent / "results" / "roofline.json"
ATEN = torch.ops.aten
ATTENTION = ATEN._scaled_dot_product_flash_attention_for_cpu
# The profiler knows transposed convolutions by `_convolution` alone.
PRODUCTS = ("mm", "addmm", "addmm_", "bmm", "baddbmm", "mkldnn_convolution", "_convolution")
KINDS = {
    "products": tuple(f"aten::{name}" for name in PRODUCTS),
    "attention": (f"aten::{ATTENTION.__name__}",),
}
REST = "rest"
TIMES = 3
"""How often a task is profiled."""

Work = Callable[[], object]


class CountedProducts(TorchDispatchMode):
    """Counts the operations of all products meanwhile. torch's own counter hooks modules, which is another way to run.

    Attributes:
        flop: multiplications and additions until now.
    """

    OF_OPERATION = flop_registry | {
        ATTENTION: flop_registry[ATEN._scaled_dot_product_flash_attention],
        ATEN.addmm_: flop_registry[ATEN.addmm],
    }

    def __init__(self) -> None:
        super().__init__()
        self.flop = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count an operation, or those that it is made of, and do it."""
        named = kwargs or {}
        count = self.OF_OPERATION.get(func.overloadpacket)
        if count is None:
            with self:
                result = func.decompose(*args, **named)
            return func(*args, **named) if result is NotImplemented else result
        result = func(*args, **named)
        self.flop += count(*args, **named, out_val=result)
        return result


def where_time_goes(task: str, works: dict[str, Work]) -> list[dict[str, Any]]:
    """Return of each implementation the seconds of each kind of operation, and the GFLOP of all products."""
    gflop = {name: _gflop(work) for name, work in works.items()}
    times: dict[str, list[dict[str, float]]] = {name: [] for name in works}
    for _ in range(TIMES):
        for name, work in works.items():
            times[name].append(_seconds_by_kind(work))
    fastest = {name: min(found, key=lambda each: sum(each.values())) for name, found in times.items()}
    return [{"task": task, "opponent": name, "seconds": fastest[name], "gflop": gflop[name]} for name in works]


def _gflop(work: Work) -> float:
    with CountedProducts() as counted:
        work()
    return counted.flop / 1e9


def _seconds_by_kind(work: Work) -> dict[str, float]:
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        work()
    seconds = dict.fromkeys([*KINDS, REST], 0.0)
    for operation in profiled.key_averages():
        kind = next((kind for kind, names in KINDS.items() if operation.key in names), REST)
        seconds[kind] += operation.self_cpu_time_total / 1e6
    return seconds


def tasks_of(name: str, folder: Path, size: int) -> dict[str, Work]:
    """Return what is profiled of an implementation, ready to be done."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randn(1, 3, size, size, generator=generator)
    points = torch.rand(PROMPTS, 2, generator=generator) * size
    image = OPPONENTS[name](folder)
    encoded = image.encode(pixels)
    video = VIDEO_OPPONENTS[name](folder, Setup())
    video.open(*drifting_noise(size, 1, FRAMES_TO_FILL_THE_BANK + 1 + TIMES))
    for _ in range(FRAMES_TO_FILL_THE_BANK):
        video.next_frame()
    return {
        "encode an image": lambda: image.encode(pixels),
        "decode 1 prompt": lambda: image.decode(encoded, points[:1]),
        f"decode {PROMPTS} prompts": lambda: image.decode(encoded, points),
        "a frame, 1 object": video.next_frame,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="of weights")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, default=RESULTS, help="the JSON file")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    folder, size = weights_of("tiny", options.folder), configuration_of("tiny")["image_size"]
    profiled, peak = [], 0.0
    with torch.inference_mode():
        tasks = {name: tasks_of(name, folder, size) for name in OPPONENTS}
        for task in tasks["masklet"]:
            profiled += where_time_goes(task, {name: works[task] for name, works in tasks.items()})
            peak = max(peak, matrix_product_gflops())
    about = {"model": "tiny", "machine": machine(), "versions": versions()}
    report = {**about, "peak_gflops": peak, "profiled": profiled}
    write_report(report, options.output)


if __name__ == "__main__":
    main()
