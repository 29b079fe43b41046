"""The programs in `examples` run as their first lines describe, on little work, and find what they are to find."""

import json
import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.documents.markdown import ROOT
from tests.support.served import TOKENS, served

from masklet import ImageSegmenter, open_video, read_image

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
WHAT_TO_RUN = re.compile(r"^    python (examples/\w+\.py)(.*?)(?: {2,}#.*)?$", re.MULTILINE)


def run(name: str, arguments: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = str(ROOT / "examples" / name)
    monkeypatch.setattr(sys, "argv", [program, *arguments.split()])
    runpy.run_path(program, run_name="__main__")


def test_images(readers_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run("image.py", "--output out", monkeypatch)
    before, after = map(int, re.findall(r"negative click: (\d+) pixels became (\d+)", capsys.readouterr().out)[0])
    assert after < 0.6 * before
    assert {path.name for path in Path("out").iterdir()} == {"choices.png", "bag.png", "bags.png"}
    assert np.any(np.asarray(read_image("out/bags.png")) != np.asarray(read_image("assets/groceries.jpg")))


def test_videos(readers_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("video.py", "--output out --frames 3", monkeypatch)
    with open_video("out/tracked.mp4") as tracked, open_video("assets/juggle.mp4") as clip:
        assert len(tracked) == 3
        assert tracked[2].shape == clip[2].shape


def test_streams(readers_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run("stream.py", "--frames 3", monkeypatch)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["frame"] for line in lines] == [0, 1, 2]
    for line in lines:
        left, top, right, bottom = line["box"]
        assert left < 244 < right < left + 80, "the ball is elsewhere"
        assert top < 118 < bottom < top + 80, "the ball is elsewhere"


def test_a_client_of_the_server(
    readers_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(tmp_path) as server:
        options = f"--server http://127.0.0.1:{server.port} --token {TOKENS['ann']} --frames 3"
        run("server_client.py", options, monkeypatch)
    found = re.findall(r"frame (\d): (\d+) pixels in \[(\d+), (\d+),", capsys.readouterr().out)
    assert [int(frame) for frame, *_ in found] == [0, 1, 2]
    for _, area, left, top in found:
        assert 300 < int(area) < 1500
        assert int(left) < 244 < int(left) + 80, "the ball is elsewhere"
        assert int(top) < 118 < int(top) + 80, "the ball is elsewhere"


def test_a_camera_of_the_client(
    readers_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(tmp_path) as server:
        options = f"--server http://127.0.0.1:{server.port} --token {TOKENS['ann']} --source assets/juggle.mp4"
        run("camera.py", f"{options} --box 229 105 262 137 --frames 2", monkeypatch)
        (project,) = server.ann.get("projects")["projects"]
        assert [(each["kind"], each["frames"]) for each in project["items"]] == [("stream", 3)]
    found = re.findall(r"frame (\d): (\d+) pixels in \((\d+), (\d+),", capsys.readouterr().out)
    assert len(found) == 2
    for _, area, left, top in found:
        assert 300 < int(area) < 1500
        assert int(left) < 244 < int(left) + 80, "the ball is elsewhere"
        assert int(top) < 118 < int(top) + 80, "the ball is elsewhere"


def test_fine_tuning(readers_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run("fine_tune.py", "--output out --steps 2 --images 2", monkeypatch)
    before, after = map(float, re.findall(r"(0\.\d+) (?:before|after)", capsys.readouterr().out))
    assert before > 0.6
    assert after > 0.6
    assert ImageSegmenter.from_pretrained("out/run/average").model.config.image_size == 256


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_each_shows_how_to_run_it(example: Path) -> None:
    source = example.read_text(encoding="utf-8")
    assert {found for found, _ in WHAT_TO_RUN.findall(source)} == {f"examples/{example.name}"}
    for option in {word for _, options in WHAT_TO_RUN.findall(source) for word in options.split() if word[:2] == "--"}:
        assert f'"{option}"' in source, f"{example.name} has no {option}"
    assert 30 <= source.count("\n") <= 120


def test_every_example_is_run_here() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    assert [example.name for example in EXAMPLES if f'run("{example.name}"' not in here] == []
