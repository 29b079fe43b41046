"""A server that is killed at any moment: what was acknowledged is there, and tracking goes on as without the kill."""

import io
import random
import sqlite3
import time
import zipfile
from contextlib import closing, suppress
from http.client import HTTPException
from pathlib import Path
from threading import Thread

import pytest
from tests.support.served import Client, Served, served

from masklet import VideoTracker
from masklet.server.packets import PackedMask, decode

ASSETS = Path(__file__).parents[2] / "assets"
JUGGLE, TRUCK = ASSETS / "juggle.mp4", ASSETS / "truck.jpg"
BOXES = {1: (229, 105, 262, 137), 2: (228, 18, 312, 252)}
LAST = 11


@pytest.fixture(scope="module")
def unbroken() -> dict[tuple[int, int], dict]:
    """The masks of a run that nobody killed, by object and frame."""
    video = VideoTracker.from_pretrained(device="cpu").open(JUGGLE)
    for number, box in BOXES.items():
        video.add(number, 0, box=box)
    return {
        (number, frame): run_length
        for frame, found in video.track(frames=range(LAST + 1))
        for number, run_length in zip(found.object_ids, found.run_lengths, strict=True)
    }


def stored(client: Client, item: str) -> dict[tuple[int, int], dict]:
    found = client.get(f"items/{item}/masks")["frames"]
    return {(mask["object"], frame["frame"]): mask["rle"] for frame in found for mask in frame["masks"]}


def tracked_until_killed(server: Served, item: str, packets: int) -> dict[tuple[int, int], PackedMask]:
    """Kill the server after so many packets of a tracking job; return the masks that came."""
    with server.ann.socket(item) as socket:
        for box in BOXES.values():
            assert socket.command("prompt", object=0, frame=0, box=box)["ok"]
        socket.command("track", frames=[0, LAST])
        while len(socket.packets) < packets + len(BOXES):
            socket.receive()
        server.kill()
        socket.close_code()
        found = [decode(each) for each in socket.packets]
    return {(entry.object, each.frame): entry.mask for each in found for entry in each.entries}


def check_killed(server: Served, unbroken: dict[tuple[int, int], dict], packets: int) -> None:
    item = server.ann.item(server.ann.project(), JUGGLE, "video")
    seen = tracked_until_killed(server, item, packets)
    for file in server.data.rglob("project.sqlite"):
        with sqlite3.connect(file) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()
    server.start()
    assert [each["box"] for each in found_prompts(server.ann, item)] == [
        list(map(float, box)) for box in BOXES.values()
    ]
    there = stored(server.ann, item)
    assert {key: mask.run_length(270, 480) for key, mask in seen.items()} == {key: there[key] for key in seen}
    assert server.ann.get("jobs")["jobs"][0]["state"] == "interrupted"
    job = server.ann.command(item, "track", frames=[0, LAST]).json["job"]["id"]
    assert server.ann.done(job)["state"] == "done"
    assert stored(server.ann, item) == unbroken


def found_prompts(client: Client, item: str) -> list[dict]:
    return [prompt for each in client.get(f"items/{item}/objects")["objects"] for prompt in each["prompts"]]


def test_killed_servers_lose_nothing(tmp_path: Path, unbroken: dict[tuple[int, int], dict]) -> None:
    with served(tmp_path) as server:
        check_killed(server, unbroken, packets=5)


@pytest.mark.slow
def test_twenty_kills_at_any_moment(tmp_path: Path, unbroken: dict[tuple[int, int], dict]) -> None:
    moments = random.Random(0)
    with served(tmp_path) as server:
        for _ in range(20):
            check_killed(server, unbroken, packets=moments.randrange(LAST))


