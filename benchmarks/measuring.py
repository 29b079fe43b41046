"""Opponents timed in turn, what their results differ by, and what they ran on."""

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from benchmarks.probe import matrix_product_gflops
from masklet.atomic_files import written_whole


class Named(Protocol):
    """One implementation."""

    name: str


AnyOpponent = TypeVar("AnyOpponent", bound=Named)


@dataclass
class Row:
    """One task of one opponent: every round's seconds, each beside the matrix product probe taken just before it."""

    task: str
    opponent: str
    seconds: list[float] = field(default_factory=list)
    probe_gflops: list[float] = field(default_factory=list)
    difference: float = 0.0  # from masklet's result, see `largest_difference`

    def summary(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "median_s": statistics.median(self.seconds),
            "min_s": min(self.seconds),
            "median_probe_gflops": statistics.median(self.probe_gflops),
        }


def write_report(report: Any, path: Path) -> None:
    """Write what was measured as JSON, whole or not at all."""
    with written_whole(path) as unfinished:
        unfinished.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def measure(
    task: str, work: Callable[[AnyOpponent], Sequence[Tensor]], opponents: Sequence[AnyOpponent], rounds: int
) -> list[Row]:
    """Time `work` on each opponent in turn, round after round: the machine's moods then meet all of them."""
    rows = [Row(task, opponent.name) for opponent in opponents]
    results = [work(opponent) for opponent in opponents]  # warm-up, and what is compared
    for row, result in zip(rows, results, strict=True):
        row.difference = largest_difference(result, results[0])
    time_in_turn(rows, work, opponents, rounds)
    return rows


def time_in_turn(
    rows: Sequence[Row],
    work: Callable[[AnyOpponent], object],
    opponents: Sequence[AnyOpponent],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> None:
    """Add to the row of each opponent its seconds in every round, and the probe before them.

    `time.process_time` as the clock counts the processor's time in all threads, which others on the machine delay less.
    """
    for _ in range(rounds):
        for row, opponent in zip(rows, opponents, strict=True):
            row.probe_gflops.append(matrix_product_gflops())
            start = clock()
            work(opponent)
            row.seconds.append(clock() - start)
            print(
                f"{row.task}: {row.opponent} {row.seconds[-1]:.3f} s, {row.probe_gflops[-1]:.0f} GFLOP/s",
                file=sys.stderr,
            )


def largest_difference(actual: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    """Of the worst tensor: largest difference by largest magnitude, or for masks the share of unequal pixels."""
    return max(_difference(*pair) for pair in zip(actual, expected, strict=True))


def _difference(actual: Tensor, expected: Tensor) -> float:
    if expected.dtype == torch.bool:
        return float((actual != expected).float().mean())
    return float((actual - expected).abs().max() / expected.abs().max())


def instructions() -> list[str]:
    """What the processor multiplies by, of what matters to speed."""
    known = {
        "AVX-512": "_is_avx512_supported",
        "AVX-512 VNNI": "_is_vnni_supported",
        "AVX-512 BF16": "_is_avx512_bf16_supported",
        "AMX": "_is_amx_tile_supported",
    }
    return [name for name, asked in known.items() if getattr(torch.cpu, asked, bool)()]


def machine() -> dict[str, Any]:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.machine(),
        "instructions": instructions(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "system": platform.system(),
    }


def processor(described: dict[str, Any]) -> str:
    """The processor of what `machine` returned, with what it multiplies by."""
    return f"{described['processor']} ({', '.join(described['instructions']) or 'no AVX-512'})"


def versions() -> dict[str, str]:
    packages = ("masklet", "transformers", "sam2", "torch", "numpy", "pillow")
    return {"python": platform.python_version(), **{package: version(package) for package in packages}}
