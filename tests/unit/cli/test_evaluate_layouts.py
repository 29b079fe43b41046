"""The same short story in every layout of videos, and the same images in every layout of images.

Object 1 stands still. Object 2 comes at the third annotated frame, and jumps at the fourth. Who repeats what a user
says where an object first appears is right about object 1, and about the first of two frames of object 2 that count.
"""

import json

import numpy as np
import pytest
from tests.support.annotated_folders import (
    LEFT,
    RIGHT,
    WRITERS,
    masklets,
    write_image,
    write_json,
    write_mask,
)
from typer.testing import CliRunner

from masklet.cli.exit_codes import ExitCode
from masklet.cli.main import app
from masklet.masks.run_length import encode_run_length
from masklet.media.label_maps import write_label_map

ABSENT, ELSEWHERE = np.zeros_like(LEFT), np.zeros_like(LEFT)
ELSEWHERE[6:8, :4] = True
COMING = (ABSENT, ABSENT, RIGHT, ELSEWHERE, ELSEWHERE)
STORY = [(LEFT, mask) for mask in COMING]
LAST = len(STORY) - 1


def write_label_maps(root, name, every):
    for frame in range(LAST * every + 1):
        write_image(root / f"JPEGImages/{name}/{frame:05}.jpg")
    for place, (first, second) in enumerate(STORY):
        labels = (first + 2 * second).astype(np.uint8)
        write_label_map(root / f"Annotations/{name}/{place * every:05}.png", labels)


def write_davis(root):
    write_label_maps(root, "swan", every=1)


def write_mose(root):
    write_label_maps(root, "00b72f4d", every=1)


def write_youtube_vos(root):
    write_label_maps(root, "003234408d", every=5)
    write_json(root / "meta.json", {"videos": {"003234408d": {"objects": {"1": {}, "2": {}}}}})


def write_sav(root):
    encoded = [[encode_run_length(mask) for mask in masks] for masks in STORY]
    write_json(root / "sav_000/sav_1_manual.json", masklets(frame_count=4 * LAST + 1, masklet=encoded))
    for frame in range(4 * LAST + 1):
        write_image(root / f"sav_000/sav_1/{frame:05}.jpg")


def write_sav_split(root):
    for frame in range(4 * LAST + 1):
        write_image(root / f"JPEGImages_24fps/sav_7/{frame:05}.jpg")
    for place, masks in enumerate(STORY):
        for number, mask in enumerate(masks):
            write_mask(root / f"Annotations_6fps/sav_7/{number:03}/{4 * place:05}.png", mask)


VIDEOS = {
    write_davis: ("davis", 5),
    write_mose: ("appearance", 5),
    write_youtube_vos: ("appearance", 21),
    write_sav: ("appearance", 17),
    write_sav_split: ("appearance", 17),
}
OF_REPEATING = {"davis": {1: 1.0}, "appearance": {1: 1.0, 2: 0.5}}
"""J of the objects that count."""


def evaluate(kind, root, tmp_path, *arguments):
    file = tmp_path / "scores.json"
    result = CliRunner().invoke(app, ["evaluate", kind, str(root), "--json", str(file), *arguments])
    assert result.exit_code == ExitCode.DONE, result.output
    return json.loads(file.read_text())


def scores_of(report):
    (sequence,) = report["sequences"]
    return {each["object_id"]: each["j"]["mean"] for each in sequence["objects"]}, sequence["frames"]


@pytest.mark.parametrize(("write", "expected"), VIDEOS.items())
def test_first_masks_of_videos_by_the_rule_of_their_layout(tmp_path, write, expected):
    rule, frames = expected
    write(tmp_path / "data")
    (report,) = evaluate("vos", tmp_path / "data", tmp_path, "--predictor", "repeat")
    assert report["rule"] == rule
    assert scores_of(report) == (OF_REPEATING[rule], frames)


@pytest.mark.parametrize(
    ("write", "rule", "expected"),
    [
        (write_youtube_vos, "davis", {1: 1.0, 2: pytest.approx(2 / 3)}),  # and one frame where it is nowhere
        (write_davis, "appearance", OF_REPEATING["appearance"]),
    ],
)
def test_another_rule_can_be_asked_for(tmp_path, write, rule, expected):
    write(tmp_path / "data")
    (report,) = evaluate("vos", tmp_path / "data", tmp_path, "--predictor", "repeat", "--rule", rule)
    assert scores_of(report)[0] == expected


