import json

import numpy as np
import pytest
from PIL import Image

from masklet.errors import InvalidInputError
from masklet.evaluation.images.measurement import ImageReport
from masklet.evaluation.measured_item import ALL_OBJECTS, MeasuredItem, WorstFrame
from masklet.evaluation.reporting.report import Curve, Level
from masklet.evaluation.reporting.report_folder import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    draw_curves,
    predictor_folders,
    write_report_folder,
)
from masklet.evaluation.reporting.worst_frames import CAPTION_HEIGHT, GAP, IMAGE_WIDTH, MOST_ROWS, draw_worst_frames
from masklet.masks.run_length import encode_run_length
from masklet.media.drawing import object_colour

TRUTH, PREDICTED = np.zeros((20, 36), dtype=bool), np.zeros((20, 36), dtype=bool)
TRUTH[:, :18] = True
PREDICTED[:, 18:] = True


class Shown:
    """Every frame is grey, and its truth the left half."""

    def __init__(self):
        self.looked_at = []

    def frame_and_mask(self, name, frame, object_id):
        self.looked_at.append(name)
        return np.full((20, 36, 3), 128, dtype=np.uint8), TRUTH


def items(count):
    return [
        MeasuredItem(f"nuts/{at}", "nuts", 1, (0,), {"box": (at / 100,)}, (worst(at / 100),)) for at in range(count)
    ]


def worst(score):
    return WorstFrame(0, 0, score, encode_run_length(PREDICTED))


def pixel(image, x, y):
    return np.array(image.getpixel((x, y)), dtype=int)


def is_near(image, point, colour):
    """Whether the colour is within two pixels of a point."""
    x, y = (round(each) for each in point)
    area = np.asarray(image)[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3)
    return (area == colour).all(axis=1).any()


def test_curves_lie_where_their_values_are():
    curves = [Curve("first", (1, 3, 5), (0.0, 0.5, 1.0)), Curve("second", (1, 5), (0.8, 0.8))]
    image = draw_curves(curves, title="IoU", x_label="clicks", y_label="%")
    middle = ((LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2)
    for point in ((LEFT, BOTTOM), middle, (RIGHT, TOP)):
        assert is_near(image, point, object_colour(1))
    assert is_near(image, (middle[0], BOTTOM - 0.8 * (BOTTOM - TOP)), object_colour(2))
    assert not is_near(image, (middle[0], BOTTOM - 0.65 * (BOTTOM - TOP)), object_colour(1))


def test_a_level_crosses_the_whole_diagram():
    height = BOTTOM - 0.8 * (BOTTOM - TOP)
    beside_curve, alone = [Curve("clicks", (1, 3, 5), (0.0, 0.1, 0.2)), Level("box", 0.8)], [Level("box", 0.8)]
    for number, lines in ((2, beside_curve), (1, alone)):
        image = draw_curves(lines, title="IoU", x_label="clicks", y_label="%")
        assert all(is_near(image, (x, height), object_colour(number)) for x in (LEFT, (LEFT + RIGHT) / 2, RIGHT))


def test_a_diagram_without_curves_is_refused():
    with pytest.raises(InvalidInputError, match="at least one curve"):
        draw_curves([], title="", x_label="", y_label="")


def test_the_sheet_shows_the_twelve_worst_with_image_truth_and_prediction():
    data = Shown()
    sheet = draw_worst_frames(data, items(15)[::-1])
    assert data.looked_at == [f"nuts/{at}" for at in range(MOST_ROWS)]
    row = 200 + CAPTION_HEIGHT + GAP
    assert sheet.size == (3 * IMAGE_WIDTH + 2 * GAP, MOST_ROWS * row - GAP)
    left, right, middle = IMAGE_WIDTH // 4, 3 * IMAGE_WIDTH // 4, CAPTION_HEIGHT + 100
    grey = (128, 128, 128)
    tinted = []
    for column in range(3):
        start = column * (IMAGE_WIDTH + GAP)
        tinted.append([tuple(pixel(sheet, start + x, middle)) != grey for x in (left, right)])
    assert tinted == [[False, False], [True, False], [False, True]]


def test_all_masks_of_a_frame_are_shown_the_larger_ones_below():
    small = np.zeros_like(TRUTH)
    small[8:12, 26:30] = True
    predicted = [encode_run_length(each) for each in (small, PREDICTED)]
    shown = MeasuredItem("nuts/0", "nuts", 1, (0,), {"box": (0.1,)}, (WorstFrame(ALL_OBJECTS, 0, 0.1, predicted),))
    sheet = draw_worst_frames(Shown(), [shown])
    start, top = 2 * (IMAGE_WIDTH + GAP), CAPTION_HEIGHT
    left, large, both = (tuple(pixel(sheet, start + x, top + y)) for x, y in ((90, 100), (340, 20), (280, 100)))
    assert len({left, large, both}) == 3
    assert left == (128, 128, 128)


def test_without_frames_there_is_no_sheet():
    with pytest.raises(InvalidInputError, match="none to show"):
        draw_worst_frames(Shown(), [])


def test_the_folder_holds_scores_tables_curves_and_images(tmp_path):
    write_report_folder(tmp_path, [(Shown(), ImageReport("runs/last step: 12", tuple(items(3))))])
    own = tmp_path / "runs_last_step_12"
    assert json.loads((tmp_path / "scores.json").read_text())[0]["mean_iou"] == {"box": pytest.approx(0.01)}
    assert (own / "items.csv").read_text().splitlines()[0] == "dataset,name,frames,objects,box"
    for name in ("curves.png", f"{own.name}/worst.png"):
        with Image.open(tmp_path / name) as image:
            image.load()


def test_predictors_whose_names_differ_in_what_paths_cannot_have_get_different_folders(tmp_path):
    names = ["runs/a", "runs_a_2", "runs_a", "a", "..", "/"]
    folders = [each.relative_to(tmp_path).as_posix() for each in predictor_folders(tmp_path, names)]
    assert folders == ["runs_a", "runs_a_2", "runs_a_3", "a", "predictor", "predictor_2"]


def test_the_results_of_two_predictors_of_similar_names_are_both_kept(tmp_path):
    reports = [ImageReport("runs/a", tuple(items(3))), ImageReport("runs_a", tuple(items(4)))]
    write_report_folder(tmp_path, [(Shown(), report) for report in reports])
    lines = [len((tmp_path / name / "items.csv").read_text().splitlines()) for name in ("runs_a", "runs_a_2")]
    assert lines == [4, 5]
