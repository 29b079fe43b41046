"""The options by which commands choose a model and a device, and the model they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from masklet.configuration.presets import SpeedPreset

if TYPE_CHECKING:
    from masklet.predictors.automatic_mask_generator import AutomaticMaskGenerator
    from masklet.predictors.image_segmenter import ImageSegmenter
    from masklet.predictors.video_tracker import VideoTracker

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
    typer.Option("--compile", help="Use torch's compiler: the first frames take minutes; for long videos on a GPU."),
]


def load_segmenter(
    model: str | None,
    device: str | None = None,
    dtype: str | None = None,
    image_size: int | None = None,
    zooms: bool = False,
    preset: SpeedPreset = SpeedPreset.EXACT,
) -> ImageSegmenter:
    """Load the model that these options stand for; errors as `Sam2Model.from_pretrained` raises them."""
    from masklet.devices import usable_device
    from masklet.predictors.image_segmenter import ImageSegmenter
    from masklet.predictors.zooming_segmenter import ZoomingSegmenter

    segmenter = ZoomingSegmenter if zooms else ImageSegmenter
    options = _given(dtype, image_size)
    return segmenter.from_pretrained(model, device=usable_device(device), preset=preset, **options)


def load_generator(
    model: str | None,
    device: str | None = None,
    dtype: str | None = None,
    image_size: int | None = None,
    preset: str | None = None,
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> AutomaticMaskGenerator:
    """Load the model that these options stand for, to segment everything.

    `settings` change the preset; errors as `AutomaticMaskGenerator.from_pretrained` raises them.
    """
    from masklet.devices import usable_device
    from masklet.predictors.automatic_mask_generator import AutomaticMaskGenerator

    options = {**_given(dtype, image_size), **settings}
    return AutomaticMaskGenerator.from_pretrained(model, preset, device=usable_device(device), **options)


def load_tracker(
    model: str | None,
    device: str | None = None,
    dtype: str | None = None,
    image_size: int | None = None,
    preset: SpeedPreset = SpeedPreset.EXACT,
    is_compiled: bool = False,
) -> VideoTracker:
    """Load the model that these options stand for, to track; errors as `Sam2VideoModel.from_pretrained` raises them."""
    from masklet.devices import usable_device
    from masklet.predictors.video_tracker import VideoTracker

    options = _given(dtype, image_size)
    runtime = "compiled" if is_compiled else "eager"
    return VideoTracker.from_pretrained(model, device=usable_device(device), preset=preset, runtime=runtime, **options)


def _given(dtype: str | None, image_size: int | None) -> dict[str, Any]:
    options: dict[str, Any] = {"dtype": dtype, "image_size": image_size}
    return {name: value for name, value in options.items() if value is not None}
