"""Label Studio's protocol of machine learning backends: clicks and boxes in, brushes out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4
from xml.etree.ElementTree import ParseError, fromstring

import numpy as np

from masklet.errors import InvalidInputError
from masklet.formats.label_studio_results import brush_result
from masklet.json_files import is_finite_number, shown, whole_number
from masklet.masks.counts import checked_size
from masklet.masks.run_length import counts_of
from masklet.masks.segmentation import Segmentation
from masklet.prompts.prompt import Prompt

SegmentAddress = Callable[[str, Prompt], Segmentation]
"""Segments the image at an address of Label Studio by one prompt, in pixels of the upright image."""

Body = dict[str, Any]
_ID_DIGITS = 10


def health() -> Body:
    """Return the body that answers `health`."""
    return {"status": "UP", "model_class": "masklet"}


def setup(model_version: str) -> Body:
    """Return the body that answers `setup`."""
    return {"model_version": model_version}


def is_known_action(body: object) -> bool:
    """Return whether a body of `webhook` is about annotations; Label Studio has other events, too."""
    return isinstance(body, Mapping) and str(body.get("action")).startswith("ANNOTATION")


def webhook(body: object) -> Body:
    """Return the body that answers `webhook`; nothing is learnt from what was annotated."""
    action = body.get("action") if isinstance(body, Mapping) else None
    return {"result": action, "status": "ok"}


def predict(body: object, model_version: str, segment: SegmentAddress) -> Body:
    """Return the body that answers `predict`: a brush for the clicks and boxes that the annotator has drawn.

    Args:
        body: of the request.
        model_version: the name and version of the model, shown beside its predictions.
        segment: segments an image.

    Raises:
        InvalidInputError: if the body is not of the protocol.
    """
    content = _mapping(body, "The body")
    context = _mapping(content.get("params") or {}, "params").get("context")
    drawn = _mapping(context or {}, "context").get("result")
    tasks = content.get("tasks")
    if not isinstance(tasks, list) or not tasks:
        raise InvalidInputError(f"A request has a list of tasks; got {shown(tasks)}.")
    if not drawn:
        return {"results": []}
    found = _drawn(drawn)
    controls = _controls(content.get("label_config"))
    address = _mapping(_mapping(tasks[0], "A task").get("data"), "The data of a task").get(controls.value)
    if not isinstance(address, str):
        raise InvalidInputError(f"The data of the task has no address {controls.value!r} of an image.")
    segmentation = segment(address, found.prompt)
    return {"results": [_prediction(segmentation, found.label, controls, model_version)]}


@dataclass(frozen=True)
class _Controls:
    """The names of the brush and of the image in the configuration, and the field of a task that holds the address."""

    brush: str = "tag"
    image: str = "image"
    value: str = "image"


@dataclass(frozen=True)
class _Drawn:
    """What the annotator has drawn: a prompt, and the label of its object."""

    prompt: Prompt
    label: str


def _controls(config: object) -> _Controls:
    """Return the names of a configuration in XML, and the usual ones where it names none."""
    if not isinstance(config, str) or "<!DOCTYPE" in config:
        return _Controls()
    try:
        root = fromstring(config)
    except (ParseError, ValueError):
        return _Controls()
    brush = next(root.iter("BrushLabels"), None)
    image = next(root.iter("Image"), None)
    known = _Controls()
    return _Controls(
        known.brush if brush is None else brush.get("name", known.brush),
        known.image if image is None else image.get("name", known.image),
        known.value if image is None else image.get("value", f"${known.value}").removeprefix("$"),
    )


def _drawn(results: object) -> _Drawn:
    """Return the clicks and the last box of results in percent, in pixels."""
    if not isinstance(results, list):
        raise InvalidInputError(f"A context has a list of results; got {shown(results)}.")
    points: list[list[float]] = []
    labels: list[int] = []
    box, name = None, "object"
    for result in (_mapping(each, "A result") for each in results):
        kind, value = str(result.get("type")), _mapping(result.get("value"), "The value of a result")
        if kind.startswith("keypoint"):
            points.append(_in_pixels(result, value, "x", "y"))
            labels.append(int(bool(result.get("is_positive", 1))))
        elif kind.startswith("rectangle"):
            left, top, width, height = _in_pixels(result, value, "x", "y", "width", "height")
            box = [left, top, left + width, top + height]
        named = value.get(kind)
        name = str(named[0]) if isinstance(named, list) and named else name
    if not points and box is None:
        raise InvalidInputError("The context has no click and no rectangle.")
    return _Drawn(Prompt(np.array(points).reshape(-1, 2), labels, box), name)


def _in_pixels(result: Mapping[str, Any], value: Mapping[str, Any], *names: str) -> list[float]:
    """Return values in percent of the image's width (at even places) and height in pixels."""
    sides = [whole_number(result.get(f"original_{side}"), f"original_{side}", 1) for side in ("height", "width")]
    height, width = checked_size(sides)
    percents = [each for each in map(value.get, names) if is_finite_number(each)]
    if len(percents) != len(names):
        raise InvalidInputError(f"{', '.join(names)} are numbers of percent; got {shown(dict(value))}.")
    return [each * (height if place % 2 else width) / 100 for place, each in enumerate(percents)]


def _prediction(segmentation: Segmentation, label: str, controls: _Controls, model_version: str) -> Body:
    results = []
    for run_length, score in zip(segmentation.run_lengths, segmentation.scores.tolist(), strict=True):
        counts = counts_of(run_length, *segmentation.size)
        result = brush_result(uuid4().hex[:_ID_DIGITS], counts, segmentation.size, label, score)
        results.append(result | {"from_name": controls.brush, "to_name": controls.image})
    score = float(segmentation.scores.max(initial=0.0))
    return {"model_version": model_version, "score": round(score, 6), "result": results}


def _mapping(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidInputError(f"{name} is an object; got {shown(value)}.")
    return value
