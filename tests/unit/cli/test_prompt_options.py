from pathlib import Path

import numpy as np
import pytest

from masklet.cli.prompt_options import objects_of_options
from masklet.errors import InvalidInputError
from masklet.media.label_maps import write_label_map
from masklet.media.prompt_entries import PromptEntry
from masklet.prompts.prompt import Prompt


def test_points_without_number_are_one_object():
    assert objects_of_options(["3,4", "5.5,6,0", "7,8,1"], [], []) == (
        PromptEntry(1, Prompt([[3, 4], [5.5, 6], [7, 8]], [1, 0, 1])),
    )


def test_boxes_and_masks_without_number_are_counted_and_points_refine_the_first():
    assert objects_of_options(["9,9,0"], ["1,2,3,4", "5,6,7,8"], ["a.png"]) == (
        PromptEntry(1, Prompt([[9, 9]], [0], box=(1, 2, 3, 4)), mask_file=Path("a.png")),
        PromptEntry(2, Prompt(box=(5, 6, 7, 8))),
    )


def test_numbers_assign_prompts_to_objects_in_any_order():
    assert objects_of_options(["1,1@4", "2,2,0@4", "3,3"], ["1,2,3,4@2"], ["in@home.png@4", "b@c.png"]) == (
        PromptEntry(1, Prompt([[3, 3]], [1]), mask_file=Path("b@c.png")),
        PromptEntry(2, Prompt(box=(1, 2, 3, 4))),
        PromptEntry(4, Prompt([[1, 1], [2, 2]], [1, 0]), mask_file=Path("in@home.png")),
    )


def test_a_label_map_is_about_all_its_objects(tmp_path):
    file = tmp_path / "map.png"
    write_label_map(file, np.array([[0, 2, 5]], dtype=np.uint8))
    assert objects_of_options([], [], [str(file), "a.png"]) == (
        PromptEntry(1, mask_file=Path("a.png")),
        PromptEntry(2, mask_file=file),
        PromptEntry(5, mask_file=file),
    )
    assert objects_of_options([], [], [f"{file}@3"]) == (PromptEntry(3, mask_file=file),)


def test_no_options_are_no_objects():
    assert objects_of_options([], [], []) == ()


@pytest.mark.parametrize(
    ("points", "boxes", "masks", "message"),
    [
        (["3"], [], [], "--point 3 is not of the form x,y"),
        (["3,x"], [], [], "--point 3,x is not"),
        (["3,4,2"], [], [], "--point 3,4,2 is not"),
        (["3,4,-1"], [], [], r"--point 3,4,-1 is not of the form .*1 on the object, 0 off it"),
        (["3,4,0.5"], [], [], "--point 3,4,0.5 is not"),
        (["3,4@dog"], [], [], "--point 3,4@dog is not"),
        (["3,4@0"], [], [], "numbered from 1"),
        (["inf,4"], [], [], "finite"),
        ([], ["1,2,3"], [], "--box 1,2,3 is not of the form x1,y1,x2,y2"),
        ([], ["1,2,3,"], [], "--box 1,2,3, is not"),
        ([], ["3,2,1,4"], [], "x1 < x2"),
        ([], ["1,2,3,4@1", "5,6,7,8"], [], "--box 5,6,7,8 is the second for object 1; put @N"),
        ([], [], ["a.png@3", "b.png@3"], "--mask b.png@3 is the second for object 3"),
    ],
)
def test_values_of_another_form_are_refused_as_typed(points, boxes, masks, message):
    with pytest.raises(InvalidInputError, match=message):
        objects_of_options(points, boxes, masks)
