"""`masklet segment --everything` as a user calls it, with a compact model of random weights."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.command_errors import assert_one_line
from typer.testing import CliRunner

from masklet import AutomaticMaskGenerator
from masklet.cli.exit_codes import ExitCode
from masklet.cli.main import app
from masklet.formats.reading.sa1b_folder import Sa1bFolder

SIZE = 128
SETTINGS = {"points_per_side": 3, "pred_iou_thresh": 0.0, "stability_score_thresh": 0.0, "box_nms_thresh": 1.0}
CHANGES = [f"--set={name}={value}" for name, value in SETTINGS.items()]
ENDINGS = ("_overlay.png", "_mask.png", ".json")


@pytest.fixture(scope="session")
def model(compact_folder):
    return compact_folder


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder with a folder of the images a.png (120 x 90) and b.jpg (50 x 60)."""
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    Path("images").mkdir()
    Image.fromarray(pixels).save("images/a.png")
    Image.fromarray(pixels[:60, :50]).save("images/b.jpg")
    return tmp_path


@pytest.fixture
def everything(here, model):
    def run(*arguments):
        command = ["segment", "--everything", *CHANGES, "--model", model, "-o", "out", *arguments]
        return CliRunner().invoke(app, [str(each) for each in command])

    return run


def files_of(*names):
    return [f"out/{name}{ending}" for name in names for ending in ENDINGS]


def test_the_files_hold_what_the_generator_finds(everything, model):
    result = everything("images/a.png")
    assert result.exit_code == ExitCode.DONE, result.output
    assert result.stdout.split() == files_of("a")
    expected = AutomaticMaskGenerator.from_pretrained(model, **SETTINGS).generate("images/a.png")
    assert len(expected) > 3
    annotations = json.loads(Path("out/a.json").read_text())["annotations"]
    assert [each["segmentation"]["counts"] for each in annotations] == [each["counts"] for each in expected.run_lengths]
    assert [each["point_coords"][0] for each in annotations] == expected.points.tolist()
    with Image.open("out/a_mask.png") as image:
        assert (image.mode, image.size) == ("I;16", (120, 90))
        labels = np.asarray(image)
    smallest = np.flatnonzero(expected.areas == expected.areas[expected.areas > 0].min())[-1]
    np.testing.assert_array_equal(labels[expected.mask(smallest)], expected.object_ids[smallest])
    np.testing.assert_array_equal(labels > 0, expected.masks.any(axis=0))


def test_a_line_counts_what_each_filter_left(everything):
    (line,) = everything("images/a.png").stderr.splitlines()
    assert line.startswith("images/a.png: ")
    assert "27 candidates" in line
    masks = len(json.loads(Path("out/a.json").read_text())["annotations"])
    assert f"{masks} after NMS" in line


def test_a_folder_is_annotated_data_and_goes_on_where_it_was_stopped(everything, monkeypatch):
    generate, done = AutomaticMaskGenerator.generate, []

    def interrupted(self, image, **options):
        if done:
            raise KeyboardInterrupt
        done.append(image)
        return generate(self, image, **options)

    with monkeypatch.context() as patch:
        patch.setattr(AutomaticMaskGenerator, "generate", interrupted)
        stopped = everything("images")
    assert stopped.exit_code == ExitCode.INTERRUPTED
    assert "out keeps what is finished: give the same command to continue" in stopped.stderr
    assert stopped.stdout.split() == files_of("a")
    before = Path("out/a.json").stat().st_mtime_ns
    finished = everything("images")
    assert finished.exit_code == ExitCode.DONE
    assert finished.stderr.startswith("Note: 1 of 2 images were finished before")
    assert "a.png" not in finished.stderr
    assert finished.stdout.split() == files_of("a", "b")
    assert Path("out/a.json").stat().st_mtime_ns == before
    for name in ("a.json", "b.json"):
        Path("out", name).rename(Path("images", name))
    assert [image.name for image in Sa1bFolder("images")] == ["a.png", "b.jpg"]


@pytest.mark.parametrize("cause", ["settings", "image", "file"])
def test_what_is_not_as_it_was_is_segmented_again(everything, cause):
    everything("images")
    changes = []
    if cause == "settings":
        changes = ["--set", "box_nms_thresh=0.5"]
    elif cause == "image":
        Image.new("RGB", (40, 30)).save("images/a.png")
    else:
        Path("out/a_mask.png").unlink()
    again = everything("images", *changes)
    assert again.exit_code == ExitCode.DONE
    assert "images/a.png: " in again.stderr
    assert ("images/b.jpg: " in again.stderr) == (cause == "settings")
    assert Path("out/a_mask.png").exists()


def test_an_image_that_is_none_fails_alone_and_is_tried_again(everything):
    Path("images/0.png").write_text("no image")
    for _ in range(2):
        result = everything("images")
        assert result.exit_code == ExitCode.SOME_FAILED
        assert "Error: Not an image in a known format: images/0.png" in result.stderr
        assert result.stdout.split() == files_of("a", "b")


def test_nothing_found_is_an_empty_result(everything):
    result = everything("images/a.png", "--set", "pred_iou_thresh=1")
    assert result.exit_code == ExitCode.DONE
    assert "0 above IoU 1" in result.stderr
    assert json.loads(Path("out/a.json").read_text())["annotations"] == []
    with Image.open("out/a_mask.png") as image:
        assert image.getextrema() == (0, 0)


def test_ids_are_drawn_on_request(everything):
    everything("images/a.png")
    plain = Path("out/a_overlay.png").read_bytes()
    everything("images/a.png", "--ids")
    assert Path("out/a_overlay.png").read_bytes() != plain


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["images/a.png", "--point", "1,1", "--zoom"], "--everything needs no prompts; leave out --point, --zoom"),
        (["images/a.png", "--prompts", "p.json", "--multimask"], "leave out --prompts, --multimask"),
        ([], "No image is given: masklet segment IMAGE... --everything"),
        (
            ["images/a.png", "--set", "points_per_sde=4"],
            "--set points_per_sde: there is no such setting. The nearest is",
        ),
        (["images/a.png", "--set", "points_per_side"], "--set points_per_side sets nothing; write NAME=VALUE"),
        (["images/a.png", "--set", "points_per_side=many"], "points_per_side=many: the value must be a whole number"),
        (["images/a.png", "--set", "pred_iou_thresh=3"], "pred_iou_thresh must be a number from 0 to 1; got 3.0"),
        (["images/a.png", "--set", "points_per_batch=0"], "points_per_batch must be"),
        (["images/a.png", "--preset", "nope"], "preset must be one of"),
        (["images/a.png", "--model", "nowhere"], "no checkpoint 'nowhere'"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_nothing_is_written(everything, arguments, fragment):
    result = everything(*arguments)
    code = ExitCode.FILE_PROBLEM if "nowhere" in fragment else ExitCode.WRONG_USAGE
    assert_one_line(result, code, fragment)
    assert not Path("out").exists()


def test_settings_are_for_everything_only(here):
    for option in (["--preset", "default"], ["--set", "points_per_side=3"]):
        result = CliRunner().invoke(app, ["segment", "images/a.png", "--point", "1,1", *option])
        assert_one_line(result, ExitCode.WRONG_USAGE, f"{option[0]} can be given with --everything only")


def test_a_folder_of_other_results_is_left_alone(everything):
    Path("out").mkdir()
    Path("out/finished.jsonl").write_text('{"dataset": "d"}\n')
    assert_one_line(everything("images/a.png"), ExitCode.WRONG_USAGE, "begun with other settings")
    assert [each.name for each in Path("out").iterdir()] == ["finished.jsonl"]