def test_a_second_server_is_refused_and_ctrl_c_saves(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        item = server.ann.item(server.ann.project(), JUGGLE, "video")
        server.ann.command(item, "prompt", object=0, frame=0, box=BOXES[1])
        server.ann.command(item, "track", frames=[0, 47])
        assert "Another masklet server runs in" in server.refused_second()
        assert server.stop() == 130
        server.start()
        job = server.ann.get("jobs")["jobs"][0]
        assert job["state"] == "interrupted"
        units = server.ann.get("metrics")["model_units"]["step"]
        frames = {frame for _, frame in stored(server.ann, item)}
        ended = server.ann.done(server.ann.command(item, "track", frames=[0, len(frames)]).json["job"]["id"])
        assert (ended["state"], ended["total"]) == ("done", 1)
        assert server.ann.get("metrics")["model_units"]["step"] - units == 1, "the session was saved"


class Busy:
    """Uploads, clicks, undoes and exports in turn, and remembers what was acknowledged."""

    def __init__(self, server: Served, project: str, item: str, rng: random.Random) -> None:
        self._server, self._project, self._item, self._rng = server, project, item, rng
        self.revision, self.is_sure = 0, True  # of the last act; whether none was on its way at the kill
        self.uploads: list[str] = []
        self.exports: list[str] = []

    def work(self) -> None:
        """Act until the server is gone."""
        with suppress(OSError, HTTPException):
            while True:
                self._rng.choice([self._click, self._click, self._undo, self._upload, self._export])()

    def _click(self) -> None:
        x, y = self._rng.uniform(150, 900), self._rng.uniform(150, 550)
        self._act("prompt", object=0, frame=0, points=[[x, y, 1]])

    def _undo(self) -> None:
        self._act("undo")

    def _act(self, do: str, **fields: object) -> None:
        self.is_sure = False
        answer = self._server.ann.command(self._item, do, **fields)
        assert answer.status in (200, 409), answer.body
        self.revision = answer.json.get("revision", self.revision)
        self.is_sure = True

    def _upload(self) -> None:
        data = TRUCK.read_bytes()
        about = {"name": "truck.jpg", "size": len(data), "kind": "image"}
        upload = self._server.ann.ask("POST", f"projects/{self._project}/uploads", about).json["upload"]
        self.uploads.append(upload)
        assert self._server.ann.go_on(upload, data, 0, 2**16).status == 201
        self.uploads.remove(upload)

    def _export(self) -> None:
        asked = {"format": "masklet", "items": [self._item]}
        job = self._server.ann.ask("POST", f"projects/{self._project}/exports", asked).json["id"]
        found = self._server.ann.done(job)
        if found["state"] == "done":
            self.exports.append(found["result"]["export"])


def check_after_kill(server: Served, project: str, item: str, busy: Busy) -> None:
    for file in server.data.rglob("project.sqlite"):
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    server.start()
    revision = server.ann.get(f"items/{item}")["revision"]
    assert busy.revision <= revision <= busy.revision + (not busy.is_sure)
    data = TRUCK.read_bytes()
    for upload in busy.uploads:
        offset = server.ann.ask("HEAD", f"uploads/{upload}").headers.get("upload-offset")
        if offset is not None and int(offset) < len(data):
            assert server.ann.go_on(upload, data, int(offset), 2**16).status == 201
    for export in busy.exports:
        with zipfile.ZipFile(io.BytesIO(server.ann.ask("GET", f"exports/{export}").body)) as archive:
            assert archive.testzip() is None
    while "importing" in (states := [each["status"] for each in server.ann.get(f"projects/{project}")["items"]]):
        time.sleep(0.05)
    assert set(states) <= {"ready", "failed"}
    assert not {each["state"] for each in server.ann.get("jobs")["jobs"]} & {"queued", "running"}


@pytest.mark.slow
def test_ten_kills_while_everything_happens(tmp_path: Path) -> None:
    rng = random.Random(1)
    with served(tmp_path) as server:
        project = server.ann.project()
        item = server.ann.item(project, TRUCK, "image")
        for _ in range(10):
            busy = Busy(server, project, item, rng)
            busy.revision = server.ann.get(f"items/{item}")["revision"]
            worker = Thread(target=busy.work)
            worker.start()
            time.sleep(rng.uniform(0.2, 3))
            server.kill()
            worker.join()
            check_after_kill(server, project, item, busy)
    assert "fault in masklet" not in (tmp_path / "log.txt").read_text()
