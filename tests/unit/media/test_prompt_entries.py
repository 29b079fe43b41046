import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.masks.run_length import encode_run_length
from masklet.media.prompt_entries import PromptEntry, objects_at_frames, read_prompt_file
from masklet.prompts.prompt import Prompt


@pytest.mark.parametrize(
    "arguments",
    [{"marks": Prompt([[1.5, 2]], [0])}, {"marks": Prompt(box=(0, -4, 1, 2))}, {"mask_file": Path("a.png")}],
    ids=str,
)
def test_any_one_kind_of_prompt_is_enough(arguments):
    assert PromptEntry(3, **arguments).object_id == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"object_id": 0, "marks": Prompt(box=(0, 0, 1, 1))}, "numbered from 1 to 2147483647; got 0"),
        ({"object_id": 2**31, "marks": Prompt(box=(0, 0, 1, 1))}, "numbered from 1 to 2147483647; got 2147483648"),
        ({"object_id": 2, "marks": Prompt([[1, 2]], [-1])}, r"Object 2: a point .* 1 \(.*\) or 0 \(.*\); got -1"),
        ({"object_id": 2}, "Object 2 has no prompt; give points, a box or a mask"),
    ],
)
def test_what_cannot_be_an_entry_is_refused_with_the_objects_number(arguments, message):
    with pytest.raises(InvalidInputError, match=message):
        PromptEntry(**arguments)


def write_mask(path, values):
    Image.fromarray(values.astype(np.uint8)).save(path)
    return path


def test_the_file_of_a_mask_becomes_the_mask_beside_the_marks(tmp_path):
    values = np.zeros((4, 6))
    values[1, 2:5] = 255
    marks = Prompt([[1, 2]], [0])
    found = PromptEntry(1, marks, write_mask(tmp_path / "mask.png", values)).prompt(4, 6, "its image")
    assert found == Prompt([[1, 2]], [0], mask=values > 0)
    assert PromptEntry(1, marks).prompt(4, 6, "its image") == marks


def test_each_object_of_a_label_map_is_its_own_mask(tmp_path):
    values = np.zeros((4, 6))
    values[1, 2:5], values[3] = 2, 7
    file = write_mask(tmp_path / "map.png", values)
    for object_id in (2, 7):
        found = PromptEntry(object_id, mask_file=file).prompt(4, 6, "its image").mask
        np.testing.assert_array_equal(found, values == object_id)


def test_masks_of_another_size_missing_ones_and_marks_outside_are_refused(tmp_path):
    turned = PromptEntry(1, mask_file=write_mask(tmp_path / "turned.png", np.ones((6, 4))))
    with pytest.raises(InvalidInputError, match=r"turned\.png is 4 x 6 pixels; .* as large as the video, 6 x 4"):
        turned.prompt(4, 6, "the video")
    with pytest.raises(UnreadableImageError, match=r"nowhere\.png"):
        PromptEntry(1, mask_file=tmp_path / "nowhere.png").prompt(4, 6, "its image")
    with pytest.raises(InvalidInputError, match="Object 7: The point"):
        PromptEntry(7, Prompt([[7, 1]])).prompt(4, 6, "its image")


