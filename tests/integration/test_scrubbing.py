"""Scrubbing through a long video from outside: drafts of its frames come from a copy that the server makes."""

import io
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.served import Answer, Client, Served, served
from tests.support.video_files import write_small_video

COUNT = 250
PATIENCE = 120  # seconds; nothing takes as long unless it hangs


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as running:
        yield running


def brightness(number: int) -> int:
    """How bright a frame is: quite another than those beside it."""
    return 37 * number % 251


def video_with_one_key_frame(folder: Path) -> Path:
    frames = [np.full((368, 640, 3), brightness(number), np.uint8) for number in range(COUNT)]
    return write_small_video(folder / "long.mp4", frames, key_every=1000, preset="ultrafast", bf="2")


def draft(client: Client, item: str, frame: int, **headers: str) -> Answer:
    return client.ask("GET", f"items/{item}/frames/{frame}?draft=true", headers=headers)


def test_drafts_come_from_a_copy_once_it_is_there(server: Served, tmp_path: Path) -> None:
    ann, project = server.ann, server.ann.project()
    item = ann.item(project, video_with_one_key_frame(tmp_path), "video")
    copies = server.data / "ann" / project / "cache" / "scrubbing"
    first = draft(ann, item, 200)
    until = time.monotonic() + PATIENCE
    while (later := draft(ann, item, 200)).headers["etag"] == first.headers["etag"] and time.monotonic() < until:
        time.sleep(0.1)
    assert later.headers["etag"].endswith('-copy"')
    assert draft(ann, item, 200, **{"If-None-Match": later.headers["etag"]}).status == 304
    assert draft(ann, item, 200, **{"If-None-Match": first.headers["etag"]}).status == 200
    for number in (200, 3, 249, 100):
        found = Image.open(io.BytesIO(draft(ann, item, number).body))
        assert found.size == (640, 368)
        assert abs(np.asarray(found).mean() - brightness(number)) < 5
    exact = ann.ask("GET", f"items/{item}/frames/200?width=640")
    assert not exact.headers["etag"].endswith('-copy"')
    assert [path.name for path in copies.iterdir()] == [f"{item}.mp4"]
    assert ann.ask("DELETE", f"items/{item}").status == 202
    assert list(copies.iterdir()) == []


def test_a_draft_of_what_has_no_copy_is_small_all_the_same(server: Served, tmp_path: Path) -> None:
    project = server.ann.project()
    Image.new("RGB", (2000, 1000), (9, 99, 199)).save(tmp_path / "wide.png")
    item = server.ann.item(project, tmp_path / "wide.png", "image")
    found = draft(server.ann, item, 0)
    assert Image.open(io.BytesIO(found.body)).size == (960, 480)
    smaller = server.ann.ask("GET", f"items/{item}/frames/0?draft=true&width=96")
    assert Image.open(io.BytesIO(smaller.body)).size == (96, 48)
