import json

import pytest
import torch
from tests.support.annotated_images import PICTURES, write_domain
from tests.support.command_errors import assert_one_line
from typer.testing import CliRunner

from masklet import Sam2VideoModel
from masklet.automask.settings import PRESETS
from masklet.cli.exit_codes import ExitCode
from masklet.cli.main import app
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


def test_errors_are_one_line(root, model, tmp_path):
    assert_one_line(evaluate(root, "--preset", "best"), 2, "preset must be one of", "'best'")
    (tmp_path / "video/JPEGImages/swan").mkdir(parents=True)
    (tmp_path / "video/Annotations/swan").mkdir(parents=True)
    assert_one_line(evaluate(tmp_path / "video", "--model", model), 2)
