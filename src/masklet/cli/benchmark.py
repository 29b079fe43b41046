"""`masklet benchmark`: how fast the ways to run a model are on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masklet.cli.model_options import DeviceOption
from masklet.configuration.presets import SpeedPreset
from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.runtimes.names import RuntimeName

if TYPE_CHECKING:
    from rich.table import Table

    from masklet.evaluation.speed import Speed
    from masklet.predictors.video_tracker import VideoTracker
    from masklet.runtimes.manifest import Manifest


def benchmark(
    model: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="Folder, weight file or hub id; default: the bundled model.")
    ] = None,
    exported: Annotated[
        str | None, typer.Option("--exported", help="What masklet export wrote of it: its graphs are measured, too.")
    ] = None,
    device: DeviceOption = None,
    seconds: Annotated[
        float, typer.Option("--seconds", min=1, help="About how long to measure, once everything is compiled.")
    ] = 60.0,
    compiled: Annotated[
        bool, typer.Option(help="Measure the compiled network, too, where there is a compiler: minutes to compile.")
    ] = True,
) -> None:
    """Measure presets and runtimes with a model on this machine, their agreement beside their speed.

    The runtimes of exported graphs are measured if --exported names a folder of them: writing one takes minutes.
    """
    from rich.console import Console

    from masklet.cli.progress import progress_bar
    from masklet.devices import usable_device
    from masklet.evaluation.speed import measured_speeds
    from masklet.runtimes.opening import is_exported

    with progress_bar() as progress:
        task = progress.add_task("Compiling", total=1.0)

        def show(share: float) -> None:
            progress.update(task, description="Measuring", completed=share)

        if model is not None and is_exported(model):
            trackers = dict(_of_graphs(model, device))
        else:
            trackers = dict(_of_checkpoint(model, usable_device(device), is_compiled=compiled))
        if exported is not None:
            _check_is_of(exported, model, next(iter(trackers.values())))
            trackers |= _of_graphs(exported)
        speeds = measured_speeds(trackers, seconds, show)
    Console().print(_table(speeds))


def _of_checkpoint(source: str | None, device: str, *, is_compiled: bool) -> Iterator[tuple[str, VideoTracker]]:
    """Yield the ways to run a checkpoint; where bfloat16 is not faster, `balanced` would be `exact` once more."""
    from masklet.devices import is_bfloat16_faster
    from masklet.predictors.video_tracker import VideoTracker
    from masklet.runtimes.compiled import can_compile

    rounded = [SpeedPreset.BALANCED] if is_bfloat16_faster(device) else []
    ways = [(RuntimeName.EAGER, preset) for preset in (SpeedPreset.EXACT, *rounded, SpeedPreset.FAST)]
    if is_compiled and can_compile(device):
        ways.append((RuntimeName.COMPILED, SpeedPreset.EXACT))
    for runtime, preset in ways:
        tracker = VideoTracker.from_pretrained(source, preset=preset, runtime=runtime, device=device)
        yield f"{runtime}, {preset}", tracker


def _of_graphs(folder: str, device: str | None = None) -> Iterator[tuple[str, VideoTracker]]:
    """Yield the ways to run the graphs of a folder: in its precision, and in bfloat16 where that is faster."""
    from masklet.devices import is_bfloat16_faster
    from masklet.predictors.video_tracker import VideoTracker
    from masklet.runtimes.names import Precision
    from masklet.runtimes.opening import is_installed

    manifest = _manifest_of(folder)
    may_round = manifest.precision is Precision.FLOAT32 and is_bfloat16_faster("cpu")
    installed = filter(is_installed, manifest.target.runtimes)
    for runtime in list(installed) or [RuntimeName.AUTO]:  # which says what to install
        rounded = [SpeedPreset.BALANCED] if may_round and runtime is RuntimeName.OPENVINO else []
        for preset in (SpeedPreset.EXACT, *rounded):
            tracker = VideoTracker.from_pretrained(folder, preset=preset, runtime=runtime, device=device)
            yield f"{runtime}, {tracker.model.precision}", tracker


def _check_is_of(exported: str, model: str | None, tracker: VideoTracker) -> None:
    """Raise InvalidInputError unless a folder holds the graphs of the model that is measured."""
    from masklet.runtimes.opening import is_exported

    if not is_exported(exported):
        raise InvalidInputError(f"--exported names a folder that `masklet export` wrote; got {shown(exported)}.")
    manifest = _manifest_of(exported)
    if is_exported(model) or manifest.fingerprint != tracker.runtime.fingerprint:
        raise InvalidInputError(
            f"{exported} holds the graphs of {manifest.model} at {manifest.image_size} pixels, which is not the "
            f"checkpoint that is measured, {model or 'the bundled model'}: give that one as MODEL."
        )


def _manifest_of(folder: str) -> Manifest:
    """Return the manifest of an exported folder; InvalidInputError if the graphs for videos are not there."""
    from masklet.runtimes.manifest import Manifest
    from masklet.runtimes.names import Parts

    manifest = Manifest.read(Path(folder))
    if not manifest.graphs.keys() >= set(Parts.ALL.graphs):
        raise InvalidInputError(
            f"{folder} was exported with --parts images, and tracking is measured, too: export it with --parts all."
        )
    return manifest


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
