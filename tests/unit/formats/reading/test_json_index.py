import json
import pickle

import numpy as np
import pytest
from tests.support.annotated_folders import write_coco

from masklet.errors import InvalidInputError
from masklet.formats.reading import json_index
from masklet.formats.reading.coco_folder import CocoFolder
from masklet.formats.reading.json_index import IndexedList, read_with_list

ENTRIES = [{"a": [1, {"b": "]}"}], "n": 1.5e3}, 12, "é,[{", [], {"long": "x" * 300}, -3, None]


@pytest.fixture(autouse=True)
def every_file_is_large(monkeypatch):
    monkeypatch.setattr(json_index, "LARGE", 1)


@pytest.fixture(params=[2, 7, 64, 2**22], ids=lambda size: f"window-{size}")
def window(request, monkeypatch):
    monkeypatch.setattr(json_index, "_WINDOW", request.param)


@pytest.mark.usefixtures("window")
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("is_ascii", [True, False])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_entries_are_found_where_they_stand(tmp_path, indent, is_ascii, encoding):
    path = tmp_path / "a.json"
    around = {"info": {"annotations": [1], "é": "ü"}, "annotations": ENTRIES, "images": [1, 2, {"x": "]"}]}
    path.write_text(json.dumps(around, indent=indent, ensure_ascii=is_ascii), encoding)
    content, entries = read_with_list(path, "annotations")
    assert isinstance(entries, IndexedList)
    assert [*entries] == [entries[place] for place in range(len(entries))] == ENTRIES
    assert content == {"info": around["info"], "images": around["images"]}
    assert [*pickle.loads(pickle.dumps(entries))] == ENTRIES


def test_a_file_in_another_encoding_is_read_whole(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"annotations": ENTRIES}), "utf-16")
    assert read_with_list(tmp_path / "a.json", "annotations") == ({"annotations": ENTRIES}, ENTRIES)


@pytest.mark.usefixtures("window")
@pytest.mark.parametrize(
    "text", ['{"annotations": [1, 2', '{"annotations": [1 2]}', '{"a": 1} x', "{", '{"a" 1}', "{3: 1}"]
)
def test_what_is_no_json_is_reported_as_such(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InvalidInputError, match=r"a\.json is not JSON"):
        read_with_list(tmp_path / "a.json", "annotations")


def test_without_the_list(tmp_path):
    (tmp_path / "a.json").write_text('{"annotations": 3}')
    assert read_with_list(tmp_path / "a.json", "annotations") == ({"annotations": 3}, None)


def test_a_large_file_of_coco_is_read_as_a_small_one(tmp_path, monkeypatch):
    write_coco(tmp_path)
    large = CocoFolder(tmp_path)
    monkeypatch.undo()
    small = CocoFolder(tmp_path)
    for one, other in zip(large, small, strict=True):
        np.testing.assert_array_equal(one.masks, other.masks)
    assert [*large.problems()] == [*small.problems()]


def test_an_entry_that_was_changed_meanwhile(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"annotations": [10, 20, 30]}')
    _, entries = read_with_list(path, "annotations")
    path.write_text('{"annotations": [[[[[[, 20, 30]}')
    with pytest.raises(InvalidInputError, match="the entry at byte 17 is broken"):
        entries[0]
