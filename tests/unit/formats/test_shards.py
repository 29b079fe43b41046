"""Shards of run lengths: every object of every image and frame, in files that pipelines read."""

import json
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.source_data import write_images, write_video

from masklet.errors import InvalidInputError
from masklet.formats.writing import shards
from masklet.jobs.conversion import convert_dataset
from masklet.masks.run_length import decode_run_length

MASKS = np.zeros((2, 3, 6, 8), dtype=bool)  # objects, frames
MASKS[0, :, 1:3, 2:5] = True
MASKS[1, 1, 4:, 6:] = True


def assert_holds(records: list[dict[str, Any]]) -> None:
    """Whether the records are those of the video, frame by frame."""
    assert [(each["video"], each["frame"]) for each in records] == [(records[0]["video"], n) for n in range(3)]
    assert [[each["id"] for each in record["objects"]] for record in records] == [[1], [1, 2], [1]]
    for record in records:
        for each in record["objects"]:
            mask = decode_run_length({"size": [record["height"], record["width"]], "counts": each["counts"]})
            assert (mask == MASKS[each["id"] - 1, record["frame"]]).all()
            assert each["area"] == mask.sum()


def records_of_tars(folder: Path) -> list[dict[str, Any]]:
    records = []
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path) as tar:
            records += [json.loads(tar.extractfile(member).read()) for member in tar]
    return records


def test_frames_of_videos_are_files_of_tars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "RECORDS", 2)
    convert_dataset(write_video(tmp_path / "in", MASKS), tmp_path / "out", "webdataset")
    assert [each.name for each in sorted((tmp_path / "out").glob("*.tar"))] == ["000000.tar", "000001.tar"]
    assert_holds(records_of_tars(tmp_path / "out"))


def test_names_with_dots_are_keys_without(tmp_path: Path) -> None:
    names = ["a.b.png", "a_b.png", "a%2Eb.png"]
    convert_dataset(write_images(tmp_path / "in", dict.fromkeys(names, ()), (6, 8)), tmp_path / "out", "webdataset")
    with tarfile.open(tmp_path / "out/000000.tar") as tar:
        found = tar.getnames()
    assert [name.count(".") for name in found] == [1, 1, 1]
    assert len(set(found)) == 3
    assert records_of_tars(tmp_path / "out")[0]["objects"] == []


def test_frames_of_videos_are_rows_of_parquet(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed: pip install 'masklet[parquet]'")
    convert_dataset(write_video(tmp_path / "in", MASKS), tmp_path / "out", "parquet")
    assert_holds(parquet.read_table(tmp_path / "out/000000.parquet").to_pylist())


def test_without_pyarrow_its_extra_is_named_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InvalidInputError, match=r"pip install 'masklet\[parquet\]'"):
        convert_dataset(write_video(tmp_path / "in", MASKS), tmp_path / "out", "parquet")
    assert not (tmp_path / "out").exists()
