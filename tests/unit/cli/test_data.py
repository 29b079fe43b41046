import json
import os
import subprocess
import sys

from tests.support.annotated_folders import write_coco, write_plain, write_youtube_vos
from typer.testing import CliRunner, Result

from masklet.cli.main import app


def check(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["data", "check", *map(str, arguments)])


def test_says_what_there_is(tmp_path):
    write_youtube_vos(tmp_path)
    result = check(tmp_path)
    assert result.exit_code == 0, result.output
    first, *counts, last = [line.split() for line in result.stdout.splitlines()]
    assert first == [f"{tmp_path}:", "YouTube-VOS"]
    assert counts == [
        ["videos", "2"],
        ["frames", "12"],
        ["annotated", "frames", "4"],
        ["objects", "4"],
        ["sizes", "12", "x", "8"],
    ]
    assert " ".join(last) == "0 errors, 0 remarks."


def test_a_list_of_sequences_is_checked_as_a_dataset(tmp_path):
    write_youtube_vos(tmp_path)
    chosen = tmp_path / "train.txt"
    chosen.write_text("swan")
    first, videos, *_ = check(chosen).stdout.splitlines()
    assert (first, videos.split()) == (f"{chosen}: YouTube-VOS", ["videos", "1"])
    chosen.write_text("goose")
    result = check(chosen)
    assert result.exit_code == 1
    assert "does not hold: goose" in result.stdout


def test_errors_are_listed_with_their_place_before_remarks(tmp_path):
    write_coco(tmp_path)
    content = json.loads((tmp_path / "annotations.json").read_text())
    content["annotations"] = [each for each in content["annotations"] if each["image_id"] == 1]
    (tmp_path / "annotations.json").write_text(json.dumps(content))
    (tmp_path / "images/b.png").write_bytes(b"")
    result = check(tmp_path, "--json", tmp_path / "report.json")
    assert result.exit_code == 1
    *_, error, error_place, remark, remark_place, last = result.stdout.splitlines()
    assert (error, remark, last) == ("Error: unreadable file (1)", "Remark: no objects (1)", "1 errors, 1 remarks.")
    assert f"{tmp_path}/images/b.png: " in error_place
    assert f"{tmp_path}/images/a.png: " in remark_place
    report = json.loads((tmp_path / "report.json").read_text())
    assert {each["kind"]: each["is_error"] for each in report["problems"]} == {
        "unreadable file": True,
        "no objects": False,
    }


def test_what_is_left_out_is_counted_with_its_reason(tmp_path):
    write_coco(tmp_path)
    content = json.loads((tmp_path / "annotations.json").read_text())
    content["annotations"][0] |= {"iscrowd": 1}
    content["annotations"][1] |= {"segmentation": None, "bbox": [1, 2, 3, 4]}
    (tmp_path / "annotations.json").write_text(json.dumps(content))
    result = check(tmp_path, "--json", tmp_path / "report.json")
    assert result.exit_code == 0
    counts = {"annotations are crowds (iscrowd is 1)": 1, "annotations have a box, but no mask": 1}
    assert json.loads((tmp_path / "report.json").read_text())["left_out"] == counts
    rows = [line.split(maxsplit=2) for line in result.stdout.splitlines()]
    assert [row[2] for row in rows if row[:2] == ["left", "out"]] == [f"1 {reason}" for reason in counts]


def test_names_that_are_no_text_are_printed_all_the_same(tmp_path):
    write_coco(tmp_path)
    content = json.loads((tmp_path / "annotations.json").read_text())
    content["images"][0]["file_name"] = os.fsdecode(b"\xe9.png")  # as programs on Linux write names in Latin-1
    (tmp_path / "annotations.json").write_text(json.dumps(content))
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    command = [sys.executable, "-m", "masklet", "data", "check", "--structure", str(tmp_path)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (1, "")
    assert f"{tmp_path}{os.sep}images{os.sep}\\udce9.png: listed in" in ended.stdout


def test_structure_alone_reads_no_images(tmp_path):
    write_plain(tmp_path)
    (tmp_path / "images/b.jpg").write_bytes(b"")
    assert check(tmp_path, "--structure").exit_code == 0
    assert check(tmp_path).exit_code == 1


def test_long_lists_are_cut(tmp_path):
    write_plain(tmp_path)
    for name in "ab":
        (tmp_path / f"images/{name}.jpg").rename(tmp_path / f"images/other_{name}.jpg")
    result = check(tmp_path, "--limit", 1)
    assert result.stdout.count("has no image of that name") == 1
    assert "and 1 more" in result.stdout


def test_unknown_layouts_and_reports_that_cannot_be_written(tmp_path):
    result = check(tmp_path)
    assert result.exit_code == 2
    assert "is in no known layout" in result.stderr
    write_plain(tmp_path / "data")
    (tmp_path / "file").touch()
    assert check(tmp_path / "data", "-o", tmp_path / "file/report.json").exit_code == 3
