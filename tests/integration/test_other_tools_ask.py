"""Label Studio and CVAT ask a running `masklet serve`, with the bodies that they send."""

import base64
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.local_http import local_server
from tests.support.served import TOKENS, Client, Served, served

from masklet import ImageSegmenter, VideoTracker, open_video
from masklet.formats.label_studio_code import counts_of_brush_code
from masklet.masks.overlap import intersection_over_union
from masklet.masks.run_length import mask_of

ROOT = Path(__file__).parents[2]
TRUCK, JUGGLE = ROOT / "assets/truck.jpg", ROOT / "assets/juggle.mp4"
SIZE = (683, 1024)
KEY = "a-key-of-label-studio"


def recorded(name: str) -> dict:
    return json.loads((ROOT / f"tests/data/adapters/{name}.json").read_text(encoding="utf-8"))


class LabelStudio(BaseHTTPRequestHandler):
    """Gives an image to whoever has the key, at the address that the recorded task names."""

    def do_GET(self) -> None:
        is_there = self.path == "/data/upload/1/3f7a-truck.jpg" and self.headers["Authorization"] == f"Token {KEY}"
        self.send_response(200 if is_there else 404)
        self.end_headers()
        self.wfile.write(TRUCK.read_bytes() if is_there else b"")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch, local_server(LabelStudio) as label_studio:
        patch.setenv("LABEL_STUDIO_URL", label_studio)
        patch.setenv("LABEL_STUDIO_API_KEY", KEY)
        with served(tmp_path_factory.mktemp("served")) as running:
            yield running


@pytest.fixture(scope="module")
def clicked() -> np.ndarray:
    """The mask of the recorded click, by the segmenter itself."""
    segmenter = ImageSegmenter.from_pretrained(device="cpu")
    return segmenter.segment(segmenter.encode(TRUCK), points=[[(320, 425)]]).mask(0)


def ask(client: Client, path: str, body: object, **headers: str) -> dict:
    answer = client.ask("POST", f"adapters/{path}", body, headers, api=False)
    assert answer.status == 200, answer.body
    return answer.json


def encodes(client: Client) -> int:
    return client.get("metrics")["model_units"]["encode"]


@pytest.mark.parametrize("path", ["label-studio/health", "label-studio/predict", "cvat/nuclio"])
def test_nobody_is_answered(server: Served, path: str) -> None:
    method, body = ("GET", None) if path.endswith("health") else ("POST", {})
    for wrong in ({}, {"Authorization": "Basic " + base64.b64encode(b"ann:wrong").decode()}):
        answer = server.nobody.ask(method, f"adapters/{path}", body, wrong, api=False)
        assert (answer.status, answer.json["code"]) == (401, "unauthenticated")


def test_label_studio(server: Served, clicked: np.ndarray) -> None:
    """It knows names and passwords; the password is the user's token."""
    basic = {"Authorization": "Basic " + base64.b64encode(f"ann:{TOKENS['ann']}".encode()).decode()}
    health = server.nobody.ask("GET", "adapters/label-studio/health", headers=basic, api=False)
    assert (health.status, health.json) == (200, {"status": "UP", "model_class": "masklet"})
    version = ask(server.nobody, "label-studio/setup", recorded("label_studio_setup")["body"], **basic)
    before = encodes(server.ann)
    body = recorded("label_studio_predict")["body"]
    first, again = (ask(server.nobody, "label-studio/predict", body, **basic) for _ in range(2))
    assert encodes(server.ann) == before + 1, "an image is encoded once"
    (prediction,) = first["results"]
    (result,) = prediction["result"]
    assert prediction["model_version"] == version["model_version"]
    assert (result["from_name"], result["to_name"], result["value"]["brushlabels"]) == ("brush", "img", ["wheel"])
    found = mask_of(counts_of_brush_code(result["value"]["rle"], *SIZE), *SIZE)
    assert intersection_over_union(found, clicked) > 0.99
    (other,) = again["results"][0]["result"]
    assert other["id"] != result["id"], "Label Studio keeps regions by their ids"


def test_events_of_label_studio(server: Served) -> None:
    for action, status in (("ANNOTATION_CREATED", 201), ("PROJECT_UPDATED", 200)):
        answer = server.ann.ask("POST", "adapters/label-studio/webhook", {"action": action}, api=False)
        assert answer.status == status


def test_images_of_label_studio_alone_are_fetched(server: Served) -> None:
    body = recorded("label_studio_predict")["body"]
    for address, reason in (("http://127.0.0.1:1/a.jpg", "are fetched from"), ("/data/other.jpg", "cannot be fetched")):
        body["tasks"][0]["data"]["photo"] = address
        answer = server.ann.ask("POST", "adapters/label-studio/predict", body, api=False)
        assert answer.status == 422
        assert reason in answer.json["detail"]


def test_halves_of_pairs_go_back_as_they_came(server: Served) -> None:
    """JSON may hold them; UTF-8 does not."""
    body = recorded("label_studio_predict")["body"]
    body["tasks"][0]["data"]["photo"] = "/\ud800"
    answer = server.ann.ask("POST", "adapters/label-studio/predict", body, api=False)
    assert (answer.status, "is no address" in answer.json["detail"]) == (422, True)
    answer = server.ann.ask("POST", "adapters/label-studio/webhook", {"action": "ANNOTATION_\ud800"}, api=False)
    assert (answer.status, answer.json["result"]) == (201, "ANNOTATION_\ud800")


def test_an_interactor_of_cvat(server: Served, clicked: np.ndarray) -> None:
    image = base64.b64encode(TRUCK.read_bytes()).decode()
    answer = ask(server.ann, "cvat/nuclio", recorded("cvat_interactor")["body"] | {"image": image})
    assert intersection_over_union(np.array(answer["mask"], dtype=bool), clicked) > 0.99


def test_a_tracker_of_cvat(server: Served) -> None:
    """Each frame is encoded once for both objects, whose boxes are those of a stream of their own."""
    payloads, tracker = recorded("cvat_tracker"), VideoTracker.from_pretrained(device="cpu")
    frames = [open_video(JUGGLE)[number] for number in range(3)]
    streams = [tracker.open() for _ in payloads["first"]["shapes"]]
    before, states = encodes(server.ann), []
    for number, frame in enumerate(frames):
        body = payloads["later"] | {"states": states} if states else payloads["first"]
        answer = ask(server.ann, "cvat/nuclio", body | {"image": encoded_png(frame)})
        for stream, shape, box in zip(streams, payloads["first"]["shapes"], answer["shapes"], strict=True):
            _, found = stream.push(frame)
            if number:
                assert box == found.boxes[0].tolist()
            else:
                stream.add(1, 0, box=shape)
        states = answer["states"]
    assert encodes(server.ann) == before + len(frames)
    answer = server.bob.ask("POST", "adapters/cvat/nuclio", {"image": encoded_png(frame), "states": states}, api=False)
    assert answer.status == 422, "states are their owner's"


def encoded_png(pixels: np.ndarray) -> str:
    content = BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return base64.b64encode(content.getvalue()).decode()