@pytest.mark.parametrize("write", [write_youtube_vos, write_sav_split])
def test_saved_masks_are_read_again_in_their_layout(tmp_path, write):
    """Of overlapping masks, a folder for each object."""
    write(tmp_path / "data")
    masks = ("--predictor", "repeat", "--save-masks", str(tmp_path / "masks"))
    (report,) = evaluate("vos", tmp_path / "data", tmp_path, *masks)
    (again,) = evaluate("vos", tmp_path / "data", tmp_path, "--masks", str(tmp_path / "masks/repeat"))
    assert scores_of(again) == scores_of(report)


class Repeating:
    """Knows the truth where it is clicked on, and repeats it."""

    name = "repeating"

    def __init__(self, tracker=None, name=None, count=0):
        self.known, self.count = {}, count

    def open(self, frames):
        return Repeating(count=len(frames))

    def click(self, frame, click):
        found = next(mask for mask in (LEFT, RIGHT, ELSEWHERE) if mask[click.y, click.x])
        self.known[frame] = found if click.label else ABSENT
        return self.known[frame]

    def track(self, first):
        for frame in range(first, self.count):
            yield frame, self.known[max(each for each in self.known if each <= frame)]


@pytest.mark.parametrize(("write", "expected"), VIDEOS.items())
def test_clicks_on_videos_by_the_rule_of_their_layout(tmp_path, monkeypatch, write, expected):
    monkeypatch.setattr("masklet.cli.evaluation_options.load_tracker", lambda *arguments: None)
    predictors = "masklet.evaluation.interactive.predictors"
    monkeypatch.setattr(f"{predictors}.InteractiveModelPredictor", Repeating)
    write(tmp_path / "data")
    reports = evaluate("interactive", tmp_path / "data", tmp_path, "--frames", "2")
    assert [each["interaction"] for each in reports] == ["offline", "online"]
    for report in reports:
        (sequence,) = report["sequences"]
        by_frames = (sequence["values"][name] for name in ("1 frame", "2 frames"))
        found = dict(zip(sequence["object_ids"], zip(*by_frames, strict=True), strict=True))
        still, coming = {1: (1, 1)}, {2: (0.5, 1)}  # then it is corrected where it has jumped to
        assert (report["rule"], found) == (expected[0], still if expected[0] == "davis" else still | coming)


@pytest.mark.parametrize("name", ["COCO instances", "SA-1B", "images and masks"])
def test_stills_of_each_layout(tmp_path, name):
    WRITERS[name](tmp_path / "data")
    (report,) = evaluate("stills", tmp_path / "data", tmp_path, "--predictor", "ellipse")
    (domain,) = report["datasets"]
    assert (domain["images"], domain["objects"]) == (2, 4)
    assert report["mean_iou"] == {"box": pytest.approx((8 / 12 + 21 / 25) / 2)}


@pytest.mark.parametrize(
    ("command", "data", "message"),
    [
        ("stills", "mere", "mere is in no known layout"),
        ("stills", "nowhere", "There is no folder"),
        ("stills", "davis", "davis holds videos; expected images"),
        ("vos", "mere", "mere is in no known layout"),
        ("interactive", "coco", "coco holds images; expected videos"),
    ],
)
def test_data_of_another_layout_are_refused_before_the_model_is_loaded(tmp_path, command, data, message):
    (tmp_path / "mere").mkdir()
    WRITERS["COCO instances"](tmp_path / "coco")
    write_davis(tmp_path / "davis")
    result = CliRunner().invoke(app, ["evaluate", command, str(tmp_path / data), "--model", str(tmp_path / "missing")])
    assert result.exit_code == ExitCode.WRONG_USAGE
    assert message in result.stderr


@pytest.mark.parametrize("option", ["--objects-per-image", "--objects-per-picture"])
def test_both_spellings_of_the_limit_on_objects(tmp_path, option):
    WRITERS["COCO instances"](tmp_path / "data")
    (report,) = evaluate("stills", tmp_path / "data", tmp_path, "--predictor", "ellipse", option, 1)
    assert report["datasets"][0]["objects"] == 2


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--compare", "a", "b", "--model", "c"), "--compare names both models; it does not go with --model"),
        (("--compare", "a", "b", "--predictor", "ellipse"), "--predictor ellipse measures no model"),
        (("--compare", "a", "b", "--predictor", "all"), "--predictor all"),
        (("--predictor", "grabcut", "--image-size", "256"), "it does not go with --image-size"),
        (("--predictor", "ellipse", "--zoom"), "it does not go with --zoom"),
    ],
)
def test_options_of_stills_that_contradict_each_other(tmp_path, arguments, named):
    result = CliRunner().invoke(app, ["evaluate", "stills", str(tmp_path), *arguments])
    assert result.exit_code == ExitCode.WRONG_USAGE
    assert named in result.stderr
