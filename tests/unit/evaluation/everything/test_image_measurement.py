import json

import numpy as np
import pytest
from PIL import Image
from tests.support.annotated_images import PICTURES, SIZE, square, write_domain

from masklet.errors import InvalidInputError
from masklet.evaluation.everything.image_measurement import (
    EverythingImageMeasurement,
    evaluate_everything,
)
from masklet.evaluation.images.measured_images import MeasuredImages
from masklet.evaluation.measured_item import ALL_OBJECTS
from masklet.evaluation.measurement import measure_all
from masklet.evaluation.reporting.report import report_table
from masklet.evaluation.reporting.report_folder import write_report_folder
from masklet.masks.segmentation import Segmentation


class Recorded:
    """Finds the masks of its list for each image, which is known by its red channel; the first has the best score."""

    name, fingerprint = "recorded", "1"

    def __init__(self, of_images):
        self.of_images = of_images
        self.calls = 0

    def segment(self, image):
        self.calls += 1
        masks = self.of_images[int(image[0, 0, 0])]
        stacked = np.array(masks, dtype=bool).reshape(-1, *SIZE)
        return Segmentation(stacked, np.linspace(1, 0.5, len(masks)), range(1, len(masks) + 1))


@pytest.fixture
def root(tmp_path):
    write_domain(tmp_path / "first", PICTURES)
    return tmp_path


def test_every_object_found_exactly(root):
    report = evaluate_everything(root, Recorded(PICTURES))
    recalls = {f"AR@{limit}{group}" for limit in (10, 100, 1000) for group in ("", " small", " whole")}
    assert report.means == dict.fromkeys([*recalls, "best IoU"], 1.0)
    first, second = report.items
    assert first.amounts == {"masks": 2, "duplicates": 0, "covered": (25 + 81) / (24 * 32)}
    assert second.amounts["covered"] == 121 / (24 * 32)


def test_nothing_found(root):
    report = evaluate_everything(root, Recorded([[], []]))
    assert set(report.means.values()) == {0.0}
    assert report.amounts == {"masks": 0, "duplicates": 0, "covered": 0}


def test_the_better_of_two_masks_of_an_object_counts_once_and_equal_ones_are_duplicates(root):
    half = square(2, 3, 5)
    half[3:5] = False  # 15 of 25 pixels: found at .5, .55 and .6
    masks = [half, PICTURES[0][0], PICTURES[0][0], np.ones(SIZE, bool)]
    report = evaluate_everything(root, Recorded([masks, []]))
    first, second = report.items
    assert first.values["AR@10"] == (1.0, 0.0)
    assert first.values["best IoU"] == (1.0, 81 / (24 * 32))
    assert first.amounts == {"masks": 4, "duplicates": 1, "covered": 1}
    assert second.values["AR@10"] == (0.0,)
    assert report.means["AR@10"] == pytest.approx(1 / 3)


def test_ten_masks_of_higher_score_hide_an_object_from_the_ten_best(root):
    specks = [square(x, 0, 1) for x in range(10)]
    report = evaluate_everything(root, Recorded([[*specks, *PICTURES[0]], []]))
    assert report.items[0].values["AR@10"] == (0.0, 0.0)
    assert report.items[0].values["AR@100"] == (1.0, 1.0)


def test_parts_and_wholes_are_kept_apart(tmp_path):
    whole, part = square(4, 4, 12), square(6, 6, 4)
    write_domain(tmp_path / "cars", [[whole, part]])
    report = evaluate_everything(tmp_path, Recorded([[whole]]))
    assert (report.means["AR@10 whole"], report.means["AR@10 part"], report.means["AR@10"]) == (1.0, 0.0, 0.5)


def test_masks_of_another_size_are_refused(root):
    class Wrong(Recorded):
        def segment(self, image):
            return Segmentation(np.ones((1, 5, 6), bool), np.ones(1), (1,))

    with pytest.raises(InvalidInputError, match=r"masks of first/0\.png are of \[5, 6\], the image is of \[24, 32\]"):
        evaluate_everything(root, Wrong(PICTURES))


def test_what_is_finished_is_kept_and_the_report_holds_all(root, tmp_path):
    folder = tmp_path / "report"
    predictor = Recorded([[np.ones(SIZE, bool), *PICTURES[0]], PICTURES[1]])
    measurement = EverythingImageMeasurement(MeasuredImages(str(root)), predictor)
    items = measure_all(measurement, folder=folder / "recorded")
    assert measure_all(measurement, folder=folder / "recorded") == items
    assert predictor.calls == 2
    report = measurement.report(items)
    write_report_folder(folder, [(measurement, report)])
    (content,) = json.loads((folder / "scores.json").read_text())
    assert content["average_recall"]["AR@10"] == report.means["AR@10"]
    assert content["datasets"][0]["amounts"]["masks"] == 2
    assert (folder / "recorded/items.csv").read_text().splitlines()[0].endswith(",masks,duplicates,covered")
    with Image.open(folder / "recorded/worst.png") as sheet:
        assert sheet.height > 400  # a row an image
    assert all(item.worst[0].object_id == ALL_OBJECTS for item in items)
    assert measurement.frame_and_mask("first/0.png", 0, ALL_OBJECTS)[1].shape == (2, *SIZE)
    table = report_table([report])
    assert table.headings[0] == "objects"
    assert table.headings[-3:] == ("masks", "duplicates", "covered")
    assert table.rows[1].cells[-3:] == ("2.0", "0.0", f"{100 * (24 * 32 + 121) / 2 / (24 * 32):.1f}")
