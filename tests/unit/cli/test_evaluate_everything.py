import json

import numpy as np
import pytest
import torch
from PIL import Image
from tests.support.annotated_images import PICTURES, write_domain
from tests.support.command_errors import assert_one_line
from typer.testing import CliRunner

from masklet import Sam2VideoModel, VideoTracker
from masklet.automask.settings import PRESETS
from masklet.cli.exit_codes import ExitCode
from masklet.cli.main import app
from masklet.media.label_maps import write_label_map
from masklet.training.recipes.compact import compact_model


def evaluate(*arguments):
    return CliRunner().invoke(app, ["evaluate", "everything", *(str(each) for each in arguments)])


@pytest.fixture
def root(tmp_path):
    write_domain(tmp_path / "data/first", PICTURES)
    return tmp_path / "data"


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A network with random weights; automatic masks are made of few points."""
    monkeypatch.setattr("masklet.automask.settings.PRESETS", {**PRESETS, "default": {"points_per_side": 4}})
    torch.manual_seed(0)
    Sam2VideoModel(compact_model(64)).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_masks_as_delivered_and_as_proposals_by_one_command(root, model, tmp_path):
    options = ("--model", model, "--json", tmp_path / "scores.json", "--report", tmp_path / "report")
    result = evaluate(root, *options)
    assert result.exit_code == ExitCode.DONE, result.output
    delivered, proposals = json.loads((tmp_path / "scores.json").read_text())
    assert [each["predictor"] for each in (delivered, proposals)] == [str(model), f"{model} (proposals)"]
    assert proposals["amounts"]["masks"] > delivered["amounts"]["masks"]
    assert proposals["average_recall"]["best IoU"] > 0
    for word in ("AR", "@1000", "small", "covered", "first", "mean"):
        assert word in result.stdout
    folders = [path.parent for path in (tmp_path / "report").glob("*/worst.png")]
    assert len(folders) == 2
    journals = {path: path.read_bytes() for path in (tmp_path / "report").glob("*/finished.jsonl")}
    assert evaluate(root, *options).exit_code == ExitCode.DONE
    assert {path: path.read_bytes() for path in journals} == journals
    assert_one_line(evaluate(root, *options, "--preset", "thorough"), 2, "begun with other settings (fingerprint")


@pytest.fixture
def videos(tmp_path):
    """One sequence of three frames with a square that stands still."""
    labels = np.zeros((40, 60), dtype=np.uint8)
    labels[10:30, 20:40] = 1
    (tmp_path / "videos/JPEGImages/swan").mkdir(parents=True)
    for frame in range(3):
        Image.fromarray(labels * 200).convert("RGB").save(tmp_path / f"videos/JPEGImages/swan/{frame:05}.jpg")
        write_label_map(tmp_path / f"videos/Annotations/swan/{frame:05}.png", labels)
    return tmp_path / "videos"


def test_videos_are_known_by_their_layout(videos, model, tmp_path):
    result = evaluate(videos, "--model", model, "--json", tmp_path / "scores.json", "--report", tmp_path / "report")
    assert result.exit_code == ExitCode.DONE, result.output
    (content,) = json.loads((tmp_path / "scores.json").read_text())
    assert content["predictor"] == str(model)
    assert {"J&F-Mean", "J&F of the best track", "J&F prompted"} <= content["scores"].keys()
    assert content["sequences"][0]["sequence"] == "swan"
    for word in ("unsupervised", "prompted", "tracks", "swan"):
        assert word in result.stdout


def test_policy_and_views_of_videos_can_be_chosen(videos, model, tmp_path, monkeypatch):
    begun = []
    follow = VideoTracker.everything

    def noted(self, video, policy, **options):
        begun.append((policy.every, policy.max_objects, options))
        return follow(self, video, policy, **options)

    monkeypatch.setattr(VideoTracker, "everything", noted)
    options = ("--policy", "fast", "--set", "max_objects=2", "--zoom", "--json", tmp_path / "scores.json")
    result = evaluate(videos, "--model", model, *options)
    assert result.exit_code == ExitCode.DONE, result.output
    assert begun == [(30, 2, {"zoom": True})]
    (content,) = json.loads((tmp_path / "scores.json").read_text())
    assert content["predictor"] == f"{model} (zoom)"


def test_errors_are_one_line(root, videos):
    assert_one_line(evaluate(root, "--zoom", "--set", "every=3"), 2, "has no frames", "--set", "--zoom")
    assert_one_line(evaluate(videos, "--set", "evry=3"), 2, "there is no such setting. The nearest is every")
    assert_one_line(evaluate(root, "--preset", "best"), 2, "preset must be one of", "'best'")
    assert_one_line(evaluate(videos, "--policy", "best"), 2, "best")
    assert_one_line(evaluate(videos, "--preset", "fast"), 2, "A dataset of videos is measured whole", "--preset")
    assert_one_line(evaluate(root, "--policy", "fast"), 2, "A dataset of images has no frames", "--policy")
    assert_one_line(evaluate(root / "first", "--kind", "video"), 2, "holds images")
    assert_one_line(evaluate(videos, "--kind", "image"), 2, "holds videos")
