import pytest
from tests.support.measured_reports import image_report, item, vos_report

from masklet.errors import InvalidInputError
from masklet.evaluation.images.measurement import ImageReport
from masklet.evaluation.reporting.comparison import Comparison


def test_differences_and_their_intervals():
    comparison = Comparison(image_report("before"), image_report("after", add=0.1))
    assert comparison.differences() == pytest.approx({"1 click": 0.1, "box": 0.1})
    # Every object gains the same, so that the difference is certain, however much the objects differ.
    assert comparison.interval("1 click") == pytest.approx((0.1, 0.1))
    assert comparison.to_dict()["predictors"] == ["before", "after"]


def rows_of(comparison):
    return {row.name: list(row.cells) for row in comparison.table().rows}


def test_table_has_both_and_the_difference():
    comparison = Comparison(image_report("before"), image_report("after", add=0.1))
    rows = rows_of(comparison)
    assert rows["nuts"] == ["40.0", "50.0", "+10.0", "80.0", "90.0", "+10.0"]
    assert rows["mean"] == ["35.0", "45.0", "+10.0", "67.5", "77.5", "+10.0"]
    assert rows["  95 %: from"] == ["", "", "+10.0", "", "", "+10.0"]
    assert comparison.table().title.splitlines()[1:] == ["A: before", "B: after"]


def test_other_objects_cannot_be_compared():
    report = image_report()
    with pytest.raises(InvalidInputError, match="not measured on the same objects"):
        Comparison(report, ImageReport("other", report.items[:3]))


def test_images_are_compared_by_all_settings():
    values = {f"{count} click{'s' * (count > 1)}": (1.0,) for count in (1, 3, 5)} | {"box": (0.0,)}
    report = ImageReport("ours", tuple(item(f"{name}/0", name, **values) for name in ("cells", "nuts")))
    comparison = Comparison(report, report)
    assert comparison.table().headings[::3] == ("1\nA", "3\nA", "5\nA", "box\nA")
    assert rows_of(comparison)["cells"] == [*["100.0", "100.0", "+0.0"] * 3, "0.0", "0.0", "+0.0"]


def test_videos_are_compared_by_their_means():
    comparison = Comparison(vos_report("before"), vos_report("after"))
    assert rows_of(comparison)["pair"] == ["60.0", "60.0", "+0.0", "80.0", "80.0", "+0.0", "40.0", "40.0", "+0.0"]
