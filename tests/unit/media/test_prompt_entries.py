from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.media.prompt_entries import PromptEntry
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
