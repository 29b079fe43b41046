"""The functions of CVAT with a stand-in for its library; with the library itself they run in tests/readers."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from masklet.errors import InvalidInputError
from masklet.formats.cvat_points import points_of_mask
from masklet.masks.segmentation import Segmentation
from masklet.server.adapters.cvat_functions.detection import Detection
from masklet.server.adapters.cvat_functions.interaction import Interaction
from masklet.server.adapters.cvat_functions.tracking import Tracking

IMAGE = Image.new("L", (12, 8))
LEFT, RIGHT = np.zeros((2, 8, 12), dtype=bool)
LEFT[1:5, 1:4] = RIGHT[2:7, 6:11] = True
FOUND = Segmentation(np.stack([LEFT, RIGHT]), np.array([0.9, 0.4]), [1, 2])


@pytest.fixture(autouse=True)
def sdk(monkeypatch):
    package, models, functions = (ModuleType(f"cvat_sdk{name}") for name in ("", ".models", ".auto_annotation"))
    for name in ("DetectionFunctionSpec", "InteractionFunctionSpec", "TrackingFunctionSpec", "InteractionResultShape"):
        setattr(functions, name, SimpleNamespace)
    functions.TrackableShape = SimpleNamespace
    functions.label_spec = lambda name, id, type: (name, id, type)
    functions.mask = lambda label, points: ("mask", label, points)
    functions.polygon = lambda label, points: ("polygon", label, points)
    models.AttributeValRequest = SimpleNamespace
    package.models, package.auto_annotation = models, functions
    for each in (package, models, functions):
        monkeypatch.setitem(sys.modules, each.__name__, each)


def detected(**context):
    function = Detection(SimpleNamespace(generate=lambda pixels: FOUND), "thing")
    return function.detect(SimpleNamespace(**{"conf_threshold": None, "conv_mask_to_poly": False} | context), IMAGE)


def test_detection():
    assert detected() == [("mask", 0, points_of_mask(LEFT)), ("mask", 0, points_of_mask(RIGHT))]
    assert detected(conf_threshold=0.5) == [("mask", 0, points_of_mask(LEFT))]
    assert detected(conv_mask_to_poly=True)[0] == ("polygon", 0, [1.25, 1.25, 1.25, 4.75, 3.75, 4.75, 3.75, 1.25])


class Segmenter:
    def encode(self, image):
        return image.mode, image.size

    def segment(self, encoded, *, prompts):
        self.asked = encoded, prompts[0].to_json()
        return FOUND.taken([0])


def test_interaction():
    segmenter = Segmenter()
    function = Interaction(segmenter)
    encoded = function.preprocess_image(None, IMAGE)
    marks = SimpleNamespace(pos_points=[(2, 3)], neg_points=[(9, 4)], bounding_box=((1, 1), (4, 5)))
    (shape,) = function.detect(None, encoded, marks)
    assert segmenter.asked == (("RGB", (12, 8)), {"points": [[2, 3, 1], [9, 4, 0]], "box": [1, 1, 4, 5]})
    assert (shape.type, shape.points) == ("mask", points_of_mask(LEFT))
    assert [(each.spec_id, each.value) for each in shape.attributes] == [(0, "0.9000")]
    nothing = SimpleNamespace(pos_points=[], neg_points=[], bounding_box=None)
    assert function.detect(None, encoded, nothing) == []


class Stream:
    """Sees the mask that it was given move right by one pixel a frame, and then nothing."""

    def __init__(self):
        self.mask, self.frames = None, 0

    def push(self, pixels):
        self.frames += 1
        shown = np.zeros_like(LEFT) if self.mask is None or self.frames > 2 else np.roll(self.mask, 1, axis=1)
        return self.frames - 1, Segmentation(shown[None], np.array([0.9]), [1])

    def add(self, object_id, frame, prompt):
        assert (object_id, frame) == (1, 0)
        self.mask = np.asarray(prompt.mask)

    def segment(self, frame):
        assert frame == 0


@pytest.mark.parametrize("kind", ["mask", "polygon"])
def test_tracking(kind):
    function = Tracking(SimpleNamespace(open=Stream, encode=lambda image: SimpleNamespace(size=(8, 12))))
    outlines = {"mask": points_of_mask(LEFT), "polygon": [1, 1, 4, 1, 4, 5, 1, 5]}
    pixels = function.preprocess_image(None, IMAGE)
    state = function.init_tracking_state(None, pixels, SimpleNamespace(type=kind, points=outlines[kind]))
    shape = function.track(None, pixels, state)
    moved = {
        "mask": points_of_mask(np.roll(LEFT, 1, axis=1)),
        "polygon": [2.25, 1.25, 2.25, 4.75, 4.75, 4.75, 4.75, 1.25],
    }
    assert (shape.type, shape.points) == (kind, moved[kind])
    assert function.track(None, pixels, state) is None


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "cvat_sdk", None)
    with pytest.raises(InvalidInputError, match="pip install cvat-cli"):
        Interaction(Segmenter())
