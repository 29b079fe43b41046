import json

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from masklet import Sam2VideoModel
from masklet.cli.exit_codes import ExitCode
from masklet.cli.main import app
from masklet.evaluation.vos.baselines import RepeatedFirstMask
from masklet.media.label_maps import write_label_map
from masklet.media.mask_images import read_label_map
from masklet.training.recipes.compact import compact_model


@pytest.fixture
def root(tmp_path):
    """Two sequences of four frames; in `swan` the square stands still, in `bike` it jumps after the first frame."""
    for name, step in (("swan", 0), ("bike", 50)):
        (tmp_path / "data/JPEGImages" / name).mkdir(parents=True)
        for number in range(4):
            labels = np.zeros((60, 90), dtype=np.uint8)
            left = 10 + step * (number > 0)
            labels[20:40, left : left + 20] = 1
            Image.fromarray(labels * 200).convert("RGB").save(tmp_path / f"data/JPEGImages/{name}/{number:05}.jpg")
            write_label_map(tmp_path / f"data/Annotations/{name}/{number:05}.png", labels)
    return tmp_path / "data"


def evaluate(*arguments):
    return CliRunner().invoke(app, ["evaluate", "vos", *(str(each) for each in arguments)])


def test_all_predictors_by_one_command(root, tmp_path):
    model = tmp_path / "model"
    torch.manual_seed(0)
    Sam2VideoModel(compact_model(128)).save_pretrained(model)
    options = ("--json", tmp_path / "scores.json", "--save-masks", tmp_path / "masks", "--report", tmp_path / "report")
    result = evaluate(root, "--model", model, *options)
    assert result.exit_code == ExitCode.DONE, result.output
    of_model, repeat, flow = json.loads((tmp_path / "scores.json").read_text())
    assert [each["predictor"] for each in (of_model, repeat, flow)] == [str(model), "repeat", "flow"]
    assert [each["sequence"] for each in repeat["sequences"]] == ["bike", "swan"]
    assert repeat["scores"]["J&F-Mean"] == 0.5
    for word in ("repeat", "flow", "swan", "bike", "mean", "50.0"):
        assert word in result.stdout
    saved = sorted(path.relative_to(tmp_path / "masks").as_posix() for path in (tmp_path / "masks").rglob("*.png"))
    assert saved == [
        f"{predictor}/{sequence}/0000{number}.png"
        for predictor in sorted(path.parent.name for path in (tmp_path / "report").glob("*/items.csv"))
        for sequence in ("bike", "swan")
        for number in range(4)
    ]


@pytest.mark.parametrize(("option", "shown"), [(("--preset", "fast"), "fast"), (("--zoom",), "zoom")])
def test_presets_and_views_are_named_in_the_report(root, tmp_path, option, shown):
    torch.manual_seed(0)
    Sam2VideoModel(compact_model(128)).save_pretrained(tmp_path / "model")
    options = ("--predictor", "model", "--sequences", "swan", *option, "--json", tmp_path / "scores.json")
    result = evaluate(root, "--model", tmp_path / "model", *options)
    assert result.exit_code == ExitCode.DONE, result.output
    assert [each["predictor"] for each in json.loads((tmp_path / "scores.json").read_text())] == [
        f"{tmp_path / 'model'} ({shown})"
    ]


def test_masks_of_any_program_can_be_measured(root, tmp_path):
    evaluate(root, "--predictor", "repeat", "--save-masks", tmp_path / "masks")
    result = evaluate(
        root, "--masks", tmp_path / "masks/repeat", "-o", tmp_path / "scores.json", "--rule", "appearance"
    )
    assert result.exit_code == ExitCode.DONE, result.output
    (report,) = json.loads((tmp_path / "scores.json").read_text())
    assert (report["rule"], report["scores"]["J-Mean"]) == ("appearance", 0.5)
    (tmp_path / "masks/repeat/swan/00002.png").unlink()
    assert evaluate(root, "--masks", tmp_path / "masks/repeat").exit_code == ExitCode.FILE_PROBLEM


def test_what_is_odd_about_masks_is_reported_in_a_line_for_each_sequence(root, tmp_path):
    evaluate(root, "--predictor", "repeat", "--save-masks", tmp_path / "masks")
    for path in (tmp_path / "masks/repeat/swan").iterdir():
        Image.fromarray(read_label_map(path) * 128).save(path)
    result = evaluate(root, "--masks", tmp_path / "masks/repeat", "-o", tmp_path / "scores.json")
    assert result.exit_code == ExitCode.DONE, result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("Warning: swan: the masks show ids")
    (report,) = json.loads((tmp_path / "scores.json").read_text())
    assert [each["remarks"] for each in report["sequences"]] == [[], [line.removeprefix("Warning: swan: ")[:-1]]]


