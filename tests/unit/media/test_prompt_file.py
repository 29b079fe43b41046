import json

import pytest

from masklet.errors import InvalidInputError
from masklet.media.prompt_entries import PromptEntry
from masklet.media.prompt_file import read_prompt_file
from masklet.prompts.prompt import Prompt


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
