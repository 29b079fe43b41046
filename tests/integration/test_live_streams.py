"""A camera of a browser: frames come through the socket, masks go back under their numbers, and a video remains."""

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image
from tests.support.served import Client, Served, Socket, served

from masklet import VideoTracker, open_video
from masklet.server.packets import Kind, decode

JUGGLE = Path(__file__).parents[2] / "assets" / "juggle.mp4"
BALL = (229, 105, 262, 137)
SIZE = {"width": 480, "height": 270}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture(scope="module")
def jpegs() -> list[bytes]:
    with open_video(JUGGLE) as video:
        return [jpeg(Image.fromarray(video[number])) for number in range(6)]


def jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG")
    return file.getvalue()


def stream(client: Client, **fields: object) -> str:
    made = client.ask("POST", f"projects/{client.project()}/items", {"live": SIZE | fields})
    assert (made.status, made.json["kind"], made.json["frames"]) == (201, "stream", None)
    return made.json["id"]


def show(socket: Socket, number: int, content: bytes) -> None:
    socket.connection.send(struct.pack("<4sIIQ", b"MKF1", number, 0, 40_000 * number) + content)


def masks_of(socket: Socket, number: int) -> list:
    """The masks of a frame, once they are there."""
    while not (found := [each for each in map(decode, socket.packets)
                         if each.kind is Kind.TRACK and each.frame == number]):  # fmt: skip
        socket.receive()
    return list(found[0].entries)


@contextmanager
def closed_with(code: int, client: Client, item: str) -> Iterator[Socket]:
    with client.socket(item) as socket:
        yield socket
        assert socket.close_code() == code


def test_a_camera_is_followed_and_becomes_a_video(server: Served, jpegs: list[bytes]) -> None:
    item = stream(server.ann, record=True)
    with server.ann.socket(item) as socket:
        assert socket.hello["frame"] == 0
        show(socket, 0, jpegs[0])
        assert masks_of(socket, 0) == []
        assert socket.command("prompt", object=0, frame=0, box=BALL)["object"] == 1
        for number in range(1, 6):
            show(socket, number, jpegs[number])
            masks_of(socket, number)
        live = {number: masks_of(socket, number)[0].mask.run_length(270, 480) for number in range(1, 6)}
        assert any(each["ev"] == "live" for each in socket.events)
        assert socket.command("preview", frame=0, x=5, y=5)["error"]["code"] == "conflict"
        export = {"format": "coco", "items": [item]}
        project = server.ann.get(f"items/{item}")["project"]
        assert server.ann.ask("POST", f"projects/{project}/exports", export).status == 409
        assert socket.command("prompt", object=0, frame=9, box=BALL)["error"]["field"] == "frame"
        finished = socket.command("finish")["item"]
    assert (finished["frames"], finished["width"], finished["status"]) == (6, 480, "ready")

    expected = VideoTracker.from_pretrained(device="cpu").open()
    images = [Image.open(io.BytesIO(each)) for each in jpegs]
    expected.push(images[0])
    expected.add(1, 0, box=BALL)
    assert live == {number: expected.push(images[number])[1].run_lengths[0] for number in range(1, 6)}

    found = server.ann.get(f"items/{item}/masks")["frames"]
    assert {each["frame"]: each["masks"][0]["rle"] for each in found[1:]} == live
    assert server.ann.ask("GET", f"items/{item}/frames/5?type=png").status == 200
    corrected = server.ann.command(item, "prompt", object=1, frame=4, points=[[250, 120, 1]])
    assert corrected.json["stale"] == [{"object": 1, "frames": [[1, 3], [5, 5]]}]
    job = server.ann.done(server.ann.command(item, "track").json["job"]["id"])
    assert job["state"] == "done"
    for _ in range(3):
        assert server.ann.command(item, "undo").status == 200
    assert {each["frame"] for each in server.ann.get(f"items/{item}/masks")["frames"]} == {0}, "the stream is one act"


def test_a_killed_stream_keeps_its_frames(server: Served, jpegs: list[bytes]) -> None:
    item = stream(server.bob, record=True)
    with server.bob.socket(item) as socket:
        for number in range(3):
            show(socket, number, jpegs[number])
        masks_of(socket, 2)
        server.kill()
        socket.close_code()
    server.start()
    assert server.bob.get(f"items/{item}")["frames"] == 3


def test_what_is_no_frame(server: Served, jpegs: list[bytes]) -> None:
    item = stream(server.ann)
    with closed_with(1003, server.ann, item) as socket:
        socket.connection.send(b"MKF1 nothing")
    with closed_with(1003, server.ann, item) as socket:
        show(socket, 5, jpegs[0])
        masks_of(socket, 5)
        show(socket, 4, jpegs[0])
    with server.ann.socket(item) as socket:
        assert socket.hello["frame"] == 6
        show(socket, 6, jpeg(Image.new("RGB", (20, 10))))
        while not [each for each in socket.events if "error" in (each.get("live") or {})]:
            socket.receive()
        assert socket.command("finish")["item"]["status"] == "failed"
    with closed_with(1003, server.ann, item) as socket:
        show(socket, 7, jpegs[0])
    huge = {"live": {"width": 20_000, "height": 20_000}}
    assert server.ann.ask("POST", f"projects/{server.ann.project()}/items", huge).status == 422


def test_too_many_frames_are_left_out_but_kept(server: Served, jpegs: list[bytes]) -> None:
    item = stream(server.ann, record=True)
    with server.ann.socket(item) as socket:
        show(socket, 0, jpegs[0])
        masks_of(socket, 0)
        socket.command("prompt", object=0, frame=0, box=BALL)
        for number in range(1, 40):
            show(socket, number, jpegs[number % 6])
        masks_of(socket, 39)
        followed = {each.frame for each in map(decode, socket.packets) if each.kind is Kind.TRACK}
        assert socket.command("finish")["item"]["frames"] == 40
    assert len(followed) < 40, "the newest frame waits, and no other"