@pytest.mark.parametrize("as_file", [False, True])
def test_sequences_are_chosen_by_name_or_by_a_file(root, tmp_path, as_file):
    (tmp_path / "val.txt").write_text("swan\n")
    chosen = tmp_path / "val.txt" if as_file else "swan,"
    result = evaluate(root, "--predictor", "repeat", "--sequences", chosen, "-o", tmp_path / "scores.json")
    assert result.exit_code == ExitCode.DONE, result.output
    (report,) = json.loads((tmp_path / "scores.json").read_text())
    assert [each["sequence"] for each in report["sequences"]] == ["swan"]
    assert report["scores"]["J&F-Mean"] == 1


def test_a_list_of_sequences_is_measured_as_a_dataset(root, tmp_path):
    (root / "ImageSets").mkdir()
    (root / "ImageSets/val.txt").write_text("swan\n")
    result = evaluate(root / "ImageSets/val.txt", "--predictor", "repeat", "-o", tmp_path / "scores.json")
    assert result.exit_code == ExitCode.DONE, result.output
    (report,) = json.loads((tmp_path / "scores.json").read_text())
    assert ([each["sequence"] for each in report["sequences"]], report["rule"]) == (["swan"], "davis")


def test_resuming_keeps_finished_sequences(root, tmp_path):
    arguments = (root, "--predictor", "repeat", "--save-masks", tmp_path, "-o", tmp_path / "scores.json")
    evaluate(*arguments)
    changed = tmp_path / "repeat/swan/00001.png"
    write_label_map(changed, read_label_map(changed) * 0)
    result = evaluate(*arguments, "--resume")
    assert result.exit_code == ExitCode.DONE, result.output
    assert json.loads((tmp_path / "scores.json").read_text())[0]["scores"]["J-Mean"] == pytest.approx(0.25)


def test_ctrl_c_names_the_folder_from_which_the_same_command_continues(root, tmp_path, monkeypatch):
    arguments = (root, "--predictor", "repeat", "--report", tmp_path / "report")
    follow, asked = RepeatedFirstMask.track, []

    def interrupted(self, frames, prompts, *, may_overlap):
        asked.append(len(asked))
        if asked == [0, 1]:
            raise KeyboardInterrupt
        yield from follow(self, frames, prompts, may_overlap=may_overlap)

    monkeypatch.setattr(RepeatedFirstMask, "track", interrupted)
    result = evaluate(*arguments)
    assert (result.exit_code, f"{tmp_path / 'report'} keeps what is finished" in result.stderr) == (130, True)
    assert (evaluate(*arguments).exit_code, asked) == (ExitCode.DONE, [0, 1, 2])


def test_ctrl_c_before_anything_is_measured_names_no_folder_that_is_not_there(root, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("masklet.evaluation.measurement.measure_all", interrupted)
    result = evaluate(root, "--predictor", "repeat", "--report", tmp_path / "report")
    assert (result.exit_code, "keeps what is finished" in result.stderr) == (ExitCode.INTERRUPTED, False)
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--resume",), "--save-masks"),
        (("--masks", "a", "--save-masks", "b"), "--masks"),
        (
            ("--masks", "a", "--compare", "bundled", "c"),
            "--masks measures existing masks; it does not go with --co",
        ),
        (("--masks", "a", "--predictor", "flow", "--model", "c"), "--predictor, --model"),
        (("--masks", "a", "--preset", "fast", "--dtype", "bfloat16"), "--dtype, --preset"),
        (("--predictor", "flow", "--zoom"), "it does not go with --zoom"),
        (("--predictor", "flow", "--model", "c"), "--predictor flow measures no model; it does not go with --model"),
        (("--predictor", "repeat", "--compare", "a", "b"), "--compare"),
        (("--predictor", "all", "--compare", "a", "b"), "--compare"),
        (("--predictor", "repeat", "--sequences", "goose"), "goose"),
        (("--predictor", "repeat", "--sequences", "swan,bike,swan"), "named more often: swan"),
        (("--predictor", "repeat", "--sequences", ","), "empty"),
    ],
)
def test_wrong_usage_is_one_line(root, arguments, named):
    result = evaluate(root, *arguments)
    assert result.exit_code == ExitCode.WRONG_USAGE
    assert named in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("option", ["-o", "--report", "--save-masks"])
def test_places_that_cannot_be_written_are_named_before_anything_is_measured(root, tmp_path, monkeypatch, option):
    monkeypatch.setattr("masklet.evaluation.measurement.measure_all", None)
    (tmp_path / "file").touch()
    place = tmp_path if option == "-o" else tmp_path / "file"
    result = evaluate(root, "--predictor", "repeat", option, place)
    assert result.exit_code == ExitCode.FILE_PROBLEM
    assert result.stderr.startswith(f"Error: {place}: ")
    assert len(result.stderr.splitlines()) == 1
