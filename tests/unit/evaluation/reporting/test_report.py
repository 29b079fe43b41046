import csv
import io
import json

import pytest
from tests.support.measured_reports import image_report, item, sequence, vos_report

from masklet.errors import InvalidInputError
from masklet.evaluation.images.measurement import ImageReport
from masklet.evaluation.measured_item import MeasuredItem
from masklet.evaluation.reporting.report import Level, report_table
from masklet.evaluation.vos.report import vos_values
from masklet.evaluation.vos.scores import CountingRule, FrameScores


def rows_of(table):
    return [[row.name, *row.cells] for row in table.rows]


def test_the_mean_is_over_objects_then_over_datasets():
    means = image_report().means
    assert means["1 click"] == pytest.approx(((0.2 + 0.4 + 0.6) / 3 + 0.3) / 2)
    assert means["box"] == pytest.approx((0.8 + 0.55) / 2)
    assert vos_report().means["J-Mean"] == pytest.approx(0.7)


def test_intervals_hold_the_mean():
    low, high = image_report().intervals["1 click"]
    assert low < image_report().means["1 click"] < high


def test_a_measure_of_some_objects_is_averaged_over_the_datasets_that_have_them():
    items = (
        MeasuredItem("nuts/0", "nuts", 1, (0, 1), {"box": (0.2, 0.4), "small": (0.4,)}),
        MeasuredItem("nuts/1", "nuts", 1, (0,), {"box": (0.6,)}),
        MeasuredItem("cars/0", "cars", 1, (0,), {"box": (0.8,)}),
    )
    report = ImageReport("ours", items)
    assert report.means == pytest.approx({"box": 0.6, "small": 0.4})
    assert report.values_of("small") == [[(0.4,), ()]]
    assert report.intervals["small"] is None


def test_amounts_of_items_are_averaged_over_datasets_and_stand_in_the_last_columns():
    class Counted(ImageReport):
        def amounts_shown(self):
            return {"masks": "{:.1f}".format}

    items = tuple(
        MeasuredItem(f"{dataset}/{masks}", dataset, 1, (0,), {"box": (0.5,)}, amounts={"masks": masks})
        for dataset, masks in (("nuts", 2.0), ("nuts", 3.0), ("cars", 10.0))
    )
    report = Counted("ours", items)
    assert [row[-1] for row in rows_of(report_table([report]))[1:4]] == ["2.5", "10.0", "6.2"]
    assert report.csv().splitlines()[0].endswith(",box,masks")
    assert report.csv().splitlines()[1].endswith(",0.500000,2.000000")
    assert items[0] == MeasuredItem.from_dict(items[0].to_dict())


def test_a_dataset_without_objects_is_refused():
    with pytest.raises(InvalidInputError, match="'cars' has 1 images, no objects"):
        ImageReport("ours", (item("nuts/0", "nuts", box=(0.5,)), item("cars/0", "cars")))


def test_json_of_images_is_in_fractions_with_todays_and_the_earlier_names():
    content = json.loads(image_report().to_json())
    assert content["datasets"][0] == {
        "dataset": "nuts",
        "domain": "nuts",
        "images": 2,
        "pictures": 2,
        "objects": 3,
        "mean_iou": pytest.approx({"1 click": 0.4, "box": 0.8}),
    }
    assert content["domains"] == content["datasets"]
    assert content["mean_iou"] == pytest.approx({"1 click": 0.35, "box": 0.675})
    assert content["intervals"]["box"] == pytest.approx(image_report().intervals["box"])


def test_json_of_videos_has_the_names_of_the_official_tool():
    content = json.loads(vos_report().to_json())
    assert (content["predictor"], content["rule"]) == ("flow", "davis")
    assert content["scores"] == pytest.approx(
        {
            "J&F-Mean": 0.525,
            "J-Mean": 0.7,
            "J-Recall": 2 / 3,
            "J-Decay": 0,
            "F-Mean": 0.35,
            "F-Recall": 0,
            "F-Decay": 0,
        }
    )
    assert [each["sequence"] for each in content["sequences"]] == ["swan", "pair"]
    assert content["sequences"][1]["objects"][1] == {
        "object_id": 2,
        "j": pytest.approx({"mean": 0.6, "recall": 1, "decay": 0}),
        "f": pytest.approx({"mean": 0.3, "recall": 0, "decay": 0}),
    }


def test_tables_of_videos_have_a_row_each():
    rows = rows_of(report_table([vos_report()]))
    assert ["swan", "1", "37.5", "50.0", "25.0", "0.0", "0.0", "0.0", "0.0"] in rows
    assert ["mean", "3", "52.5", "70.0", "35.0", "66.7", "0.0", "0.0", "0.0"] in rows


def test_tables_of_images_have_a_row_a_dataset_and_mark_what_was_not_measured():
    ellipse = ImageReport("ellipse", (item("nuts/0", "nuts", box=(0.78,)),))
    rows = rows_of(report_table([image_report(), ellipse]))
    assert ["nuts", "3", "40.0", "80.0"] in rows
    assert ["mean", "5", "35.0", "67.5"] in rows
    assert ["nuts", "1", "-", "78.0"] in rows
    assert ["  95 %: from", "", "-", "-"] in rows  # one image says nothing about others


def test_csv_has_a_line_an_item():
    first, *_, last = csv.DictReader(io.StringIO(image_report().csv()))
    expected = {
        "dataset": "nuts",
        "name": "nuts/0",
        "frames": "1",
        "objects": "2",
        "1 click": "0.300000",
        "box": "0.750000",
    }
    assert first == expected
    assert last["name"] == "cars/1"


def test_the_curve_of_images_leads_over_clicks():
    clicks, box = image_report().curves()
    assert (clicks.x, clicks.y) == ((1,), pytest.approx((0.35,)))
    assert (box.label, box.y) == ("ours, box", pytest.approx(0.675))


def test_boxes_alone_have_no_place_among_the_numbers_of_clicks():
    assert ImageReport("ellipse", (item("nuts/0", "nuts", box=(0.5,)),)).curves() == [Level("ellipse, box", 0.5)]


def test_the_curve_of_videos_leads_through_the_tenths():
    series = [FrameScores(number / 100, number / 100, True, True) for number in range(100)]
    values = vos_values(series)
    assert [values[f"J&F-Tenth-{tenth}"] for tenth in (1, 10)] == pytest.approx([0.045, 0.945])
    (curve,) = vos_report().curves()
    assert curve.x == tuple(range(5, 100, 10))
    assert curve.y == pytest.approx([0.525] * 10)


def test_short_videos_have_all_tenths():
    values = vos_values([FrameScores(1.0, 0.0, True, True), FrameScores(0.0, 0.0, True, True)])
    assert [values[f"J&F-Tenth-{tenth}"] for tenth in range(1, 11)] == [0.5] * 5 + [0.0] * 5


def test_the_rule_is_part_of_the_report():
    report = vos_report()
    assert type(report)(report.predictor, report.items, CountingRule.APPEARANCE).to_dict()["rule"] == "appearance"
    assert sequence("swan", (1, 1)).object_ids == (1,)
