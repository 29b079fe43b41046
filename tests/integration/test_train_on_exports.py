"""From a click to a fine-tuned model: what is segmented or tracked is exported, and the export trains."""

import io
import shutil
import zipfile
from pathlib import Path

import pytest
import torch
from tests.support.served import served
from tests.support.small_recipes import small_video_config
from typer.testing import CliRunner

from masklet import ImageSegmenter, Sam2VideoModel, VideoTracker
from masklet.cli.main import app

ASSETS = Path(__file__).parents[2] / "assets"
SHORT = {
    "stages.0.steps": 2,
    "stages.0.scenes_per_step": 1,
    "prompt_rounds": 1,
    "loader_workers": 0,
    "save_every": 2,
}
CLIPS = {
    "stages.0.clip_length": 2,
    "stages.0.clips_per_step": 1,
    "stages.0.objects_per_clip": 1,
    "stages.0.images_every": 0,
}


def run(*arguments: object) -> None:
    result = CliRunner().invoke(app, [*map(str, arguments)])
    assert result.exit_code == 0, result.output


@pytest.fixture
def model(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    Sam2VideoModel(small_video_config()).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def train(recipe: str, data: Path, model: Path, **fields: object) -> Path:
    chosen = [word for name, value in (SHORT | fields).items() for word in ("--set", f"{name}={value}")]
    run("train", recipe, "--data", data, "--from", model, "-o", data.parent / "run", "--device", "cpu", *chosen)
    return data.parent / "run/average"


def test_a_click_in_the_studio_trains_what_the_studio_loads(tmp_path: Path, model: Path) -> None:
    (tmp_path / "first").mkdir()
    with served(tmp_path / "first") as server:
        project = server.ann.project()
        truck = server.ann.item(project, ASSETS / "truck.jpg", "image")
        assert server.ann.command(truck, "prompt", object=0, frame=0, points=[[320, 425, 1]]).status == 200
        begun = server.ann.ask("POST", f"projects/{project}/exports", {"format": "coco", "items": [truck]})
        done = server.ann.done(begun.json["id"])
        zipped = server.ann.ask("GET", f"exports/{done['result']['export']}").body
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        archive.extractall(tmp_path / "data")
    tuned = train("finetune-image", tmp_path / "data", model)
    (tmp_path / "second").mkdir()
    with served(tmp_path / "second", "--model", str(tuned)) as server:
        assert server.ann.get("info")["model"]["image_size"] == small_video_config().image_size
        truck = server.ann.item(server.ann.project(), ASSETS / "truck.jpg", "image")
        answer = server.ann.command(truck, "prompt", object=0, frame=0, points=[[320, 425, 1]])
        assert answer.json["masks"][0]["rle"]["size"] == [683, 1024]


def test_a_click_on_an_image_trains(tmp_path: Path, model: Path) -> None:
    run("segment", ASSETS / "truck.jpg", "--point", "320,425", "-o", tmp_path / "found")
    shutil.copy(ASSETS / "truck.jpg", tmp_path / "found")
    run("formats", "convert", tmp_path / "found", "--to", "yolo", "-o", tmp_path / "data")
    run("data", "check", tmp_path / "data")
    tuned = train("finetune-image", tmp_path / "data", model)
    assert ImageSegmenter.from_pretrained(tuned).encode(ASSETS / "truck.jpg").height == 683


@pytest.mark.parametrize("to", ["davis", "youtube-vis"])
def test_a_tracked_video_trains(tmp_path: Path, model: Path, to: str) -> None:
    found = tmp_path / "found"
    run("track", ASSETS / "juggle.mp4", "--box", "228,18,312,252", "--range", "0:3", "-o", found)
    shutil.copy(ASSETS / "juggle.mp4", found)
    run("formats", "convert", found, "--to", to, "-o", tmp_path / "data")
    run("data", "check", tmp_path / "data")
    tuned = train("finetune-video", tmp_path / "data", model, **CLIPS)
    assert len(VideoTracker.from_pretrained(tuned).open(ASSETS / "juggle.mp4")) == 48
