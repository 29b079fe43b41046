"""`masklet benchmark`: how fast the ways to run a model are on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from masklet.cli.model_options import DeviceOption
from masklet.configuration.presets import SpeedPreset
from masklet.runtimes.names import RuntimeName

if TYPE_CHECKING:
    from rich.table import Table

    from masklet.evaluation.speed import Speed


def benchmark(
    model: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="Folder, weight file or hub id; default: the bundled model.")
    ] = None,
    exported: Annotated[
        str | None, typer.Option("--exported", help="What masklet export wrote of it: its graphs are measured, too.")
    ] = None,
    device: DeviceOption = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0, help="About how long to measure.")] = 60.0,
) -> None:
    """Measure presets and runtimes with a model on this machine, their agreement beside their speed."""
    from rich.console import Console

    from masklet.cli.progress import progress_bar
    from masklet.devices import usable_device
    from masklet.evaluation.speed import measured_speeds
    from masklet.predictors.video_tracker import VideoTracker

    chosen = usable_device(device)
    with progress_bar() as progress:
        task = progress.add_task("Measuring", total=1.0)
        trackers = {
            f"{runtime}, {preset}": VideoTracker.from_pretrained(source, preset=preset, runtime=runtime, device=where)
            for source, where in ((model, chosen), *([(exported, "cpu")] if exported else []))
            for runtime, preset in _ways(source, where)
        }
        speeds = measured_speeds(trackers, seconds, lambda share: progress.update(task, completed=share))
    Console().print(_table(speeds))


def _ways(source: str | None, device: str) -> Iterator[tuple[RuntimeName, SpeedPreset]]:
    """Yield runtimes and presets; where nothing is faster in bfloat16, `balanced` would be `exact` once more."""
    from masklet.devices import is_bfloat16_faster
    from masklet.runtimes.opening import OF_FOLDERS, is_exported, is_installed

    rounded = [SpeedPreset.BALANCED] if is_bfloat16_faster(device) else []
    if source is None or not is_exported(source):
        yield from ((RuntimeName.EAGER, preset) for preset in (SpeedPreset.EXACT, *rounded, SpeedPreset.FAST))
        return
    for runtime in filter(is_installed, OF_FOLDERS):
        of_runtime = rounded if runtime is RuntimeName.OPENVINO else []
        yield from ((runtime, preset) for preset in (SpeedPreset.EXACT, *of_runtime))


def _table(speeds: dict[str, Speed]) -> Table:
    from masklet.cli.tables import drawn_table
    from masklet.evaluation.reporting.table import Row
    from masklet.evaluation.reporting.table import Table as Results

    rows = [
        Row(
            way,
            (f"{1000 * each.encode:.0f}", f"{1000 * each.click:.0f}", f"{1 / each.frame:.1f}", f"{each.agreement:.4f}"),
        )
        for way, each in speeds.items()
    ]
    headings = ("image\nms", "click\nms", "frames\na second", "mask IoU with\nthe first")
    return drawn_table(Results("Encoding an image, answering a click, tracking an object", headings, tuple(rows)))
