"""The page docs/reference.md, written from docstrings; `python -m tests.architecture.public_signatures` renews it."""

import doctest
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.architecture.public_signatures import members, parameters, text_of

import masklet
from masklet.configuration import Config

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference.md"
INTRODUCTION = """\
# API reference

Import everything here from `masklet` itself: `from masklet import ImageSegmenter`. Files inside the package may move.
Arguments, shapes and errors of each method are in its docstring: `help(ImageSegmenter.segment)`. The guides show how
the parts work together: [README](../README.md) for images, [video.md](video.md), [training.md](training.md).

`python -m tests.architecture.public_signatures` writes this page from the docstrings. Tests run the examples in a
folder that holds the repository's `assets`.
"""
SECTIONS = {
    "Images": (
        "ImageSegmenter",
        "ZoomingSegmenter",
        "EncodedImage",
        "AutomaticMaskGenerator",
        "AutomaticMasks",
        "AutomaticMaskSettings",
    ),
    "Videos": ("VideoTracker", "TrackedVideo", "EverythingInVideo", "EverythingPolicy", "ObjectRecord", "Spill"),
    "Prompts and results": ("Prompt", "Segmentation", "draw_overlay"),
    "Files": ("read_image", "read_mask_image", "set_max_image_pixels", "open_video", "write_video", "live_frames"),
    "Annotated data": ("convert_dataset",),
    "Training": ("Trainer", "recipe_named", "Recipe", "Stage", "ClipStage"),
    "Models with the names of Hugging Face's SAM 2": (
        "Sam2Model",
        "Sam2VideoModel",
        "Sam2VisionModel",
        "Sam2HieraDetModel",
        "PretrainedModel",
    ),
    "Processors and sessions": (
        "Sam2Processor",
        "Sam2ImageProcessorFast",
        "Sam2VideoProcessor",
        "Sam2VideoInferenceSession",
    ),
    "Configurations": (
        "Sam2Config",
        "Sam2VisionConfig",
        "Sam2HieraDetConfig",
        "Sam2PromptEncoderConfig",
        "Sam2MaskDecoderConfig",
    ),
    "Errors": (
        "InvalidInputError",
        "InvalidMaskError",
        "CheckpointError",
        "DamagedSessionError",
        "UnreadableImageError",
        "UnreadableVideoError",
        "DivergedTrainingError",
        "OtherProgramWarning",
    ),
}


def reference_page() -> str:
    """The whole page."""
    lines = [INTRODUCTION]
    for section, names in SECTIONS.items():
        lines.append(f"## {section}\n")
        for name in names:
            lines.extend(_entry(name, getattr(masklet, name)))
    return "\n".join(lines)


def _entry(name: str, value: Any) -> Iterator[str]:
    yield f"### {name}\n"
    if isinstance(value, type) and issubclass(value, Exception):
        yield f"{_first_paragraph(value)} A kind of {_and(f'`{base.__name__}`' for base in value.__bases__)}.\n"
    elif isinstance(value, type) and issubclass(value, Config):
        fields = ", ".join(f"`{field}={text_of(default)}`" for field, default in _own_fields(value).items())
        yield f"{_first_paragraph(value)}\n\nFields: {fields}.\n"
    else:
        yield f"```text\n{name}{parameters(value)}\n```\n\n{_first_paragraph(value)}\n"
        if isinstance(value, type) and (rows := list(_rows(value))):
            yield "\n".join(["| member | what |", "| --- | --- |", *rows]) + "\n"
    if example := _example(value):
        yield f"```pycon\n{example}```\n"


def _rows(kind: type) -> Iterator[str]:
    for member, given in members(kind):
        declared = inspect.getattr_static(kind, member)
        documented = declared if isinstance(declared, property) else getattr(kind, member)
        if documented.__doc__ and (callable(documented) or isinstance(declared, property)):
            yield f"| `{member}{given}` | {_first_paragraph(documented)} |"


def _own_fields(kind: type[Config]) -> dict[str, Any]:
    return {name: value for name, value in kind.field_defaults().items() if name not in Config.field_defaults()}


def _first_paragraph(value: Any) -> str:
    paragraph = inspect.cleandoc(value.__doc__).split("\n\n")[0]
    return re.sub(r"\s+", " ", paragraph).replace("|", "\\|")


def _example(value: Any) -> str:
    """The example of a docstring as it would be typed."""
    source = ""
    for example in doctest.DocTestParser().get_examples(inspect.cleandoc(value.__doc__)):
        first, *more = example.source.splitlines()
        source += f">>> {first}\n" + "".join(f"... {line}\n" for line in more) + example.want
    return source


def _and(names: Iterator[str]) -> str:
    return " and ".join(names)
