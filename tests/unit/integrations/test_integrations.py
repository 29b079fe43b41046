"""Values of other programs, with a stand-in for each of their libraries: the arguments are what is promised."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from masklet import Segmentation
from masklet.errors import InvalidInputError
from masklet.integrations.fiftyone import fiftyone_detections
from masklet.integrations.napari import napari_labels, napari_shapes

LEFT, RIGHT, NOTHING = np.zeros((3, 8, 12), dtype=bool)
LEFT[1:5, 1:4] = RIGHT[2:7, 6:11] = True
FOUND = Segmentation(np.stack([LEFT, RIGHT, NOTHING]), np.array([0.75, 0.5, 0.0]), [3, 8, 9])


@pytest.fixture
def library(monkeypatch):
    """A stand-in for a library, the classes of which keep their arguments."""

    def stand_in(name, *classes):
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            monkeypatch.setitem(sys.modules, ".".join(parts[:end]), ModuleType(".".join(parts[:end])))
        if len(parts) > 1:
            setattr(sys.modules[parts[0]], parts[1], sys.modules[name])
        for each in classes:
            setattr(sys.modules[name], each, lambda *values, **fields: SimpleNamespace(values=values, **fields))

    return stand_in


def test_supervision(library):
    library("supervision", "Detections")
    found = FOUND.to_supervision()
    np.testing.assert_array_equal(found.xyxy, FOUND.boxes)
    np.testing.assert_array_equal(found.mask, FOUND.masks)
    assert (found.confidence.tolist(), found.tracker_id.tolist()) == ([0.75, 0.5, 0.0], [3, 8, 9])
    assert found.class_id.tolist() == [0, 0, 0]


def test_fiftyone(library):
    library("fiftyone", "Detection", "Detections")
    left, right = fiftyone_detections(FOUND, {8: "dog"}).detections
    assert (left.label, left.index, left.confidence) == ("object", 3, 0.75)
    assert (right.label, right.index) == ("dog", 8)
    assert left.bounding_box == [1 / 12, 1 / 8, 3 / 12, 4 / 8]
    np.testing.assert_array_equal(left.mask, LEFT[1:5, 1:4])


def test_napari(library):
    library("napari.layers", "Labels", "Shapes")
    labels, shapes = napari_labels(FOUND), napari_shapes(FOUND)
    np.testing.assert_array_equal(labels.values[0], 3 * LEFT + 8 * RIGHT)
    (outlines,) = shapes.values
    assert (shapes.features, shapes.shape_type) == ({"object_id": [3, 8], "score": [0.75, 0.5]}, "polygon")
    assert outlines[0].tolist() == [[0.75, 0.75], [4.25, 0.75], [4.25, 3.25], [0.75, 3.25]]


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("supervision", FOUND.to_supervision),
        ("fiftyone", lambda: fiftyone_detections(FOUND)),
        ("napari", lambda: napari_labels(FOUND)),
    ],
)
def test_a_missing_library_is_named(monkeypatch, name, use):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InvalidInputError, match=f"pip install {name}"):
        use()
