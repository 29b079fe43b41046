"""The options by which commands choose a model and a device, and the model they stand for."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from masklet.configuration.presets import SpeedPreset
from masklet.errors import InvalidInputError
from masklet.runtimes.names import RuntimeName

if TYPE_CHECKING:
    from masklet.predictors.automatic_mask_generator import AutomaticMaskGenerator
    from masklet.predictors.image_segmenter import ImageSegmenter
    from masklet.predictors.video_tracker import VideoTracker
    from masklet.runtimes.protocol import ImageRuntime

ModelOption = Annotated[
    str | None,
    typer.Option("--model", metavar="PATH_OR_ID", help="Folder, weight file or hub id; default: the bundled model."),
]
DeviceOption = Annotated[
    str | None, typer.Option("--device", help="cpu, cuda, cuda:1, mps, ...; default: cuda if there is one, else cpu.")
]
DataTypeOption = Annotated[
    str | None, typer.Option("--dtype", help="float32 (default), bfloat16, float16, or auto: as the file has it.")
]
ImageSizeOption = Annotated[
    int | None,
    typer.Option("--image-size", help="Side in pixels of the network's input; default: the model's own."),
]


ZoomOption = Annotated[
    bool,
    typer.Option(
        "--zoom",
        help="Look at small objects again in an enlarged crop: better masks, one image encoding more per object.",
    ),
]

PresetOption = Annotated[
    SpeedPreset,
    typer.Option("--preset", help="balanced: bfloat16 where that is faster; fast: half the image size, too."),
]

CompileOption = Annotated[
    bool,
    typer.Option(
        "--compile",
        help="As --runtime compiled: the first frames take minutes; for long videos on a GPU.",
    ),
]

RuntimeOption = Annotated[
    RuntimeName,
    typer.Option(
        "--runtime",
        help="How the model runs. auto: as it is; a folder of `masklet export` in openvino, else onnxruntime.",
    ),
]


def load_segmenter(
    model: str | None,
    device: str | None = None,
    dtype: str | None = None,
    image_size: int | None = None,
    zooms: bool = False,
    preset: SpeedPreset = SpeedPreset.EXACT,
    runtime: RuntimeName = RuntimeName.AUTO,
) -> ImageSegmenter:
    """Load the model that these options stand for; errors as `ImageSegmenter.from_pretrained` raises them."""
    from masklet.predictors.image_segmenter import ImageSegmenter
    from masklet.predictors.zooming_segmenter import ZoomingSegmenter

    segmenter = ZoomingSegmenter if zooms else ImageSegmenter
    options = _given(model, device, dtype, image_size)
    loaded = segmenter.from_pretrained(model, preset=preset, runtime=runtime, **options)
    _report_choice(loaded.runtime, runtime)
    return loaded


def load_generator(
    model: str | None,
    device: str | None = None,
    dtype: str | None = None,
    image_size: int | None = None,
    preset: str | None = None,
    settings: Mapping[str, Any] = MappingProxyType({}),
    runtime: RuntimeName = RuntimeName.AUTO,
) -> AutomaticMaskGenerator:
    """Load the model that these options stand for, to segment everything.

    `settings` change the preset; errors as `AutomaticMaskGenerator.from_pretrained` raises them.
    """
    from masklet.predictors.automatic_mask_generator import AutomaticMaskGenerator

    options = {**_given(model, device, dtype, image_size), **settings}
    loaded = AutomaticMaskGenerator.from_pretrained(model, preset, runtime=runtime, **options)
    _report_choice(loaded.runtime, runtime)
    return loaded


def load_tracker(
    model: str | None,
    device: str | None = None,
    dtype: str | None = None,
    image_size: int | None = None,
    preset: SpeedPreset = SpeedPreset.EXACT,
    runtime: RuntimeName = RuntimeName.AUTO,
) -> VideoTracker:
    """Load the model that these options stand for, to track; errors as `VideoTracker.from_pretrained` raises them."""
    from masklet.predictors.video_tracker import VideoTracker

    options = _given(model, device, dtype, image_size)
    loaded = VideoTracker.from_pretrained(model, preset=preset, runtime=runtime, **options)
    _report_choice(loaded.runtime, runtime)
    return loaded


def runtime_asked_for(runtime: RuntimeName, is_compiled: bool) -> RuntimeName:
    """Return the runtime of both options; InvalidInputError if they ask for two."""
    if is_compiled and runtime not in (RuntimeName.AUTO, RuntimeName.COMPILED):
        raise InvalidInputError(f"--compile is --runtime compiled; got --runtime {runtime.value}, too.")
    return RuntimeName.COMPILED if is_compiled else runtime


def _given(model: str | None, device: str | None, dtype: str | None, image_size: int | None) -> dict[str, Any]:
    """Return the options that were given, and the device: the best one here for a network, the CPU for graphs."""
    from masklet.devices import usable_device
    from masklet.runtimes.opening import is_exported

    options: dict[str, Any] = {"dtype": dtype, "image_size": image_size}
    given = {name: value for name, value in options.items() if value is not None}
    return {"device": device if is_exported(model) else usable_device(device), **given}


def _report_choice(runtime: ImageRuntime, asked: RuntimeName) -> None:
    """Print to stderr in which runtime graphs run, where that was left open."""
    from masklet.runtimes.exported import ExportedRuntime

    if asked is RuntimeName.AUTO and isinstance(runtime, ExportedRuntime):
        print(f"Runtime: {runtime.name} ({runtime.precision})", file=sys.stderr)
