import json

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from masklet import Sam2VideoModel
from masklet.cli.exit_codes import ExitCode
from masklet.cli.main import app
from masklet.media.label_maps import write_label_map
from masklet.training.recipes.compact import compact_model


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Two videos of four frames with a square, and two models."""
    folder = tmp_path_factory.mktemp("videos")
    for name, left in (("swan", 10), ("bike", 50)):
        (folder / "data/JPEGImages" / name).mkdir(parents=True)
        labels = np.zeros((60, 90), dtype=np.uint8)
        labels[20:40, left : left + 20] = 1
        for number in range(4):
            Image.fromarray(labels * 200).convert("RGB").save(folder / f"data/JPEGImages/{name}/{number:05}.jpg")
            write_label_map(folder / f"data/Annotations/{name}/{number:05}.png", labels)
    for seed, model in enumerate(("before", "after")):
        torch.manual_seed(seed)
        Sam2VideoModel(compact_model(128)).save_pretrained(folder / model)
    return folder


def evaluate(root, kind, *arguments):
    return CliRunner().invoke(app, ["evaluate", kind, str(root / "data"), *(str(each) for each in arguments)])


def test_two_checkpoints_in_both_modes_by_one_command(root, tmp_path):
    models = (root / "before", root / "after")
    arguments = ("--compare", *models, "--frames", 2, "--clicks", 1, "--report", tmp_path / "report")
    result = evaluate(root, "interactive", *arguments)
    assert result.exit_code == ExitCode.DONE, result.output
    *reports, offline, online = json.loads((tmp_path / "report/scores.json").read_text())
    named = [f"{model}, {mode}" for model in models for mode in ("offline", "online")]
    assert [each["predictor"] for each in reports] == named
    assert (offline["predictors"], online["predictors"]) == (named[::2], named[1::2])
    assert [each["sequence"] for each in reports[0]["sequences"]] == ["bike", "swan"]
    difference = reports[2]["scores"]["2 frames"] - reports[0]["scores"]["2 frames"]
    assert offline["differences"]["2 frames"] == pytest.approx(difference)
    assert len(list((tmp_path / "report").glob("*/worst.png"))) == 4
    assert "B-A" in result.stdout


def test_the_same_command_again_measures_nothing_again(root, tmp_path):
    arguments = ("--predictor", "repeat", "--report", tmp_path / "report")
    evaluate(root, "vos", *arguments)
    finished = tmp_path / "report/repeat/finished.jsonl"
    finished.write_text(finished.read_text().replace('"J-Mean": [1.0]', '"J-Mean": [0.25]', 1))
    result = evaluate(root, "vos", *arguments, "-o", tmp_path / "scores.json")
    assert result.exit_code == ExitCode.DONE, result.output
    assert json.loads((tmp_path / "scores.json").read_text())[0]["scores"]["J-Mean"] == 0.625
    other_rule = evaluate(root, "vos", *arguments, "--rule", "appearance")
    assert other_rule.exit_code == ExitCode.WRONG_USAGE
    assert "rule: 'davis', now 'appearance'" in other_rule.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--compare", "a", "b", "--model", "c"), "--model"),
        (("--compare", "a", "a"), "twice"),
        (("--threshold", "0"), "The threshold is above 0 and at most 1; got 0."),
        (("--threshold", "1.5"), "The threshold is above 0 and at most 1; got 1.5."),
        (("--mode", "offline", "--threshold", "0.5"), "--mode offline never pauses; it does not go with --threshold"),
    ],
)
def test_wrong_usage_is_one_line(root, arguments, named):
    result = evaluate(root, "interactive", *arguments)
    assert result.exit_code == ExitCode.WRONG_USAGE
    assert named in result.stderr
    assert len(result.stderr.splitlines()) == 1
