"""The benchmark's results as Markdown: `python -m benchmarks.tables [RESULTS.json]`."""

import json
import sys
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results" / "images.json"
NAMES = {"masklet": "masklet", "transformers": "transformers", "meta": "Meta sam2"}
PROCESS_TASKS = {
    "first_mask_s": ("cold start to first mask", "s"),
    "memory_first_mask_mib": ("peak memory, one image", "MiB"),
    "memory_64_prompts_mib": ("peak memory, 64 prompts", "MiB"),
}


def markdown(report: dict[str, Any]) -> str:
    """The report as two tables with a line on how they were measured."""
    return "\n\n".join([_origin(report), _speed_table(report["rows"]), _process_table(report["processes"])])


def _origin(report: dict[str, Any]) -> str:
    versions, machine = report["versions"], report["machine"]
    return (
        f"{report['model']}, on {machine['cores']} cores of {machine['processor']} ({machine['threads']} threads), "
        f"torch {versions['torch']}, transformers {versions['transformers']}, sam2 {versions['sam2']}. "
        f"Median of {len(report['rows'][0]['seconds'])} rounds, fastest in brackets. "
        f"`import masklet` takes {report['import_masklet_s'] * 1000:.0f} ms. From `{report['command']}`."
    )


def _speed_table(rows: list[dict[str, Any]]) -> str:
    lines = [
        _line(["task", *(f"{name}, s" for name in NAMES.values()), "faster than the faster reference",
               "largest difference", "matrix product, GFLOP/s"]),
        _line(["---"] * 7),
    ]  # fmt: skip
    for task in dict.fromkeys(row["task"] for row in rows):
        of_task = {row["opponent"]: row for row in rows if row["task"] == task}
        best_reference = min(row["median_s"] for name, row in of_task.items() if name != "masklet")
        probes = [row["median_probe_gflops"] for row in of_task.values()]
        lines.append(
            _line(
                [
                    task,
                    *(f"{of_task[name]['median_s']:.3f} ({of_task[name]['min_s']:.3f})" for name in NAMES),
                    f"{best_reference / of_task['masklet']['median_s']:.2f}x",
                    f"{max(row['difference'] for row in of_task.values()):.0e}",
                    f"{min(probes):.0f} to {max(probes):.0f}",
                ]
            )
        )
    return "\n".join(lines)


def _process_table(processes: dict[str, dict[str, float]]) -> str:
    lines = [_line(["a fresh process", *NAMES.values()]), _line(["---"] * 4)]
    for key, (task, unit) in PROCESS_TASKS.items():
        digits = 1 if unit == "s" else 0
        lines.append(_line([f"{task}, {unit}", *(f"{processes[name][key]:,.{digits}f}" for name in NAMES)]))
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    results = Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS
    print(markdown(json.loads(results.read_text())))


if __name__ == "__main__":
    main()