@pytest.fixture
def written(tmp_path):
    def write(content):
        path = tmp_path / "prompts.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def test_every_kind_of_prompt_is_read_relative_to_the_files_folder(written, tmp_path):
    path = written(
        {
            "street/a.jpg": [
                {"points": [[3, 4], [5.5, 6, 0]]},
                {"id": 7, "box": [1, 2, 3, 4], "points": [[1, 1]], "mask": "masks/car.png"},
            ],
            "/elsewhere/b.jpg": [{"box": [0, 0, 1, 1]}],
        }
    )
    objects_of = read_prompt_file(path)
    assert list(map(str, objects_of)) == [f"{tmp_path}/street/a.jpg", "/elsewhere/b.jpg"]
    assert objects_of[tmp_path / "street/a.jpg"] == (
        PromptEntry(1, Prompt([[3, 4], [5.5, 6]], [1, 0])),
        PromptEntry(7, Prompt([[1, 1]], [1], box=(1, 2, 3, 4)), mask_file=tmp_path / "masks/car.png"),
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "Expecting property name"),
        ("[]", "expected an object that maps each image"),
        ("{}", "expected an object that maps each image"),
        ('{"a.jpg": [{"box": [0, 0, 1, 1]}], "a.jpg": []}', "'a.jpg' occurs twice"),
        ({"a.jpg": {"box": [0, 0, 1, 1]}}, "at 'a.jpg': expected a list of objects"),
        ({"a.jpg": []}, "at 'a.jpg': expected a list of objects"),
        ({"a.jpg": [{"boxes": [0, 0, 1, 1]}]}, "'a.jpg', entry 1: .* keys id, points, box, mask; got .*boxes"),
        ({"a.jpg": [[0, 0, 1, 1]]}, "entry 1: expected an object with the keys"),
        ({"a.jpg": [{"box": [0, 0, 1, 1]}, {}]}, "entry 2: Object 2 has no prompt"),
        ({"a.jpg": [{"box": [0, 0, 1]}]}, r"'box' must be \[x1, y1, x2, y2\]"),
        ({"a.jpg": [{"box": None}]}, "'box' must be"),
        ({"a.jpg": [{"box": [4, 0, 1, 1]}]}, "x1 < x2"),
        ({"a.jpg": [{"points": [1, 2]}]}, r"a point must be \[x, y\]"),
        ({"a.jpg": [{"points": [["1", 2]]}]}, "a point must be"),
        ({"a.jpg": [{"points": [[1, True]]}]}, "a point must be"),
        (
            {"a.jpg": [{"points": [[1, 2, 3]]}]},
            r"entry 1: the point \[1, 2\] has the label 1 \(.*\) or 0 \(off it\); got 3\.$",
        ),
        ({"a.jpg": [{"points": [[1, 2, -1]]}]}, r"label 1 \(.*\) or 0 \(.*\); got -1"),
        ({"a.jpg": [{"points": [[1, 2], [3, 4, -1]], "mask": "a.png"}]}, r"the point \[3, 4\] .* got -1"),
        ({"a.jpg": [{"points": 5}]}, "'points' are listed as"),
        ({"a.jpg": [{"mask": 5}]}, "'mask' must be the name"),
        ({"a.jpg": [{"mask": ""}]}, "'mask' must be the name"),
        ({"a.jpg": [{"mask": "a\0b"}]}, "'mask' must be the name"),
        ({"a\0.jpg": [{"box": [0, 0, 1, 1]}]}, "an image must be the name of an image file"),
        ({"\ud800.jpg": [{"box": [0, 0, 1, 1]}]}, "an image must be the name of an image file"),
        ({"n" * 300: [{"box": [0, 0, 1, 1]}]}, "an image must be the name of an image file"),
        ({"a.jpg": [{"box": [0, 0, 1, 10**400]}]}, "box must be an array of numbers"),
        ({"a.jpg": [{"box": [0, 0, 1, float("nan")]}]}, "box must be finite numbers"),
        ({"a.jpg": [{"points": [[10**400, 1]]}]}, "points must be an array of numbers"),
        ({"a.jpg": [{"points": [[1, 1, 10**400]]}]}, "got 10000.*0000"),
        ({"a.jpg": [{"points": [[[[1]], 1]]}]}, "a point must be"),
        ({"a.jpg": [{"id": 10**400, "box": [0, 0, 1, 1]}]}, "Objects are numbered from 1 to 2147483647"),
        ("[" * 5000 + "]" * 5000, "nested too deeply"),
        ('{"a.jpg": ' + "[" * 900 + "]" * 900 + "}", "expected an object with the keys"),
        ({"a.jpg": [{"id": "dog", "mask": "a.png"}]}, "'id' must be an integer, got 'dog'"),
        ({"a.jpg": [{"id": 2, "mask": "a.png"}, {"mask": "b.png"}]}, r"ids of the objects are \[2, 2\]"),
    ],
)
def test_other_forms_are_refused_with_file_and_place(written, content, message):
    path = written(content)
    with pytest.raises(InvalidInputError, match=message) as caught:
        read_prompt_file(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.json"):
        read_prompt_file(tmp_path / "nowhere.json")


def test_two_spellings_of_one_image_are_refused(tmp_path):
    file = tmp_path / "prompts.json"
    file.write_text('{"a.jpg": [{"box": [1, 1, 4, 4]}], "./a.jpg": [{"box": [2, 2, 4, 4]}]}')
    with pytest.raises(InvalidInputError, match=r"a\.jpg' occurs twice"):
        read_prompt_file(file)


def test_the_mark_that_editors_put_in_front_is_skipped(tmp_path):
    file = tmp_path / "prompts.json"
    file.write_text('{"a.jpg": [{"box": [1, 1, 4, 4]}]}', encoding="utf-8-sig")
    assert list(read_prompt_file(file)) == [tmp_path / "a.jpg"]


def test_a_mask_may_stand_there_as_run_lengths():
    mask = np.zeros((6, 8), dtype=bool)
    mask[1:4, 2:5] = True
    (entry,) = objects_at_frames([{"mask": dict(encode_run_length(mask))}], Path()).values()
    assert (entry.prompt(6, 8, "its image").mask == mask).all()
    with pytest.raises(InvalidInputError, match="The mask of object 1 is 8 x 6 pixels"):
        entry.prompt(8, 6, "its image")
