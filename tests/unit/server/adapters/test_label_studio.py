"""Requests as Label Studio 1.x sends them."""

import numpy as np
import pytest

from masklet.errors import InvalidInputError
from masklet.formats.label_studio_code import counts_of_brush_code
from masklet.masks.run_length import mask_of
from masklet.masks.segmentation import Segmentation
from masklet.server.adapters.label_studio import health, predict, setup, webhook

SIZE = (480, 640)
CONFIG = (
    '<View><Image name="img" value="$photo"/><BrushLabels name="brush" toName="img"><Label value="dog"/></BrushLabels>'
    "</View>"
)
CLICK = {
    "type": "keypointlabels",
    "original_width": 640,
    "original_height": 480,
    "value": {"x": 50.0, "y": 25.0, "width": 0.3, "keypointlabels": ["dog"]},
    "is_positive": 1,
}
AWAY = CLICK | {"value": {"x": 10.0, "y": 90.0, "width": 0.3, "keypointlabels": ["dog"]}, "is_positive": 0}
BOX = {
    "type": "rectanglelabels",
    "original_width": 640,
    "original_height": 480,
    "value": {"x": 25.0, "y": 50.0, "width": 50.0, "height": 10.0, "rotation": 0, "rectanglelabels": ["dog"]},
}


def request(*result, config=CONFIG, data=None):
    return {
        "tasks": [{"id": 5, "data": {"photo": "/data/upload/1/a.jpg"} if data is None else data}],
        "project": "12.1700000000",
        "label_config": config,
        "params": {"context": {"result": list(result)}},
    }


class Segmenter:
    """Keeps what it is asked, and answers with a block."""

    def __init__(self):
        self.asked = []
        self.mask = np.zeros(SIZE, dtype=bool)
        self.mask[100:200, 300:500] = True

    def __call__(self, address, prompt):
        self.asked.append((address, prompt.to_json()))
        return Segmentation(self.mask[None], np.array([0.875]), [1])


def test_clicks_and_boxes_in_percent_become_prompts_in_pixels():
    segmenter = Segmenter()
    predict(request(CLICK, AWAY, BOX), "masklet-0.1", segmenter)
    ((address, prompt),) = segmenter.asked
    assert address == "/data/upload/1/a.jpg"
    assert prompt == {"points": [[320, 120, 1], [64, 432, 0]], "box": [160, 240, 480, 288]}


def test_the_answer_is_a_brush_under_the_names_of_the_configuration():
    segmenter = Segmenter()
    (prediction,) = predict(request(CLICK), "masklet-0.1", segmenter)["results"]
    assert (prediction["model_version"], prediction["score"]) == ("masklet-0.1", 0.875)
    (result,) = prediction["result"]
    assert (result["from_name"], result["to_name"], result["type"]) == ("brush", "img", "brushlabels")
    assert (result["original_width"], result["original_height"], result["value"]["format"]) == (640, 480, "rle")
    assert result["value"]["brushlabels"] == ["dog"]
    np.testing.assert_array_equal(mask_of(counts_of_brush_code(result["value"]["rle"], *SIZE), *SIZE), segmenter.mask)


def test_without_a_configuration_the_usual_names_hold():
    body = request(CLICK, config="<View", data={"image": "a.jpg"})
    (prediction,) = predict(body, "1", Segmenter())["results"]
    assert (prediction["result"][0]["from_name"], prediction["result"][0]["to_name"]) == ("tag", "image")


@pytest.mark.parametrize("body", [request(), request() | {"params": {}}, request() | {"params": {"context": None}}])
def test_nothing_is_predicted_before_anything_is_drawn(body):
    assert predict(body, "1", Segmenter()) == {"results": []}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ([], "The body is an object"),
        ({}, "a list of tasks"),
        (request(CLICK, data={}), "no address 'photo'"),
        (request(CLICK | {"value": {"x": "1", "y": 2}}), "numbers of percent"),
        (request(CLICK | {"original_width": 0}), "original_width must be a whole number"),
        (request({"type": "choices", "value": {}}), "no click and no rectangle"),
        (request(3), "A result is an object"),
    ],
)
def test_what_is_no_request(body, reason):
    with pytest.raises(InvalidInputError, match=reason):
        predict(body, "1", Segmenter())


def test_the_other_answers():
    assert health() == {"status": "UP", "model_class": "masklet"}
    assert setup("masklet-0.1") == {"model_version": "masklet-0.1"}
    assert webhook({"action": "ANNOTATION_CREATED"}) == {"result": "ANNOTATION_CREATED", "status": "ok"}
